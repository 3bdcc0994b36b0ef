//! Virtual machines.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A row of the list of VMs; also what the event stream carries when one changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Vm {
    /// Its id in paths.
    pub id: Uuid,
    /// Grows by one with every real change; an event is applied only if its `gen` is higher than the one held.
    pub r#gen: u64,
    /// libvirt's name.
    pub name: String,
    /// Host it is on.
    pub host: HostRef,
    /// `running`, `paused`, `suspended`, `shutting_down`, `migrating`, `crashed`, `shutoff`, `unknown`.
    pub status: String,
    /// libvirt's reason for the status; may be empty.
    pub status_reason: String,
    /// `kvm`, `qemu`, `xen`, `test`.
    pub domain_type: String,
    /// vCPUs online.
    pub vcpus: u32,
    /// vCPUs at most.
    pub vcpus_max: u32,
    /// Memory now.
    pub memory_bytes: u64,
    /// Memory at most.
    pub memory_max_bytes: u64,
    /// Started with its host.
    pub autostart: bool,
    /// Has a definition that survives its stop.
    pub persistent: bool,
    /// Resumes from a saved memory image at the next start.
    pub has_managed_save: bool,
    /// What runs differs from what will run after the next start.
    pub pending_changes: bool,
    /// Known addresses of its NICs.
    pub addresses: Vec<String>,
    /// When the host was last read for it.
    pub observed_at: String,
    /// Life-cycle requests in the order of menus, each allowed or refused with the reason.
    pub actions: Vec<AllowedAction>,
}

/// The host an object is on, as much of it as a row shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostRef {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `live`, `libvirt_down`, `unreachable`: how far the row can be trusted.
    pub freshness: String,
}

/// Whether a request makes sense now, for this user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllowedAction {
    /// `start`, `shutdown`, `reboot`, `force_off`, `reset`, `pause`, `resume`, `save`.
    pub action: String,
    /// May be asked now.
    pub allowed: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One VM with all its facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmDetail {
    /// The row.
    #[serde(flatten)]
    pub vm: Vm,
    /// libvirt's UUID (equal to `id` but when two hosts have VMs of one UUID).
    pub uuid: Uuid,
    /// Running id on its host.
    pub domain_id: Option<u32>,
    /// `hvm`, `xen`…
    pub os_type: String,
    /// `x86_64`…
    pub arch: String,
    /// Owner's title.
    pub title: String,
    /// Owner's description.
    pub description: String,
    /// Disks and drives.
    pub disks: Vec<Disk>,
    /// Network interfaces.
    pub nics: Vec<Nic>,
    /// Graphical consoles.
    pub graphics: Vec<Graphics>,
}

/// A disk or drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Disk {
    /// `vda`.
    pub target: String,
    /// `virtio`…
    pub bus: String,
    /// `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// Path, `pool/volume` or `protocol:name`; empty for an empty drive.
    pub source: String,
    /// Pool of a volume disk.
    pub pool: Option<String>,
    /// `qcow2`…
    pub format: String,
    /// Read-only.
    pub read_only: bool,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Nic {
    /// Lower case.
    pub mac: String,
    /// `network`, `bridge`…
    pub kind: String,
    /// Network or bridge.
    pub source: String,
    /// `virtio`…
    pub model: String,
    /// Device on the host while running.
    pub target: Option<String>,
    /// Known addresses.
    pub addresses: Vec<String>,
}

/// A graphical console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Graphics {
    /// `vnc`, `spice`…
    pub kind: String,
    /// Port on the host while running.
    pub port: Option<u16>,
    /// Listen address.
    pub listen: String,
}

/// Both definitions of a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmXml {
    /// The one of the next start; absent for a transient VM.
    pub persistent: Option<String>,
    /// The running one; absent while off.
    pub live: Option<String>,
    /// When they were read.
    pub observed_at: String,
}

/// Body of a life-cycle request; may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VmRequest {
    /// The `gen` the request is based on; refused with 409 `changed_meanwhile` when the VM has changed since.
    #[serde(default)]
    pub r#gen: Option<u64>,
}
