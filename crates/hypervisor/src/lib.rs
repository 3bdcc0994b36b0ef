//! The port to a hypervisor: what an agent can read from it and do to it.
//!
//! `libvirt-driver` implements it over libvirt; [`fake`] implements it in memory, with events, for tests of the
//! layers above. The trait is dyn-safe on purpose: an agent is written once, not once per driver.

mod channel;
mod error;
pub mod fake;
mod port;
mod wording;

pub use channel::{HintSender, hint_channel};
pub use error::{HypervisorError, Reason, reach};
pub use port::{
    Console, Document, Fut, Hint, HintReceiver, Hypervisor, Key, Transferred, Upload, Versions,
};
pub use wording::attempt;
