//! A hypervisor in memory, for tests of everything above the port.
//!
//! It takes the same XML and refuses the same things with the same codes and words as libvirt with QEMU, and it
//! sends the same events in the same order. Tests reach behind it: [`FakeHypervisor::someone_does`] is the
//! administrator with `virsh`, [`FakeHypervisor::fail_next`], [`FakeHypervisor::set_reachable`] and
//! [`FakeHypervisor::hang`] are the bad days.
//!
//! What it does not do: run guests (a guest shuts down the moment it is asked, unless told to ignore it), copy
//! images, save memory, measure anything: its counters grow evenly with time.

mod calls;
mod definition;
mod fault;
mod network;
mod secret;
mod snapshot;
mod storage;
#[cfg(test)]
mod tests;
mod vm;
mod world;

use crate::error::{HypervisorError, Reason};
use crate::port::Hint;
use crate::wording::attempt;
use fault::Fault;
use model::lifecycle::Request;
use model::plan::{NetworkOp, PoolOp, SecretName, Step, VmOp};
use model::{Bytes, HostFacts, VmStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;
use world::{Trap, World};

/// Why an unreachable fake cannot be reached, in libvirt's words.
const GONE: &str =
    "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory";

/// The in-memory hypervisor. Clones are the same hypervisor.
#[derive(Clone)]
pub struct FakeHypervisor {
    world: Arc<Mutex<World>>,
    hung: Arc<watch::Sender<bool>>,
    limit: Duration,
    hint_capacity: usize,
}

impl FakeHypervisor {
    /// An empty host of this name, reachable, with 4 CPUs and 8 GiB of memory, offering `qemu` guests.
    pub fn new(name: &str) -> Self {
        let world = World {
            facts: facts(name),
            capabilities_xml: CAPABILITIES.to_owned(),
            vms: BTreeMap::new(),
            pools: BTreeMap::new(),
            networks: BTreeMap::new(),
            folders: BTreeSet::new(),
            addresses: Vec::new(),
            node_devices: Vec::new(),
            secrets: BTreeMap::new(),
            guests_ignore_shutdown: false,
            reachable: true,
            hints: None,
            traps: Vec::new(),
            performed: Vec::new(),
            calls: BTreeMap::new(),
            counter: 0,
            events: AtomicU64::new(0),
        };
        Self {
            world: Arc::new(Mutex::new(world)),
            hung: Arc::new(watch::Sender::new(false)),
            limit: Duration::from_secs(5),
            hint_capacity: 1024,
        }
    }

    /// How long a call waits for a hung hypervisor before it fails with `TimedOut`; 5 s unless set.
    #[must_use]
    pub const fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How many hints wait for a slow receiver before they are lost; 1,024 unless set.
    #[must_use]
    pub const fn with_hint_capacity(mut self, capacity: usize) -> Self {
        self.hint_capacity = capacity;
        self
    }

    /// What someone else does to this host, with `virsh` for instance: the same effect and the same events as
    /// [`perform`](crate::Hypervisor::perform), but neither counted nor recorded nor made to fail.
    ///
    /// # Errors
    /// Refuses what libvirt would refuse.
    pub fn someone_does(&self, step: &Step) -> Result<(), HypervisorError> {
        self.lock()
            .perform(step)
            .map_err(|fault| fault.of(attempt(step)))
    }

    /// Defines a VM and leaves it off. Returns its UUID.
    ///
    /// # Panics
    /// When the XML is no domain, or its name or UUID is taken.
    pub fn add_vm(&self, xml: &str) -> Uuid {
        let name = definition::domain(xml).expect("domain XML").name;
        let xml = xml.to_owned();
        self.must(&Step::Vm {
            name: name.clone(),
            op: VmOp::Define { xml },
        });
        self.lock().vms[&name].uuid
    }

    /// Starts a VM, as someone else.
    ///
    /// # Panics
    /// When it is not there, already running, or its network or pool is not started.
    pub fn start_vm(&self, name: &str) {
        self.must(&vm_step(name, VmOp::Life(Request::Start)));
    }

    /// Forces a VM off, if it runs, and removes its definition, as someone else.
    ///
    /// # Panics
    /// When it is not there.
    pub fn remove_vm(&self, name: &str) {
        let (running, persistent) = {
            let world = self.lock();
            let vm = world.vms.get(name).expect("the VM to remove");
            (vm.live.is_some(), vm.persistent.is_some())
        };
        if running {
            self.must(&vm_step(name, VmOp::Life(Request::ForceOff)));
        }
        if persistent {
            self.must(&vm_step(name, VmOp::Undefine));
        }
    }

    /// Moves a running VM to another host, as a live migration does that leaves no definition behind.
    ///
    /// # Errors
    /// It does not run here, its name or UUID is taken there, or the other host lacks its networks or pools.
    pub fn migrate_vm(&self, name: &str, to: &Self) -> Result<(), HypervisorError> {
        let what = format!("migrate VM {name}");
        let xml = self
            .lock()
            .outgoing(name)
            .map_err(|fault| fault.of(&what))?;
        to.lock().arrive(&xml).map_err(|fault| fault.of(&what))?;
        self.lock().depart(name);
        Ok(())
    }

    /// Names of the VMs and what they are in.
    pub fn statuses(&self) -> Vec<(String, VmStatus)> {
        let world = self.lock();
        let vms = world.vms.values();
        vms.map(|vm| (vm.name.clone(), vm.status)).collect()
    }

    /// The definition that lasts of a VM that has one.
    pub fn definition(&self, name: &str) -> Option<String> {
        let world = self.lock();
        world.vms.get(name)?.persistent.clone()
    }

    /// Events told so far.
    pub fn events_told(&self) -> u64 {
        self.lock().events.load(Ordering::Relaxed)
    }

    /// Ends the process of a running VM, as a crash of QEMU does.
    pub fn crash_vm(&self, name: &str) {
        self.lock().end(name, VmStatus::Crashed, "failed", "failed");
    }

    /// Defines and starts a network. Returns its UUID.
    ///
    /// # Panics
    /// When the XML is no network, or its name is taken.
    pub fn add_network(&self, xml: &str) -> Uuid {
        let name = definition::network(xml).expect("network XML").name;
        let xml = xml.to_owned();
        for op in [NetworkOp::Define { xml }, NetworkOp::Start] {
            self.must(&Step::Network {
                name: name.clone(),
                op,
            });
        }
        self.lock().networks[&name].uuid
    }

    /// Defines, builds and starts a pool. Returns its UUID.
    ///
    /// # Panics
    /// When the XML is no pool, or its name is taken.
    pub fn add_pool(&self, xml: &str) -> Uuid {
        let name = definition::pool(xml).expect("pool XML").name;
        let xml = xml.to_owned();
        for op in [PoolOp::Define { xml }, PoolOp::Build, PoolOp::Start] {
            self.must(&Step::Pool {
                name: name.clone(),
                op,
            });
        }
        self.lock().pools[&name].uuid
    }

    /// Makes a folder that a pool can start on without being built.
    pub fn add_folder(&self, path: &str) {
        self.lock().folders.insert(path.to_owned());
    }

    /// Addresses by lower-case MAC, as DHCP leases would tell them.
    pub fn set_addresses(&self, addresses: Vec<(String, String)>) {
        self.lock().addresses = addresses;
    }

    /// The host's devices, as libvirt's XML tells them.
    pub fn set_node_devices(&self, devices: Vec<String>) {
        self.lock().node_devices = devices;
    }

    /// The value of a secret; `None` when it is not there, empty when it has none.
    pub fn secret_value(&self, secret: &SecretName) -> Option<Vec<u8>> {
        let world = self.lock();
        world.secrets.get(secret).map(|kept| kept.value.clone())
    }

    /// Makes guests ignore the request to shut down, or heed it again.
    pub fn ignore_shutdown(&self, ignore: bool) {
        self.lock().guests_ignore_shutdown = ignore;
    }

    /// Replaces what the host says of itself.
    pub fn set_facts(&self, facts: HostFacts) {
        self.lock().facts = facts;
    }

    /// Replaces the host's capabilities XML.
    pub fn set_capabilities_xml(&self, xml: &str) {
        self.lock().capabilities_xml = xml.to_owned();
    }

    /// Makes the next performed step that `matches` fail; nothing of it is done. Several calls make several fail.
    pub fn fail_next(
        &self,
        matches: impl Fn(&Step) -> bool + Send + 'static,
        reason: Reason,
        message: &str,
    ) {
        let fault = Fault::new(reason, message);
        let matches = Box::new(matches);
        self.lock().traps.push(Trap { matches, fault });
    }

    /// Breaks the connection, or brings it back. While it is broken calls fail with `Unreachable`, the objects
    /// live on, and their events are lost.
    pub fn set_reachable(&self, reachable: bool) {
        let mut world = self.lock();
        if world.reachable != reachable {
            world.reachable = reachable;
            world.tell(world.standing());
        }
    }

    /// Makes every call wait, like a libvirtd that was stopped: until [`unhang`](Self::unhang), or until its
    /// limit, when it fails with `TimedOut`.
    pub fn hang(&self) {
        self.hung.send_replace(true);
    }

    /// Lets the waiting calls go on.
    pub fn unhang(&self) {
        self.hung.send_replace(false);
    }

    /// Sends a hint that no change of an object explains.
    pub fn tell(&self, hint: Hint) {
        self.lock().tell(hint);
    }

    /// How many times a method of the port was called, by the method's name.
    pub fn calls(&self, method: &str) -> u64 {
        self.lock().calls.get(method).copied().unwrap_or(0)
    }

    /// Every step that was performed with success, in order.
    pub fn performed(&self) -> Vec<Step> {
        self.lock().performed.clone()
    }

    /// What has been uploaded into a volume; `None` when the volume is not there.
    pub fn volume_bytes(&self, pool: &str, volume: &str) -> Option<Vec<u8>> {
        let world = self.lock();
        Some(world.pools.get(pool)?.volumes.get(volume)?.bytes.clone())
    }

    fn must(&self, step: &Step) {
        if let Err(error) = self.someone_does(step) {
            panic!("{error}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn vm_step(name: &str, op: VmOp) -> Step {
    Step::Vm {
        name: name.to_owned(),
        op,
    }
}

fn facts(name: &str) -> HostFacts {
    HostFacts {
        name: name.to_owned(),
        uri: "fake:///system".to_owned(),
        hypervisor: "QEMU".to_owned(),
        hypervisor_version: "7.2.22".to_owned(),
        libvirt_version: "9.0.0".to_owned(),
        cpus: 4,
        cpu_model: "qemu64".to_owned(),
        arch: "x86_64".to_owned(),
        memory: Bytes(8 << 30),
        accelerated: false,
        domain_types: vec!["qemu".to_owned()],
        grains: String::new(),
    }
}

/// A small x86_64 host without hardware virtualization.
const CAPABILITIES: &str = "<capabilities>
  <host><cpu><arch>x86_64</arch><model>qemu64</model><vendor>AMD</vendor></cpu></host>
  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
      <machine maxCpus='255'>pc</machine>
      <machine maxCpus='288'>q35</machine>
      <domain type='qemu'/>
    </arch>
    <features><acpi default='on' toggle='yes'/><apic default='on' toggle='no'/></features>
  </guest>
</capabilities>
";
