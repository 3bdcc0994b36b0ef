//! VMs of the fake.

use super::definition;
use super::fault::{Fault, QEMU};
use super::snapshot::FakeSnapshot;
use super::world::World;
use model::counters::{BlockCounters, NetCounters};
use model::event::EventObject;
use model::lifecycle::Request;
use model::plan::VmOp;
use model::{Bytes, Counters, Vm, VmStatus};
use std::time::Instant;
use uuid::Uuid;

/// A VM: one definition that lasts, one that runs.
pub(super) struct FakeVm {
    pub(super) name: String,
    pub(super) uuid: Uuid,
    pub(super) status: VmStatus,
    pub(super) reason: &'static str,
    pub(super) domain_id: Option<u32>,
    pub(super) autostart: bool,
    pub(super) persistent: Option<String>,
    pub(super) live: Option<String>,
    /// vCPUs and memory while running, where they were changed since the start.
    vcpus: Option<u32>,
    memory: Option<Bytes>,
    pub(super) snapshots: Vec<FakeSnapshot>,
    /// Its memory lies on disk: the next start goes on from there.
    saved: bool,
    /// When it was started.
    pub(super) started: Option<Instant>,
}

impl FakeVm {
    pub(super) fn read(&self) -> Vm {
        let xml = self.live.as_ref().or(self.persistent.as_ref());
        let xml = xml.expect("a VM without any definition has been removed");
        let read = definition::domain(xml).expect("the definition was readable when it was set");
        Vm {
            uuid: self.uuid,
            name: self.name.clone(),
            domain_id: self.domain_id,
            status: self.status,
            status_reason: self.reason.to_owned(),
            domain_type: read.domain_type,
            os_type: read.os_type,
            arch: read.arch,
            vcpus: self.vcpus.unwrap_or(read.vcpus),
            vcpus_max: read.vcpus_max,
            memory: self.memory.unwrap_or(read.memory),
            memory_max: read.memory_max,
            autostart: self.autostart,
            persistent: self.persistent.is_some(),
            has_managed_save: self.saved,
            pending_changes: false,
            title: read.title,
            description: read.description,
            disks: read.disks,
            nics: read.nics,
            graphics: read.graphics,
            xml_persistent: self.persistent.clone(),
            xml_live: self.live.clone(),
        }
    }

    /// What it has used: so much a second since it was started, each VM at its own pace.
    pub(super) fn counters(&self) -> Result<Counters, Fault> {
        let (Some(started), Some(live)) = (self.started, &self.live) else {
            return Err(Fault::wrong_state(QEMU, "domain is not running"));
        };
        let vcpus = match self.vcpus {
            Some(vcpus) => vcpus,
            None => definition::domain(live)?.vcpus,
        };
        let pace = u64::from(self.uuid.as_bytes()[0]) + 1;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let units = ms.saturating_mul(pace);
        let of = |unit: u64| i64::try_from(units.saturating_mul(unit)).unwrap_or(i64::MAX);
        Ok(Counters {
            cpu_time_ns: units.saturating_mul(u64::from(vcpus)).saturating_mul(2000),
            net: NetCounters {
                rx_bytes: of(900),
                rx_packets: of(1),
                tx_bytes: of(300),
                tx_packets: of(1),
                ..NetCounters::default()
            },
            block: BlockCounters {
                rd_req: of(1) / 10,
                rd_bytes: of(400),
                wr_req: of(1) / 5,
                wr_bytes: of(800),
                ..BlockCounters::default()
            },
        })
    }

    /// The running definition, or libvirt's refusal.
    fn running(&mut self) -> Result<&mut String, Fault> {
        self.live
            .as_mut()
            .ok_or_else(|| Fault::wrong_state(QEMU, "domain is not running"))
    }

    /// Runs from now on, by its definition.
    fn begin(&mut self, id: u32, how: &'static str) {
        self.live = self.persistent.clone();
        self.domain_id = Some(id);
        self.started = Some(Instant::now());
        self.status = VmStatus::Running;
        self.reason = how;
    }

    fn stop(&mut self, status: VmStatus, reason: &'static str) {
        self.live = None;
        self.started = None;
        self.domain_id = None;
        self.vcpus = None;
        self.memory = None;
        self.status = status;
        self.reason = reason;
    }
}

