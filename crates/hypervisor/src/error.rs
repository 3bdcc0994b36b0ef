//! What can go wrong between us and a hypervisor.

use thiserror::Error;

/// A failed call, with what was tried and on what.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot {what}: {message}")]
pub struct HypervisorError {
    /// What was tried, as an infinitive: `start VM srv01`.
    pub what: String,
    /// Why it failed, for decisions.
    pub reason: Reason,
    /// Why it failed, for people; libvirt's own words where it said some.
    pub message: String,
    /// libvirt's error code and domain, where it said one.
    pub libvirt: Option<(i32, i32)>,
}

/// Why a call failed, as far as callers tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No connection, or it broke during the call: the outcome of a change is unknown until the object is read.
    Unreachable,
    /// We stopped waiting. libvirt may still be working: the outcome is unknown until the object is read.
    TimedOut,
    /// The host's queue is full; nothing was tried.
    Busy,
    /// The object is not there (any more).
    NotFound,
    /// An object of that name or UUID is there already.
    Exists,
    /// The object is not in a state in which this is possible.
    WrongState,
    /// This hypervisor cannot do it at all.
    Unsupported,
    /// It understood and refused.
    Refused,
    /// Data of ours or of the user that it cannot read.
    Invalid,
}

impl Reason {
    /// The change may or may not have happened.
    pub const fn leaves_outcome_unknown(self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut => true,
            Self::Busy
            | Self::NotFound
            | Self::Exists
            | Self::WrongState
            | Self::Unsupported
            | Self::Refused
            | Self::Invalid => false,
        }
    }
}

impl HypervisorError {
    /// The same request may succeed later without anyone changing it.
    pub const fn is_retryable(&self) -> bool {
        match self.reason {
            Reason::Unreachable | Reason::TimedOut | Reason::Busy => true,
            Reason::NotFound
            | Reason::Exists
            | Reason::WrongState
            | Reason::Unsupported
            | Reason::Refused
            | Reason::Invalid => false,
        }
    }

    /// What to do about it, where that does not depend on the caller.
    pub fn hint(&self) -> Option<&'static str> {
        match self.reason {
            Reason::Unreachable => Some(reach(&self.message)),
            Reason::TimedOut => {
                Some("libvirtd accepts calls but does not answer; look at its log on the host")
            }
            Reason::Busy => Some("wait for the host's running actions to end and try again"),
            _ => None,
        }
    }
}

/// What to do about a host that cannot be reached, by what libvirt, or the ssh that it has started, says.
pub fn reach(said: &str) -> &'static str {
    const BY_WORDS: [(&str, &str); 5] = [
        (
            "Host key verification failed",
            "the host shows another key than the one that was confirmed: compare it, then add the host again",
        ),
        (
            "Permission denied (",
            "let the key log in there: it has to stand in authorized_keys of that user",
        ),
        (
            "Could not resolve hostname",
            "check the name of the host, and that this machine can resolve it",
        ),
        (
            "ssh: connect to host",
            "check that the ssh of the host can be reached from here",
        ),
        (
            "Cannot read CA certificate",
            "libvirt needs certificates for TLS: see https://libvirt.org/kbase/tlscerts.html",
        ),
    ];
    let found = BY_WORDS.iter().find(|(words, _)| said.contains(words));
    found.map_or(
        "check that libvirtd runs on the host: systemctl status libvirtd",
        |(_, hint)| hint,
    )
}

#[cfg(test)]
mod tests {
    use super::reach;

    #[test]
    fn the_words_of_ssh_tell_what_to_do() {
        let said =
            "Cannot recv data: root@h2: Permission denied (publickey).: Connection reset by peer";
        assert!(reach(said).contains("authorized_keys"));
        let said =
            "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory";
        assert!(reach(said).contains("systemctl"));
    }
}
