//! From the wire into the model.

use crate::wire;
use model::lifecycle::Request;
use model::vm::{Disk, Graphics, Nic};
use model::{ActionKind, Bytes, HostFacts, Inventory, Network, Pool, Progress, Vm, VmStatus};
use thiserror::Error;
use uuid::Uuid;

/// A peer sent something that no program of ours sends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("malformed message: {what}")]
pub struct Malformed {
    /// What is wrong with it.
    pub what: String,
}

fn malformed(what: impl Into<String>) -> Malformed {
    Malformed { what: what.into() }
}

/// More grains than this are no grains.
const MAX_GRAINS_BYTES: usize = 64 * 1024;

/// A UUID from its 16 bytes.
///
/// # Errors
/// When there are not 16.
pub fn uuid(field: &'static str, bytes: &[u8]) -> Result<Uuid, Malformed> {
    Uuid::from_slice(bytes)
        .map_err(|_| malformed(format!("{field} has {} bytes, a UUID has 16", bytes.len())))
}

/// A VM. A status that this version does not know becomes `Unknown`.
///
/// # Errors
/// When its UUID is none.
pub fn vm(wire: wire::Vm) -> Result<Vm, Malformed> {
    Ok(Vm {
        uuid: uuid("vm.uuid", &wire.uuid)?,
        name: wire.name,
        domain_id: wire.domain_id,
        status: VmStatus::from_word(&wire.status).unwrap_or(VmStatus::Unknown),
        status_reason: wire.status_reason,
        domain_type: wire.domain_type,
        os_type: wire.os_type,
        arch: wire.arch,
        vcpus: wire.vcpus,
        vcpus_max: wire.vcpus_max,
        memory: Bytes(wire.memory_bytes),
        memory_max: Bytes(wire.memory_max_bytes),
        autostart: wire.autostart,
        persistent: wire.persistent,
        has_managed_save: wire.has_managed_save,
        pending_changes: wire.pending_changes,
        title: wire.title,
        description: wire.description,
        disks: wire.disks.into_iter().map(disk).collect(),
        nics: wire.nics.into_iter().map(nic).collect(),
        graphics: wire.graphics.into_iter().map(graphics).collect(),
        xml_persistent: wire.xml_persistent,
        xml_live: wire.xml_live,
    })
}

fn disk(wire: wire::Disk) -> Disk {
    Disk {
        target: wire.target,
        bus: wire.bus,
        device: wire.device,
        source: wire.source,
        pool: wire.pool,
        format: wire.format,
        read_only: wire.read_only,
    }
}

fn nic(wire: wire::Nic) -> Nic {
    Nic {
        mac: wire.mac,
        kind: wire.kind,
        source: wire.source,
        model: wire.model,
        target: wire.target,
        addresses: wire.addresses,
    }
}

fn graphics(wire: wire::Graphics) -> Graphics {
    Graphics {
        kind: wire.kind,
        port: wire.port.and_then(|port| port.try_into().ok()),
        listen: wire.listen,
    }
}

/// A pool.
///
/// # Errors
/// When its UUID is none.
pub fn pool(wire: wire::Pool) -> Result<Pool, Malformed> {
    Ok(Pool {
        uuid: uuid("pool.uuid", &wire.uuid)?,
        name: wire.name,
        kind: wire.kind,
        active: wire.active,
        autostart: wire.autostart,
        persistent: wire.persistent,
        capacity: Bytes(wire.capacity_bytes),
        allocation: Bytes(wire.allocation_bytes),
        available: Bytes(wire.available_bytes),
        target: wire.target,
        volume_count: wire.volume_count,
        xml: wire.xml,
        // Planning happens on the host, so the second definition stays there.
        xml_live: None,
    })
}

/// A network.
///
/// # Errors
/// When its UUID is none.
pub fn network(wire: wire::Network) -> Result<Network, Malformed> {
    Ok(Network {
        uuid: uuid("network.uuid", &wire.uuid)?,
        name: wire.name,
        active: wire.active,
        autostart: wire.autostart,
        persistent: wire.persistent,
        bridge: wire.bridge,
        forward: wire.forward,
        cidrs: wire.cidrs,
        dhcp: wire.dhcp,
        xml: wire.xml,
        // As with pools: only the host's planner needs it.
        xml_persistent: None,
    })
}

/// All objects of a snapshot.
///
/// # Errors
/// When one of them has no proper UUID.
pub fn inventory(
    vms: Vec<wire::Vm>,
    pools: Vec<wire::Pool>,
    networks: Vec<wire::Network>,
) -> Result<Inventory, Malformed> {
    Ok(Inventory {
        vms: vms.into_iter().map(vm).collect::<Result<_, _>>()?,
        pools: pools.into_iter().map(pool).collect::<Result<_, _>>()?,
        networks: networks
            .into_iter()
            .map(network)
            .collect::<Result<_, _>>()?,
    })
}

/// What the host is.
pub fn facts(wire: wire::HostFacts) -> HostFacts {
    HostFacts {
        name: wire.name,
        uri: wire.uri,
        hypervisor: wire.hypervisor,
        hypervisor_version: wire.hypervisor_version,
        libvirt_version: wire.libvirt_version,
        cpus: wire.cpus,
        cpu_model: wire.cpu_model,
        arch: wire.arch,
        memory: Bytes(wire.memory_bytes),
        accelerated: wire.accelerated,
        domain_types: wire.domain_types,
        grains: Some(wire.grains_json)
            .filter(|grains| grains.len() <= MAX_GRAINS_BYTES)
            .unwrap_or_default(),
    }
}

/// How far an action is.
pub fn progress(wire: wire::Progress) -> Progress {
    Progress {
        step: wire.step,
        done: wire.done,
        total: wire.total,
        rate: wire.rate,
    }
}

/// What a command asks for.
///
/// # Errors
/// When it asks for nothing, or for something this version does not know.
pub fn action_kind(kind: Option<wire::command::Kind>) -> Result<ActionKind, Malformed> {
    match kind {
        Some(wire::command::Kind::Vm(vm)) => Ok(ActionKind::Vm {
            vm: uuid("command.vm.uuid", &vm.uuid)?,
            name: vm.name,
            request: Request::from_word(&vm.request)
                .ok_or_else(|| malformed(format!("unknown request {:?}", vm.request)))?,
        }),
        Some(wire::command::Kind::Function(fun)) => Ok(ActionKind::Function {
            fun: fun.fun,
            args: fun.args_json,
            kwargs: fun.kwargs_json,
        }),
        None => Err(malformed(
            "a command without a kind; the server may be newer than this agent",
        )),
    }
}
