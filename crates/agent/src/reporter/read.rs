//! The reads themselves, each a task of its own.

use super::mirror::{Key, Kind, Object};
use crate::grains::{self, OwnGrains};
use hypervisor::{Hypervisor, HypervisorError};
use model::{HostFacts, Inventory, Vm};
use std::sync::Arc;

/// A read that has ended.
pub(super) enum Read {
    One(Key, Result<Option<Object>, HypervisorError>),
    Addresses(Result<Vec<(String, String)>, HypervisorError>),
    Everything(Result<Box<Everything>, HypervisorError>),
}

/// A whole host.
pub(super) struct Everything {
    pub(super) facts: HostFacts,
    pub(super) inventory: Inventory,
    pub(super) leases: Vec<(String, String)>,
}

pub(super) async fn one(hypervisor: Arc<dyn Hypervisor>, key: Key) -> Read {
    let wanted = hypervisor::Key::Uuid(key.1);
    let found = match key.0 {
        Kind::Vm => hypervisor
            .find_vm(&wanted)
            .await
            .map(|vm| vm.map(compared).as_ref().map(Object::from)),
        Kind::Pool => hypervisor
            .find_pool(&wanted)
            .await
            .map(|pool| pool.as_ref().map(Object::from)),
        Kind::Network => hypervisor
            .find_network(&wanted)
            .await
            .map(|network| network.as_ref().map(Object::from)),
    };
    Read::One(key, found)
}

/// The VM with whether it waits for its next start.
fn compared(mut vm: Vm) -> Vm {
    vm.pending_changes = domxml::domain::is_pending(&vm);
    vm
}

pub(super) async fn addresses(hypervisor: Arc<dyn Hypervisor>) -> Read {
    Read::Addresses(hypervisor.addresses().await)
}

pub(super) async fn everything(hypervisor: Arc<dyn Hypervisor>, own: OwnGrains) -> Read {
    let read = async {
        let mut facts = hypervisor.facts().await?;
        // What the server aims by.
        facts.grains = grains::with_facts(&facts, &own).to_string();
        let mut inventory = hypervisor.inventory().await?;
        inventory.vms = inventory.vms.into_iter().map(compared).collect();
        // A host without networks, or whose leases cannot be read, is still a host.
        let leases = hypervisor.addresses().await.unwrap_or_default();
        Ok(Box::new(Everything {
            facts,
            inventory,
            leases,
        }))
    };
    Read::Everything(read.await)
}
