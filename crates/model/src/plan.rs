//! Plans: what would be done to a host, before anything is touched.
//!
//! A state, a button, the API and Git all end in a [`Plan`]. A dry run prints the very plan that an apply walks.

use crate::bytes::Bytes;
use crate::lifecycle::Request;
use std::fmt;

/// Steps in the order in which they are carried out. No steps: nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<PlannedStep>,
    /// What stays different although nothing is done about it now, in words ("takes effect at next start").
    pub pending: Vec<String>,
}

impl Plan {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The worst consequence of its steps.
    pub fn consequence(&self) -> Consequence {
        self.steps
            .iter()
            .map(|step| step.consequence)
            .max()
            .unwrap_or(Consequence::None)
    }
}

/// A step with what it means for those who use the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// What is done.
    pub step: Step,
    /// What that means for whoever uses the object.
    pub consequence: Consequence,
    /// A sentence for people: `Raise memory of srv01 to 2.0 GiB`.
    pub summary: String,
    /// What undoes the step when a later one of the same plan fails.
    pub undo: Undo,
    /// XML before and after, where the step changes a definition.
    pub diff: Option<XmlDiff>,
}

/// XML before and after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlDiff {
    /// Empty for something new.
    pub before: String,
    /// Empty for something removed.
    pub after: String,
}

/// What a step means for those who use the object; ordered by how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consequence {
    /// Nobody notices.
    None,
    /// Takes effect at once, without interruption.
    Live,
    /// Takes effect when the VM, network or pool is next started.
    NextBoot,
    /// Interrupts a running object.
    Downtime,
    /// Destroys data.
    DataLoss,
}

impl Consequence {
    /// The words used in plans and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Live => "live",
            Self::NextBoot => "next boot",
            Self::Downtime => "downtime",
            Self::DataLoss => "loss of data",
        }
    }
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// By this step.
    By(Box<Step>),
    /// Not at all, because of this.
    NotNeeded(&'static str),
}

/// One change to a host. Everything that Salar does to a hypervisor is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Change a storage pool.
    Pool {
        /// libvirt's name of it.
        name: String,
        /// What to do.
        op: PoolOp,
    },
    /// Change a volume.
    Volume {
        /// Pool it is in.
        pool: String,
        /// Its name there.
        name: String,
        /// What to do.
        op: VolumeOp,
    },
    /// Change a network.
    Network {
        /// libvirt's name of it.
        name: String,
        /// What to do.
        op: NetworkOp,
    },
    /// Change a VM.
    Vm {
        /// libvirt's name or UUID of it.
        name: String,
        /// What to do.
        op: VmOp,
    },
}

/// A change to a storage pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolOp {
    /// Write the persistent definition (new or changed).
    Define {
        /// Pool XML.
        xml: String,
    },
    /// Make the storage: create the folder, the file system… Never overwrites data.
    Build,
    /// Make its volumes available.
    Start,
    /// Make its volumes unavailable.
    Stop,
    /// Read the volumes again.
    Refresh,
    /// Start it with its host, or not.
    Autostart(bool),
    /// Remove the storage of a stopped pool: the folder, the volume group… (`virStoragePoolDelete`).
    Delete,
    /// Remove the definition; volumes stay.
    Undefine,
}

/// A change to a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeOp {
    /// Create it.
    Create {
        /// Volume XML.
        xml: String,
    },
    /// Create it from an image: fetch, check, create, upload, grow. A failure leaves no volume.
    CreateFromImage {
        /// Where the image comes from.
        image: ImageSource,
        /// Format of the volume and of the image: `qcow2`, `raw`.
        format: String,
        /// Wanted size; the volume grows to it and never shrinks below the image.
        size: Option<Bytes>,
    },
    /// Make it a volume of these bytes, over whatever it holds: generated media. A volume that was not there before is
    /// not left half-made.
    Write {
        /// What it holds afterwards.
        content: Content,
    },
    /// Grow to this size.
    Resize {
        /// New capacity.
        capacity: Bytes,
    },
    /// Delete it and its data.
    Delete,
}

/// Bytes of a generated medium. They may hold passwords and keys, so they show only their number.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(pub Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.0.len())
    }
}

