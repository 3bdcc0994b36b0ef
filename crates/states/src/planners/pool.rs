//! `virt.pool_defined`, `virt.pool_running`.
//!
//! A pool is never stopped or restarted: its VMs would lose their disks. What differs is written into the definition,
//! and the plan says that it takes effect at the next start.

use super::steps::{by, defining, planned, pool};
use super::taken;
use crate::changes::Changes;
use crate::facts::{edited, unmet};
use crate::planned::{ChunkPlan, Outcome, single};
use crate::updating::{Effect, Object};
use crate::want::pool::PoolWant;
use crate::{Call, Map, Needs, Observation, StateError};
use domxml::Place;
use model::Pool;
use model::plan::{Consequence, Plan, PlannedStep, PoolOp, Undo};

/// What the pool is to be at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Defined,
    Running,
}

/// Kinds whose storage libvirt can make. Source: Salt `virt.pool_defined`.
const BUILDABLE: &[&str] = &["disk", "fs", "netfs", "dir", "logical", "vstorage", "zfs"];

pub(super) fn needs(call: &Call) -> Result<Needs, StateError> {
    let want = PoolWant::parse(call)?;
    Ok(Needs {
        pools: [want.name].into(),
        ..Needs::default()
    })
}

/// Every pool, where the folder may be taken.
pub(super) fn further_needs(call: &Call, seen: &Observation) -> Result<Option<Needs>, StateError> {
    let want = PoolWant::parse(call)?;
    let have = seen.pool(&want.name)?;
    Ok(taken::pool_needs(&want, have))
}

pub(super) fn plan(call: &Call, seen: &Observation, end: End) -> Result<ChunkPlan, StateError> {
    let want = PoolWant::parse(call)?;
    taken::check_pool(&want, seen)?;
    match seen.pool(&want.name)? {
        None => plan_new(call, &want, end),
        Some(have) => plan_existing(&want, have, end),
    }
}

fn plan_new(call: &Call, want: &PoolWant, end: End) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    let kind = want.kind.as_deref().ok_or_else(|| call.missing("ptype"))?;
    let facts = want.facts_if_new.iter().chain(&want.facts);
    let xml = edited(&object(name), &want.skeleton(kind), facts)?;
    refuse_incomplete(kind, &xml)?;
    let mut steps = vec![defining(
        pool(name, PoolOp::Define { xml: xml.clone() }),
        Consequence::None,
        format!("Define pool {name}"),
        pool(name, PoolOp::Undefine),
        ("", &xml),
    )];
    let mut said = vec!["defined"];
    if BUILDABLE.contains(&kind) {
        steps.push(build(name));
    }
    if want.autostart {
        steps.push(autostart(name, true));
        said.push("marked for autostart");
    }
    if end == End::Running {
        steps.push(start(name));
        said.push("started");
    }
    Ok(done(want, steps, Vec::new(), &said))
}

/// What libvirt needs to know of a pool of a kind: the place in its XML, and the parameter.
/// Source: libvirt formatstorage.
const NEEDED: &[(&[&str], &str, &str)] = &[
    (
        &[
            "dir", "fs", "netfs", "disk", "iscsi", "scsi", "mpath", "vstorage",
        ],
        "target/path",
        "target",
    ),
    (
        &["netfs", "iscsi", "iscsi-direct", "gluster"],
        "source/host",
        "source: hosts",
    ),
    (&["netfs"], "source/dir", "source: dir"),
    (
        &["fs", "disk", "iscsi", "iscsi-direct"],
        "source/device",
        "source: devices",
    ),
    (&["iscsi-direct"], "source/initiator", "source: initiator"),
    (&["scsi"], "source/adapter", "source: adapter"),
    (
        &["rbd", "gluster", "sheepdog"],
        "source/name",
        "source: name",
    ),
];

fn refuse_incomplete(kind: &str, xml: &str) -> Result<(), StateError> {
    let doc = domxml::read::parse("pool", "pool", xml)
        .map_err(|error| StateError::definition("the pool", error))?;
    let absent = |place: &'static str| Place::at(place).element(doc.root_element()).is_none();
    let mut needed = NEEDED.iter().filter(|(kinds, ..)| kinds.contains(&kind));
    match needed.find(|(_, place, _)| absent(place)) {
        None => Ok(()),
        Some((_, _, parameter)) => Err(StateError::Argument {
            path: (*parameter).to_owned(),
            found: "nothing".to_owned(),
            expected: format!("enough for a pool of type {kind}"),
            remedy: Some(format!("Add {parameter}")),
        }),
    }
}

