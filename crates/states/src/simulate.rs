//! What a running domain's XML becomes by a live change: for plans that look ahead.

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
            document.remove(&device_place(element, &key)).ok()?;
        }
        VmOp::UpdateLive { xml } => {
            let (element, key) = identity(xml)?;
            document.remove(&device_place(element, &key)).ok()?;
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
        VmOp::Define { .. }
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

/// The text of a device by its class and its target or MAC address.
pub(crate) fn device_at(xml: &str, element: &str, key: &str) -> Option<String> {
    let doc = parse("domain", "domain", xml).ok()?;
    let place = match element {
        "disk" => device_place("disk", key),
        "interface" => device_place("interface", key),
        _ => return None,
    };
    let node = place.element(doc.root_element())?;
    Some(xml[node.range()].to_owned())
}

/// Class and key of a device's XML.
fn identity(xml: &str) -> Option<(&'static str, String)> {
    let doc = roxmltree::Document::parse(xml).ok()?;
    let root: Node = doc.root_element();
    match root.tag_name().name() {
        "disk" => Some(("disk", root.attr_at("target", "dev").to_owned())),
        "interface" => Some(("interface", root.attr_at("mac", "address").to_owned())),
        _ => None,
    }
}

fn device_place(element: &'static str, key: &str) -> Place {
    let devices = Place::at("devices");
    match element {
        "disk" => devices.holding("disk", "target", "dev", key),
        _ => devices.holding("interface", "mac", "address", key),
    }
}
