//! Facts: what an SLS states about a document, independent of how the rest of it looks.
//!
//! Creating and updating use the same facts: a new definition is a skeleton on which all of them are brought about, an
//! existing one is edited only where a fact does not hold. What the SLS does not state is never compared.

use crate::StateError;
use crate::updating::{self, Object};
use domxml::read::{KIB, NodeExt, size};
use domxml::{Document, EditError, Element, Place, metadata};
use model::Bytes;
use roxmltree::Node;

/// One statement about a document.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// A text or an attribute has a value.
    Value {
        place: Place,
        value: String,
        compare: Compare,
    },
    /// There is nothing at a place.
    Absent(Place),
    /// The elements `name` under `parent` are these, in any order.
    Set {
        parent: Place,
        name: &'static str,
        entries: Vec<Element>,
        /// What identifies an entry: two of the same key are the same, and one with an empty key is nobody's business.
        /// A key of several lines is of an entry that says as much as several do.
        key: fn(Node) -> String,
    },
    /// The elements `name` under `parent` are these, in any order, each saying at least what its entry says.
    Like {
        parent: Place,
        name: &'static str,
        entries: Vec<Element>,
        alike: Alike,
        foreign: Foreign,
    },
    /// Elements `name` under `parent` are there only for these values of the attribute `key`.
    Only {
        parent: Place,
        name: &'static str,
        key: &'static str,
        keep: Vec<String>,
    },
    /// The definition remembers this text under a name of ours.
    Remembered { name: &'static str, text: String },
    /// The elements `name` under `parent` have this attribute, in this order.
    List {
        parent: Place,
        name: &'static str,
        attr: &'static str,
        values: Vec<String>,
    },
}

/// Whether an element, the second, is what an entry, the first, declares.
pub(crate) type Alike = fn(Node, Node) -> bool;

/// Whether an element is nobody's business.
pub(crate) type Foreign = fn(Node) -> bool;

/// When two values count as the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compare {
    /// The same text.
    Text,
    /// The same text; absent counts as this one, libvirt's default.
    Default(&'static str),
    /// The same text, or nothing: the host may have no such thing to show.
    Shown,
    /// The same path, but for double and trailing slashes.
    Path,
    /// The same octal number.
    Octal,
    /// Memory within 0.1 %; the value is in bytes and is written in KiB.
    Memory,
    /// The same set of CPUs: `0-2` and `0,1,2`.
    Cpuset,
    /// The same number of vCPUs online; absent counts as all there are.
    Online,
    /// The same offset of the clock. With a number of seconds libvirt makes `variable` of it, on the basis of what it was.
    ClockOffset,
}

impl Fact {
    pub(crate) fn text(place: Place, value: impl ToString) -> Self {
        Self::comparing(place, value, Compare::Text)
    }

    pub(crate) fn comparing(place: Place, value: impl ToString, compare: Compare) -> Self {
        Self::Value {
            place,
            value: value.to_string(),
            compare,
        }
    }

    /// The same value, compared in another way.
    pub(crate) fn with(self, compare: Compare) -> Self {
        match self {
            Self::Value { place, value, .. } => Self::comparing(place, value, compare),
            other => other,
        }
    }

    /// Whether the document says so already.
    pub(crate) fn holds(&self, root: Node) -> bool {
        match self {
            Self::Value {
                place,
                value,
                compare,
            } => compare.same(place, root, value),
            Self::Absent(place) => place
                .value(root)
                .is_none_or(|value| is_default(place, value, root)),
            Self::Remembered { name, text } => metadata::get(root, name) == Some(text.as_str()),
            Self::Set {
                parent,
                name,
                entries,
                key,
            } => {
                let have = elements(root, parent, name).into_iter().map(key).collect();
                let want = entries.iter().map(|e| key_of(e, *key)).collect();
                let mut want = parts(want);
                want.dedup();
                parts(have) == want
            }
            Self::Like {
                parent,
                name,
                entries,
                alike,
                foreign,
            } => {
                let (missing, left) = unlike(root, parent, name, entries, (*alike, *foreign));
                missing.is_empty() && left.is_empty()
            }
            Self::Only {
                parent,
                name,
                key,
                keep,
            } => elements(root, parent, name)
                .iter()
                .all(|node| keep.iter().any(|k| k == node.attr(key))),
            Self::List {
                parent,
                name,
                attr,
                values,
            } => elements(root, parent, name)
                .iter()
                .map(|node| node.attr(attr))
                .eq(values.iter().map(String::as_str)),
        }
    }

