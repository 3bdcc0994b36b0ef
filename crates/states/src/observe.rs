//! What a plan needs to know of a host, and what was read of it.

use crate::{StateError, Value};
use domxml::capabilities::Capabilities;
use domxml::device::NodeDevice;
use model::plan::SecretName;
use model::{Network, Pool, Snapshot, Vm, Volume};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What must be read before a state can be planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Pools by name.
    pub pools: BTreeSet<String>,
    /// Every pool: a folder is looked for among their targets.
    pub all_pools: bool,
    /// Networks by name.
    pub networks: BTreeSet<String>,
    /// Every network: a bridge or addresses may be another's.
    pub all_networks: bool,
    /// VMs by name.
    pub vms: BTreeSet<String>,
    /// Shell patterns: every VM whose name matches one is read, too.
    pub vm_patterns: BTreeSet<String>,
    /// The snapshots of these VMs, too.
    pub snapshots: bool,
    /// Volumes by pool and name. Of a pool that is stopped or absent, they count as absent.
    pub volumes: BTreeSet<(String, String)>,
    /// Pools of which every volume is read. Those that are stopped or absent have none.
    pub pool_volumes: BTreeSet<String>,
    /// The host's capabilities.
    pub capabilities: bool,
    /// Absolute paths on the host: what is there?
    pub paths: BTreeSet<String>,
    /// `salt://` files: where do they lie on the host?
    pub salt_files: BTreeSet<String>,
    /// Of these, also the checksum: their content counts, not their name.
    pub checksums: BTreeSet<String>,
    /// Every device of the host.
    pub node_devices: bool,
    /// Secrets: are they there, and do they have the value that was given them last?
    pub secrets: BTreeSet<SecretName>,
    /// Absolute paths on the host: which text is there?
    pub texts: BTreeSet<String>,
}

impl Needs {
    /// The VMs to read among all `names` of the host: the named ones and those that match a pattern.
    pub fn vms_among(&self, names: &[String]) -> Vec<String> {
        names
            .iter()
            .filter(|name| {
                self.vms.contains(*name)
                    || self
                        .vm_patterns
                        .iter()
                        .any(|pattern| sls::glob::matches(pattern, name))
            })
            .cloned()
            .collect()
    }

    /// Adds what another state needs.
    pub fn merge(&mut self, other: Needs) {
        self.pools.extend(other.pools);
        self.all_pools |= other.all_pools;
        self.networks.extend(other.networks);
        self.all_networks |= other.all_networks;
        self.vms.extend(other.vms);
        self.vm_patterns.extend(other.vm_patterns);
        self.snapshots |= other.snapshots;
        self.volumes.extend(other.volumes);
        self.pool_volumes.extend(other.pool_volumes);
        self.capabilities |= other.capabilities;
        self.paths.extend(other.paths);
        self.salt_files.extend(other.salt_files);
        self.checksums.extend(other.checksums);
        self.node_devices |= other.node_devices;
        self.secrets.extend(other.secrets);
        self.texts.extend(other.texts);
    }
}

/// The configuration that states read, looked up as Salt's `config.get` does: minion configuration, grains, pillar.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    values: BTreeMap<&'static str, Value>,
    uri: Option<String>,
}

impl Config {
    /// The keys that states read.
    pub const KEYS: &[&str] = &[
        "virt:images",
        "virt:disk",
        "virt:nic",
        "libvirt.cacert.pem",
        "libvirt.clientcert.pem",
        "libvirt.clientkey.pem",
        "libvirt.servercert.pem",
        "libvirt.serverkey.pem",
    ];

    /// Looks up every key; `None` for one that is not configured.
    pub fn read(look_up: impl Fn(&str) -> Option<Value>) -> Self {
        let value = |key: &&'static str| Some((*key, look_up(key)?));
        Self {
            values: Self::KEYS.iter().filter_map(value).collect(),
            uri: None,
        }
    }

