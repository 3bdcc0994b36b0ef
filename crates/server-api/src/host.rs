//! Hypervisors.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Host {
    /// Its id.
    pub id: Uuid,
    /// See [`crate::vm::Vm::gen`].
    pub r#gen: u64,
    /// Its name; what targets match.
    pub name: String,
    /// libvirt URI.
    pub uri: String,
    /// `live`, `libvirt_down`, `unreachable`.
    pub freshness: String,
    /// What is wrong, in a sentence with its remedy; absent while live.
    pub problem: Option<String>,
    /// `QEMU`, `Xen`, `Test`.
    pub hypervisor: String,
    /// Its version.
    pub hypervisor_version: String,
    /// libvirt's version.
    pub libvirt_version: String,
    /// Logical CPUs.
    pub cpus: u32,
    /// As libvirt names it.
    pub cpu_model: String,
    /// `x86_64`…
    pub arch: String,
    /// Memory of the host.
    pub memory_bytes: u64,
    /// Offers hardware virtualization.
    pub accelerated: bool,
    /// VMs on it.
    pub vms_total: u64,
    /// Of these, running.
    pub vms_running: u64,
    /// Last word of its agent.
    pub last_seen_at: String,
}
