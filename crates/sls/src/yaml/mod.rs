//! YAML as Salt reads it: 1.1 scalars, equal keys refused, every node with its place.
//!
//! ```text
//! text ── saphyr-parser ──> events ── compose ──> Node ── to_value ──> Value
//!                                        └─ scalar::resolve
//! ```
//! Refused, since state files are untrusted: tags other than YAML's basic ones (`!!python/…` above
//! all), aliases that multiply beyond a budget of nodes, nesting beyond a depth.

mod compose;
mod node;
mod print;
mod scalar;
#[cfg(test)]
mod tests;

pub use compose::{Warning, YamlError, parse};
pub(crate) use node::python_str;
pub use node::{Data, Mark, Node};
pub(crate) use print::{double_quoted, single_quoted};
pub use print::{print_block, print_flow};

use crate::Value;

/// Reads a document or a value given on a command line (`1024`, `{a: 1}`, `on`).
///
/// # Errors
/// The text is not YAML, has two equal keys in one dictionary, or uses a refused tag.
///
/// ```
/// assert_eq!(sls::yaml::load("[yes, 0770, 52:54:00:00:00:30]").unwrap(),
///            serde_json::json!([true, 770, "52:54:00:00:00:30"]));
/// ```
pub fn load(text: &str) -> Result<Value, YamlError> {
    parse(text).map(|(root, _)| root.to_value())
}
