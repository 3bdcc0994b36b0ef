//! What all parts of a server share.

use crate::access::{Passwords, Throttle};
use crate::agentless::Agentless;
use crate::bus::Bus;
use crate::ca::Ca;
use crate::feed::Feed;
use crate::link::{Keys, Sessions, StateTree, Tunnels};
use crate::replicas::Replicas;
use crate::target::NodeGroups;
use crate::timing::Timing;
use db::Store;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The shared parts. Each guards itself; none is locked across an await.
pub struct App {
    /// The store.
    pub store: Store,
    /// The servers of the database, this one among them.
    pub replicas: Replicas,
    /// Open sessions of agents.
    pub sessions: Sessions,
    /// Tunnels asked for and not yet opened.
    pub tunnels: Tunnels,
    /// Keys of agents in use.
    pub keys: Keys,
    /// Agents that are run for hosts without one.
    pub agentless: Agentless,
    /// The CA of agents; none when they are not listened to.
    pub ca: Option<Arc<Ca>>,
    /// Port for agents; the first, if they are listened to on several.
    pub agent_port: Option<u16>,
    /// Live updates.
    pub feed: Feed,
    /// Salt's event bus.
    pub bus: Bus,
    /// Hashing and checking of passwords.
    pub passwords: Passwords,
    /// Failed sign-ins.
    pub throttle: Throttle,
    /// Names that a `Host` header may carry on plain HTTP, besides those of loopback.
    pub allowed_hosts: Vec<String>,
    /// Web interface from a folder instead of the built-in one.
    pub web_dir: Option<PathBuf>,
    /// What agents of other machines make states from.
    pub tree: StateTree,
    /// Node groups of targets.
    pub nodegroups: NodeGroups,
    /// How long things may take.
    pub timing: Timing,
    /// When the server started.
    pub started_at: Timestamp,
    /// Ends everything.
    pub shutdown: CancellationToken,
}

/// Differs between any two builds.
pub const BUILD: &str = env!("SALAR_BUILD");

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
