//! The fake's way with XML: `domxml` reads it, and a few splices do what libvirt does to a definition it accepts.

use super::fault::{Fault, NETWORK, QEMU, STORAGE};
use model::plan::{ListChange, NetworkOp, NetworkSection, Tuning};
use model::{Bytes, Network, Pool, Volume};
use roxmltree::{Document, Node};
use std::ops::Range;
use uuid::Uuid;

pub(super) fn domain(xml: &str) -> Result<domxml::domain::Domain, Fault> {
    domxml::domain::read(xml).map_err(|error| Fault::xml(QEMU, error))
}

/// The parts of a network that its XML tells; a nil UUID where it tells none.
pub(super) fn network(xml: &str) -> Result<Network, Fault> {
    let read = domxml::network::read(xml).map_err(|error| Fault::xml(NETWORK, error))?;
    Ok(Network {
        uuid: read.uuid.unwrap_or_default(),
        name: read.name,
        active: false,
        autostart: false,
        persistent: false,
        bridge: read.bridge,
        forward: read.forward,
        cidrs: read.cidrs,
        dhcp: read.dhcp,
        xml: xml.to_owned(),
        xml_persistent: None,
    })
}

/// The parts of a pool that its XML tells; a nil UUID where it tells none.
pub(super) fn pool(xml: &str) -> Result<Pool, Fault> {
    let read = domxml::pool::read(xml).map_err(|error| Fault::xml(STORAGE, error))?;
    if read.name.is_empty() {
        return Err(Fault::xml(STORAGE, "missing pool source name element"));
    }
    Ok(Pool {
        uuid: read.uuid.unwrap_or_default(),
        name: read.name,
        kind: read.kind,
        active: false,
        autostart: false,
        persistent: true,
        capacity: Bytes(0),
        allocation: Bytes(0),
        available: Bytes(0),
        target: read.target,
        volume_count: 0,
        xml: xml.to_owned(),
        xml_live: None,
    })
}

pub(super) fn volume(xml: &str) -> Result<Volume, Fault> {
    let read = domxml::volume::read(xml).map_err(|error| Fault::xml(STORAGE, error))?;
    if read.name.is_empty() {
        return Err(Fault::xml(STORAGE, "missing volume name element"));
    }
    Ok(read)
}

/// The definition with its `<uuid>`, which libvirt adds where it is absent.
pub(super) fn with_uuid(xml: &str, uuid: Uuid) -> Result<String, Fault> {
    let doc = parse(xml)?;
    let root = doc.root_element();
    if child(root, "uuid").is_some() {
        return Ok(xml.to_owned());
    }
    let at = child(root, "name").map_or(0, |name| name.range().end);
    if at == 0 {
        // A pool named by its source: the UUID becomes the first child.
        return Ok(insert_into(xml, root, &format!("<uuid>{uuid}</uuid>")));
    }
    Ok(splice(xml, at..at, &format!("\n  <uuid>{uuid}</uuid>")))
}

/// The definition with a MAC for every interface, which libvirt makes up where it is absent.
pub(super) fn with_macs(xml: &str, mut next: impl FnMut() -> u32) -> Result<String, Fault> {
    let mut xml = xml.to_owned();
    loop {
        let doc = parse(&xml)?;
        let bare = devices(&doc)
            .into_iter()
            .find(|d| d.has_tag_name("interface") && child(*d, "mac").is_none());
        let Some(bare) = bare else {
            return Ok(xml);
        };
        let [_, a, b, c] = next().to_be_bytes();
        let mac = format!("<mac address='52:54:00:{a:02x}:{b:02x}:{c:02x}'/>");
        xml = insert_into(&xml, bare, &mac);
    }
}

/// The running definition with one more device.
pub(super) fn add_device(xml: &str, device: &str) -> Result<String, Fault> {
    let doc = parse(xml)?;
    let added = parse(device)?;
    if find_device(&doc, &added).is_some() {
        return Err(Fault::wrong_state(
            QEMU,
            "a device with this target or address already exists",
        ));
    }
    let root = doc.root_element();
    Ok(match child(root, "devices") {
        Some(devices) => insert_into(xml, devices, device),
        None => insert_into(xml, root, &format!("<devices>{device}</devices>")),
    })
}

/// The running definition with the device of the same target or MAC replaced, or removed.
pub(super) fn replace_device(xml: &str, device: &str, by: &str) -> Result<String, Fault> {
    let doc = parse(xml)?;
    let wanted = parse(device)?;
    let found = find_device(&doc, &wanted)
        .ok_or_else(|| Fault::wrong_state(QEMU, "device not present in domain configuration"))?;
    Ok(splice(xml, found.range(), by))
}

/// The running definition after a change of what the host gives.
pub(super) fn tuned(xml: &str, tuning: &Tuning) -> Result<String, Fault> {
    let edit = || {
        let mut document = domxml::Document::new(xml)?;
        domxml::tuning::apply(&mut document, tuning)?;
        Ok(document.into_string())
    };
    edit().map_err(|error: domxml::EditError| Fault::xml(QEMU, error))
}

