//! Who uses what is about to go.

use crate::Observation;
use model::Vm;
use model::vm::{Disk, Nic};

/// VMs with something in common, by whether they run.
#[derive(Debug, Default)]
pub(in crate::planners) struct Users<'a> {
    pub(in crate::planners) running: Vec<&'a str>,
    pub(in crate::planners) off: Vec<&'a str>,
}

/// The VMs of which `uses` holds. All VMs must have been read.
pub(in crate::planners) fn users(seen: &Observation, uses: impl Fn(&Vm) -> bool) -> Users<'_> {
    let mut users = Users::default();
    for (name, vm) in &seen.vms {
        match vm {
            Some(vm) if uses(vm) && vm.status.is_active() => users.running.push(name),
            Some(vm) if uses(vm) => users.off.push(name),
            _ => {}
        }
    }
    users
}

/// The disks that a VM has now or will have at its next start.
pub(in crate::planners) fn disks(vm: &Vm) -> Vec<Disk> {
    let mut all = vm.disks.clone();
    for disk in next_start(vm).map(|next| next.disks).unwrap_or_default() {
        if !all.iter().any(|known| known.source == disk.source) {
            all.push(disk);
        }
    }
    all
}

/// The interfaces that a VM has now or will have at its next start.
pub(in crate::planners) fn nics(vm: &Vm) -> Vec<Nic> {
    let mut all = vm.nics.clone();
    all.extend(next_start(vm).map(|next| next.nics).unwrap_or_default());
    all
}

fn next_start(vm: &Vm) -> Option<domxml::domain::Domain> {
    domxml::domain::read(vm.xml_persistent.as_deref()?).ok()
}

/// `VM srv01 is`, `VMs srv01, srv02 are`.
pub(in crate::planners) fn are(names: &[&str]) -> String {
    match names {
        [one] => format!("VM {one} is"),
        many => format!("VMs {} are", many.join(", ")),
    }
}
