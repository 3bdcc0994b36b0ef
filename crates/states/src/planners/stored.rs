//! `virt.volume_present`, `virt.volume_absent`.
//!
//! Unlike `virt.volume_defined`, a volume that is too small grows, and one that is to be gone is deleted: not while
//! somebody needs it.

use super::absent::pool::{delete_volume, is_volume};
use super::absent::usage::{are, disks, users};
use super::steps::{by, planned, volume};
use super::vm::location;
use super::volume::{active_pool, mismatch};
use crate::changes::Changes;
use crate::planned::{ChunkPlan, Outcome, single};
use crate::want::stored::StoredWant;
use crate::{Call, Map, Needs, Observation, StateError};
use model::plan::{
    Consequence, ImageSource, Plan, PlannedStep, Undo, VolumeOp, without_credentials,
};
use model::{Bytes, Pool, Volume};
use serde_json::json;

pub(super) fn needs_present(call: &Call) -> Result<Needs, StateError> {
    let want = StoredWant::parse(call)?;
    let image = want.image.into_iter().map(|(location, _)| location);
    Ok(Needs {
        salt_files: image.filter(|image| image.starts_with("salt://")).collect(),
        ..of(want.volume.pool, want.volume.name)
    })
}

pub(super) fn needs_absent(call: &Call) -> Result<Needs, StateError> {
    let (pool, name) = named(call)?;
    Ok(Needs {
        vm_patterns: ["*".to_owned()].into(),
        pool_volumes: [pool.clone()].into(),
        ..of(pool, name)
    })
}

/// A volume that has to grow must not be open in a VM.
pub(super) fn further_needs(call: &Call, seen: &Observation) -> Result<Option<Needs>, StateError> {
    let want = StoredWant::parse(call)?;
    let have = seen.volume(&want.volume.pool, &want.volume.name)?;
    Ok(have.and_then(|have| growth(&want, have)).map(|_| Needs {
        vm_patterns: ["*".to_owned()].into(),
        ..Needs::default()
    }))
}

fn of(pool: String, name: String) -> Needs {
    Needs {
        pools: [pool.clone()].into(),
        volumes: [(pool, name)].into(),
        ..Needs::default()
    }
}

/// Pool and name of `virt.volume_absent`.
fn named(call: &Call) -> Result<(String, String), StateError> {
    let pool = call.get("pool").ok_or_else(|| call.missing("pool"))?;
    Ok((pool.word()?, call.name.to_owned()))
}

pub(super) fn plan_present(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let want = StoredWant::parse(call)?;
    let pool = active_pool(&want.volume.pool, seen)?;
    match seen.volume(&pool.name, &want.volume.name)? {
        None => create(&want, pool, seen),
        Some(have) => keep(&want, pool, have, seen),
    }
}

fn create(want: &StoredWant, pool: &Pool, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let (name, pool_name) = (&want.volume.name, &pool.name);
    let (op, what) = match &want.image {
        Some((image, checksum)) => {
            let op = VolumeOp::CreateFromImage {
                image: ImageSource {
                    location: location(image, seen)?,
                    checksum: checksum.clone(),
                },
                format: image_format(want, pool),
                size: want.size,
            };
            (op, format!("from {}", without_credentials(image)))
        }
        None => {
            let xml = want.volume.xml(pool);
            let what = match want.size {
                Some(size) => format!("of {size}"),
                None => "on its backing store".to_owned(),
            };
            (VolumeOp::Create { xml }, what)
        }
    };
    let step = planned(
        volume(pool_name, name, op),
        Consequence::None,
        format!("Create volume {name} in pool {pool_name} {what}"),
        by(volume(pool_name, name, VolumeOp::Delete)),
    );
    let changes = changed(pool_name, name, "", "created");
    let comment = format!("Volume {name} created in pool {pool_name}");
    Ok(done(vec![step], comment, changes))
}

/// What is declared, else what disks of VMs have by default.
fn image_format(want: &StoredWant, pool: &Pool) -> String {
    let default = match pool.kind.as_str() {
        "dir" | "fs" | "netfs" | "vstorage" => "qcow2",
        _ => "raw",
    };
    want.volume.format.as_deref().unwrap_or(default).to_owned()
}

