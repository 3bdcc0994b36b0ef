//! The agent of one hypervisor: runs actions, watches events, reports.
//!
//! ```text
//!            ┌──────────── link ─────────────┐  one session at a time with the server
//!            ▼                               ▲
//!  actions ─▶ functions ─▶ executor          reporter ◀── hints
//!   journal               steps ▼               ▲ reads
//!            └───────────── hypervisor (the port) ┘
//! ```
//! Actions never end with a session, and reports never change a host. [`agent::run`](run) puts the parts together for
//! `salar-agent run`; `salar-agent call` uses [`functions::call`] alone.

mod actions;
mod agent;
pub mod busy;
mod compile;
mod console;
mod executor;
pub mod functions;
pub mod grains;
mod host_file;
pub mod identity;
pub mod image;
pub mod journal;
mod link;
mod minion;
mod passwords;
pub mod progress;
mod received;
mod recovery;
mod reporter;
mod state_dir;
mod vitals;

pub use agent::{Agent, AgentError, run};
pub use agent_api::enrolment::JoinToken;
pub use link::{BadAddress, CredentialsError, Join, Replica, ServerAddress};
pub use minion::Minion;
pub use received::{ReceiveError, Received};
pub use state_dir::make as make_state_dir;
pub use vitals::{Delays, Vitals};
