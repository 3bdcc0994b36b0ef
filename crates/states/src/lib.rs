//! The states: what an SLS declares and what a host has go in, a plan comes out.
//!
//! ```text
//! chunk ──needs()──▶ what to read ──(executor reads)──▶ Observation ──plan()──▶ ChunkPlan ──predict()──▶ Observation
//! ```
//!
//! A few states can only say with a first observation in hand what else they need: [`further_needs`].
//!
//! Nothing here reads a file, calls libvirt or knows the time. A dry run and a real run use the same plan; in a dry run
//! [`predict`] shows later chunks what earlier ones would have made.

mod args;
pub mod catalog;
mod changes;
mod cloud_init;
mod error;
mod export;
mod facts;
mod observe;
pub mod planned;
mod planners;
mod predict;
mod simulate;
pub mod updating;
mod want;

pub use catalog::catalog;
pub use error::StateError;
pub use export::{Exportable, export};
pub use observe::{Config, HostPath, KnownSecret, Needs, Observation};
pub use planned::{ChunkPlan, Refusal, Verdict};
pub use planners::{WATCHED, further_needs, needs, plan, pool_secrets};
pub use predict::predict;
pub use sls::{Map, Value};

/// Every profile of disks and interfaces, with what the kind of hypervisor (`kvm`, `qemu`, `xen`…) adds.
pub fn profiles(config: &Config, hypervisor: &str) -> Value {
    planners::vm::profile::all(config, hypervisor)
}

/// One declared state: `virt.running` of `srv01` with its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The state module: `virt`.
    pub state: &'a str,
    /// Its function: `running`.
    pub fun: &'a str,
    /// The `name` argument, or the ID.
    pub name: &'a str,
    /// The other arguments. `name` and the global ones (requisites, `onlyif`…) may be among them and are ignored.
    pub args: &'a Map,
}

impl<'a> From<&'a sls::Chunk> for Call<'a> {
    fn from(chunk: &'a sls::Chunk) -> Self {
        Self {
            state: &chunk.state,
            fun: &chunk.fun,
            name: &chunk.name,
            args: &chunk.args,
        }
    }
}
