//! `virt.absent`: a VM that is to go.

use super::pool::{delete_volume, is_volume};
use super::usage::{disks, users};
use super::{Removal, gone_already};
use crate::facts::clean_path;
use crate::planned::ChunkPlan;
use crate::planners::steps::{by, planned, vm};
use crate::planners::vm::network_volume_of;
use crate::want::absent::{Data, InUse, data, in_use};
use crate::{Call, Needs, Observation, StateError};
use model::plan::{Consequence, PlannedStep, Undo, VmOp, XmlDiff};
use model::vm::Disk;
use model::{Pool, Request, Vm, Volume};

pub(in crate::planners) fn needs(call: &Call) -> Result<Needs, StateError> {
    in_use(call)?;
    let deletes = data(call, "delete_disks")? == Data::Delete;
    // A disk that another VM has as well stays, so all of them are looked at.
    let everyone = deletes.then(|| "*".to_owned());
    Ok(Needs {
        vms: [call.name.to_owned()].into(),
        vm_patterns: everyone.into_iter().collect(),
        all_pools: deletes,
        ..Needs::default()
    })
}

/// The volumes beside the VM's own: one of them may stand on a disk that is to be deleted.
pub(in crate::planners) fn further_needs(
    call: &Call,
    seen: &Observation,
) -> Result<Option<Needs>, StateError> {
    let Some(have) = seen.vm(call.name)? else {
        return Ok(None);
    };
    if data(call, "delete_disks")? == Data::Keep {
        return Ok(None);
    }
    let pools = own_disks(have);
    let pools = pools.iter().filter_map(|disk| pool_of(disk, seen));
    let pool_volumes = pools.map(|pool| pool.name.clone()).collect();
    Ok(Some(Needs {
        pool_volumes,
        ..Needs::default()
    }))
}

pub(in crate::planners) fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let name = call.name;
    let Some(have) = seen.vm(name)? else {
        return Ok(gone_already(format!("Domain {name} is absent")));
    };
    crate::planners::vm::leave_alone(have)?;
    let data = data(call, "delete_disks")?;
    let mut removal = Removal::default();
    if have.status.is_active() {
        removal.steps.push(power_off(have, in_use(call)?, data)?);
        removal.stopped = true;
    }
    let mut comment = format!("Domain {name} removed");
    match data {
        Data::Delete => delete_disks(have, seen, &mut removal)?,
        Data::Keep => {
            let own = own_disks(have);
            let kept: Vec<&str> = own.iter().map(|disk| disk.source.as_str()).collect();
            if !kept.is_empty() {
                comment.push_str(&format!("; its disks stay: {}", kept.join(", ")));
            }
        }
    }
    if have.persistent {
        removal.steps.push(undefine(have, data)?);
        removal.undefined = true;
    }
    let changes = removal.changes(name);
    Ok(removal.into_plan(comment, changes))
}

fn power_off(have: &Vm, in_use: InUse, data: Data) -> Result<PlannedStep, StateError> {
    let name = &have.name;
    if in_use == InUse::Refuse {
        return Err(StateError::host(
            format!("VM {name} is {} and is not removed", have.status.as_str()),
            "Shut it down first (virt.stopped), or write force: True to cut its power",
        ));
    }
    have.admit(Request::ForceOff).map_err(|why| {
        let problem = format!("VM {name} cannot be forced off: {why}");
        StateError::host(problem, "Try again when it has come to rest")
    })?;
    let undo = match data {
        Data::Keep if have.persistent => by(vm(name, VmOp::Life(Request::Start))),
        _ => Undo::NotNeeded("the VM is going, and the next run goes on from here"),
    };
    Ok(planned(
        vm(name, VmOp::Life(Request::ForceOff)),
        Consequence::Downtime,
        format!("Cut the power of VM {name}"),
        undo,
    ))
}

