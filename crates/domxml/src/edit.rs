//! Editing XML in place: byte ranges of the text as it was written, and their replacements.
//!
//! What is not touched keeps every byte: unknown elements, comments, namespaces, order and kind of quotes cannot be lost
//! because they are never written again. Each edit parses, patches and parses again to check.

mod order;
mod place;
mod splice;

pub use place::Place;

use crate::build::{Element, escape};
use place::Target;
use roxmltree::Node;
use splice::{Layout, Patch};
use thiserror::Error;

/// Why an edit is impossible.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// The text is not well-formed.
    #[error("the XML is not well-formed: {0}")]
    Malformed(String),
    /// The root element is in a namespace: libvirt's are in none, and nothing below it would be found.
    #[error("the XML is none of libvirt's: its element {0} has a namespace; remove the xmlns")]
    Namespace(String),
    /// The place that is to be changed or to be the parent is not there.
    #[error("the XML has no {0}")]
    NoSuchPlace(String),
}

/// An XML document that is edited in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
}

impl Document {
    /// Takes a text that must be well-formed.
    ///
    /// # Errors
    /// `Malformed`, `Namespace`.
    pub fn new(text: impl Into<String>) -> Result<Self, EditError> {
        let text = text.into();
        let read = roxmltree::Document::parse(&text)
            .map_err(|error| EditError::Malformed(error.to_string()))?;
        let root = read.root_element().tag_name();
        if root.namespace().is_some() {
            return Err(EditError::Namespace(root.name().to_owned()));
        }
        drop(read);
        Ok(Self { text })
    }

    /// The text as it is now.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text as it is now.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Looks at the document through its root element.
    pub fn read<T>(&self, look: impl FnOnce(Node) -> T) -> T {
        let doc = roxmltree::Document::parse(&self.text).expect("checked after every edit");
        look(doc.root_element())
    }

    /// The trimmed text or the attribute at a place; `None` when it is absent.
    pub fn get(&self, place: &Place) -> Option<String> {
        self.read(|root| place.value(root).map(str::to_owned))
    }

    /// Sets the text or the attribute at a place, making the elements that lead to it.
    ///
    /// # Errors
    /// `NoSuchPlace` when the place is an element by its position and those before it are absent.
    pub fn set(&mut self, place: &Place, value: &str) -> Result<(), EditError> {
        if self.get(place).as_deref() == Some(value) {
            return Ok(());
        }
        self.make(place)?;
        if self.get(place).as_deref() == Some(value) {
            return Ok(());
        }
        let patches = self.read(|root| {
            let node = place
                .element(root)
                .ok_or_else(|| EditError::NoSuchPlace(place.to_string()))?;
            let layout = Layout::new(&self.text);
            Ok(match &place.target {
                Target::Attribute(name) => vec![layout.attribute(node, name, value)],
                Target::Content => layout.content(node, value),
            })
        })?;
        self.splice(patches)
    }

    /// Removes the attribute or the element at a place, then the elements that have become empty by it. Nothing happens
    /// when it is absent.
    ///
    /// # Errors
    /// None for a document that was well-formed.
    pub fn remove(&mut self, place: &Place) -> Result<(), EditError> {
        let patch = self.read(|root| {
            let layout = Layout::new(&self.text);
            let node = place.element(root)?;
            match &place.target {
                Target::Attribute(name) => {
                    let attribute = node.attributes().find(|a| a.name() == *name)?;
                    if node.attributes().len() == 1 && is_hollow(node) && node != root {
                        return Some(layout.removal(emptied(node, root)));
                    }
                    Some(layout.attribute_removal(attribute.range()))
                }
                Target::Content if node == root => None,
                Target::Content => Some(layout.removal(emptied(node, root))),
            }
        });
        self.splice(patch.into_iter().collect())
    }

    /// Removes the element at a byte range, and nothing else.
    ///
    /// # Errors
    /// None for a range that `read` gave.
    pub fn remove_range(&mut self, range: std::ops::Range<usize>) -> Result<(), EditError> {
        let patch = Layout::new(&self.text).removal_of_range(range);
        self.splice(vec![patch])
    }

