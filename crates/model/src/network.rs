//! Virtual networks as a hypervisor reports them.

use uuid::Uuid;

/// A virtual network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// libvirt's UUID.
    pub uuid: Uuid,
    /// libvirt's name.
    pub name: String,
    /// Started.
    pub active: bool,
    /// Started with its host.
    pub autostart: bool,
    /// Has a definition that survives its stop.
    pub persistent: bool,
    /// Bridge device on the host; empty when the kind has none.
    pub bridge: String,
    /// `nat`, `route`, `bridge`…; `isolated` when there is no `<forward>`.
    pub forward: String,
    /// Addresses of the network, `192.168.44.1/24`.
    pub cidrs: Vec<String>,
    /// It hands out addresses.
    pub dhcp: bool,
    /// The running definition, or the persistent one while stopped.
    pub xml: String,
    /// The persistent definition while it runs; `None` while stopped, for a transient network and where not told.
    pub xml_persistent: Option<String>,
}

impl Network {
    /// A network of which only its identity is known.
    pub const fn named(uuid: Uuid, name: String) -> Self {
        Self {
            uuid,
            name,
            active: false,
            autostart: false,
            persistent: false,
            bridge: String::new(),
            forward: String::new(),
            cidrs: Vec::new(),
            dhcp: false,
            xml: String::new(),
            xml_persistent: None,
        }
    }
}

/// An address that a network's DHCP server has given out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    /// Bridge it was given out on.
    pub interface: String,
    /// When it ends, in seconds since 1970 UTC.
    pub expiry: i64,
    /// `ipv6` rather than `ipv4`.
    pub is_ipv6: bool,
    /// Lower-case MAC address; empty when not told.
    pub mac: String,
    /// IAID of an IPv6 client.
    pub iaid: Option<String>,
    /// The address.
    pub address: String,
    /// Length of its network's prefix.
    pub prefix: u32,
    /// What the client calls itself.
    pub host_name: Option<String>,
    /// Client id, or DUID.
    pub client_id: Option<String>,
}
