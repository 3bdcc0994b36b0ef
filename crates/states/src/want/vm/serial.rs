//! `serials`, `consoles`: character devices.

use crate::StateError;
use crate::args::Field;
use crate::facts::{Fact, key_of, says};
use crate::want::pool::yes_no;
use domxml::read::NodeExt;
use domxml::{Element, Place};
use roxmltree::Node;

const KEYS: &[&str] = &[
    "type",
    "path",
    "host",
    "port",
    "protocol",
    "tls",
    "target_port",
    "target_type",
];
const KINDS: &[&str] = &["tcp", "udp", "pty", "file", "dev", "pipe", "unix"];

const PROTOCOLS: &[&str] = &["raw", "telnet", "telnets", "tls"];
const SERIAL_TARGETS: &[&str] = &[
    "isa-serial",
    "usb-serial",
    "pci-serial",
    "spapr-vio-serial",
    "system-serial",
    "sclp-serial",
    "isa-debug",
];
const CONSOLE_TARGETS: &[&str] = &["serial", "virtio", "xen", "lxc", "openvz", "sclp", "sclplm"];

pub(super) fn fact(list: &Field, name: &'static str) -> Result<Fact, StateError> {
    let entries: Vec<Element> = list
        .list()?
        .iter()
        .map(|item| device(item, name))
        .collect::<Result<_, _>>()?;
    let first_serial = |entry: &Element| key_of(entry, target) == FIRST_SERIAL;
    let foreign: fn(Node) -> bool = match name {
        // libvirt adds the console of the first serial port by itself, so it is left alone where none is declared.
        "console" if !entries.iter().any(first_serial) => |node| target(node) == FIRST_SERIAL,
        _ => |_| false,
    };
    Ok(Fact::Like {
        parent: Place::at("devices"),
        name,
        entries,
        alike: match name {
            "console" => same_console,
            _ => same_device,
        },
        foreign,
    })
}

/// What is declared is there.
fn same_device(want: Node, have: Node) -> bool {
    let same_target = match (want.child("target"), have.child("target")) {
        (Some(want), Some(have)) => says(have, want),
        (want, _) => want.is_none(),
    };
    same_target && same_but_target(want, have)
}

/// libvirt leaves out the protocol that it takes by itself, raw.
fn same_but_target(want: Node, have: Node) -> bool {
    let raw = |node: Node| matches!(node.attr_at("protocol", "type"), "" | "raw");
    let parts = || want.children().filter(Node::is_element);
    want.attr("type") == have.attr("type")
        && parts().all(|part| match part.tag_name().name() {
            "protocol" if raw(want) => raw(have),
            "target" => true,
            name => {
                let mut like = have.children_named(name).into_iter();
                like.any(|have| says(have, part))
            }
        })
}

const FIRST_SERIAL: &str = "the first serial port";

/// A console on the first serial port, which is what one without a target is, is that port under another name.
fn same_console(want: Node, have: Node) -> bool {
    match (target(want).as_str(), target(have).as_str()) {
        (FIRST_SERIAL, FIRST_SERIAL) => true,
        (FIRST_SERIAL, _) | (_, FIRST_SERIAL) => false,
        // libvirt numbers consoles by itself.
        (want_target, have_target) => want_target == have_target && same_but_target(want, have),
    }
}

/// What a console is on.
fn target(node: Node) -> String {
    match node.attr_at("target", "type") {
        "" | "serial" => FIRST_SERIAL.to_owned(),
        other => other.to_owned(),
    }
}

fn device(item: &Field, name: &'static str) -> Result<Element, StateError> {
    let dict = item.dict(KEYS)?;
    let kind = dict
        .get("type")
        .map_or(Ok("tcp".to_owned()), |f| f.one_of(KINDS))?;
    let port = || {
        dict.get("port")
            .map_or(Ok(23023), |f| f.number_in(1, 65535))
    };
    let path = || dict.get("path").map(|f| f.path()).transpose();
    let source = Element::new("source");
    let source = match kind.as_str() {
        // libvirt wants to know where to send to, and listens on any free port.
        "udp" => source
            .attr("mode", "connect")
            .attr(
                "host",
                dict.get("host")
                    .map_or(Ok("127.0.0.1".to_owned()), |f| f.machine())?,
            )
            .attr("service", port()?),
        "tcp" => {
            let tls = dict.get("tls").map(|f| f.bool()).transpose()?;
            source
                .attr("mode", "bind")
                .attr(
                    "host",
                    dict.get("host")
                        .map_or(Ok("0.0.0.0".to_owned()), |f| f.machine())?,
                )
                .attr("service", port()?)
                .attr_opt("tls", tls.map(yes_no))
        }
        "unix" => source.attr("mode", "bind").attr_opt("path", path()?),
        // libvirt takes a terminal of its own choice.
        "pty" => source,
        _ => source.attr_opt("path", path()?),
    };
    let protocol = match kind.as_str() {
        "tcp" => Some(
            dict.get("protocol")
                .map_or(Ok("telnet".to_owned()), |f| f.one_of(PROTOCOLS))?,
        ),
        _ => None,
    };
    let target_types = match name {
        "console" => CONSOLE_TARGETS,
        _ => SERIAL_TARGETS,
    };
    let target_type = dict
        .get("target_type")
        .map(|f| f.one_of(target_types))
        .transpose()?;
    let target_port = dict
        .get("target_port")
        .map(|f| f.small_number())
        .transpose()?;
    let target = (target_type.is_some() || target_port.is_some()).then(|| {
        Element::new("target")
            .attr_opt("type", target_type)
            .attr("port", target_port.unwrap_or_default())
    });
    Ok(Element::new(name)
        .attr("type", kind)
        .children((!source.is_empty()).then_some(source))
        .children(protocol.map(|p| Element::new("protocol").attr("type", p)))
        .children(target))
}
