//! The fake's refusals, with the codes and words that libvirt uses for the same thing.

use crate::error::{HypervisorError, Reason};
use model::plan::SecretName;

/// `VIR_FROM_QEMU`, `VIR_FROM_STORAGE`, `VIR_FROM_NETWORK`, `VIR_FROM_SECRET`: which part of libvirt speaks.
pub(super) const QEMU: i32 = 10;
pub(super) const STORAGE: i32 = 18;
pub(super) const NETWORK: i32 = 19;
const SECRET: i32 = 30;

/// A refusal that does not know yet which call it answers.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    reason: Reason,
    message: String,
    libvirt: Option<(i32, i32)>,
}

impl Fault {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            libvirt: None,
        }
    }

    const fn said(mut self, code: i32, domain: i32) -> Self {
        self.libvirt = Some((code, domain));
        self
    }

    /// `VIR_ERR_OPERATION_INVALID`.
    pub(super) fn wrong_state(domain: i32, why: impl std::fmt::Display) -> Self {
        Self::new(
            Reason::WrongState,
            format!("Requested operation is not valid: {why}"),
        )
        .said(55, domain)
    }

    /// `VIR_ERR_OPERATION_FAILED` about a name or UUID that is taken.
    pub(super) fn exists(domain: i32, why: impl std::fmt::Display) -> Self {
        Self::new(Reason::Exists, format!("operation failed: {why}")).said(9, domain)
    }

    /// `VIR_ERR_NO_DOMAIN`.
    pub(super) fn no_vm(name: &str) -> Self {
        let message = format!("Domain not found: no domain with matching name '{name}'");
        Self::new(Reason::NotFound, message).said(42, QEMU)
    }

    /// `VIR_ERR_NO_NETWORK`.
    pub(super) fn no_network(name: &str) -> Self {
        let message = format!("Network not found: no network with matching name '{name}'");
        Self::new(Reason::NotFound, message).said(43, NETWORK)
    }

    /// `VIR_ERR_NO_STORAGE_POOL`.
    pub(super) fn no_pool(name: &str) -> Self {
        let message =
            format!("Storage pool not found: no storage pool with matching name '{name}'");
        Self::new(Reason::NotFound, message).said(49, STORAGE)
    }

    /// `VIR_ERR_NO_SECRET`.
    pub(super) fn no_secret(secret: &SecretName) -> Self {
        let message = format!(
            "Secret not found: no secret with matching usage '{}'",
            secret.id
        );
        Self::new(Reason::NotFound, message).said(66, SECRET)
    }

    /// `VIR_ERR_NO_STORAGE_VOL`.
    pub(super) fn no_volume(name: &str) -> Self {
        let message =
            format!("Storage volume not found: no storage vol with matching name '{name}'");
        Self::new(Reason::NotFound, message).said(50, STORAGE)
    }

    /// `VIR_ERR_STORAGE_VOL_EXIST`.
    pub(super) fn volume_exists(name: &str) -> Self {
        let message = format!("storage volume '{name}' exists already");
        Self::new(Reason::Exists, message).said(90, STORAGE)
    }

    /// `VIR_ERR_SYSTEM_ERROR`.
    pub(super) fn system(domain: i32, why: impl Into<String>) -> Self {
        Self::new(Reason::Refused, why).said(38, domain)
    }

    /// `VIR_ERR_XML_ERROR`, or `VIR_ERR_XML_DETAIL` about the same.
    pub(super) fn xml(domain: i32, why: impl std::fmt::Display) -> Self {
        Self::new(Reason::Invalid, format!("XML error: {why}")).said(27, domain)
    }

    /// `VIR_ERR_NO_SUPPORT`.
    pub(super) fn unsupported(why: impl Into<String>) -> Self {
        Self::new(Reason::Unsupported, why)
    }

    /// The error of the call `what`.
    pub(super) fn of(self, what: impl Into<String>) -> HypervisorError {
        HypervisorError {
            what: what.into(),
            reason: self.reason,
            message: self.message,
            libvirt: self.libvirt,
        }
    }
}
