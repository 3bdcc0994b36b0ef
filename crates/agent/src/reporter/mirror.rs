//! What the server should have: the objects as last read, with a digest of each.

use agent_api::{id, network_to_wire, pool_to_wire, vm_to_wire, wire};
use model::{Inventory, Network, Pool, Vm, VmStatus};
use prost::Message;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// What kind of object a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Vm,
    Pool,
    Network,
}

/// An object of the host.
pub(super) type Key = (Kind, Uuid);

/// An object as it goes over the wire.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Vm(Box<wire::Vm>),
    Pool(wire::Pool),
    Network(wire::Network),
}

impl Object {
    /// It was read in the middle of something of which no event tells the end: libvirt says that a VM goes on from its
    /// saved memory before it removes that.
    pub(super) fn is_unsettled(&self) -> bool {
        let Self::Vm(vm) = self else { return false };
        let status = VmStatus::from_word(&vm.status);
        vm.has_managed_save && status.is_some_and(VmStatus::is_active)
    }
}

impl From<&Vm> for Object {
    fn from(vm: &Vm) -> Self {
        Self::Vm(Box::new(vm_to_wire(vm)))
    }
}

impl From<&Pool> for Object {
    fn from(pool: &Pool) -> Self {
        Self::Pool(pool_to_wire(pool))
    }
}

impl From<&Network> for Object {
    fn from(network: &Network) -> Self {
        Self::Network(network_to_wire(network))
    }
}

impl Object {
    fn digest(&self) -> [u8; 32] {
        let bytes = match self {
            Self::Vm(vm) => vm.encode_to_vec(),
            Self::Pool(pool) => pool.encode_to_vec(),
            Self::Network(network) => network.encode_to_vec(),
        };
        Sha256::digest(bytes).into()
    }
}

/// Everything the host has, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    objects: BTreeMap<Key, (Object, [u8; 32])>,
    /// Addresses by MAC, from the leases of the host's networks.
    leases: BTreeMap<String, Vec<String>>,
}

impl Mirror {
    /// Puts a freshly read object in. Returns whether that changed anything.
    pub(super) fn set(&mut self, key: Key, mut object: Object) -> bool {
        self.add_addresses(&mut object);
        let digest = object.digest();
        let before = self.objects.insert(key, (object, digest));
        before.is_none_or(|(_, old)| old != digest)
    }

    /// Takes an object out. Returns whether it was there.
    pub(super) fn remove(&mut self, key: Key) -> bool {
        self.objects.remove(&key).is_some()
    }

    /// Replaces everything but the objects of `newer`, which were read or hinted at after the inventory was begun.
    pub(super) fn replace(&mut self, inventory: &Inventory, newer: &HashSet<Key>) -> bool {
        let before = self.digest();
        self.objects.retain(|key, _| newer.contains(key));
        let vms = inventory
            .vms
            .iter()
            .map(|vm| ((Kind::Vm, vm.uuid), Object::from(vm)));
        let pools = inventory
            .pools
            .iter()
            .map(|pool| ((Kind::Pool, pool.uuid), Object::from(pool)));
        let networks = inventory
            .networks
            .iter()
            .map(|net| ((Kind::Network, net.uuid), Object::from(net)));
        for (key, object) in vms.chain(pools).chain(networks) {
            if !newer.contains(&key) {
                self.set(key, object);
            }
        }
        before != self.digest()
    }

    /// Takes new leases in. Returns the VMs whose addresses changed.
    pub(super) fn set_leases(&mut self, leases: Vec<(String, String)>) -> Vec<Key> {
        self.leases.clear();
        for (mac, address) in leases {
            self.leases
                .entry(mac.to_ascii_lowercase())
                .or_default()
                .push(address);
        }
        let vms: Vec<(Key, Object)> = self
            .objects
            .iter()
            .filter(|(key, _)| key.0 == Kind::Vm)
            .map(|(key, (object, _))| (*key, object.clone()))
            .collect();
        vms.into_iter()
            .filter_map(|(key, object)| self.set(key, object).then_some(key))
            .collect()
    }

    fn add_addresses(&self, object: &mut Object) {
        let Object::Vm(vm) = object else { return };
        if vm.domain_id.is_none() {
            return;
        }
        for nic in &mut vm.nics {
            for address in self.leases.get(&nic.mac).into_iter().flatten() {
                if !nic.addresses.contains(address) {
                    nic.addresses.push(address.clone());
                }
            }
        }
    }

    /// A running VM has an interface on a network whose address is not known.
    pub(super) fn lacks_addresses(&self) -> bool {
        self.objects.values().any(|(object, _)| match object {
            Object::Vm(vm) => {
                vm.domain_id.is_some()
                    && vm
                        .nics
                        .iter()
                        .any(|nic| nic.kind == "network" && nic.addresses.is_empty())
            }
            Object::Pool(_) | Object::Network(_) => false,
        })
    }

    /// One digest of all: equal digests, equal objects.
    pub(super) fn digest(&self) -> Vec<u8> {
        let mut all = Sha256::new();
        for (_, digest) in self.objects.values() {
            all.update(digest);
        }
        all.finalize().to_vec()
    }

    /// Everything, without a sequence number.
    pub(super) fn snapshot(&self) -> wire::Snapshot {
        let mut snapshot = wire::Snapshot {
            digest: self.digest(),
            ..wire::Snapshot::default()
        };
        for (object, _) in self.objects.values() {
            match object.clone() {
                Object::Vm(vm) => snapshot.vms.push(*vm),
                Object::Pool(pool) => snapshot.pools.push(pool),
                Object::Network(network) => snapshot.networks.push(network),
            }
        }
        snapshot
    }

    /// Adds the object, or that it is gone, to a report.
    pub(super) fn add_to(&self, key: Key, report: &mut wire::Report) {
        match self.objects.get(&key).map(|(object, _)| object.clone()) {
            Some(Object::Vm(vm)) => report.vms.push(*vm),
            Some(Object::Pool(pool)) => report.pools.push(pool),
            Some(Object::Network(network)) => report.networks.push(network),
            None => {
                let kind = match key.0 {
                    Kind::Vm => wire::Kind::Vm,
                    Kind::Pool => wire::Kind::Pool,
                    Kind::Network => wire::Kind::Network,
                };
                report.gone.push(wire::Gone {
                    kind: kind.into(),
                    uuid: id(key.1),
                });
            }
        }
    }
}
