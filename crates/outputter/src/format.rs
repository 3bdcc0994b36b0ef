//! The layouts by name, and the one function that prints.

use crate::{Style, highstate, json, nested, txt, yaml};
use indexmap::IndexMap;
use serde_json::Value;

/// What hosts returned, in the order in which it is printed: host name → return.
pub type Returns = IndexMap<String, Value>;

/// A layout, as `--out` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Results of states with a summary; anything else as [`Nested`](Self::Nested).
    Highstate,
    /// Keys and values, indented.
    Nested,
    /// JSON, indented by 4.
    Json,
    /// YAML, as Salt's own output reads.
    Yaml,
    /// One line per host and line of text.
    Txt,
    /// Nothing.
    Quiet,
}

impl Format {
    /// Every layout.
    pub const ALL: [Self; 6] = [
        Self::Highstate,
        Self::Nested,
        Self::Json,
        Self::Yaml,
        Self::Txt,
        Self::Quiet,
    ];

    /// The word of `--out`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Highstate => "highstate",
            Self::Nested => "nested",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Txt => "txt",
            Self::Quiet => "quiet",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// What is used for `fun` when nobody asks for a layout.
    pub fn for_function(fun: &str) -> Self {
        match fun {
            "state.apply" | "state.highstate" | "state.sls" | "state.sls_id" | "state.single"
            | "state.template" | "state.top" | "state.low" | "state.high" => Self::Highstate,
            _ => Self::Nested,
        }
    }
}

/// Prints what hosts returned. Ends with a line break unless nothing is printed.
pub fn render(returns: &Returns, format: Format, style: &Style) -> String {
    match format {
        Format::Highstate => highstate::render(returns, style),
        Format::Nested => nested::render(returns, style.color),
        Format::Json => json::render(returns),
        Format::Yaml => yaml::render(returns),
        Format::Txt => txt::render(returns),
        Format::Quiet => String::new(),
    }
}
