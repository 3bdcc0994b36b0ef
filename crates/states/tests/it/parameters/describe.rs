//! Arguments out of rows: alone, and put together at random.
//!
//! Shared with the tests on real hypervisors.

use super::rows::Row;
use sls::{Map, Value};

/// Arguments in YAML.
pub fn arguments(yaml: &str) -> Map {
    let value = sls::yaml::load(yaml).unwrap_or_else(|error| panic!("{yaml}: {error:?}"));
    value
        .as_object()
        .cloned()
        .unwrap_or_else(|| panic!("{yaml} is no dictionary"))
}

/// The value at a way such as `cpu: vcpus: *: enabled`, where `*` is the first key or item; made if it is a key.
pub fn at<'a>(args: &'a mut Map, path: &str) -> Option<&'a mut Value> {
    let mut parts = path.split(": ");
    let mut value = args.entry(parts.next()?).or_insert(Value::Null);
    for part in parts {
        value = match value {
            Value::Array(list) => list.first_mut()?,
            Value::Object(map) => match part {
                "*" => map.values_mut().next()?,
                key => map.entry(key).or_insert(Value::Null),
            },
            _ => return None,
        };
    }
    Some(value)
}

/// Sets the value at a way, if there is one.
pub fn set(args: &mut Map, path: &str, value: Value) -> bool {
    at(args, path).map(|place| *place = value).is_some()
}

/// A state described by several rows, and the same with one of them changed.
#[derive(Debug, Clone)]
pub struct Description {
    pub first: Map,
    pub second: Map,
    /// The rows in it.
    pub rows: Vec<&'static str>,
    /// The one that changes.
    pub changed: &'static str,
}

/// Puts rows together at random: always the same for one seed. Of each argument only one row says something.
pub fn description(rows: &[&'static Row], seed: u64, most: usize) -> Description {
    let mut numbers = Numbers(seed);
    let mut chosen: Vec<(&'static Row, Map)> = Vec::new();
    for _ in 0..rows.len().min(4 * most) {
        let row = rows[numbers.below(rows.len())];
        let args = arguments(row.first);
        let is_new = |key: &String| !chosen.iter().any(|(_, other)| other.contains_key(key));
        if chosen.len() < most && args.keys().all(is_new) {
            chosen.push((row, args));
        }
    }
    let (changed, _) = chosen[numbers.below(chosen.len())];
    let first: Map = chosen.iter().flat_map(|(_, args)| args.clone()).collect();
    let mut second = first.clone();
    second.extend(arguments(changed.second));
    Description {
        first,
        second,
        rows: chosen.iter().map(|(row, _)| row.path).collect(),
        changed: changed.path,
    }
}

/// Numbers that look random (Knuth's generator of 64 bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}
