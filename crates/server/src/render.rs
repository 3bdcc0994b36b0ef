//! Records as the API shows them.

use crate::words::{already, fun, problem, summary, time, waits_for};
use db::{ActionRecord, HostBrief, HostRecord, NetworkInUse, Stored};
use model::lifecycle::{Admit, Request};
use model::{ActionKind, Pool, Vm};
use server_api::action::{Action, ActionError, Progress};
use server_api::host::Host;
use server_api::network::Network;
use server_api::vm::{AllowedAction, Disk, Graphics, HostRef, Nic, VmDetail};
use server_api::{Role, pool};

/// A VM as a row. What may be done with it depends on who looks.
pub fn vm(record: &Stored<Vm>, role: Role) -> server_api::vm::Vm {
    let vm = &record.value;
    server_api::vm::Vm {
        id: record.id,
        r#gen: record.r#gen,
        name: vm.name.clone(),
        host: host_ref(&record.host),
        status: vm.status.as_str().to_owned(),
        status_reason: vm.status_reason.clone(),
        domain_type: vm.domain_type.clone(),
        vcpus: vm.vcpus,
        vcpus_max: vm.vcpus_max,
        memory_bytes: vm.memory.0,
        memory_max_bytes: vm.memory_max.0,
        autostart: vm.autostart,
        persistent: vm.persistent,
        has_managed_save: vm.has_managed_save,
        pending_changes: vm.pending_changes,
        addresses: vm
            .nics
            .iter()
            .flat_map(|nic| nic.addresses.iter().cloned())
            .collect(),
        observed_at: time(record.observed_at),
        actions: Request::ALL
            .map(|request| allowed(vm, request, role))
            .to_vec(),
    }
}

fn allowed(vm: &Vm, request: Request, role: Role) -> AllowedAction {
    let reason = match vm.admit(request) {
        _ if role < Role::Operator => Some("Your role may look and not act".to_owned()),
        Ok(Admit::Queue) => None,
        Ok(Admit::AlreadyThere) => Some(already(vm.status, request).to_owned()),
        Err(denied) => Some(denied.to_string()),
    };
    AllowedAction {
        action: request.as_str().to_owned(),
        allowed: reason.is_none(),
        reason,
    }
}

/// A VM with all its facts.
pub fn vm_detail(record: &Stored<Vm>, role: Role) -> VmDetail {
    let facts = &record.value;
    VmDetail {
        vm: vm(record, role),
        uuid: facts.uuid,
        domain_id: facts.domain_id,
        os_type: facts.os_type.clone(),
        arch: facts.arch.clone(),
        title: facts.title.clone(),
        description: facts.description.clone(),
        disks: facts.disks.iter().map(disk).collect(),
        nics: facts.nics.iter().map(nic).collect(),
        graphics: facts.graphics.iter().map(graphics).collect(),
    }
}

fn disk(disk: &model::vm::Disk) -> Disk {
    Disk {
        target: disk.target.clone(),
        bus: disk.bus.clone(),
        device: disk.device.clone(),
        source: disk.source.clone(),
        pool: disk.pool.clone(),
        format: disk.format.clone(),
        read_only: disk.read_only,
    }
}

fn nic(nic: &model::vm::Nic) -> Nic {
    Nic {
        mac: nic.mac.clone(),
        kind: nic.kind.clone(),
        source: nic.source.clone(),
        model: nic.model.clone(),
        target: nic.target.clone(),
        addresses: nic.addresses.clone(),
    }
}

fn graphics(graphics: &model::vm::Graphics) -> Graphics {
    Graphics {
        kind: graphics.kind.clone(),
        port: graphics.port,
        listen: graphics.listen.clone(),
    }
}

fn host_ref(host: &HostBrief) -> HostRef {
    HostRef {
        id: host.id.0,
        name: host.name.clone(),
        freshness: host.freshness.as_str().to_owned(),
    }
}

