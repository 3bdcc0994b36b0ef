//! Salt's result layouts: highstate, nested, json, yaml, txt; and plans.
//!
//! Pure: values in, text out. What is coloured and how much is shown is given by a [`Style`]; whether a
//! terminal is there is for the caller to find out. Text from hosts is hostile until shown otherwise: control
//! characters in it are made visible and never reach a terminal as such.
//!
//! ```text
//! Returns ── render(format) ──┬─ highstate ── StateRun ── full | terse | tabular ── summary
//!                             ├─ nested
//!                             └─ json, yaml, txt
//! ```

mod diff;
mod format;
mod highstate;
mod json;
mod nested;
mod paint;
mod plan;
mod python;
mod style;
#[cfg(test)]
mod tests;
mod txt;
mod visible;
mod yaml;

pub use format::{Format, Returns, render};
pub use highstate::{Counts, StateResult, StateRun, StateStatus};
pub use paint::Color;
pub use plan::plan_page;
pub use style::{Detail, StateOutput, Style};
pub use visible::{visible, visible_line};