    /// Puts another element into the place of the one at a byte range.
    ///
    /// # Errors
    /// None for a range that `read` gave.
    pub fn replace_range(
        &mut self,
        range: std::ops::Range<usize>,
        element: &Element,
    ) -> Result<(), EditError> {
        let patch = Layout::new(&self.text).replacement(range, &element.to_xml(0));
        self.splice(vec![patch])
    }

    /// Inserts an element under the one at `parent`, after its like and otherwise where libvirt would write it. The
    /// parent is made if it is absent.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn insert(&mut self, parent: &Place, element: &Element) -> Result<(), EditError> {
        self.make(parent)?;
        let patch = self.read(|root| {
            let node = parent
                .element(root)
                .ok_or_else(|| EditError::NoSuchPlace(parent.to_string()))?;
            Ok(Layout::new(&self.text).insertion(node, element.name(), &element.to_xml(0)))
        })?;
        self.splice(vec![patch])
    }

    /// Inserts the text of an element `name`, as it was written elsewhere.
    ///
    /// # Errors
    /// As for [`set`](Self::set), and when the text is not well-formed.
    pub fn insert_written(
        &mut self,
        parent: &Place,
        name: &str,
        xml: &str,
    ) -> Result<(), EditError> {
        self.make(parent)?;
        let patch = self.read(|root| {
            let node = parent
                .element(root)
                .ok_or_else(|| EditError::NoSuchPlace(parent.to_string()))?;
            Ok(Layout::new(&self.text).insertion(node, name, xml))
        })?;
        self.splice(vec![patch])
    }

    /// Puts an element where its like is under `parent`, or inserts it.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn put(&mut self, parent: &Place, element: &Element) -> Result<(), EditError> {
        let old = self.read(|root| {
            let parent = parent.element(root)?;
            Some(crate::read::NodeExt::child(&parent, element.name())?.range())
        });
        match old {
            Some(range) => self.replace_range(range, element),
            None => self.insert(parent, element),
        }
    }

    /// Makes the elements that lead to a place.
    fn make(&mut self, place: &Place) -> Result<(), EditError> {
        for depth in 1..=place.depth() {
            let patch = self.read(|root| {
                if place.ancestor(root, depth).is_some() {
                    return Ok(None);
                }
                let parent = place
                    .ancestor(root, depth - 1)
                    .ok_or_else(|| EditError::NoSuchPlace(place.to_string()))?;
                let (name, xml) = place.skeleton(depth);
                if place.cannot_be_made(parent, depth) {
                    return Err(EditError::NoSuchPlace(place.to_string()));
                }
                Ok(Some(Layout::new(&self.text).insertion(parent, name, &xml)))
            })?;
            self.splice(patch.into_iter().collect())?;
        }
        Ok(())
    }

    fn splice(&mut self, patches: Vec<Patch>) -> Result<(), EditError> {
        if !patches.is_empty() {
            *self = Self::new(splice::splice(&self.text, patches))?;
        }
        Ok(())
    }
}

/// The outermost element that holds nothing but `node`: removing `node` alone would leave empty shells.
fn emptied<'a, 'input>(node: Node<'a, 'input>, root: Node<'a, 'input>) -> Node<'a, 'input> {
    let mut outermost = node;
    while let Some(parent) = outermost.parent_element() {
        let only_child = parent
            .children()
            .all(|child| child == outermost || is_blank(child));
        if parent == root || !only_child || has_attributes(parent) {
            break;
        }
        outermost = parent;
    }
    outermost
}

/// Without element, comment or text.
fn is_hollow(node: Node) -> bool {
    node.children().all(is_blank)
}

fn is_blank(node: Node) -> bool {
    node.is_text() && node.text().is_some_and(|text| text.trim().is_empty())
}

/// Attributes, or declarations of namespaces of its own.
fn has_attributes(node: Node) -> bool {
    node.attributes().len() > 0
        || node
            .parent()
            .is_some_and(|parent| parent.namespaces().len() != node.namespaces().len())
}

/// An element's text as written between its tags.
pub(crate) fn escaped(value: &str) -> String {
    escape(value)
}

#[cfg(test)]
mod tests;
