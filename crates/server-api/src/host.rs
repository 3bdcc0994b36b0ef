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
    /// It has no agent of its own: the server reaches its libvirt by the URI.
    #[serde(default)]
    pub agentless: bool,
}

/// A host to be reached without an agent of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHost {
    /// libvirt URI: `qemu+ssh://root@h2/system`.
    pub uri: String,
    /// Its name; the URI's host when absent. A host of that name that was added before is reached anew.
    #[serde(default)]
    pub name: Option<String>,
    /// File on the server with the private key for ssh; ssh's own choice when absent.
    #[serde(default)]
    pub key_file: Option<String>,
    /// Fingerprints of the keys that the host may show over ssh, as `SHA256:…`: at least one of those it shows now.
    #[serde(default)]
    pub host_keys: Vec<String>,
}

/// Of which host the keys are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhichHost {
    /// libvirt URI.
    pub uri: String,
}

/// What the server sees of a host that is to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownHost {
    /// The name it would get.
    pub name: Option<String>,
    /// Whether it is reached over ssh, so that a key of it has to be confirmed.
    pub ssh: bool,
    /// The keys it shows over ssh.
    pub keys: Vec<HostKey>,
    /// What there is to know about the way; absent if there is nothing.
    pub warning: Option<String>,
}

/// A key that a host shows over ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostKey {
    /// `ssh-ed25519`…
    pub kind: String,
    /// `SHA256:…`, as ssh prints it.
    pub fingerprint: String,
}
