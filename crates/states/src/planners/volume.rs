//! `virt.volume_defined`.
//!
//! A volume that is there is never changed: its size is compared and told.

use super::steps::{by, planned, volume};
use crate::changes::Changes;
use crate::planned::{ChunkPlan, Outcome, single};
use crate::want::volume::VolumeWant;
use crate::{Call, Map, Needs, Observation, StateError};
use model::plan::{Consequence, Plan, VolumeOp};
use model::{Pool, Volume};
use serde_json::json;

pub(super) fn needs(call: &Call) -> Result<Needs, StateError> {
    let want = VolumeWant::parse(call)?;
    Ok(Needs {
        pools: [want.pool.clone()].into(),
        volumes: [(want.pool, want.name)].into(),
        ..Needs::default()
    })
}

pub(super) fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let want = VolumeWant::parse(call)?;
    let (pool_name, name) = (&want.pool, &want.name);
    let pool = active_pool(pool_name, seen)?;
    if let Some(have) = seen.volume(pool_name, name)? {
        return existing(&want, have);
    }
    let xml = want.xml(pool);
    let step = planned(
        volume(pool_name, name, VolumeOp::Create { xml }),
        Consequence::None,
        format!("Create volume {name} of {} in pool {pool_name}", want.size),
        by(volume(pool_name, name, VolumeOp::Delete)),
    );
    let changes = json!({ "old": "", "new": "defined" });
    let mut outcome = Outcome::new(
        format!("Volume {name} defined in pool {pool_name}"),
        Changes::Fixed(single(&format!("{pool_name}/{name}"), changes)),
    );
    outcome.comment_if_tested = Some(format!(
        "Volume {name} would be defined in pool {pool_name}"
    ));
    Ok(ChunkPlan {
        plan: Plan {
            steps: vec![step],
            pending: Vec::new(),
        },
        notes: Vec::new(),
        outcome,
    })
}

/// A pool that is there and shows its volumes.
pub(super) fn active_pool<'a>(name: &str, seen: &'a Observation) -> Result<&'a Pool, StateError> {
    match seen.pool(name)? {
        Some(pool) if pool.active => Ok(pool),
        Some(_) => Err(StateError::host(
            format!("pool {name} is not active, so its volumes cannot be seen"),
            format!("Start it first: salar pool start {name}"),
        )),
        None => Err(StateError::host(
            format!("Storage pool {name} not existing"),
            "Declare it with virt.pool_running and require it",
        )),
    }
}

/// Refuses a volume that is there with another content than declared. Source: Salt `virt.volume_defined`.
pub(super) fn mismatch(want: &VolumeWant, have: &Volume) -> Result<(), StateError> {
    let other_format = want
        .format
        .as_ref()
        .is_some_and(|format| *format != have.format);
    let other_backing = want.backing.as_ref().map(|(path, _)| path) != have.backing.as_ref();
    if other_format || other_backing {
        return Err(StateError::Host {
            problem:
                "A volume with the same name but different backing store or format is existing"
                    .to_owned(),
            remedy: None,
        });
    }
    Ok(())
}

fn existing(want: &VolumeWant, have: &Volume) -> Result<ChunkPlan, StateError> {
    mismatch(want, have)?;
    let comment = if want.size == have.capacity {
        "volume is existing"
    } else {
        "The capacity of the volume is different, but no resize performed"
    };
    Ok(ChunkPlan {
        plan: Plan::default(),
        notes: Vec::new(),
        outcome: Outcome::new(comment, Changes::Fixed(Map::new())),
    })
}
