//! Whether a chunk whose turn has come may run, given how its requisites ended.

use super::{Outcome, Phase, Probe, Schedule};
use crate::chunk::{Requisite, RequisiteKind};

/// The answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// First find out what these would change.
    NeedsProbe(Vec<usize>),
    Closed {
        result: Option<bool>,
        comment: String,
    },
}

/// Checks every requisite; failures weigh more than conditions that are merely not met.
pub(super) fn check(schedule: &Schedule, idx: usize) -> Gate {
    let requisites = &schedule.chunks[idx].requisites;
    let before = schedule.prerequired[idx].iter().copied();
    let failed: Vec<usize> = requisites
        .iter()
        .flat_map(|requisite| failures(schedule, requisite))
        .chain(before.filter(|other| has_failed(outcome(schedule, *other))))
        .collect();
    if !failed.is_empty() {
        return Gate::Closed {
            result: Some(false),
            comment: failure_comment(schedule, &failed),
        };
    }
    let gates = requisites
        .iter()
        .map(|requisite| condition(schedule, requisite));
    let mut unknown = Vec::new();
    for gate in gates {
        match gate {
            Gate::Open => {}
            Gate::NeedsProbe(targets) => unknown.extend(targets),
            closed @ Gate::Closed { .. } => return closed,
        }
    }
    if unknown.is_empty() {
        Gate::Open
    } else {
        Gate::NeedsProbe(unknown)
    }
}

/// The targets whose failure forbids the chunk.
fn failures(schedule: &Schedule, requisite: &Requisite) -> Vec<usize> {
    let failed: Vec<usize> = requisite
        .targets
        .iter()
        .copied()
        .filter(|target| has_failed(outcome(schedule, *target)))
        .collect();
    match requisite.kind {
        RequisiteKind::Require | RequisiteKind::Watch => failed,
        RequisiteKind::RequireAny | RequisiteKind::WatchAny
            if failed.len() == requisite.targets.len() =>
        {
            failed
        }
        _ => Vec::new(),
    }
}

/// `One or more requisite failed: vm.net0, vm.pool0`
fn failure_comment(schedule: &Schedule, failed: &[usize]) -> String {
    let mut labels: Vec<String> = Vec::new();
    for target in failed {
        let label = schedule.chunks[*target].label();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    format!("One or more requisite failed: {}", labels.join(", "))
}

/// The conditions of `onchanges`, `onfail` and `prereq`. Not met means: fine, but not run.
fn condition(schedule: &Schedule, requisite: &Requisite) -> Gate {
    let outcomes = || {
        requisite
            .targets
            .iter()
            .map(|target| outcome(schedule, *target))
    };
    let not_met = |comment: &str| Gate::Closed {
        result: Some(true),
        comment: comment.to_owned(),
    };
    if requisite.targets.is_empty() {
        return Gate::Open;
    }
    match requisite.kind {
        RequisiteKind::Onchanges | RequisiteKind::OnchangesAny => {
            let changed = outcomes().any(|outcome| outcome.changed && !has_failed(outcome));
            if changed {
                Gate::Open
            } else {
                not_met("State was not run because none of the onchanges reqs changed")
            }
        }
        RequisiteKind::Onfail | RequisiteKind::OnfailAny => {
            if outcomes().any(has_failed) {
                Gate::Open
            } else {
                not_met("State was not run because onfail req did not change")
            }
        }
        RequisiteKind::OnfailAll => {
            if outcomes().all(has_failed) {
                Gate::Open
            } else {
                not_met("State was not run because onfail req did not change")
            }
        }
        RequisiteKind::Prereq => prereq(schedule, requisite),
        _ => Gate::Open,
    }
}

fn prereq(schedule: &Schedule, requisite: &Requisite) -> Gate {
    let mut unknown = Vec::new();
    let mut would_change = false;
    for target in &requisite.targets {
        match schedule.probes[*target] {
            Probe::Done(outcome) => would_change |= outcome.changed || outcome.result.is_none(),
            Probe::NotAsked | Probe::Asked => unknown.push(*target),
        }
    }
    match (would_change, unknown.is_empty()) {
        (true, _) => Gate::Open,
        (false, false) => Gate::NeedsProbe(unknown),
        (false, true) => Gate::Closed {
            result: Some(true),
            comment: "No changes detected".to_owned(),
        },
    }
}

/// How a finished chunk ended. A chunk is only checked when those before it are finished; the targets of
/// `prereq` come after it and are never asked for here.
fn outcome(schedule: &Schedule, idx: usize) -> Outcome {
    match schedule.phases.get(idx) {
        Some(Phase::Finished(outcome)) => *outcome,
        _ => Outcome {
            result: None,
            changed: false,
        },
    }
}

fn has_failed(outcome: Outcome) -> bool {
    outcome.result == Some(false)
}
