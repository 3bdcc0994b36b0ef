//! `cpu: tuning: cachetune` and `memorytune`: shares of the host's caches and memory bandwidth.
//! Source: libvirt formatdomain, "CPU Tuning"; libvirt counts sizes without a unit in KiB.

use super::attribute_key;
use super::cpu::checked_cpuset;
use crate::StateError;
use crate::args::Field;
use crate::facts::{Fact, cpuset};
use domxml::read::{KIB, NodeExt, size};
use domxml::{Element, Place};
use roxmltree::Node;

/// `{cpuset: {cache id: {level, type, size}, monitor: {cpuset: level}}}`.
pub(super) fn caches(field: &Field) -> Result<Fact, StateError> {
    let mut entries = Vec::new();
    for (vcpus, field) in sets(field)? {
        let mut entry = Element::new("cachetune").attr("vcpus", &vcpus);
        for (key, field) in field.any_dict()?.entries() {
            entry = match key {
                "monitor" => entry.children(monitors(&field)?),
                id => entry.child(cache(id, &field)?),
            };
        }
        entries.push(entry);
    }
    Ok(set("cachetune", entries))
}

/// `{cpuset: {node id: bandwidth}}`, the bandwidth in percent or in MB/s, as the host's driver counts it.
pub(super) fn bandwidths(field: &Field) -> Result<Fact, StateError> {
    let mut entries = Vec::new();
    for (vcpus, field) in sets(field)? {
        let mut entry = Element::new("memorytune").attr("vcpus", &vcpus);
        for (id, field) in field.any_dict()?.entries() {
            let node = Element::new("node")
                .attr("id", number(id, &field)?)
                .attr("bandwidth", field.small_number()?);
            entry = entry.child(node);
        }
        entries.push(entry);
    }
    Ok(set("memorytune", entries))
}

fn cache(id: &str, field: &Field) -> Result<Element, StateError> {
    let dict = field.dict(&["level", "type", "size"])?;
    let kinds = ["both", "code", "data"];
    let element = Element::new("cache")
        .attr("id", number(id, field)?)
        .attr("level", dict.need("level")?.number_in(1, 3)?)
        .attr("type", dict.need("type")?.one_of(&kinds)?);
    let size = dict.need("size")?;
    Ok(match size.number() {
        Ok(_) => element
            .attr("size", size.small_number()?)
            .attr("unit", "KiB"),
        Err(_) => element
            .attr("size", size.memory_size()?.kib())
            .attr("unit", "KiB"),
    })
}

fn monitors(field: &Field) -> Result<Vec<Element>, StateError> {
    sets(field)?
        .into_iter()
        .map(|(vcpus, level)| {
            Ok(Element::new("monitor")
                .attr("level", level.number_in(3, 3)?)
                .attr("vcpus", vcpus))
        })
        .collect()
}

/// The entries of a dictionary whose keys are sets of vCPUs.
fn sets<'a>(field: &Field<'a>) -> Result<Vec<(String, Field<'a>)>, StateError> {
    let entries = field.any_dict()?.entries().into_iter();
    entries
        .map(|(key, value)| {
            let written = crate::Value::from(key);
            let key = Field {
                path: field.path.clone(),
                value: &written,
            };
            Ok((checked_cpuset(&key)?, value))
        })
        .collect()
}

/// The id of a cache or of a NUMA node, which is the key of `field`.
fn number(id: &str, field: &Field) -> Result<u32, StateError> {
    id.parse().map_err(|_| StateError::Argument {
        path: field.path.clone(),
        found: format!("{id:?}"),
        expected: "the number of a cache or of a memory node of the host".to_owned(),
        remedy: None,
    })
}

fn set(name: &'static str, entries: Vec<Element>) -> Fact {
    Fact::Set {
        parent: Place::at("cputune"),
        name,
        entries,
        key,
    }
}

/// All that an entry says, with CPU sets and sizes by their meaning.
fn key(entry: Node) -> String {
    let vcpus = |node: Node| match cpuset(node.attr("vcpus")) {
        Some(set) => format!("{set:?}"),
        None => node.attr("vcpus").to_owned(),
    };
    let mut parts: Vec<String> = entry
        .children()
        .filter(Node::is_element)
        .map(|child| match child.tag_name().name() {
            "cache" => {
                let bytes = size(child.attr("size"), child.attribute("unit"), KIB);
                let named = attribute_key(child, &["id", "level", "type"]);
                format!("cache {named} {bytes:?}")
            }
            "monitor" => format!("monitor {} {}", child.attr("level"), vcpus(child)),
            _ => format!("node {}", attribute_key(child, &["id", "bandwidth"])),
        })
        .collect();
    parts.sort();
    format!("{}: {}", vcpus(entry), parts.join(", "))
}
