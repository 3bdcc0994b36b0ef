//! Passwords of consoles: kept across a new definition by someone who has never seen them.
//!
//! What is read of a VM goes into the store and onto screens, so it is read without passwords (libvirt leaves them
//! out unless asked). A definition that was edited from such a reading would silently remove them.

use domxml::edit::{Document, Place};
use domxml::read::NodeExt;

/// Attributes of `<graphics>` that libvirt shows only with `VIR_DOMAIN_XML_SECURE`.
const HIDDEN: [&str; 2] = ["passwd", "passwdValidTo"];

/// `new` with the passwords of `old` on consoles of the same kind that say nothing about theirs. `None` when there is
/// nothing to keep.
pub(crate) fn keep_passwords(new: &str, old: &str) -> Option<String> {
    let old = consoles(&Document::new(old).ok()?);
    if old.iter().all(|console| console.hidden.is_empty()) {
        return None;
    }
    let mut new = Document::new(new).ok()?;
    for (index, console) in consoles(&new).into_iter().enumerate() {
        let before = old.iter().find(|before| before.kind == console.kind);
        let Some(before) = before.filter(|_| console.hidden.is_empty()) else {
            continue;
        };
        for (name, value) in &before.hidden {
            let place = Place::at("devices").nth("graphics", index).attr(name);
            new.set(&place, value).ok()?;
        }
    }
    Some(new.into_string())
}

/// A `<graphics>` element: its type, and its hidden attributes where it has any.
struct Graphics {
    kind: String,
    hidden: Vec<(&'static str, String)>,
}

fn consoles(document: &Document) -> Vec<Graphics> {
    document.read(|root| {
        let devices = root.child("devices");
        let list = devices.map(|devices| devices.children_named("graphics"));
        list.unwrap_or_default()
            .iter()
            .map(|node| Graphics {
                kind: node.attr("type").to_owned(),
                hidden: HIDDEN
                    .iter()
                    .filter_map(|&name| Some((name, node.attribute(name)?.to_owned())))
                    .collect(),
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::keep_passwords;

    const OLD: &str = "<domain><devices><graphics type='spice'/>\
        <graphics type='vnc' passwd='a&amp;b'/></devices></domain>";

    #[test]
    fn a_password_that_was_not_shown_is_kept() {
        let new =
            "<domain><!-- mine --><devices><graphics type='vnc' port='1'/></devices></domain>";
        assert_eq!(
            keep_passwords(new, OLD).expect("a change"),
            "<domain><!-- mine --><devices><graphics type='vnc' port='1' passwd='a&amp;b'/></devices></domain>"
        );
    }

    #[test]
    fn a_new_password_and_another_kind_of_console_stay_as_they_are() {
        let new = "<domain><devices><graphics type='vnc' passwd='new'/>\
            <graphics type='spice'/></devices></domain>";
        assert_eq!(keep_passwords(new, OLD).as_deref(), Some(new));
    }

    #[test]
    fn without_passwords_nothing_is_written_anew() {
        let plain = "<domain><devices><graphics type='vnc'/></devices></domain>";
        assert_eq!(keep_passwords(plain, plain), None);
    }
}
