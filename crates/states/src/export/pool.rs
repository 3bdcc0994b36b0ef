//! Pools.

use super::{Candidate, Declared, candidate};
use crate::{Map, Observation, Value};
use domxml::read::{NodeExt, parse};
use model::Pool;
use roxmltree::Node;
use serde_json::json;
use std::collections::BTreeSet;

fn arguments(root: Node) -> (Map, Vec<Candidate>) {
    let mut must = Map::new();
    must.insert("ptype".to_owned(), json!(root.attr("type")));
    let mut candidates = Vec::new();
    let target = root.text_at("target/path");
    if !target.is_empty() {
        candidates.push(candidate("target", json!(target), "the target"));
    }
    let source = source(root);
    if !source.is_empty() {
        candidates.push(candidate("source", Value::Object(source), "the source"));
    }
    if let Some(given) = root.find("target/permissions") {
        let mut permissions = Map::new();
        for (key, number) in [
            ("mode", false),
            ("owner", true),
            ("group", true),
            ("label", false),
        ] {
            let text = given.text_at(key);
            match text.parse::<i64>() {
                _ if text.is_empty() => {}
                Ok(value) if number => drop(permissions.insert(key.to_owned(), json!(value))),
                _ => drop(permissions.insert(key.to_owned(), json!(text))),
            }
        }
        candidates.push(candidate(
            "permissions",
            Value::Object(permissions),
            "the permissions",
        ));
    }
    (must, candidates)
}

fn source(root: Node) -> Map {
    let mut source = Map::new();
    let mut put = |key: &str, value: Value| drop(source.insert(key.to_owned(), value));
    let Some(given) = root.child("source") else {
        return source;
    };
    let dir = given.attr_at("dir", "path");
    if !dir.is_empty() {
        put("dir", json!(dir));
    }
    let hosts: Vec<String> = given
        .children_named("host")
        .iter()
        .map(|host| match host.attr("port") {
            "" => host.attr("name").to_owned(),
            port => format!("{}:{port}", host.attr("name")),
        })
        .collect();
    if !hosts.is_empty() {
        put("hosts", json!(hosts));
    }
    let devices: Vec<Value> = given
        .children_named("device")
        .iter()
        .map(|device| json!({ "path": device.attr("path") }))
        .collect();
    if !devices.is_empty() {
        put("devices", json!(devices));
    }
    for (key, value) in [
        ("format", given.attr_at("format", "type")),
        ("name", given.text_at("name")),
        ("initiator", given.attr_at("initiator/iqn", "name")),
    ] {
        if !value.is_empty() {
            put(key, json!(value));
        }
    }
    source
}

pub(super) fn declare(pool: &Pool, seen: &Observation, ids: &mut BTreeSet<String>) -> Declared {
    let fun = match pool.active {
        true => "pool_running",
        false => "pool_defined",
    };
    let Ok(doc) = parse("pool", "pool", &pool.xml) else {
        return super::declare(ids, (fun, &pool.name), Map::new(), Vec::new(), seen);
    };
    let (mut must, candidates) = arguments(doc.root_element());
    must.insert("autostart".to_owned(), json!(pool.autostart));
    super::declare(ids, (fun, &pool.name), must, candidates, seen)
}
