//! What a running domain still waits for: live and persistent definition compared.
//!
//! Only what a person sets is compared. What libvirt adds at start (aliases, addresses, ports, security labels,
//! resolved networks and volumes) is never a difference.

use super::{Domain, read};
use crate::read::{NodeExt, XmlError, parse};
use model::Vm;
use model::vm::{Disk, Graphics, Nic};
use std::fmt;

/// One difference between now and the next start, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What differs: `memory`, `vCPUs`, `disk vda`…
    pub what: String,
    /// Its value in the running domain; `none` when absent.
    pub now: String,
    /// Its value at the next start; `none` when absent.
    pub next: String,
}

/// `memory: 1.0 GiB now, 2.0 GiB at the next start`.
impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} now, {} at the next start",
            self.what, self.now, self.next
        )
    }
}

/// Whether a running VM waits for its next start with something that a person set.
pub fn is_pending(vm: &Vm) -> bool {
    match (&vm.xml_live, &vm.xml_persistent) {
        (Some(live), Some(persistent)) => {
            differs(live, persistent).is_ok_and(|list| !list.is_empty())
        }
        _ => false,
    }
}

/// What a person has changed in the persistent definition and the running domain does not have yet, or has lost.
///
/// # Errors
/// One of the texts is not a domain.
pub fn differs(live: &str, persistent: &str) -> Result<Vec<Pending>, XmlError> {
    let (now, next) = (read(live)?, read(persistent)?);
    let mut found = Found(Vec::new());
    compare_size(&now, &next, &mut found);
    compare_devices(&now, &next, &mut found);
    compare_more(live, persistent, &mut found)?;
    Ok(found.0)
}

struct Found(Vec<Pending>);

impl Found {
    fn check(&mut self, what: &str, now: impl ToString, next: impl ToString) {
        let (now, next) = (now.to_string(), next.to_string());
        if now != next {
            let shown = |text: String| {
                if text.is_empty() {
                    "none".to_owned()
                } else {
                    text
                }
            };
            self.0.push(Pending {
                what: what.to_owned(),
                now: shown(now),
                next: shown(next),
            });
        }
    }
}

fn compare_size(now: &Domain, next: &Domain, found: &mut Found) {
    // The balloon moves while the domain runs, so `<currentMemory>` says nothing about a person's wish.
    found.check("memory", now.memory_max, next.memory_max);
    found.check("vCPUs", now.vcpus, next.vcpus);
    found.check("maximum vCPUs", now.vcpus_max, next.vcpus_max);
}

fn compare_devices(now: &Domain, next: &Domain, found: &mut Found) {
    compare_lists(
        "disk",
        &now.disks,
        &next.disks,
        |disk| disk.target.clone(),
        disk_words,
        found,
    );
    compare_lists(
        "interface",
        &now.nics,
        &next.nics,
        |nic| nic.mac.clone(),
        nic_words,
        found,
    );
    let position = |list: &[Graphics]| {
        list.iter()
            .map(|g| g.kind.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    found.check(
        "graphics",
        position(&now.graphics),
        position(&next.graphics),
    );
    for (a, b) in now.graphics.iter().zip(&next.graphics) {
        if a.kind == b.kind {
            compare_graphics(a, b, found);
        }
    }
}

/// A persistent definition with an automatic port or a network to listen on leaves the value to the start.
fn compare_graphics(now: &Graphics, next: &Graphics, found: &mut Found) {
    let what = format!("graphics {}", now.kind);
    if !next.listen.is_empty() {
        found.check(&format!("{what} address"), &now.listen, &next.listen);
    }
    if let Some(port) = next.port {
        found.check(&format!("{what} port"), now.port.unwrap_or(0), port);
    }
}

fn compare_lists<T>(
    class: &str,
    now: &[T],
    next: &[T],
    key: impl Fn(&T) -> String,
    words: impl Fn(&T) -> String,
    found: &mut Found,
) {
    let words_of = |list: &[T], wanted: &str| {
        list.iter()
            .find(|item| key(item) == wanted)
            .map(&words)
            .unwrap_or_default()
    };
    let gone = now
        .iter()
        .filter(|item| !next.iter().any(|other| key(other) == key(item)));
    for item in next.iter().chain(gone) {
        let name = key(item);
        found.check(
            &format!("{class} {name}"),
            words_of(now, &name),
            words_of(next, &name),
        );
    }
}

fn disk_words(disk: &Disk) -> String {
    let source = match disk.source.as_str() {
        "" => "empty",
        source => source,
    };
    format!("{} {source} on {}", disk.device, disk.bus)
}

fn nic_words(nic: &Nic) -> String {
    let mut words = nic.kind.clone();
    for part in [&nic.source, &nic.model] {
        if !part.is_empty() {
            words.push(' ');
            words.push_str(part);
        }
    }
    words
}

/// What the short form of a domain leaves out.
fn compare_more(live: &str, persistent: &str, found: &mut Found) -> Result<(), XmlError> {
    let (live, persistent) = (
        parse("domain", "domain", live)?,
        parse("domain", "domain", persistent)?,
    );
    let (now, next) = (live.root_element(), persistent.root_element());
    compare_disk_drivers(now, next, found);
    let order = |root: &roxmltree::Node| {
        root.child("os")
            .map(|os| os.children_named("boot"))
            .unwrap_or_default()
            .iter()
            .map(|boot| boot.attr("dev").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    found.check("boot order", order(&now), order(&next));
    for path in ["os/kernel", "os/initrd", "os/cmdline", "on_reboot"] {
        let what = path.trim_start_matches("os/");
        found.check(what, now.text_at(path), next.text_at(path));
    }
    Ok(())
}

/// How disks that both have are read.
fn compare_disk_drivers(now: roxmltree::Node, next: roxmltree::Node, found: &mut Found) {
    let disks = |root: roxmltree::Node<'_, '_>| -> Vec<[String; 3]> {
        let disks = root.child("devices").map(|d| d.children_named("disk"));
        let words = |disk: &roxmltree::Node| {
            [("target", "dev"), ("driver", "io"), ("driver", "iothread")]
                .map(|(path, name)| disk.attr_at(path, name).to_owned())
        };
        disks.unwrap_or_default().iter().map(words).collect()
    };
    let now = disks(now);
    for [target, io, thread] in disks(next) {
        if let Some([_, io_now, thread_now]) = now.iter().find(|[other, ..]| *other == target) {
            found.check(&format!("disk {target} io"), io_now, io);
            found.check(&format!("disk {target} iothread"), thread_now, thread);
        }
    }
}
