//! What a running domain's XML becomes by a live change: for plans that look ahead.

use domxml::device::HostDevice;
use domxml::read::{NodeExt, parse};
use domxml::{Document, Place};
use model::plan::VmOp;
use roxmltree::Node;

/// The running definition after a live change; `None` when the change cannot be foreseen.
pub(crate) fn live_xml_after(xml: &str, op: &VmOp) -> Option<String> {
    let mut document = Document::new(xml).ok()?;
    let devices = Place::at("devices");
    match op {
        VmOp::AttachLive { xml } => {
            let (element, _) = identity(xml)?;
            document.insert_written(&devices, element, xml).ok()?;
        }
        VmOp::DetachLive { xml } => {
            let (element, key) = identity(xml)?;
            let range = document.read(|root| Some(find(root, element, &key)?.range()))?;
            document.remove_range(range).ok()?;
        }
        VmOp::UpdateLive { xml } => {
            let (element, key) = identity(xml)?;
            let range = document.read(|root| Some(find(root, element, &key)?.range()))?;
            document.remove_range(range).ok()?;
            document.insert_written(&devices, element, xml).ok()?;
        }
        VmOp::VcpusLive(count) => {
            let all = document.get(&Place::at("vcpu"))? == count.to_string();
            let current = Place::at("vcpu").attr("current");
            match all {
                true => document.remove(&current).ok()?,
                false => document.set(&current, &count.to_string()).ok()?,
            }
        }
        VmOp::MemoryLive(size) => {
            let place = Place::at("currentMemory");
            document.set(&place.clone().attr("unit"), "KiB").ok()?;
            document.set(&place, &size.kib().to_string()).ok()?;
        }
        VmOp::TuneLive(tuning) => domxml::tuning::apply(&mut document, tuning).ok()?,
        VmOp::Define { .. }
        | VmOp::Migrate(_)
        | VmOp::StartPostcopy
        | VmOp::Autostart(_)
        | VmOp::Life(_)
        | VmOp::CreateTransient { .. }
        | VmOp::SendKeys { .. }
        | VmOp::TakeSnapshot { .. }
        | VmOp::RevertTo { .. }
        | VmOp::DeleteSnapshot { .. }
        | VmOp::Undefine
        | VmOp::Purge => {}
    }
    Some(document.into_string())
}

/// The text of a device by its class and its target, MAC address or address on the host.
pub(crate) fn device_at(xml: &str, element: &str, key: &str) -> Option<String> {
    let doc = parse("domain", "domain", xml).ok()?;
    let node = find(doc.root_element(), element, key)?;
    Some(xml[node.range()].to_owned())
}

/// Class and key of a device's XML.
fn identity(xml: &str) -> Option<(&'static str, String)> {
    let doc = roxmltree::Document::parse(xml).ok()?;
    let root: Node = doc.root_element();
    let class = root.tag_name().name();
    let class = ["disk", "interface", "hostdev"]
        .into_iter()
        .find(|known| *known == class)?;
    Some((class, key_of(root)?))
}

/// What tells a device from others of its class.
fn key_of(device: Node) -> Option<String> {
    match device.tag_name().name() {
        "disk" => Some(device.attr_at("target", "dev").to_owned()),
        "interface" => Some(device.attr_at("mac", "address").to_owned()),
        "hostdev" => HostDevice::of_definition(device).map(|device| device.to_string()),
        _ => None,
    }
}

fn find<'a, 'i>(root: Node<'a, 'i>, class: &str, key: &str) -> Option<Node<'a, 'i>> {
    let devices = root.child("devices")?.children_named(class).into_iter();
    let is_meant = |known: String| known.eq_ignore_ascii_case(key);
    devices
        .into_iter()
        .find(|node| key_of(*node).is_some_and(is_meant))
}
