//! From a change to the bytes it replaces, keeping indentation and quotes as they are.

use super::escaped;
use super::order::rank;
use roxmltree::Node;
use std::ops::Range;

/// A byte range and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    range: Range<usize>,
    with: String,
}

/// Carries out patches that do not overlap.
pub(super) fn splice(text: &str, mut patches: Vec<Patch>) -> String {
    patches.sort_by_key(|patch| patch.range.start);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for patch in patches {
        debug_assert!(
            at <= patch.range.start,
            "patches of one pass do not overlap"
        );
        out.push_str(&text[at..patch.range.start]);
        out.push_str(&patch.with);
        at = patch.range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Finds tags and indentation in a text.
pub(super) struct Layout<'t> {
    text: &'t str,
}

impl<'t> Layout<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text }
    }

    /// Sets an attribute: in its old quotes, or as the last one.
    pub(super) fn attribute(&self, node: Node, name: &str, value: &str) -> Patch {
        if let Some(old) = node.attributes().find(|a| a.name() == name) {
            let range = old.range();
            let quote = &self.text[range.end - 1..range.end];
            let start = self.text[range.clone()]
                .find(quote)
                .map_or(range.end - 1, |at| range.start + at + 1);
            return Patch {
                range: start..range.end - 1,
                with: escaped(value),
            };
        }
        let end = self.start_tag(node).end;
        let inside = self.text[..end].trim_end_matches('>').trim_end_matches('/');
        let at = inside.trim_end().len();
        Patch {
            range: at..at,
            with: format!(" {name}='{}'", escaped(value)),
        }
    }

    /// Removes an attribute with the blanks before it.
    pub(super) fn attribute_removal(&self, range: Range<usize>) -> Patch {
        let start = self.text[..range.start].trim_end().len();
        Patch {
            range: start..range.end,
            with: String::new(),
        }
    }

    /// Sets the text of an element, leaving comments and child elements beside it.
    pub(super) fn content(&self, node: Node, value: &str) -> Vec<Patch> {
        if self.is_self_closing(node) {
            return vec![self.opened(node, &escaped(value))];
        }
        let texts: Vec<Range<usize>> = node
            .children()
            .filter(|child| child.is_text())
            .map(|child| child.range())
            .filter(|range| !self.text[range.clone()].trim().is_empty())
            .collect();
        let Some(first) = texts.first() else {
            let at = self.start_tag(node).end;
            return vec![Patch {
                range: at..at,
                with: escaped(value),
            }];
        };
        let written = &self.text[first.clone()];
        let start = first.start + (written.len() - written.trim_start().len());
        let end = first.start + written.trim_end().len();
        let others = texts.iter().skip(1).map(|range| Patch {
            range: range.clone(),
            with: String::new(),
        });
        std::iter::once(Patch {
            range: start..end,
            with: escaped(value),
        })
        .chain(others)
        .collect()
    }

    /// Removes an element, with its line when it has one to itself.
    pub(super) fn removal(&self, node: Node) -> Patch {
        self.removal_of_range(node.range())
    }

    pub(super) fn removal_of_range(&self, range: Range<usize>) -> Patch {
        let rest = &self.text[range.end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        let ends_line = rest[blanks..].starts_with('\n');
        let line_start = self.text[..range.start].rfind('\n');
        let range = match (self.indent(range.start), line_start) {
            (Some(_), Some(newline)) if ends_line => newline..range.end + blanks,
            _ => range,
        };
        // A carriage return before the removed line break belongs to it, and one after stays.
        let range = match self.text[..range.start].ends_with('\r')
            && self.text[range.start..].starts_with('\n')
        {
            true => {
                range.start - 1..range.end - usize::from(self.text[..range.end].ends_with('\r'))
            }
            false => range,
        };
        Patch {
            range,
            with: String::new(),
        }
    }

    /// Puts `xml` into the place of an element.
    pub(super) fn replacement(&self, range: Range<usize>, xml: &str) -> Patch {
        let with = match self.indent(range.start) {
            Some(indent) => indented(xml, indent),
            None => joined(xml),
        };
        Patch { range, with }
    }

    /// Inserts `xml`, an element `name`, as a child of `parent`.
    pub(super) fn insertion(&self, parent: Node, name: &str, xml: &str) -> Patch {
        let children: Vec<Node> = parent.children().filter(Node::is_element).collect();
        if children.is_empty() {
            return self.first_child(parent, xml);
        }
        let parent_name = parent.tag_name().name();
        let wanted = rank(parent_name, name);
        let rank_of = |node: &Node| rank(parent_name, node.tag_name().name());
        let like = children.iter().rev().find(|c| c.tag_name().name() == name);
        let before = || match wanted {
            Some(wanted) => children
                .iter()
                .rev()
                .find(|child| rank_of(child).is_some_and(|rank| rank <= wanted)),
            None => children.last(),
        };
        match like.or_else(before) {
            Some(sibling) => self.after(sibling.range(), xml),
            None => self.before(children[0].range(), xml),
        }
    }

    fn after(&self, sibling: Range<usize>, xml: &str) -> Patch {
        let with = match self.indent(sibling.start) {
            Some(indent) => format!("\n{indent}{}", indented(xml, indent)),
            None => joined(xml),
        };
        Patch {
            range: sibling.end..sibling.end,
            with,
        }
    }

    fn before(&self, sibling: Range<usize>, xml: &str) -> Patch {
        let with = match self.indent(sibling.start) {
            Some(indent) => format!("{}\n{indent}", indented(xml, indent)),
            None => joined(xml),
        };
        Patch {
            range: sibling.start..sibling.start,
            with,
        }
    }

    fn first_child(&self, parent: Node, xml: &str) -> Patch {
        let inner = match self.indent(parent.range().start) {
            Some(indent) => {
                let deeper = format!(
                    "{indent}{}",
                    if indent.contains('\t') { "\t" } else { "  " }
                );
                format!("\n{deeper}{}\n{indent}", indented(xml, &deeper))
            }
            None => joined(xml),
        };
        if self.is_self_closing(parent) {
            return self.opened(parent, &inner);
        }
        let content = self.start_tag(parent).end..self.end_tag_start(parent);
        let kept = self.text[content.clone()].trim_end().len();
        Patch {
            range: content.start + kept..content.end,
            with: inner,
        }
    }

    /// `<a/>` → `<a>inner</a>`.
    fn opened(&self, node: Node, inner: &str) -> Patch {
        let range = node.range();
        let at = self.text[..range.end - 2].trim_end().len();
        let tag = &self.text[range.start + 1..];
        let length = tag
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'))
            .unwrap_or(tag.len());
        Patch {
            range: at..range.end,
            with: format!(">{inner}</{}>", &tag[..length]),
        }
    }

    fn is_self_closing(&self, node: Node) -> bool {
        let tag = self.start_tag(node);
        self.text[tag].ends_with("/>")
    }

    /// From `<` to `>`; a `>` may stand in an attribute, and declarations of namespaces are no attributes.
    fn start_tag(&self, node: Node) -> Range<usize> {
        let start = node.range().start;
        let mut quote = None;
        for (offset, byte) in self.text[start..].bytes().enumerate() {
            match (quote, byte) {
                (None, b'\'' | b'"') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                (None, b'>') => return start..start + offset + 1,
                _ => {}
            }
        }
        node.range()
    }

    /// Where `</` begins. Only for elements that are not self-closing.
    fn end_tag_start(&self, node: Node) -> usize {
        let range = node.range();
        self.text[range.clone()]
            .rfind("</")
            .map_or(range.end, |at| range.start + at)
    }

    /// The blanks before `at` when nothing else stands before it on its line.
    fn indent(&self, at: usize) -> Option<&'t str> {
        let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &self.text[line..at];
        before.trim().is_empty().then_some(before)
    }
}

/// The lines of a built element, those after the first moved to the right. A built element has no line breaks in its
/// texts, so every one of them is layout.
fn indented(xml: &str, indent: &str) -> String {
    xml.replace('\n', &format!("\n{indent}"))
}

/// A built element on one line, for documents without line breaks.
fn joined(xml: &str) -> String {
    xml.split('\n')
        .map(|line| line.trim_start_matches(' '))
        .collect()
}
