//! What the store promises, whatever the engine. Compiled once for each.

mod agentless;
mod consoles;
mod faults;
pub mod fixture;
mod inventory;
mod keys;
mod lists;
mod queue;
mod replicas;
mod sessions;