/// Where an image comes from. Its URL may hold a password, so it shows itself without.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSource {
    /// `http://…`, `https://…`, or an absolute path on the host.
    pub location: String,
    /// `sha256=…` or a bare hex SHA-256, if given.
    pub checksum: Option<String>,
}

impl ImageSource {
    /// The location as it may stand in plans, messages and logs.
    pub fn shown(&self) -> String {
        without_credentials(&self.location)
    }
}

impl fmt::Debug for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageSource")
            .field("location", &self.shown())
            .field("checksum", &self.checksum)
            .finish()
    }
}

/// A URL as it may be shown: without the part before the `@`.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// A change to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkOp {
    /// Write the persistent definition (new or changed).
    Define {
        /// Network XML.
        xml: String,
    },
    /// Start it.
    Start,
    /// Stop it; its VMs lose their link.
    Stop,
    /// Start it with its host, or not.
    Autostart(bool),
    /// Change one section of the running network and of its definition in place (`virNetworkUpdate`).
    Update {
        /// Which section.
        section: NetworkSection,
        /// What happens to the entry.
        change: ListChange,
        /// Index of the `<ip>` element the section belongs to, -1 when it does not matter.
        parent_index: i32,
        /// XML of the entry.
        xml: String,
        /// Also the running network, not only the definition.
        live: bool,
    },
    /// Remove the definition.
    Undefine,
}

/// Sections that libvirt can change on a running network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkSection {
    /// `<ip><dhcp><host>`.
    DhcpHost,
    /// `<ip><dhcp><range>`.
    DhcpRange,
    /// `<portgroup>`.
    Portgroup,
    /// `<dns><host>`.
    DnsHost,
    /// `<dns><txt>`.
    DnsTxt,
    /// `<dns><srv>`.
    DnsSrv,
    /// `<forward><interface>`.
    ForwardInterface,
}

/// What happens to an entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListChange {
    /// Append it.
    Add,
    /// Replace the entry with the same key.
    Modify,
    /// Remove it.
    Delete,
}

/// A change to a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VmOp {
    /// Write the persistent definition (new or changed).
    Define {
        /// Domain XML.
        xml: String,
    },
    /// Start it with its host, or not.
    Autostart(bool),
    /// A life-cycle request.
    Life(Request),
    /// Plug a device into the running VM only; the definition is written by `Define`.
    AttachLive {
        /// Device XML.
        xml: String,
    },
    /// Unplug a device from the running VM only; waits until the guest has let go.
    DetachLive {
        /// Device XML.
        xml: String,
    },
    /// Change a device of the running VM only (medium of a drive, link of a NIC).
    UpdateLive {
        /// Device XML.
        xml: String,
    },
    /// vCPUs of the running VM.
    VcpusLive(u32),
    /// Memory (balloon) of the running VM.
    MemoryLive(Bytes),
    /// Start a VM that nothing defines: it is gone when it is off.
    CreateTransient {
        /// Domain XML.
        xml: String,
    },
    /// Press keys of the running VM's keyboard together.
    SendKeys {
        /// Linux key codes.
        codes: Vec<u32>,
    },
    /// Take a snapshot of disks and, while it runs, memory; it is kept inside of the disks.
    TakeSnapshot {
        /// Name of the snapshot.
        name: String,
        /// The name holds the time of the run: plans of two runs are the same all the same.
        dated: bool,
    },
    /// Go back to a snapshot; what came after it is lost.
    RevertTo {
        /// Name of the snapshot.
        snapshot: String,
    },
    /// Delete a snapshot; the VM stays as it is.
    DeleteSnapshot {
        /// Name of the snapshot.
        snapshot: String,
    },
    /// Remove the definition; disks stay.
    Undefine,
    /// Remove the definition and what the hypervisor keeps beside it: saved memory, snapshots' and checkpoints'
    /// metadata, UEFI variables. Disks stay.
    Purge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_shows_no_password() {
        let image = ImageSource {
            location: "https://ann:secret@mirror.example/x.qcow2".to_owned(),
            checksum: None,
        };
        assert_eq!(image.shown(), "https://mirror.example/x.qcow2");
        assert!(!format!("{image:?}").contains("secret"));
        assert_eq!(without_credentials("/vms/a@b.raw"), "/vms/a@b.raw");
        assert_eq!(without_credentials("http://x/a@b"), "http://x/a@b");
    }
}
