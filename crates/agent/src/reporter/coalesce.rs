//! When to read an object again after hints. Pure: times come in as arguments.
//!
//! A lone hint is followed at once, and so are the few that a start or a stop sends. An object that keeps hinting is
//! read once in [`INTERVAL`] in the long run; the newest state wins. Hints that arrive while the object is being
//! read make it due again, so that nothing after the read is missed.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// One read in this time, in the long run. Longer, and somebody who starts and stops a VM in a loop sees it late;
/// shorter, and a VM that does nothing else costs its host noticeably.
const INTERVAL: Duration = Duration::from_millis(50);
/// So many reads may be made ahead of it.
const BURST: u32 = 6;
/// The hints of one change come a few milliseconds apart.
const SPACING: Duration = Duration::from_millis(15);
/// Objects without a hint for so long are forgotten.
const IDLE: Duration = Duration::from_secs(5);

/// Which objects have to be read.
#[derive(Debug)]
pub(super) struct Coalescer<K> {
    slots: HashMap<K, Slot>,
}

#[derive(Debug)]
struct Slot {
    pending: bool,
    reading: bool,
    /// Not before this.
    due: Instant,
    last: Option<Instant>,
    /// When the reads so far would be paid for at one in [`INTERVAL`].
    paid: Instant,
}

impl<K: Copy + Eq + Hash + Ord> Coalescer<K> {
    pub(super) fn new() -> Self {
        Self {
            slots: HashMap::new(),
        }
    }

    /// Something may have happened to `key`.
    pub(super) fn hint(&mut self, key: K, now: Instant) {
        let fresh = Slot {
            pending: false,
            reading: false,
            due: now,
            last: None,
            paid: now,
        };
        let slot = self.slots.entry(key).or_insert(fresh);
        if !slot.pending {
            slot.pending = true;
            let spaced = slot.last.map_or(now, |last| last + SPACING);
            let ahead = INTERVAL * (BURST - 1);
            let afforded = slot.paid.checked_sub(ahead).unwrap_or(now);
            slot.due = now.max(spaced).max(afforded);
        }
    }

    /// The objects to read now. Each must be reported as [`done`](Self::done).
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<K> {
        self.slots.retain(|_, slot| {
            slot.pending
                || slot.reading
                || slot.last.is_none_or(|last| now.duration_since(last) < IDLE)
        });
        let mut keys = Vec::new();
        for (key, slot) in &mut self.slots {
            if slot.pending && !slot.reading && slot.due <= now {
                (slot.pending, slot.reading, slot.last) = (false, true, Some(now));
                slot.paid = slot.paid.max(now) + INTERVAL;
                keys.push(*key);
            }
        }
        keys.sort_unstable();
        keys
    }

    /// The read of `key` has ended.
    pub(super) fn done(&mut self, key: K) {
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.reading = false;
        }
    }

    /// When [`take_due`](Self::take_due) has something to give, if nothing else happens.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.slots
            .values()
            .filter(|slot| slot.pending && !slot.reading)
            .map(|slot| slot.due)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Hints every `gap` for `count` times, reads that take no time; the times of the reads.
    fn reads(gap: Duration, count: u32) -> Vec<Duration> {
        let start = Instant::now();
        let mut coalescer = Coalescer::new();
        let mut times = Vec::new();
        let mut take = |coalescer: &mut Coalescer<u8>, now: Instant| {
            for key in coalescer.take_due(now) {
                times.push(now - start);
                coalescer.done(key);
            }
        };
        for number in 0..count {
            let now = start + gap * number;
            while let Some(due) = coalescer.next_due().filter(|due| *due < now) {
                take(&mut coalescer, due);
            }
            coalescer.hint(1, now);
            take(&mut coalescer, now);
        }
        while let Some(due) = coalescer.next_due() {
            take(&mut coalescer, due);
        }
        times
    }

    #[test]
    fn a_lone_hint_is_followed_at_once() {
        assert_eq!(reads(MS, 1), [Duration::ZERO]);
    }

    #[test]
    fn the_hints_of_one_change_make_two_reads() {
        assert_eq!(reads(2 * MS, 4), [Duration::ZERO, SPACING]);
    }

    #[test]
    fn a_storm_is_read_at_a_steady_pace_and_once_after_its_end() {
        let times = reads(MS, 5000);
        assert!(
            times.len() < 5000 / 50 + BURST as usize + 3,
            "{} reads",
            times.len()
        );
        assert!(times.last().is_some_and(|last| *last >= 4999 * MS));
    }

    #[test]
    fn a_hint_during_a_read_makes_another_one() {
        let start = Instant::now();
        let mut coalescer = Coalescer::new();
        coalescer.hint('a', start);
        assert_eq!(coalescer.take_due(start), ['a']);
        coalescer.hint('a', start + MS);
        assert_eq!(coalescer.take_due(start + 100 * MS), [] as [char; 0]);
        coalescer.done('a');
        assert_eq!(coalescer.take_due(start + 100 * MS), ['a']);
    }
}
