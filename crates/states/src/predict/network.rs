//! Networks.

use crate::Observation;
use domxml::read::NodeExt;
use domxml::{Document, Place};
use model::Network;
use model::plan::{ListChange, NetworkOp, NetworkSection};
use roxmltree::Node;

pub(super) fn apply(seen: &mut Observation, name: &str, op: &NetworkOp) {
    let network = seen.networks.entry(name.to_owned()).or_default();
    if let NetworkOp::Define { xml } = op {
        *network = Some(defined(network.take(), name, xml));
    } else if let NetworkOp::Undefine = op {
        *network = None;
    }
    let Some(network) = network else { return };
    match op {
        NetworkOp::Define { .. } | NetworkOp::Undefine => {}
        NetworkOp::Start => {
            network.active = true;
            network.xml_persistent = Some(network.xml.clone());
        }
        NetworkOp::Stop => {
            network.active = false;
            if let Some(xml) = network.xml_persistent.take() {
                network.xml = xml;
            }
        }
        NetworkOp::Autostart(on) => network.autostart = *on,
        NetworkOp::Update {
            section,
            change,
            parent_index,
            xml,
            live,
        } => {
            let edit = |old: &str| {
                updated(old, *section, *change, *parent_index, xml)
                    .unwrap_or_else(|| old.to_owned())
            };
            let both = network.xml_persistent.as_deref().map(edit);
            if *live || both.is_none() {
                network.xml = edit(&network.xml);
            }
            network.xml_persistent = both;
        }
    }
}

fn defined(old: Option<Network>, name: &str, xml: &str) -> Network {
    let read = domxml::network::read(xml).ok();
    let active = old.as_ref().is_some_and(|old| old.active);
    let (running, persistent) = match &old {
        Some(old) if active => (old.xml.clone(), Some(xml.to_owned())),
        _ => (xml.to_owned(), None),
    };
    Network {
        uuid: old.as_ref().map_or(uuid::Uuid::nil(), |old| old.uuid),
        name: name.to_owned(),
        active,
        autostart: old.is_some_and(|old| old.autostart),
        persistent: true,
        bridge: read.as_ref().map(|r| r.bridge.clone()).unwrap_or_default(),
        forward: read.as_ref().map(|r| r.forward.clone()).unwrap_or_default(),
        cidrs: read.as_ref().map(|r| r.cidrs.clone()).unwrap_or_default(),
        dhcp: read.is_some_and(|r| r.dhcp),
        xml: running,
        xml_persistent: persistent,
    }
}

/// The XML with one entry of a list more or less; entries are the same when all their attributes are.
fn updated(
    old: &str,
    section: NetworkSection,
    change: ListChange,
    parent_index: i32,
    entry: &str,
) -> Option<String> {
    let ip = || {
        Place::at("")
            .nth("ip", usize::try_from(parent_index).unwrap_or(0))
            .child("dhcp")
    };
    let (parent, element) = match section {
        NetworkSection::DhcpHost => (ip(), "host"),
        NetworkSection::DhcpRange => (ip(), "range"),
        NetworkSection::Portgroup => (Place::at(""), "portgroup"),
        NetworkSection::DnsHost => (Place::at("dns"), "host"),
        NetworkSection::DnsTxt => (Place::at("dns"), "txt"),
        NetworkSection::DnsSrv => (Place::at("dns"), "srv"),
        NetworkSection::ForwardInterface => (Place::at("forward"), "interface"),
    };
    let mut document = Document::new(old).ok()?;
    match change {
        ListChange::Add | ListChange::Modify => {
            document.insert_written(&parent, element, entry).ok()?
        }
        ListChange::Delete => {
            let wanted = roxmltree::Document::parse(entry).ok()?;
            let range = document.read(|root| {
                let nodes = parent.element(root)?.children_named(element);
                let same = nodes
                    .into_iter()
                    .find(|node| alike(*node, wanted.root_element()))?;
                Some(same.range())
            })?;
            document.remove_range(range).ok()?;
        }
    }
    Some(document.into_string())
}

fn alike(a: Node, b: Node) -> bool {
    let attributes = |node: Node| -> Vec<(String, String)> {
        node.attributes()
            .map(|x| (x.name().to_owned(), x.value().to_owned()))
            .collect()
    };
    attributes(a) == attributes(b)
}
