//! The port's methods on the fake.

use super::FakeHypervisor;
use super::fault::Fault;
use super::network::FakeNetwork;
use super::storage::FakePool;
use super::vm::FakeVm;
use super::world::{World, find_name};
use crate::channel::hint_channel;
use crate::error::{HypervisorError, Reason};
use crate::port::{Console, Document, Fut, HintReceiver, Hypervisor, Key, Transferred, Upload};
use crate::wording::attempt;
use model::plan::{SecretName, Step};
use model::{Counters, HostFacts, Inventory, Network, Pool, Snapshot, Vm, Volume};
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

/// How much is uploaded at a time.
const CHUNK: usize = 64 * 1024;

impl FakeHypervisor {
    /// Counts a call, waits while the fake hangs, and refuses when it cannot be reached.
    async fn arrive(&self, method: &'static str, what: &str) -> Result<(), HypervisorError> {
        *self.lock().calls.entry(method).or_default() += 1;
        let mut hung = self.hung.subscribe();
        let awake = tokio::time::timeout(self.limit, hung.wait_for(|hung| !hung)).await;
        if awake.is_err() {
            let message = format!("no answer within {:?}", self.limit);
            return Err(Fault::new(Reason::TimedOut, message).of(what));
        }
        if self.lock().reachable {
            Ok(())
        } else {
            Err(World::gone().of(what))
        }
    }

    /// A call that only reads.
    fn reading<T: Send + 'static>(
        &self,
        method: &'static str,
        what: String,
        read: impl FnOnce(&World) -> T + Send + 'static,
    ) -> Fut<'_, T> {
        Box::pin(async move {
            self.arrive(method, &what).await?;
            Ok(read(&self.lock()))
        })
    }
}

