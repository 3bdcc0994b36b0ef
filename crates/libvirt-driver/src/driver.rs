//! The driver itself: the port's methods as calls on the lanes.

use crate::connection::Connector;
use crate::failure::{Failure, Result};
use crate::lane::{Heartbeat, Lane};
use crate::options::Options;
use crate::read::everything::{self, Stuck};
use crate::read::{about, host, if_there, network, pool, vm};
use crate::upload::{self, Canceller};
use crate::watcher::Watcher;
use crate::{console, migrate, perform, snapshot, xen};
use hypervisor::{
    Console, Document, Fut, Hint, HintReceiver, Hypervisor, HypervisorError, Key, Reason,
    Transferred, Upload, Versions, attempt,
};
use model::plan::{Migration, SecretName, Step, VmOp};
use model::{Counters, HostFacts, Inventory, Lease, Network, Pool, Snapshot, Vm, Volume};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;
use virt::connect::Connect;

/// How often a running VM is looked at while its guest lets go of a device.
const DETACH_POLL: Duration = Duration::from_millis(200);

/// How often a VM is looked at on its way to another host.
const MIGRATION_POLL: Duration = Duration::from_secs(1);

/// How long after each other a VM is looked at whose guest gives memory back or takes some.
const BALLOON_LOOKS: &[Duration] = &[
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// A hypervisor behind a libvirt URI.
///
/// Connections are opened when they are first needed, so making one costs nothing and cannot fail. Methods need a
/// tokio runtime with time and I/O enabled.
pub struct LibvirtHypervisor {
    connector: Arc<Connector>,
    options: Options,
    /// Calls that read.
    queries: Lane,
    /// Calls that change something, and may take long: a slow start must not hold up a look.
    jobs: Lane,
    watcher: Arc<Mutex<Option<Watcher>>>,
    stuck: Stuck,
}

impl LibvirtHypervisor {
    /// A driver for the host at `uri`, `qemu:///system` for instance. Returns at once.
    pub fn open(uri: &str, options: Options) -> Self {
        let connector = Arc::new(Connector::new(uri, &options));
        let lane = |name| Lane::new(name, Arc::clone(&connector), options.queue_length);
        Self {
            queries: lane("query"),
            jobs: lane("job"),
            watcher: Arc::default(),
            stuck: Stuck::default(),
            connector,
            options,
        }
    }

    /// The URI it was opened with.
    pub fn uri(&self) -> &str {
        &self.connector.uri
    }

    /// A call that only reads.
    fn query<T: Send + 'static>(
        &self,
        what: String,
        call: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> Fut<'_, T> {
        let limit = self.options.read_limit;
        Box::pin(async move { self.queries.call(&what, limit, call).await })
    }

    /// A call that reads what a libvirtd may first have to find out by trying each of its emulators.
    fn probe<T: Send + 'static>(
        &self,
        what: &'static str,
        call: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> Fut<'_, T> {
        let limit = self.options.change_limit;
        Box::pin(async move { self.queries.call(what, limit, call).await })
    }

    /// Says that a VM was changed, where libvirt may send no event: QEMU's driver sends none for vCPUs and autostart,
    /// Xen's none for anything but the life of a VM.
    async fn tell_change(&self, name: &str, op: &VmOp) {
        let looks: &[Duration] = match op {
            VmOp::AttachLive { .. }
            | VmOp::DetachLive { .. }
            | VmOp::UpdateLive { .. }
            | VmOp::VcpusLive(_)
            | VmOp::TuneLive(_)
            | VmOp::Autostart(_) => &[Duration::ZERO],
            VmOp::MemoryLive(_) => BALLOON_LOOKS,
            _ => return,
        };
        let name = name.to_owned();
        let find = move |connect: &Connect| Ok(perform::get_domain(connect, &name)?.uuid()?);
        let found = self.query("find the VM that was changed".to_owned(), find);
        let Ok(uuid) = found.await else { return };
        let watcher = Arc::clone(&self.watcher);
        tokio::spawn(async move {
            for pause in looks {
                tokio::time::sleep(*pause).await;
                let watcher = watcher.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(watcher) = &*watcher {
                    watcher.tell(Hint::Changed(uuid));
                }
            }
        });
    }

    /// Moves a VM to another host. It may take as long as it likes while bytes go over.
    async fn migrate(
        &self,
        what: &str,
        name: &str,
        migration: &Migration,
    ) -> std::result::Result<(), HypervisorError> {
        let moved = Transferred::default();
        let heart = Heartbeat::of(Arc::clone(&moved));
        let (vm, migration) = (name.to_owned(), migration.clone());
        let work = move |connect: &Connect| migrate::run(connect, &vm, &migration);
        let limit = self.options.stall_limit;
        let mut run = std::pin::pin!(self.jobs.call_while(what, limit, &heart, work));
        let mut look = tokio::time::interval(MIGRATION_POLL);
        loop {
            // Cancel safety: the migration is polled in place and never dropped before its end.
            tokio::select! {
                ended = &mut run => return ended,
                _ = look.tick() => {}
            }
            let vm = name.to_owned();
            let far = move |connect: &Connect| migrate::moved(connect, &vm);
            let far = self.queries.call(what, self.options.read_limit, far).await;
            moved.store(far.unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Waits until the running VM no longer has the device.
    async fn wait_detached(
        &self,
        what: &str,
        name: &str,
        xml: &str,
    ) -> std::result::Result<(), HypervisorError> {
        let limit = self.options.detach_limit;
        let until = Instant::now() + limit;
        loop {
            let (vm, device) = (name.to_owned(), xml.to_owned());
            let look = move |connect: &Connect| perform::still_has(connect, &vm, &device);
            if !self
                .queries
                .call(what, self.options.read_limit, look)
                .await?
            {
                return Ok(());
            }
            if Instant::now() >= until {
                let message = format!("the guest has not let go of the device within {limit:?}");
                return Err(Failure::new(Reason::TimedOut, message).of(what));
            }
            tokio::time::sleep(DETACH_POLL).await;
        }
    }
}

impl Hypervisor for LibvirtHypervisor {
    fn facts(&self) -> Fut<'_, HostFacts> {
        let connector = Arc::clone(&self.connector);
        let name = self.options.host_name.clone();
        self.probe("read the host's facts", move |connect| {
            host::facts(connect, &connector, name.as_deref())
        })
    }

    fn versions(&self) -> Fut<'_, Versions> {
        let connector = Arc::clone(&self.connector);
        self.probe("read the host's versions", move |connect| {
            host::versions(connect, &connector)
        })
    }

    fn clock_mhz(&self) -> Fut<'_, u32> {
        self.probe("read the clock of the CPUs", |connect| {
            Ok(connect.node_info()?.mhz)
        })
    }

    fn inventory(&self) -> Fut<'_, Inventory> {
        Box::pin(everything::read(
            &self.queries,
            self.options.read_limit,
            &self.stuck,
        ))
    }

    fn find_vm(&self, key: &Key) -> Fut<'_, Option<Vm>> {
        let (what, key) = (format!("read VM {key}"), key.clone());
        self.query(what, move |connect| match vm::find_domain(connect, &key)? {
            Some(domain) => if_there(vm::read_alone(&domain)),
            None => Ok(None),
        })
    }

    fn find_pool(&self, key: &Key) -> Fut<'_, Option<Pool>> {
        let (what, key) = (format!("read storage pool {key}"), key.clone());
        self.query(what, move |connect| match pool::find_pool(connect, &key)? {
            Some(found) => if_there(pool::read_alone(&found)),
            None => Ok(None),
        })
    }

    fn find_network(&self, key: &Key) -> Fut<'_, Option<Network>> {
        let (what, key) = (format!("read network {key}"), key.clone());
        self.query(what, move |connect| {
            match network::find_network(connect, &key)? {
                Some(found) => if_there(network::read_alone(&found)),
                None => Ok(None),
            }
        })
    }

    fn find_volume(&self, pool: &str, name: &str) -> Fut<'_, Option<Volume>> {
        let what = format!("read volume {name} of storage pool {pool}");
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.query(what, move |connect| {
            pool::find_volume(connect, &pool, &name)
        })
    }

    fn list_volumes(&self, pool: &str) -> Fut<'_, Vec<Volume>> {
        let what = format!("list the volumes of storage pool {pool}");
        let pool = pool.to_owned();
        self.query(what, move |connect| pool::list_volumes(connect, &pool))
    }

    fn vm_names(&self) -> Fut<'_, Vec<String>> {
        self.query("list the VMs".into(), vm::names)
    }

    fn snapshots(&self, key: &Key) -> Fut<'_, Vec<Snapshot>> {
        let (what, key) = (format!("list the snapshots of VM {key}"), key.clone());
        self.query(what, move |connect| {
            let found = vm::find_domain(connect, &key)?;
            let absent = || Failure::new(Reason::NotFound, format!("there is no VM {key}"));
            snapshot::list(&found.ok_or_else(absent)?)
        })
    }

    fn addresses(&self) -> Fut<'_, Vec<(String, String)>> {
        self.query("read the DHCP leases".into(), network::addresses)
    }

    fn capabilities_xml(&self) -> Fut<'_, String> {
        let connector = Arc::clone(&self.connector);
        self.probe("read the host's capabilities", move |connect| {
            connector.capabilities(connect)
        })
    }

    fn documents(&self, which: &Document) -> Fut<'_, Vec<String>> {
        let (what, which) = (which.to_string(), which.clone());
        let limit = self.options.change_limit;
        Box::pin(async move {
            let work = move |connect: &Connect| about::documents(connect, &which);
            self.queries.call(&what, limit, work).await
        })
    }

    fn counters(&self, key: &Key) -> Fut<'_, Counters> {
        let (what, key) = (format!("read the counters of VM {key}"), key.clone());
        let uri = self.connector.uri.clone();
        self.query(what, move |connect| about::counters(connect, &uri, &key))
    }

    fn leases(&self, network: &str) -> Fut<'_, Vec<Lease>> {
        let what = format!("read the leases of network {network}");
        let network = network.to_owned();
        self.query(what, move |connect| about::leases(connect, &network))
    }

    fn find_secret(&self, secret: &SecretName) -> Fut<'_, Option<Uuid>> {
        let (what, secret) = (format!("look for the secret {secret}"), secret.clone());
        self.query(what, move |connect| {
            let found = perform::find_secret(connect, &secret)?;
            Ok(found.map(|found| found.uuid()).transpose()?)
        })
    }

    fn perform(&self, step: &Step) -> Fut<'_, ()> {
        let (step, what) = (step.clone(), attempt(step));
        Box::pin(async move {
            if let Step::Vm {
                name,
                op: VmOp::Migrate(migration),
            } = &step
            {
                return self.migrate(&what, name, migration).await;
            }
            let limit = perform::limit(&step, &self.options);
            let done = step.clone();
            let uri = self.connector.uri.clone();
            let work = move |connect: &Connect| {
                let log = xen::Log::mark(&uri);
                perform::perform(connect, &done).map_err(|failure| match log {
                    Some(log) => log.explain(failure),
                    None => failure,
                })
            };
            self.jobs.call(&what, limit, work).await?;
            if let Step::Vm {
                name,
                op: VmOp::DetachLive { xml },
            } = &step
            {
                self.wait_detached(&what, name, xml).await?;
            }
            if let Step::Vm { name, op } = &step {
                self.tell_change(name, op).await;
            }
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
            let cancelled = Arc::new(AtomicBool::new(false));
            let _canceller = Canceller(Arc::clone(&cancelled));
            let heart = Heartbeat::of(Arc::clone(&moved));
            let limit = self.options.stall_limit;
            let work =
                move |connect: &Connect| upload::upload(connect, &upload, &moved, &cancelled);
            self.jobs.call_while(&what, limit, &heart, work).await
        })
    }

    fn open_vnc(&self, vm: Uuid) -> Fut<'_, Box<dyn Console>> {
        Box::pin(async move {
            let what = format!("open the console of VM {vm}");
            let limit = self.options.read_limit;
            let connector = Arc::clone(&self.connector);
            let look = move |connect: &Connect| console::find_way(connect, &connector, vm);
            let way = self.queries.call(&what, limit, look).await?;
            let opened = console::open(way, &self.connector, self.options.open_limit).await;
            opened.map_err(|failure| failure.of(what))
        })
    }

    fn hints(&self) -> HintReceiver {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        // The one before ends first, so that its connection does not count beside the new one.
        *watcher = None;
        let (started, hints) = Watcher::start(
            Arc::clone(&self.connector),
            self.options.open_limit,
            self.options.hint_capacity,
        );
        *watcher = Some(started);
        hints
    }
}
