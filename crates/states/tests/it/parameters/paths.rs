//! Ways into XML.

use super::*;

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
