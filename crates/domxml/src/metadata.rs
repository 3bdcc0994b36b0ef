//! What this program remembers in a definition: elements of its own namespace under `<metadata>`, which libvirt keeps as
//! they are and shows to nobody else.

use crate::edit::{Document, EditError, Place};
use crate::read::NodeExt;
use roxmltree::Node;

/// The namespace of the elements.
pub const NAMESPACE: &str = "urn:salar:vm:1";

/// The text of the element `name`; `None` when it is absent.
pub fn get<'a>(root: Node<'a, '_>, name: &str) -> Option<&'a str> {
    find(root, name)?.text().map(str::trim)
}

/// Makes `text` the text of the element `name`, which must be a name that XML allows. `text` is escaped.
///
/// # Errors
/// None for a document that was well-formed.
pub fn set(document: &mut Document, name: &'static str, text: &str) -> Result<(), EditError> {
    let old = document.read(|root| find(root, name).map(|node| node.range()));
    if let Some(range) = old {
        document.remove_range(range)?;
    }
    let text = crate::build::escape(text);
    let element = format!("<salar:{name} xmlns:salar='{NAMESPACE}'>{text}</salar:{name}>");
    document.insert_written(&Place::at("metadata"), name, &element)
}

fn find<'a, 'input>(root: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    let metadata = root.child("metadata")?;
    metadata
        .children()
        .find(|node| node.has_tag_name((NAMESPACE, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(document: &Document) -> Option<String> {
        document.read(|root| get(root, "note").map(str::to_owned))
    }

    #[test]
    fn a_note_is_written_changed_and_stands_beside_those_of_others() {
        let others = "<domain>\n  <name>x</name>\n  <metadata>\n    <o:note xmlns:o='urn:other'>theirs</o:note>\n  </metadata>\n</domain>";
        for xml in ["<domain>\n  <name>x</name>\n</domain>", others] {
            let mut document = Document::new(xml).expect("well-formed");
            assert_eq!(remembered(&document), None);
            for text in ["a", "b <&> c"] {
                set(&mut document, "note", text).expect("possible");
                assert_eq!(remembered(&document).as_deref(), Some(text));
            }
            assert_eq!(document.as_str().matches("<salar:note").count(), 1);
            assert_eq!(document.as_str().contains("theirs"), xml.contains("theirs"));
        }
    }
}
