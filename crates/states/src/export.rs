//! The other way round: from what a host has to the SLS that declares it.
//!
//! ```text
//! VM ── candidates ──▶ declared ── plan against the same host ──▶ no step: it stays
//!                                                         └─────▶ steps: it is left out, and a comment says so
//! ```
//! Every argument is tried on the planner itself, so applying the file to the same host plans nothing. What the
//! language has no words for is not lost: definitions are edited, never replaced.

mod network;
mod pool;
mod vm;

use crate::{Call, HostPath, Map, Observation, Value, plan};
use domxml::device::NodeDevice;
use model::{Inventory, Network, Pool, Vm, Volume};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What is there.
#[derive(Debug, Clone, Default)]
pub struct Exportable {
    /// VMs, pools, networks.
    pub inventory: Inventory,
    /// Volumes of started pools, by pool and name.
    pub volumes: BTreeMap<(String, String), Volume>,
    /// Devices of the host.
    pub devices: Vec<NodeDevice>,
}

/// One declared state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared {
    /// Its ID in the file.
    id: String,
    /// `running`, `pool_running`…
    fun: &'static str,
    /// Name of the object, which the ID is unless it is taken.
    name: String,
    args: Map,
    /// What the file has no words for.
    notes: Vec<String>,
}

/// An argument that is tried, and what it is about, for people.
struct Candidate {
    argument: &'static str,
    value: Value,
    about: &'static str,
}

const fn candidate(argument: &'static str, value: Value, about: &'static str) -> Candidate {
    Candidate {
        argument,
        value,
        about,
    }
}

/// The SLS that declares these VMs with the networks and pools that they use; all VMs and all of the others when no name
/// is given.
///
/// # Errors
/// Names that no VM has.
pub fn export(names: &[String], host: &Exportable) -> Result<String, Vec<String>> {
    let inventory = &host.inventory;
    let unknown: Vec<String> = names
        .iter()
        .filter(|name| !inventory.vms.iter().any(|vm| vm.name == **name))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let vms: Vec<&Vm> = inventory
        .vms
        .iter()
        .filter(|vm| names.is_empty() || names.contains(&vm.name))
        .collect();
    let seen = observed(host);
    let (pools, networks) = used(&vms, inventory, names.is_empty());
    let mut ids = BTreeSet::new();
    let mut states = Vec::new();
    for found in pools {
        states.push(pool::declare(found, &seen, &mut ids));
    }
    for found in networks {
        states.push(network::declare(found, &seen, &mut ids));
    }
    for found in vms {
        states.push(vm::declare(found, &seen, &mut ids));
    }
    let known: Vec<(String, String)> = states
        .iter()
        .map(|state: &Declared| (kind(state.fun).to_owned(), state.name.clone()))
        .collect();
    for state in &mut states {
        require(state, &known, inventory);
    }
    Ok(page(&states))
}

/// Everything that a plan may look at.
fn observed(host: &Exportable) -> Observation {
    let inventory = &host.inventory;
    let mut seen = Observation {
        node_devices: Some(host.devices.clone()),
        ..Observation::default()
    };
    for pool in &inventory.pools {
        seen.pools.insert(pool.name.clone(), Some(pool.clone()));
        seen.listed_pools.insert(pool.name.clone());
    }
    for network in &inventory.networks {
        seen.networks
            .insert(network.name.clone(), Some(network.clone()));
    }
    for vm in &inventory.vms {
        seen.vms.insert(vm.name.clone(), Some(vm.clone()));
        seen.vm_names.push(vm.name.clone());
        for disk in vm.disks.iter().filter(|disk| disk.source.starts_with('/')) {
            let kind = match disk.source.starts_with("/dev/") {
                true => HostPath::BlockDevice,
                false => HostPath::File,
            };
            seen.paths.insert(disk.source.clone(), kind);
        }
    }
    for (key, volume) in &host.volumes {
        seen.volumes.insert(key.clone(), Some(volume.clone()));
    }
    seen
}

