//! The durable queue.
//!
//! An action leaves `queued` only as the head of its lane; an index of the schema sees to it that a lane has one
//! action on its way, whatever the code does. Every write on a host's behalf is fenced by its session.
//!
//! - `queue`: what users do: insert, cancel, retry, and what time does: expire.
//! - `dispatch`: what a session does: take heads, record what the agent reports.

mod dispatch;
mod queue;
mod record;

pub use dispatch::{Outcome, Recorded, Wants};
pub use queue::{Cancelled, NewAction, NewJob, Placed};
pub use record::{ActionRecord, Behind, JobRecord, JobSummary};
pub(crate) use record::{COLUMNS, action_record};

/// Whether `b` keeps `o`, which is queued, in the queue: it is on its way, or it stands before it and waits, or its outcome
/// is not known. What is on its way stands before, but for one that was accepted at the same time and became visible
/// first. A retry stands in the place of the action it repeats, so that one's unknown outcome does not keep it.
macro_rules! blocks {
    () => {
        "(b.status in ('sent', 'accepted', 'running')
          or (b.place < o.place and (b.status = 'queued' or (b.status = 'unknown' and b.resolved = 0)))
          or (b.place = o.place and b.ord < o.ord and b.status = 'queued'))"
    };
}
pub(crate) use blocks;
