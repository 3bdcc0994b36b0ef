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
use crate::want::pool::{Password, PoolWant};
use crate::{Call, Map, Needs, Observation, StateError};
use domxml::{Element, Place};
use model::Pool;
use model::plan::{
    Consequence, Plan, PlannedStep, PoolOp, SecretOp, SecretUsage, Step, Undo, XmlDiff,
};

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
    let secret = want.password.map(|password| password.secret);
    Ok(Needs {
        pools: [want.name].into(),
        secrets: secret.into_iter().collect(),
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
        None => plan_new(call, &want, seen, end),
        Some(have) => plan_existing(&want, have, seen, end),
    }
}

fn plan_new(
    call: &Call,
    want: &PoolWant,
    seen: &Observation,
    end: End,
) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    let kind = want.kind.as_deref().ok_or_else(|| call.missing("ptype"))?;
    let facts = want.facts_if_new.iter().chain(&want.facts);
    let xml = edited(&object(name), &want.skeleton(kind), facts)?;
    refuse_incomplete(kind, &xml)?;
    let mut steps = password(want, seen)?;
    if want.transient {
        return Ok(start_transient(call, want, steps, xml));
    }
    steps.push(defining(
        pool(name, PoolOp::Define { xml: xml.clone() }),
        Consequence::None,
        format!("Define pool {name}"),
        pool(name, PoolOp::Undefine),
        ("", &xml),
    ));
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

/// A pool that nothing defines is started as it is made, so there is none that is only defined. Source: Salt.
fn start_transient(
    call: &Call,
    want: &PoolWant,
    mut steps: Vec<PlannedStep>,
    xml: String,
) -> ChunkPlan {
    let name = &want.name;
    let before = String::new();
    steps.push(PlannedStep {
        diff: Some(XmlDiff {
            before,
            after: xml.clone(),
        }),
        ..planned(
            pool(name, PoolOp::CreateTransient { xml }),
            Consequence::Live,
            format!("Start pool {name}, which is gone once it is stopped"),
            by(pool(name, PoolOp::Stop)),
        )
    });
    let mut planned = done(want, steps, Vec::new(), &["defined", "started"]);
    if call.get("autostart").is_some() && want.autostart {
        let note =
            "autostart: a transient pool is gone when its host stops, so it cannot start with it";
        planned.notes.push(note.to_owned());
    }
    planned
}

/// The steps after which libvirt has the password. It tells nobody which one it has, so it is set again unless this is
/// the one that was set last.
fn password(want: &PoolWant, seen: &Observation) -> Result<Vec<PlannedStep>, StateError> {
    let Some(Password { secret, value }) = &want.password else {
        return Ok(Vec::new());
    };
    let mut steps = Vec::new();
    let known = seen.secret(secret)?;
    let name = &want.name;
    let of = |op| Step::Secret {
        secret: secret.clone(),
        op,
    };
    if known.is_none() {
        let usage = match secret.usage {
            SecretUsage::Ceph => "name",
            SecretUsage::Iscsi => "target",
        };
        let usage = Element::new("usage")
            .attr("type", secret.usage.as_str())
            .child(Element::text(usage, &secret.id));
        let xml = Element::new("secret")
            .attr("ephemeral", "no")
            .attr("private", "yes")
            .child(Element::text(
                "description",
                format!("Password of storage pool {name}"),
            ))
            .child(usage)
            .to_string();
        steps.push(planned(
            of(SecretOp::Define { xml }),
            Consequence::None,
            format!("Make a secret for the password of pool {name}"),
            by(of(SecretOp::Undefine)),
        ));
    }
    if !known.is_some_and(|known| known.has(&value.0)) {
        let value = value.clone();
        steps.push(planned(
            of(SecretOp::SetValue { value }),
            Consequence::None,
            format!("Set the password of pool {name}"),
            Undo::NotNeeded("nobody can read the password that was there before"),
        ));
    }
    Ok(steps)
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

fn plan_existing(
    want: &PoolWant,
    have: &Pool,
    seen: &Observation,
    end: End,
) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    let xml = wanted_xml(want, have)?;
    // One that is to be transient, and is, gets no definition: what differs waits until it is stopped.
    let stays_transient = want.transient && !have.persistent;
    let updated = !stays_transient && (xml.is_some() || !have.persistent);
    let mut steps = password(want, seen)?;
    let mut said = Vec::new();
    let password_set = !steps.is_empty();
    if updated {
        steps.push(redefine(have, xml.as_deref().unwrap_or(&have.xml)));
        said.push("updated");
    }
    let kind = want.kind.as_deref().unwrap_or(&have.kind);
    if updated && !have.active && BUILDABLE.contains(&kind) {
        steps.push(build(name));
        said.push("built");
    }
    if want.autostart != have.autostart && !stays_transient {
        steps.push(autostart(name, want.autostart));
        if said.is_empty() {
            said.push("updated");
        }
        said.push("autostart flag changed");
    }
    if password_set {
        if said.is_empty() {
            said.push("updated");
        }
        said.push("password set");
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
    let mut planned = done(want, steps, pending, &said);
    if password_set && have.active {
        let note = format!(
            "pool {name} goes on as it is, and signs in with the password at its next start"
        );
        planned.notes.push(note);
    }
    if want.transient && have.persistent {
        planned.notes.push(format!(
            "transient: pool {name} has a definition, which stays"
        ));
    }
    Ok(planned)
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
