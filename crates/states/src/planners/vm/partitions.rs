//! Disks in pools of kind `disk`: partitions of a device. libvirt prescribes their names, the device's and a number, so a
//! name says nothing of whose disk it is. The definition remembers it.
//! Source: Salt `virt._fill_disk_filename`; libvirt `virStorageBackendDiskPartTypeToCreate`.

use crate::want::vm::disk::DiskWant;
use crate::{Needs, Observation, StateError};
use domxml::read::{NodeExt, parse};
use domxml::{Document, EditError, metadata};
use model::{Pool, Vm};
use std::collections::BTreeMap;

/// Under which name a definition remembers which partition each disk is.
const REMEMBERED: &str = "partitions";

/// The partitions of a VM's disks.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    /// What the definition remembers: pool and volume by the disk's name.
    known: BTreeMap<String, (String, String)>,
    /// The same after this plan.
    now: BTreeMap<String, (String, String)>,
    /// Partitions among the VM's disks, as `pool/volume`.
    plugged: Vec<String>,
}

/// Which partitions there are, where a pool has some.
pub(super) fn needs(seen: &Observation) -> Option<Needs> {
    let pools = seen.pools.values().flatten();
    let pools = pools.filter(|pool| is_partitioned(pool) && pool.active);
    let pool_volumes: std::collections::BTreeSet<String> =
        pools.map(|pool| pool.name.clone()).collect();
    (!pool_volumes.is_empty()).then(|| Needs {
        pool_volumes,
        ..Needs::default()
    })
}

/// Volumes of the pool are partitions.
pub(super) fn is_partitioned(pool: &Pool) -> bool {
    pool.kind == "disk"
}

impl Partitions {
    /// Those of a VM that is there; none of a new one.
    pub(super) fn of(vm: Option<&Vm>) -> Self {
        let mut partitions = Self::default();
        let xml = vm.and_then(|vm| vm.xml_persistent.as_deref().or(vm.xml_live.as_deref()));
        let Some(Ok(doc)) = xml.map(|xml| parse("domain", "domain", xml)) else {
            return partitions;
        };
        let root = doc.root_element();
        for line in metadata::get(root, REMEMBERED).unwrap_or_default().lines() {
            if let Some((disk, place)) = line.trim().split_once('=')
                && let Some((pool, volume)) = place.split_once('/')
            {
                let place = (pool.to_owned(), volume.to_owned());
                partitions.known.insert(disk.to_owned(), place);
            }
        }
        let disks = root.child("devices").map(|d| d.children_named("disk"));
        for disk in disks.unwrap_or_default() {
            let of = |key| disk.attr_at("source", key);
            partitions
                .plugged
                .push(format!("{}/{}", of("pool"), of("volume")));
        }
        partitions
    }

    /// The partition that is, or will be, a disk.
    ///
    /// # Errors
    /// The VM has partitions of which nobody knows which disk they are, or the pool names no device.
    pub(super) fn name(
        &mut self,
        want: &DiskWant,
        pool: &Pool,
        seen: &Observation,
    ) -> Result<String, StateError> {
        let place = match self.known.get(&want.name) {
            Some(place) if place.0 == pool.name => place.clone(),
            _ => {
                self.refuse_strangers(want, pool)?;
                (pool.name.clone(), self.free(pool, seen)?)
            }
        };
        self.now.insert(want.name.clone(), place.clone());
        Ok(place.1)
    }

    /// A disk of the VM that only somebody else can tell apart.
    fn refuse_strangers(&self, want: &DiskWant, pool: &Pool) -> Result<(), StateError> {
        let in_pool = |place: &&String| {
            place
                .strip_prefix(&pool.name)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let is_known = |place: &str| {
            let mut known = self.known.values();
            known.any(|(pool, volume)| format!("{pool}/{volume}") == place)
        };
        let mut plugged = self.plugged.iter().filter(in_pool);
        match plugged.find(|place| !is_known(place)) {
            None => Ok(()),
            Some(stranger) => Err(StateError::host(
                format!(
                    "the VM has partition {stranger}, and nothing says whether that is disk {}",
                    want.name
                ),
                "Write source_file: with the name of the partition",
            )),
        }
    }

    /// The first number that no partition has, and none that this plan makes.
    fn free(&self, pool: &Pool, seen: &Observation) -> Result<String, StateError> {
        let bad = |error| StateError::definition(format!("pool {}", pool.name), error);
        let doc = parse("pool", "pool", &pool.xml).map_err(bad)?;
        let root = doc.root_element();
        let device = root.attr_at("source/device", "path");
        let base = device.rsplit('/').next().unwrap_or_default();
        if base.is_empty() {
            return Err(StateError::host(
                format!("pool {} names no device to make partitions of", pool.name),
                "Look at its definition with virsh pool-dumpxml",
            ));
        }
        let ends_in_digit = base.ends_with(|c: char| c.is_ascii_digit());
        let separator = match root.attr_at("source/device", "part_separator") {
            "yes" => "p",
            "no" => "",
            _ if ends_in_digit => "p",
            _ => "",
        };
        let there = seen.volumes_of(&pool.name)?;
        let is_taken = |name: &String| {
            let mut planned = self.now.values();
            there.iter().any(|volume| volume.name == *name)
                || planned.any(|place| *place == (pool.name.clone(), name.clone()))
        };
        let mut names = (1..).map(|number: u32| format!("{base}{separator}{number}"));
        Ok(names
            .find(|name| !is_taken(name))
            .expect("there are more numbers than partitions"))
    }

    /// Writes down which partition each disk is.
    pub(super) fn remember(&self, document: &mut Document) -> Result<(), EditError> {
        if self.now == self.known {
            return Ok(());
        }
        let lines = self.now.iter();
        let lines: Vec<String> = lines
            .map(|(disk, (pool, volume))| format!("{disk}={pool}/{volume}"))
            .collect();
        metadata::set(document, REMEMBERED, &lines.join("\n"))
    }
}
