//! All that a hypervisor has, read at one moment.

use crate::network::Network;
use crate::pool::Pool;
use crate::vm::Vm;

/// The objects of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Running and defined VMs.
    pub vms: Vec<Vm>,
    /// Storage pools, started or not.
    pub pools: Vec<Pool>,
    /// Virtual networks, started or not.
    pub networks: Vec<Network>,
}
