//! `cpu`: a number, or a dictionary.

use super::cputune;
use super::{only, row, yes_no_row};
use crate::StateError;
use crate::args::{Dict, Field};
use crate::facts::{Compare, Fact, cpuset};
use domxml::Element;
use domxml::Place;

#[derive(Debug, Default)]
pub(super) struct Cpu {
    pub(super) online: Option<u32>,
    pub(super) facts: Vec<Fact>,
    /// What only a new definition says.
    pub(super) facts_if_new: Vec<Fact>,
}

pub(super) fn read(cpu: &Field) -> Result<Cpu, StateError> {
    if cpu.value.is_object() {
        return dictionary(cpu);
    }
    if cpu.value.as_u64() == Some(0) {
        // Salt: zero leaves the number as it is.
        return Ok(Cpu::default());
    }
    let count = cpu.count()?;
    Ok(Cpu {
        online: Some(count),
        facts: vec![
            Fact::text(Place::at("vcpu"), count),
            Fact::Absent(Place::at("vcpu").attr("current")),
        ],
        facts_if_new: Vec::new(),
    })
}

const KEYS: &[&str] = &[
    "maximum",
    "current",
    "placement",
    "cpuset",
    "vcpus",
    "match",
    "mode",
    "check",
    "model",
    "vendor",
    "topology",
    "cache",
    "features",
    "numa",
    "iothreads",
    "tuning",
];

fn dictionary(cpu: &Field) -> Result<Cpu, StateError> {
    let dict = cpu.dict(KEYS)?;
    let count = |key| dict.get(key).map(|f| f.count()).transpose();
    let (maximum, current) = (count("maximum")?, count("current")?);
    let mut facts = Vec::new();
    let vcpu = || Place::at("vcpu");
    let words: [(&str, Place, &[&str]); 4] = [
        ("placement", vcpu().attr("placement"), &["static", "auto"]),
        (
            "match",
            Place::at("cpu").attr("match"),
            &["minimum", "exact", "strict"],
        ),
        (
            "mode",
            Place::at("cpu").attr("mode"),
            &["custom", "host-model", "host-passthrough", "maximum"],
        ),
        (
            "check",
            Place::at("cpu").attr("check"),
            &["none", "partial", "full"],
        ),
    ];
    // Without a number libvirt refuses the element that the other attributes are on; its own default is one.
    facts.extend(
        dict.given("maximum")
            .map(|_| Fact::text(vcpu(), maximum.unwrap_or(1))),
    );
    facts.extend(dict.given("current").map(|_| match current {
        Some(online) => Fact::comparing(vcpu().attr("current"), online, Compare::Online),
        None => Fact::Absent(vcpu().attr("current")),
    }));
    for (key, place, allowed) in words {
        let fact = row(&dict, key, place, |f| f.one_of(allowed))?;
        // libvirt leaves these out of a CPU without a model.
        facts.extend(fact.map(|fact| match key {
            "mode" => fact.with(Compare::Default("custom")),
            "match" => fact.with(Compare::Default("exact")),
            _ => fact,
        }));
    }
    if dict.given("placement").is_some_and(|f| f.value != "auto") {
        // What libvirt added for auto would make it auto again.
        let keep = ["", "static"].map(str::to_owned).to_vec();
        facts.push(only(Place::at("numatune"), "memory", "placement", keep));
    }
    facts.extend(cpuset_row(&dict, "cpuset", vcpu().attr("cpuset"))?);
    facts.extend(row(&dict, "vendor", Place::at("cpu/vendor"), |f| f.word())?);
    facts.extend(row(&dict, "iothreads", Place::at("iothreads"), |f| {
        Ok(f.small_number()?.to_string())
    })?);
    shape(&dict, &mut facts)?;
    if let Some(vcpus) = dict.get("vcpus") {
        facts.extend(each_vcpu(&vcpus)?);
    }
    if let Some(numa) = dict.get("numa") {
        facts.extend(numa_cells(&numa)?);
    }
    if let Some(tuning) = dict.get("tuning") {
        facts.extend(cputune::facts(&tuning)?);
    }
    Ok(Cpu {
        online: current.or(maximum),
        facts,
        facts_if_new: vec![Fact::text(vcpu(), maximum.or(current).unwrap_or(1))],
    })
}

