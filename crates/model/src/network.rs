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
