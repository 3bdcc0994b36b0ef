//! The trait itself.

use crate::error::{HypervisorError, Reason};
use model::event::HostEvent;
use model::plan::{SecretName, Step};
use model::{Counters, HostFacts, Inventory, Lease, Network, Pool, Snapshot, Vm, Volume};
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use uuid::Uuid;

/// A boxed future: what an async method of a dyn-safe trait returns.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = Result<T, HypervisorError>> + Send + 'a>>;

/// How an object is named in a look-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// By libvirt's name.
    Name(String),
    /// By libvirt's UUID.
    Uuid(Uuid),
}

/// The name or the UUID as it stands in an error: `srv01`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

/// A reason to look again. Never the news itself: whoever receives one reads the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// libvirt said something about one object.
    Event(HostEvent),
    /// A VM was changed through this port in a way that the hypervisor may say nothing of.
    Changed(Uuid),
    /// The connection is (back) up and events are registered: read everything.
    Connected,
    /// The connection is gone; calls fail until `Connected`.
    Disconnected {
        /// Why, for people.
        reason: String,
    },
    /// Hints were lost because the channel was full: read everything.
    Lost,
}

/// Where a host's hints arrive. Bounded; a full channel loses hints and says so with [`Hint::Lost`].
pub type HintReceiver = mpsc::Receiver<Hint>;

/// Bytes moved so far, shared with whoever shows progress.
pub type Transferred = Arc<AtomicU64>;

/// What of a volume is filled with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Pool that the volume is in.
    pub pool: String,
    /// Its name there.
    pub volume: String,
    /// Where the bytes come from: a file of this machine.
    pub file: PathBuf,
    /// First byte of the volume that is written.
    pub offset: u64,
    /// So many bytes from the file's start on; all of them when not given.
    pub length: Option<u64>,
    /// Stretches of zeros are not sent: a volume that is new, or was emptied, has them there already.
    pub sparse: bool,
}

impl Upload {
    /// The whole file, from the first byte of the volume on.
    pub fn whole(pool: &str, volume: &str, file: impl Into<PathBuf>) -> Self {
        Self {
            pool: pool.to_owned(),
            volume: volume.to_owned(),
            file: file.into(),
            offset: 0,
            length: None,
            sparse: false,
        }
    }
}

/// What runs on a host, cheap to read; the fields are those of [`HostFacts`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The URI, as the hypervisor says it.
    pub uri: String,
    /// `QEMU`, `Xen`, `Test`…
    pub hypervisor: String,
    /// Empty when not told.
    pub hypervisor_version: String,
    /// Version of libvirt.
    pub libvirt_version: String,
}

/// Documents about the host that libvirt writes as XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// What one kind of VM can have; libvirt chooses what is not given.
    DomainCapabilities {
        /// Path of the emulator.
        emulator: Option<String>,
        /// `x86_64`…
        arch: Option<String>,
        /// Machine type.
        machine: Option<String>,
        /// `kvm`, `qemu`, `xen`…
        domain_type: Option<String>,
    },
    /// Which kinds of pools there can be.
    PoolCapabilities,
    /// Every device of the host: one document each.
    NodeDevices,
    /// The CPU that all of the given ones can stand in for.
    BaselineCpu {
        /// `<cpu>` elements.
        cpus: Vec<String>,
        /// Name every feature rather than those beyond the model.
        expand: bool,
        /// Leave out what keeps a VM from moving.
        migratable: bool,
    },
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DomainCapabilities { .. } => "read the capabilities of VMs",
            Self::PoolCapabilities => "read the capabilities of storage pools",
            Self::NodeDevices => "list the host's devices",
            Self::BaselineCpu { .. } => "find the CPU that stands for all",
        })
    }
}

/// What a hypervisor of no such thing answers.
fn unsupported<'a, T: Send + 'a>(what: String) -> Fut<'a, T> {
    Box::pin(std::future::ready(Err(HypervisorError {
        what,
        reason: Reason::Unsupported,
        message: "this hypervisor does not tell".to_owned(),
        libvirt: None,
    })))
}

/// The byte stream of a console (RFB for a graphical one).
pub trait Console: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Console for T {}

