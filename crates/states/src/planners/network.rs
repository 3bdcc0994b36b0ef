//! `virt.network_defined`, `virt.network_running`.
//!
//! A network is never restarted: its VMs would lose their link. Entries that libvirt can change while it runs (DHCP
//! ranges and hosts, DNS) are changed at once; anything else is written into the definition, and the plan says that it
//! takes effect at the next start.

use super::steps::{by, defining, network, planned};
use super::taken;
use crate::changes::Changes;
use crate::facts::{Fact, edited, key_of, unmet};
use crate::planned::{ChunkPlan, Outcome, single};
use crate::updating::{Effect, Object, effect_of};
use crate::want::network::NetworkWant;
use crate::{Call, Map, Needs, Observation, StateError};
use domxml::Place;
use domxml::read::{NodeExt, parse};
use model::Network;
use model::plan::{Consequence, ListChange, NetworkOp, NetworkSection, Plan, PlannedStep};
use roxmltree::Node;

pub(super) use super::pool::End;

pub(super) fn needs(call: &Call) -> Result<Needs, StateError> {
    let want = NetworkWant::parse(call)?;
    Ok(Needs {
        networks: [want.name].into(),
        ..Needs::default()
    })
}

/// Every network, where the bridge or the addresses may be taken.
pub(super) fn further_needs(call: &Call, seen: &Observation) -> Result<Option<Needs>, StateError> {
    let want = NetworkWant::parse(call)?;
    let have = seen.network(&want.name)?;
    Ok(taken::network_needs(&want, have))
}

pub(super) fn plan(call: &Call, seen: &Observation, end: End) -> Result<ChunkPlan, StateError> {
    let want = NetworkWant::parse(call)?;
    taken::check_network(&want, seen)?;
    match seen.network(&want.name)? {
        None => plan_new(&want, end),
        Some(have) => plan_existing(&want, have, end),
    }
}

fn plan_new(want: &NetworkWant, end: End) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    let xml = with_facts(want, &want.skeleton())?;
    let mut steps = vec![defining(
        network(name, NetworkOp::Define { xml: xml.clone() }),
        Consequence::None,
        format!("Define network {name}"),
        network(name, NetworkOp::Undefine),
        ("", &xml),
    )];
    let mut words = "defined".to_owned();
    if want.autostart {
        steps.push(autostart(name, true));
        words.push_str(", marked for autostart");
    }
    if end == End::Running {
        steps.push(start(name));
        words.push_str(" and started");
    }
    let changes = single(name, format!("Network {words}"));
    Ok(chunk_plan(
        format!("Network {name} {words}"),
        changes,
        steps,
        Vec::new(),
    ))
}

fn plan_existing(want: &NetworkWant, have: &Network, end: End) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    let old = have.xml_persistent.as_deref().unwrap_or(&have.xml);
    let (mut steps, pending) = changes_of(want, have, old)?;
    let mut words = if steps.is_empty() {
        "unchanged".to_owned()
    } else {
        "updated".to_owned()
    };
    if want.autostart != have.autostart {
        steps.push(autostart(name, want.autostart));
        "updated, autostart flag changed".clone_into(&mut words);
    }
    let updated = !steps.is_empty();
    let mut changed = updated.then(|| format!("Network {words}"));
    match (end, have.active) {
        (End::Defined, _) => {}
        (End::Running, true) => words.push_str(" and is running"),
        (End::Running, false) => {
            steps.push(start(name));
            words.push_str(" and started");
            changed = Some(match changed {
                Some(changed) => format!("{changed} and started"),
                None => "Network started".to_owned(),
            });
        }
    }
    let changes = changed.map_or_else(Map::new, |changed| single(name, changed));
    Ok(chunk_plan(
        format!("Network {name} {words}"),
        changes,
        steps,
        pending,
    ))
}

