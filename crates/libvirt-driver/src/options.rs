//! What can be set on a driver, with defaults that suit a host in the same network.

use crate::ssh::Ssh;
use std::time::Duration;

/// How a [`LibvirtHypervisor`](crate::LibvirtHypervisor) waits and what it holds.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the host as targets match it. `None`: the one that libvirt tells (`virConnectGetHostname`).
    pub host_name: Option<String>,
    /// How a host is reached whose URI goes over ssh. `None`: as libvirt does it by itself.
    pub ssh: Option<Ssh>,
    /// How long opening a connection may take.
    pub open_limit: Duration,
    /// How long reading one object may take; reading everything goes on past an object that takes longer.
    pub read_limit: Duration,
    /// How long a step may take that changes a definition or asks for something.
    pub change_limit: Duration,
    /// How long a step may take that does work: start, stop, build, refresh, delete.
    pub work_limit: Duration,
    /// How long an upload may go without moving a byte.
    pub stall_limit: Duration,
    /// How long a guest may take to let go of a device.
    pub detach_limit: Duration,
    /// Seconds between keep-alive messages; a libvirtd that misses three of them counts as gone. 0: none.
    pub keep_alive_secs: u32,
    /// The process makes some calls and ends: no event loop, and so neither hints nor keep-alive. libvirt wakes the
    /// loop's thread twice for every call, which is a good part of what a short call costs.
    pub one_shot: bool,
    /// Calls that wait for one of a lane's threads. Above it they fail with `Busy`.
    pub queue_length: usize,
    /// Hints that wait for a slow reader. Above it they are lost, which the reader is told.
    pub hint_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host_name: None,
            ssh: None,
            open_limit: Duration::from_secs(10),
            read_limit: Duration::from_secs(10),
            change_limit: Duration::from_secs(30),
            work_limit: Duration::from_secs(180),
            stall_limit: Duration::from_secs(60),
            detach_limit: Duration::from_secs(30),
            keep_alive_secs: 5,
            one_shot: false,
            queue_length: 64,
            hint_capacity: 4096,
        }
    }
}
