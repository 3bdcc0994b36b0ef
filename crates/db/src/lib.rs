//! The store: schema, migrations, queries. The only SQL of the system.
//!
//! [`Store`] is SQLite in WAL mode for one server, or PostgreSQL for several. Its methods speak in words of [`model`] and
//! promise the same on both; the statements have one text for both wherever that can be. What is promised stands in
//! its parts:
//!
//! - [`session`]: one session per host; every write on a host's behalf is fenced by owner and epoch.
//! - [`inventory`]: what hosts report, with a generation per object and a line in the change feed per change.
//! - [`actions`]: the durable queue, one action of a lane on its way at a time.
//! - [`feed`]: the change feed that keeps browsers true.
//! - [`access`]: users, sessions, tokens.
//! - [`consoles`]: tickets for consoles.
//! - [`agentless`]: hosts that the server runs an agent for.
//! - [`replicas`]: the servers that share a database.
//! - [`keys`]: keys of agents, tokens to join.
//! - [`backup`]: copies of the store, made while it is in use.

pub mod access;
pub mod actions;
pub mod agentless;
pub mod backup;
pub mod consoles;
mod doc;
mod engine;
mod error;
pub mod feed;
pub mod hosts;
pub mod inventory;
pub mod keys;
pub mod list;
mod migrate;
mod objects;
mod postgres;
pub mod replicas;
pub mod session;
mod sql;
mod sqlite;
mod store;

pub use access::{ApiToken, UserRecord};
pub use actions::{
    ActionRecord, Behind, Cancelled, JobRecord, JobSummary, NewAction, NewJob, Outcome, Placed,
    Recorded, Wants,
};
pub use agentless::{AgentlessHost, Connection};
pub use consoles::ConsoleTicket;
pub use error::StoreError;
pub use feed::{ChangeRow, Place, Revision};
pub use hosts::{HostRecord, RemovedHost};
pub use inventory::{Applied, Report, Snapshot};
pub use keys::{Enrolled, JoinToken, KeyRecord, KeyStatus, ShownKey};
pub use list::{Collection, Counted, ListQuery, Page, Sort};
pub use objects::{HostBrief, NetworkInUse, Stored};
pub use postgres::DatabaseTls;
pub use replicas::{Replica, Told};
pub use session::{Opened, Opening, SessionKey};
pub use sql::SqlError;
pub use store::Store;
