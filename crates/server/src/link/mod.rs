//! The link to agents: they dial, each gets a session, consoles get tunnels of their own.
//!
//! - [`Sessions`]: which hosts have a session, and how to reach it.
//! - `session`: the task that owns a host while its session lasts.
//! - `convert`: messages of the wire as values of the model; what no program of ours sends ends the session.
//! - [`Tunnels`]: consoles waiting for their agent to call back.

mod convert;
mod registry;
mod service;
mod session;
mod tunnel;

pub use registry::Sessions;
pub use service::Link;
pub use tunnel::{Tunnel, TunnelError, Tunnels};