    /// Makes it so.
    fn bring_about(&self, document: &mut Document) -> Result<(), EditError> {
        match self {
            Self::Value {
                place,
                value,
                compare: Compare::Memory,
            } => {
                let kib = Bytes(value.parse().unwrap_or_default()).kib().max(1);
                document.set(&place.clone().attr("unit"), "KiB")?;
                document.set(place, &kib.to_string())
            }
            Self::Value { place, value, .. } => document.set(place, value),
            Self::Absent(place) => document.remove(place),
            Self::Remembered { name, text } => metadata::set(document, name, text),
            Self::Set {
                parent,
                name,
                entries,
                key,
            } => set(document, parent, name, entries, *key),
            Self::Like {
                parent,
                name,
                entries,
                alike,
                foreign,
            } => {
                let (missing, mut left) =
                    document.read(|root| unlike(root, parent, name, entries, (*alike, *foreign)));
                // From the end, so that the ranges before stay valid.
                left.reverse();
                left.into_iter()
                    .try_for_each(|range| document.remove_range(range))?;
                missing
                    .into_iter()
                    .try_for_each(|entry| document.insert(parent, &entries[entry]))
            }
            Self::Only {
                parent,
                name,
                key,
                keep,
            } => remove_where(document, parent, name, |node| {
                !keep.iter().any(|k| k == node.attr(key))
            }),
            Self::List {
                parent,
                name,
                attr,
                values,
            } => {
                remove_where(document, parent, name, |_| true)?;
                values.iter().try_for_each(|value| {
                    document.insert(parent, &Element::new(name).attr(attr, value))
                })
            }
        }
    }

    /// What it is about, for people: `memory`, `cpu@mode`.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Value { place, .. } | Self::Absent(place) => place.to_string(),
            Self::Remembered { name, .. } => (*name).to_owned(),
            Self::Set { parent, name, .. }
            | Self::Like { parent, name, .. }
            | Self::Only { parent, name, .. }
            | Self::List { parent, name, .. } => match parent.to_string().as_str() {
                "" => (*name).to_owned(),
                parent => format!("{parent}/{name}"),
            },
        }
    }

    /// Where it is, without the keys of entries: `cpu/feature[name=*]@policy`. The way into [`crate::updating`].
    pub(crate) fn pattern(&self) -> String {
        match self {
            Self::Value { place, .. } | Self::Absent(place) => place.pattern(),
            Self::Remembered { name, .. } => format!("metadata/{name}"),
            Self::Set { parent, name, .. }
            | Self::Like { parent, name, .. }
            | Self::Only { parent, name, .. }
            | Self::List { parent, name, .. } => parent.clone().child(name).pattern(),
        }
    }

    /// `memory: 1.0 GiB now, 2.0 GiB at the next start`.
    pub(crate) fn waiting(&self, live: Node, object: Object) -> String {
        let subject = self.subject();
        let when = updating::effect_of(object, self).when();
        match self {
            Self::Value {
                place,
                value,
                compare: Compare::Memory,
            } => {
                let now = memory_at(place, live).map_or("none".to_owned(), |b| b.to_string());
                let next = Bytes(value.parse().unwrap_or_default());
                format!("{subject}: {now} now, {next} {when}")
            }
            Self::Value {
                place,
                value,
                compare,
            } => {
                let all = (*compare == Compare::Online).then(|| live.text_at("vcpu"));
                let now = place.value(live).or(all).unwrap_or("none");
                format!("{subject}: {now} now, {value} {when}")
            }
            Self::Absent(place) => {
                let size = place
                    .element(live)
                    .filter(|node| node.has_attribute("unit"));
                let now = match (size.and(memory_at(place, live)), place.value(live)) {
                    (Some(size), _) => size.to_string(),
                    (None, Some("") | None) => "present".to_owned(),
                    (None, Some(value)) => value.to_owned(),
                };
                format!("{subject}: {now} now, none {when}")
            }
            Self::List {
                parent,
                name,
                attr,
                values,
            } => {
                let now: Vec<&str> = elements(live, parent, name)
                    .iter()
                    .map(|n| n.attr(attr))
                    .collect();
                format!(
                    "{subject}: {} now, {} {when}",
                    now.join(" "),
                    values.join(" ")
                )
            }
            Self::Set { .. } | Self::Like { .. } | Self::Only { .. } | Self::Remembered { .. } => {
                format!("{subject}: changes {when}")
            }
        }
    }
}

/// The facts that do not hold.
pub(crate) fn unmet<'f>(root: Node, facts: &'f [Fact]) -> Vec<&'f Fact> {
    facts.iter().filter(|fact| !fact.holds(root)).collect()
}

