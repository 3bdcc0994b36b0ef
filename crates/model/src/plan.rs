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
    /// Change a secret that libvirt keeps.
    Secret {
        /// Which.
        secret: SecretName,
        /// What to do.
        op: SecretOp,
    },
    /// Change a file of the host. The executor does it; hypervisors refuse.
    File {
        /// Absolute path.
        path: String,
        /// What to do.
        op: FileOp,
    },
}

/// What a secret is for: by that, libvirt finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// Who uses it.
    pub usage: SecretUsage,
    /// Name of the use: `pool_vms`.
    pub id: String,
}

/// Who uses a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretUsage {
    /// Ceph: RBD pools.
    Ceph,
    /// iSCSI targets with CHAP.
    Iscsi,
}

impl SecretUsage {
    /// libvirt's word: `<usage type=…>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ceph => "ceph",
            Self::Iscsi => "iscsi",
        }
    }
}

/// `iscsi pool_vms`.
impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.usage.as_str(), self.id)
    }
}

/// A change to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretOp {
    /// Write the definition: what it is for, not its value.
    Define {
        /// Secret XML.
        xml: String,
    },
    /// Give it a value.
    SetValue {
        /// The value.
        value: Content,
    },
    /// Remove it with its value.
    Undefine,
}

/// A change to a file of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOp {
    /// Write it, in place of what is there; folders above it are made.
    Write {
        /// What it holds afterwards.
        content: Content,
        /// For root alone.
        private: bool,
    },
    /// Fetch it; what is there already stays.
    Fetch {
        /// Where it comes from.
        source: ImageSource,
    },
    /// Remove it.
    Remove,
}

/// A change to a storage pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolOp {
    /// Write the persistent definition (new or changed).
    Define {
        /// Pool XML.
        xml: String,
    },
    /// Start a pool that nothing defines: it is gone when it is stopped. Its storage is made where there is none.
    CreateTransient {
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

/// Bytes that may hold passwords and keys, so they show only their number.
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
    /// `http://…`, `https://…`, `ftp://…`, or an absolute path on the host.
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
    /// What the host gives the running VM: time, CPUs, threads, memory.
    TuneLive(Tuning),
    /// Move it to another host.
    Migrate(Box<Migration>),
    /// Switch a running migration over to post-copy: the guest goes on at its destination, and fetches what is missing.
    StartPostcopy,
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

/// A resource that the host gives a running VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tuning {
    /// A weight or limit of CPU time.
    Scheduler {
        /// libvirt's name of it: `cpu_shares`, `vcpu_quota`…
        parameter: &'static str,
        /// Shares, or microseconds; -1 lifts a quota.
        value: i64,
    },
    /// CPUs of the host that a vCPU runs on.
    PinVcpu {
        /// Number of the vCPU.
        vcpu: u32,
        /// Numbers of the host's CPUs.
        cpus: Vec<u32>,
    },
    /// CPUs of the host that the emulator's other threads run on.
    PinEmulator {
        /// Numbers of the host's CPUs.
        cpus: Vec<u32>,
    },
    /// CPUs of the host that an I/O thread runs on.
    PinIoThread {
        /// Number of the thread.
        thread: u32,
        /// Numbers of the host's CPUs.
        cpus: Vec<u32>,
    },
    /// One I/O thread more.
    AddIoThread(u32),
    /// One I/O thread less.
    RemoveIoThread(u32),
    /// A limit of memory.
    MemoryLimit {
        /// libvirt's name of it: `hard_limit`…
        parameter: &'static str,
        /// The limit.
        size: Bytes,
    },
}

/// `cpu_shares 2048`, `vCPU 0 to CPUs 1,2`.
impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |cpus: &[u32]| {
            let cpus: Vec<String> = cpus.iter().map(u32::to_string).collect();
            cpus.join(",")
        };
        match self {
            Self::Scheduler { parameter, value } => write!(f, "{parameter} {value}"),
            Self::PinVcpu { vcpu, cpus } => write!(f, "vCPU {vcpu} on CPUs {}", list(cpus)),
            Self::PinEmulator { cpus } => write!(f, "emulator on CPUs {}", list(cpus)),
            Self::PinIoThread { thread, cpus } => {
                write!(f, "I/O thread {thread} on CPUs {}", list(cpus))
            }
            Self::AddIoThread(thread) => write!(f, "I/O thread {thread}"),
            Self::RemoveIoThread(thread) => write!(f, "no I/O thread {thread}"),
            Self::MemoryLimit { parameter, size } => write!(f, "{parameter} {size}"),
        }
    }
}

/// How a VM moves to another host. Its disks must be reachable there, unless they are copied along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// URI of the other hypervisor, as this one reaches it: `qemu+ssh://kvm2/system`.
    pub target: String,
    /// While the guest runs.
    pub live: bool,
    /// It is defined there afterwards.
    pub persistent: bool,
    /// It is no longer defined here afterwards.
    pub undefine_source: bool,
    /// Only the definition of a VM that is off.
    pub offline: bool,
    /// Over libvirt's own connection, rather than one between the emulators.
    pub tunnelled: bool,
    /// Most MiB a second.
    pub max_bandwidth: Option<u64>,
    /// Longest time in milliseconds that the guest stands still for.
    pub max_downtime: Option<u64>,
    /// So many connections at once.
    pub parallel_connections: Option<u32>,
    /// How memory is compressed on its way; `None` is not at all.
    pub compression: Option<Compression>,
    /// Disks that are copied along.
    pub copy_storage: Option<CopyStorage>,
    /// It may be switched over to post-copy.
    pub postcopy: bool,
    /// Most MiB a second after that.
    pub postcopy_bandwidth: Option<u64>,
}

/// How memory is compressed on its way to another host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compression {
    /// `mt`, `xbzrle`, `zstd`…; the hypervisor's choice when there is none.
    pub methods: Vec<String>,
    /// Level of `mt`, 0 to 9.
    pub mt_level: Option<u32>,
    /// Threads of `mt` here.
    pub mt_threads: Option<u32>,
    /// Threads of `mt` there.
    pub mt_dthreads: Option<u32>,
    /// Cache of `xbzrle` in bytes.
    pub xbzrle_cache: Option<u64>,
}

/// Which disks are copied along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyStorage {
    /// All of their content.
    All,
    /// Only what is above the backing store, which the other host has.
    Incremental,
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
