//! `serials`, `consoles`: character devices.

use crate::StateError;
use crate::args::Field;
use crate::facts::{Fact, key_of};
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

pub(super) fn fact(list: &Field, name: &'static str) -> Result<Fact, StateError> {
    let entries: Vec<Element> = list
        .list()?
        .iter()
        .map(|item| device(item, name))
        .collect::<Result<_, _>>()?;
    let first_serial = |entry: &Element| key_of(entry, console_key) == FIRST_SERIAL;
    let key = match name {
        "console" if entries.iter().any(first_serial) => console_key,
        "console" => other_console_key,
        _ => character_key,
    };
    Ok(Fact::Set {
        parent: Place::at("devices"),
        name,
        entries,
        key,
    })
}

/// Same type, service and protocol. Source: Salt `virt._serial_or_concole_equal`.
fn character_key(node: Node) -> String {
    let protocol = match (node.attr("type"), node.attr_at("protocol", "type")) {
        // libvirt writes its default, raw.
        ("tcp", "") => "raw",
        (_, protocol) => protocol,
    };
    let service = node.attr_at("source", "service");
    format!("{} {service} {protocol}", node.attr("type"))
}

const FIRST_SERIAL: &str = "the first serial port";

/// A console on the first serial port, which is what one without a target is, is that port under another name.
fn console_key(node: Node) -> String {
    match node.attr_at("target", "type") {
        "" | "serial" => FIRST_SERIAL.to_owned(),
        _ => character_key(node),
    }
}

/// libvirt adds the console of the first serial port by itself, so it is left alone where none is declared.
fn other_console_key(node: Node) -> String {
    match console_key(node) {
        key if key == FIRST_SERIAL => String::new(),
        key => key,
    }
}

fn device(item: &Field, name: &'static str) -> Result<Element, StateError> {
    let dict = item.dict(KEYS)?;
    let kind = dict
        .get("type")
        .map_or(Ok("tcp".to_owned()), |f| f.one_of(KINDS))?;
    let text = |key| dict.get(key).map(|f| f.word()).transpose();
    let source = Element::new("source");
    let source = match kind.as_str() {
        "tcp" | "udp" => {
            let port = dict
                .get("port")
                .map(|f| f.number())
                .transpose()?
                .unwrap_or(23023);
            let tls = dict.get("tls").map(|f| f.bool()).transpose()?;
            source
                .attr("mode", "bind")
                .attr(
                    "host",
                    text("host")?.unwrap_or_else(|| "0.0.0.0".to_owned()),
                )
                .attr("service", port)
                .attr_opt("tls", tls.map(yes_no))
        }
        "unix" => source.attr("mode", "bind").attr_opt("path", text("path")?),
        _ => source.attr_opt("path", text("path")?),
    };
    let protocol = match kind.as_str() {
        "tcp" => Some(text("protocol")?.unwrap_or_else(|| "telnet".to_owned())),
        _ => None,
    };
    let (target_type, target_port) = (text("target_type")?, text("target_port")?);
    let target = (target_type.is_some() || target_port.is_some()).then(|| {
        Element::new("target")
            .attr_opt("type", target_type)
            .attr("port", target_port.unwrap_or_else(|| "0".to_owned()))
    });
    Ok(Element::new(name)
        .attr("type", kind)
        .children((!source.is_empty()).then_some(source))
        .children(protocol.map(|p| Element::new("protocol").attr("type", p)))
        .children(target))
}
