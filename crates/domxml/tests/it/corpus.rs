//! Every domain of libvirt's own test suite: read, edited, written back with nothing else changed.
//!
//! The files are not part of this repository. `scripts/fetch-libvirt-corpus` brings them and prints their folder;
//! `SALAR_LIBVIRT_CORPUS` names it. Without it the test says so and passes, but fails in CI.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::tokens::{Kind, essence, tokens};
use domxml::read::NodeExt;
use domxml::{Document, Element, Place, domain};

#[test]
fn every_domain_of_libvirts_tests_survives_edits() {
    let Some(folder) = std::env::var_os("SALAR_LIBVIRT_CORPUS") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "SALAR_LIBVIRT_CORPUS names no folder; run scripts/fetch-libvirt-corpus"
        );
        println!("skipped: SALAR_LIBVIRT_CORPUS names no folder (scripts/fetch-libvirt-corpus)");
        return;
    };
    let files = xml_files(Path::new(&folder));
    let half = files.len().div_ceil(2);
    let checked: Vec<_> = thread::scope(|scope| {
        let halves: Vec<_> = files
            .chunks(half.max(1))
            .map(|half| scope.spawn(|| check_all(half)))
            .collect();
        halves
            .into_iter()
            .flat_map(|half| half.join().expect("says what fails"))
            .collect()
    });
    let domains = checked.len();
    println!("{domains} domains read, edited and written back");
    let faults: Vec<String> = checked.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // libvirt 9.0 has 2260; fewer than this means that the folder is not the suite.
    assert!(domains > 2000, "only {domains} domains below {folder:?}");
}

/// What is wrong with each domain among the files, if anything.
fn check_all(files: &[PathBuf]) -> Vec<Option<String>> {
    let mut out = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).expect("readable UTF-8");
        if root_name(&text) == "domain" {
            let fault = check(&text).err();
            out.push(fault.map(|fault| format!("{}: {fault}", path.display())));
        }
    }
    out
}

fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            out.extend(xml_files(&path));
        } else if path.extension().is_some_and(|end| end == "xml") {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// The first element's name, found without the crate's parser.
fn root_name(text: &str) -> &str {
    let tokens = tokens(text);
    let first = tokens.iter().find(|token| token.kind == Kind::Open);
    first.map_or("", |token| &token.text[1..])
}

/// Makes every edit on its own, then all of them in a row, and takes each back.
fn check(text: &str) -> Result<(), String> {
    let mut all = document(text)?;
    for edit in edits() {
        let mut alone = document(text)?;
        edit.carry_out(&mut alone)?;
        edit.take_back(&mut alone, text)?;
        edit.carry_out(&mut all)?;
    }
    let (before, after) = (read(text)?, read(all.as_str())?);
    let memory = all.read(|root| root.size_at("memory", 1024));
    let unchanged = |domain: &domain::Domain| (domain.name.clone(), domain.uuid, domain.id);
    if unchanged(&before) != unchanged(&after) {
        return Err("another name, UUID or id".to_owned());
    }
    if Some(after.memory_max) != memory || after.vcpus_max != 7 {
        return Err("memory and vCPUs do not read back".to_owned());
    }
    for (what, old, new) in [
        ("disks", before.disks.len(), after.disks.len()),
        ("interfaces", before.nics.len(), after.nics.len()),
    ] {
        if new != old.max(1) + 1 {
            return Err(format!("{old} {what} have become {new}"));
        }
    }
    Ok(())
}

fn document(text: &str) -> Result<Document, String> {
    Document::new(text).map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<domain::Domain, String> {
    domain::read(text).map_err(|error| error.to_string())
}

/// One change, told by the names on the way to it, so that what must come of it is known without the editor.
enum Edit {
    /// A text or an attribute, of the first elements of these names.
    Set(&'static [&'static str], Option<&'static str>, &'static str),
    /// A whole device.
    Device(Element),
}

fn edits() -> [Edit; 7] {
    let disk = Element::new("disk")
        .attr("type", "file")
        .child(Element::new("source").attr("file", "/x & y.qcow2"))
        .child(Element::new("target").attr("dev", "vdzz"));
    let nic = Element::new("interface")
        .attr("type", "network")
        .child(Element::new("mac").attr("address", "52:54:00:aa:bb:cc"))
        .child(Element::new("source").attr("network", "n1"));
    [
        Edit::Set(&["memory"], None, "1234567"),
        Edit::Set(&["vcpu"], None, "7"),
        Edit::Set(&["devices", "disk", "driver"], Some("cache"), "directsync"),
        Edit::Set(&["devices", "interface", "model"], Some("type"), "e1000e"),
        Edit::Set(&["os", "boot"], Some("dev"), "network"),
        Edit::Device(disk),
        Edit::Device(nic),
    ]
}

impl Edit {
    fn carry_out(&self, document: &mut Document) -> Result<(), String> {
        let before = document.as_str().to_owned();
        let (gone, come) = match self {
            Edit::Set(path, attribute, value) => {
                let expected = document.read(|root| expected(root, path, *attribute, value));
                document
                    .set(&place(path, *attribute), value)
                    .map_err(|e| e.to_string())?;
                expected
            }
            Edit::Device(device) => {
                let expected = document.read(|root| match root.child("devices") {
                    Some(_) => essence(&device.to_xml(0)),
                    None => essence(&format!("<devices>{}</devices>", device.to_xml(0))),
                });
                document
                    .insert(&Place::at("devices"), device)
                    .map_err(|e| e.to_string())?;
                (None, expected)
            }
        };
        compare(&before, document.as_str(), gone.as_deref(), &come)
            .map_err(|fault| format!("{}: {fault}", self.name()))
    }

    /// Undoes the change and expects the bytes that were there.
    fn take_back(&self, document: &mut Document, text: &str) -> Result<(), String> {
        match self {
            Edit::Set(path, attribute, _) => {
                let place = place(path, *attribute);
                match self::document(text)?.get(&place) {
                    Some(old) if !old.is_empty() => document.set(&place, &old),
                    // An element without text stays one.
                    Some(_) => return Ok(()),
                    None => document.remove(&place),
                }
            }
            Edit::Device(device) => {
                let range = document.read(|root| {
                    let devices = root.child("devices")?;
                    let like = devices.children_named(device.name());
                    like.last().map(|node| node.range())
                });
                document.remove_range(range.ok_or("the device is not there")?)
            }
        }
        .map_err(|error| error.to_string())?;
        // Removing takes empty shells along, so that an empty list of devices may be gone afterwards.
        let same = document.as_str() == text
            || bare(text) && without_devices(document.as_str()) == without_devices(text);
        same.then_some(())
            .ok_or_else(|| format!("{}: taking it back leaves a trace", self.name()))
    }

    fn name(&self) -> String {
        match self {
            Edit::Set(path, attribute, _) => place(path, *attribute).to_string(),
            Edit::Device(device) => format!("new {}", device.name()),
        }
    }
}

/// Without any device.
fn bare(text: &str) -> bool {
    let essence = essence(text);
    let mut pairs = essence.windows(2);
    !essence.contains(&"<devices".to_owned()) || pairs.any(|two| two == ["<devices", "</devices>"])
}

fn without_devices(text: &str) -> Vec<String> {
    let mut essence = essence(text);
    essence.retain(|piece| piece != "<devices" && piece != "</devices>");
    essence
}

fn place(path: &[&'static str], attribute: Option<&'static str>) -> Place {
    let place = path
        .iter()
        .fold(Place::at(""), |place, name| place.child(name));
    match attribute {
        Some(name) => place.attr(name),
        None => place,
    }
}

/// The piece that goes and the pieces that come when a value is set.
fn expected(
    root: roxmltree::Node,
    path: &[&str],
    attribute: Option<&str>,
    value: &str,
) -> (Option<String>, Vec<String>) {
    let mut node = root;
    let mut there = 0;
    while let Some(child) = path.get(there).and_then(|name| node.child(name)) {
        node = child;
        there += 1;
    }
    let old = match attribute {
        _ if there < path.len() => None,
        Some(name) => node.attribute(name),
        None => Some(node.text_at("")).filter(|text| !text.is_empty()),
    };
    match old {
        Some(old) if old == value => return (None, Vec::new()),
        Some(old) => return (Some(old.to_owned()), vec![value.to_owned()]),
        None => {}
    }
    let missing = &path[there..];
    let mut come: Vec<String> = missing.iter().map(|name| format!("<{name}")).collect();
    come.extend(attribute.map(|name| format!("{name}=")));
    come.push(value.to_owned());
    come.extend(missing.iter().rev().map(|name| format!("</{name}>")));
    (None, come)
}

/// Whether the documents differ by one run of pieces and nothing else, layout included.
fn compare(before: &str, after: &str, gone: Option<&str>, come: &[String]) -> Result<(), String> {
    let (old, new) = (essence(before), essence(after));
    let gone_pieces = usize::from(gone.is_some());
    if new.len() + gone_pieces != old.len() + come.len() {
        return Err(format!("{} pieces have become {}", old.len(), new.len()));
    }
    // A run beside its like can be told apart from it in several places; any of them will do.
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let fits = |at: usize| {
        new.get(at..at + come.len()) == Some(come)
            && old[..at] == new[..at]
            && old
                .get(at..at + gone_pieces)
                .is_some_and(|run| run.iter().eq(gone.as_slice()))
            && old[at + gone_pieces..] == new[at + come.len()..]
    };
    if !(first.saturating_sub(come.len())..=first).any(fits) {
        return Err("something else has changed".to_owned());
    }
    let lost = lost_bytes(before, after);
    let allowed = match gone {
        Some(gone) => gone.contains(lost),
        None => lost.trim().is_empty() || lost.trim() == "/" || lost.trim() == "/>",
    };
    allowed
        .then_some(())
        .ok_or_else(|| format!("the layout has lost {lost:?}"))
}

/// What is between the longest common start and the longest common end.
fn lost_bytes<'t>(before: &'t str, after: &str) -> &'t str {
    let (a, b) = (before.as_bytes(), after.as_bytes());
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let limit = a.len().min(b.len()) - start;
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(limit)
        .take_while(|(x, y)| x == y)
        .count();
    before
        .get(start..a.len() - end)
        .unwrap_or("half a character")
}
