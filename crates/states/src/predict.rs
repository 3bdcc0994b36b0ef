//! What a host would look like after a plan: later states of a dry run see what earlier ones would have made.

use crate::{ChunkPlan, Observation};
use model::plan::{PoolOp, Step};
use model::{Bytes, Pool};

/// Changes what was observed as if the plan had been carried out.
///
/// What cannot be foreseen (a UUID, the size of an image) stays empty; nothing that a plan decides by depends on it.
pub fn predict(planned: &ChunkPlan, seen: &mut Observation) {
    for planned in &planned.plan.steps {
        match &planned.step {
            Step::Pool { name, op } => pool(seen, name, op),
            Step::Volume { .. } | Step::Network { .. } | Step::Vm { .. } => {}
        }
    }
}

fn pool(seen: &mut Observation, name: &str, op: &PoolOp) {
    let pool = seen.pools.entry(name.to_owned()).or_default();
    match op {
        PoolOp::Define { xml } => {
            let mut new = pool.take().unwrap_or_else(|| empty_pool(name));
            if let Ok(read) = domxml::pool::read(xml) {
                new.kind = read.kind;
                new.target = read.target;
            }
            if new.active && new.xml_live.is_none() {
                new.xml_live = Some(new.xml);
            }
            new.xml = xml.clone();
            new.persistent = true;
            *pool = Some(new);
        }
        PoolOp::Undefine => *pool = None,
        PoolOp::Build | PoolOp::Refresh => {}
        PoolOp::Start | PoolOp::Stop => {
            if let Some(pool) = pool {
                pool.active = matches!(op, PoolOp::Start);
                pool.xml_live = pool.active.then(|| pool.xml.clone());
            }
        }
        PoolOp::Autostart(on) => {
            if let Some(pool) = pool {
                pool.autostart = *on;
            }
        }
    }
}

fn empty_pool(name: &str) -> Pool {
    Pool {
        uuid: Default::default(),
        name: name.to_owned(),
        kind: String::new(),
        active: false,
        autostart: false,
        persistent: true,
        capacity: Bytes(0),
        allocation: Bytes(0),
        available: Bytes(0),
        target: String::new(),
        volume_count: 0,
        xml: String::new(),
        xml_live: None,
    }
}