/// The steps that change the definition and the running network, and what has to wait for a start.
fn changes_of(
    want: &NetworkWant,
    have: &Network,
    old: &str,
) -> Result<(Vec<PlannedStep>, Vec<String>), StateError> {
    let name = &want.name;
    let new = redefined(want, have, old)?;
    if !have.active {
        let steps = (new != old || !have.persistent).then(|| define(have, old, &new));
        return Ok((steps.into_iter().collect(), Vec::new()));
    }
    let live = parse("network", "network", &have.xml).map_err(|e| bad(name, e))?;
    let live = live.root_element();
    let persistent = parse("network", "network", old).map_err(|e| bad(name, e))?;
    let persistent = persistent.root_element();
    let facts = want.facts(live);
    let (mut steps, mut updated) = (Vec::new(), Vec::new());
    for fact in unmet(live, &facts) {
        if have.persistent
            && let Some(update) = live_update(name, fact, live, persistent)
        {
            steps.extend(update);
            updated.push(fact);
        }
    }
    // What the updates leave behind decides whether the definition has to be written, too.
    let after = edited(&object(name), old, updated.iter().copied())?;
    if new != after || !have.persistent {
        steps.push(define(have, &after, &new));
    }
    let pending = unmet(live, &facts)
        .into_iter()
        .filter(|fact| !updated.iter().any(|done| std::ptr::eq(*done, *fact)))
        .map(|fact| fact.waiting(live, Object::Network))
        .collect();
    Ok((steps, pending))
}

/// The definition with what is declared.
fn redefined(want: &NetworkWant, have: &Network, old: &str) -> Result<String, StateError> {
    let was = domxml::network::read(old).map_err(|e| bad(&want.name, e))?;
    let managed = NetworkWant::is_managed(want.forward.as_deref());
    if managed == NetworkWant::is_managed(Some(&was.forward)) {
        return with_facts(want, old);
    }
    // A bridge of the host takes no MAC address, no addresses and no DHCP from libvirt, so nothing is carried over.
    let mut document = domxml::Document::new(want.skeleton()).map_err(|e| bad(&want.name, e))?;
    document
        .set(&Place::at("uuid"), &have.uuid.to_string())
        .map_err(|e| bad(&want.name, e))?;
    with_facts(want, document.as_str())
}

fn with_facts(want: &NetworkWant, xml: &str) -> Result<String, StateError> {
    let doc = parse("network", "network", xml).map_err(|e| bad(&want.name, e))?;
    let facts = want.facts(doc.root_element());
    let new = edited(&object(&want.name), xml, &facts)?;
    let read = domxml::network::read(&new).map_err(|e| bad(&want.name, e))?;
    if matches!(read.forward.as_str(), "nat" | "route") && read.cidrs.is_empty() {
        return Err(StateError::Argument {
            path: "forward".to_owned(),
            found: format!("{:?}", read.forward),
            expected: "possible without an address".to_owned(),
            remedy: Some("Add ipv4_config: {cidr: 192.168.44.0/24} or another".to_owned()),
        });
    }
    Ok(new)
}

/// The updates that make a fact hold in the running network and its definition at once; `None` when libvirt cannot.
fn live_update(name: &str, fact: &Fact, live: Node, persistent: Node) -> Option<Vec<PlannedStep>> {
    let Fact::Set {
        parent,
        name: element,
        entries,
        key,
    } = fact
    else {
        return None;
    };
    if effect_of(Object::Network, fact) != Effect::Live {
        return None;
    }
    let section = section_of(&parent.to_string(), element)?;
    let keys = |root| -> Vec<(String, String)> {
        let nodes = parent
            .element(root)
            .map(|p: Node| p.children_named(element));
        nodes
            .unwrap_or_default()
            .into_iter()
            .map(|node: Node| (key(node), text_of(node)))
            .collect()
    };
    let (now, defined) = (keys(live), keys(persistent));
    // One call changes both, so both must be alike before.
    if now
        .iter()
        .map(|(k, _)| k)
        .ne(defined.iter().map(|(k, _)| k))
    {
        return None;
    }
    let parent_index = match section {
        NetworkSection::DhcpHost | NetworkSection::DhcpRange => ip_index(parent, live)?,
        _ => -1,
    };
    let wanted: Vec<(String, String)> = entries
        .iter()
        .map(|entry| (key_of(entry, *key), entry.to_xml(0)))
        .collect();
    let missing_in = |list: &[(String, String)], other: &[(String, String)]| -> Vec<String> {
        list.iter()
            .filter(|(k, _)| !other.iter().any(|(o, _)| o == k))
            .map(|(_, xml)| xml.clone())
            .collect()
    };
    let gone = missing_in(&now, &wanted)
        .into_iter()
        .map(|xml| (ListChange::Delete, xml));
    let come = missing_in(&wanted, &now)
        .into_iter()
        .map(|xml| (ListChange::Add, xml));
    let step = |(change, xml)| update(name, section, change, parent_index, xml);
    Some(gone.chain(come).map(step).collect())
}

