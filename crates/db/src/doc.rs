//! What the store keeps as JSON: the parts of objects that no query asks for. Names here are the stored names.

use crate::agentless::Connection;
use crate::sql::{micros, time};
use model::vm::{Disk, Graphics, Nic};
use model::{Bytes, HostFacts, Network, Pool, Progress, Vm};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct VmDoc {
    domain_id: Option<u32>,
    status_reason: String,
    domain_type: String,
    os_type: String,
    arch: String,
    vcpus_max: u32,
    memory_max: u64,
    autostart: bool,
    persistent: bool,
    has_managed_save: bool,
    pending_changes: bool,
    title: String,
    description: String,
    disks: Vec<DiskDoc>,
    nics: Vec<NicDoc>,
    graphics: Vec<GraphicsDoc>,
}

#[derive(Serialize, Deserialize)]
struct DiskDoc {
    target: String,
    bus: String,
    device: String,
    source: String,
    pool: Option<String>,
    format: String,
    read_only: bool,
}

#[derive(Serialize, Deserialize)]
struct NicDoc {
    mac: String,
    kind: String,
    source: String,
    model: String,
    target: Option<String>,
    addresses: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct GraphicsDoc {
    kind: String,
    port: Option<u16>,
    listen: String,
}

impl VmDoc {
    pub(crate) fn of(vm: &Vm) -> Self {
        Self {
            domain_id: vm.domain_id,
            status_reason: vm.status_reason.clone(),
            domain_type: vm.domain_type.clone(),
            os_type: vm.os_type.clone(),
            arch: vm.arch.clone(),
            vcpus_max: vm.vcpus_max,
            memory_max: vm.memory_max.0,
            autostart: vm.autostart,
            persistent: vm.persistent,
            has_managed_save: vm.has_managed_save,
            pending_changes: vm.pending_changes,
            title: vm.title.clone(),
            description: vm.description.clone(),
            disks: vm.disks.iter().map(DiskDoc::of).collect(),
            nics: vm.nics.iter().map(NicDoc::of).collect(),
            graphics: vm.graphics.iter().map(GraphicsDoc::of).collect(),
        }
    }

    /// Fills in what the document holds; `vm` brings what the columns hold.
    pub(crate) fn complete(self, vm: Vm) -> Vm {
        Vm {
            domain_id: self.domain_id,
            status_reason: self.status_reason,
            domain_type: self.domain_type,
            os_type: self.os_type,
            arch: self.arch,
            vcpus_max: self.vcpus_max,
            memory_max: Bytes(self.memory_max),
            autostart: self.autostart,
            persistent: self.persistent,
            has_managed_save: self.has_managed_save,
            pending_changes: self.pending_changes,
            title: self.title,
            description: self.description,
            disks: self.disks.into_iter().map(DiskDoc::into_model).collect(),
            nics: self.nics.into_iter().map(NicDoc::into_model).collect(),
            graphics: self
                .graphics
                .into_iter()
                .map(GraphicsDoc::into_model)
                .collect(),
            ..vm
        }
    }
}

impl DiskDoc {
    fn of(disk: &Disk) -> Self {
        Self {
            target: disk.target.clone(),
            bus: disk.bus.clone(),
            device: disk.device.clone(),
            source: disk.source.clone(),
            pool: disk.pool.clone(),
            format: disk.format.clone(),
            read_only: disk.read_only,
        }
    }

    fn into_model(self) -> Disk {
        Disk {
            target: self.target,
            bus: self.bus,
            device: self.device,
            source: self.source,
            pool: self.pool,
            format: self.format,
            read_only: self.read_only,
        }
    }
}

impl NicDoc {
    fn of(nic: &Nic) -> Self {
        Self {
            mac: nic.mac.clone(),
            kind: nic.kind.clone(),
            source: nic.source.clone(),
            model: nic.model.clone(),
            target: nic.target.clone(),
            addresses: nic.addresses.clone(),
        }
    }

    fn into_model(self) -> Nic {
        Nic {
            mac: self.mac,
            kind: self.kind,
            source: self.source,
            model: self.model,
            target: self.target,
            addresses: self.addresses,
        }
    }
}

impl GraphicsDoc {
    fn of(graphics: &Graphics) -> Self {
        Self {
            kind: graphics.kind.clone(),
            port: graphics.port,
            listen: graphics.listen.clone(),
        }
    }

