//! From a declaration and an observation to a plan.

mod absent;
mod action;
mod connection;
pub(crate) mod keys;
mod network;
mod pool;
mod pretend;
pub use self::absent::pool::pool_secrets;
pub use pretend::WATCHED;
mod snapshot;
mod steps;
mod stored;
mod taken;
pub(crate) mod vm;
mod volume;

use self::absent::pool::Wording;
use crate::observe::{Config, Needs, Observation};
use crate::planned::ChunkPlan;
use crate::{Call, StateError, catalog};
use sls::closest;

/// What must be read of the host before [`plan`] can be asked. Checks every argument on the way.
///
/// # Errors
/// The function is unknown, or an argument cannot be used.
pub fn needs(call: &Call, config: &Config) -> Result<Needs, StateError> {
    connection::check(call, config)?;
    match (call.state, call.fun) {
        ("virt", "pool_defined" | "pool_running") => pool::needs(call),
        ("virt", "network_defined" | "network_running") => network::needs(call),
        ("virt", "defined" | "running") => vm::needs(call, config),
        ("virt", "volume_defined") => volume::needs(call),
        ("virt", "stopped" | "powered_off" | "rebooted" | "unpowered") => Ok(action::needs(call)),
        ("virt", "snapshot" | "saved" | "reverted" | "snapshot_present" | "snapshot_absent") => {
            snapshot::needs(call)
        }
        ("virt", "keys") => keys::needs(call, config),
        ("virt", "volume_present") => stored::needs_present(call),
        ("virt", "volume_absent") => stored::needs_absent(call),
        ("virt", "absent") => absent::vm::needs(call),
        ("virt", "network_absent" | "network_deleted") => absent::network::needs(call),
        ("virt", "pool_absent") => absent::pool::needs(call, Wording::Absent),
        ("virt", "pool_deleted") => absent::pool::needs(call, Wording::SaltDeleted),
        ("test", fun) if catalog::functions("test").contains(&fun) => {
            pretend::plan(call).map(|_| Needs::default())
        }
        _ => Err(unknown(call)),
    }
}

/// What else must be read before [`plan`] can be asked, now that what [`needs`] named is known; `None` when that was all.
///
/// # Errors
/// As [`plan`].
pub fn further_needs(call: &Call, seen: &Observation) -> Result<Option<Needs>, StateError> {
    match (call.state, call.fun) {
        ("virt", "absent") => absent::vm::further_needs(call, seen),
        ("virt", "volume_present") => stored::further_needs(call, seen),
        ("virt", "pool_defined" | "pool_running") => pool::further_needs(call, seen),
        ("virt", "network_defined" | "network_running") => network::further_needs(call, seen),
        ("virt", "defined" | "running") => vm::further_needs(call, seen),
        _ => Ok(None),
    }
}

/// What the state would do to the host as it was observed.
///
/// # Errors
/// As [`needs`], and when the host does not allow it or something was not read.
pub fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let notes = connection::check(call, &seen.config)?;
    let mut planned = plan_function(call, seen)?;
    planned.notes.extend(notes);
    Ok(planned)
}

fn plan_function(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    match (call.state, call.fun) {
        ("virt", "pool_defined") => pool::plan(call, seen, pool::End::Defined),
        ("virt", "pool_running") => pool::plan(call, seen, pool::End::Running),
        ("virt", "network_defined") => network::plan(call, seen, network::End::Defined),
        ("virt", "network_running") => network::plan(call, seen, network::End::Running),
        ("virt", "defined") => vm::plan(call, seen, vm::End::Defined),
        ("virt", "running") => vm::plan(call, seen, vm::End::Running),
        ("virt", "volume_defined") => volume::plan(call, seen),
        ("virt", "stopped" | "powered_off" | "rebooted" | "unpowered") => action::plan(call, seen),
        ("virt", "snapshot" | "saved" | "reverted" | "snapshot_present" | "snapshot_absent") => {
            snapshot::plan(call, seen)
        }
        ("virt", "keys") => keys::plan(call, seen),
        ("virt", "volume_present") => stored::plan_present(call, seen),
        ("virt", "volume_absent") => stored::plan_absent(call, seen),
        ("virt", "absent") => absent::vm::plan(call, seen),
        ("virt", "network_absent" | "network_deleted") => absent::network::plan(call, seen),
        ("virt", "pool_absent") => absent::pool::plan(call, seen, Wording::Absent),
        ("virt", "pool_deleted") => absent::pool::plan(call, seen, Wording::SaltDeleted),
        ("test", fun) if catalog::functions("test").contains(&fun) => pretend::plan(call),
        _ => Err(unknown(call)),
    }
}

fn unknown(call: &Call) -> StateError {
    let here = catalog::functions(call.state);
    StateError::UnknownFunction {
        state: call.state.to_owned(),
        fun: call.fun.to_owned(),
        closest: closest(call.fun, here).map(|fun| format!("{}.{fun}", call.state)),
    }
}