fn plan_existing(want: &PoolWant, have: &Pool, end: End) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    let xml = wanted_xml(want, have)?;
    let updated = xml.is_some() || !have.persistent;
    let mut steps = Vec::new();
    let mut said = Vec::new();
    if updated {
        steps.push(redefine(have, xml.as_deref().unwrap_or(&have.xml)));
        said.push("updated");
    }
    let kind = want.kind.as_deref().unwrap_or(&have.kind);
    if updated && !have.active && BUILDABLE.contains(&kind) {
        steps.push(build(name));
        said.push("built");
    }
    if want.autostart != have.autostart {
        steps.push(autostart(name, want.autostart));
        if said.is_empty() {
            said.push("updated");
        }
        said.push("autostart flag changed");
    }
    if end == End::Running && !have.active {
        steps.push(start(name));
        said.push("started");
    }
    let pending = pending(want, have)?;
    if steps.is_empty() {
        let comment = match end {
            End::Defined => format!("Pool {name} unchanged"),
            End::Running => format!("Pool {name} already running"),
        };
        return Ok(chunk_plan(want, steps, pending, comment, Map::new()));
    }
    Ok(done(want, steps, pending, &said))
}

/// The definition with what is declared; `None` when it says so already.
fn wanted_xml(want: &PoolWant, have: &Pool) -> Result<Option<String>, StateError> {
    let object = object(&want.name);
    if let Some(kind) = want.kind.as_deref().filter(|kind| *kind != have.kind) {
        // Nothing of another kind's source means anything here, so the definition is made anew under the same UUID.
        let mut xml = domxml::Document::new(want.skeleton(kind))
            .map_err(|error| StateError::definition(&object, error))?;
        xml.set(&Place::at("uuid"), &have.uuid.to_string())
            .map_err(|error| StateError::definition(&object, error))?;
        let new = edited(&object, xml.as_str(), &want.facts)?;
        refuse_incomplete(kind, &new)?;
        return Ok(Some(new));
    }
    let new = edited(&object, &have.xml, &want.facts)?;
    Ok((new != have.xml).then_some(new))
}

/// What is declared and the running pool does not have.
fn pending(want: &PoolWant, have: &Pool) -> Result<Vec<String>, StateError> {
    if !have.active {
        return Ok(Vec::new());
    }
    let live = have.xml_live.as_deref().unwrap_or(&have.xml);
    let live = domxml::read::parse("pool", "pool", live)
        .map_err(|error| StateError::definition(object(&want.name), error))?;
    let root = live.root_element();
    let facts = unmet(root, &want.facts);
    let kind = want.kind.iter().filter(|kind| **kind != have.kind);
    Ok(kind
        .map(|kind| {
            format!(
                "type: {} now, {kind} {}",
                have.kind,
                Effect::Stopping.when()
            )
        })
        .chain(facts.iter().map(|fact| fact.waiting(root, Object::Pool)))
        .collect())
}

fn redefine(have: &Pool, xml: &str) -> PlannedStep {
    let name = &have.name;
    let consequence = if have.active {
        Consequence::NextBoot
    } else {
        Consequence::None
    };
    // A transient pool had no definition to go back to.
    let back = match have.persistent {
        true => PoolOp::Define {
            xml: have.xml.clone(),
        },
        false => PoolOp::Undefine,
    };
    defining(
        pool(
            name,
            PoolOp::Define {
                xml: xml.to_owned(),
            },
        ),
        consequence,
        format!("Update the definition of pool {name}"),
        pool(name, back),
        (&have.xml, xml),
    )
}

fn build(name: &str) -> PlannedStep {
    planned(
        pool(name, PoolOp::Build),
        Consequence::None,
        format!("Make the storage of pool {name} where it is not there yet"),
        Undo::NotNeeded("what was built is empty, and what was there before must not be removed"),
    )
}

fn autostart(name: &str, on: bool) -> PlannedStep {
    let word = if on { "Start" } else { "Do not start" };
    planned(
        pool(name, PoolOp::Autostart(on)),
        Consequence::None,
        format!("{word} pool {name} with its host"),
        by(pool(name, PoolOp::Autostart(!on))),
    )
}

fn start(name: &str) -> PlannedStep {
    planned(
        pool(name, PoolOp::Start),
        Consequence::Live,
        format!("Start pool {name}"),
        by(pool(name, PoolOp::Stop)),
    )
}

/// A plan with steps: the same words in the comment and in the changes.
fn done(
    want: &PoolWant,
    steps: Vec<PlannedStep>,
    pending: Vec<String>,
    said: &[&str],
) -> ChunkPlan {
    let words = said.join(", ");
    let comment = format!("Pool {} {words}", want.name);
    let changes = single(&want.name, format!("Pool {words}"));
    chunk_plan(want, steps, pending, comment, changes)
}

fn chunk_plan(
    want: &PoolWant,
    steps: Vec<PlannedStep>,
    pending: Vec<String>,
    comment: String,
    changes: Map,
) -> ChunkPlan {
    ChunkPlan {
        plan: Plan { steps, pending },
        notes: want.notes.clone(),
        outcome: Outcome::new(comment, Changes::Fixed(changes)),
    }
}

fn object(name: &str) -> String {
    format!("pool {name}")
}
