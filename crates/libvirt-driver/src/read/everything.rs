//! Reading everything a host has, past objects that have vanished, fail, or keep us waiting.
//!
//! One call lists; then a few threads read one object after the other from the shared [`Reading`]: that is the fewest
//! round trips, and of a few at a time. When an object takes longer than its limit (a pool on a dead NFS server holds
//! its lock for good), its thread is left to it, and another goes on in its place. The object is then told as being
//! there, and nothing more.

use super::network::NetworkFilters;
use super::pool::PoolFilters;
use super::vm::VmFilters;
use super::{if_there, network, pool, vm};
use crate::failure::{Failure, Result};
use crate::lane::{Heartbeat, Lane};
use hypervisor::{HypervisorError, Reason};
use model::Inventory;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::network::Network;
use virt::storage_pool::StoragePool;

const WHAT: &str = "read the inventory";

/// Objects that a thread is stuck with, over all readings of a host. They are not asked again meanwhile: each
/// question would cost a further thread.
pub(crate) type Stuck = Arc<Mutex<HashSet<Uuid>>>;

/// Something that can be read, and named without a call.
trait Object: Clone + Send + 'static {
    /// What lists of all objects tell of each.
    type Filters: Send + Sync + 'static;

    /// Reads it; `None` when it has vanished since the listing. May block for good.
    fn read(&self, filters: &Self::Filters) -> Result<Option<Inventory>>;

    /// It as being there, and nothing more.
    fn unread(&self) -> Inventory;

    fn uuid(&self) -> Uuid;

    /// Logs that it cannot be read.
    fn warn(&self, why: &str);
}

/// Lists all objects, and what lists tell of each. Its heart beats after every round trip or two.
type List<O> = fn(&Connect, &Heartbeat) -> Result<(VecDeque<O>, <O as Object>::Filters)>;

/// Threads that read at the same time. A lane has one more.
const SIDE_BY_SIDE: usize = 3;

/// Fewer objects than this for each are not worth a further thread.
const WORTH_A_THREAD: usize = 8;

/// A reading under way: one of those who work on it, and what they share.
struct Reading<O: Object> {
    progress: Arc<Mutex<Progress<O>>>,
    /// What the present thread is at. A thread that finds something else here has been given up and stops.
    current: Arc<Mutex<Option<(u64, O)>>>,
    stuck: Stuck,
    heart: Heartbeat,
}

struct Progress<O: Object> {
    filters: Option<Arc<O::Filters>>,
    todo: VecDeque<O>,
    /// Numbers the objects in the order in which they are begun.
    count: u64,
    read: Inventory,
}

/// Reads everything. `limit` is what each object gets.
///
/// # Errors
/// The host cannot be listed, or the connection broke.
pub(crate) async fn read(
    lane: &Lane,
    limit: Duration,
    stuck: &Stuck,
) -> std::result::Result<Inventory, HypervisorError> {
    Reading::new(stuck).all(lane, limit, list).await
}

impl<O: Object> Clone for Reading<O> {
    fn clone(&self) -> Self {
        Self {
            progress: Arc::clone(&self.progress),
            current: Arc::clone(&self.current),
            stuck: Arc::clone(&self.stuck),
            heart: self.heart.clone(),
        }
    }
}

impl<O: Object> Reading<O> {
    fn new(stuck: &Stuck) -> Self {
        let progress = Progress {
            filters: None,
            todo: VecDeque::new(),
            count: 0,
            read: Inventory::default(),
        };
        Self {
            progress: Arc::new(Mutex::new(progress)),
            current: Arc::default(),
            stuck: Arc::clone(stuck),
            heart: Heartbeat::default(),
        }
    }

    /// Another one beside this.
    fn beside(&self) -> Self {
        Self {
            current: Arc::default(),
            heart: Heartbeat::default(),
            ..self.clone()
        }
    }

    async fn all(
        self,
        lane: &Lane,
        limit: Duration,
        list: List<O>,
    ) -> std::result::Result<Inventory, HypervisorError> {
        let worker = self.clone();
        let work = move |connect: &Connect| worker.list(connect, list);
        lane.call_while(WHAT, limit, &self.heart, work).await?;
        self.listed(lane, limit).await
    }

    /// Reads what has been listed.
    async fn listed(
        self,
        lane: &Lane,
        limit: Duration,
    ) -> std::result::Result<Inventory, HypervisorError> {
        let objects = self.lock().todo.len();
        let threads = (objects / WORTH_A_THREAD).clamp(1, SIDE_BY_SIDE);
        let readings = (0..threads).map(|_| self.beside().run(lane, limit));
        futures_util::future::try_join_all(readings).await?;
        Ok(std::mem::take(&mut self.lock().read))
    }

