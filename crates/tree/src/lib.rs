//! Trees of files that states are made from: reading them, and what is in them by checksum.
//!
//! - [`Roots`]: folders as one tree, for the compiler.
//! - [`Index`]: the files of roots with their checksums; one that has not changed is not read again.
//! - [`Listing`]: what one side of the link tells the other that it has.

mod index;
mod roots;

pub use index::{Index, IndexError, Listed, Listing, MAX_FILES};
pub use roots::{BASE, BadRoot, Root, Roots, inside, is_environment};