impl World {
    pub(super) fn vm_op(&mut self, name: &str, op: &VmOp) -> Result<(), Fault> {
        match op {
            VmOp::Define { xml } => return self.define_vm(xml),
            VmOp::CreateTransient { xml } => return self.create_transient(xml),
            _ => {}
        }
        let name = self.vm_name(name)?;
        let number = self.next_number();
        let vm = self.vms.get_mut(&name).expect("the name was just found");
        match op {
            VmOp::Define { .. } | VmOp::CreateTransient { .. } => {}
            VmOp::Autostart(on) => {
                if vm.persistent.is_none() {
                    let why = "cannot set autostart for transient domain";
                    return Err(Fault::wrong_state(QEMU, why));
                }
                vm.autostart = *on;
            }
            VmOp::Life(request) => return self.life(&name, *request),
            VmOp::AttachLive { xml } => {
                let live = vm.running()?;
                let attached = definition::add_device(live, xml)?;
                *live = definition::with_macs(&attached, || number)?;
                self.device_event(&name, "device_added");
            }
            VmOp::DetachLive { xml } => {
                let live = vm.running()?;
                *live = definition::replace_device(live, xml, "")?;
                self.device_event(&name, "device_removed");
            }
            VmOp::UpdateLive { xml } => {
                let live = vm.running()?;
                *live = definition::replace_device(live, xml, xml)?;
            }
            VmOp::VcpusLive(count) => {
                let most = definition::domain(vm.running()?)?.vcpus_max;
                if *count > most {
                    let why = format!(
                        "requested vcpus is greater than max allowable vcpus for the live domain: \
                         {count} > {most}"
                    );
                    return Err(Fault::new(crate::Reason::Invalid, why));
                }
                vm.vcpus = Some(*count);
            }
            VmOp::MemoryLive(size) => {
                let most = definition::domain(vm.running()?)?.memory_max;
                if *size > most {
                    let why = "cannot set memory higher than max memory";
                    return Err(Fault::new(crate::Reason::Invalid, why));
                }
                vm.memory = Some(*size);
                let actual = vec![
                    ("event", "balloon_change".to_owned()),
                    ("actual", size.kib().to_string()),
                ];
                self.vm_event(&name, "balloon_change", actual);
            }
            VmOp::TuneLive(tuning) => {
                let live = vm.running()?;
                *live = definition::tuned(live, tuning)?;
            }
            VmOp::Migrate(migration) => {
                let why = format!("unable to connect to server at '{}'", migration.target);
                return Err(Fault::system(QEMU, why));
            }
            VmOp::StartPostcopy => {
                vm.running()?;
                let why = "post-copy can only be started while outgoing migration is in progress";
                return Err(Fault::wrong_state(QEMU, why));
            }
            VmOp::SendKeys { .. } => drop(vm.running()?),
            VmOp::TakeSnapshot { name: taken, .. } => self.take_snapshot(&name, taken)?,
            VmOp::RevertTo { snapshot } => self.revert(&name, snapshot)?,
            VmOp::DeleteSnapshot { snapshot } => self.delete_snapshot(&name, snapshot)?,
            VmOp::Undefine if vm.saved => {
                let why = "Refusing to undefine while domain managed save image exists";
                return Err(Fault::wrong_state(QEMU, why));
            }
            VmOp::Undefine if !vm.snapshots.is_empty() => {
                let count = vm.snapshots.len();
                let why = format!("cannot delete inactive domain with {count} snapshots");
                return Err(Fault::wrong_state(QEMU, why));
            }
            VmOp::Undefine | VmOp::Purge => {
                vm.persistent = None;
                vm.autostart = false;
                self.vm_life(&name, "undefined", "removed");
                self.drop_empty_vm(&name);
            }
        }
        Ok(())
    }

    /// libvirt's name of the VM with this name or UUID.
    fn vm_name(&self, name: &str) -> Result<String, Fault> {
        if self.vms.contains_key(name) {
            return Ok(name.to_owned());
        }
        let uuid = Uuid::parse_str(name).ok();
        self.vms
            .values()
            .find(|vm| Some(vm.uuid) == uuid)
            .map(|vm| vm.name.clone())
            .ok_or_else(|| Fault::no_vm(name))
    }

