//! Slows guesses down: after five failures for one user from one address, each further try has to wait twice as long.
//!
//! The address is part of the key, so that nobody can lock a user out from elsewhere.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Failures without consequence.
const FREE: u32 = 5;
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// After this long without a failure all is forgotten.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Most pairs remembered; beyond it the oldest are forgotten.
const MOST: usize = 10_000;

/// Counts failures by user and address.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<(String, IpAddr), Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Whether a try may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may.
    Allowed,
    /// Not before this long.
    Wait(Duration),
}

impl Throttle {
    /// Whether `user` may be tried from `address` now. The try counts as a failure until [`forgive`](Self::forgive) is
    /// called, so that tries made at the same time count too.
    pub fn try_now(&self, user: &str, address: IpAddr, now: Instant) -> Attempt {
        let mut failures = self.0.lock().expect("no holder panics");
        make_room(&mut failures, now);
        let entry = failures
            .entry((user.to_owned(), address))
            .or_insert(Failures {
                count: 0,
                last: now,
            });
        let wait = wait(entry.count).saturating_sub(now.duration_since(entry.last));
        if !wait.is_zero() {
            return Attempt::Wait(wait);
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        Attempt::Allowed
    }

    /// The try was right: its failures are forgotten.
    pub fn forgive(&self, user: &str, address: IpAddr) {
        let mut failures = self.0.lock().expect("no holder panics");
        failures.remove(&(user.to_owned(), address));
    }
}

fn make_room(failures: &mut HashMap<(String, IpAddr), Failures>, now: Instant) {
    if failures.len() < MOST {
        return;
    }
    failures.retain(|_, entry| now.duration_since(entry.last) < MEMORY);
    if failures.len() < MOST {
        return;
    }
    let oldest = failures.iter().min_by_key(|(_, entry)| entry.last);
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        failures.remove(&key);
    }
}

/// 1 s after the sixth failure in a row, then twice as long each time.
fn wait(count: u32) -> Duration {
    match count.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1 << beyond.min(6)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn the_sixth_try_waits_and_only_from_that_address() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(throttle.try_now("ann", AWAY, now), Attempt::Allowed);
        }
        let wait = Attempt::Wait(Duration::from_secs(1));
        assert_eq!(throttle.try_now("ann", AWAY, now), wait);
        assert_eq!(throttle.try_now("ann", HOME, now), Attempt::Allowed);
        assert_eq!(throttle.try_now("bob", AWAY, now), Attempt::Allowed);
        let later = now + Duration::from_secs(1);
        assert_eq!(throttle.try_now("ann", AWAY, later), Attempt::Allowed);
        let wait = Attempt::Wait(Duration::from_secs(2));
        assert_eq!(throttle.try_now("ann", AWAY, later), wait);
    }

    #[test]
    fn a_right_try_forgives() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..5 {
            throttle.try_now("ann", HOME, now);
        }
        throttle.forgive("ann", HOME);
        assert_eq!(throttle.try_now("ann", HOME, now), Attempt::Allowed);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..MOST + 10 {
            throttle.try_now(&n.to_string(), HOME, now);
        }
        assert!(throttle.0.lock().expect("nobody panicked").len() <= MOST);
    }
}