impl Hypervisor for FakeHypervisor {
    fn facts(&self) -> Fut<'_, HostFacts> {
        self.reading("facts", "read the host's facts".into(), |world| {
            world.facts.clone()
        })
    }

    fn clock_mhz(&self) -> Fut<'_, u32> {
        self.reading("clock_mhz", "read the clock of the CPUs".into(), |_| 2400)
    }

    fn inventory(&self) -> Fut<'_, Inventory> {
        self.reading("inventory", "read the inventory".into(), World::inventory)
    }

    fn find_vm(&self, key: &Key) -> Fut<'_, Option<Vm>> {
        let (key, what) = (key.clone(), format!("read VM {key}"));
        self.reading("find_vm", what, move |world| {
            let name = find_name(&world.vms, &key, |vm| vm.uuid)?;
            world.vms.get(&name).map(FakeVm::read)
        })
    }

    fn find_pool(&self, key: &Key) -> Fut<'_, Option<Pool>> {
        let (key, what) = (key.clone(), format!("read storage pool {key}"));
        self.reading("find_pool", what, move |world| {
            let name = find_name(&world.pools, &key, |pool| pool.uuid)?;
            world.pools.get(&name).map(FakePool::read)
        })
    }

    fn find_network(&self, key: &Key) -> Fut<'_, Option<Network>> {
        let (key, what) = (key.clone(), format!("read network {key}"));
        self.reading("find_network", what, move |world| {
            let name = find_name(&world.networks, &key, |network| network.uuid)?;
            world.networks.get(&name).map(FakeNetwork::read)
        })
    }

    fn find_volume(&self, pool: &str, name: &str) -> Fut<'_, Option<Volume>> {
        let what = format!("read volume {name} of storage pool {pool}");
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.reading("find_volume", what, move |world| {
            let pool = world.pools.get(&pool).filter(|pool| pool.active())?;
            pool.volumes.get(&name).map(|found| found.volume.clone())
        })
    }

    fn list_volumes(&self, pool: &str) -> Fut<'_, Vec<Volume>> {
        let what = format!("list the volumes of storage pool {pool}");
        let name = pool.to_owned();
        Box::pin(async move {
            self.arrive("list_volumes", &what).await?;
            let listed = self.lock().list_volumes(&name);
            listed.map_err(|fault| fault.of(what))
        })
    }

    fn vm_names(&self) -> Fut<'_, Vec<String>> {
        self.reading("vm_names", "list the VMs".into(), |world| {
            let (running, off): (Vec<_>, Vec<_>) =
                world.vms.values().partition(|vm| vm.live.is_some());
            let names = running.iter().chain(&off);
            names.map(|vm| vm.name.clone()).collect()
        })
    }

    fn snapshots(&self, key: &Key) -> Fut<'_, Vec<Snapshot>> {
        let (key, what) = (key.clone(), format!("list the snapshots of VM {key}"));
        Box::pin(async move {
            self.arrive("snapshots", &what).await?;
            let world = self.lock();
            let found = find_name(&world.vms, &key, |vm| vm.uuid);
            let vm = found.and_then(|name| world.vms.get(&name));
            let vm = vm.ok_or_else(|| Fault::no_vm(&key.to_string()).of(&what))?;
            Ok(vm.snapshots.iter().map(|kept| kept.told.clone()).collect())
        })
    }

    fn addresses(&self) -> Fut<'_, Vec<(String, String)>> {
        self.reading("addresses", "read the DHCP leases".into(), |world| {
            world.addresses.clone()
        })
    }

    fn capabilities_xml(&self) -> Fut<'_, String> {
        self.reading(
            "capabilities_xml",
            "read the host's capabilities".into(),
            |world| world.capabilities_xml.clone(),
        )
    }

    fn documents(&self, which: &Document) -> Fut<'_, Vec<String>> {
        let (what, which) = (which.to_string(), which.clone());
        Box::pin(async move {
            self.arrive("documents", &what).await?;
            match which {
                Document::NodeDevices => Ok(self.lock().node_devices.clone()),
                _ => Err(Fault::unsupported("this hypervisor does not tell").of(what)),
            }
        })
    }

    fn counters(&self, key: &Key) -> Fut<'_, Counters> {
        let (key, what) = (key.clone(), format!("read the counters of VM {key}"));
        Box::pin(async move {
            self.arrive("counters", &what).await?;
            let world = self.lock();
            let found = find_name(&world.vms, &key, |vm| vm.uuid);
            let vm = found.and_then(|name| world.vms.get(&name));
            let vm = vm.ok_or_else(|| Fault::no_vm(&key.to_string()).of(&what))?;
            vm.counters().map_err(|fault| fault.of(&what))
        })
    }

    fn find_secret(&self, secret: &SecretName) -> Fut<'_, Option<Uuid>> {
        let (secret, what) = (secret.clone(), format!("look for the secret {secret}"));
        self.reading("find_secret", what, move |world| {
            world.secrets.get(&secret).map(|kept| kept.uuid)
        })
    }

    fn perform(&self, step: &Step) -> Fut<'_, ()> {
        let step = step.clone();
        Box::pin(async move {
            let what = attempt(&step);
            self.arrive("perform", &what).await?;
            let mut world = self.lock();
            if let Some(fault) = world.take_trap(&step) {
                return Err(fault.of(what));
            }
            world.perform(&step).map_err(|fault| fault.of(what))?;
            world.performed.push(step);
            Ok(())
        })
    }

    fn upload(&self, upload: &Upload, moved: Transferred) -> Fut<'_, ()> {
        let upload = upload.clone();
        let what = format!(
            "fill volume {} of storage pool {}",
            upload.volume, upload.pool
        );
        Box::pin(async move {
            self.arrive("upload", &what).await?;
            let unreadable = |error: std::io::Error| {
                let message = format!("{}: {error}", upload.file.display());
                Fault::new(Reason::Invalid, message).of(&what)
            };
            let source = tokio::fs::File::open(&upload.file).await;
            let mut source = source
                .map_err(unreadable)?
                .take(upload.length.unwrap_or(u64::MAX));
            let mut bytes = Vec::new();
            let mut chunk = vec![0; CHUNK];
            loop {
                let count = source.read(&mut chunk).await.map_err(unreadable)?;
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&chunk[..count]);
                moved.fetch_add(count as u64, Ordering::Relaxed);
            }
            let filled = self.lock().fill_volume(&upload, &bytes);
            filled.map_err(|fault| fault.of(&what))
        })
    }

    fn open_vnc(&self, vm: Uuid) -> Fut<'_, Box<dyn Console>> {
        Box::pin(async move {
            let what = format!("open the console of VM {vm}");
            self.arrive("open_vnc", &what).await?;
            let found = self
                .lock()
                .vms
                .values()
                .find(|candidate| candidate.uuid == vm)
                .map(FakeVm::read)
                .ok_or_else(|| Fault::no_vm(&vm.to_string()).of(&what))?;
            if !found.status.is_active() {
                let fault = Fault::wrong_state(super::fault::QEMU, "domain is not running");
                return Err(fault.of(&what));
            }
            if !found.graphics.iter().any(|one| one.kind == "vnc") {
                return Err(Fault::unsupported("the VM has no VNC console").of(&what));
            }
            let (ours, mut theirs) = tokio::io::duplex(CHUNK);
            tokio::spawn(async move {
                // A server that greets and then listens; the far end may close at any time.
                let mut sink = tokio::io::sink();
                if theirs.write_all(b"RFB 003.008\n").await.is_ok() {
                    let _ = tokio::io::copy(&mut theirs, &mut sink).await;
                }
            });
            Ok(Box::new(ours) as Box<dyn Console>)
        })
    }

    fn hints(&self) -> HintReceiver {
        let (sender, receiver) = hint_channel(self.hint_capacity);
        let mut world = self.lock();
        sender.send(world.standing());
        world.hints = Some(sender);
        receiver
    }
}