fn section_of(parent: &str, element: &str) -> Option<NetworkSection> {
    Some(match (parent, element) {
        ("forward", "interface") => NetworkSection::ForwardInterface,
        ("dns", "host") => NetworkSection::DnsHost,
        ("dns", "txt") => NetworkSection::DnsTxt,
        ("dns", "srv") => NetworkSection::DnsSrv,
        (dhcp, "range") if dhcp.ends_with("/dhcp") => NetworkSection::DhcpRange,
        (dhcp, "host") if dhcp.ends_with("/dhcp") => NetworkSection::DhcpHost,
        _ => return None,
    })
}

/// Which `<ip>` a `<dhcp>` place is in; `None` when that one is not there yet.
fn ip_index(dhcp: &Place, live: Node) -> Option<i32> {
    let ips = live.children_named("ip");
    (0..ips.len())
        .find(|index| *dhcp == Place::at("").nth("ip", *index).child("dhcp"))
        .and_then(|index| i32::try_from(index).ok())
}

fn text_of(node: Node) -> String {
    node.document().input_text()[node.range()].to_owned()
}

fn update(
    name: &str,
    section: NetworkSection,
    change: ListChange,
    parent_index: i32,
    xml: String,
) -> PlannedStep {
    let op = |change| NetworkOp::Update {
        section,
        change,
        parent_index,
        xml: xml.clone(),
        live: true,
    };
    let (word, back) = match change {
        ListChange::Delete => ("Remove", ListChange::Add),
        ListChange::Add | ListChange::Modify => ("Add", ListChange::Delete),
    };
    let what = match section {
        NetworkSection::DhcpHost => "a DHCP host",
        NetworkSection::DhcpRange => "a DHCP range",
        NetworkSection::Portgroup => "a port group",
        NetworkSection::DnsHost => "a DNS host",
        NetworkSection::DnsTxt => "a DNS text",
        NetworkSection::DnsSrv => "a DNS service",
        NetworkSection::ForwardInterface => "a forward interface",
    };
    planned(
        network(name, op(change)),
        Consequence::Live,
        format!("{word} {what} of network {name} while it runs"),
        by(network(name, op(back))),
    )
}

fn define(have: &Network, before: &str, after: &str) -> PlannedStep {
    let name = &have.name;
    let consequence = if have.active {
        Consequence::NextBoot
    } else {
        Consequence::None
    };
    let xml = |xml: &str| NetworkOp::Define {
        xml: xml.to_owned(),
    };
    // A transient network had no definition to go back to.
    let back = match have.persistent {
        true => xml(before),
        false => NetworkOp::Undefine,
    };
    defining(
        network(name, xml(after)),
        consequence,
        format!("Update the definition of network {name}"),
        network(name, back),
        (before, after),
    )
}

fn autostart(name: &str, on: bool) -> PlannedStep {
    let word = if on { "Start" } else { "Do not start" };
    planned(
        network(name, NetworkOp::Autostart(on)),
        Consequence::None,
        format!("{word} network {name} with its host"),
        by(network(name, NetworkOp::Autostart(!on))),
    )
}

fn start(name: &str) -> PlannedStep {
    planned(
        network(name, NetworkOp::Start),
        Consequence::Live,
        format!("Start network {name}"),
        by(network(name, NetworkOp::Stop)),
    )
}

fn chunk_plan(
    comment: String,
    changes: Map,
    steps: Vec<PlannedStep>,
    pending: Vec<String>,
) -> ChunkPlan {
    ChunkPlan {
        plan: Plan { steps, pending },
        notes: Vec::new(),
        outcome: Outcome::new(comment, Changes::Fixed(changes)),
    }
}

fn bad(name: &str, error: impl ToString) -> StateError {
    StateError::definition(object(name), error)
}

fn object(name: &str) -> String {
    format!("network {name}")
}
