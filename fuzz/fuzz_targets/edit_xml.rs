//! Any document: it is read without a panic, a value that is set reads back, and taking it away leaves the rest.
#![no_main]

use domxml::{Document, Element, Place, domain, network, pool};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Before the document: a byte that chooses the place, and the value.
    let (head, xml) = text.split_at(text.find('<').unwrap_or(text.len()));
    let pick = head.bytes().next().unwrap_or(0);
    let value = head.get(1..).unwrap_or("v");
    let _ = (domain::read(xml), domain::differs(xml, xml));
    let _ = (network::read(xml), pool::read(xml));
    let Ok(mut document) = Document::new(xml) else {
        return;
    };
    let place = place(pick);
    let old = document.get(&place);
    if document.set(&place, value).is_ok() {
        check_value(&document, &place, value);
        match old {
            Some(old) => document.set(&place, &old).expect("it could be set before"),
            None => document.remove(&place).expect("it is there"),
        }
    }
    let device = Element::new("disk")
        .attr("type", "file")
        .child(Element::text("x", value));
    let before = document.read(|root| root.descendants().count());
    document
        .insert(&Place::at("devices"), &device)
        .expect("devices can be made");
    assert!(document.read(|root| root.descendants().count()) > before);
});

fn place(pick: u8) -> Place {
    match pick % 8 {
        0 => Place::at("memory"),
        1 => Place::at("memory").attr("unit"),
        2 => Place::at("os")
            .nth("boot", usize::from(pick / 8 % 3))
            .attr("dev"),
        3 => Place::at("devices")
            .holding("disk", "target", "dev", "vda")
            .attr("device"),
        4 => Place::at("cpu")
            .keyed("feature", "name", "vmx")
            .attr("policy"),
        5 => Place::at("devices/interface/model").attr("type"),
        6 => Place::at("a/b"),
        _ => Place::at("a").nth("b", 1),
    }
}

/// Contents are trimmed, and what XML cannot hold is replaced; anything plain reads back as it was set.
fn check_value(document: &Document, place: &Place, value: &str) {
    let plain = value
        .chars()
        .all(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    if plain && value.trim() == value {
        assert_eq!(document.get(place).as_deref(), Some(value), "{place}");
    }
}
