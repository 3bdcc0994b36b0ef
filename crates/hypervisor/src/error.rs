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
            Reason::Unreachable => {
                Some("check that libvirtd runs on the host: systemctl status libvirtd")
            }
            Reason::TimedOut => {
                Some("libvirtd accepts calls but does not answer; look at its log on the host")
            }
            Reason::Busy => Some("wait for the host's running actions to end and try again"),
            _ => None,
        }
    }
}