    /// Says which hypervisor the plans are for, so that a state that names another one is refused.
    #[must_use]
    pub fn connected_to(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    pub(crate) fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// Refuses what is done to files of the host, where the hypervisor is on another machine.
    pub(crate) fn needs_files(&self, what: &str) -> Result<(), StateError> {
        match self.uri().filter(|uri| model::uri::is_remote(uri)) {
            None => Ok(()),
            Some(uri) => Err(StateError::host(
                format!("{what} on the host, and its files are out of reach over {uri}"),
                "Run an agent on that host",
            )),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The pool, or else the folder, for disks that name no pool.
    pub(crate) fn images(&self) -> &str {
        self.get("virt:images")
            .and_then(Value::as_str)
            .unwrap_or("/srv/salt-images")
    }
}

/// What was read of a host. An absent key was not read; `None` was read and is not there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// Pools by name.
    pub pools: BTreeMap<String, Option<Pool>>,
    /// Networks by name.
    pub networks: BTreeMap<String, Option<Network>>,
    /// VMs by name.
    pub vms: BTreeMap<String, Option<Vm>>,
    /// Snapshots by VM.
    pub snapshots: BTreeMap<String, Vec<Snapshot>>,
    /// When the run began, as it stands in names: `20261126-180405`, local time of the host.
    pub began: Option<String>,
    /// Volumes by pool and name.
    pub volumes: BTreeMap<(String, String), Option<Volume>>,
    /// Pools of which `volumes` has every volume.
    pub listed_pools: BTreeSet<String>,
    /// Names of all VMs of the host, for hints at the nearest name; may be left empty.
    pub vm_names: Vec<String>,
    /// Names of all pools, for hints; may be left empty.
    pub pool_names: Vec<String>,
    /// Names of all networks, for hints; may be left empty.
    pub network_names: Vec<String>,
    /// The host's capabilities.
    pub capabilities: Option<Capabilities>,
    /// The configuration.
    pub config: Config,
    /// What lies at a path of the host.
    pub paths: BTreeMap<String, HostPath>,
    /// Where a `salt://` file lies on the host; `None` when there is no such file.
    pub salt_files: BTreeMap<String, Option<String>>,
    /// SHA-256 of `salt://` files, in hexadecimal digits; those that are not there are absent.
    pub checksums: BTreeMap<String, String>,
    /// Every device of the host.
    pub node_devices: Option<Vec<NodeDevice>>,
    /// Secrets by their use.
    pub secrets: BTreeMap<SecretName, Option<KnownSecret>>,
    /// Texts at paths of the host; `None` where there is none.
    pub texts: BTreeMap<String, Option<String>>,
}

/// A secret that is there. Nobody can read its value, so what it was set to last is remembered by a checksum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownSecret {
    /// Made at random, and part of the checksum.
    pub salt: String,
    /// Checksum of the value, by [`KnownSecret::digest`]; empty when nobody here has set it.
    pub digest: String,
}

impl KnownSecret {
    /// The checksum of a value.
    pub fn digest(salt: &str, value: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(salt);
        hash.update([0]);
        hash.update(value);
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// It was set to this value last.
    pub(crate) fn has(&self, value: &[u8]) -> bool {
        !self.digest.is_empty() && self.digest == Self::digest(&self.salt, value)
    }
}

impl Observation {
    /// A pool that was read; `None` when it is not there.
    pub(crate) fn pool(&self, name: &str) -> Result<Option<&Pool>, StateError> {
        found(&self.pools, &name.to_owned(), || format!("pool {name}"))
    }

    /// A network that was read.
    pub(crate) fn network(&self, name: &str) -> Result<Option<&Network>, StateError> {
        found(&self.networks, &name.to_owned(), || {
            format!("network {name}")
        })
    }

    /// A VM that was read.
    pub(crate) fn vm(&self, name: &str) -> Result<Option<&Vm>, StateError> {
        found(&self.vms, &name.to_owned(), || format!("VM {name}"))
    }

    /// The snapshots of a VM that was read; none of a VM that is not there.
    pub(crate) fn snapshots(&self, vm: &str) -> Result<&[Snapshot], StateError> {
        match (self.snapshots.get(vm), self.vms.get(vm)) {
            (Some(snapshots), _) => Ok(snapshots),
            (None, Some(None)) => Ok(&[]),
            (None, _) => Err(StateError::NotObserved {
                what: format!("the list of the snapshots of VM {vm}"),
            }),
        }
    }

    /// A volume that was read.
    pub(crate) fn volume(&self, pool: &str, name: &str) -> Result<Option<&Volume>, StateError> {
        let key = (pool.to_owned(), name.to_owned());
        found(&self.volumes, &key, || {
            format!("volume {name} of pool {pool}")
        })
    }

    /// A secret that was looked for.
    pub(crate) fn secret(&self, secret: &SecretName) -> Result<Option<&KnownSecret>, StateError> {
        found(&self.secrets, secret, || format!("the secret {secret}"))
    }

    /// The text at a path that was read.
    pub(crate) fn text(&self, path: &str) -> Result<Option<&str>, StateError> {
        let text = found(&self.texts, &path.to_owned(), || path.to_owned())?;
        Ok(text.map(String::as_str))
    }

    /// Every volume of a pool, by name.
    pub(crate) fn volumes_of(&self, pool: &str) -> Result<Vec<&Volume>, StateError> {
        if !self.listed_pools.contains(pool) {
            return Err(StateError::NotObserved {
                what: format!("the list of the volumes of pool {pool}"),
            });
        }
        let of_pool = self.volumes.iter().filter(|((of, _), _)| of == pool);
        Ok(of_pool.filter_map(|(_, volume)| volume.as_ref()).collect())
    }
}

fn found<'a, K: Ord, T>(
    map: &'a BTreeMap<K, Option<T>>,
    key: &K,
    what: impl Fn() -> String,
) -> Result<Option<&'a T>, StateError> {
    map.get(key)
        .map(Option::as_ref)
        .ok_or_else(|| StateError::NotObserved { what: what() })
}

/// What lies at a path of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPath {
    /// Nothing.
    Absent,
    /// A regular file, or anything that is neither a folder nor a block device.
    File,
    /// A block device.
    BlockDevice,
    /// A folder.
    Folder,
}
