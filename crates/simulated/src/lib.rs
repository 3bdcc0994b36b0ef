//! Hosts that exist in memory only, for trying a server and for measuring it.
//!
//! The hosts are [`FakeHypervisor`](hypervisor::fake::FakeHypervisor)s, so that an agent serves them as it serves any
//! other. On them VMs start, stop, crash, move, are edited, come and go, as if others did it with `virsh`. Nothing here knows
//! of agents or servers, and there is no clock: who owns a [`Fleet`] says when the next thing happens.

mod fleet;
mod guest;
mod host;

pub use fleet::{Fleet, Size, Standing};
pub use host::Host;
