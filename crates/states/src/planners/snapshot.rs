//! `virt.snapshot` (`virt.saved`), `virt.reverted`, `virt.snapshot_present`, `virt.snapshot_absent`.
//!
//! Only snapshots that a revert brings back whole are taken: see [`can_snapshot`]. What stands in the way is said before
//! anything is touched. Source: Salt `virt.snapshot`, `virt.reverted`; the other two are ours.

use super::action::matching;
use super::steps::{by, planned, vm};
use crate::changes::{Changes, PerVm};
use crate::planned::{ChunkPlan, Outcome, single};
use crate::want::snapshot::{SnapshotWant, cleanup, suffix, wanted};
use crate::{Call, Needs, Observation, StateError, Value};
use model::plan::{Consequence, Plan, PlannedStep, Undo, VmOp};
use model::snapshot::{can_snapshot, newer_than, previous};
use model::{Snapshot, Vm};
use serde_json::json;
use sls::closest;

/// What every one of these states looks at: VMs by pattern or name, with their snapshots.
pub(super) fn needs(call: &Call) -> Result<Needs, StateError> {
    match call.fun {
        "reverted" => drop((wanted(call)?, cleanup(call)?)),
        "snapshot_present" | "snapshot_absent" => {
            SnapshotWant::parse(call)?;
            return Ok(Needs {
                vms: [call.name.to_owned()].into(),
                snapshots: true,
                ..Needs::default()
            });
        }
        _ => drop(suffix(call)?),
    }
    Ok(Needs {
        vm_patterns: [call.name.to_owned()].into(),
        snapshots: true,
        ..Needs::default()
    })
}

pub(super) fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    match call.fun {
        "reverted" => reverted(call, seen),
        "snapshot_present" => present(call, seen),
        "snapshot_absent" => absent(call, seen),
        _ => taken(call, seen),
    }
}

/// A snapshot on every run, named after the VM and the time. One VM that cannot have one does not keep the others from it.
fn taken(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let suffix = suffix(call)?.map_or(String::new(), |suffix| format!("-{suffix}"));
    let began = seen
        .began
        .as_deref()
        .ok_or_else(|| StateError::NotObserved {
            what: "the time".to_owned(),
        })?;
    let mut changes = PerVm {
        key: "saved",
        verb: "snapshot",
        vms: Vec::new(),
        denied: Vec::new(),
    };
    let mut steps = Vec::new();
    for (name, have) in matching(call, seen)? {
        if let Err(why) = can_snapshot(have) {
            let why = format!("no snapshot can be taken: {why}. {}", why.remedy());
            changes.denied.push((name.clone(), why));
            continue;
        }
        let snapshot = format!("{name}-{began}{suffix}");
        changes.vms.push((name.clone(), json!(snapshot)));
        steps.push(take(name, &snapshot, true));
    }
    let comment = match call.fun {
        "saved" => "Snapshots has been taken",
        _ => "Snapshot has been taken",
    };
    let deprecated = "virt.saved is deprecated: write virt.snapshot";
    let notes = (call.fun == "saved").then(|| deprecated.to_owned());
    Ok(whole(
        steps,
        notes,
        comment.to_owned(),
        Changes::PerVm(changes),
    ))
}

fn take(name: &str, snapshot: &str, dated: bool) -> PlannedStep {
    let taken = VmOp::TakeSnapshot {
        name: snapshot.to_owned(),
        dated,
    };
    let back = VmOp::DeleteSnapshot {
        snapshot: snapshot.to_owned(),
    };
    planned(
        vm(name, taken),
        Consequence::Live,
        format!("Take snapshot {snapshot} of VM {name}"),
        by(vm(name, back)),
    )
}

fn delete(name: &str, snapshot: &str) -> PlannedStep {
    let op = VmOp::DeleteSnapshot {
        snapshot: snapshot.to_owned(),
    };
    planned(
        vm(name, op),
        Consequence::DataLoss,
        format!("Delete snapshot {snapshot} of VM {name}"),
        Undo::NotNeeded("what a snapshot kept cannot be brought back"),
    )
}

/// Every matching VM goes back to the named snapshot, or to the one before the current one.
fn reverted(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let wanted = wanted(call)?;
    let cleanup = cleanup(call)?;
    let matching = matching(call, seen).map_err(|_| no_domains(call, seen))?;
    let mut steps = Vec::new();
    let mut done = Vec::new();
    for (name, _) in &matching {
        let have = seen.snapshots(name)?;
        let target = target(name, have, wanted.as_deref())?;
        steps.push(revert(name, &target.name));
        let newer = match cleanup {
            true => newer_than(have, target),
            false => Vec::new(),
        };
        steps.extend(newer.iter().map(|newer| delete(name, &newer.name)));
        let deleted: Vec<&str> = newer.iter().map(|newer| newer.name.as_str()).collect();
        done.push(json!({
            "domain": name,
            "reverted": target.name,
            "deleted": if deleted.is_empty() { json!("N/A") } else { json!(deleted) },
        }));
    }
    let comment = match matching.len() {
        1 => "Domain has been reverted",
        _ => "Domains has been reverted",
    };
    let changes = Changes::Fixed(single("reverted", Value::Array(done)));
    Ok(whole(steps, None, comment.to_owned(), changes))
}