/// The pools and networks that the VMs use, or all.
fn used<'a>(vms: &[&Vm], inventory: &'a Inventory, all: bool) -> (Vec<&'a Pool>, Vec<&'a Network>) {
    let disks = || vms.iter().flat_map(|vm| &vm.disks);
    let nics = || vms.iter().flat_map(|vm| &vm.nics);
    let pools = inventory
        .pools
        .iter()
        .filter(|pool| all || disks().any(|disk| disk.pool.as_ref() == Some(&pool.name)));
    let networks = inventory.networks.iter().filter(|network| {
        all || nics().any(|nic| nic.kind == "network" && nic.source == network.name)
    });
    (pools.collect(), networks.collect())
}

/// Declares an object by what must be said of it, and as much of the rest as applies without a step.
fn declare(
    ids: &mut BTreeSet<String>,
    (fun, name): (&'static str, &str),
    must: Map,
    candidates: Vec<Candidate>,
    seen: &Observation,
) -> Declared {
    let mut state = Declared {
        id: id(ids, fun, name),
        fun,
        name: name.to_owned(),
        args: must,
        notes: Vec::new(),
    };
    if let Some(problem) = differs(&state, seen) {
        state
            .notes
            .push(format!("applying this changes something: {problem}"));
        return state;
    }
    for Candidate {
        argument,
        value,
        about,
    } in candidates
    {
        let before = state.args.insert(argument.to_owned(), value);
        if let Some(problem) = differs(&state, seen) {
            match before {
                Some(before) => drop(state.args.insert(argument.to_owned(), before)),
                None => drop(state.args.shift_remove(argument)),
            }
            state
                .notes
                .push(format!("{about} stays as it is: {problem}"));
        }
    }
    state
}

/// What applying the state would do to the host; `None` when nothing.
fn differs(state: &Declared, seen: &Observation) -> Option<String> {
    let call = Call {
        state: "virt",
        fun: state.fun,
        name: &state.name,
        args: &state.args,
    };
    match plan(&call, seen) {
        Ok(planned) if planned.plan.is_empty() && planned.plan.pending.is_empty() => None,
        Ok(planned) => {
            let steps = planned.plan.steps.iter().map(|step| step.summary.clone());
            let told: Vec<String> = steps.chain(planned.plan.pending.iter().cloned()).collect();
            Some(told.join("; "))
        }
        Err(error) => Some(error.to_string()),
    }
}

/// The object's name, or with its kind behind it where another state has that ID.
fn id(ids: &mut BTreeSet<String>, fun: &str, name: &str) -> String {
    let mut id = name.to_owned();
    while !ids.insert(id.clone()) {
        id = format!("{id}-{}", kind(fun));
    }
    id
}

fn kind(fun: &str) -> &str {
    match fun.split_once('_') {
        Some((kind, _)) => kind,
        None => "vm",
    }
}

/// A VM comes after the pools and networks that it needs.
fn require(state: &mut Declared, known: &[(String, String)], inventory: &Inventory) {
    let Some(vm) = inventory
        .vms
        .iter()
        .find(|vm| kind(state.fun) == "vm" && vm.name == state.name)
    else {
        return;
    };
    let pools = vm
        .disks
        .iter()
        .filter_map(|disk| Some(("pool", disk.pool.as_ref()?)));
    let networks = vm.nics.iter().filter(|nic| nic.kind == "network");
    let networks = networks.map(|nic| ("network", &nic.source));
    let mut needed: Vec<Value> = Vec::new();
    for (kind, name) in pools.chain(networks) {
        let there = known.iter().any(|(of, known)| of == kind && known == name);
        let entry = json!({ "virt": name });
        if there && !needed.contains(&entry) {
            needed.push(entry);
        }
    }
    if !needed.is_empty() {
        state
            .args
            .insert("require".to_owned(), Value::Array(needed));
    }
}

fn page(states: &[Declared]) -> String {
    let mut page = String::new();
    for state in states {
        if !page.is_empty() {
            page.push('\n');
        }
        for note in &state.notes {
            let note = note.replace(['\n', '\r'], " ");
            writeln!(page, "# {}: {note}", state.name).expect("a text can be written to");
        }
        let mut args = Vec::new();
        if state.id != state.name {
            args.push(json!({ "name": state.name }));
        }
        args.extend(state.args.iter().map(|(key, value)| json!({ key: value })));
        let fun = format!("virt.{}", state.fun);
        let text = sls::yaml::print_block(&json!({ &state.id: { fun: args } }));
        page.push_str(text.trim_end());
        page.push('\n');
    }
    page
}
