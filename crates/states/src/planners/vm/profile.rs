//! Disk and interface profiles: the profile's items first, each overridden key by key by the state's.
//! Source: Salt `virt._disk_profile`, `virt._nic_profile`.

use crate::args::Field;
use crate::want::vm::VmWant;
use crate::want::vm::disk::{self, DiskWant};
use crate::want::vm::nic::{self, NicWant};
use crate::{Call, Config, Map, StateError, Value};
use serde_json::json;

/// The declared disks and the drive of cloud-init; `None` when neither disks nor a profile are given.
pub(super) fn disks(
    call: &Call,
    want: &VmWant,
    config: &Config,
) -> Result<Option<Vec<DiskWant>>, StateError> {
    let mut disks = declared_disks(call, want, config)?;
    if let (Some(disks), Some(declared)) = (&mut disks, &want.cloud_init) {
        let first = disks.iter().find_map(|disk| disk.pool.clone());
        let pool = declared.pool.clone().or(first);
        disks.push(DiskWant::cloud_init(declared.data.clone(), pool));
    }
    Ok(disks)
}

fn declared_disks(
    call: &Call,
    want: &VmWant,
    config: &Config,
) -> Result<Option<Vec<DiskWant>>, StateError> {
    let Some(profile) = &want.disk_profile else {
        return Ok(want.disks.clone());
    };
    let built_in = json!([{ "system": { "size": 8192 } }]);
    let items = items("virt:disk", profile, config, &built_in);
    parsed(call, "disks", items, disk::parse).map(Some)
}

/// The declared interfaces; `None` when neither interfaces nor a profile are given.
pub(super) fn nics(
    call: &Call,
    want: &VmWant,
    config: &Config,
) -> Result<Option<Vec<NicWant>>, StateError> {
    let Some(profile) = &want.nic_profile else {
        return Ok(want.nics.clone());
    };
    let built_in = json!([{ "eth0": {} }]);
    let items = items("virt:nic", profile, config, &built_in);
    parsed(call, "interfaces", items, nic::parse).map(Some)
}

/// The items of a profile, each with its `name`.
fn items(key: &str, profile: &str, config: &Config, built_in: &Value) -> Vec<Map> {
    let configured = config.get(key).and_then(|all| all.get(profile));
    match configured.unwrap_or(built_in) {
        Value::Array(list) => list.iter().flat_map(named).collect(),
        dictionary => named(dictionary),
    }
}

/// `{eth0: {bridge: br0}}` or `{name: eth0, bridge: br0}`.
fn named(item: &Value) -> Vec<Map> {
    let Some(map) = item.as_object() else {
        return Vec::new();
    };
    if map.contains_key("name") {
        return vec![map.clone()];
    }
    map.iter()
        .map(|(name, properties)| {
            let mut named = Map::new();
            named.insert("name".to_owned(), json!(name));
            named.extend(properties.as_object().cloned().unwrap_or_default());
            named
        })
        .collect()
}

fn parsed<T>(
    call: &Call,
    argument: &str,
    mut items: Vec<Map>,
    parse: fn(&Field) -> Result<T, StateError>,
) -> Result<Vec<T>, StateError> {
    let own = call.get(argument).map(|list| list.list()).transpose()?;
    for item in own.unwrap_or_default() {
        let item = item.any_dict()?.map;
        match items
            .iter_mut()
            .find(|known| known.get("name") == item.get("name"))
        {
            Some(known) => known.extend(item.clone()),
            None => items.push(item.clone()),
        }
    }
    items
        .into_iter()
        .map(|item| {
            parse(&Field {
                path: argument.to_owned(),
                value: &Value::Object(item),
            })
        })
        .collect()
}
