//! How many keys that are not known yet one address may show: each is a row in the store.

use super::strangers::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is counted in one go.
const MINUTE: Duration = Duration::from_secs(60);
/// Keys of one address in that time; a rack that starts behind one address stays below it.
const MOST: u32 = 300;

/// Counts by address.
#[derive(Debug, Default)]
pub struct Newcomers(Mutex<Option<Counted>>);

#[derive(Debug)]
struct Counted {
    since: Instant,
    by_network: HashMap<IpAddr, u32>,
}

/// Whether a key is taken note of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Welcome,
    /// It is the first that is not; this is news.
    FirstTooMany,
    /// It is not, again.
    TooMany,
}

impl Newcomers {
    /// Counts a key that is not known yet.
    pub fn count(&self, address: IpAddr, now: Instant) -> Verdict {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Counted {
            since: now,
            by_network: HashMap::new(),
        };
        let counted = counted.get_or_insert_with(fresh);
        if now.duration_since(counted.since) >= MINUTE {
            *counted = fresh();
        }
        let keys = counted.by_network.entry(network(address)).or_default();
        *keys = keys.saturating_add(1);
        match *keys {
            keys if keys <= MOST => Verdict::Welcome,
            keys if keys == MOST + 1 => Verdict::FirstTooMany,
            _ => Verdict::TooMany,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_so_many_a_minute() {
        let newcomers = Newcomers::default();
        let (now, loud) = (Instant::now(), "2001:db8::1".parse().expect("an address"));
        for _ in 0..MOST {
            assert_eq!(newcomers.count(loud, now), Verdict::Welcome);
        }
        assert_eq!(newcomers.count(loud, now), Verdict::FirstTooMany);
        let neighbour = "2001:db8::2".parse().expect("an address");
        assert_eq!(newcomers.count(neighbour, now), Verdict::TooMany);
        let quiet = "192.0.2.1".parse().expect("an address");
        assert_eq!(newcomers.count(quiet, now), Verdict::Welcome);
        assert_eq!(newcomers.count(loud, now + MINUTE), Verdict::Welcome);
    }
}