/// The document with all facts brought about.
///
/// # Errors
/// `Definition` when the document cannot be edited.
pub(crate) fn edited<'f>(
    object: &str,
    xml: &str,
    facts: impl IntoIterator<Item = &'f Fact>,
) -> Result<String, StateError> {
    let edit = || {
        let mut document = Document::new(xml)?;
        let facts: Vec<&Fact> = facts.into_iter().collect();
        // One look decides; usually everything holds. A second pass is for what held until something else changed: all
        // vCPUs online, until there were more of them.
        for _ in 0..2 {
            let unmet: Vec<&Fact> = document.read(|root| {
                let unmet = facts.iter().filter(|fact| !fact.holds(root));
                unmet.copied().collect()
            });
            if unmet.is_empty() {
                break;
            }
            for fact in unmet {
                if !document.read(|root| fact.holds(root)) {
                    fact.bring_about(&mut document)?;
                }
            }
        }
        Ok(document.into_string())
    };
    edit().map_err(|error: EditError| StateError::definition(object, error))
}

impl Compare {
    fn same(&self, place: &Place, root: Node, want: &str) -> bool {
        if *self == Self::Memory {
            let want = want.parse().unwrap_or_default();
            return memory_at(place, root).is_some_and(|have| nearly(have, Bytes(want)));
        }
        let have = match (place.value(root), self) {
            (Some(have), _) => have,
            (None, Self::Default(default)) => default,
            (None, Self::Online) => root.text_at("vcpu"),
            (None, Self::Shown) => return true,
            (None, _) => return false,
        };
        match self {
            Self::ClockOffset if have == "variable" => match root.attr_at("clock", "basis") {
                "" => want == "utc",
                basis => want == basis,
            },
            Self::Text
            | Self::Default(_)
            | Self::Shown
            | Self::Online
            | Self::Memory
            | Self::ClockOffset => have == want,
            Self::Path => clean_path(have) == clean_path(want),
            Self::Octal => octal(have).is_some() && octal(have) == octal(want),
            Self::Cpuset => cpuset(have).is_some() && cpuset(have) == cpuset(want),
        }
    }
}

/// Within 0.1 %. Source: Salt `virt.update`, which allows for the rounding of hypervisors.
pub(crate) fn nearly(a: Bytes, b: Bytes) -> bool {
    a.0.abs_diff(b.0) <= a.0.max(b.0) / 1000
}

fn memory_at(place: &Place, root: Node) -> Option<Bytes> {
    let node = place.element(root)?;
    size(node.text_at(""), node.attribute("unit"), KIB)
}

/// As libvirt cleans paths: no double slashes, none at the end.
pub(crate) fn clean_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    if out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    out
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim_start_matches("0o"), 8).ok()
}

/// `0-3,^2` → 0, 1, 3. `None` when it is no such list.
pub(crate) fn cpuset(text: &str) -> Option<Vec<u32>> {
    const MOST: u32 = 65_536;
    let mut set = std::collections::BTreeSet::new();
    for part in text.split(',').map(str::trim) {
        if let Some(excluded) = part.strip_prefix('^') {
            set.remove(&excluded.parse().ok()?);
        } else if let Some((from, to)) = part.split_once('-') {
            let (from, to): (u32, u32) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            if to < from || to >= MOST {
                return None;
            }
            set.extend(from..=to);
        } else {
            set.insert(part.parse().ok()?);
        }
    }
    Some(set.into_iter().collect())
}

fn elements<'a, 'i>(root: Node<'a, 'i>, parent: &Place, name: &str) -> Vec<Node<'a, 'i>> {
    parent
        .element(root)
        .map(|node| node.children_named(name))
        .unwrap_or_default()
}

/// The lines of all keys, in order.
fn parts(keys: Vec<String>) -> Vec<String> {
    let mut parts: Vec<String> = keys
        .iter()
        .flat_map(|key| key.split('\n'))
        .map(str::to_owned)
        .collect();
    parts.sort();
    parts
}

/// What libvirt writes by itself where nothing is declared: removing it would bring it back.
const DEFAULTS: &[(&str, &str)] = &[
    ("vcpu", "1"),
    ("vcpu@placement", "static"),
    ("cpu@mode", "custom"),
    ("cpu@match", "exact"),
    ("cpu@check", "partial"),
    ("cpu/model@fallback", "allow"),
    ("clock@adjustment", "0"),
    ("numatune/memory@mode", "strict"),
];

/// Where libvirt fills in what suits the rest: null leaves it to libvirt.
const FILLED_IN: &[&str] = &[
    "vcpus/vcpu[id=*]@hotpluggable",
    "cpu/model",
    "cpu/numa/cell[id=*]@cpus",
];

fn is_default(place: &Place, value: &str, root: Node) -> bool {
    match place.pattern().as_str() {
        // All of its memory.
        "currentMemory" => memory_at(place, root) == memory_at(&Place::at("memory"), root),
        pattern => FILLED_IN.contains(&pattern) || DEFAULTS.contains(&(pattern, value)),
    }
}

