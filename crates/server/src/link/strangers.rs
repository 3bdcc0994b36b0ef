//! Connections to the link that have shown no certificate, of which there are few at a time.
//!
//! When there are too many, the oldest one of the address that holds most makes room: somebody who opens more and more
//! of them ends none but his own. One that came from the newcomer's own address a moment ago is let be, and the newcomer
//! turned away instead: else agents that come back all at once, from behind one address, would end each other for ever.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Enough for an honest agent to say what it wants, on a server that is busy.
const FAIR: Duration = Duration::from_secs(3);

/// Those that are there.
#[derive(Debug)]
pub struct Strangers {
    most: usize,
    present: Mutex<Present>,
}

/// By order of arrival.
#[derive(Debug, Default)]
struct Present {
    arrived: u64,
    by_arrival: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    from: IpAddr,
    since: Instant,
    ended: CancellationToken,
}

/// One that is there, until it is dropped.
#[derive(Debug)]
pub struct Stranger {
    strangers: Arc<Strangers>,
    arrival: u64,
    ended: CancellationToken,
}

impl Strangers {
    /// Room for so many.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            present: Mutex::default(),
        })
    }

    /// Takes a connection in, and ends another if there is no room; `None` if no other can be ended yet.
    pub fn take_in(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Stranger> {
        let mut present = self.present();
        if present.by_arrival.len() >= self.most && !present.make_room(network(address), now) {
            return None;
        }
        let (arrival, ended) = (present.arrived, CancellationToken::new());
        present.arrived += 1;
        let entry = Entry {
            from: network(address),
            since: now,
            ended: ended.clone(),
        };
        present.by_arrival.insert(arrival, entry);
        Some(Stranger {
            strangers: self.clone(),
            arrival,
            ended,
        })
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    /// False if whoever would have to make room came from the same address a moment ago.
    fn make_room(&mut self, newcomer: IpAddr, now: Instant) -> bool {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for entry in self.by_arrival.values() {
            *held.entry(entry.from).or_default() += 1;
        }
        let most = held.values().max().copied();
        let oldest = self
            .by_arrival
            .iter()
            .find(|(_, entry)| held.get(&entry.from).copied() == most)
            .filter(|(_, entry)| entry.from != newcomer || now.duration_since(entry.since) >= FAIR)
            .map(|(arrival, _)| *arrival);
        match oldest.and_then(|arrival| self.by_arrival.remove(&arrival)) {
            Some(entry) => {
                entry.ended.cancel();
                true
            }
            None => false,
        }
    }
}

impl Stranger {
    /// Cancelled when it has to make room.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.strangers.present().by_arrival.remove(&self.arrival);
    }
}

/// Who has one IPv6 address has all of its /64.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_most_makes_room() {
        let strangers = Strangers::new(4);
        let (start, mut waited) = (Instant::now(), Duration::ZERO);
        let mut from = |text: &str| {
            waited += FAIR;
            let taken = strangers.take_in(text.parse().expect("an address"), start + waited);
            taken.expect("there is room, or is made")
        };
        let quiet = from("192.0.2.1");
        let loud = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(&mut from);
        let newcomer = from("192.0.2.2");
        assert!(loud[0].ended().is_cancelled());
        let another = from("2001:db8::4");
        assert!(loud[1].ended().is_cancelled());
        for stays in [&quiet, &newcomer, &loud[2], &another] {
            assert!(!stays.ended().is_cancelled());
        }
        drop(quiet);
        drop(from("192.0.2.3"));
        assert!(!loud[2].ended().is_cancelled(), "there was room");
        assert_eq!(strangers.present().by_arrival.len(), 3);
    }

    #[test]
    fn who_came_a_moment_ago_is_let_be() {
        let strangers = Strangers::new(2);
        let now = Instant::now();
        let from = |text: &str, after| {
            let address = text.parse().expect("an address");
            strangers.take_in(address, now + after)
        };
        let moment = Duration::from_millis(1);
        let first = from("192.0.2.1", Duration::ZERO).expect("there is room");
        let second = from("192.0.2.1", moment).expect("there is room");
        assert!(from("192.0.2.1", FAIR - moment).is_none());
        assert!(!first.ended().is_cancelled());
        let third = from("192.0.2.1", FAIR).expect("the first has had its time");
        assert!(first.ended().is_cancelled() && !second.ended().is_cancelled());
        let _other = from("192.0.2.2", FAIR).expect("others do not wait for that");
        assert!(second.ended().is_cancelled() && !third.ended().is_cancelled());
    }
}
