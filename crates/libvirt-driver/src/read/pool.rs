//! Reading storage pools and volumes.

use super::{Filtered, find, if_there, inactive_xml};
use crate::failure::{Failure, Result};
use hypervisor::{Key, Reason};
use model::{Bytes, Pool, Volume};
use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt_sys as sys;

/// What filtered lists tell of all pools at once.
pub(crate) struct PoolFilters {
    active: Filtered,
    persistent: Filtered,
    autostart: Filtered,
}

impl PoolFilters {
    /// One list call each.
    pub(crate) fn read(connect: &Connect) -> Self {
        let list = |flag| Filtered::of(connect.list_all_storage_pools(flag), |p| p.uuid().ok());
        Self {
            active: list(sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE),
            persistent: list(sys::VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT),
            autostart: list(sys::VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART),
        }
    }

    const fn unknown() -> Self {
        Self {
            active: Filtered::unknown(),
            persistent: Filtered::unknown(),
            autostart: Filtered::unknown(),
        }
    }
}

/// The pool of a key; `None` when it is not there.
pub(crate) fn find_pool(connect: &Connect, key: &Key) -> Result<Option<StoragePool>> {
    find(
        connect,
        key,
        Connect::lookup_storage_pool_by_name,
        Connect::lookup_storage_pool_by_uuid,
    )
}

/// Reads one pool on its own.
pub(crate) fn read_alone(pool: &StoragePool) -> Result<Pool> {
    read(pool, &PoolFilters::unknown())
}

/// Reads a pool: its definitions and the number of its volumes, and the rest from `filters`.
///
/// # Errors
/// It has vanished, or the connection broke.
pub(crate) fn read(pool: &StoragePool, filters: &PoolFilters) -> Result<Pool> {
    let (uuid, name) = (pool.uuid()?, pool.name()?);
    let active = filters.active.has(uuid, || pool.is_active());
    let persistent = filters.persistent.has(uuid, || pool.is_persistent());
    let live = if active {
        Some(pool.xml_desc(0)?)
    } else {
        None
    };
    let xml = match &live {
        Some(live) if !persistent => live.clone(),
        _ => inactive_xml(|flags| pool.xml_desc(flags), sys::VIR_STORAGE_XML_INACTIVE)?,
    };
    let read = domxml::pool::read(live.as_ref().unwrap_or(&xml))?;
    let size = |bytes: Bytes| if active { bytes } else { Bytes(0) };
    Ok(Pool {
        active,
        persistent,
        autostart: filters.autostart.has(uuid, || pool.autostart()),
        kind: read.kind,
        capacity: size(read.capacity),
        allocation: size(read.allocation),
        available: size(read.available),
        target: read.target,
        volume_count: if active {
            pool.num_of_volumes().unwrap_or(0)
        } else {
            0
        },
        xml,
        xml_live: live,
        ..Pool::named(uuid, name)
    })
}

/// A volume of a started pool.
pub(crate) fn find_volume(connect: &Connect, pool: &str, name: &str) -> Result<Option<Volume>> {
    let Some(pool) = find_pool(connect, &Key::Name(pool.to_owned()))? else {
        return Ok(None);
    };
    if !pool.is_active()? {
        return Ok(None);
    }
    let found = pool.lookup_storage_vol_by_name(name);
    let Some(volume) = if_there(found.map_err(Into::into))? else {
        return Ok(None);
    };
    read_volume(&volume).map(Some)
}

/// Every volume of a started pool; those that vanish meanwhile are left out.
pub(crate) fn list_volumes(connect: &Connect, pool: &str) -> Result<Vec<Volume>> {
    let key = Key::Name(pool.to_owned());
    let found = find_pool(connect, &key)?.ok_or_else(|| {
        let message = format!("there is no storage pool {pool}");
        Failure::new(Reason::NotFound, message)
    })?;
    let volumes = found.list_all_volumes(0)?;
    let read = volumes.iter().map(|volume| if_there(read_volume(volume)));
    Ok(read
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

fn read_volume(volume: &StorageVol) -> Result<Volume> {
    let read = domxml::volume::read(&volume.xml_desc(0)?)?;
    Ok(Volume {
        name: volume.name()?,
        key: volume.key().unwrap_or(read.key),
        // The handle has name and key; asking for the path is a call, and the XML nearly always has it.
        path: match read.path.is_empty() {
            true => volume.path().unwrap_or_default(),
            false => read.path,
        },
        ..read
    })
}
