//! Reading what a plan needs, and no more.

use super::Run;
use super::locks::{Object, Use};
use crate::received::ReceiveError;
use domxml::capabilities::Capabilities;
use domxml::device::NodeDevice;
use futures_util::future::{join_all, try_join_all};
use hypervisor::{Document, HypervisorError, Key, Reason};
use sls::Chunk;
use states::{HostPath, Needs, Observation};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileTypeExt;

/// So many VMs are read one by one.
const FEW: usize = 8;

impl Run {
    /// The locks of a chunk: alone on its own object and on volumes, shared on what else it looks at.
    pub(super) fn locks_for(&self, chunk: &Chunk, needs: &Needs) -> BTreeMap<Object, Use> {
        let mut locks = BTreeMap::new();
        let shared = needs.pools.iter().map(|name| Object::Pool(name.clone()));
        let shared = shared.chain(
            needs
                .volumes
                .iter()
                .map(|(pool, _)| Object::Pool(pool.clone())),
        );
        let shared = shared.chain(
            needs
                .networks
                .iter()
                .map(|name| Object::Network(name.clone())),
        );
        locks.extend(shared.map(|object| (object, Use::Shared)));
        locks.extend(
            needs
                .vms
                .iter()
                .map(|name| (Object::Vm(name.clone()), Use::Alone)),
        );
        locks.extend(
            needs
                .volumes
                .iter()
                .map(|(pool, name)| (Object::Volume(pool.clone(), name.clone()), Use::Alone)),
        );
        let own = chunk.fun.split('_').next().unwrap_or_default();
        match own {
            "pool" => drop(locks.insert(Object::Pool(chunk.name.clone()), Use::Alone)),
            "network" => drop(locks.insert(Object::Network(chunk.name.clone()), Use::Alone)),
            _ => {}
        }
        locks
    }

