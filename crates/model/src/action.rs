//! Actions: durable requests to one host, and their life.
//!
//! ```text
//! Queued ──dispatch──▶ Sent ──agent journal──▶ Accepted ──▶ Running ──▶ Succeeded | Failed | Cancelled
//!    │                  │                                                   └─────▶ Unknown
//!    └─cancel─▶ Cancelled
//! ```

use crate::id::{ActionId, HostId, JobId};
use crate::lifecycle::Request;
use std::fmt;
use uuid::Uuid;

/// Where an action is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionStatus {
    /// Accepted from the user and stored; not yet on its way.
    Queued,
    /// Given to the host's session; the agent has not confirmed.
    Sent,
    /// In the agent's journal.
    Accepted,
    /// Being carried out.
    Running,
    /// Done.
    Succeeded,
    /// Refused or failed; see its result.
    Failed,
    /// Withdrawn before it had an effect.
    Cancelled,
    /// It may or may not have had an effect; the host could not tell.
    Unknown,
}

impl ActionStatus {
    /// Every status in the order of the life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sent,
        Self::Accepted,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Nothing follows, but that an `Unknown` may still be resolved by a late result.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Unknown
        )
    }

    /// Holds its lane: sent to the agent and not ended.
    pub const fn is_in_flight(self) -> bool {
        matches!(self, Self::Sent | Self::Accepted | Self::Running)
    }

    /// Whether the life goes from `self` to `next`. Reports may skip stages (a result can be the first word
    /// of an agent after a cut), but never go back, and a proven result replaces `Unknown`.
    pub const fn may_become(self, next: Self) -> bool {
        use ActionStatus::*;
        match self {
            Queued => matches!(next, Sent | Cancelled | Failed),
            Sent => matches!(
                next,
                Sent | Accepted | Running | Succeeded | Failed | Cancelled | Unknown
            ),
            Accepted => matches!(next, Running | Succeeded | Failed | Cancelled | Unknown),
            Running => matches!(next, Running | Succeeded | Failed | Cancelled | Unknown),
            Unknown => matches!(next, Succeeded | Failed | Cancelled),
            Succeeded | Failed | Cancelled => false,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// A life-cycle request to one VM.
    Vm {
        /// libvirt's UUID of the VM.
        vm: Uuid,
        /// Its name when it was asked, for people.
        name: String,
        /// The request.
        request: Request,
    },
    /// An execution or state function (`state.apply`, `virt.list_domains`…).
    Function {
        /// `module.function`.
        fun: String,
        /// Positional arguments as a JSON list.
        args: String,
        /// Named arguments as a JSON object.
        kwargs: String,
    },
}

impl ActionKind {
    /// May be repeated by itself when its outcome is unknown (a new action that names the old one).
    pub fn is_idempotent(&self) -> bool {
        match self {
            Self::Vm { request, .. } => request.is_idempotent(),
            Self::Function { .. } => false,
        }
    }
}

/// The queue an action stands in: actions of one lane run one at a time, in the order of acceptance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(String);

impl Lane {
    /// The lane of a VM, by libvirt's UUID: it stays the same when the VM moves to another host.
    pub fn vm(uuid: Uuid) -> Self {
        Self(format!("vm:{uuid}"))
    }

    /// The lane of state runs on a host: one at a time, as in Salt.
    pub fn states(host: HostId) -> Self {
        Self(format!("states:{host}"))
    }

    /// A lane of its own, for what may run beside everything (`test.ping`, reading functions).
    pub fn alone(action: ActionId) -> Self {
        Self(format!("action:{action}"))
    }

    /// From the store.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a running action is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The step in words: `Downloading opensuse.qcow2`.
    pub step: String,
    /// Done and total in bytes or items, when known.
    pub done: u64,
    /// Zero when not known.
    pub total: u64,
    /// Bytes per second over the last seconds; zero when not measured.
    pub rate: u64,
}

/// A durable request to one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its id; the idempotency key everywhere.
    pub id: ActionId,
    /// The request it is part of; a single action is a job of its own.
    pub job: JobId,
    /// Who carries it out.
    pub host: HostId,
    /// The queue it stands in.
    pub lane: Lane,
    /// What is to be done.
    pub kind: ActionKind,
    /// Where it is.
    pub status: ActionStatus,
    /// The action whose unknown outcome it repeats.
    pub retry_of: Option<ActionId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn final_results_stay() {
        for end in [
            ActionStatus::Succeeded,
            ActionStatus::Failed,
            ActionStatus::Cancelled,
        ] {
            assert!(
                ActionStatus::ALL
                    .into_iter()
                    .all(|next| !end.may_become(next))
            );
        }
        assert!(ActionStatus::Unknown.may_become(ActionStatus::Succeeded));
        assert!(!ActionStatus::Unknown.may_become(ActionStatus::Running));
    }

    #[test]
    fn only_a_queued_action_expires_or_is_cancelled_at_once() {
        assert!(ActionStatus::Queued.may_become(ActionStatus::Cancelled));
        assert!(!ActionStatus::Queued.may_become(ActionStatus::Succeeded));
    }

    proptest! {
        /// Any walk along `may_become` ends: no two stages lead back to each other.
        #[test]
        fn the_life_has_no_way_back(a in 0..8usize, b in 0..8usize) {
            let (a, b) = (ActionStatus::ALL[a], ActionStatus::ALL[b]);
            prop_assume!(a != b);
            prop_assert!(!(a.may_become(b) && b.may_become(a)));
        }
    }
}
