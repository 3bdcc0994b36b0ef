//! `virt.defined`, `virt.running`.
//!
//! A new VM is a skeleton on which everything declared is brought about. An existing one is edited where a declaration
//! does not hold, and changed while it runs where the hypervisor can; the rest waits for the next start, and every run
//! says so until it is true.

mod boot_files;
mod cidata;
mod consistent;
mod create;
mod disks;
mod given;
pub(crate) mod kernel;
mod lacking;
mod nics;
mod partitions;
pub(crate) mod profile;
mod resolved;
mod source;
mod tuning;
mod update;

use super::steps::{by, planned, vm};
use super::taken::{self, Plugged};
use crate::want::vm::VmWant;
use crate::want::vm::disk::{DiskWant, Source};
use crate::want::vm::nic::NicWant;
use crate::{Call, ChunkPlan, Config, Needs, Observation, StateError};
use model::lifecycle::CONTROL_DOMAIN;
use model::plan::{Consequence, PlannedStep, VmOp};
use model::{Request, Vm};

pub(super) use super::pool::End;
pub(super) use source::location;
pub(crate) use source::network_volume_of;

pub(super) fn needs(call: &Call, config: &Config) -> Result<Needs, StateError> {
    let want = VmWant::parse(call)?;
    let disks = profile::disks(call, &want, config)?.unwrap_or_default();
    // Merged only to find what is wrong with the profile before anything is read.
    profile::nics(call, &want, config)?;
    let mut needs = Needs {
        vms: [want.name.clone()].into(),
        capabilities: true,
        ..Needs::default()
    };
    for disk in &disks {
        disk_needs(&want.name, disk, config, &mut needs);
    }
    if !want.boot_files.is_empty() {
        config.needs_files("boot: a file that is fetched is kept")?;
    }
    boot_files::needs(&want, &mut needs);
    needs.node_devices = want.host_devices.is_some_and(|names| !names.is_empty());
    Ok(needs)
}

/// What decides where a disk comes from.
fn disk_needs(vm: &str, disk: &DiskWant, config: &Config, needs: &mut Needs) {
    if let Some(image) = disk
        .image
        .as_ref()
        .filter(|image| image.starts_with("salt://"))
    {
        needs.salt_files.insert(image.clone());
    }
    let base = disk.pool.as_deref().unwrap_or_else(|| config.images());
    let is_folder = base.contains('/');
    match &disk.source {
        Source::Empty => {}
        Source::Given(path) if path.starts_with('/') => {
            needs.paths.insert(path.clone());
        }
        Source::Given(volume) if disk.pool.is_some() && !is_folder => {
            needs.pools.insert(base.to_owned());
            needs.volumes.insert((base.to_owned(), volume.clone()));
        }
        Source::Given(_) => {}
        Source::Generated(_) if is_folder => {}
        Source::Generated(_) => {
            needs.pools.insert(base.to_owned());
            let volume = source::volume_name(vm, disk);
            needs.volumes.insert((base.to_owned(), volume));
        }
        Source::Computed if disk.device != "disk" => {}
        Source::Computed if is_folder => {
            needs.all_pools = true;
            needs.paths.insert(source::file_path(base, vm, disk));
            if let Some(image) = disk.image.as_ref().filter(|_| disk.overlay) {
                let name = source::base_name(image, disk.checksum.as_deref());
                needs
                    .paths
                    .insert(format!("{}/{name}", base.trim_end_matches('/')));
            }
        }
        Source::Computed => {
            needs.pools.insert(base.to_owned());
            needs
                .volumes
                .insert((base.to_owned(), source::volume_name(vm, disk)));
            if let Some(image) = disk.image.as_ref().filter(|_| disk.overlay) {
                let name = source::base_name(image, disk.checksum.as_deref());
                needs.volumes.insert((base.to_owned(), name));
            }
        }
    }
}

/// Every VM, where a declared MAC address may be another's; every volume, where a disk is a partition.
pub(super) fn further_needs(call: &Call, seen: &Observation) -> Result<Option<Needs>, StateError> {
    // Of a VM that is as declared, which is the rule, nothing else is read a second time.
    let nics = match call.get("nic_profile") {
        None => VmWant::read_nics(call)?,
        Some(_) => profile::nics(call, &VmWant::parse(call)?, &seen.config)?,
    };
    let have = seen.vm(call.name)?;
    let mut needs = taken::vm_needs(&addresses(nics), have);
    let mut add = |more: Option<Needs>| {
        if let Some(more) = more {
            needs.get_or_insert_default().merge(more);
        }
    };
    if have.is_none() {
        add(create::kernel_needs(call, seen)?);
    }
    if !seen.checksums.is_empty() {
        add(boot_files::further_needs(&VmWant::parse(call)?, seen));
    }
    add(partitions::needs(seen));
    Ok(needs)
}

/// The declared MAC addresses.
fn addresses(nics: Option<Vec<NicWant>>) -> Vec<Plugged> {
    let plugged = nics.unwrap_or_default().into_iter().filter_map(|nic| {
        Some(Plugged {
            mac: nic.mac?,
            kind: nic.kind.unwrap_or_default(),
            source: nic.source.unwrap_or_default(),
        })
    });
    plugged.collect()
}

pub(super) fn plan(call: &Call, seen: &Observation, end: End) -> Result<ChunkPlan, StateError> {
    let want = VmWant::parse(call)?;
    let macs = addresses(profile::nics(call, &want, &seen.config)?);
    let notes = taken::check_vm(&want.name, &macs, seen)?;
    let have = seen.vm(&want.name)?;
    have.map_or(Ok(()), leave_alone)?;
    let mut planned = match have {
        None => create::plan(call, &want, seen, end),
        Some(have) => update::plan(call, &want, have, seen, end),
    }?;
    planned.notes.extend(notes);
    Ok(planned)
}

/// Refuses to touch Xen's Domain-0.
pub(super) fn leave_alone(have: &Vm) -> Result<(), StateError> {
    match have.is_control_domain() {
        false => Ok(()),
        true => Err(StateError::host(
            CONTROL_DOMAIN,
            "Take it out of the state files",
        )),
    }
}

fn autostart(name: &str, on: bool) -> PlannedStep {
    let word = if on { "Start" } else { "Do not start" };
    planned(
        vm(name, VmOp::Autostart(on)),
        Consequence::None,
        format!("{word} VM {name} with its host"),
        by(vm(name, VmOp::Autostart(!on))),
    )
}

fn start(name: &str) -> PlannedStep {
    planned(
        vm(name, VmOp::Life(Request::Start)),
        Consequence::Live,
        format!("Start VM {name}"),
        by(vm(name, VmOp::Life(Request::ForceOff))),
    )
}

fn object(name: &str) -> String {
    format!("VM {name}")
}