/// Deletes the volumes of the VM's own disks that nobody else needs.
fn delete_disks(have: &Vm, seen: &Observation, removal: &mut Removal) -> Result<(), StateError> {
    for disk in own_disks(have) {
        let kept = |why: String| format!("disk {} stays: {why}", disk.target);
        let Some(pool) = pool_of(&disk, seen) else {
            let why = match &disk.pool {
                Some(pool) => return Err(unreachable_pool(&disk, pool)),
                None => format!("{} is in no active pool", disk.source),
            };
            removal.notes.push(kept(why));
            continue;
        };
        let volumes = seen.volumes_of(&pool.name)?;
        // A volume that is not there was deleted by a run before this one.
        let Some(found) = volumes.iter().find(|found| is_volume(&disk, pool, found)) else {
            continue;
        };
        match needed_by(have, found, pool, &volumes, seen) {
            Some(who) => removal.notes.push(kept(who)),
            None => {
                removal.steps.push(delete_volume(&pool.name, found));
                removal.deleted_volumes.push(found.name.clone());
            }
        }
    }
    Ok(())
}

/// Why a volume must stay although its VM goes.
fn needed_by(
    have: &Vm,
    found: &Volume,
    pool: &Pool,
    volumes: &[&Volume],
    seen: &Observation,
) -> Option<String> {
    let shared = users(seen, |other| {
        other.name != have.name && disks(other).iter().any(|disk| is_volume(disk, pool, found))
    });
    if let Some(other) = shared.running.iter().chain(&shared.off).next() {
        return Some(format!("VM {other} has it as well"));
    }
    let own = own_disks(have);
    let overlay = volumes.iter().find(|other| {
        !found.path.is_empty()
            && other.backing.as_ref() == Some(&found.path)
            && !own.iter().any(|disk| is_volume(disk, pool, other))
    })?;
    let name = &overlay.name;
    Some(format!("volume {name} of pool {} stands on it", pool.name))
}

/// What a VM writes to, and the drive made for it: other media in its drives belong to everybody.
fn own_disks(have: &Vm) -> Vec<Disk> {
    let made = format!("/{}_cidata", have.name);
    let mut own = disks(have);
    own.retain(|disk| {
        let written = disk.device == "disk" && !disk.read_only;
        !disk.source.is_empty() && (written || disk.source.ends_with(&made))
    });
    own
}

/// The active pool that a disk is a volume of.
fn pool_of<'a>(disk: &Disk, seen: &'a Observation) -> Option<&'a Pool> {
    let mut active = seen.pools.values().flatten().filter(|pool| pool.active);
    if let Some(name) = &disk.pool {
        return active.find(|pool| pool.name == *name);
    }
    let (folder, _) = disk.source.rsplit_once('/')?;
    let folder = clean_path(folder);
    active.find(|pool| {
        let holds_it = !pool.target.is_empty() && clean_path(&pool.target) == folder;
        holds_it || network_volume_of(pool, &disk.source).is_some()
    })
}

fn unreachable_pool(disk: &Disk, pool: &str) -> StateError {
    StateError::host(
        format!(
            "pool {pool} of disk {} is not active, so its volume cannot be deleted",
            disk.target
        ),
        format!("Start the pool first (salar pool start {pool}), or leave delete_disks out"),
    )
}

fn undefine(have: &Vm, data: Data) -> Result<PlannedStep, StateError> {
    let name = &have.name;
    if have.has_managed_save && data == Data::Keep {
        return Err(StateError::host(
            format!("VM {name} has a saved memory image, which would be lost"),
            "Start it and shut it down, or write delete_disks: True if nothing of it is needed",
        ));
    }
    let (op, consequence) = match data {
        Data::Keep => (VmOp::Undefine, Consequence::None),
        Data::Delete if have.has_managed_save => (VmOp::Purge, Consequence::DataLoss),
        Data::Delete => (VmOp::Purge, Consequence::None),
    };
    let xml = have.xml_persistent.clone().unwrap_or_default();
    let back = VmOp::Define { xml: xml.clone() };
    Ok(PlannedStep {
        diff: Some(XmlDiff {
            before: xml,
            after: String::new(),
        }),
        ..planned(
            vm(name, op),
            consequence,
            format!("Remove the definition of VM {name}"),
            by(vm(name, back)),
        )
    })
}
