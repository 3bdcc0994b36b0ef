//! `docs/updating.md`, written from the table.
//!
//! `UPDATE_DOCS=1 cargo test -p states updating` writes it anew; without, the test compares.

use super::{Effect, Object, attributes};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# When a change takes effect

What a state declares of an object that is there is edited in its definition, and nothing else of it is touched. When the
running object has it, this table says; a plan says the same of each step (`live`, `next boot`), and what has to wait is
said on every run until it is true. No state stops or restarts anything by itself: its users would lose their link or their
disks. This page is written by a test from the table that the planners work with: `UPDATE_DOCS=1 cargo test -p states updating`.

| word | meaning |
| --- | --- |
| live | while the object runs, without interruption |
| at next boot | when the VM is next started; a reboot from inside the guest is not enough |
| only by stopping | once somebody stops and starts the network or pool, or shuts the VM down |
| only when new | it is read when the object is made, and never changes it |

In the parameters `*` stands for any key, or for the items of a list. An object that is off has every change at once.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (object, title) in [
        (Object::Vm, "VMs: `virt.running`, `virt.defined`"),
        (
            Object::Network,
            "Networks: `virt.network_running`, `virt.network_defined`",
        ),
        (
            Object::Pool,
            "Pools: `virt.pool_running`, `virt.pool_defined`",
        ),
    ] {
        let head =
            "| parameter | place in libvirt's XML | takes effect | |\n| --- | --- | --- | --- |";
        writeln!(page, "\n## {title}\n\n{head}").expect("a text can be written to");
        for attribute in attributes(object) {
            let place = match attribute.place {
                "" => String::new(),
                place => format!("`{place}`"),
            };
            let (effect, note) = (attribute.effect.as_str(), attribute.note);
            writeln!(
                page,
                "| `{}` | {place} | {effect} | {note} |",
                attribute.parameter
            )
            .expect("a text can be written to");
        }
    }
    page
}

#[test]
fn the_page_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/updating.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/updating.md is not what the table says; run: UPDATE_DOCS=1 cargo test -p states updating"
    );
}

#[test]
fn what_is_at_one_place_takes_effect_at_one_time() {
    // Disks and interfaces are compared and changed as a whole.
    for object in [Object::Vm, Object::Network, Object::Pool] {
        let mut effects: BTreeMap<&str, Effect> = BTreeMap::new();
        let places = attributes(object).iter();
        for attribute in
            places.filter(|a| !a.place.is_empty() && !a.place.starts_with("devices/disk"))
        {
            let effect = *effects.entry(attribute.place).or_insert(attribute.effect);
            assert_eq!(effect, attribute.effect, "{}", attribute.place);
        }
    }
}
