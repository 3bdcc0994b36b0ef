//! Reading helpers shared by all kinds of documents.

use model::Bytes;
use roxmltree::{Document, Node};
use std::net::Ipv4Addr;
use thiserror::Error;
use uuid::Uuid;

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum XmlError {
    /// It is not well-formed.
    #[error("the {what} XML is not well-formed: {message}")]
    Malformed {
        /// `domain`, `network`, `pool`…
        what: &'static str,
        /// What the parser says, with line and column.
        message: String,
    },
    /// It is well-formed but of another kind.
    #[error("the XML begins with <{found}>, where a <{expected}> is needed")]
    WrongRoot {
        /// The element it should begin with.
        expected: &'static str,
        /// The element it begins with.
        found: String,
    },
    /// Something mandatory is absent.
    #[error("the {what} XML has no {missing}")]
    Missing {
        /// `domain`, `network`, `pool`…
        what: &'static str,
        /// The absent element or attribute.
        missing: &'static str,
    },
}

/// Parses `xml` and checks its first element.
///
/// # Errors
/// `Malformed` or `WrongRoot`.
pub fn parse<'input>(
    what: &'static str,
    root: &'static str,
    xml: &'input str,
) -> Result<Document<'input>, XmlError> {
    let doc = Document::parse(xml).map_err(|error| XmlError::Malformed {
        what,
        message: error.to_string(),
    })?;
    let found = doc.root_element().tag_name().name();
    if found == root {
        Ok(doc)
    } else {
        Err(XmlError::WrongRoot {
            expected: root,
            found: found.to_owned(),
        })
    }
}

/// Short ways through a parsed document. Elements of foreign namespaces (`qemu:commandline`) are never found by name.
pub trait NodeExt<'a>: Sized {
    /// The first child element of this name.
    fn child(&self, name: &str) -> Option<Self>;
    /// The first element along `a/b/c`.
    fn find(&self, path: &str) -> Option<Self>;
    /// The child elements of this name.
    fn children_named(&self, name: &str) -> Vec<Self>;
    /// The trimmed text of the element at `path`; empty when it is absent. An empty path is the element itself.
    fn text_at(&self, path: &str) -> &'a str;
    /// An attribute; empty when it is absent.
    fn attr(&self, name: &str) -> &'a str;
    /// An attribute of the element at `path`; empty when either is absent.
    fn attr_at(&self, path: &str, name: &str) -> &'a str;
    /// The size that the element at `path` states in its text and its `unit`.
    fn size_at(&self, path: &str, default_unit: u64) -> Option<Bytes>;
}

impl<'a> NodeExt<'a> for Node<'a, '_> {
    fn child(&self, name: &str) -> Option<Self> {
        self.children().find(|node| is_plain(node, name))
    }

    fn find(&self, path: &str) -> Option<Self> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .try_fold(*self, |node, part| node.child(part))
    }

    fn children_named(&self, name: &str) -> Vec<Self> {
        self.children()
            .filter(|node| is_plain(node, name))
            .collect()
    }

    fn text_at(&self, path: &str) -> &'a str {
        let Some(node) = self.find(path) else {
            return "";
        };
        // Not `Node::text`, which stops at a comment or an element before it.
        let texts = node.children().filter(Node::is_text);
        texts
            .filter_map(|node| node.text())
            .map(str::trim)
            .find(|text| !text.is_empty())
            .unwrap_or("")
    }

    fn attr(&self, name: &str) -> &'a str {
        self.attribute(name).unwrap_or("")
    }

    fn attr_at(&self, path: &str, name: &str) -> &'a str {
        self.find(path)
            .and_then(|node| node.attribute(name))
            .unwrap_or("")
    }

    fn size_at(&self, path: &str, default_unit: u64) -> Option<Bytes> {
        let node = self.find(path)?;
        size(node.text_at(""), node.attribute("unit"), default_unit)
    }
}

fn is_plain(node: &Node, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace().is_none()
}

/// libvirt's unit of memory where none is given.
pub const KIB: u64 = 1024;

/// A whole number with one of libvirt's units.
/// Source: libvirt formatdomain, "Memory Allocation": `b`, `k`/`KiB`, `KB` and so on, case-insensitive.
pub fn size(number: &str, unit: Option<&str>, default_unit: u64) -> Option<Bytes> {
    let number: u64 = number.trim().parse().ok()?;
    let factor = match unit {
        None => default_unit,
        Some(unit) => unit_factor(unit)?,
    };
    Some(Bytes(number.saturating_mul(factor)))
}

fn unit_factor(unit: &str) -> Option<u64> {
    let lower = unit.to_ascii_lowercase();
    if matches!(lower.as_str(), "b" | "byte" | "bytes") {
        return Some(1);
    }
    let power = 1 + "kmgtpe".find(lower.chars().next()?)? as u32;
    match &lower[1..] {
        "" | "ib" => 1024u64.checked_pow(power),
        "b" => 1000u64.checked_pow(power),
        _ => None,
    }
}

/// The UUID in the `<uuid>` child, if it is there and readable.
pub(crate) fn uuid_of(root: &Node) -> Option<Uuid> {
    Uuid::parse_str(root.text_at("uuid")).ok()
}

/// `192.168.44.1/24` of an `<ip>` element, from its prefix, its netmask or the class of the address.
pub(crate) fn cidr_of(ip: &Node) -> Option<String> {
    let address = ip.attribute("address")?;
    let prefix = ip
        .attribute("prefix")
        .map(str::to_owned)
        .or_else(|| netmask_prefix(ip.attribute("netmask")?).map(|p| p.to_string()))
        .or_else(|| class_prefix(address).map(|p| p.to_string()));
    Some(match prefix {
        Some(prefix) => format!("{address}/{prefix}"),
        None => address.to_owned(),
    })
}

/// `255.255.255.0` → 24; `None` when the ones are not all on the left.
pub fn netmask_prefix(mask: &str) -> Option<u32> {
    let bits = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    let prefix = bits.leading_ones();
    (bits.count_ones() == prefix).then_some(prefix)
}

/// The prefix libvirt assumes for an IPv4 address without netmask: its historical class.
fn class_prefix(address: &str) -> Option<u32> {
    let first = address.parse::<Ipv4Addr>().ok()?.octets()[0];
    Some(match first {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_libvirts_units() {
        assert_eq!(size("1", None, KIB), Some(Bytes(1024)));
        assert_eq!(size("2", Some("KiB"), 1), Some(Bytes(2048)));
        assert_eq!(size("2", Some("KB"), 1), Some(Bytes(2000)));
        assert_eq!(size("3", Some("G"), 1), Some(Bytes(3 << 30)));
        assert_eq!(size("7", Some("bytes"), KIB), Some(Bytes(7)));
        assert_eq!(size("7", Some("é"), KIB), None);
        assert_eq!(size("x", None, KIB), None);
        assert_eq!(size("99999999999", Some("EiB"), 1), Some(Bytes(u64::MAX)));
    }

    #[test]
    fn netmasks_become_prefixes() {
        assert_eq!(netmask_prefix("255.255.255.0"), Some(24));
        assert_eq!(netmask_prefix("255.0.255.0"), None);
    }
}
