//! The hypervisor port over libvirt: connections, threads, events.
//!
//! ```text
//!                       ┌ query lane: ≤4 threads, a connection each ┐
//!  LibvirtHypervisor ───┼ job lane:   ≤4 threads, a connection each ┼──▶ libvirtd
//!                       └ watcher:     1 thread, one connection     ┘
//!                            ▲ closed                 │ events
//!                            └── libvirt's event loop ◀┘  (one thread for the whole process)
//! ```
//!
//! Lanes and watcher come into being when they are first needed: a program that reads one VM and ends opens one
//! connection. **Invariants:** no libvirt call outside of a lane's or the watcher's thread; no callback blocks; a hung
//! libvirtd costs its own host's few threads and nothing else.

mod connection;
mod console;
mod driver;
mod failure;
mod ffi;
mod lane;
mod migrate;
mod options;
mod perform;
mod read;
mod secrets;
mod snapshot;
mod ssh;
mod tune;
mod upload;
mod watcher;
mod words;
mod xen;

pub use driver::LibvirtHypervisor;
pub use ffi::leave;
pub use options::Options;
pub use ssh::Ssh;
