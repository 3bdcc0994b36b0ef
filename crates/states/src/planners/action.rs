//! `virt.stopped`, `virt.powered_off` (`virt.unpowered`), `virt.rebooted`: something done to every VM whose name matches.
//! Source: Salt `virt._virt_call`.

use super::steps::{planned, vm};
use crate::changes::{Changes, PerVm};
use crate::planned::{ChunkPlan, Outcome};
use crate::{Call, Needs, Observation, StateError, Value};
use model::plan::{Consequence, Plan, Undo, VmOp};
use model::{Admit, Request, Vm};
use sls::closest;

/// What one of the functions does, and how it says so.
struct Action {
    request: Request,
    key: &'static str,
    verb: &'static str,
    comment: &'static str,
    /// What people are told that the plan does to one VM.
    summary: &'static str,
}

fn action(fun: &str) -> Action {
    match fun {
        "stopped" => Action {
            request: Request::Shutdown,
            key: "stopped",
            verb: "shutdown",
            comment: "Machine has been shut down",
            summary: "Ask the guest to shut down",
        },
        "powered_off" | "unpowered" => Action {
            request: Request::ForceOff,
            key: "unpowered",
            verb: "stop",
            comment: "Machine has been powered off",
            summary: "Cut the power",
        },
        _ => Action {
            request: Request::Reboot,
            key: "rebooted",
            verb: "reboot",
            comment: "Machine has been rebooted",
            summary: "Ask the guest to reboot",
        },
    }
}

pub(super) fn needs(call: &Call) -> Needs {
    Needs {
        vm_patterns: [call.name.to_owned()].into(),
        ..Needs::default()
    }
}

pub(super) fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let action = action(call.fun);
    let matching = matching(call, seen)?;
    let mut changes = PerVm {
        key: action.key,
        verb: action.verb,
        vms: Vec::new(),
        denied: Vec::new(),
    };
    let mut steps = Vec::new();
    for (name, have) in matching {
        match have.admit(action.request) {
            Ok(Admit::AlreadyThere) => {}
            Err(why) => changes.denied.push((name.clone(), why.to_string())),
            Ok(Admit::Queue) => {
                changes.vms.push((name.clone(), Value::Bool(true)));
                steps.push(planned(
                    vm(name, VmOp::Life(action.request)),
                    Consequence::Downtime,
                    format!("{} of VM {name}", action.summary),
                    Undo::NotNeeded("it was asked for its own sake"),
                ));
            }
        }
    }
    Ok(ChunkPlan {
        plan: Plan {
            steps,
            pending: Vec::new(),
        },
        notes: deprecation(call.fun).into_iter().collect(),
        outcome: Outcome::new(action.comment, Changes::PerVm(changes)),
    })
}

/// The VMs whose names match the state's name: one at least.
pub(super) fn matching<'a>(
    call: &Call,
    seen: &'a Observation,
) -> Result<Vec<(&'a String, &'a Vm)>, StateError> {
    let matching: Vec<(&String, &Vm)> = seen
        .vms
        .iter()
        .filter(|(name, _)| sls::glob::matches(call.name, name))
        .filter_map(|(name, vm)| Some((name, vm.as_ref()?)))
        .collect();
    match matching.is_empty() {
        true => Err(no_match(call.name, seen)),
        false => Ok(matching),
    }
}

/// Salt keeps the older name.
fn deprecation(fun: &str) -> Option<String> {
    (fun == "unpowered").then(|| "virt.unpowered is deprecated: write virt.powered_off".to_owned())
}

fn no_match(name: &str, seen: &Observation) -> StateError {
    let known = seen.vm_names.iter().map(String::as_str);
    StateError::Host {
        problem: format!("No changes had happened: there is no VM {name} on this host"),
        remedy: closest(name, known).map(|close| format!("Did you mean {close}?")),
    }
}