    fn into_model(self) -> Graphics {
        Graphics {
            kind: self.kind,
            port: self.port,
            listen: self.listen,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct PoolDoc {
    pub(crate) kind: String,
    pub(crate) autostart: bool,
    pub(crate) persistent: bool,
    pub(crate) allocation: u64,
    pub(crate) available: u64,
    pub(crate) target: String,
    pub(crate) volume_count: u32,
}

impl PoolDoc {
    pub(crate) fn of(pool: &Pool) -> Self {
        Self {
            kind: pool.kind.clone(),
            autostart: pool.autostart,
            persistent: pool.persistent,
            allocation: pool.allocation.0,
            available: pool.available.0,
            target: pool.target.clone(),
            volume_count: pool.volume_count,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct NetworkDoc {
    pub(crate) autostart: bool,
    pub(crate) persistent: bool,
    pub(crate) bridge: String,
    pub(crate) forward: String,
    pub(crate) cidrs: Vec<String>,
    pub(crate) dhcp: bool,
}

impl NetworkDoc {
    pub(crate) fn of(network: &Network) -> Self {
        Self {
            autostart: network.autostart,
            persistent: network.persistent,
            bridge: network.bridge.clone(),
            forward: network.forward.clone(),
            cidrs: network.cidrs.clone(),
            dhcp: network.dhcp,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct FactsDoc {
    uri: String,
    hypervisor: String,
    hypervisor_version: String,
    libvirt_version: String,
    cpus: u32,
    cpu_model: String,
    arch: String,
    memory: u64,
    accelerated: bool,
    domain_types: Vec<String>,
    /// Absent in rows of earlier versions.
    #[serde(default)]
    grains: String,
}

impl FactsDoc {
    pub(crate) fn of(facts: &HostFacts) -> Self {
        Self {
            uri: facts.uri.clone(),
            hypervisor: facts.hypervisor.clone(),
            hypervisor_version: facts.hypervisor_version.clone(),
            libvirt_version: facts.libvirt_version.clone(),
            cpus: facts.cpus,
            cpu_model: facts.cpu_model.clone(),
            arch: facts.arch.clone(),
            memory: facts.memory.0,
            accelerated: facts.accelerated,
            domain_types: facts.domain_types.clone(),
            grains: facts.grains.clone(),
        }
    }

    pub(crate) fn into_model(self, name: String) -> HostFacts {
        HostFacts {
            name,
            uri: self.uri,
            hypervisor: self.hypervisor,
            hypervisor_version: self.hypervisor_version,
            libvirt_version: self.libvirt_version,
            cpus: self.cpus,
            cpu_model: self.cpu_model,
            arch: self.arch,
            memory: Bytes(self.memory),
            accelerated: self.accelerated,
            domain_types: self.domain_types,
            grains: self.grains,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ConnectionDoc {
    uri: String,
    key_file: Option<String>,
    host_keys: Vec<String>,
    added_at: i64,
    added_by: String,
}

impl ConnectionDoc {
    pub(crate) fn of(connection: &Connection) -> Self {
        Self {
            uri: connection.uri.clone(),
            key_file: connection.key_file.clone(),
            host_keys: connection.host_keys.clone(),
            added_at: micros(connection.added_at),
            added_by: connection.added_by.clone(),
        }
    }

    pub(crate) fn into_record(self) -> Connection {
        Connection {
            uri: self.uri,
            key_file: self.key_file,
            host_keys: self.host_keys,
            added_at: time(self.added_at),
            added_by: self.added_by,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ProgressDoc {
    step: String,
    done: u64,
    total: u64,
    rate: u64,
}

impl ProgressDoc {
    pub(crate) fn of(progress: &Progress) -> Self {
        Self {
            step: progress.step.clone(),
            done: progress.done,
            total: progress.total,
            rate: progress.rate,
        }
    }

    pub(crate) fn into_model(self) -> Progress {
        Progress {
            step: self.step,
            done: self.done,
            total: self.total,
            rate: self.rate,
        }
    }
}

/// The JSON of a document. Plain structs of texts and numbers cannot fail to serialise.
pub(crate) fn json(doc: &impl Serialize) -> String {
    serde_json::to_string(doc).expect("documents are plain structs with text keys")
}
