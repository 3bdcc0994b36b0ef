//! `virt.pool_absent`, and Salt's `virt.pool_deleted`.
//! Source: Salt `virt.pool_deleted`.

use super::usage::{Users, are, disks, users};
use super::{Removal, gone_already};
use crate::facts::clean_path;
use crate::planned::ChunkPlan;
use crate::planners::steps::{by, planned, pool, volume};
use crate::planners::vm::network_volume_of;
use crate::want::absent::{Data, InUse, data, in_use};
use crate::want::pool::secret_id;
use crate::{Call, Map, Needs, Observation, StateError};
use domxml::read::{NodeExt, parse};
use model::plan::{
    Consequence, PlannedStep, PoolOp, SecretName, SecretOp, SecretUsage, Step, Undo, VolumeOp,
    XmlDiff,
};
use model::vm::Disk;
use model::{Pool, Volume};
use serde_json::json;

/// Kinds whose volumes libvirt cannot delete. Source: Salt.
const FIXED_VOLUMES: &[&str] = &["iscsi", "iscsi-direct", "mpath", "scsi"];

/// Kinds whose storage libvirt can delete. Source: Salt.
const DELETABLE: &[&str] = &["dir", "fs", "netfs", "logical", "vstorage", "zfs"];

/// Which of the two functions: they differ in what they say, and only one of them can be told to leave a pool in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::planners) enum Wording {
    Absent,
    SaltDeleted,
}

pub(in crate::planners) fn needs(call: &Call, wording: Wording) -> Result<Needs, StateError> {
    if wording == Wording::Absent {
        in_use(call)?;
    }
    let name = || [call.name.to_owned()].into();
    Ok(Needs {
        pools: name(),
        vm_patterns: ["*".to_owned()].into(),
        pool_volumes: match data(call, "purge")? {
            Data::Delete => name(),
            Data::Keep => Default::default(),
        },
        secrets: secrets(call.name).into(),
        ..Needs::default()
    })
}

pub(in crate::planners) fn plan(
    call: &Call,
    seen: &Observation,
    wording: Wording,
) -> Result<ChunkPlan, StateError> {
    let name = call.name;
    let Some(have) = seen.pool(name)? else {
        return Ok(gone_already(match wording {
            Wording::Absent => format!("Pool {name} is absent"),
            Wording::SaltDeleted => format!("Storage pool could not be found: {name}"),
        }));
    };
    let using = users(seen, |vm| disks(vm).iter().any(|disk| lies_in(disk, have)));
    let must_be_free = wording == Wording::Absent && in_use(call)? == InUse::Refuse;
    if have.active && must_be_free && !using.running.is_empty() {
        return Err(StateError::host(
            format!("{} running with disks in pool {name}", are(&using.running)),
            "Shut down what uses the pool first, or write force: True",
        ));
    }
    let purge = data(call, "purge")? == Data::Delete;
    let (removal, unsupported) = remove(have, &using, purge, seen)?;
    let changes = match wording {
        Wording::Absent => removal.changes(name),
        Wording::SaltDeleted => as_salt(&removal),
    };
    let unsupported = (!unsupported.is_empty()).then(|| {
        format!(
            "Unsupported actions for pool of type \"{}\": {}",
            have.kind,
            unsupported.join(", ")
        )
    });
    let comment = match (wording, unsupported) {
        (Wording::Absent, None) => format!("Pool {name} removed"),
        (Wording::Absent, Some(what)) => format!("Pool {name} removed. {what}"),
        (Wording::SaltDeleted, what) => what.unwrap_or_default(),
    };
    let mut planned = removal.into_plan(comment, changes);
    if wording == Wording::SaltDeleted {
        planned.outcome.failed = Some("Failed deleting pool: ");
    }
    Ok(planned)
}

/// The steps, and what of a purge is not possible. A stopped pool is just undefined, as in Salt: its volumes cannot be
/// seen.
fn remove(
    have: &Pool,
    using: &Users,
    purge: bool,
    seen: &Observation,
) -> Result<(Removal, Vec<&'static str>), StateError> {
    let mut removal = Removal::default();
    let mut unsupported = Vec::new();
    let kind = have.kind.as_str();
    if purge && !have.active {
        removal.notes.push(format!(
            "purge: pool {} is stopped, so its volumes cannot be seen and stay",
            have.name
        ));
    }
    let purge = purge && have.active;
    if purge && FIXED_VOLUMES.contains(&kind) {
        unsupported.push("deleting volume");
    } else if purge {
        empty(have, seen, &mut removal)?;
    }
    if have.active {
        removal.steps.push(stop(have, using, purge));
        removal.stopped = true;
    }
    // Nothing is left of a transient pool once it is stopped.
    if purge && DELETABLE.contains(&kind) && have.persistent {
        removal.steps.push(delete(have));
        removal.deleted = true;
    } else if purge {
        unsupported.push("deleting pool");
    }
    if have.persistent {
        removal.steps.push(undefine(have));
        removal.undefined = true;
    }
    removal.steps.extend(forget_password(have, seen)?);
    let stranded = using.running.iter().chain(&using.off);
    removal.notes.extend(stranded.map(|vm| {
        format!(
            "VM {vm} has a disk in pool {} and cannot start without it",
            have.name
        )
    }));
    Ok((removal, unsupported))
}

/// The secrets that `virt.pool_defined` may have made for a pool.
fn secrets(pool: &str) -> [SecretName; 2] {
    [SecretUsage::Ceph, SecretUsage::Iscsi].map(|usage| SecretName {
        usage,
        id: secret_id(pool),
    })
}

