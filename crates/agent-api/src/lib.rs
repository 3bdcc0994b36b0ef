//! Messages between server and agent, and their conversions to and from [`model`].
//!
//! `proto/agent.proto` is the source; [`wire`] is generated from it by `cargo xtask codegen` and committed, so that
//! building needs no protobuf compiler. Conversions into the model check what a peer sent and never panic.

pub mod enrolment;
mod from_wire;
mod to_wire;

#[expect(
    missing_docs,
    clippy::all,
    reason = "generated; the documentation stands in agent.proto"
)]
#[rustfmt::skip]
pub mod wire;

pub use from_wire::{Malformed, action_kind, facts, inventory, network, pool, progress, uuid, vm};
pub use to_wire::{
    command, facts_to_wire, id, network_to_wire, pool_to_wire, progress_to_wire, vm_to_wire,
};

/// Version of the protocol. A peer one below or one above is understood.
pub const PROTOCOL: u32 = 1;

/// The `refusal` of a command with an epoch that is not the session's.
pub const STALE_EPOCH: &str = "STALE_EPOCH";

/// Largest message either side accepts, in bytes: a snapshot of some thousand VMs fits, a malicious one does not.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
