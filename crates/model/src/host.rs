//! Hypervisors.

use crate::bytes::Bytes;
use crate::id::HostId;

/// What an agent tells of its host at the start of a session and after a reconnect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// Name as targets match it; Salt's minion id.
    pub name: String,
    /// libvirt URI the agent is connected to.
    pub uri: String,
    /// `QEMU`, `Xen`, `Test`… as libvirt says.
    pub hypervisor: String,
    /// Version of the hypervisor, `7.2.22`; empty when not told.
    pub hypervisor_version: String,
    /// Version of libvirt, `9.0.0`.
    pub libvirt_version: String,
    /// Logical CPUs.
    pub cpus: u32,
    /// CPU model as libvirt names it.
    pub cpu_model: String,
    /// `x86_64`…
    pub arch: String,
    /// Memory of the host.
    pub memory: Bytes,
    /// Hardware virtualization is offered (`<domain type='kvm'>`, or Xen HVM).
    pub accelerated: bool,
    /// Domain types offered, best first: `kvm`, `qemu`, `xen`.
    pub domain_types: Vec<String>,
    /// Grains as a JSON dictionary; empty when not told.
    pub grains: String,
}

/// How far the store's copy of a host can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Session open and libvirt answers.
    Live,
    /// Session open, libvirt does not answer.
    LibvirtDown,
    /// No session: what is shown is what was last known.
    Unreachable,
}

impl Freshness {
    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::LibvirtDown => "libvirt_down",
            Self::Unreachable => "unreachable",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Live, Self::LibvirtDown, Self::Unreachable]
            .into_iter()
            .find(|f| f.as_str() == word)
    }
}

/// A host in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// What it last said of itself.
    pub facts: HostFacts,
    /// How far that can be trusted.
    pub freshness: Freshness,
}
