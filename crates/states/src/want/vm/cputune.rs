//! `cpu: tuning`: which host CPUs do the work, and how much of their time.

use super::cpu::{checked_cpuset, cpuset_row, element_with, keys};
use super::{attribute_key, only, resctrl, row};
use crate::StateError;
use crate::args::Field;
use crate::facts::{Compare, Fact, cpuset};
use domxml::Place;
use domxml::read::NodeExt;

const SCALARS: &[&str] = &[
    "shares",
    "period",
    "quota",
    "global_period",
    "global_quota",
    "emulator_period",
    "emulator_quota",
    "iothread_period",
    "iothread_quota",
];

const OTHERS: &[&str] = &[
    "vcpupin",
    "emulatorpin",
    "iothreadpin",
    "vcpusched",
    "iothreadsched",
    "emulatorsched",
    "cachetune",
    "memorytune",
];

pub(super) fn facts(tuning: &Field) -> Result<Vec<Fact>, StateError> {
    let known: Vec<&str> = SCALARS.iter().chain(OTHERS).copied().collect();
    let dict = tuning.dict(&known)?;
    let root = || Place::at("cputune");
    let mut facts = Vec::new();
    for key in SCALARS {
        facts.extend(row(&dict, key, root().child(key), |f| {
            Ok(limited(f, key)?.to_string())
        })?);
    }
    facts.extend(cpuset_row(
        &dict,
        "emulatorpin",
        root().child("emulatorpin").attr("cpuset"),
    )?);
    for (argument, element, id) in [
        ("vcpupin", "vcpupin", "vcpu"),
        ("iothreadpin", "iothreadpin", "iothread"),
    ] {
        let Some(pins) = dict.get(argument) else {
            continue;
        };
        let pins = pins.any_dict()?;
        for (key, set) in pins.numbered("a vCPU or an I/O thread")? {
            let place = root().keyed(element, id, key).attr("cpuset");
            facts.push(Fact::comparing(
                place,
                checked_cpuset(&set)?,
                Compare::Cpuset,
            ));
        }
        facts.push(only(root(), element, id, keys(&pins)));
    }
    if let Some(list) = dict.get("vcpusched") {
        facts.push(schedulers(&list, "vcpusched", "vcpus", |node| {
            each(node, "vcpus")
        })?);
    }
    if let Some(list) = dict.get("iothreadsched") {
        facts.push(schedulers(&list, "iothreadsched", "iothreads", |node| {
            each(node, "iothreads")
        })?);
    }
    if let Some(one) = dict.get("emulatorsched") {
        let one = one.dict(&["scheduler", "priority"])?;
        let place = || root().child("emulatorsched");
        facts.extend(row(&one, "scheduler", place().attr("scheduler"), |f| {
            f.one_of(SCHEDULERS)
        })?);
        facts.extend(row(&one, "priority", place().attr("priority"), |f| {
            Ok(f.small_number()?.to_string())
        })?);
    }
    if let Some(caches) = dict.get("cachetune") {
        facts.push(resctrl::caches(&caches)?);
    }
    if let Some(bandwidths) = dict.get("memorytune") {
        facts.push(resctrl::bandwidths(&bandwidths)?);
    }
    Ok(facts)
}

const SCHEDULERS: &[&str] = &["batch", "idle", "fifo", "rr"];

/// A line for each member: libvirt splits and joins the elements as it likes.
fn each(node: roxmltree::Node, members: &str) -> String {
    let rest = attribute_key(node, &["scheduler", "priority"]);
    let ids = cpuset(node.attr(members)).unwrap_or_default();
    let lines: Vec<String> = ids.iter().map(|id| format!("{id} {rest}")).collect();
    lines.join("\n")
}

fn schedulers(
    list: &Field,
    name: &'static str,
    members: &'static str,
    key: fn(roxmltree::Node) -> String,
) -> Result<Fact, StateError> {
    let mut entries = Vec::new();
    for item in list.list()? {
        let item = item.dict(&["scheduler", "priority", members])?;
        let priority = item
            .get("priority")
            .map(|f| Ok(f.small_number()?.to_string()))
            .transpose()?;
        let attributes = vec![
            (members, Some(checked_cpuset(&item.need(members)?)?)),
            (
                "scheduler",
                Some(item.need("scheduler")?.one_of(SCHEDULERS)?),
            ),
            ("priority", priority),
        ];
        entries.push(element_with(name, attributes));
    }
    Ok(Fact::Set {
        parent: Place::at("cputune"),
        name,
        entries,
        key,
    })
}

/// Source: libvirt formatdomain, "CPU Tuning"; what is out of these ranges it refuses.
fn limited(field: &Field, key: &str) -> Result<i64, StateError> {
    const MOST: i64 = 17_592_186_044_415;
    let (range, words) = match key {
        "shares" => (2..=262_144, "a whole number from 2 to 262144"),
        key if key.ends_with("period") => (
            1000..=1_000_000,
            "a number of microseconds from 1000 to 1000000",
        ),
        _ => (
            1000..=MOST,
            "a number of microseconds of at least 1000, or -1 for no limit",
        ),
    };
    match field.text()?.parse::<i64>() {
        Ok(-1) if key.ends_with("quota") => Ok(-1),
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(field.refuse(words, None)),
    }
}
