//! Writing new XML: a small tree of elements whose texts and attributes are always escaped.

use std::fmt;

/// An element to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Empty,
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    /// `<name/>`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            content: Content::Empty,
        }
    }

    /// `<name>text</name>`.
    pub fn text(name: &'static str, text: impl ToString) -> Self {
        Self {
            content: Content::Text(text.to_string()),
            ..Self::new(name)
        }
    }

    /// Appends an attribute.
    #[must_use]
    pub fn attr(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// Appends an attribute if there is a value.
    #[must_use]
    pub fn attr_opt(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Appends a child. Replaces a text.
    #[must_use]
    pub fn child(mut self, child: Element) -> Self {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            Content::Empty | Content::Text(_) => self.content = Content::Children(vec![child]),
        }
        self
    }

    /// Appends children.
    #[must_use]
    pub fn children(self, children: impl IntoIterator<Item = Element>) -> Self {
        children.into_iter().fold(self, Element::child)
    }

    /// The name of the element.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Neither attributes nor content.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.content == Content::Empty
    }

    /// The text of the element, each line after the first indented by `indent` spaces; no line break at the end.
    pub fn to_xml(&self, indent: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, indent);
        out
    }

    fn write(&self, out: &mut String, indent: usize) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("='");
            escape_into(out, value);
            out.push('\'');
        }
        match &self.content {
            Content::Empty => out.push_str("/>"),
            Content::Text(text) => {
                out.push('>');
                escape_into(out, text);
                self.close(out);
            }
            Content::Children(children) => {
                out.push('>');
                for child in children {
                    new_line(out, indent + 2);
                    child.write(out, indent + 2);
                }
                new_line(out, indent);
                self.close(out);
            }
        }
    }

    fn close(&self, out: &mut String) {
        out.push_str("</");
        out.push_str(self.name);
        out.push('>');
    }
}

/// The document, indented by two spaces a level, with a line break at its end.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.to_xml(0))
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Escapes for a text and for an attribute in either kind of quotes.
///
/// Line breaks and tabs become references, since a parser turns them into blanks inside an attribute. Characters that
/// XML 1.0 cannot hold at all become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(&mut out, text);
    out
}

fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c if (c as u32) < 0x20 || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_document_is_indented() {
        let pool = Element::new("pool")
            .attr("type", "dir")
            .child(Element::text("name", "a<b"))
            .child(Element::new("target").child(Element::text("path", "/x")))
            .child(Element::new("source"));
        expect_test::expect![[r#"
            <pool type='dir'>
              <name>a&lt;b</name>
              <target>
                <path>/x</path>
              </target>
              <source/>
            </pool>
        "#]]
        .assert_eq(&pool.to_string());
    }

    proptest! {
        /// Whatever the text, the document stays one element with that text and that attribute.
        #[test]
        fn hostile_text_reads_back(text in "\\PC*|[<>&'\"\\]\\[!\n\t\r-]*") {
            let xml = Element::new("a").child(Element::text("b", &text)).attr("c", &text).to_string();
            let doc = roxmltree::Document::parse(&xml).expect("well-formed");
            let root = doc.root_element();
            let readable = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
            prop_assert_eq!(root.attribute("c"), Some(readable.as_str()));
            let b = root.first_element_child().expect("the child");
            prop_assert_eq!(b.text().unwrap_or(""), readable.as_str());
        }
    }
}