    pub(super) fn define_vm(&mut self, xml: &str) -> Result<(), Fault> {
        let read = definition::domain(xml)?;
        let old = self.vms.get(&read.name).map(|vm| vm.uuid);
        let uuid = match (old, read.uuid) {
            (Some(old), given) if given.is_none_or(|given| given == old) => old,
            (Some(old), _) => {
                let why = format!("domain '{}' already exists with uuid {old}", read.name);
                return Err(Fault::exists(QEMU, why));
            }
            (None, Some(given)) => given,
            (None, None) => self.next_uuid(&read.name),
        };
        if let Some(other) = self
            .vms
            .values()
            .find(|vm| vm.uuid == uuid && vm.name != read.name)
        {
            let why = format!(
                "domain '{}' is already defined with uuid {uuid}",
                other.name
            );
            return Err(Fault::exists(QEMU, why));
        }
        let xml = definition::with_uuid(xml, uuid)?;
        let xml = definition::with_macs(&xml, || self.next_number())?;
        let detail = if old.is_some() { "updated" } else { "added" };
        match self.vms.get_mut(&read.name) {
            Some(vm) => vm.persistent = Some(xml),
            None => {
                let vm = FakeVm {
                    name: read.name.clone(),
                    uuid,
                    status: VmStatus::Shutoff,
                    reason: "unknown",
                    domain_id: None,
                    autostart: false,
                    persistent: Some(xml),
                    live: None,
                    vcpus: None,
                    memory: None,
                    snapshots: Vec::new(),
                    saved: false,
                    started: None,
                };
                self.vms.insert(read.name.clone(), vm);
            }
        }
        self.vm_life(&read.name, "defined", detail);
        Ok(())
    }

    fn life(&mut self, name: &str, request: Request) -> Result<(), Fault> {
        if request == Request::Start {
            return self.start_vm(name);
        }
        let ignores = self.guests_ignore_shutdown;
        let vm = self.vms.get_mut(name).ok_or_else(|| Fault::no_vm(name))?;
        vm.running()?;
        match (request, vm.status) {
            (Request::Start, _) => {}
            (Request::Shutdown, VmStatus::Running) => {
                if !ignores {
                    self.vm_life(name, "shutdown", "guest");
                    self.end(name, VmStatus::Shutoff, "shutdown", "shutdown");
                }
            }
            (Request::ForceOff, _) => {
                self.vm_life(name, "shutdown", "host");
                self.end(name, VmStatus::Shutoff, "destroyed", "destroyed");
            }
            (Request::Save, _) => {
                if vm.persistent.is_none() {
                    let why = "cannot do managed save for transient domain";
                    return Err(Fault::wrong_state(QEMU, why));
                }
                vm.saved = true;
                self.end(name, VmStatus::Shutoff, "saved", "saved");
            }
            (Request::Reboot, VmStatus::Running) | (Request::Reset, _) => {
                self.vm_event(name, "reboot", vec![("event", "reboot".to_owned())]);
            }
            (Request::Pause, VmStatus::Running) => {
                vm.status = VmStatus::Paused;
                vm.reason = "user";
                self.vm_life(name, "suspended", "paused");
            }
            // libvirt answers yes to what is already so, and says nothing.
            (Request::Pause, VmStatus::Paused) => {}
            (Request::Resume, VmStatus::Paused) => {
                vm.status = VmStatus::Running;
                vm.reason = "unpaused";
                self.vm_life(name, "resumed", "unpaused");
            }
            (Request::Resume, _) => {
                return Err(Fault::wrong_state(QEMU, "domain is already running"));
            }
            (Request::Shutdown | Request::Reboot | Request::Pause, _) => {
                return Err(Fault::wrong_state(QEMU, "domain is not running"));
            }
        }
        Ok(())
    }

