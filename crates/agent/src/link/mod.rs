//! The link to the server: one session at a time, opened again whenever it ends.
//!
//! ```text
//!  dial ─▶ Hello ─▶ Welcome(epoch) ─▶ epoch on disk ─▶ obey commands of exactly that epoch ─▶ the stream ends ─┐
//!   ▲                                                                                      back-off, jitter    │
//!   └──────────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! A server on another machine is dialled over TLS, with the certificate that it gave for this agent's key; one that
//! has not accepted the key is asked again and again.
//!
//! The link carries; it does not act. Actions are tasks of their own and never end with a stream; their results wait
//! here until a server acknowledges them. It never waits for the server either: what cannot be sent now is dropped
//! where the contract allows (reports: the gap makes the server ask for a snapshot) and kept where it does not.

mod address;
mod credentials;
mod dial;
mod session;
mod waiting;

pub use address::{BadAddress, Replica, ServerAddress};
pub use credentials::{CredentialsError, Join};
pub use session::{Link, LinkParts};

use std::time::Duration;

/// How long to wait before dialling again.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);

    pub(crate) const fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// The next wait: between half and all of a time that doubles, so that agents do not come back all at once.
    pub(crate) fn wait(&mut self, random: u32) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(Self::LONGEST);
        full / 2 + full.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
    }

    pub(crate) fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}

/// Between nine tenths and all of `period`.
pub(crate) fn jittered(period: Duration) -> Duration {
    period.mul_f64(1.0 - 0.1 * f64::from(random()) / f64::from(u32::MAX))
}

/// Jitter only; nothing secret depends on it.
pub(crate) fn random() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_differ() {
        let mut backoff = Backoff::new();
        assert_eq!(backoff.wait(0), Duration::from_millis(50));
        assert_eq!(backoff.wait(u32::MAX), Duration::from_millis(200));
        let last = (0..10).map(|_| backoff.wait(u32::MAX)).last();
        assert_eq!(last, Some(Backoff::LONGEST));
        backoff.reset();
        assert_eq!(backoff.wait(u32::MAX), Backoff::FIRST);
    }
}
