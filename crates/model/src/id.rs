//! Identities. Each kind of thing has its own type, so that a host's id never lands in a VM's place.

use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id! {
    /// A hypervisor. Made once by its agent and kept on the agent's disk.
    HostId
}
id! {
    /// A VM in the store: libvirt's UUID, unless another host already has a VM of that UUID.
    VmId
}
id! {
    /// A storage pool in the store; formed like [`VmId`].
    PoolId
}
id! {
    /// A virtual network in the store; formed like [`VmId`].
    NetworkId
}
id! {
    /// An action. UUIDv7 made by the server; the idempotency key everywhere.
    ActionId
}
id! {
    /// A job: one request that became one action on each of its hosts. Printed as Salt's `jid`.
    JobId
}

/// What kind of object an id, a change or a hint speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A hypervisor.
    Host,
    /// A virtual machine.
    Vm,
    /// A storage pool.
    Pool,
    /// A virtual network.
    Network,
    /// An action.
    Action,
}

impl ObjectKind {
    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Vm => "vm",
            Self::Pool => "pool",
            Self::Network => "network",
            Self::Action => "action",
        }
    }
}
