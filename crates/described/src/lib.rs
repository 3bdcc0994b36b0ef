//! A host described by files: a folder of libvirt's own XML, from which states are planned without a hypervisor.
//!
//! ```text
//!  host ──files_of()──▶ path → text ──▶ a folder, or an answer of a function
//!  folder ──read()──▶ DescribedHost: the port, read-only      + Known: grains, pillar, paths
//! ```
//! `docs/plans.md` has the layout. Deliberately changes nothing: every step is refused. What stands in the folder is
//! somebody else's: each fault names its file.

mod host;
mod layout;
mod read;
mod save;
mod write;

pub use host::DescribedHost;
pub use read::{Described, Known, ReadError, read};
pub use save::{SaveError, save};
pub use write::{Facts, files_of};
