//! Storage pools and volumes of the fake.

use super::definition;
use super::fault::{Fault, STORAGE};
use super::world::World;
use crate::port::Upload;
use model::event::EventObject;
use model::plan::{PoolOp, VolumeOp};
use model::{Bytes, Pool, Volume};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Every pool of the fake is this big.
const POOL_CAPACITY: Bytes = Bytes(100 << 30);

/// A pool.
pub(super) struct FakePool {
    pub(super) name: String,
    pub(super) uuid: Uuid,
    pub(super) autostart: bool,
    /// Nothing is left of it once it is stopped.
    pub(super) transient: bool,
    pub(super) persistent: String,
    pub(super) live: Option<String>,
    pub(super) volumes: BTreeMap<String, FakeVolume>,
}

/// A volume with what has been uploaded into it.
pub(super) struct FakeVolume {
    pub(super) volume: Volume,
    pub(super) bytes: Vec<u8>,
}

impl FakePool {
    pub(super) const fn active(&self) -> bool {
        self.live.is_some()
    }

    pub(super) fn read(&self) -> Pool {
        let read =
            definition::pool(&self.persistent).expect("the definition was readable when set");
        let used: u64 = self.volumes.values().map(|v| v.volume.allocation.0).sum();
        let (capacity, allocation) = if self.active() {
            (POOL_CAPACITY, Bytes(used))
        } else {
            (Bytes(0), Bytes(0))
        };
        Pool {
            uuid: self.uuid,
            name: self.name.clone(),
            active: self.active(),
            autostart: self.autostart,
            persistent: !self.transient,
            capacity,
            allocation,
            available: Bytes(capacity.0.saturating_sub(allocation.0)),
            volume_count: if self.active() {
                u32::try_from(self.volumes.len()).unwrap_or(u32::MAX)
            } else {
                0
            },
            xml_live: self.live.clone(),
            ..read
        }
    }

    /// The pool, if it runs.
    pub(super) fn running(&mut self) -> Result<&mut Self, Fault> {
        if self.active() {
            return Ok(self);
        }
        let why = format!("storage pool '{}' is not active", self.name);
        Err(Fault::wrong_state(STORAGE, why))
    }

    /// The pool, if it is stopped.
    fn stopped(&mut self) -> Result<&mut Self, Fault> {
        if !self.active() {
            return Ok(self);
        }
        let why = format!("storage pool '{}' is already active", self.name);
        Err(Fault::wrong_state(STORAGE, why))
    }
}

impl World {
    pub(super) fn pool_op(&mut self, name: &str, op: &PoolOp) -> Result<(), Fault> {
        match op {
            PoolOp::Define { xml } => return self.define_pool(xml),
            PoolOp::CreateTransient { xml } => return self.create_pool(xml),
            _ => {}
        }
        let pool = self
            .pools
            .get_mut(name)
            .ok_or_else(|| Fault::no_pool(name))?;
        match op {
            PoolOp::Define { .. } | PoolOp::CreateTransient { .. } => {}
            PoolOp::Build => {
                let target = pool.stopped()?.read().target;
                self.folders.insert(target);
                self.pool_event(name, "lifecycle", "created");
            }
            PoolOp::Start => {
                let target = pool.stopped()?.read().target;
                if !target.is_empty() && !self.folders.contains(&target) {
                    let why =
                        format!("cannot open directory '{target}': No such file or directory");
                    return Err(Fault::system(STORAGE, why));
                }
                pool.live = Some(pool.persistent.clone());
                self.pool_event(name, "lifecycle", "started");
            }
            PoolOp::Stop => {
                let pool = pool.running()?;
                pool.live = None;
                let is_gone = pool.transient;
                self.pool_event(name, "lifecycle", "stopped");
                if is_gone {
                    self.pools.remove(name);
                }
            }
            PoolOp::Refresh => {
                pool.running()?;
                self.pool_event(name, "refresh", "refresh");
            }
            PoolOp::Autostart(_) if pool.transient => {
                let why = format!("cannot set autostart for transient pool '{name}'");
                return Err(Fault::wrong_state(STORAGE, why));
            }
            PoolOp::Autostart(on) => pool.autostart = *on,
            PoolOp::Delete => {
                let pool = pool.stopped()?;
                if !pool.volumes.is_empty() {
                    let target = pool.read().target;
                    let why = format!("failed to remove pool '{target}': Directory not empty");
                    return Err(Fault::system(STORAGE, why));
                }
                let target = pool.read().target;
                self.folders.remove(&target);
                self.pool_event(name, "lifecycle", "deleted");
            }
            PoolOp::Undefine => {
                pool.stopped()?;
                self.pool_event(name, "lifecycle", "undefined");
                self.pools.remove(name);
            }
        }
        Ok(())
    }