/// A host.
pub fn host(record: &HostRecord) -> Host {
    let facts = &record.facts;
    Host {
        id: record.id.0,
        r#gen: record.r#gen,
        name: facts.name.clone(),
        uri: facts.uri.clone(),
        freshness: record.freshness.as_str().to_owned(),
        problem: problem(record),
        hypervisor: facts.hypervisor.clone(),
        hypervisor_version: facts.hypervisor_version.clone(),
        libvirt_version: facts.libvirt_version.clone(),
        cpus: facts.cpus,
        cpu_model: facts.cpu_model.clone(),
        arch: facts.arch.clone(),
        memory_bytes: facts.memory.0,
        accelerated: facts.accelerated,
        vms_total: record.vms_total,
        vms_running: record.vms_running,
        last_seen_at: time(record.last_seen),
        agentless: record.agentless,
    }
}

/// A storage pool.
pub fn pool(record: &Stored<Pool>) -> pool::Pool {
    let pool = &record.value;
    pool::Pool {
        id: record.id,
        r#gen: record.r#gen,
        name: pool.name.clone(),
        host: host_ref(&record.host),
        kind: pool.kind.clone(),
        status: active_word(pool.active),
        autostart: pool.autostart,
        persistent: pool.persistent,
        capacity_bytes: pool.capacity.0,
        allocation_bytes: pool.allocation.0,
        available_bytes: pool.available.0,
        target: pool.target.clone(),
        volume_count: pool.volume_count,
        observed_at: time(record.observed_at),
    }
}

/// A network.
pub fn network(record: &Stored<NetworkInUse>) -> Network {
    let network = &record.value.network;
    Network {
        id: record.id,
        r#gen: record.r#gen,
        name: network.name.clone(),
        host: host_ref(&record.host),
        forward: network.forward.clone(),
        status: active_word(network.active),
        autostart: network.autostart,
        persistent: network.persistent,
        bridge: network.bridge.clone(),
        cidrs: network.cidrs.clone(),
        dhcp: network.dhcp,
        nic_count: record.value.nic_count,
        observed_at: time(record.observed_at),
    }
}

fn active_word(active: bool) -> String {
    if active { "active" } else { "inactive" }.to_owned()
}

/// Whether a role sees what a function was given and what it returned: pillar data and passwords may be in both, and
/// what is in the files of a host is for administrators only.
pub fn sees_returns(role: Role, fun: &str) -> bool {
    let module = fun.split('.').next().unwrap_or_default();
    match module {
        "file" | "hashutil" | "cmd" => role >= Role::Administrator,
        _ => role >= Role::Operator,
    }
}

/// A job.
pub fn job(summary: db::JobSummary) -> server_api::run::JobSummary {
    let job = summary.job;
    server_api::run::JobSummary {
        jid: job.id.0,
        fun: job.fun,
        target: job.target,
        target_kind: job.target_kind,
        user: job.user,
        created_at: time(job.created_at),
        actions: summary.actions,
        open: summary.open,
        succeeded: summary.succeeded,
    }
}

/// An action.
pub fn action(record: &ActionRecord, role: Role) -> Action {
    let action = &record.action;
    let fun = fun(&action.kind);
    let is_open = sees_returns(role, &fun) || matches!(action.kind, ActionKind::Vm { .. });
    Action {
        id: action.id.0,
        r#gen: record.r#gen,
        jid: action.job.0,
        status: action.status.as_str().to_owned(),
        summary: if is_open {
            summary(&action.kind)
        } else {
            fun.clone()
        },
        kind: fun,
        host_id: record.host.id.0,
        host: record.host.name.clone(),
        vm_id: record.vm_id,
        user: record.user.clone(),
        created_at: time(record.created_at),
        started_at: record.started_at.map(time),
        finished_at: record.finished_at.map(time),
        progress: record.progress.as_ref().map(progress),
        waits_for: waits_for(record),
        result: result(record).filter(|_| is_open),
        error: record.error.as_ref().map(|message| ActionError {
            message: message.clone(),
            hint: record.hint.clone().filter(|hint| !hint.is_empty()),
        }),
        retry_of: action.retry_of.map(|id| id.0),
    }
}

/// JSON as the agent returned it; an agent that returned something else is shown as it is.
fn result(record: &ActionRecord) -> Option<serde_json::Value> {
    let text = record.result.as_deref()?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
}

fn progress(progress: &model::Progress) -> Progress {
    Progress {
        step: progress.step.clone(),
        done: progress.done,
        total: Some(progress.total).filter(|total| *total > 0),
        rate: Some(progress.rate).filter(|rate| *rate > 0),
    }
}
