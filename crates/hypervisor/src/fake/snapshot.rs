//! Snapshots of the fake's VMs, and VMs that nothing defines.

use super::definition;
use super::fault::{Fault, QEMU};
use super::vm::FakeVm;
use super::world::World;
use crate::error::Reason;
use model::{Snapshot, VmStatus};
use std::time::Instant;

/// A snapshot with what it brings back.
pub(super) struct FakeSnapshot {
    pub(super) told: Snapshot,
    status: VmStatus,
    live: Option<String>,
    persistent: Option<String>,
}

/// Seconds since 1970 of the first snapshot; each later one is a second younger.
const FIRST: i64 = 1_790_000_000;

impl World {
    pub(super) fn take_snapshot(&mut self, vm: &str, name: &str) -> Result<(), Fault> {
        let created = FIRST + i64::from(self.next_number());
        let vm = self.vms.get_mut(vm).ok_or_else(|| Fault::no_vm(vm))?;
        if vm.snapshots.iter().any(|kept| kept.told.name == name) {
            let why = format!("domain snapshot {name} already exists");
            return Err(Fault::exists(QEMU, why));
        }
        let parent = vm.current().map(|kept| kept.told.name.clone());
        vm.go_on_from(name);
        vm.snapshots.push(FakeSnapshot {
            told: Snapshot {
                name: name.to_owned(),
                parent,
                created,
                state: vm.status.as_str().to_owned(),
                current: true,
            },
            status: vm.status,
            live: vm.live.clone(),
            persistent: vm.persistent.clone(),
        });
        Ok(())
    }

    pub(super) fn revert(&mut self, name: &str, snapshot: &str) -> Result<(), Fault> {
        let id = self.next_number();
        let vm = self.vms.get_mut(name).ok_or_else(|| Fault::no_vm(name))?;
        let kept = vm
            .snapshots
            .iter()
            .find(|kept| kept.told.name == snapshot)
            .ok_or_else(|| no_snapshot(snapshot))?;
        (vm.status, vm.live, vm.persistent) =
            (kept.status, kept.live.clone(), kept.persistent.clone());
        vm.domain_id = vm.live.is_some().then_some(id);
        vm.started = vm.live.is_some().then(Instant::now);
        vm.reason = "from snapshot";
        vm.go_on_from(snapshot);
        let event = if vm.live.is_some() {
            "started"
        } else {
            "stopped"
        };
        self.vm_life(name, event, "from snapshot");
        Ok(())
    }

    pub(super) fn delete_snapshot(&mut self, name: &str, snapshot: &str) -> Result<(), Fault> {
        let vm = self.vms.get_mut(name).ok_or_else(|| Fault::no_vm(name))?;
        let index = vm
            .snapshots
            .iter()
            .position(|kept| kept.told.name == snapshot);
        let gone = vm
            .snapshots
            .remove(index.ok_or_else(|| no_snapshot(snapshot))?);
        for kept in &mut vm.snapshots {
            if kept.told.parent.as_deref() == Some(snapshot) {
                kept.told.parent.clone_from(&gone.told.parent);
            }
        }
        if let (true, Some(parent)) = (gone.told.current, &gone.told.parent) {
            vm.go_on_from(parent);
        }
        Ok(())
    }

    /// Starts a VM that is gone when it is off.
    pub(super) fn create_transient(&mut self, xml: &str) -> Result<(), Fault> {
        let name = definition::domain(xml)?.name;
        if self.vms.contains_key(&name) {
            let why = format!("domain '{name}' is already defined");
            return Err(Fault::exists(QEMU, why));
        }
        self.define_vm(xml)?;
        let started = self.start_vm(&name);
        if let Some(vm) = self.vms.get_mut(&name) {
            vm.persistent = None;
        }
        if started.is_err() {
            self.vms.remove(&name);
        }
        started
    }
}

impl FakeVm {
    fn current(&self) -> Option<&FakeSnapshot> {
        self.snapshots.iter().find(|kept| kept.told.current)
    }

    fn go_on_from(&mut self, name: &str) {
        for kept in &mut self.snapshots {
            kept.told.current = kept.told.name == name;
        }
    }
}

/// `VIR_ERR_NO_DOMAIN_SNAPSHOT`.
fn no_snapshot(name: &str) -> Fault {
    let message =
        format!("Domain snapshot not found: no domain snapshot with matching name '{name}'");
    Fault::new(Reason::NotFound, message)
}
