//! The words of Salar as plain types: VMs, pools, networks, volumes, hosts, actions, plans.
//!
//! This crate holds values and decisions about values. It knows no clock, no files, no randomness and no
//! serialisation: wire types live in `agent-api` and `server-api`, rows in `db`, each beside its conversion.

pub mod action;
pub mod bytes;
pub mod capability;
pub mod counters;
pub mod event;
pub mod fingerprint;
pub mod host;
pub mod id;
pub mod inventory;
pub mod lifecycle;
pub mod name;
pub mod network;
pub mod plan;
pub mod pool;
pub mod snapshot;
pub mod uri;
pub mod vm;

pub use action::{Action, ActionKind, ActionStatus, Lane, Progress};
pub use bytes::Bytes;
pub use capability::{Capability, GuestKind, Lack};
pub use counters::Counters;
pub use fingerprint::{BadFingerprint, Fingerprint};
pub use host::{Freshness, Host, HostFacts};
pub use id::{ActionId, HostId, JobId, NetworkId, ObjectKind, PoolId, VmId};
pub use inventory::Inventory;
pub use lifecycle::{Admit, Denied, Request};
pub use name::{InvalidName, Name};
pub use network::{Lease, Network};
pub use pool::{Pool, Volume};
pub use snapshot::Snapshot;
pub use vm::{Vm, VmStatus};
