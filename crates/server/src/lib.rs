//! The server: API, action queue, live updates and the link to agents, in one process.
//!
//! [`start()`] opens the store, starts its own agents and listens; [`Server::run_until`] serves until it is told to
//! end. The parts, in the order in which a request or a report meets them:
//!
//! - `http`: the public API and the web interface. One gate checks who may call what before any handler runs.
//! - `access`: passwords, sessions, tokens, slowing down of guesses.
//! - `link`: sessions of agents. Each is one task that owns its host: it writes reports, dispatches actions, opens
//!   tunnels.
//! - `ca`: the own CA, of agents and of the web interface where no certificate was given.
//! - `backup`: one file with all that is needed to go on, and going on from it.
//! - `feed`: reads the store's change feed once for all browsers.
//! - `bus`: Salt's event bus; nothing is kept.
//! - `replicas`: the servers of one database: what they tell each other, and what becomes of those that are gone.
//! - `reactor`: what is done when something happens, by files of an administrator.
//! - `child_agent`, `agentless`: agents that are child processes, of this machine and of hosts without one.
//!
//! **Invariants**: nothing here calls a hypervisor; no request waits for one. What pages show comes from the store.

mod access;
mod agentless;
mod app;
mod backup;
mod bus;
mod ca;
mod child_agent;
mod client_file;
mod config;
mod feed;
mod housekeeping;
mod http;
mod link;
mod listen;
mod reactor;
mod render;
mod replicas;
mod start;
mod target;
mod timing;
mod tls;
mod words;

pub use backup::{Backup, BackupError, make as make_backup, restore as restore_backup};
pub use config::{Config, Database, TlsFiles};
pub use db::{DatabaseTls, StoreError};
pub use http::openapi_document;
pub use reactor::{Rule, RuleFile};
pub use start::{Server, StartError, Started, run, start, start_with};
pub use timing::Timing;
