//! `mem`: a size, or a dictionary; `numatune`.

use super::{only, row};
use crate::StateError;
use crate::args::{Dict, Field};
use crate::facts::{Compare, Fact, cpuset};
use domxml::read::{KIB, NodeExt, size};
use domxml::{Element, Place};
use model::Bytes;

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) current: Option<Bytes>,
    /// Enough is said for a new VM.
    pub(super) enough: bool,
    pub(super) facts: Vec<Fact>,
}

pub(super) fn read(mem: &Field) -> Result<Memory, StateError> {
    if mem.value.is_object() {
        return dictionary(mem);
    }
    if mem.value.as_u64() == Some(0) {
        // Salt: zero leaves the size as it is.
        return Ok(Memory::default());
    }
    let size = mem.memory_size()?;
    Ok(Memory {
        current: Some(size),
        enough: true,
        facts: vec![
            memory(Place::at("memory"), size),
            memory(Place::at("currentMemory"), size),
        ],
    })
}

fn memory(place: Place, size: Bytes) -> Fact {
    Fact::comparing(place, size.0, Compare::Memory)
}

const KEYS: &[&str] = &[
    "boot",
    "current",
    "max",
    "slots",
    "hard_limit",
    "soft_limit",
    "swap_hard_limit",
    "min_guarantee",
    "hugepages",
    "nosharepages",
    "locked",
    "discard",
    "source",
    "access",
    "allocation",
];

fn dictionary(mem: &Field) -> Result<Memory, StateError> {
    let dict = mem.dict(KEYS)?;
    let size = |key| dict.get(key).map(|f| f.memory_size()).transpose();
    let (boot, current) = (size("boot")?, size("current")?);
    let mut facts = Vec::new();
    for (key, place) in [
        ("max", Place::at("maxMemory")),
        ("boot", Place::at("memory")),
        ("current", Place::at("currentMemory")),
        ("hard_limit", Place::at("memtune/hard_limit")),
        ("soft_limit", Place::at("memtune/soft_limit")),
        ("swap_hard_limit", Place::at("memtune/swap_hard_limit")),
        ("min_guarantee", Place::at("memtune/min_guarantee")),
    ] {
        match dict.given(key) {
            // There is no VM without memory.
            Some(field) if field.is_null() && key != "boot" => facts.push(Fact::Absent(place)),
            Some(field) => facts.push(memory(place, field.memory_size()?)),
            None => {}
        }
    }
    facts.extend(row(
        &dict,
        "slots",
        Place::at("maxMemory").attr("slots"),
        |f| Ok(f.count()?.to_string()),
    )?);
    facts.extend(backing(&dict)?);
    Ok(Memory {
        current: current.or(boot),
        enough: boot.is_some(),
        facts,
    })
}

fn backing(dict: &Dict) -> Result<Vec<Fact>, StateError> {
    let root = || Place::at("memoryBacking");
    let mut facts = Vec::new();
    if let Some(pages) = dict.get("hugepages") {
        let entries = pages
            .list()?
            .iter()
            .map(huge_page)
            .collect::<Result<_, _>>()?;
        facts.push(Fact::Set {
            parent: root().child("hugepages"),
            name: "page",
            entries,
            key: |node| {
                let bytes =
                    size(node.attr("size"), node.attribute("unit"), KIB).unwrap_or_default();
                format!("{} {:?}", bytes.0, cpuset(node.attr("nodeset")))
            },
        });
    }
    for key in ["nosharepages", "locked", "discard"] {
        if let Some(field) = dict.given(key) {
            let on = !field.is_null() && field.bool()?;
            let place = root().child(flag_element(key));
            facts.push(if on {
                Fact::text(place, "")
            } else {
                Fact::Absent(place)
            });
        }
    }
    let words: [(&str, &'static str, &'static str, &[&str]); 3] = [
        ("source", "source", "type", &["file", "anonymous", "memfd"]),
        ("access", "access", "mode", &["shared", "private"]),
        (
            "allocation",
            "allocation",
            "mode",
            &["immediate", "ondemand"],
        ),
    ];
    for (key, element, attribute, allowed) in words {
        let place = root().child(element).attr(attribute);
        facts.extend(row(dict, key, place, |f| f.one_of(allowed))?);
    }
    Ok(facts)
}

fn flag_element(key: &str) -> &'static str {
    match key {
        "nosharepages" => "nosharepages",
        "locked" => "locked",
        _ => "discard",
    }
}

fn huge_page(item: &Field) -> Result<Element, StateError> {
    let item = item.dict(&["size", "nodeset"])?;
    let size = item.need("size")?.memory_size()?;
    Ok(Element::new("page")
        .attr("size", size.kib())
        .attr("unit", "KiB")
        .attr_opt(
            "nodeset",
            item.get("nodeset")
                .map(|f| super::cpu::checked_cpuset(&f))
                .transpose()?,
        ))
}

/// `numatune`: where the host takes the memory from.
pub(super) fn numatune(numatune: &Field) -> Result<Vec<Fact>, StateError> {
    const MODES: &[&str] = &["strict", "preferred", "interleave", "restrictive"];
    let dict = numatune.dict(&["memory", "memnodes"])?;
    let mut facts = Vec::new();
    let mut pair = |dict: &Dict, place: &dyn Fn() -> Place| -> Result<(), StateError> {
        facts.extend(row(dict, "mode", place().attr("mode"), |f| {
            f.one_of(MODES)
        })?);
        facts.extend(super::cpu::cpuset_row(
            dict,
            "nodeset",
            place().attr("nodeset"),
        )?);
        Ok(())
    };
    if let Some(memory) = dict.get("memory") {
        pair(&memory.dict(&["mode", "nodeset"])?, &|| {
            Place::at("numatune/memory")
        })?;
    }
    if let Some(nodes) = dict.get("memnodes") {
        let nodes = nodes.any_dict()?;
        for (id, node) in nodes.numbered("a NUMA cell")? {
            let node = node.dict(&["mode", "nodeset"])?;
            pair(&node, &|| {
                Place::at("numatune").keyed("memnode", "cellid", id)
            })?;
        }
        facts.push(only(
            Place::at("numatune"),
            "memnode",
            "cellid",
            super::cpu::keys(&nodes),
        ));
    }
    Ok(facts)
}
