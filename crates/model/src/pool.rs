//! Storage pools and volumes as a hypervisor reports them.

use crate::bytes::Bytes;
use uuid::Uuid;

/// A storage pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// libvirt's UUID.
    pub uuid: Uuid,
    /// libvirt's name.
    pub name: String,
    /// `dir`, `fs`, `netfs`, `logical`…
    pub kind: String,
    /// Started.
    pub active: bool,
    /// Started with its host.
    pub autostart: bool,
    /// Has a definition that survives its stop.
    pub persistent: bool,
    /// Total size; zero while stopped.
    pub capacity: Bytes,
    /// Used by volumes and others.
    pub allocation: Bytes,
    /// Free.
    pub available: Bytes,
    /// `<target><path>`; empty when the kind has none.
    pub target: String,
    /// Volumes at the last refresh; zero while stopped.
    pub volume_count: u32,
    /// The persistent definition (the running one of a transient pool).
    pub xml: String,
    /// The running definition; `None` while stopped and where not told.
    pub xml_live: Option<String>,
}

impl Pool {
    /// A pool of which only its identity is known.
    pub const fn named(uuid: Uuid, name: String) -> Self {
        Self {
            uuid,
            name,
            kind: String::new(),
            active: false,
            autostart: false,
            persistent: false,
            capacity: Bytes(0),
            allocation: Bytes(0),
            available: Bytes(0),
            target: String::new(),
            volume_count: 0,
            xml: String::new(),
            xml_live: None,
        }
    }

    /// Whether its volumes are files; those of other kinds are devices, or have no path.
    pub fn keeps_files(&self) -> bool {
        matches!(self.kind.as_str(), "dir" | "fs" | "netfs" | "vstorage")
    }
}

/// A volume of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Name in its pool.
    pub name: String,
    /// libvirt's key, usually the path.
    pub key: String,
    /// Path on the host; empty when it has none.
    pub path: String,
    /// What the guest sees.
    pub capacity: Bytes,
    /// What it takes in the pool.
    pub allocation: Bytes,
    /// `qcow2`, `raw`…; empty when not told.
    pub format: String,
    /// Path of the backing file, if any.
    pub backing: Option<String>,
}
