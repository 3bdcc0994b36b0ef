//! One read of everything for a run of many states.
//!
//! A run that has nothing to do is mostly round trips, and one that lists costs half of those that look objects up
//! one by one. What was read so is used for a moment only, and not after the run's first step: from then on each
//! state reads its own objects, as close to its plan as can be.

use hypervisor::{Hypervisor, HypervisorError, Reason};
use model::{Network, Pool, Vm, Volume};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Runs of fewer states than this read object by object.
const MANY: usize = 8;

/// How long what was read may be used: about as long as a state that reads by itself waits for its turn.
const FRESH: Duration = Duration::from_secs(1);

/// What a run reads in one go.
pub(super) struct Bulk {
    touched: AtomicBool,
    read: Mutex<Option<Everything>>,
    /// By pool, so that none waits for another.
    volumes: std::sync::Mutex<HashMap<String, Arc<Mutex<Option<Volumes>>>>>,
}

/// The volumes of a pool by name, and when they were read.
struct Volumes {
    at: Instant,
    by_name: HashMap<String, Volume>,
}

struct Everything {
    at: Instant,
    vms: HashMap<String, Vm>,
    pools: HashMap<String, Pool>,
    networks: HashMap<String, Network>,
}

impl Bulk {
    /// For a run of so many states.
    pub(super) fn new(states: usize) -> Self {
        Self {
            touched: AtomicBool::new(states < MANY),
            read: Mutex::default(),
            volumes: std::sync::Mutex::default(),
        }
    }

    /// The run is about to change something.
    pub(super) fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }

    pub(super) async fn vm(
        &self,
        hypervisor: &dyn Hypervisor,
        name: &str,
    ) -> Result<Option<Option<Vm>>, HypervisorError> {
        let is_read = |vm: &Vm| vm.xml_persistent.is_some() || vm.xml_live.is_some();
        self.look(hypervisor, |all| known(&all.vms, name, is_read))
            .await
    }

    pub(super) async fn pool(
        &self,
        hypervisor: &dyn Hypervisor,
        name: &str,
    ) -> Result<Option<Option<Pool>>, HypervisorError> {
        let is_read = |pool: &Pool| !pool.xml.is_empty();
        self.look(hypervisor, |all| known(&all.pools, name, is_read))
            .await
    }

    pub(super) async fn network(
        &self,
        hypervisor: &dyn Hypervisor,
        name: &str,
    ) -> Result<Option<Option<Network>>, HypervisorError> {
        let is_read = |network: &Network| !network.xml.is_empty();
        self.look(hypervisor, |all| known(&all.networks, name, is_read))
            .await
    }

    pub(super) async fn volume(
        &self,
        hypervisor: &dyn Hypervisor,
        pool: &str,
        name: &str,
    ) -> Result<Option<Option<Volume>>, HypervisorError> {
        if self.touched.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let of_pool = {
            let mut all = self.volumes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(pool.to_owned()).or_default())
        };
        let mut known = of_pool.lock().await;
        if known
            .as_ref()
            .is_none_or(|known| known.at.elapsed() > FRESH)
        {
            let read = match hypervisor.list_volumes(pool).await {
                Ok(read) => read,
                // What that means for a volume, the reading of one knows.
                Err(error) if matches!(error.reason, Reason::NotFound | Reason::WrongState) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let by_name = read.into_iter().map(|volume| (volume.name.clone(), volume));
            *known = Some(Volumes {
                at: Instant::now(),
                by_name: by_name.collect(),
            });
        }
        Ok(known.as_ref().map(|known| known.by_name.get(name).cloned()))
    }

    /// Looks into what was read; `None` when the caller has to read by itself.
    async fn look<T>(
        &self,
        hypervisor: &dyn Hypervisor,
        find: impl FnOnce(&Everything) -> Option<Option<T>>,
    ) -> Result<Option<Option<T>>, HypervisorError> {
        if self.touched.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut read = self.read.lock().await;
        if read.as_ref().is_none_or(|read| read.at.elapsed() > FRESH) {
            *read = Some(Everything::of(hypervisor).await?);
        }
        Ok(read.as_ref().and_then(find))
    }
}

/// The object, or that it is not there; `None` for one that is there and could not be read among the others.
fn known<T: Clone>(
    all: &HashMap<String, T>,
    name: &str,
    is_read: impl Fn(&T) -> bool,
) -> Option<Option<T>> {
    match all.get(name) {
        None => Some(None),
        Some(found) => is_read(found).then(|| Some(found.clone())),
    }
}

impl Everything {
    async fn of(hypervisor: &dyn Hypervisor) -> Result<Self, HypervisorError> {
        let all = hypervisor.inventory().await?;
        Ok(Self {
            at: Instant::now(),
            vms: all
                .vms
                .into_iter()
                .map(|vm| (vm.name.clone(), vm))
                .collect(),
            pools: all
                .pools
                .into_iter()
                .map(|pool| (pool.name.clone(), pool))
                .collect(),
            networks: all
                .networks
                .into_iter()
                .map(|net| (net.name.clone(), net))
                .collect(),
        })
    }
}
