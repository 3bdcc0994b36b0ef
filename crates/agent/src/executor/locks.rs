//! Who may work on what within a run: a chunk alone on what it changes, many together on what they only use.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// An object of the host, in the order in which locks are taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Object {
    Network(String),
    Pool(String),
    Vm(String),
    Volume(String, String),
}

/// How an object is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Others may use it, too.
    Shared,
    /// Nobody else may.
    Alone,
}

/// The locks of a run. Not locks of the host: people with `virsh` are found out by reading.
#[derive(Debug, Default)]
pub(super) struct Locks {
    locks: Mutex<HashMap<Object, Arc<RwLock<()>>>>,
}

/// Locks that are held.
#[derive(Debug)]
pub(super) enum Held {
    Shared(#[expect(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>),
    Alone(#[expect(dead_code, reason = "held, not read")] OwnedRwLockWriteGuard<()>),
}

impl Locks {
    /// Takes all of them. One order for everybody, so that no two chunks wait for each other.
    pub(super) async fn take(&self, wanted: BTreeMap<Object, Use>) -> Vec<Held> {
        let mut held = Vec::with_capacity(wanted.len());
        for (object, how) in wanted {
            let lock = self.lock_of(object);
            held.push(match how {
                Use::Shared => Held::Shared(lock.read_owned().await),
                Use::Alone => Held::Alone(lock.write_owned().await),
            });
        }
        held
    }

    fn lock_of(&self, object: Object) -> Arc<RwLock<()>> {
        self.locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(object)
            .or_default()
            .clone()
    }
}
