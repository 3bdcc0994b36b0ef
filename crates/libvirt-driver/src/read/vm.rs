//! Reading VMs.

use super::{Filtered, find};
use crate::failure::Result;
use crate::{ffi, words};
use hypervisor::Key;
use model::{Vm, VmStatus};
use virt::connect::Connect;
use virt::domain::Domain;
use virt_sys as sys;

/// What filtered lists tell of all VMs at once.
pub(crate) struct VmFilters {
    persistent: Filtered,
    autostart: Filtered,
    managed_save: Filtered,
}

impl VmFilters {
    /// One list call each.
    pub(crate) fn read(connect: &Connect) -> Self {
        let list = |flag| Filtered::of(connect.list_all_domains(flag), |vm| vm.uuid().ok());
        Self {
            persistent: list(sys::VIR_CONNECT_LIST_DOMAINS_PERSISTENT),
            autostart: list(sys::VIR_CONNECT_LIST_DOMAINS_AUTOSTART),
            managed_save: list(sys::VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE),
        }
    }

    const fn unknown() -> Self {
        Self {
            persistent: Filtered::unknown(),
            autostart: Filtered::unknown(),
            managed_save: Filtered::unknown(),
        }
    }
}

/// The domain of a key; `None` when it is not there.
pub(crate) fn find_domain(connect: &Connect, key: &Key) -> Result<Option<Domain>> {
    find(
        connect,
        key,
        Connect::lookup_domain_by_name,
        Connect::lookup_domain_by_uuid,
    )
}

/// Names of the VMs, running ones first.
pub(crate) fn names(connect: &Connect) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for which in [
        sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE,
        sys::VIR_CONNECT_LIST_DOMAINS_INACTIVE,
    ] {
        for domain in connect.list_all_domains(which)? {
            let name = domain.name()?;
            // One that stops between the two lists is in both.
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Reads one VM on its own.
pub(crate) fn read_alone(domain: &Domain) -> Result<Vm> {
    read(domain, &VmFilters::unknown())
}

/// Reads a VM: its state and its definitions, and the rest from `filters`.
///
/// # Errors
/// It has vanished, or the connection broke.
pub(crate) fn read(domain: &Domain, filters: &VmFilters) -> Result<Vm> {
    let (uuid, name) = (domain.uuid()?, domain.name()?);
    let (state, reason) = ffi::domain_state(domain)?;
    let (status, status_reason) = words::status(state, reason);
    let persistent = filters.persistent.has(uuid, || domain.is_persistent());
    let off = matches!(status, VmStatus::Shutoff);

    let mut vm = Vm::named(uuid, name);
    // A VM that stops between two calls answers with its persistent definition, which has no id.
    if !off || !persistent {
        let xml = domain.xml_desc(0)?;
        let read = domxml::domain::read(&xml)?;
        if read.id.is_some() {
            vm.domain_id = read.id;
            vm.xml_live = Some(xml);
        }
        read.tell(&mut vm);
    }
    if persistent {
        let xml =
            super::inactive_xml(|flags| domain.xml_desc(flags), sys::VIR_DOMAIN_XML_INACTIVE)?;
        if vm.xml_live.is_none() {
            domxml::domain::read(&xml)?.tell(&mut vm);
        }
        vm.xml_persistent = Some(xml);
    }
    vm.persistent = persistent;
    vm.autostart = filters.autostart.has(uuid, || domain.autostart());
    vm.has_managed_save = filters
        .managed_save
        .has(uuid, || domain.has_managed_save(0));
    vm.status = match (status, vm.domain_id) {
        // Xen has domains that neither run nor wait at the moment; they are running all the same.
        (VmStatus::Unknown, Some(_)) => VmStatus::Running,
        _ => status,
    };
    status_reason.clone_into(&mut vm.status_reason);
    Ok(vm)
}
