//! The port over a description.

use domxml::capabilities;
use hypervisor::{
    Console, Document, Fut, HintReceiver, Hypervisor, HypervisorError, Key, Reason, Transferred,
    Upload, Versions, attempt,
};
use model::plan::{SecretName, Step};
use model::{HostFacts, Inventory, Network, Pool, Snapshot, Vm, VmStatus, Volume};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use uuid::Uuid;

/// A host as its description has it. Reads answer at once, and every change is refused.
#[derive(Debug, Default)]
pub struct DescribedHost {
    pub(crate) name: String,
    pub(crate) versions: Versions,
    pub(crate) capabilities: String,
    pub(crate) vms: BTreeMap<String, Vm>,
    pub(crate) pools: BTreeMap<String, Pool>,
    pub(crate) networks: BTreeMap<String, Network>,
    /// Its PCI and USB devices, as libvirt's XML tells them.
    pub(crate) devices: Vec<String>,
    /// By pool.
    pub(crate) volumes: BTreeMap<String, Vec<Volume>>,
}

fn answer<'a, T: Send + 'a>(value: T) -> Fut<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

fn refuse<'a, T: Send + 'a>(what: String, reason: Reason, message: &str) -> Fut<'a, T> {
    Box::pin(std::future::ready(Err(HypervisorError {
        what,
        reason,
        message: message.to_owned(),
        libvirt: None,
    })))
}

/// Why nothing is changed.
const DESCRIBED: &str = "the host is only described; there is no hypervisor behind it";

fn named<'a, T>(all: &'a BTreeMap<String, T>, key: &Key, uuid: fn(&T) -> Uuid) -> Option<&'a T> {
    match key {
        Key::Name(name) => all.get(name),
        Key::Uuid(wanted) => all.values().find(|one| uuid(one) == *wanted),
    }
}

impl DescribedHost {
    /// The volumes that can be seen: those of a started pool.
    fn volumes_of(&self, pool: &str) -> &[Volume] {
        match self.pools.get(pool) {
            Some(found) if found.active => self.volumes.get(pool).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }
}

impl Hypervisor for DescribedHost {
    fn facts(&self) -> Fut<'_, HostFacts> {
        let types = capabilities::read(&self.capabilities)
            .map(|read| read.domain_types())
            .unwrap_or_default();
        answer(HostFacts {
            name: self.name.clone(),
            uri: self.versions.uri.clone(),
            hypervisor: self.versions.hypervisor.clone(),
            hypervisor_version: self.versions.hypervisor_version.clone(),
            libvirt_version: self.versions.libvirt_version.clone(),
            cpus: 0,
            cpu_model: String::new(),
            arch: String::new(),
            memory: model::Bytes(0),
            accelerated: types.iter().any(|kind| kind == "kvm" || kind == "xen"),
            domain_types: types,
            grains: String::new(),
        })
    }

    fn versions(&self) -> Fut<'_, Versions> {
        answer(self.versions.clone())
    }

    fn inventory(&self) -> Fut<'_, Inventory> {
        answer(Inventory {
            vms: self.vms.values().cloned().collect(),
            pools: self.pools.values().cloned().collect(),
            networks: self.networks.values().cloned().collect(),
        })
    }

    fn find_vm(&self, key: &Key) -> Fut<'_, Option<Vm>> {
        answer(named(&self.vms, key, |vm| vm.uuid).cloned())
    }

    fn find_pool(&self, key: &Key) -> Fut<'_, Option<Pool>> {
        answer(named(&self.pools, key, |pool| pool.uuid).cloned())
    }

    fn find_network(&self, key: &Key) -> Fut<'_, Option<Network>> {
        answer(named(&self.networks, key, |network| network.uuid).cloned())
    }

    fn find_volume(&self, pool: &str, name: &str) -> Fut<'_, Option<Volume>> {
        let volumes = self.volumes_of(pool).iter();
        let mut found = volumes.filter(|volume| volume.name == name);
        answer(found.next().cloned())
    }

    fn list_volumes(&self, pool: &str) -> Fut<'_, Vec<Volume>> {
        let what = format!("list the volumes of storage pool {pool}");
        match self.pools.get(pool) {
            None => refuse(what, Reason::NotFound, "there is no such pool"),
            Some(found) if !found.active => refuse(what, Reason::WrongState, "it is stopped"),
            Some(_) => answer(self.volumes_of(pool).to_vec()),
        }
    }

    fn vm_names(&self) -> Fut<'_, Vec<String>> {
        let mut vms: Vec<&Vm> = self.vms.values().collect();
        vms.sort_by_key(|vm| vm.status == VmStatus::Shutoff);
        answer(vms.into_iter().map(|vm| vm.name.clone()).collect())
    }

    fn snapshots(&self, _: &Key) -> Fut<'_, Vec<Snapshot>> {
        answer(Vec::new())
    }

    fn addresses(&self) -> Fut<'_, Vec<(String, String)>> {
        answer(Vec::new())
    }

    fn capabilities_xml(&self) -> Fut<'_, String> {
        answer(self.capabilities.clone())
    }

    fn documents(&self, which: &Document) -> Fut<'_, Vec<String>> {
        match which {
            Document::NodeDevices => answer(self.devices.clone()),
            _ => refuse(which.to_string(), Reason::Unsupported, DESCRIBED),
        }
    }

    fn find_secret(&self, _: &SecretName) -> Fut<'_, Option<Uuid>> {
        // No description tells of secrets, so a plan for it has the steps that make them.
        answer(None)
    }

    fn perform(&self, step: &Step) -> Fut<'_, ()> {
        refuse(attempt(step), Reason::Unsupported, DESCRIBED)
    }

    fn upload(&self, upload: &Upload, _: Transferred) -> Fut<'_, ()> {
        let what = format!("fill volume {} of pool {}", upload.volume, upload.pool);
        refuse(what, Reason::Unsupported, DESCRIBED)
    }

    fn open_vnc(&self, vm: Uuid) -> Fut<'_, Box<dyn Console>> {
        let what = format!("open the console of VM {vm}");
        refuse(what, Reason::Unsupported, DESCRIBED)
    }

    fn hints(&self) -> HintReceiver {
        // Nothing ever happens to it: the sender goes, and the receiver ends.
        mpsc::channel(1).1
    }
}
