//! Reading objects: a handle of libvirt in, a value of the model out.
//!
//! Whatever a driver does not offer is left out of the value rather than failing it; only an object that has
//! vanished, or a connection that has broken, is an error.

pub(crate) mod about;
pub(crate) mod everything;
pub(crate) mod host;
pub(crate) mod network;
pub(crate) mod pool;
pub(crate) mod vm;

use crate::failure::{Failure, Result};
use hypervisor::{Key, Reason};
use std::collections::HashSet;
use uuid::Uuid;
use virt::connect::Connect;

/// UUIDs of the objects with a property, from one filtered list; `None` where the driver does not know the filter,
/// and each object has to be asked.
pub(crate) struct Filtered(Option<HashSet<Uuid>>);

impl Filtered {
    /// From a list call and the UUIDs of what it returns.
    pub(crate) fn of<T>(
        list: std::result::Result<Vec<T>, virt::error::Error>,
        uuid: impl Fn(&T) -> Option<Uuid>,
    ) -> Self {
        Self(
            list.ok()
                .map(|objects| objects.iter().filter_map(uuid).collect()),
        )
    }

    /// For an object that is read alone.
    pub(crate) const fn unknown() -> Self {
        Self(None)
    }

    /// Whether the object has the property; asks it if need be. What it refuses to tell counts as no.
    pub(crate) fn has(
        &self,
        uuid: Uuid,
        ask: impl FnOnce() -> std::result::Result<bool, virt::error::Error>,
    ) -> bool {
        match &self.0 {
            Some(set) => set.contains(&uuid),
            None => ask().unwrap_or(false),
        }
    }
}

/// Looks an object up; `None` when it is not there.
pub(crate) fn find<T>(
    connect: &Connect,
    key: &Key,
    by_name: impl FnOnce(&Connect, &str) -> std::result::Result<T, virt::error::Error>,
    by_uuid: impl FnOnce(&Connect, Uuid) -> std::result::Result<T, virt::error::Error>,
) -> Result<Option<T>> {
    let found = match key {
        Key::Name(name) => by_name(connect, name),
        Key::Uuid(uuid) => by_uuid(connect, *uuid),
    };
    if_there(found.map_err(Failure::from))
}

/// `None` for an object that is not there (any more), or of a class that this driver does not have.
pub(crate) fn if_there<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.reason == Reason::NotFound => Ok(None),
        Err(failure) if failure.is(virt_sys::VIR_ERR_NO_SUPPORT) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The definition of the next start, or the only one of a driver that knows no difference.
pub(crate) fn inactive_xml(
    read: impl Fn(u32) -> std::result::Result<String, virt::error::Error>,
    inactive: u32,
) -> Result<String> {
    match read(inactive).map_err(Failure::from) {
        Err(failure) if failure.is_unsupported() => Ok(read(0)?),
        other => other,
    }
}
