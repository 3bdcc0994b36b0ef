//! What a libvirt error means for us.

use hypervisor::{HypervisorError, Reason};
use virt_sys as sys;

/// A failed call that does not know yet what it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// libvirt's error code and domain.
    pub(crate) libvirt: Option<(i32, i32)>,
}

/// The result of a call on a connection.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure of our own, without a word from libvirt.
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            libvirt: None,
        }
    }

    /// From libvirt's code, domain and message.
    pub(crate) fn said(code: u32, domain: u32, message: &str) -> Self {
        Self {
            reason: reason_of(code, domain, message),
            message: message.to_owned(),
            libvirt: Some((code.cast_signed(), domain.cast_signed())),
        }
    }

    /// libvirt's code is this one.
    pub(crate) fn is(&self, code: u32) -> bool {
        self.libvirt
            .is_some_and(|(said, _)| said.cast_unsigned() == code)
    }

    /// The driver at the other end does not know this call or this flag of it.
    pub(crate) fn is_unsupported(&self) -> bool {
        self.reason == Reason::Unsupported
            || (self.is(sys::VIR_ERR_INVALID_ARG) && self.message.contains("unsupported flags"))
    }

    /// The same failure, of a call whose connection still lives or does not.
    ///
    /// libvirtd passes on, under the same codes, that something behind it cannot be reached (virtlogd when a VM
    /// starts). Over a connection that lives that is a refusal, and its outcome is known.
    pub(crate) fn over(mut self, connection_lives: bool) -> Self {
        if connection_lives && self.reason == Reason::Unreachable {
            self.reason = Reason::Refused;
        }
        self
    }

    /// The error of the call `what`.
    pub(crate) fn of(self, what: impl Into<String>) -> HypervisorError {
        HypervisorError {
            what: what.into(),
            reason: self.reason,
            message: self.message,
            libvirt: self.libvirt,
        }
    }
}

impl From<virt::error::Error> for Failure {
    fn from(error: virt::error::Error) -> Self {
        Self::said(
            error.code().to_raw(),
            error.domain().to_raw(),
            error.message(),
        )
    }
}

impl From<domxml::XmlError> for Failure {
    fn from(error: domxml::XmlError) -> Self {
        Self::new(Reason::Invalid, error.to_string())
    }
}

/// Why, as far as callers tell cases apart. Source: libvirt `virterror.h` of 9.0.
///
/// libvirt has one code for several of our reasons in two places, and there the message decides: a name that is
/// taken is an `OPERATION_FAILED` like any other, and a broken connection is a `SYSTEM_ERROR` or an
/// `INTERNAL_ERROR` of the part that speaks the wire protocol.
fn reason_of(code: u32, domain: u32, message: &str) -> Reason {
    match code {
        sys::VIR_ERR_NO_DOMAIN
        | sys::VIR_ERR_NO_DOMAIN_SNAPSHOT
        | sys::VIR_ERR_NO_NETWORK
        | sys::VIR_ERR_NO_STORAGE_POOL
        | sys::VIR_ERR_NO_STORAGE_VOL
        | sys::VIR_ERR_NO_NODE_DEVICE
        | sys::VIR_ERR_NO_SECRET
        | sys::VIR_ERR_DEVICE_MISSING => Reason::NotFound,
        sys::VIR_ERR_DOM_EXIST
        | sys::VIR_ERR_NETWORK_EXIST
        | sys::VIR_ERR_STORAGE_VOL_EXIST
        | sys::VIR_ERR_STORAGE_POOL_BUILT => Reason::Exists,
        sys::VIR_ERR_OPERATION_FAILED if is_taken(message) => Reason::Exists,
        sys::VIR_ERR_OPERATION_INVALID => Reason::WrongState,
        sys::VIR_ERR_NO_SUPPORT
        | sys::VIR_ERR_OPERATION_UNSUPPORTED
        | sys::VIR_ERR_ARGUMENT_UNSUPPORTED
        | sys::VIR_ERR_CONFIG_UNSUPPORTED => Reason::Unsupported,
        sys::VIR_ERR_XML_ERROR
        | sys::VIR_ERR_XML_DETAIL
        | sys::VIR_ERR_XML_INVALID_SCHEMA
        | sys::VIR_ERR_INVALID_ARG
        | sys::VIR_ERR_INVALID_MAC
        | sys::VIR_ERR_OS_TYPE
        | sys::VIR_ERR_NO_NAME
        | sys::VIR_ERR_NO_OS
        | sys::VIR_ERR_NO_SOURCE
        | sys::VIR_ERR_NO_TARGET => Reason::Invalid,
        sys::VIR_ERR_RPC
        | sys::VIR_ERR_NO_CONNECT
        | sys::VIR_ERR_INVALID_CONN
        | sys::VIR_ERR_GNUTLS_ERROR
        | sys::VIR_ERR_SSH
        | sys::VIR_ERR_LIBSSH
        | sys::VIR_ERR_NO_SERVER
        | sys::VIR_ERR_UNKNOWN_HOST => Reason::Unreachable,
        sys::VIR_ERR_SYSTEM_ERROR | sys::VIR_ERR_INTERNAL_ERROR if is_wire(domain) => {
            Reason::Unreachable
        }
        sys::VIR_ERR_OPERATION_TIMEOUT | sys::VIR_ERR_AGENT_COMMAND_TIMEOUT => Reason::TimedOut,
        _ => Reason::Refused,
    }
}