/// The entries that no element is like, by their position, and the ranges of the elements that are like no entry.
fn unlike(
    root: Node,
    parent: &Place,
    name: &str,
    entries: &[Element],
    (alike, foreign): (Alike, Foreign),
) -> (Vec<usize>, Vec<std::ops::Range<usize>>) {
    let written: Vec<String> = entries.iter().map(|entry| entry.to_xml(0)).collect();
    let parsed: Vec<roxmltree::Document> = written
        .iter()
        .map(|xml| roxmltree::Document::parse(xml).expect("built elements are well-formed"))
        .collect();
    // Those that say most choose first, so that one that says little leaves them theirs.
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|entry| {
        std::cmp::Reverse(
            parsed[*entry]
                .descendants()
                .flat_map(|n| n.attributes())
                .count(),
        )
    });
    let mut left = elements(root, parent, name);
    left.retain(|node| !foreign(*node));
    let mut missing = Vec::new();
    for entry in order {
        let want = parsed[entry].root_element();
        match left.iter().position(|have| alike(want, *have)) {
            Some(index) => drop(left.remove(index)),
            None => missing.push(entry),
        }
    }
    missing.sort_unstable();
    (missing, left.iter().map(Node::range).collect())
}

/// Whether an element says all that another one says: its attributes, its text, and children that say all of its children.
pub(crate) fn says(have: Node, want: Node) -> bool {
    let text = want.text_at("");
    let children = || want.children().filter(Node::is_element);
    (text.is_empty() || text == have.text_at(""))
        && want
            .attributes()
            .all(|a| have.attribute(a.name()) == Some(a.value()))
        && children().all(|child| {
            let mut like = have.children_named(child.tag_name().name()).into_iter();
            like.any(|have| says(have, child))
        })
}

/// The key of an entry that is still to be written.
pub(crate) fn key_of(entry: &Element, key: fn(Node) -> String) -> String {
    let xml = entry.to_xml(0);
    let doc = roxmltree::Document::parse(&xml).expect("built elements are well-formed");
    key(doc.root_element())
}

fn set(
    document: &mut Document,
    parent: &Place,
    name: &'static str,
    entries: &[Element],
    key: fn(Node) -> String,
) -> Result<(), EditError> {
    let wanted: Vec<String> = entries.iter().map(|entry| key_of(entry, key)).collect();
    // Entries that stand for several are not told apart one by one.
    let is_compound = wanted.iter().any(|key| key.contains('\n'));
    remove_where(document, parent, name, |node| {
        let key = key(node);
        !key.is_empty() && (is_compound || !wanted.contains(&key))
    })?;
    for (entry, wanted) in entries.iter().zip(&wanted) {
        let there = document.read(|root| {
            elements(root, parent, name)
                .into_iter()
                .any(|node| key(node) == *wanted)
        });
        if !there {
            document.insert(parent, entry)?;
        }
    }
    Ok(())
}

fn remove_where(
    document: &mut Document,
    parent: &Place,
    name: &str,
    gone: impl Fn(Node) -> bool,
) -> Result<(), EditError> {
    let mut ranges = document.read(|root| {
        elements(root, parent, name)
            .into_iter()
            .filter(|node| gone(*node))
            .map(|node| node.range())
            .collect::<Vec<_>>()
    });
    // From the end, so that the ranges before stay valid.
    ranges.reverse();
    ranges
        .into_iter()
        .try_for_each(|range| document.remove_range(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpusets_are_expanded() {
        assert_eq!(cpuset("1-5,^4"), Some(vec![1, 2, 3, 5]));
        assert_eq!(cpuset("0-3,^2,7"), Some(vec![0, 1, 3, 7]));
        assert_eq!(cpuset("3-1"), None);
        assert_eq!(cpuset("0-4294967295"), None);
        assert_eq!(cpuset("a"), None);
    }

    #[test]
    fn paths_and_modes_are_compared_by_meaning() {
        assert_eq!(clean_path("//vms//a/"), "/vms/a");
        assert_eq!(clean_path("/"), "/");
        assert_eq!(octal("0755"), octal("755"));
    }

    #[test]
    fn only_unmet_facts_are_written() {
        let xml =
            "<domain>\n  <memory unit='GiB'>1</memory>\n  <vcpu cpuset='0-3'>2</vcpu>\n</domain>";
        let facts = [
            Fact::comparing(Place::at("memory"), 1 << 30, Compare::Memory),
            Fact::comparing(Place::at("vcpu").attr("cpuset"), "0,1,2,3", Compare::Cpuset),
            Fact::text(Place::at("on_reboot"), "restart"),
        ];
        let new = edited("domain x", xml, &facts).expect("editable");
        assert_eq!(
            new,
            xml.replace("</vcpu>", "</vcpu>\n  <on_reboot>restart</on_reboot>")
        );
        let doc = roxmltree::Document::parse(&new).expect("well-formed");
        assert!(unmet(doc.root_element(), &facts).is_empty());
    }
}
