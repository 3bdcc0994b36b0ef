//! What a host would look like after a plan: later states of a dry run see what earlier ones would have made.

mod network;
mod pool;
mod vm;

use crate::{ChunkPlan, HostPath, KnownSecret, Observation};
use model::plan::{FileOp, SecretName, SecretOp, Step};

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
            Step::Secret { secret, op } => apply_to_secret(seen, secret, op),
            Step::File { path, op } => apply_to_file(seen, path, op),
        }
    }
}

fn apply_to_secret(seen: &mut Observation, secret: &SecretName, op: &SecretOp) {
    let known = seen.secrets.entry(secret.clone()).or_default();
    match op {
        SecretOp::Define { .. } => drop(known.get_or_insert_default()),
        SecretOp::SetValue { value } => {
            *known = Some(KnownSecret {
                salt: String::new(),
                digest: KnownSecret::digest("", &value.0),
            });
        }
        SecretOp::Undefine => *known = None,
    }
}

fn apply_to_file(seen: &mut Observation, path: &str, op: &FileOp) {
    let (there, text) = match op {
        FileOp::Write { content, .. } => {
            let text = String::from_utf8_lossy(&content.0).into_owned();
            (HostPath::File, Some(text))
        }
        FileOp::Fetch { .. } => (HostPath::File, None),
        FileOp::Remove => (HostPath::Absent, None),
    };
    seen.paths.insert(path.to_owned(), there);
    seen.texts.insert(path.to_owned(), text);
}
