//! The link to agents: they dial, each gets a session, consoles get tunnels of their own.
//!
//! - [`Sessions`]: which hosts have a session, and how to reach it.
//! - `session`: the task that owns a host while its session lasts.
//! - `convert`: messages of the wire as values of the model; what no program of ours sends ends the session.
//! - [`Tunnels`]: consoles waiting for their agent to call back.
//! - `door`: the address for agents of other machines; TLS says by which key a call comes. `strangers` bounds the
//!   connections without one.
//! - `enrolment`: how such an agent gets a certificate for its key. `newcomers` bounds the keys that an address shows.
//! - `files`: state files for all agents, to each the pillar of its own host.
//! - [`Keys`]: which keys open what; a key that is rejected or deleted ends what it has opened.

mod convert;
mod door;
mod enrolment;
mod files;
mod keys;
mod newcomers;
mod registry;
mod service;
mod session;
mod strangers;
mod tunnel;

pub(crate) use door::open as open_door;
pub use enrolment::{Door, MAX_BYTES as MAX_ENROLMENT_BYTES};
pub use files::{NoFunctions, StateTree};
pub use keys::Keys;
pub use newcomers::Newcomers;
pub use registry::Sessions;
pub use service::Link;
pub use tunnel::{Tunnel, TunnelError, Tunnels, chunk};
