//! Disk and interface profiles: the profile's items first, each overridden key by key by the state's.
//! Source: Salt `virt._disk_profile`, `virt._nic_profile`.

use crate::args::Field;
use crate::want::vm::VmWant;
use crate::want::vm::disk::{self, CIDATA, DiskWant};
use crate::want::vm::nic::{self, NicWant};
use crate::{Call, Config, Map, StateError, Value};
use serde_json::json;
use sls::closest;
use std::collections::BTreeSet;

/// The declared disks and the drive of cloud-init; `None` when neither disks nor a profile are given.
pub(super) fn disks(
    call: &Call,
    want: &VmWant,
    config: &Config,
) -> Result<Option<Vec<DiskWant>>, StateError> {
    let mut disks = declared_disks(call, want, config)?;
    if let (Some(disks), Some(declared)) = (&mut disks, &want.cloud_init) {
        if disks.iter().any(|disk| disk.name == CIDATA) {
            return Err(StateError::Argument {
                path: "disks".to_owned(),
                found: format!("name {CIDATA:?}"),
                expected: "free: it is the drive of cloud_init".to_owned(),
                remedy: Some("Give the disk another name".to_owned()),
            });
        }
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
        refuse_doubles("disks", &own(call, "disks")?)?;
        return Ok(want.disks.clone());
    };
    let built_in = json!([{ "system": { "size": 8192 } }]);
    let items = items(("disk_profile", "virt:disk"), profile, config, &built_in)?;
    parsed(call, "disks", items, disk::parse).map(Some)
}

/// The declared interfaces; `None` when neither interfaces nor a profile are given.
pub(super) fn nics(
    call: &Call,
    want: &VmWant,
    config: &Config,
) -> Result<Option<Vec<NicWant>>, StateError> {
    let Some(profile) = &want.nic_profile else {
        refuse_doubles("interfaces", &own(call, "interfaces")?)?;
        return Ok(want.nics.clone());
    };
    let built_in = json!([{ "eth0": {} }]);
    let items = items(("nic_profile", "virt:nic"), profile, config, &built_in)?;
    parsed(call, "interfaces", items, nic::parse).map(Some)
}

/// The items of a profile, each with its `name`.
///
/// Salt takes the built-in profile for every name that is not configured; a slip of the pen would make devices that
/// nobody declared.
fn items(
    (argument, key): (&str, &str),
    profile: &str,
    config: &Config,
    built_in: &Value,
) -> Result<Vec<Map>, StateError> {
    let all = config.get(key).and_then(Value::as_object);
    let items = match all.and_then(|all| all.get(profile)) {
        Some(configured) => configured,
        None if profile == "default" => built_in,
        None => return Err(unknown(argument, key, profile, all)),
    };
    Ok(match items {
        Value::Array(list) => list.iter().flat_map(named).collect(),
        dictionary => named(dictionary),
    })
}

fn unknown(argument: &str, key: &str, profile: &str, all: Option<&Map>) -> StateError {
    let known = all.into_iter().flat_map(Map::keys).map(String::as_str);
    let known: Vec<&str> = known.chain(["default"]).collect();
    let remedy = match closest(profile, known.iter().copied()) {
        Some(close) => format!("Did you mean {close}?"),
        None => format!("It has {}", known.join(", ")),
    };
    StateError::Argument {
        path: argument.to_owned(),
        found: format!("{profile:?}"),
        expected: format!("a profile of the configuration ({key})"),
        remedy: Some(remedy),
    }
}

/// Every configured profile and the built-in one, with what the kind of hypervisor adds: `{disk: {…}, nic: {…}}`.
/// Source: Salt `virt.get_profiles`.
pub(crate) fn all(config: &Config, hypervisor: &str) -> Value {
    let (disk, nic) = added(hypervisor);
    let disks = each(
        config.get("virt:disk"),
        &json!([{ "system": { "size": 8192 } }]),
        |item| with_defaults(item, &disk),
    );
    let nics = each(
        config.get("virt:nic"),
        &json!([{ "eth0": {} }]),
        |mut item| {
            for kind in ["bridge", "network"] {
                if let Some(source) = item.shift_remove(kind) {
                    item.insert("type".to_owned(), json!(kind));
                    item.insert("source".to_owned(), source);
                }
            }
            with_defaults(item, &nic)
        },
    );
    json!({ "disk": disks, "nic": nics })
}

/// What disks and interfaces of a hypervisor have when nothing is said.
fn added(hypervisor: &str) -> (Value, Value) {
    match hypervisor {
        "xen" => (
            json!({"device": "disk", "model": "xen"}),
            json!({"type": "bridge", "source": "br0", "model": null}),
        ),
        "vmware" | "esxi" => (
            json!({"device": "disk", "format": "vmdk", "model": "scsi"}),
            json!({"type": "bridge", "source": "DEFAULT", "model": "e1000"}),
        ),
        "bhyve" => (
            json!({"format": "raw", "model": "virtio", "sparse_volume": false}),
            json!({"type": "bridge", "source": "bridge0", "model": "virtio"}),
        ),
        _ => (
            json!({"device": "disk", "model": "virtio"}),
            json!({"type": "bridge", "source": "br0", "model": "virtio"}),
        ),
    }
}

fn each(configured: Option<&Value>, built_in: &Value, tell: impl Fn(Map) -> Value) -> Map {
    let mut profiles = configured
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    profiles
        .entry("default")
        .or_insert_with(|| built_in.clone());
    let items = |profile: &Value| -> Vec<Map> {
        match profile {
            Value::Array(list) => list.iter().flat_map(named).collect(),
            dictionary => named(dictionary),
        }
    };
    profiles
        .iter()
        .map(|(name, profile)| {
            (
                name.clone(),
                items(profile).into_iter().map(&tell).collect(),
            )
        })
        .collect()
}

fn with_defaults(mut item: Map, defaults: &Value) -> Value {
    for (key, value) in defaults.as_object().into_iter().flatten() {
        if !item.contains_key(key) && !value.is_null() {
            item.insert(key.clone(), value.clone());
        }
    }
    Value::Object(item)
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

/// The items of the state itself.
fn own(call: &Call, argument: &str) -> Result<Vec<Map>, StateError> {
    let list = call.get(argument).map(|list| list.list()).transpose()?;
    let items = list.unwrap_or_default().into_iter();
    items.map(|item| Ok(item.any_dict()?.map.clone())).collect()
}

/// Two items of one name would be the same volume, or the same interface of a profile.
fn refuse_doubles(argument: &str, items: &[Map]) -> Result<(), StateError> {
    let mut taken = BTreeSet::new();
    let names = items.iter().filter_map(|item| item.get("name")?.as_str());
    match names.into_iter().find(|name| !taken.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(StateError::Argument {
            path: argument.to_owned(),
            found: format!("name {name:?}"),
            expected: "of one item only".to_owned(),
            remedy: Some("Give each item a name of its own".to_owned()),
        }),
    }
}

fn parsed<T>(
    call: &Call,
    argument: &str,
    mut items: Vec<Map>,
    parse: fn(&Field) -> Result<T, StateError>,
) -> Result<Vec<T>, StateError> {
    for item in own(call, argument)? {
        match items
            .iter_mut()
            .find(|known| known.get("name") == item.get("name"))
        {
            Some(known) => known.extend(item),
            None => items.push(item),
        }
    }
    refuse_doubles(argument, &items)?;
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
