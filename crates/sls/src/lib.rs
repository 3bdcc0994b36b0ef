//! Salt state files: Jinja and YAML in, ordered chunks with requisites out.
//!
//! Knows nothing about virtual machines and touches nothing: files, functions and the list of known
//! states come through the traits of [`ports`], and there is no clock, randomness or environment in here.
//!
//! ```text
//!            ┌ jinja ┐   ┌ yaml ┐
//! SLS file ──┤ render├───┤ parse├── compile ──> Compiled { chunks } ── schedule ──> what to run next
//!            └───────┘   └──────┘      └─ Vec<Diagnostic>
//! top.sls, pillar ──── top, pillar ────┘
//! ```
//! - [`compile`](fn@compile) turns names of SLS into chunks; [`highstate`] those a top file assigns.
//! - [`reactor::react`] reads what an event shall lead to.
//! - [`schedule::Schedule`] says which chunks may run now and which must not run at all.
//! - [`words::command_line`] reads the arguments of a function as they stand on a command line.

mod chunk;
mod closest;
mod compile;
mod diagnostic;
pub mod glob;
mod jinja;
pub mod lookup;
pub mod matcher;
mod pillar;
mod ports;
pub mod reactor;
mod render;
pub mod schedule;
#[cfg(test)]
mod testing;
mod top;
pub mod words;
pub mod yaml;

/// A JSON value; dictionaries keep the order they were written in.
pub type Value = serde_json::Value;
/// A dictionary in the order it was written.
pub type Map = serde_json::Map<String, Value>;

pub use chunk::{Chunk, Compiled, Globals, MOD_WATCH, Requisite, RequisiteKind, Retry};
pub use closest::closest;
pub use compile::{Exclude, compile, compile_in};
pub use diagnostic::{Diagnostic, LineOf, Location, Severity, has_errors};
pub use pillar::{PILLAR_FAILED, render_pillar};
pub use ports::{Catalog, Files, FilesError, FunctionError, Functions, SourceFile, Target};
pub use top::{NO_TOP, Top, highstate, top};