    pub(super) fn start_vm(&mut self, name: &str) -> Result<(), Fault> {
        let vm = self.vms.get(name).ok_or_else(|| Fault::no_vm(name))?;
        if vm.live.is_some() {
            return Err(Fault::wrong_state(QEMU, "domain is already running"));
        }
        let xml = vm.persistent.clone().ok_or_else(|| Fault::no_vm(name))?;
        self.check_resources(&xml)?;
        let id = self.next_number();
        let vm = self.vms.get_mut(name).expect("the name was just found");
        let how = match std::mem::take(&mut vm.saved) {
            true => "restored",
            false => "booted",
        };
        vm.begin(id, how);
        self.vm_life(name, "resumed", "unpaused");
        self.vm_life(name, "started", how);
        Ok(())
    }

    /// The definition of a running VM that is to go elsewhere.
    pub(super) fn outgoing(&mut self, name: &str) -> Result<String, Fault> {
        let vm = self.vms.get_mut(name).ok_or_else(|| Fault::no_vm(name))?;
        vm.running().cloned()
    }

    /// A VM comes from elsewhere, running.
    pub(super) fn arrive(&mut self, xml: &str) -> Result<(), Fault> {
        let name = definition::domain(xml)?.name;
        if self.vms.contains_key(&name) {
            let why = format!("domain '{name}' is already defined");
            return Err(Fault::exists(QEMU, why));
        }
        self.check_resources(xml)?;
        self.define_vm(xml)?;
        let id = self.next_number();
        let vm = self.vms.get_mut(&name).expect("it was just defined");
        vm.begin(id, "migrated");
        self.vm_life(&name, "started", "migrated");
        self.vm_life(&name, "resumed", "migrated");
        Ok(())
    }

    /// A VM has gone elsewhere.
    pub(super) fn depart(&mut self, name: &str) {
        if let Some(vm) = self.vms.get_mut(name) {
            vm.persistent = None;
        }
        self.vm_life(name, "suspended", "migrated");
        self.end(name, VmStatus::Shutoff, "migrated", "migrated");
    }

    /// What a VM needs of its host to start: its networks running, the pools of its volume disks started.
    fn check_resources(&self, xml: &str) -> Result<(), Fault> {
        let read = definition::domain(xml)?;
        for nic in read.nics.iter().filter(|nic| nic.kind == "network") {
            let network = self
                .networks
                .get(&nic.source)
                .ok_or_else(|| Fault::no_network(&nic.source))?;
            if !network.active() {
                let why = format!("network '{}' is not active", nic.source);
                return Err(Fault::wrong_state(super::fault::NETWORK, why));
            }
        }
        for pool in read.disks.iter().filter_map(|disk| disk.pool.as_ref()) {
            match self.pools.get(pool) {
                None => return Err(Fault::no_pool(pool)),
                Some(found) if !found.active() => {
                    let why = format!("storage pool '{pool}' is not active");
                    return Err(Fault::wrong_state(super::fault::STORAGE, why));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The end of a run: the VM is off, and gone if nothing defines it.
    pub(super) fn end(&mut self, name: &str, status: VmStatus, reason: &'static str, detail: &str) {
        if let Some(vm) = self.vms.get_mut(name) {
            vm.stop(status, reason);
        }
        self.vm_life(name, "stopped", detail);
        self.drop_empty_vm(name);
    }

    fn drop_empty_vm(&mut self, name: &str) {
        self.vms
            .retain(|key, vm| key != name || vm.live.is_some() || vm.persistent.is_some());
    }

    pub(super) fn vm_life(&self, name: &str, event: &str, detail: &str) {
        let fields = vec![("event", event.to_owned()), ("detail", detail.to_owned())];
        self.vm_event(name, "lifecycle", fields);
    }

    fn device_event(&self, name: &str, kind: &'static str) {
        let fields = vec![("event", kind.to_owned()), ("dev", "device0".to_owned())];
        self.vm_event(name, kind, fields);
    }

    fn vm_event(&self, name: &str, kind: &'static str, fields: Vec<(&'static str, String)>) {
        let vm = self.vms.get(name);
        let object = EventObject {
            name: name.to_owned(),
            uuid: vm.map(|vm| vm.uuid),
            domain_id: vm.and_then(|vm| vm.domain_id),
        };
        self.event("domain", kind, object, fields);
    }
}
