//! Where something is in a document: a path of elements, with a key or a position where names repeat.

use crate::build::Element;
use crate::read::NodeExt;
use roxmltree::Node;
use std::fmt;

/// A place: the content of an element, or one of its attributes.
///
/// `Place::at("cpu").keyed("feature", "name", "vmx").attr("policy")` is `cpu/feature[name=vmx]@policy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    parts: Vec<Part>,
    pub(super) target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Content,
    Attribute(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: &'static str,
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    First,
    Keyed(&'static str, String),
    Nth(usize),
    /// Its child of this name has an attribute of this value.
    Holding(&'static str, &'static str, String),
}

impl Place {
    /// The element at a path of names, `os/type`; the root itself for an empty path.
    pub fn at(path: &'static str) -> Self {
        let part = |name| Part {
            name,
            which: Which::First,
        };
        Self {
            parts: path
                .split('/')
                .filter(|p| !p.is_empty())
                .map(part)
                .collect(),
            target: Target::Content,
        }
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(mut self, name: &'static str) -> Self {
        self.parts.push(Part {
            name,
            which: Which::First,
        });
        self
    }

    /// The child of this name whose attribute `key` is `value`.
    #[must_use]
    pub fn keyed(mut self, name: &'static str, key: &'static str, value: impl ToString) -> Self {
        self.parts.push(Part {
            name,
            which: Which::Keyed(key, value.to_string()),
        });
        self
    }

    /// The child of this name at a position among its like, from 0.
    #[must_use]
    pub fn nth(mut self, name: &'static str, index: usize) -> Self {
        self.parts.push(Part {
            name,
            which: Which::Nth(index),
        });
        self
    }

    /// The child `name` whose own child `inner` has the attribute `key` with `value`, in any case: the disk of a target,
    /// the interface of a MAC address. It is only found, never made.
    #[must_use]
    pub fn holding(
        mut self,
        name: &'static str,
        inner: &'static str,
        key: &'static str,
        value: impl ToString,
    ) -> Self {
        self.parts.push(Part {
            name,
            which: Which::Holding(inner, key, value.to_string()),
        });
        self
    }

    /// An attribute of the element.
    #[must_use]
    pub fn attr(mut self, name: &'static str) -> Self {
        self.target = Target::Attribute(name);
        self
    }

    /// The trimmed text or the attribute; `None` when it is absent.
    pub fn value<'a>(&self, root: Node<'a, '_>) -> Option<&'a str> {
        let node = self.element(root)?;
        match self.target {
            Target::Attribute(name) => node.attribute(name),
            Target::Content => Some(node.text_at("")),
        }
    }

    /// The element.
    pub fn element<'a, 'input>(&self, root: Node<'a, 'input>) -> Option<Node<'a, 'input>> {
        self.ancestor(root, self.depth())
    }

    /// The path without the keys and positions that tell like elements apart: `cpu/feature[name=*]@policy`.
    pub fn pattern(&self) -> String {
        let general = |part: &Part| Part {
            name: part.name,
            which: match part.which {
                Which::Keyed(key, _) => Which::Keyed(key, "*".to_owned()),
                Which::First | Which::Nth(_) | Which::Holding(..) => Which::First,
            },
        };
        let general = Self {
            parts: self.parts.iter().map(general).collect(),
            target: self.target.clone(),
        };
        general.to_string()
    }

    pub(super) fn depth(&self) -> usize {
        self.parts.len()
    }

    /// The element `depth` steps below the root on the way to this place.
    pub(super) fn ancestor<'a, 'input>(
        &self,
        root: Node<'a, 'input>,
        depth: usize,
    ) -> Option<Node<'a, 'input>> {
        self.parts[..depth]
            .iter()
            .try_fold(root, |node, part| part.find(node))
    }

    /// Name and text of the element that has to be made at `depth`.
    pub(super) fn skeleton(&self, depth: usize) -> (&'static str, String) {
        let part = &self.parts[depth - 1];
        let element = Element::new(part.name);
        let element = match &part.which {
            Which::Keyed(key, value) => element.attr(key, value),
            Which::First | Which::Nth(_) | Which::Holding(..) => element,
        };
        (part.name, element.to_xml(0))
    }

    /// It cannot be made: a new element at position n needs n others before it.
    pub(super) fn cannot_be_made(&self, parent: Node, depth: usize) -> bool {
        let part = &self.parts[depth - 1];
        match part.which {
            Which::Nth(n) => parent.children_named(part.name).len() < n,
            Which::Holding(..) => true,
            Which::First | Which::Keyed(..) => false,
        }
    }
}

impl Part {
    fn find<'a, 'input>(&self, node: Node<'a, 'input>) -> Option<Node<'a, 'input>> {
        let mut named = node.children_named(self.name).into_iter();
        match &self.which {
            Which::First => named.next(),
            Which::Keyed(key, value) => named.find(|n| n.attribute(*key) == Some(value)),
            Which::Nth(index) => named.nth(*index),
            Which::Holding(inner, key, value) => {
                named.find(|n| n.attr_at(inner, key).eq_ignore_ascii_case(value))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            let slash = if index == 0 { "" } else { "/" };
            write!(f, "{slash}{}", part.name)?;
            match &part.which {
                Which::First => {}
                Which::Keyed(key, value) => write!(f, "[{key}={value}]")?,
                Which::Nth(n) => write!(f, "[{}]", n + 1)?,
                Which::Holding(_, _, value) => write!(f, " {value}")?,
            }
        }
        match self.target {
            Target::Content => Ok(()),
            Target::Attribute(name) => write!(f, "@{name}"),
        }
    }
}