/// Model, topology, cache and features.
fn shape(dict: &Dict, facts: &mut Vec<Fact>) -> Result<(), StateError> {
    let cpu = || Place::at("cpu");
    if let Some(model) = dict.get("model") {
        let model = model.dict(&["name", "fallback", "vendor_id"])?;
        let place = || Place::at("cpu/model");
        facts.extend(row(&model, "name", place(), |f| f.word())?);
        facts.extend(row(&model, "fallback", place().attr("fallback"), |f| {
            f.one_of(&["allow", "forbid"])
        })?);
        facts.extend(row(&model, "vendor_id", place().attr("vendor_id"), |f| {
            let text = f.word()?;
            match text.len() == 12 && !text.contains(',') {
                true => Ok(text),
                false => Err(f.refuse("12 characters without a comma, such as GenuineIntel", None)),
            }
        })?);
    }
    if let Some(topology) = dict.get("topology") {
        let topology = topology.dict(&["sockets", "dies", "cores", "threads"])?;
        for key in ["sockets", "dies", "cores", "threads"] {
            let place = cpu().child("topology").attr(key);
            facts.extend(row(&topology, key, place, |f| Ok(f.count()?.to_string()))?);
        }
    }
    if let Some(cache) = dict.get("cache") {
        let cache = cache.dict(&["level", "mode"])?;
        let place = || cpu().child("cache");
        facts.extend(row(&cache, "level", place().attr("level"), |f| {
            Ok(f.number_in(1, 3)?.to_string())
        })?);
        let modes = ["emulate", "passthrough", "disable"];
        facts.extend(row(&cache, "mode", place().attr("mode"), |f| {
            f.one_of(&modes)
        })?);
    }
    if let Some(features) = dict.get("features") {
        let features = features.any_dict()?;
        let policies = ["force", "require", "optional", "disable", "forbid"];
        for (name, _) in features.entries() {
            let place = cpu().keyed("feature", "name", name);
            let policy = place.clone().attr("policy");
            facts.extend(
                match row(&features, name, policy, |f| f.one_of(&policies))? {
                    Some(Fact::Absent(_)) => Some(Fact::Absent(place)),
                    other => other,
                },
            );
        }
        facts.push(only(cpu(), "feature", "name", keys(&features)));
    }
    Ok(())
}

fn each_vcpu(vcpus: &Field) -> Result<Vec<Fact>, StateError> {
    let vcpus = vcpus.any_dict()?;
    let mut facts = Vec::new();
    for (id, field) in vcpus.numbered("a vCPU")? {
        let one = field.dict(&["enabled", "hotpluggable", "order"])?;
        let place = || Place::at("vcpus").keyed("vcpu", "id", id);
        facts.extend(row(&one, "enabled", place().attr("enabled"), yes_no_row)?);
        facts.extend(row(
            &one,
            "hotpluggable",
            place().attr("hotpluggable"),
            yes_no_row,
        )?);
        facts.extend(row(&one, "order", place().attr("order"), |f| {
            Ok(f.count()?.to_string())
        })?);
    }
    Ok(facts)
}

fn numa_cells(numa: &Field) -> Result<Vec<Fact>, StateError> {
    let cells = numa.any_dict()?;
    let mut facts = Vec::new();
    for (id, field) in cells.numbered("a NUMA cell")? {
        let cell = field.dict(&["cpus", "memory", "discard", "memAccess", "distances"])?;
        let place = || Place::at("cpu/numa").keyed("cell", "id", id);
        facts.extend(cpuset_row(&cell, "cpus", place().attr("cpus"))?);
        if let Some(memory) = cell.get("memory") {
            let kib = memory.memory_size()?.kib();
            facts.push(Fact::text(place().attr("memory"), kib));
            let unit = place().attr("unit");
            facts.push(Fact::comparing(unit, "KiB", Compare::Default("KiB")));
        }
        facts.extend(row(&cell, "discard", place().attr("discard"), yes_no_row)?);
        let modes = ["shared", "private"];
        facts.extend(row(&cell, "memAccess", place().attr("memAccess"), |f| {
            f.one_of(&modes)
        })?);
        if let Some(distances) = cell.get("distances") {
            for (sibling, value) in distances.any_dict()?.numbered("a NUMA cell")? {
                let place = place().child("distances").keyed("sibling", "id", sibling);
                facts.push(Fact::text(place.attr("value"), value.number_in(10, 255)?));
            }
        }
    }
    facts.push(only(Place::at("cpu/numa"), "cell", "id", keys(&cells)));
    Ok(facts)
}

/// A set of CPUs, written as given and compared by what it means.
pub(super) fn cpuset_row(dict: &Dict, key: &str, place: Place) -> Result<Option<Fact>, StateError> {
    let Some(field) = dict.given(key) else {
        return Ok(None);
    };
    if field.is_null() {
        return Ok(Some(Fact::Absent(place)));
    }
    Ok(Some(Fact::comparing(
        place,
        checked_cpuset(&field)?,
        Compare::Cpuset,
    )))
}

pub(super) fn checked_cpuset(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    match cpuset(&text) {
        Some(_) => Ok(text),
        None => Err(field.refuse("a set of CPUs such as 0-3,^2", None)),
    }
}

pub(super) fn keys(dict: &Dict) -> Vec<String> {
    dict.entries()
        .iter()
        .map(|(key, _)| (*key).to_owned())
        .collect()
}

/// For tables of schedulers.
pub(super) fn element_with(
    name: &'static str,
    attributes: Vec<(&'static str, Option<String>)>,
) -> Element {
    attributes
        .into_iter()
        .fold(Element::new(name), |element, (key, value)| {
            element.attr_opt(key, value)
        })
}
