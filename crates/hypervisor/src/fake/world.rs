//! What the fake hypervisor has, and how it tells that something happened.

use super::fault::Fault;
use super::network::FakeNetwork;
use super::secret::FakeSecret;
use super::storage::FakePool;
use super::vm::FakeVm;
use crate::channel::HintSender;
use crate::error::Reason;
use crate::port::{Hint, Key};
use model::event::{EventObject, HostEvent};
use model::plan::{SecretName, Step};
use model::{HostFacts, Inventory};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// A refusal to come.
pub(super) struct Trap {
    pub(super) matches: Box<dyn Fn(&Step) -> bool + Send>,
    pub(super) fault: Fault,
}

/// Everything behind the fake's lock.
pub(super) struct World {
    pub(super) facts: HostFacts,
    pub(super) capabilities_xml: String,
    pub(super) vms: BTreeMap<String, FakeVm>,
    pub(super) pools: BTreeMap<String, FakePool>,
    pub(super) networks: BTreeMap<String, FakeNetwork>,
    /// Folders and mount points that are there without anyone building a pool.
    pub(super) folders: BTreeSet<String>,
    pub(super) addresses: Vec<(String, String)>,
    pub(super) node_devices: Vec<String>,
    pub(super) secrets: BTreeMap<SecretName, FakeSecret>,
    pub(super) guests_ignore_shutdown: bool,
    pub(super) reachable: bool,
    pub(super) hints: Option<HintSender>,
    pub(super) traps: Vec<Trap>,
    pub(super) performed: Vec<Step>,
    pub(super) calls: BTreeMap<&'static str, u64>,
    /// Counts up for running ids and generated UUIDs.
    pub(super) counter: u32,
    /// Events told.
    pub(super) events: AtomicU64,
}

impl World {
    /// Does `step`, as libvirt would, and says what happened.
    pub(super) fn perform(&mut self, step: &Step) -> Result<(), Fault> {
        match step {
            Step::Pool { name, op } => self.pool_op(name, op),
            Step::Volume { pool, name, op } => self.volume_op(pool, name, op),
            Step::Network { name, op } => self.network_op(name, op),
            Step::Vm { name, op } => self.vm_op(name, op),
            Step::Secret { secret, op } => self.secret_op(secret, op),
            Step::File { .. } => Err(Fault::unsupported(
                "files of the host are written by the executor",
            )),
        }
    }

    /// Takes the refusal that was prepared for `step`, if any.
    pub(super) fn take_trap(&mut self, step: &Step) -> Option<Fault> {
        let index = self.traps.iter().position(|trap| (trap.matches)(step))?;
        Some(self.traps.remove(index).fault)
    }

    pub(super) fn inventory(&self) -> Inventory {
        Inventory {
            vms: self.vms.values().map(FakeVm::read).collect(),
            pools: self.pools.values().map(FakePool::read).collect(),
            networks: self.networks.values().map(FakeNetwork::read).collect(),
        }
    }

    pub(super) fn next_number(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    /// A UUID for an object defined without one: different each time, the same in every run.
    pub(super) fn next_uuid(&mut self, name: &str) -> Uuid {
        let number = self.next_number();
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}#{number}").as_bytes())
    }

    pub(super) fn tell(&self, hint: Hint) {
        if let Some(hints) = &self.hints {
            hints.send(hint);
        }
    }

    /// An event of an object; lost like libvirt's own while nobody is connected.
    pub(super) fn event(
        &self,
        class: &'static str,
        kind: &'static str,
        object: EventObject,
        fields: Vec<(&'static str, String)>,
    ) {
        if self.reachable {
            self.events.fetch_add(1, Ordering::Relaxed);
            self.tell(Hint::Event(HostEvent {
                class,
                kind,
                object,
                fields,
            }));
        }
    }

    /// What a new receiver hears first.
    pub(super) fn standing(&self) -> Hint {
        if self.reachable {
            Hint::Connected
        } else {
            Hint::Disconnected {
                reason: super::GONE.to_owned(),
            }
        }
    }

    pub(super) fn gone() -> Fault {
        Fault::new(Reason::Unreachable, super::GONE)
    }
}

/// The name under which `key` finds an object of `map`.
pub(super) fn find_name<T>(
    map: &BTreeMap<String, T>,
    key: &Key,
    uuid: impl Fn(&T) -> Uuid,
) -> Option<String> {
    match key {
        Key::Name(name) => map.contains_key(name).then(|| name.clone()),
        Key::Uuid(wanted) => map
            .iter()
            .find(|(_, object)| uuid(object) == *wanted)
            .map(|(name, _)| name.clone()),
    }
}
