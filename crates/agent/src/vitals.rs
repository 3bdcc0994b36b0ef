//! How agents of this process are doing: open sessions, and how long the news of their hosts takes.
//!
//! The delay of a change runs from the hint that told of it to the server's word that it is in the store, so that it
//! has in it all there is: the read, the way, the transaction and the way back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Reports that wait for the server's word; of more the oldest are not counted.
const MOST_WAITING: usize = 4096;
/// Each bucket is so much wider than the one before; the first ends at [`FINEST`].
const GROWTH: f64 = 1.05;
const FINEST: Duration = Duration::from_micros(100);
/// The last one ends after some twenty minutes.
const BUCKETS: usize = 340;

/// What is counted, of one agent or of many together.
#[derive(Debug)]
pub struct Vitals {
    sessions: AtomicU64,
    buckets: Vec<AtomicU64>,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            sessions: AtomicU64::new(0),
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// How long changes took from their hint to the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    counts: Vec<u64>,
}

impl Vitals {
    /// Sessions that are open now.
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed)
    }

    /// The delays so far.
    pub fn delays(&self) -> Delays {
        let counts = self.buckets.iter();
        Delays {
            counts: counts.map(|count| count.load(Ordering::Relaxed)).collect(),
        }
    }

    /// A session that is open, until it is dropped.
    pub(crate) fn session(self: &Arc<Self>) -> OpenSession {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        OpenSession(self.clone())
    }

    fn count(&self, delay: Duration) {
        self.buckets[bucket(delay)].fetch_add(1, Ordering::Relaxed);
    }
}

fn bucket(delay: Duration) -> usize {
    let times = delay.as_secs_f64() / FINEST.as_secs_f64();
    // Negative below the finest, which the cast makes 0.
    let index = (times.ln() / GROWTH.ln()).ceil() as usize;
    index.min(BUCKETS - 1)
}

impl Delays {
    /// Changes that the server has confirmed.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Those that came after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.counts.iter().zip(&earlier.counts);
        Self {
            counts: pairs.map(|(now, then)| now.saturating_sub(*then)).collect(),
        }
    }

    /// The delay that so many hundredths of the changes stayed within, to 5 %; `None` without changes.
    pub fn percentile(&self, hundredths: f64) -> Option<Duration> {
        let all = self.count();
        if all == 0 {
            return None;
        }
        let wanted = (all as f64 * hundredths / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        let index = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(FINEST.mul_f64(GROWTH.powi(i32::try_from(index).unwrap_or(i32::MAX))))
    }
}

/// Counts as an open session.
#[derive(Debug)]
pub(crate) struct OpenSession(Arc<Vitals>);

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The reports of one agent that wait for the server's word.
#[derive(Debug, Clone)]
pub(crate) struct Unconfirmed {
    vitals: Arc<Vitals>,
    waiting: Arc<Mutex<VecDeque<(u64, Instant)>>>,
}

impl Unconfirmed {
    pub(crate) fn new(vitals: Arc<Vitals>) -> Self {
        Self {
            vitals,
            waiting: Arc::default(),
        }
    }

    /// A report with this number tells of something that was heard of at `since`.
    pub(crate) fn sent(&self, seq: u64, since: Instant) {
        let mut waiting = self.waiting();
        if waiting.len() == MOST_WAITING {
            waiting.pop_front();
        }
        waiting.push_back((seq, since));
    }

    /// The store has everything up to this number.
    pub(crate) fn confirmed(&self, seq: u64, now: Instant) {
        let mut waiting = self.waiting();
        while let Some((_, since)) = waiting.pop_front_if(|(sent, _)| *sent <= seq) {
            self.vitals.count(now.duration_since(since));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(u64, Instant)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_ends_with_the_word_that_covers_it() {
        let vitals = Arc::new(Vitals::default());
        let unconfirmed = Unconfirmed::new(vitals.clone());
        let start = Instant::now();
        let ms = Duration::from_millis;
        for seq in 1..=3 {
            unconfirmed.sent(seq, start + ms(10 * seq));
        }
        unconfirmed.confirmed(2, start + ms(120));
        let first = vitals.delays();
        assert_eq!(first.count(), 2);
        let most = first.percentile(100.0).expect("some");
        assert!(most >= ms(110) && most <= ms(116), "{most:?}");
        unconfirmed.confirmed(9, start + ms(1030));
        let rest = vitals.delays().since(&first);
        assert_eq!(rest.count(), 1);
        let most = rest.percentile(50.0).expect("some");
        assert!(most >= ms(1000) && most <= ms(1050), "{most:?}");
    }

    #[test]
    fn the_shortest_and_the_longest_have_a_bucket() {
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::from_micros(100)), 0);
        assert_eq!(bucket(Duration::from_secs(86_400)), BUCKETS - 1);
        assert_eq!(Vitals::default().delays().percentile(99.0), None);
    }

    #[test]
    fn sessions_are_counted_while_they_are_open() {
        let vitals = Arc::new(Vitals::default());
        let open = [vitals.session(), vitals.session()];
        assert_eq!(vitals.sessions(), 2);
        drop(open);
        assert_eq!(vitals.sessions(), 0);
    }
}
