//! From the model to the wire.

use crate::wire;
use model::vm::{Disk, Graphics, Nic};
use model::{ActionId, ActionKind, HostFacts, JobId, Network, Pool, Progress, Vm};
use uuid::Uuid;

/// A UUID as its 16 bytes.
pub fn id(uuid: impl Into<Uuid>) -> Vec<u8> {
    uuid.into().as_bytes().to_vec()
}

/// A VM.
pub fn vm_to_wire(vm: &Vm) -> wire::Vm {
    wire::Vm {
        uuid: id(vm.uuid),
        name: vm.name.clone(),
        domain_id: vm.domain_id,
        status: vm.status.as_str().to_owned(),
        status_reason: vm.status_reason.clone(),
        domain_type: vm.domain_type.clone(),
        os_type: vm.os_type.clone(),
        arch: vm.arch.clone(),
        vcpus: vm.vcpus,
        vcpus_max: vm.vcpus_max,
        memory_bytes: vm.memory.0,
        memory_max_bytes: vm.memory_max.0,
        autostart: vm.autostart,
        persistent: vm.persistent,
        has_managed_save: vm.has_managed_save,
        pending_changes: vm.pending_changes,
        title: vm.title.clone(),
        description: vm.description.clone(),
        disks: vm.disks.iter().map(disk).collect(),
        nics: vm.nics.iter().map(nic).collect(),
        graphics: vm.graphics.iter().map(graphics).collect(),
        xml_persistent: vm.xml_persistent.clone(),
        xml_live: vm.xml_live.clone(),
    }
}

fn disk(disk: &Disk) -> wire::Disk {
    wire::Disk {
        target: disk.target.clone(),
        bus: disk.bus.clone(),
        device: disk.device.clone(),
        source: disk.source.clone(),
        pool: disk.pool.clone(),
        format: disk.format.clone(),
        read_only: disk.read_only,
    }
}

fn nic(nic: &Nic) -> wire::Nic {
    wire::Nic {
        mac: nic.mac.clone(),
        kind: nic.kind.clone(),
        source: nic.source.clone(),
        model: nic.model.clone(),
        target: nic.target.clone(),
        addresses: nic.addresses.clone(),
    }
}

fn graphics(graphics: &Graphics) -> wire::Graphics {
    wire::Graphics {
        kind: graphics.kind.clone(),
        port: graphics.port.map(u32::from),
        listen: graphics.listen.clone(),
    }
}

/// A pool.
pub fn pool_to_wire(pool: &Pool) -> wire::Pool {
    wire::Pool {
        uuid: id(pool.uuid),
        name: pool.name.clone(),
        kind: pool.kind.clone(),
        active: pool.active,
        autostart: pool.autostart,
        persistent: pool.persistent,
        capacity_bytes: pool.capacity.0,
        allocation_bytes: pool.allocation.0,
        available_bytes: pool.available.0,
        target: pool.target.clone(),
        volume_count: pool.volume_count,
        xml: pool.xml.clone(),
    }
}

/// A network.
pub fn network_to_wire(network: &Network) -> wire::Network {
    wire::Network {
        uuid: id(network.uuid),
        name: network.name.clone(),
        active: network.active,
        autostart: network.autostart,
        persistent: network.persistent,
        bridge: network.bridge.clone(),
        forward: network.forward.clone(),
        cidrs: network.cidrs.clone(),
        dhcp: network.dhcp,
        xml: network.xml.clone(),
    }
}

/// What the host is.
pub fn facts_to_wire(facts: &HostFacts) -> wire::HostFacts {
    wire::HostFacts {
        name: facts.name.clone(),
        uri: facts.uri.clone(),
        hypervisor: facts.hypervisor.clone(),
        hypervisor_version: facts.hypervisor_version.clone(),
        libvirt_version: facts.libvirt_version.clone(),
        cpus: facts.cpus,
        cpu_model: facts.cpu_model.clone(),
        arch: facts.arch.clone(),
        memory_bytes: facts.memory.0,
        accelerated: facts.accelerated,
        domain_types: facts.domain_types.clone(),
        grains_json: facts.grains.clone(),
    }
}

/// How far an action is.
pub fn progress_to_wire(progress: &Progress) -> wire::Progress {
    wire::Progress {
        step: progress.step.clone(),
        done: progress.done,
        total: progress.total,
        rate: progress.rate,
    }
}

/// An action as the command that carries it to its agent.
pub fn command(epoch: u64, action: ActionId, job: JobId, kind: &ActionKind) -> wire::Command {
    let kind = match kind {
        ActionKind::Vm { vm, name, request } => wire::command::Kind::Vm(wire::VmCommand {
            uuid: id(*vm),
            name: name.clone(),
            request: request.as_str().to_owned(),
        }),
        ActionKind::Function { fun, args, kwargs } => {
            wire::command::Kind::Function(wire::FunctionCommand {
                fun: fun.clone(),
                args_json: args.clone(),
                kwargs_json: kwargs.clone(),
            })
        }
    };
    wire::Command {
        epoch,
        action_id: id(action.0),
        job_id: id(job.0),
        kind: Some(kind),
    }
}