    /// Reads what `needs` names, but for the capabilities; in a dry run, as earlier chunks would have left it.
    pub(super) async fn observe(&self, needs: &Needs, env: &str) -> Result<Observation, Unseen> {
        let mut seen = Observation::default();
        let (pools, networks, vms, volumes) = futures_util::try_join!(
            self.pools(needs),
            self.networks(needs),
            self.vms(needs),
            self.volumes(needs)
        )?;
        (seen.pools, seen.networks, seen.volumes) = (pools, networks, volumes);
        for pool in &needs.pool_volumes {
            seen.volumes.extend(self.volumes_of(pool).await?);
            seen.listed_pools.insert(pool.clone());
        }
        (seen.vm_names, seen.vms) = vms;
        if needs.snapshots {
            seen.snapshots = self.snapshots(&seen.vms).await?;
        }
        seen.began = Some(self.began.clone());
        seen.pool_names = seen
            .pools
            .iter()
            .filter(|(_, pool)| pool.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        seen.config = self.config.clone();
        seen.paths = self.paths(needs).await;
        seen.texts = self.texts(needs).await;
        if needs.node_devices {
            seen.node_devices = Some(self.node_devices().await?);
        }
        for secret in &needs.secrets {
            let hypervisor = self.minion.hypervisor.as_ref();
            let known = self.minion.passwords.look(hypervisor, secret).await?;
            seen.secrets.insert(secret.clone(), known);
        }
        for url in &needs.salt_files {
            let found = self.salt_file(url, env).await?;
            if needs.checksums.contains(url)
                && let Some(path) = &found
            {
                let checksum = checksum(url, path).await?;
                seen.checksums.insert(url.clone(), checksum);
            }
            seen.salt_files.insert(url.clone(), found);
        }
        for (_, plan) in self
            .planned
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .iter()
        {
            states::predict(plan, &mut seen);
        }
        Ok(seen)
    }

    async fn pools(
        &self,
        needs: &Needs,
    ) -> Result<BTreeMap<String, Option<model::Pool>>, HypervisorError> {
        let hypervisor = &self.minion.hypervisor;
        if needs.all_pools {
            let mut pools: BTreeMap<_, _> = needs
                .pools
                .iter()
                .map(|name| (name.clone(), None))
                .collect();
            pools.extend(
                hypervisor
                    .inventory()
                    .await?
                    .pools
                    .into_iter()
                    .map(|pool| (pool.name.clone(), Some(pool))),
            );
            return Ok(pools);
        }
        let reads = needs.pools.iter().map(|name| async move {
            let found = match self.bulk.pool(hypervisor.as_ref(), name).await? {
                Some(found) => found,
                None => hypervisor.find_pool(&Key::Name(name.clone())).await?,
            };
            Ok((name.clone(), found))
        });
        Ok(try_join_all(reads).await?.into_iter().collect())
    }

    async fn networks(
        &self,
        needs: &Needs,
    ) -> Result<BTreeMap<String, Option<model::Network>>, HypervisorError> {
        if needs.all_networks {
            let mut networks: BTreeMap<_, _> = needs
                .networks
                .iter()
                .map(|name| (name.clone(), None))
                .collect();
            let all = self.minion.hypervisor.inventory().await?.networks;
            networks.extend(
                all.into_iter()
                    .map(|network| (network.name.clone(), Some(network))),
            );
            return Ok(networks);
        }
        let reads = needs.networks.iter().map(|name| async move {
            let hypervisor = self.minion.hypervisor.as_ref();
            let found = match self.bulk.network(hypervisor, name).await? {
                Some(found) => found,
                None => hypervisor.find_network(&Key::Name(name.clone())).await?,
            };
            Ok((name.clone(), found))
        });
        Ok(try_join_all(reads).await?.into_iter().collect())
    }

    /// The names of all VMs where they matter (patterns, hints at a misspelt name), and the VMs.
    async fn vms(
        &self,
        needs: &Needs,
    ) -> Result<(Vec<String>, BTreeMap<String, Option<model::Vm>>), HypervisorError> {
        let hypervisor = &self.minion.hypervisor;
        let mut names = if needs.vm_patterns.is_empty() {
            Vec::new()
        } else {
            hypervisor.vm_names().await?
        };
        let mut wanted = needs.vms.clone();
        wanted.extend(needs.vms_among(&names));
        let vms = match wanted.len() {
            0..=FEW => self.each_vm(&wanted).await?,
            _ => self.many_vms(&wanted).await?,
        };
        if names.is_empty() && vms.values().any(Option::is_none) {
            names = hypervisor.vm_names().await?;
        }
        Ok((names, vms))
    }

    async fn each_vm(
        &self,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Option<model::Vm>>, HypervisorError> {
        let reads = wanted.iter().map(|name| async move {
            let key = Key::Name(name.clone());
            let hypervisor = self.minion.hypervisor.as_ref();
            let found = match self.bulk.vm(hypervisor, name).await? {
                Some(found) => found,
                None => hypervisor.find_vm(&key).await?,
            };
            Ok((name.clone(), found))
        });
        Ok(try_join_all(reads).await?.into_iter().collect())
    }

    /// One read of everything is cheaper than many of one, and does not fill the queue of the host.
    async fn many_vms(
        &self,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Option<model::Vm>>, HypervisorError> {
        let mut all = self.minion.hypervisor.inventory().await?.vms;
        all.retain(|vm| wanted.contains(&vm.name));
        let mut vms: BTreeMap<_, _> = wanted.iter().map(|name| (name.clone(), None)).collect();
        vms.extend(all.into_iter().map(|vm| (vm.name.clone(), Some(vm))));
        Ok(vms)
    }

    /// The snapshots of the VMs that are there.
    async fn snapshots(
        &self,
        vms: &BTreeMap<String, Option<model::Vm>>,
    ) -> Result<BTreeMap<String, Vec<model::Snapshot>>, HypervisorError> {
        let mut snapshots = BTreeMap::new();
        // One after the other: a pattern may match hundreds of VMs.
        for (name, vm) in vms {
            if let Some(vm) = vm {
                let key = Key::Uuid(vm.uuid);
                let found = self.minion.hypervisor.snapshots(&key).await?;
                snapshots.insert(name.clone(), found);
            }
        }
        Ok(snapshots)
    }

    async fn volumes(
        &self,
        needs: &Needs,
    ) -> Result<BTreeMap<(String, String), Option<model::Volume>>, HypervisorError> {
        let reads = needs.volumes.iter().map(|(pool, name)| async move {
            let hypervisor = self.minion.hypervisor.as_ref();
            let found = match self.bulk.volume(hypervisor, pool, name).await? {
                Some(found) => found,
                None => hypervisor.find_volume(pool, name).await?,
            };
            Ok(((pool.clone(), name.clone()), found))
        });
        Ok(try_join_all(reads).await?.into_iter().collect())
    }

    /// Every volume of a pool; a pool that is stopped or absent shows none.
    async fn volumes_of(
        &self,
        pool: &str,
    ) -> Result<BTreeMap<(String, String), Option<model::Volume>>, HypervisorError> {
        match self.minion.hypervisor.list_volumes(pool).await {
            Ok(volumes) => Ok(volumes
                .into_iter()
                .map(|volume| ((pool.to_owned(), volume.name.clone()), Some(volume)))
                .collect()),
            Err(error) if matches!(error.reason, Reason::NotFound | Reason::WrongState) => {
                Ok(BTreeMap::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Slow to read, and only wanted where a VM is made: see [`Run::plan`].
    pub(super) async fn capabilities(&self) -> Result<&Capabilities, HypervisorError> {
        let read = || async {
            let xml = self.minion.hypervisor.capabilities_xml().await?;
            domxml::capabilities::read(&xml).map_err(|error| HypervisorError {
                what: "read the host's capabilities".to_owned(),
                reason: Reason::Invalid,
                message: error.to_string(),
                libvirt: None,
            })
        };
        self.capabilities.get_or_try_init(read).await
    }

    async fn paths(&self, needs: &Needs) -> BTreeMap<String, HostPath> {
        if self.minion.known.is_none() && self.minion.is_remote() {
            return self.paths_in_pools(needs).await;
        }
        let reads = needs
            .paths
            .iter()
            .map(|path| async move { (path.clone(), self.look_at(path).await) });
        join_all(reads).await.into_iter().collect()
    }

    /// Of a host on another machine libvirt knows what is in its pools, and nothing else.
    async fn paths_in_pools(&self, needs: &Needs) -> BTreeMap<String, HostPath> {
        let hypervisor = self.minion.hypervisor.as_ref();
        let mut paths = BTreeMap::new();
        if needs.paths.is_empty() {
            return paths;
        }
        let pools = match hypervisor.inventory().await {
            Ok(inventory) => inventory.pools,
            Err(error) => {
                tracing::debug!("Cannot look into the pools: {error}");
                return paths;
            }
        };
        for path in &needs.paths {
            let Some((folder, name)) = path.rsplit_once('/') else {
                continue;
            };
            let holds = |pool: &&model::Pool| pool.active && pool.target == folder;
            let Some(pool) = pools.iter().find(holds) else {
                continue;
            };
            let found = match hypervisor.find_volume(&pool.name, name).await {
                Ok(Some(_)) if pool.keeps_files() => HostPath::File,
                Ok(Some(_)) => HostPath::BlockDevice,
                Ok(None) => HostPath::Absent,
                Err(_) => continue,
            };
            paths.insert(path.clone(), found);
        }
        paths
    }

    /// The texts of files. Of a described host none is known, so a plan for it writes all of them.
    async fn texts(&self, needs: &Needs) -> BTreeMap<String, Option<String>> {
        let mut texts = BTreeMap::new();
        for path in &needs.texts {
            let text = match &self.minion.known {
                None => tokio::fs::read_to_string(path).await.ok(),
                Some(_) => None,
            };
            texts.insert(path.clone(), text);
        }
        texts
    }

    async fn node_devices(&self) -> Result<Vec<NodeDevice>, HypervisorError> {
        let told = self
            .minion
            .hypervisor
            .documents(&Document::NodeDevices)
            .await?;
        let devices = told.iter().filter_map(|xml| domxml::device::read(xml).ok());
        Ok(devices.collect())
    }

    async fn look_at(&self, path: &str) -> HostPath {
        match &self.minion.known {
            None => look_at(path).await,
            Some(known) => match known.paths.get(path).map(String::as_str) {
                None => HostPath::Absent,
                Some("folder") => HostPath::Folder,
                Some("block") => HostPath::BlockDevice,
                Some(_) => HostPath::File,
            },
        }
    }

    async fn salt_file(&self, url: &str, env: &str) -> Result<Option<String>, Unseen> {
        let path = url.strip_prefix("salt://").unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let named = query
            .split('&')
            .find_map(|part| part.strip_prefix("saltenv="));
        let found = self.minion.locate(named.unwrap_or(env), path).await;
        let found = found.map_err(|source| Unseen::File {
            url: url.to_owned(),
            source,
        });
        Ok(found?.map(|path| path.display().to_string()))
    }
}

/// SHA-256 of a file of the state tree.
async fn checksum(url: &str, path: &str) -> Result<String, Unseen> {
    crate::image::sha256_of(path)
        .await
        .map_err(|why| Unseen::Unreadable {
            url: url.to_owned(),
            why: why.to_string(),
        })
}

/// Why what a state needs to know of the host is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unseen {
    #[error(transparent)]
    Hypervisor(#[from] HypervisorError),
    #[error("cannot get {url} from the server: {source}")]
    File { url: String, source: ReceiveError },
    #[error("cannot read {url}: {why}")]
    Unreadable { url: String, why: String },
}

impl Unseen {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Hypervisor(error) => error.hint(),
            Self::File { .. } => Some("look at the server's log, then ask again"),
            Self::Unreadable { .. } => Some("check the rights of the file under the file roots"),
        }
    }
}

async fn look_at(path: &str) -> HostPath {
    match tokio::fs::metadata(path).await {
        Ok(meta) if meta.is_dir() => HostPath::Folder,
        Ok(meta) if meta.file_type().is_block_device() => HostPath::BlockDevice,
        Ok(_) => HostPath::File,
        Err(_) => HostPath::Absent,
    }
}
