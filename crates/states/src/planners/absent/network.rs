//! `virt.network_absent`, `virt.network_deleted`.

use super::usage::{Users, are, nics, users};
use super::{Removal, gone_already};
use crate::planned::ChunkPlan;
use crate::planners::steps::{by, network, planned};
use crate::want::absent::{InUse, in_use};
use crate::{Call, Needs, Observation, StateError};
use model::Network;
use model::plan::{Consequence, NetworkOp, PlannedStep};

pub(in crate::planners) fn needs(call: &Call) -> Result<Needs, StateError> {
    in_use(call)?;
    Ok(Needs {
        networks: [call.name.to_owned()].into(),
        vm_patterns: ["*".to_owned()].into(),
        ..Needs::default()
    })
}

pub(in crate::planners) fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let name = call.name;
    let Some(have) = seen.network(name)? else {
        return Ok(gone_already(format!("Network {name} is absent")));
    };
    let plugged = users(seen, |vm| {
        nics(vm)
            .iter()
            .any(|nic| nic.kind == "network" && nic.source == name)
    });
    if have.active && !plugged.running.is_empty() && in_use(call)? == InUse::Refuse {
        return Err(StateError::host(
            format!(
                "{} plugged into network {name} and would lose the link",
                are(&plugged.running)
            ),
            "Shut down or move what uses the network first, or write force: True",
        ));
    }
    let mut removal = Removal::default();
    if have.active {
        removal.steps.push(stop(have, &plugged));
        removal.stopped = true;
    }
    if have.persistent {
        removal.steps.push(undefine(have));
        removal.undefined = true;
    }
    let stranded = plugged.running.iter().chain(&plugged.off);
    removal.notes.extend(stranded.map(|vm| {
        format!("VM {vm} has an interface on network {name} and cannot start without it")
    }));
    let changes = removal.changes(name);
    Ok(removal.into_plan(format!("Network {name} removed"), changes))
}

fn stop(have: &Network, plugged: &Users) -> PlannedStep {
    let name = &have.name;
    let consequence = match plugged.running.is_empty() {
        true => Consequence::Live,
        false => Consequence::Downtime,
    };
    planned(
        network(name, NetworkOp::Stop),
        consequence,
        format!("Stop network {name}"),
        by(network(name, NetworkOp::Start)),
    )
}

fn undefine(have: &Network) -> PlannedStep {
    let name = &have.name;
    let xml = have.xml_persistent.as_ref().unwrap_or(&have.xml);
    PlannedStep {
        diff: Some(model::plan::XmlDiff {
            before: xml.clone(),
            after: String::new(),
        }),
        ..planned(
            network(name, NetworkOp::Undefine),
            Consequence::None,
            format!("Remove the definition of network {name}"),
            by(network(name, NetworkOp::Define { xml: xml.clone() })),
        )
    }
}
