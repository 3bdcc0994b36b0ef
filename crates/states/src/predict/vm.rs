//! VMs.

use crate::Observation;
use crate::simulate::live_xml_after;
use domxml::domain::Domain;
use model::plan::VmOp;
use model::{Bytes, Request, Snapshot, Vm, VmStatus};

pub(super) fn apply(seen: &mut Observation, name: &str, op: &VmOp) {
    if let VmOp::TakeSnapshot { .. } | VmOp::RevertTo { .. } | VmOp::DeleteSnapshot { .. } = op {
        return snapshots(seen.snapshots.entry(name.to_owned()).or_default(), op);
    }
    let vm = seen.vms.entry(name.to_owned()).or_default();
    match op {
        VmOp::SendKeys { .. } => {}
        VmOp::TakeSnapshot { .. } | VmOp::RevertTo { .. } | VmOp::DeleteSnapshot { .. } => {}
        VmOp::CreateTransient { xml } => {
            *vm = Some(Vm {
                persistent: false,
                status: VmStatus::Running,
                xml_persistent: None,
                xml_live: Some(xml.clone()),
                ..defined(None, name, xml)
            });
        }
        VmOp::Define { xml } => *vm = Some(defined(vm.take(), name, xml)),
        VmOp::Undefine | VmOp::Purge => {
            *vm = None;
            seen.vm_names.retain(|known| known != name);
            return;
        }
        VmOp::Autostart(on) => {
            if let Some(vm) = vm {
                vm.autostart = *on;
            }
        }
        VmOp::Life(request) => {
            if let Some(vm) = vm {
                live(vm, *request);
            }
            // Nothing is left of a transient VM that is off.
            vm.take_if(|vm| !vm.persistent && !vm.status.is_active());
        }
        VmOp::AttachLive { .. }
        | VmOp::DetachLive { .. }
        | VmOp::UpdateLive { .. }
        | VmOp::VcpusLive(_)
        | VmOp::MemoryLive(_) => {
            if let Some(vm) = vm {
                vm.xml_live = vm
                    .xml_live
                    .take()
                    .map(|xml| live_xml_after(&xml, op).unwrap_or(xml));
            }
        }
    }
    if !seen.vm_names.iter().any(|known| known == name) {
        seen.vm_names.push(name.to_owned());
    }
}

/// What is in a VM after a revert is not foreseen; which snapshots it has, is.
fn snapshots(have: &mut Vec<Snapshot>, op: &VmOp) {
    let newest = have.iter().map(|known| known.created).max();
    let current = match op {
        VmOp::TakeSnapshot { name, .. } => {
            have.push(Snapshot {
                name: name.clone(),
                parent: None,
                created: newest.map_or(0, |newest| newest + 1),
                state: String::new(),
                current: true,
            });
            name
        }
        VmOp::RevertTo { snapshot } => snapshot,
        VmOp::DeleteSnapshot { snapshot } => {
            return have.retain(|known| known.name != *snapshot);
        }
        _ => return,
    };
    for known in have {
        known.current = known.name == *current;
    }
}

fn live(vm: &mut Vm, request: Request) {
    vm.status = match request {
        Request::Start | Request::Resume | Request::Reboot | Request::Reset => VmStatus::Running,
        Request::Pause => VmStatus::Paused,
        Request::Shutdown | Request::ForceOff => VmStatus::Shutoff,
    };
    match request {
        Request::Start => vm.xml_live = vm.xml_persistent.clone(),
        Request::Shutdown | Request::ForceOff => vm.xml_live = None,
        Request::Reboot | Request::Reset | Request::Pause | Request::Resume => {}
    }
}

fn defined(old: Option<Vm>, name: &str, xml: &str) -> Vm {
    let mut vm = old.unwrap_or_else(|| empty(name));
    if let Ok(read) = domxml::domain::read(xml) {
        describe(&mut vm, read);
    }
    vm.persistent = true;
    vm.xml_persistent = Some(xml.to_owned());
    vm
}

fn describe(vm: &mut Vm, read: Domain) {
    vm.domain_type = read.domain_type;
    vm.os_type = read.os_type;
    vm.arch = read.arch;
    vm.vcpus = read.vcpus;
    vm.vcpus_max = read.vcpus_max;
    vm.memory = read.memory;
    vm.memory_max = read.memory_max;
    vm.title = read.title;
    vm.description = read.description;
    vm.disks = read.disks;
    vm.nics = read.nics;
    vm.graphics = read.graphics;
}

fn empty(name: &str) -> Vm {
    Vm {
        uuid: uuid::Uuid::nil(),
        name: name.to_owned(),
        domain_id: None,
        status: VmStatus::Shutoff,
        status_reason: String::new(),
        domain_type: String::new(),
        os_type: String::new(),
        arch: String::new(),
        vcpus: 0,
        vcpus_max: 0,
        memory: Bytes(0),
        memory_max: Bytes(0),
        autostart: false,
        persistent: true,
        has_managed_save: false,
        pending_changes: false,
        title: String::new(),
        description: String::new(),
        disks: Vec::new(),
        nics: Vec::new(),
        graphics: Vec::new(),
        xml_persistent: None,
        xml_live: None,
    }
}