fn is_taken(message: &str) -> bool {
    message.contains("already exists") || message.contains("is already defined with uuid")
}

/// The parts of libvirt that carry calls rather than do them.
const fn is_wire(domain: u32) -> bool {
    matches!(domain, sys::VIR_FROM_RPC | sys::VIR_FROM_REMOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u32, domain: u32, message: &str, expected: Reason) {
        let failure = Failure::said(code, domain, message);
        assert_eq!(failure.reason, expected, "{message}");
        assert!(failure.is(code));
    }

    #[test]
    fn libvirts_codes_become_reasons() {
        use sys::*;
        check(
            VIR_ERR_NO_DOMAIN,
            VIR_FROM_QEMU,
            "Domain not found",
            Reason::NotFound,
        );
        let taken = "operation failed: domain 'a' already exists with uuid 1";
        check(
            VIR_ERR_OPERATION_FAILED,
            VIR_FROM_QEMU,
            taken,
            Reason::Exists,
        );
        let other = "operation failed: job 'x' is not active";
        check(
            VIR_ERR_OPERATION_FAILED,
            VIR_FROM_QEMU,
            other,
            Reason::Refused,
        );
        check(
            VIR_ERR_OPERATION_INVALID,
            VIR_FROM_QEMU,
            "is not running",
            Reason::WrongState,
        );
        let gone = "Cannot recv data: Connection reset by peer";
        check(
            VIR_ERR_SYSTEM_ERROR,
            VIR_FROM_RPC,
            gone,
            Reason::Unreachable,
        );
        let folder = "cannot open directory '/vms'";
        check(
            VIR_ERR_SYSTEM_ERROR,
            VIR_FROM_STORAGE,
            folder,
            Reason::Refused,
        );
        let closed = "internal error: client socket is closed";
        check(
            VIR_ERR_INTERNAL_ERROR,
            VIR_FROM_RPC,
            closed,
            Reason::Unreachable,
        );
    }

    #[test]
    fn what_libvirtd_cannot_reach_is_a_refusal() {
        let virtlogd =
            "Failed to connect socket to '/run/libvirt/virtlogd-sock': Connection refused";
        let failure = Failure::said(sys::VIR_ERR_SYSTEM_ERROR, sys::VIR_FROM_RPC, virtlogd);
        assert_eq!(failure.clone().over(true).reason, Reason::Refused);
        assert_eq!(failure.over(false).reason, Reason::Unreachable);
    }

    #[test]
    fn an_unknown_flag_is_unsupported_and_another_bad_argument_is_not() {
        let flag = "unsupported flags (0x1) in function testStoragePoolGetXMLDesc";
        assert!(Failure::said(sys::VIR_ERR_INVALID_ARG, 12, flag).is_unsupported());
        assert!(!Failure::said(sys::VIR_ERR_INVALID_ARG, 12, "bad").is_unsupported());
    }
}
