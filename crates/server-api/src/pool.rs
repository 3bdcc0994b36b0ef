//! Storage pools.

use crate::vm::HostRef;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A storage pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// Its id.
    pub id: Uuid,
    /// See [`crate::vm::Vm::gen`].
    pub r#gen: u64,
    /// libvirt's name.
    pub name: String,
    /// Host it is on.
    pub host: HostRef,
    /// `dir`, `netfs`, `logical`…
    pub kind: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Started with its host.
    pub autostart: bool,
    /// Has a definition that survives its stop.
    pub persistent: bool,
    /// Total size; zero while inactive.
    pub capacity_bytes: u64,
    /// Used.
    pub allocation_bytes: u64,
    /// Free.
    pub available_bytes: u64,
    /// Path on the host.
    pub target: String,
    /// Volumes at the last refresh.
    pub volume_count: u32,
    /// When the host was last read for it.
    pub observed_at: String,
}