    fn create_pool(&mut self, xml: &str) -> Result<(), Fault> {
        let read = definition::pool(xml)?;
        if let Some(old) = self.pools.get(&read.name) {
            let why = format!("pool '{}' already exists with uuid {}", read.name, old.uuid);
            return Err(Fault::exists(STORAGE, why));
        }
        self.define_pool(xml)?;
        let pool = self.pools.get_mut(&read.name).expect("it was just defined");
        pool.transient = true;
        pool.live = Some(pool.persistent.clone());
        self.folders.insert(read.target);
        self.pool_event(&read.name, "lifecycle", "started");
        Ok(())
    }

    fn define_pool(&mut self, xml: &str) -> Result<(), Fault> {
        let read = definition::pool(xml)?;
        let uuid = match self.pools.get(&read.name) {
            Some(old) if read.uuid.is_nil() || read.uuid == old.uuid => old.uuid,
            Some(old) => {
                let (name, uuid) = (&read.name, old.uuid);
                let why = format!("pool '{name}' already exists with uuid {uuid}");
                return Err(Fault::exists(STORAGE, why));
            }
            None if read.uuid.is_nil() => self.next_uuid(&read.name),
            None => read.uuid,
        };
        let xml = definition::with_uuid(xml, uuid)?;
        match self.pools.get_mut(&read.name) {
            Some(pool) => {
                pool.persistent = xml;
                pool.transient = false;
            }
            None => {
                let pool = FakePool {
                    name: read.name.clone(),
                    uuid,
                    autostart: false,
                    transient: false,
                    persistent: xml,
                    live: None,
                    volumes: BTreeMap::new(),
                };
                self.pools.insert(read.name.clone(), pool);
            }
        }
        self.pool_event(&read.name, "lifecycle", "defined");
        Ok(())
    }

    pub(super) fn volume_op(&mut self, pool: &str, name: &str, op: &VolumeOp) -> Result<(), Fault> {
        let pool = self
            .pools
            .get_mut(pool)
            .ok_or_else(|| Fault::no_pool(pool))?
            .running()?;
        match op {
            VolumeOp::Create { xml } => create_volume(pool, xml),
            VolumeOp::CreateFromImage { .. } | VolumeOp::Write { .. } => Err(Fault::unsupported(
                "a volume is filled by the executor, in several calls",
            )),
            VolumeOp::Resize { capacity } => {
                let volume = &mut find_volume(pool, name)?.volume;
                if *capacity < volume.capacity {
                    let why = "Can't shrink capacity below current capacity unless shrink flag is \
                               specified";
                    return Err(Fault::wrong_state(STORAGE, why));
                }
                volume.capacity = *capacity;
                Ok(())
            }
            VolumeOp::Delete => {
                find_volume(pool, name)?;
                pool.volumes.remove(name);
                Ok(())
            }
        }
    }

    pub(super) fn list_volumes(&mut self, pool: &str) -> Result<Vec<Volume>, Fault> {
        let pool = self
            .pools
            .get_mut(pool)
            .ok_or_else(|| Fault::no_pool(pool))?
            .running()?;
        Ok(pool.volumes.values().map(|v| v.volume.clone()).collect())
    }

    /// The end of an upload: the volume has these bytes, and libvirt refreshes the pool.
    pub(super) fn fill_volume(&mut self, upload: &Upload, bytes: &[u8]) -> Result<(), Fault> {
        let found = self
            .pools
            .get_mut(&upload.pool)
            .ok_or_else(|| Fault::no_pool(&upload.pool))?
            .running()?;
        let volume = find_volume(found, &upload.volume)?;
        let from = usize::try_from(upload.offset).unwrap_or(usize::MAX);
        let end = from.saturating_add(bytes.len());
        if volume.bytes.len() < end {
            volume.bytes.resize(end, 0);
        }
        volume.bytes[from..end].copy_from_slice(bytes);
        let size = Bytes(volume.bytes.len() as u64);
        volume.volume.allocation = size;
        volume.volume.capacity = volume.volume.capacity.max(size);
        self.pool_event(&upload.pool, "refresh", "refresh");
        Ok(())
    }

    fn pool_event(&self, name: &str, kind: &'static str, event: &str) {
        let object = EventObject {
            name: name.to_owned(),
            uuid: self.pools.get(name).map(|pool| pool.uuid),
            domain_id: None,
        };
        let mut fields = vec![("event", event.to_owned())];
        if kind == "lifecycle" {
            fields.push(("detail", "unknown".to_owned()));
        }
        self.event("pool", kind, object, fields);
    }
}

fn create_volume(pool: &mut FakePool, xml: &str) -> Result<(), Fault> {
    let mut volume = definition::volume(xml)?;
    if pool.volumes.contains_key(&volume.name) {
        return Err(Fault::volume_exists(&volume.name));
    }
    let target = pool.read().target;
    volume.path = format!("{}/{}", target.trim_end_matches('/'), volume.name);
    volume.key.clone_from(&volume.path);
    let made = FakeVolume {
        volume,
        bytes: Vec::new(),
    };
    pool.volumes.insert(made.volume.name.clone(), made);
    Ok(())
}

fn find_volume<'a>(pool: &'a mut FakePool, name: &str) -> Result<&'a mut FakeVolume, Fault> {
    pool.volumes
        .get_mut(name)
        .ok_or_else(|| Fault::no_volume(name))
}