fn keep(
    want: &StoredWant,
    pool: &Pool,
    have: &Volume,
    seen: &Observation,
) -> Result<ChunkPlan, StateError> {
    mismatch(&want.volume, have)?;
    let (name, pool_name) = (&have.name, &pool.name);
    let Some(size) = growth(want, have) else {
        let mut comment = format!("Volume {name} is present in pool {pool_name}");
        if want.size.is_some_and(|size| size < have.capacity) {
            comment.push_str(&format!("; it has {} and does not shrink", have.capacity));
        }
        return Ok(done(Vec::new(), comment, Map::new()));
    };
    let open = users(seen, |vm| {
        disks(vm).iter().any(|disk| is_volume(disk, pool, have))
    });
    if !open.running.is_empty() {
        let comment = format!("Volume {name} is present in pool {pool_name}");
        let mut waiting = done(Vec::new(), comment, Map::new());
        waiting.plan.pending.push(format!(
            "volume {name}: {} now, grows to {size} when {} off",
            have.capacity,
            are(&open.running)
        ));
        return Ok(waiting);
    }
    let step = planned(
        volume(pool_name, name, VolumeOp::Resize { capacity: size }),
        Consequence::None,
        format!(
            "Grow volume {name} of pool {pool_name} from {} to {size}",
            have.capacity
        ),
        Undo::NotNeeded("a bigger volume holds the same data, and shrinking could lose some"),
    );
    let (old, new) = (have.capacity.to_string(), size.to_string());
    let changes = changed(pool_name, name, &old, &new);
    let comment = format!("Volume {name} of pool {pool_name} grown to {size}");
    Ok(done(vec![step], comment, changes))
}

/// The size to grow to.
fn growth(want: &StoredWant, have: &Volume) -> Option<Bytes> {
    want.size.filter(|size| *size > have.capacity)
}

pub(super) fn plan_absent(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let (pool_name, name) = named(call)?;
    let gone = format!("Volume {name} is absent from pool {pool_name}");
    let pool = match seen.pool(&pool_name)? {
        None => return Ok(done(Vec::new(), gone, Map::new())),
        Some(_) => active_pool(&pool_name, seen)?,
    };
    let Some(have) = seen.volume(&pool_name, &name)? else {
        return Ok(done(Vec::new(), gone, Map::new()));
    };
    let needed = users(seen, |vm| {
        disks(vm).iter().any(|disk| is_volume(disk, pool, have))
    });
    let vms = [needed.running, needed.off].concat();
    if !vms.is_empty() {
        return Err(StateError::host(
            format!(
                "volume {name} of pool {pool_name} is a disk of VM {}",
                vms.join(", ")
            ),
            "Remove the VM first (virt.absent with delete_disks), or take the disk out of it",
        ));
    }
    let overlay = seen
        .volumes_of(&pool_name)?
        .into_iter()
        .find(|other| !have.path.is_empty() && other.backing.as_ref() == Some(&have.path));
    if let Some(overlay) = overlay {
        return Err(StateError::host(
            format!(
                "volume {} stands on volume {name} of pool {pool_name}",
                overlay.name
            ),
            "Remove what stands on it first",
        ));
    }
    let step: PlannedStep = delete_volume(&pool_name, have);
    let changes = changed(&pool_name, &name, &have.capacity.to_string(), "deleted");
    let comment = format!("Volume {name} deleted from pool {pool_name}");
    Ok(done(vec![step], comment, changes))
}

fn changed(pool: &str, name: &str, old: &str, new: &str) -> Map {
    single(&format!("{pool}/{name}"), json!({ "old": old, "new": new }))
}

fn done(steps: Vec<PlannedStep>, comment: String, changes: Map) -> ChunkPlan {
    ChunkPlan {
        plan: Plan {
            steps,
            pending: Vec::new(),
        },
        notes: Vec::new(),
        outcome: Outcome::new(comment, Changes::Fixed(changes)),
    }
}
