//! Snapshots of VMs, and which VMs can have one.

use crate::capability::{Capability, Lack};
use crate::vm::{Disk, Vm};

/// A snapshot as a hypervisor reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name, one of a kind within its VM.
    pub name: String,
    /// The snapshot it was taken after; `None` for the first.
    pub parent: Option<String>,
    /// When it was taken, in seconds since 1970 UTC.
    pub created: i64,
    /// What the VM was in when it was taken: `running`, `paused`, `shutoff`, `disk-snapshot`.
    pub state: String,
    /// The VM goes on from this one.
    pub current: bool,
}

/// Why a VM can have no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSnapshot {
    /// The hypervisor keeps none.
    #[error("this hypervisor keeps no snapshots of VMs of type {domain_type}")]
    Hypervisor {
        /// libvirt's domain type.
        domain_type: String,
    },
    /// Guests of its kind have none.
    #[error("{0}")]
    Lacks(Lack),
    /// A disk cannot hold one.
    #[error("its disk {target} is {format}, and a snapshot is kept inside of disks that are qcow2")]
    Format {
        /// Target of the disk.
        target: String,
        /// Its format, `of no known format` when not told.
        format: String,
    },
    /// There is nothing that could hold one.
    #[error("it has no disk that could hold one")]
    NoDisk,
    /// The firmware's variables lie in a file of their own that cannot hold one.
    #[error("its UEFI variables lie in a raw file, which no snapshot covers")]
    Firmware,
}

impl NoSnapshot {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Hypervisor { .. } | Self::Lacks(_) => {
                "Copy the volumes of its disks while the VM is off"
            }
            Self::Format { .. } => {
                "Convert the disk to qcow2, or copy its volume while the VM is off"
            }
            Self::NoDisk => "Give the VM a qcow2 disk, or save its memory with a managed save",
            Self::Firmware => {
                "Copy the volumes of its disks and the file of the variables while the VM is off"
            }
        }
    }
}

/// Whether a snapshot that a revert brings back whole can be taken of the VM.
///
/// Only snapshots inside of the disks can: libvirt reverts no other kind before version 9.9, and one that cannot be
/// reverted would be found out on the day it is needed. Source: libvirt `qemuSnapshotPrepare`.
///
/// # Errors
/// What stands in the way.
pub fn can_snapshot(vm: &Vm) -> Result<(), NoSnapshot> {
    if let Some(lack) = vm.guest().lacks(Capability::Snapshots) {
        return Err(NoSnapshot::Lacks(lack));
    }
    match vm.domain_type.as_str() {
        // libvirt's test driver keeps no data.
        "test" => return Ok(()),
        "qemu" | "kvm" => {}
        other => {
            return Err(NoSnapshot::Hypervisor {
                domain_type: other.to_owned(),
            });
        }
    }
    let holds_data =
        |disk: &&Disk| disk.device == "disk" && !disk.read_only && !disk.source.is_empty();
    let mut disks = vm.disks.iter().filter(holds_data).peekable();
    if disks.peek().is_none() {
        return Err(NoSnapshot::NoDisk);
    }
    if let Some(disk) = disks.find(|disk| disk.format != "qcow2") {
        let format = match disk.format.as_str() {
            "" => "of no known format",
            format => format,
        };
        return Err(NoSnapshot::Format {
            target: disk.target.clone(),
            format: format.to_owned(),
        });
    }
    let definition = vm.xml_live.as_ref().or(vm.xml_persistent.as_ref());
    match definition {
        Some(xml) if xml.contains("<nvram") => Err(NoSnapshot::Firmware),
        _ => Ok(()),
    }
}

/// The snapshot that a revert without a name goes back to: the one before the current one, or the newest when none is.
/// `snapshots` in any order.
pub fn previous(snapshots: &[Snapshot]) -> Option<&Snapshot> {
    let current = snapshots.iter().find(|snapshot| snapshot.current);
    let older = |snapshot: &&Snapshot| {
        current.is_none_or(|current| {
            snapshot.name != current.name
                && (snapshot.created, &snapshot.name) < (current.created, &current.name)
        })
    };
    snapshots
        .iter()
        .filter(older)
        .max_by_key(|snapshot| (snapshot.created, snapshot.name.clone()))
}

/// The snapshots taken after `base`, newest first: what a revert with clean-up deletes.
pub fn newer_than<'a>(snapshots: &'a [Snapshot], base: &Snapshot) -> Vec<&'a Snapshot> {
    let mut newer: Vec<&Snapshot> = snapshots
        .iter()
        .filter(|other| (other.created, &other.name) > (base.created, &base.name))
        .collect();
    newer.sort_by(|a, b| (b.created, &b.name).cmp(&(a.created, &a.name)));
    newer
}

/// Longest name of a snapshot in bytes: libvirt keeps it in a file of that name.
const LONGEST_NAME: usize = 200;

/// What is wrong with a name for a snapshot; `None` when it can be one.
pub fn unfit_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("empty")
    } else if name.len() > LONGEST_NAME {
        Some("longer than 200 bytes")
    } else if name.contains('/') || name.starts_with('.') {
        Some("no file name: it has a slash or begins with a dot")
    } else if name.chars().any(char::is_control) {
        Some("not plain text: it has a control character")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(name: &str, created: i64, current: bool) -> Snapshot {
        Snapshot {
            name: name.to_owned(),
            parent: None,
            created,
            state: "running".to_owned(),
            current,
        }
    }

    #[test]
    fn the_previous_one_is_the_one_before_the_current_one() {
        let mut all = [
            snapshot("c", 30, true),
            snapshot("a", 10, false),
            snapshot("b", 20, false),
        ];
        assert_eq!(previous(&all).map(|s| s.name.as_str()), Some("b"));
        all[0].current = false;
        assert_eq!(previous(&all).map(|s| s.name.as_str()), Some("c"));
        assert_eq!(previous(&[snapshot("a", 10, true)]), None);
        assert_eq!(previous(&[]), None);
    }

    #[test]
    fn newer_ones_come_newest_first() {
        let all = [
            snapshot("a", 10, false),
            snapshot("c", 30, false),
            snapshot("b", 20, false),
        ];
        let names: Vec<&str> = newer_than(&all, &all[0])
            .iter()
            .map(|s| s.name.as_str())
            .collect();
        assert_eq!(names, ["c", "b"]);
    }

    #[test]
    fn a_name_is_that_of_a_file() {
        assert_eq!(unfit_name("before upgrade"), None);
        for name in ["", "  ", "a/b", ".hidden", "a\nb", "a\0b"] {
            assert!(unfit_name(name).is_some(), "{name:?}");
        }
        assert!(unfit_name(&"x".repeat(201)).is_some());
    }
}