fn revert(name: &str, snapshot: &str) -> PlannedStep {
    let op = VmOp::RevertTo {
        snapshot: snapshot.to_owned(),
    };
    planned(
        vm(name, op),
        Consequence::DataLoss,
        format!("Go back to snapshot {snapshot} of VM {name}; what came after it is lost"),
        Undo::NotNeeded("what the VM was in before cannot be brought back"),
    )
}

/// The snapshot to go back to.
fn target<'a>(
    vm: &str,
    have: &'a [Snapshot],
    wanted: Option<&str>,
) -> Result<&'a Snapshot, StateError> {
    let Some(wanted) = wanted else {
        return previous(have).ok_or_else(|| match have.len() {
            0 => StateError::host(
                format!("VM {vm} has no snapshots"),
                "Take one with virt.snapshot before there is something to go back from",
            ),
            _ => StateError::host(
                format!("VM {vm} has no snapshot before the current one"),
                format!("Name the one to go back to: snapshot: {}", have[0].name),
            ),
        });
    };
    let found = have.iter().find(|snapshot| snapshot.name == wanted);
    found.ok_or_else(|| StateError::Host {
        problem: format!("VM {vm} has no snapshot {wanted}"),
        remedy: match closest(wanted, have.iter().map(|s| s.name.as_str())) {
            Some(close) => Some(format!("Did you mean {close}?")),
            None => Some(format!("See what there is: virt.list_snapshots {vm}")),
        },
    })
}

fn no_domains(call: &Call, seen: &Observation) -> StateError {
    let known = seen.vm_names.iter().map(String::as_str);
    StateError::Host {
        problem: format!("No domains found for criteria \"{}\"", call.name),
        remedy: closest(call.name, known).map(|close| format!("Did you mean {close}?")),
    }
}

fn present(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let want = SnapshotWant::parse(call)?;
    let (name, have) = (call.name, of(call, seen)?);
    let there = seen.snapshots(name)?;
    let missing: Vec<&String> = want
        .names
        .iter()
        .filter(|wanted| !there.iter().any(|known| known.name == **wanted))
        .collect();
    if missing.is_empty() {
        let comment = format!("Domain {name} has {}", listed(&want.names));
        return Ok(whole(Vec::new(), None, comment, Changes::none()));
    }
    can_snapshot(have).map_err(|why| {
        StateError::host(
            format!("no snapshot of VM {name} can be taken: {why}"),
            why.remedy(),
        )
    })?;
    let steps = missing.iter().map(|missing| take(name, missing, false));
    let comment = format!("Took {} of domain {name}", listed(&missing));
    let changes = json!({ "taken": missing });
    Ok(whole(
        steps.collect(),
        None,
        comment,
        Changes::Fixed(single(name, changes)),
    ))
}

fn absent(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let want = SnapshotWant::parse(call)?;
    let name = call.name;
    let there: &[Snapshot] = match seen.vm(name)? {
        Some(_) => seen.snapshots(name)?,
        None => &[],
    };
    let gone: Vec<&String> = there
        .iter()
        .map(|known| &known.name)
        .filter(|known| want.matches(known))
        .collect();
    let comment = match gone.is_empty() {
        true => format!("Domain {name} has no {}", listed(&want.names)),
        false => format!("Deleted {} of domain {name}", listed(&gone)),
    };
    let changes = match gone.is_empty() {
        true => Changes::none(),
        false => Changes::Fixed(single(name, json!({ "deleted": gone }))),
    };
    let steps = gone.iter().map(|gone| delete(name, gone)).collect();
    Ok(whole(steps, None, comment, changes))
}

/// The VM of the state's name.
fn of<'a>(call: &Call, seen: &'a Observation) -> Result<&'a Vm, StateError> {
    seen.vm(call.name)?.ok_or_else(|| {
        let known = seen.vm_names.iter().map(String::as_str);
        StateError::Host {
            problem: format!("there is no VM {} on this host", call.name),
            remedy: closest(call.name, known).map(|close| format!("Did you mean {close}?")),
        }
    })
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let word = if names.len() == 1 {
        "snapshot"
    } else {
        "snapshots"
    };
    format!("{word} {}", names.join(", "))
}

fn whole(
    steps: Vec<PlannedStep>,
    note: Option<String>,
    comment: String,
    changes: Changes,
) -> ChunkPlan {
    ChunkPlan {
        plan: Plan {
            steps,
            pending: Vec::new(),
        },
        notes: note.into_iter().collect(),
        outcome: Outcome::new(comment, changes),
    }
}
