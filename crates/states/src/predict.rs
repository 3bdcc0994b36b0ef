//! What a host would look like after a plan: later states of a dry run see what earlier ones would have made.

mod network;
mod pool;
mod vm;

use crate::{ChunkPlan, Observation};
use model::plan::Step;

/// Changes what was observed as if the plan had been carried out.
///
/// What cannot be foreseen (a UUID, the size of an image, what a hypervisor adds) stays empty or absent; nothing that a
/// plan decides by depends on it.
pub fn predict(planned: &ChunkPlan, seen: &mut Observation) {
    for planned in &planned.plan.steps {
        match &planned.step {
            Step::Pool { name, op } => pool::apply(seen, name, op),
            Step::Volume { pool, name, op } => pool::apply_to_volume(seen, pool, name, op),
            Step::Network { name, op } => network::apply(seen, name, op),
            Step::Vm { name, op } => vm::apply(seen, name, op),
        }
    }
}
