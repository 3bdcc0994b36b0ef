//! Messages of an agent as values of the model.

use agent_api::wire::{self, Kind};
use agent_api::{Malformed, facts, inventory, progress, uuid};
use db::{Outcome, Report, Snapshot};
use model::{ActionId, ActionStatus, Freshness, ObjectKind};
use uuid::Uuid;

/// How fresh a host is, and why not.
pub fn condition(wire: Option<wire::HostCondition>) -> (Freshness, String) {
    match wire {
        Some(condition) if !condition.libvirt_up => (Freshness::LibvirtDown, condition.problem),
        Some(_) | None => (Freshness::Live, String::new()),
    }
}

/// A report.
pub fn report(wire: wire::Report) -> Result<Report, Malformed> {
    Ok(Report {
        seq: wire.seq,
        objects: inventory(wire.vms, wire.pools, wire.networks)?,
        gone: wire
            .gone
            .iter()
            .map(|gone| Ok((kind(gone.kind())?, uuid("gone.uuid", &gone.uuid)?)))
            .collect::<Result<_, Malformed>>()?,
        condition: wire.condition.map(|told| condition(Some(told))),
        facts: wire.facts.map(facts),
    })
}

fn kind(kind: Kind) -> Result<ObjectKind, Malformed> {
    match kind {
        Kind::Vm => Ok(ObjectKind::Vm),
        Kind::Pool => Ok(ObjectKind::Pool),
        Kind::Network => Ok(ObjectKind::Network),
        Kind::Unspecified => Err(Malformed {
            what: "an object is gone, of no kind".to_owned(),
        }),
    }
}

/// A snapshot made by the agent process `instance`.
pub fn snapshot(instance: Uuid, wire: wire::Snapshot) -> Result<Snapshot, Malformed> {
    let objects = if wire.unchanged {
        None
    } else {
        Some(inventory(wire.vms, wire.pools, wire.networks)?)
    };
    Ok(Snapshot {
        instance,
        seq: wire.seq,
        digest: wire.digest,
        objects,
        facts: wire.facts.map(facts),
    })
}

/// What an agent says of an action.
pub fn outcome(wire: wire::ActionReport) -> Result<Outcome, Malformed> {
    let status = ActionStatus::from_word(&wire.status)
        .filter(|status| *status != ActionStatus::Queued && *status != ActionStatus::Sent)
        .ok_or_else(|| Malformed {
            what: format!("an action is {:?}", wire.status),
        })?;
    Ok(Outcome {
        id: ActionId(uuid("action_id", &wire.action_id)?),
        status,
        progress: wire.progress.map(progress),
        result: said(wire.result_json),
        error: said(wire.error),
        hint: said(wire.hint),
    })
}

fn said(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
