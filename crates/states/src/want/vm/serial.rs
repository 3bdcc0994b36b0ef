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

/// What is declared is there. libvirt leaves out the protocol that it takes by itself, raw.
fn same_device(want: Node, have: Node) -> bool {
    let raw = |node: Node| matches!(node.attr_at("protocol", "type"), "" | "raw");
    let parts = || want.children().filter(Node::is_element);
    want.attr("type") == have.attr("type")
        && parts().all(|part| match part.tag_name().name() {
            "protocol" if raw(want) => raw(have),
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
        _ => same_device(want, have),
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
        // libvirt takes a terminal of its own choice.
        "pty" => source,
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
