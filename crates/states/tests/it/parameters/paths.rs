//! Ways into arguments and into XML.

use super::*;

/// Arguments in YAML.
pub(crate) fn arguments(yaml: &str) -> Map {
    let value = sls::yaml::load(yaml).unwrap_or_else(|error| panic!("{yaml}: {error:?}"));
    value
        .as_object()
        .cloned()
        .unwrap_or_else(|| panic!("{yaml} is no dictionary"))
}

/// The value at a way such as `cpu: vcpus: *: enabled`, where `*` is the first key or item; made if it is a key.
pub(crate) fn at<'a>(args: &'a mut Map, path: &str) -> Option<&'a mut Value> {
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
pub(crate) fn set(args: &mut Map, path: &str, value: Value) -> bool {
    at(args, path).map(|place| *place = value).is_some()
}

/// As it is written in an SLS.
pub(crate) fn python(on: bool) -> String {
    if on { "True" } else { "False" }.to_owned()
}

/// The text or the attribute at `cpu/numa/cell[id=0]@cpus`.
pub(crate) fn value(xml: &str, place: &str) -> Option<String> {
    let doc = roxmltree::Document::parse(xml).expect("well-formed");
    let (path, attribute) = match place.rsplit_once('@') {
        Some((path, attribute)) => (path, Some(attribute)),
        None => (place, None),
    };
    let mut node = doc.root_element();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let (name, which) = part.split_once('[').unwrap_or((part, "1]"));
        let which = which.trim_end_matches(']');
        let mut named = node.children_named(name).into_iter();
        node = match which.split_once('=') {
            Some((key, value)) => named.find(|n| n.attr(key) == value)?,
            None => named.nth(which.parse::<usize>().expect("a position") - 1)?,
        };
    }
    match attribute {
        Some(name) => node.attribute(name).map(str::to_owned),
        None => Some(node.text_at("").to_owned()),
    }
}
