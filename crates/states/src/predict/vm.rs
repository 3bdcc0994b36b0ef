//! VMs.

use crate::Observation;
use crate::simulate::live_xml_after;
use model::plan::VmOp;
use model::{Request, Snapshot, Vm, VmStatus};

pub(super) fn apply(seen: &mut Observation, name: &str, op: &VmOp) {
    if let VmOp::TakeSnapshot { .. } | VmOp::RevertTo { .. } | VmOp::DeleteSnapshot { .. } = op {
        return snapshots(seen.snapshots.entry(name.to_owned()).or_default(), op);
    }
    let vm = seen.vms.entry(name.to_owned()).or_default();
    match op {
        VmOp::SendKeys { .. } | VmOp::StartPostcopy => {}
        VmOp::Migrate(_) => {
            *vm = None;
            seen.vm_names.retain(|known| known != name);
            return;
        }
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
        | VmOp::MemoryLive(_)
        | VmOp::TuneLive(_) => {
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
        Request::Shutdown | Request::ForceOff | Request::Save => VmStatus::Shutoff,
    };
    match request {
        Request::Start => vm.xml_live = vm.xml_persistent.clone(),
        Request::Shutdown | Request::ForceOff | Request::Save => vm.xml_live = None,
        Request::Reboot | Request::Reset | Request::Pause | Request::Resume => {}
    }
}

fn defined(old: Option<Vm>, name: &str, xml: &str) -> Vm {
    let new = || Vm {
        status: VmStatus::Shutoff,
        persistent: true,
        ..Vm::named(uuid::Uuid::nil(), name.to_owned())
    };
    let mut vm = old.unwrap_or_else(new);
    if let Ok(read) = domxml::domain::read(xml) {
        read.tell(&mut vm);
    }
    vm.persistent = true;
    vm.xml_persistent = Some(xml.to_owned());
    vm
}