    async fn run(self, lane: &Lane, limit: Duration) -> std::result::Result<(), HypervisorError> {
        loop {
            let worker = self.clone();
            let work = move |connect: &Connect| worker.work(connect);
            match lane.call_while(WHAT, limit, &self.heart, work).await {
                Ok(()) => return Ok(()),
                Err(error) if error.reason == Reason::TimedOut && self.give_up_current() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress<O>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_stuck(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_current(&self) -> MutexGuard<'_, Option<(u64, O)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, connect: &Connect, list: List<O>) -> Result<()> {
        let (todo, filters) = list(connect, &self.heart)?;
        let mut progress = self.lock();
        progress.todo = todo;
        progress.filters = Some(Arc::new(filters));
        Ok(())
    }

    /// A thread's part: read until nothing is left.
    fn work(&self, connect: &Connect) -> Result<()> {
        let Some(filters) = self.lock().filters.clone() else {
            return Ok(());
        };
        // A libvirtd that hangs altogether is found out here, before it takes a thread for each object.
        connect.lib_version()?;
        while let Some((number, object)) = self.begin() {
            let result = object.read(&filters);
            self.heart.beat();
            let mut current = self.lock_current();
            if current.as_ref().map(|(number, _)| *number) != Some(number) {
                drop(current);
                self.lock_stuck().remove(&object.uuid());
                return Ok(());
            }
            let mut progress = self.lock();
            *current = None;
            match result {
                Ok(Some(read)) => progress.add(read),
                Ok(None) => {}
                Err(failure) if failure.reason == Reason::Unreachable => return Err(failure),
                Err(failure) => {
                    object.warn(&failure.message);
                    progress.add(object.unread());
                }
            }
        }
        Ok(())
    }

    /// The next object, noted as the current one.
    fn begin(&self) -> Option<(u64, O)> {
        let mut progress = self.lock();
        loop {
            let object = progress.todo.pop_front()?;
            if self.lock_stuck().contains(&object.uuid()) {
                progress.add(object.unread());
                continue;
            }
            progress.count += 1;
            let number = progress.count;
            // One lock at a time: a thread that was given up takes them the other way round.
            drop(progress);
            *self.lock_current() = Some((number, object.clone()));
            return Some((number, object));
        }
    }

    /// Takes the current object from its thread; false when there is none, so that going on is of no use.
    fn give_up_current(&self) -> bool {
        let Some((_, object)) = self.lock_current().take() else {
            return false;
        };
        object.warn("it did not answer in time");
        self.lock_stuck().insert(object.uuid());
        self.lock().add(object.unread());
        true
    }
}

impl<O: Object> Progress<O> {
    fn add(&mut self, read: Inventory) {
        self.read.vms.extend(read.vms);
        self.read.pools.extend(read.pools);
        self.read.networks.extend(read.networks);
    }
}

/// A handle of libvirt's.
#[derive(Clone)]
enum Item {
    Vm(Domain),
    Pool(StoragePool),
    Network(Network),
}

/// The filtered lists of all classes.
struct Filters {
    vm: VmFilters,
    pool: PoolFilters,
    network: NetworkFilters,
}

/// Everything there is to read. A class of objects that the driver does not have is empty.
fn list(connect: &Connect, heart: &Heartbeat) -> Result<(VecDeque<Item>, Filters)> {
    let mut todo = VecDeque::new();
    let vms = if_there(connect.list_all_domains(0).map_err(Failure::from))?;
    todo.extend(vms.into_iter().flatten().map(Item::Vm));
    let pools = if_there(connect.list_all_storage_pools(0).map_err(Failure::from))?;
    todo.extend(pools.into_iter().flatten().map(Item::Pool));
    let networks = if_there(connect.list_all_networks(0).map_err(Failure::from))?;
    todo.extend(networks.into_iter().flatten().map(Item::Network));
    heart.beat();
    let filters = Filters {
        vm: VmFilters::read(connect),
        pool: PoolFilters::read(connect),
        network: NetworkFilters::read(connect),
    };
    heart.beat();
    Ok((todo, filters))
}

impl Object for Item {
    type Filters = Filters;

    fn read(&self, filters: &Filters) -> Result<Option<Inventory>> {
        let mut inventory = Inventory::default();
        match self {
            Self::Vm(handle) => inventory
                .vms
                .extend(if_there(vm::read(handle, &filters.vm))?),
            Self::Pool(handle) => {
                let read = if_there(pool::read(handle, &filters.pool))?;
                inventory.pools.extend(read);
            }
            Self::Network(handle) => {
                let read = if_there(network::read(handle, &filters.network))?;
                inventory.networks.extend(read);
            }
        }
        Ok(Some(inventory))
    }

    fn unread(&self) -> Inventory {
        let (uuid, name) = (self.uuid(), self.name());
        let mut inventory = Inventory::default();
        match self {
            Self::Vm(_) => inventory.vms.push(model::Vm::named(uuid, name)),
            Self::Pool(_) => inventory.pools.push(model::Pool::named(uuid, name)),
            Self::Network(_) => inventory.networks.push(model::Network::named(uuid, name)),
        }
        inventory
    }

    /// In the handle: no call.
    fn uuid(&self) -> Uuid {
        match self {
            Self::Vm(handle) => handle.uuid(),
            Self::Pool(handle) => handle.uuid(),
            Self::Network(handle) => handle.uuid(),
        }
        .unwrap_or_default()
    }

    fn warn(&self, why: &str) {
        let class = match self {
            Self::Vm(_) => "VM",
            Self::Pool(_) => "storage pool",
            Self::Network(_) => "network",
        };
        let name = self.name();
        tracing::warn!(class, name, why, "Cannot read {class} {name}: {why}");
    }
}

impl Item {
    /// In the handle: no call.
    fn name(&self) -> String {
        match self {
            Self::Vm(handle) => handle.name(),
            Self::Pool(handle) => handle.name(),
            Self::Network(handle) => handle.name(),
        }
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
