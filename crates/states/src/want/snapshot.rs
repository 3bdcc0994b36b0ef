//! The arguments of the snapshot states.

use crate::args::Field;
use crate::{Call, StateError, Value};
use model::snapshot::unfit_name;

/// The arguments of `virt.snapshot` and `virt.saved`.
pub(crate) const TAKEN_ARGUMENTS: &[&str] = &["suffix"];

/// The arguments of `virt.reverted`.
pub(crate) const REVERTED_ARGUMENTS: &[&str] = &["snapshot", "cleanup"];

/// The arguments of `virt.snapshot_present` and `virt.snapshot_absent`.
pub(crate) const NAMED_ARGUMENTS: &[&str] = &["snapshot"];

/// Which snapshots of a VM are to be there, or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotWant {
    /// Names; where they are to be gone, also shell patterns.
    pub(crate) names: Vec<String>,
}

impl SnapshotWant {
    /// `snapshot`: a name or a list of names.
    pub(crate) fn parse(call: &Call) -> Result<Self, StateError> {
        let given = call.mandatory("snapshot")?;
        let names = match given.value {
            Value::Array(_) => given.list()?.iter().map(fit).collect::<Result<_, _>>()?,
            _ => vec![fit(&given)?],
        };
        if names.is_empty() {
            return Err(given.refuse("a name, or a list of names", None));
        }
        Ok(Self { names })
    }

    pub(crate) fn matches(&self, snapshot: &str) -> bool {
        self.names
            .iter()
            .any(|pattern| pattern == snapshot || sls::glob::matches(pattern, snapshot))
    }
}

/// What is put behind the time in the name of a new snapshot.
pub(crate) fn suffix(call: &Call) -> Result<Option<String>, StateError> {
    call.get("suffix").map(|given| fit(&given)).transpose()
}

/// The snapshot to go back to, where one is named.
pub(crate) fn wanted(call: &Call) -> Result<Option<String>, StateError> {
    call.get("snapshot").map(|given| fit(&given)).transpose()
}

/// Delete the snapshots that are newer than the one gone back to.
pub(crate) fn cleanup(call: &Call) -> Result<bool, StateError> {
    call.flag("cleanup", false)
}

fn fit(given: &Field) -> Result<String, StateError> {
    let name = given.word()?;
    match unfit_name(&name) {
        None => Ok(name),
        Some(why) => Err(given.refuse(
            format!("a name for a snapshot: it is {why}"),
            Some("Write letters, digits, dots, dashes and underscores".to_owned()),
        )),
    }
}