/// The secret that `virt.pool_defined` made for this pool, where its definition names it: it goes with the pool.
/// Source: Salt `virt.pool_undefine`.
pub fn pool_secrets(have: &Pool) -> Vec<SecretName> {
    let Ok(doc) = parse("pool", "pool", &have.xml) else {
        return Vec::new();
    };
    let auth = doc.root_element().find("source/auth");
    let used = |secret: &SecretName| {
        auth.is_some_and(|auth| {
            let kind = match secret.usage {
                SecretUsage::Ceph => "ceph",
                SecretUsage::Iscsi => "chap",
            };
            auth.attr("type") == kind && auth.attr_at("secret", "usage") == secret.id
        })
    };
    secrets(&have.name).into_iter().filter(used).collect()
}

/// Removes the password of the pool.
fn forget_password(have: &Pool, seen: &Observation) -> Result<Vec<PlannedStep>, StateError> {
    let mut steps = Vec::new();
    for secret in pool_secrets(have) {
        if seen.secret(&secret)?.is_some() {
            let op = SecretOp::Undefine;
            steps.push(planned(
                Step::Secret { secret, op },
                Consequence::None,
                format!("Remove the password of pool {}", have.name),
                Undo::NotNeeded("nobody can read a password to write it back"),
            ));
        }
    }
    Ok(steps)
}

/// Deletes every volume, unless a running VM has one of them open.
fn empty(have: &Pool, seen: &Observation, removal: &mut Removal) -> Result<(), StateError> {
    let name = &have.name;
    removal.steps.push(planned(
        pool(name, PoolOp::Refresh),
        Consequence::None,
        format!("Read the volumes of pool {name} again"),
        Undo::NotNeeded("reading changes nothing"),
    ));
    for found in seen.volumes_of(name)? {
        let open = users(seen, |vm| {
            disks(vm).iter().any(|disk| is_volume(disk, have, found))
        });
        if !open.running.is_empty() {
            let users = are(&open.running);
            return Err(StateError::host(
                format!("{users} running on volume {} of pool {name}", found.name),
                "Remove what uses the volume first (virt.absent) and require that, or leave purge out",
            ));
        }
        removal.steps.push(delete_volume(name, found));
        removal.deleted_volumes.push(found.name.clone());
    }
    Ok(())
}

/// The step that deletes a volume.
pub(in crate::planners) fn delete_volume(pool: &str, found: &Volume) -> PlannedStep {
    let name = &found.name;
    planned(
        volume(pool, name, VolumeOp::Delete),
        Consequence::DataLoss,
        format!(
            "Delete volume {name} of pool {pool} ({}) with its data",
            found.capacity
        ),
        Undo::NotNeeded("what was deleted cannot be brought back"),
    )
}

/// A disk in this pool, by its name or by the folder it lies in.
fn lies_in(disk: &Disk, pool: &Pool) -> bool {
    let folder = clean_path(&pool.target);
    let in_folder = disk
        .source
        .rsplit_once('/')
        .is_some_and(|(parent, _)| !folder.is_empty() && clean_path(parent) == folder);
    let in_storage = network_volume_of(pool, &disk.source).is_some();
    disk.pool.as_ref() == Some(&pool.name) || (disk.pool.is_none() && (in_folder || in_storage))
}

/// A disk that is this volume.
pub(in crate::planners) fn is_volume(disk: &Disk, pool: &Pool, volume: &Volume) -> bool {
    match &disk.pool {
        Some(of) => *of == pool.name && disk.source == format!("{of}/{}", volume.name),
        None if network_volume_of(pool, &disk.source) == Some(volume.name.as_str()) => true,
        None => !volume.path.is_empty() && clean_path(&disk.source) == clean_path(&volume.path),
    }
}

fn stop(have: &Pool, using: &Users, purge: bool) -> PlannedStep {
    let name = &have.name;
    let consequence = match using.running.is_empty() {
        true => Consequence::Live,
        false => Consequence::Downtime,
    };
    let undo = match purge {
        true => Undo::NotNeeded("the pool is empty, and the next run goes on from here"),
        false => by(pool(name, PoolOp::Start)),
    };
    planned(
        pool(name, PoolOp::Stop),
        consequence,
        format!("Stop pool {name}"),
        undo,
    )
}

fn delete(have: &Pool) -> PlannedStep {
    let name = &have.name;
    planned(
        pool(name, PoolOp::Delete),
        Consequence::DataLoss,
        format!("Delete the storage of pool {name}"),
        Undo::NotNeeded("what was deleted cannot be brought back"),
    )
}

fn undefine(have: &Pool) -> PlannedStep {
    let name = &have.name;
    let xml = &have.xml;
    PlannedStep {
        diff: Some(XmlDiff {
            before: xml.clone(),
            after: String::new(),
        }),
        ..planned(
            pool(name, PoolOp::Undefine),
            Consequence::None,
            format!("Remove the definition of pool {name}"),
            by(pool(name, PoolOp::Define { xml: xml.clone() })),
        )
    }
}

/// Salt's shape: what was done and what was not, without the pool's name.
fn as_salt(removal: &Removal) -> Map {
    let mut changes = Map::new();
    changes.insert("stopped".to_owned(), json!(removal.stopped));
    changes.insert("deleted".to_owned(), json!(removal.deleted));
    changes.insert("undefined".to_owned(), json!(removal.undefined));
    let volumes = json!(removal.deleted_volumes);
    changes.insert("deleted_volumes".to_owned(), volumes);
    changes
}
