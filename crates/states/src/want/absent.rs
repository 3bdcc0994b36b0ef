//! `virt.absent`, `virt.network_absent`, `virt.pool_absent` and Salt's `virt.pool_deleted`: what is to go, and how much
//! of it.

use crate::{Call, StateError};

/// The arguments of `virt.absent`, beside those that every virt state takes.
pub(crate) const VM_ARGUMENTS: &[&str] = &["force", "delete_disks"];

/// The arguments of `virt.network_absent` and `virt.network_deleted`.
pub(crate) const NETWORK_ARGUMENTS: &[&str] = &["force"];

/// The arguments of `virt.pool_absent`.
pub(crate) const POOL_ARGUMENTS: &[&str] = &["purge", "force"];

/// The arguments of `virt.pool_deleted`. Source: Salt.
pub(crate) const POOL_DELETED_ARGUMENTS: &[&str] = &["purge"];

/// What happens to data when the object that held it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// It stays where it is.
    Keep,
    /// It is deleted.
    Delete,
}

/// What happens to an object that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InUse {
    /// It stays, and the state fails.
    Refuse,
    /// It goes all the same.
    Force,
}

/// `force`.
pub(crate) fn in_use(call: &Call) -> Result<InUse, StateError> {
    Ok(match call.flag("force", false)? {
        true => InUse::Force,
        false => InUse::Refuse,
    })
}

/// `delete_disks` or `purge`.
pub(crate) fn data(call: &Call, argument: &str) -> Result<Data, StateError> {
    Ok(match call.flag(argument, false)? {
        true => Data::Delete,
        false => Data::Keep,
    })
}