/// One hypervisor.
///
/// Every method answers within a limit of its own, or fails with `TimedOut`; none blocks the caller's thread.
/// Reading never changes anything. Dropping a future does not stop a call that has reached the hypervisor.
pub trait Hypervisor: Send + Sync + 'static {
    /// What the host is: names, versions, size.
    fn facts(&self) -> Fut<'_, HostFacts>;

    /// The versions among the facts. Drivers whose other facts are slow to read (libvirt's capabilities may take a
    /// second) answer this without them.
    fn versions(&self) -> Fut<'_, Versions> {
        Box::pin(async {
            let facts = self.facts().await?;
            Ok(Versions {
                uri: facts.uri,
                hypervisor: facts.hypervisor,
                hypervisor_version: facts.hypervisor_version,
                libvirt_version: facts.libvirt_version,
            })
        })
    }

    /// Clock of its CPUs in MHz, as `virNodeGetInfo` tells it; 0 where it is not known.
    fn clock_mhz(&self) -> Fut<'_, u32> {
        Box::pin(std::future::ready(Ok(0)))
    }

    /// Everything it has, in one read.
    fn inventory(&self) -> Fut<'_, Inventory>;

    /// One VM; `None` when it is not there.
    fn find_vm(&self, key: &Key) -> Fut<'_, Option<Vm>>;

    /// One pool; `None` when it is not there.
    fn find_pool(&self, key: &Key) -> Fut<'_, Option<Pool>>;

    /// One network; `None` when it is not there.
    fn find_network(&self, key: &Key) -> Fut<'_, Option<Network>>;

    /// One volume of an active pool; `None` when the pool or the volume is not there, or the pool is stopped.
    fn find_volume(&self, pool: &str, name: &str) -> Fut<'_, Option<Volume>>;

    /// Every volume of an active pool, as at its last refresh; `NotFound` or `WrongState` when the pool is not there or
    /// stopped.
    fn list_volumes(&self, pool: &str) -> Fut<'_, Vec<Volume>>;

    /// Names of the VMs, pools or networks: running ones first. Cheaper than the inventory.
    fn vm_names(&self) -> Fut<'_, Vec<String>>;

    /// The snapshots of one VM, in no order; `NotFound` when the VM is not there, none where the hypervisor keeps none.
    fn snapshots(&self, key: &Key) -> Fut<'_, Vec<Snapshot>>;

    /// Addresses by lower-case MAC, from the leases of the active networks.
    fn addresses(&self) -> Fut<'_, Vec<(String, String)>>;

    /// The host's capabilities XML (`virConnectGetCapabilities`). Big and seldom changing: drivers read it once
    /// per connection.
    fn capabilities_xml(&self) -> Fut<'_, String>;

    /// Documents about the host; `Unsupported` where the driver has none of the kind.
    fn documents(&self, which: &Document) -> Fut<'_, Vec<String>> {
        unsupported(which.to_string())
    }

    /// What a VM has used since it started; `WrongState` while it is off.
    fn counters(&self, key: &Key) -> Fut<'_, Counters> {
        unsupported(format!("read the counters of VM {key}"))
    }

    /// What a network's DHCP server has given out; none where it has no such server.
    fn leases(&self, network: &str) -> Fut<'_, Vec<Lease>> {
        unsupported(format!("read the leases of network {network}"))
    }

    /// UUID of a secret; `None` when it is not there. Values are never read.
    fn find_secret(&self, secret: &SecretName) -> Fut<'_, Option<Uuid>> {
        unsupported(format!("look for the secret {secret}"))
    }

    /// Does one step.
    ///
    /// `VolumeOp::CreateFromImage` and `VolumeOp::Write` are not one call but small plans of their own, and the host's files
    /// are not the hypervisor's: they belong to the executor, and implementations refuse them with `Unsupported`.
    fn perform(&self, step: &Step) -> Fut<'_, ()>;

    /// Fills a volume from a local file; `moved` counts the bytes of the file along.
    fn upload(&self, upload: &Upload, moved: Transferred) -> Fut<'_, ()>;

    /// Opens the first VNC console of a running VM, without a TCP port in between where the hypervisor can.
    fn open_vnc(&self, vm: Uuid) -> Fut<'_, Box<dyn Console>>;

    /// Starts the flow of hints. The first one is `Connected` or `Disconnected`. Each call gives a new receiver
    /// and ends the one before.
    fn hints(&self) -> HintReceiver;
}
