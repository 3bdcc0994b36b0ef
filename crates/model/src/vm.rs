//! Virtual machines as a hypervisor reports them.

use crate::bytes::Bytes;
use crate::capability::GuestKind;
use uuid::Uuid;

/// What a VM is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VmStatus {
    /// Executing, or blocked on a resource (libvirt `RUNNING`, `BLOCKED`).
    Running,
    /// Stopped in memory; resume goes on (libvirt `PAUSED`).
    Paused,
    /// Asked to shut down and not yet off (libvirt `SHUTDOWN`).
    ShuttingDown,
    /// Off (libvirt `SHUTOFF`).
    Shutoff,
    /// The guest or its process failed (libvirt `CRASHED`).
    Crashed,
    /// Asleep by the guest's power management (libvirt `PMSUSPENDED`).
    Suspended,
    /// Being moved to another host (libvirt `PAUSED` with the reason migration, or told by a job).
    Migrating,
    /// libvirt said something this program does not know.
    Unknown,
}

impl VmStatus {
    /// Every status, in the order in which lists and facets show them.
    pub const ALL: [Self; 8] = [
        Self::Running,
        Self::Paused,
        Self::Suspended,
        Self::ShuttingDown,
        Self::Migrating,
        Self::Crashed,
        Self::Shutoff,
        Self::Unknown,
    ];

    /// The word used in the database, on the wire and in filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::ShuttingDown => "shutting_down",
            Self::Shutoff => "shutoff",
            Self::Crashed => "crashed",
            Self::Suspended => "suspended",
            Self::Migrating => "migrating",
            Self::Unknown => "unknown",
        }
    }

    /// The inverse of [`as_str`](Self::as_str); `None` for any other word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Salt's word for it. Source: Salt `virt.vm_state`.
    pub const fn salt_word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::ShuttingDown | Self::Shutoff => "shutdown",
            Self::Crashed => "crashed",
            Self::Suspended | Self::Migrating | Self::Unknown => "unknown",
        }
    }

    /// Whether the VM has a running process on the host.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Running | Self::Paused | Self::ShuttingDown | Self::Suspended | Self::Migrating
        )
    }
}

/// One VM as read from its host at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vm {
    /// libvirt's UUID.
    pub uuid: Uuid,
    /// libvirt's name.
    pub name: String,
    /// Running id on this host; `None` while off.
    pub domain_id: Option<u32>,
    /// What it is in.
    pub status: VmStatus,
    /// libvirt's reason for the status in words (`booted`, `destroyed`, `crashed`…); may be empty.
    pub status_reason: String,
    /// Domain type: `kvm`, `qemu`, `xen`, `test`…
    pub domain_type: String,
    /// Guest type and architecture, e.g. `hvm`, `x86_64`; empty when not told.
    pub os_type: String,
    /// See `os_type`.
    pub arch: String,
    /// vCPUs online now (or at next start, while off).
    pub vcpus: u32,
    /// vCPUs at most.
    pub vcpus_max: u32,
    /// Memory now (the balloon's target, or `<currentMemory>` while off).
    pub memory: Bytes,
    /// Memory at most (`<memory>`).
    pub memory_max: Bytes,
    /// Started with its host.
    pub autostart: bool,
    /// Has a definition that survives its stop.
    pub persistent: bool,
    /// Has a saved memory image that the next start resumes from.
    pub has_managed_save: bool,
    /// The running definition differs from the one of the next start in something that a person set. Hypervisors leave
    /// it false, as comparing costs more than reading: agents compare before they report.
    pub pending_changes: bool,
    /// Free text of the owner, from `<title>`.
    pub title: String,
    /// Free text of the owner, from `<description>`.
    pub description: String,
    /// Disks, CD-ROM drives and floppies in XML order.
    pub disks: Vec<Disk>,
    /// Network interfaces in XML order.
    pub nics: Vec<Nic>,
    /// Graphical consoles.
    pub graphics: Vec<Graphics>,
    /// The definition of the next start; `None` for a transient VM.
    pub xml_persistent: Option<String>,
    /// The running definition; `None` while off.
    pub xml_live: Option<String>,
}

impl Vm {
    /// What kind of guest it is.
    pub fn guest(&self) -> GuestKind {
        GuestKind::of(&self.domain_type, &self.os_type)
    }

    /// Xen's Domain-0, which libvirt lists among the VMs: the host itself. It has this name and a UUID of zeros.
    pub fn is_control_domain(&self) -> bool {
        is_domain_0(&self.name, self.uuid) && self.guest().is_xen()
    }

    /// A VM of which only its identity is known.
    pub const fn named(uuid: Uuid, name: String) -> Self {
        Self {
            uuid,
            name,
            domain_id: None,
            status: VmStatus::Unknown,
            status_reason: String::new(),
            domain_type: String::new(),
            os_type: String::new(),
            arch: String::new(),
            vcpus: 0,
            vcpus_max: 0,
            memory: Bytes(0),
            memory_max: Bytes(0),
            autostart: false,
            persistent: false,
            has_managed_save: false,
            pending_changes: false,
            title: String::new(),
            description: String::new(),
            disks: Vec::new(),
            nics: Vec::new(),
            graphics: Vec::new(),
            xml_persistent: None,
            xml_live: None,
        }
    }
}

/// Whether these are Domain-0's name and UUID. Nothing else has a UUID of zeros.
pub fn is_domain_0(name: &str, uuid: Uuid) -> bool {
    name == "Domain-0" && uuid.is_nil()
}

/// A disk of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Target name in the guest's XML: `vda`.
    pub target: String,
    /// `virtio`, `scsi`, `sata`, `ide`, `xen`…
    pub bus: String,
    /// `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// Where the bytes are: a path, `pool/volume`, or `protocol:name`; empty for an empty drive.
    pub source: String,
    /// Pool of a volume disk.
    pub pool: Option<String>,
    /// `qcow2`, `raw`… ; empty when not told.
    pub format: String,
    /// Mounted read-only.
    pub read_only: bool,
}

/// A network interface of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// Lower-case MAC address.
    pub mac: String,
    /// libvirt's kind: `network`, `bridge`, `direct`, `user`…
    pub kind: String,
    /// Network or bridge it is plugged into; empty when none.
    pub source: String,
    /// `virtio`, `e1000`…; empty when not told.
    pub model: String,
    /// Device on the host (`vnet3`) while running.
    pub target: Option<String>,
    /// Addresses known from DHCP leases, guest agent or ARP; may be empty.
    pub addresses: Vec<String>,
}

/// A graphical console of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graphics {
    /// `vnc`, `spice`, `rdp`…
    pub kind: String,
    /// TCP port on the host while running and listening on TCP.
    pub port: Option<u16>,
    /// Listen address; empty when none.
    pub listen: String,
}