/// The network's definition after `op`.
pub(super) fn update_network(xml: &str, op: &NetworkOp) -> Result<String, Fault> {
    let NetworkOp::Update {
        section,
        change,
        parent_index,
        xml: entry,
        ..
    } = op
    else {
        return Ok(xml.to_owned());
    };
    let doc = parse(xml)?;
    let root = doc.root_element();
    let place = Place::of(*section, root, *parent_index)?;
    let new = parse(entry)?;
    let old = place
        .list
        .and_then(|list| find_entry(list, new.root_element(), place.keys));
    match (change, old, place.list) {
        (ListChange::Add, Some(_), _) => Err(Fault::wrong_state(
            NETWORK,
            format!("there is an existing entry in network that matches \"{entry}\""),
        )),
        (ListChange::Add, None, Some(list)) => Ok(insert_into(xml, list, entry)),
        (ListChange::Add, None, None) => {
            let tag = place.tag;
            let wrapped = format!("<{tag}>{entry}</{tag}>");
            Ok(insert_into(xml, place.holder, &wrapped))
        }
        (ListChange::Modify, Some(old), _) => Ok(splice(xml, old.range(), entry)),
        (ListChange::Delete, Some(old), _) => Ok(splice(xml, old.range(), "")),
        (ListChange::Modify | ListChange::Delete, None, _) => Err(Fault::wrong_state(
            NETWORK,
            format!("couldn't locate a matching entry in network for \"{entry}\""),
        )),
    }
}

/// Where the entries of a section of a network stand.
struct Place<'a, 'input> {
    /// The element that has, or would get, the list.
    holder: Node<'a, 'input>,
    /// The list, when it is there.
    list: Option<Node<'a, 'input>>,
    tag: &'static str,
    /// Attributes that tell one entry from another.
    keys: &'static [&'static str],
}

impl<'a, 'input> Place<'a, 'input> {
    fn of(
        section: NetworkSection,
        root: Node<'a, 'input>,
        parent_index: i32,
    ) -> Result<Self, Fault> {
        let (tag, keys): (_, &[&str]) = match section {
            NetworkSection::DhcpHost => ("dhcp", &["mac", "name", "ip"]),
            NetworkSection::DhcpRange => ("dhcp", &["start", "end"]),
            NetworkSection::DnsHost => ("dns", &["ip"]),
            NetworkSection::DnsTxt => ("dns", &["name"]),
            NetworkSection::DnsSrv => ("dns", &["service", "protocol"]),
            NetworkSection::ForwardInterface => ("forward", &["dev"]),
            NetworkSection::Portgroup => ("network", &["name"]),
        };
        let (holder, list) = match tag {
            "network" => (root, Some(root)),
            "dhcp" => {
                let ip = ip_of(root, parent_index).ok_or_else(|| {
                    Fault::wrong_state(NETWORK, "couldn't find an <ip> element to update")
                })?;
                (ip, child(ip, tag))
            }
            _ => (root, child(root, tag)),
        };
        Ok(Self {
            holder,
            list,
            tag,
            keys,
        })
    }
}

fn ip_of<'a, 'input>(root: Node<'a, 'input>, index: i32) -> Option<Node<'a, 'input>> {
    let ips = || root.children().filter(|node| node.has_tag_name("ip"));
    match usize::try_from(index) {
        Ok(index) => ips().nth(index),
        Err(_) => ips()
            .find(|ip| child(*ip, "dhcp").is_some())
            .or_else(|| ips().next()),
    }
}

/// The entry of `list` that has one of the same keys as `new`, as all its given keys agree.
fn find_entry<'a, 'input>(
    list: Node<'a, 'input>,
    new: Node,
    keys: &[&str],
) -> Option<Node<'a, 'input>> {
    let same = |node: &Node, key: &str| {
        new.attribute(key)
            .is_some_and(|value| node.attribute(key) == Some(value))
    };
    list.children()
        .filter(|node| node.has_tag_name(new.tag_name().name()))
        .find(|node| keys.iter().any(|key| same(node, key)))
}

fn find_device<'a, 'input>(
    doc: &'a Document<'input>,
    wanted: &Document,
) -> Option<Node<'a, 'input>> {
    let wanted = wanted.root_element();
    devices(doc).into_iter().find(|device| {
        device.tag_name() == wanted.tag_name() && identity(*device) == identity(wanted)
    })
}

/// What tells two devices of one kind apart.
fn identity<'a>(device: Node<'a, '_>) -> Option<String> {
    let mac = child(device, "mac").and_then(|mac| mac.attribute("address"));
    let target = child(device, "target").and_then(|target| target.attribute("dev"));
    let given = || {
        let given = device.has_tag_name("hostdev");
        given
            .then(|| domxml::device::HostDevice::of_definition(device))
            .flatten()
    };
    mac.map(str::to_ascii_lowercase)
        .or_else(|| target.map(str::to_owned))
        .or_else(|| given().map(|device| device.to_string()))
}

fn devices<'a, 'input>(doc: &'a Document<'input>) -> Vec<Node<'a, 'input>> {
    child(doc.root_element(), "devices")
        .map(|devices| devices.children().filter(Node::is_element).collect())
        .unwrap_or_default()
}

fn parse(xml: &str) -> Result<Document<'_>, Fault> {
    Document::parse(xml).map_err(|error| Fault::xml(QEMU, error))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// `xml` with `new` as the last child of `node`, which may be written as an empty element.
fn insert_into(xml: &str, node: Node, new: &str) -> String {
    let Range { start, end } = node.range();
    let text = &xml[start..end];
    let name = node.tag_name().name();
    if let Some(open) = text.strip_suffix("/>") {
        return splice(xml, start..end, &format!("{open}>{new}</{name}>"));
    }
    let close = start + text.rfind("</").unwrap_or(text.len());
    splice(xml, close..close, new)
}

fn splice(xml: &str, range: Range<usize>, new: &str) -> String {
    let mut result = xml.to_owned();
    result.replace_range(range, new);
    result
}
