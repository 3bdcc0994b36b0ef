//! Virtual networks.

use crate::vm::HostRef;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A virtual network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Its id.
    pub id: Uuid,
    /// See [`crate::vm::Vm::gen`].
    pub r#gen: u64,
    /// libvirt's name.
    pub name: String,
    /// Host it is on.
    pub host: HostRef,
    /// `nat`, `route`, `bridge`, `isolated`…
    pub forward: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Started with its host.
    pub autostart: bool,
    /// Has a definition that survives its stop.
    pub persistent: bool,
    /// Bridge device on the host.
    pub bridge: String,
    /// `192.168.44.1/24`.
    pub cidrs: Vec<String>,
    /// Hands out addresses.
    pub dhcp: bool,
    /// NICs of VMs plugged into it.
    pub nic_count: u64,
    /// When the host was last read for it.
    pub observed_at: String,
}
