//! Reading virtual networks and the addresses they have given.

use super::{Filtered, find, inactive_xml};
use crate::failure::{Failure, Result};
use crate::ffi;
use hypervisor::{Key, Reason};
use model::Network;
use virt::connect::Connect;
use virt_sys as sys;

type Handle = virt::network::Network;

/// What filtered lists tell of all networks at once.
pub(crate) struct NetworkFilters {
    active: Filtered,
    persistent: Filtered,
    autostart: Filtered,
}

impl NetworkFilters {
    /// One list call each.
    pub(crate) fn read(connect: &Connect) -> Self {
        let list = |flag| Filtered::of(connect.list_all_networks(flag), |n| n.uuid().ok());
        Self {
            active: list(sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE),
            persistent: list(sys::VIR_CONNECT_LIST_NETWORKS_PERSISTENT),
            autostart: list(sys::VIR_CONNECT_LIST_NETWORKS_AUTOSTART),
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

/// The network of a key; `None` when it is not there.
pub(crate) fn find_network(connect: &Connect, key: &Key) -> Result<Option<Handle>> {
    find(
        connect,
        key,
        Connect::lookup_network_by_name,
        Connect::lookup_network_by_uuid,
    )
}

/// Reads one network on its own.
pub(crate) fn read_alone(network: &Handle) -> Result<Network> {
    read(network, &NetworkFilters::unknown())
}

/// Reads a network: its definitions, and the rest from `filters`.
///
/// # Errors
/// It has vanished, or the connection broke.
pub(crate) fn read(network: &Handle, filters: &NetworkFilters) -> Result<Network> {
    let (uuid, name) = (network.uuid()?, network.name()?);
    let active = filters.active.has(uuid, || network.is_active());
    let persistent = filters.persistent.has(uuid, || network.is_persistent());
    let inactive = || {
        inactive_xml(
            |flags| network.xml_desc(flags),
            sys::VIR_NETWORK_XML_INACTIVE,
        )
    };
    let (xml, xml_persistent) = match (active, persistent) {
        (true, true) => (network.xml_desc(0)?, Some(inactive()?)),
        (true, false) => (network.xml_desc(0)?, None),
        (false, _) => (inactive()?, None),
    };
    let read = domxml::network::read(&xml)?;
    Ok(Network {
        active,
        persistent,
        autostart: filters.autostart.has(uuid, || network.autostart()),
        bridge: read.bridge,
        forward: read.forward,
        cidrs: read.cidrs,
        dhcp: read.dhcp,
        xml,
        xml_persistent,
        ..Network::named(uuid, name)
    })
}

/// Lower-case MAC and address of every lease of every running network. A network or a driver without leases has none.
pub(crate) fn addresses(connect: &Connect) -> Result<Vec<(String, String)>> {
    let networks = match connect.list_all_networks(sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE) {
        Ok(networks) => networks,
        Err(error) => {
            let failure = Failure::from(error);
            let none = failure.is_unsupported();
            return if none { Ok(Vec::new()) } else { Err(failure) };
        }
    };
    let mut found = Vec::new();
    for network in &networks {
        match ffi::dhcp_leases(network) {
            Ok(leases) => {
                let told = leases.into_iter().filter(|lease| !lease.mac.is_empty());
                found.extend(told.map(|lease| (lease.mac, lease.address)));
            }
            Err(failure) if failure.reason == Reason::Unreachable => return Err(failure),
            // A bridge has no DHCP server of libvirt's, and a network may stop while we read.
            Err(failure) => {
                tracing::debug!(
                    network.name = network.name().unwrap_or_default(),
                    why = failure.message,
                    "A network tells no leases"
                );
            }
        }
    }
    Ok(found)
}
