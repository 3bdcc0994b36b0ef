//! The disks of an existing VM: which stay, which change their medium, which come and go.
//! Source: Salt `virt._diff_disk_lists`; unlike there, a disk that stays keeps its name in the guest.

use super::source::Disk;
use super::update::{Devices, LiveDevice};
use crate::StateError;
use domxml::domain::read_disk;
use domxml::read::NodeExt;
use domxml::{Document, EditError, Element, Place};
use model::plan::VmOp;

/// A disk of the definition.
struct Existing {
    disk: model::vm::Disk,
    io: String,
    iothread: String,
}

/// Edits the definition so that it has the declared disks, and says what that means for the running VM.
pub(super) fn edit(document: &mut Document, disks: &[Disk]) -> Result<Vec<LiveDevice>, EditError> {
    let existing = document.read(|root| {
        let nodes = root.child("devices").map(|d| d.children_named("disk"));
        let nodes = nodes.unwrap_or_default().into_iter();
        nodes
            .map(|node| Existing {
                disk: read_disk(&node),
                io: node.attr_at("driver", "io").to_owned(),
                iothread: node.attr_at("driver", "iothread").to_owned(),
            })
            .collect::<Vec<_>>()
    });
    let pairs = pair(disks, &existing);
    let mut live = Vec::new();
    for (index, old) in existing.iter().enumerate() {
        if !pairs.contains(&Some(index)) {
            document.remove(&place(&old.disk.target))?;
            if can_be_plugged(&old.disk.bus, &old.disk.device) {
                live.push(LiveDevice::gone(Devices::Disks, &old.disk.target));
            }
        }
    }
    let mut taken: Vec<String> = pairs
        .iter()
        .flatten()
        .map(|index| existing[*index].disk.target.clone())
        .collect();
    for (disk, old) in disks.iter().zip(&pairs) {
        match old {
            Some(index) => live.extend(keep(document, disk, &existing[*index])?),
            None => {
                let target = free_target(disk.prefix(), &taken);
                let element = disk.element(&target);
                document.insert(&Place::at("devices"), &element)?;
                if can_be_plugged(&disk.bus, &disk.device) {
                    live.push(LiveDevice::come(Devices::Disks, &target, &element));
                }
                taken.push(target);
            }
        }
    }
    Ok(live)
}

/// For each declared disk the existing one it is: by its source, else, for drives, by their position.
fn pair(disks: &[Disk], existing: &[Existing]) -> Vec<Option<usize>> {
    let mut free: Vec<bool> = existing.iter().map(|_| true).collect();
    let mut take = |fits: &dyn Fn(&model::vm::Disk) -> bool| {
        let index = (0..existing.len()).find(|i| free[*i] && fits(&existing[*i].disk))?;
        free[index] = false;
        Some(index)
    };
    let mut pairs: Vec<Option<usize>> = disks
        .iter()
        .map(|new| take(&|old| same_place(new, old) && source_of(new) == old.source))
        .collect();
    for (new, pair) in disks.iter().zip(&mut pairs) {
        if pair.is_none() && is_drive(&new.device) {
            *pair = take(&|old| same_place(new, old));
        }
    }
    pairs
}

fn same_place(new: &Disk, old: &model::vm::Disk) -> bool {
    new.device == old.device && new.bus == old.bus
}

/// A drive whose medium can be changed.
fn is_drive(device: &str) -> bool {
    matches!(device, "cdrom" | "floppy")
}

/// In the words in which existing disks are read.
fn source_of(disk: &Disk) -> String {
    let xml = disk.element("x").to_xml(0);
    let doc = roxmltree::Document::parse(&xml).expect("built elements are well-formed");
    read_disk(&doc.root_element()).source
}

/// A disk that stays: its medium and how it is read may change.
fn keep(
    document: &mut Document,
    new: &Disk,
    old: &Existing,
) -> Result<Option<LiveDevice>, EditError> {
    let place = place(&old.disk.target);
    let has_io = if old.io.is_empty() { "native" } else { &old.io };
    if new.is_local() && new.io != has_io {
        document.set(&place.clone().child("driver").attr("io"), &new.io)?;
    }
    let iothread = new.iothread.map(|thread| thread.to_string());
    if let Some(thread) = iothread.filter(|thread| *thread != old.iothread) {
        document.set(&place.clone().child("driver").attr("iothread"), &thread)?;
    }
    if source_of(new) == old.disk.source {
        return Ok(None);
    }
    change_medium(document, &place, new)?;
    let (kind, source) = new.medium();
    Ok(Some(LiveDevice::medium(&old.disk.target, kind, source)))
}

fn change_medium(document: &mut Document, disk: &Place, new: &Disk) -> Result<(), EditError> {
    let (kind, source) = new.medium();
    document.set(&disk.clone().attr("type"), kind)?;
    match source {
        Some(source) => document.put(disk, source),
        None => document.remove(&disk.clone().child("source")),
    }
}

/// The live device with another medium.
pub(super) fn with_medium(
    live_xml: &str,
    kind: &str,
    source: Option<&Element>,
) -> Result<VmOp, StateError> {
    let edit = || {
        let mut device = Document::new(live_xml)?;
        device.set(&Place::at("").attr("type"), kind)?;
        match source {
            Some(source) => device.put(&Place::at(""), source)?,
            None => device.remove(&Place::at("source"))?,
        }
        Ok(device.into_string())
    };
    let xml = edit().map_err(|error: EditError| StateError::definition("the drive", error))?;
    Ok(VmOp::UpdateLive { xml })
}

fn place(target: &str) -> Place {
    Place::at("devices").holding("disk", "target", "dev", target)
}

/// IDE, SATA and floppy controllers take nothing while the VM runs.
fn can_be_plugged(bus: &str, device: &str) -> bool {
    matches!(bus, "virtio" | "scsi" | "usb" | "xen") && !is_drive(device)
}

/// `vda`, `vdb`…: the first that is not taken. On Xen `xvda` and `hda` are one place, so the letters of both count.
pub(super) fn free_target(prefix: &str, taken: &[String]) -> String {
    let same: &[&str] = match prefix {
        "hd" | "xvd" => &["hd", "xvd"],
        _ => &[prefix],
    };
    let is_taken = |letters: &str| {
        let names = taken.iter();
        same.iter().any(|prefix| {
            names
                .clone()
                .any(|name| *name == format!("{prefix}{letters}"))
        })
    };
    (0..)
        .map(letters)
        .find(|letters| !is_taken(letters))
        .map(|letters| format!("{prefix}{letters}"))
        .expect("there are more names than disks")
}

/// 0 → a, 25 → z, 26 → aa.
fn letters(index: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(index % 26).expect("below 26"));
    match index / 26 {
        0 => letter.to_string(),
        rest => format!("{}{letter}", letters(rest - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_go_on_after_z() {
        assert_eq!(letters(25), "z");
        assert_eq!(letters(26), "aa");
        assert_eq!(letters(26 * 27), "aaa");
        assert_eq!(
            free_target("vd", &["vda".to_owned(), "vdc".to_owned()]),
            "vdb"
        );
        // IDE's first place is Xen's first.
        assert_eq!(free_target("hd", &["xvda".to_owned()]), "hdb");
        assert_eq!(free_target("xvd", &["hda".to_owned()]), "xvdb");
    }
}
