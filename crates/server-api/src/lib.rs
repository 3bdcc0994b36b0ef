//! The public HTTP API: wire types and the table of endpoints, the source of `openapi/`.
//!
//! Field names are snake_case, times RFC 3339 in UTC, sizes bytes, enum values lower case. Wire types are not
//! `model` types: an inner rename never breaks a client. Adding a field is free, changing one is a new version.

pub mod about;
pub mod access;
pub mod action;
pub mod console;
pub mod endpoints;
pub mod error;
pub mod event;
pub mod host;
pub mod key;
pub mod list;
pub mod network;
pub mod pool;
pub mod run;
pub mod vm;

pub use endpoints::{ENDPOINTS, Endpoint, Role};
pub use error::{ErrorBody, ErrorInfo};
pub use list::{Facet, FacetValue, List};
