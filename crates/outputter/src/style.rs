//! How much is shown, and whether in colour.

/// What a terminal layout shows. [`Default`] is Salt's: everything, without colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// Use ANSI colours.
    pub color: bool,
    /// Form of each state (`--state-output`).
    pub state_output: StateOutput,
    /// Show states that succeeded without changes (`--state-verbose`).
    pub verbose: bool,
    /// Show start and duration of each state (`state_output_profile`).
    pub profile: bool,
    /// Terse lines in columns (`state_tabular`).
    pub tabular: bool,
    /// Shares of success and failure in the summary (`state_output_pct`).
    pub percent: bool,
    /// Only changes and failures (`--state-output-diff`).
    pub diff: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            state_output: StateOutput::default(),
            verbose: true,
            profile: true,
            tabular: false,
            percent: false,
            diff: false,
        }
    }
}

/// `--state-output`: `full`, `terse_id`…
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateOutput {
    /// Which states get a block and which a line.
    pub detail: Detail,
    /// Show the ID in the place of the name (the suffix `_id`).
    pub by_id: bool,
}

impl StateOutput {
    /// Reads the word of `--state-output`.
    pub fn from_word(word: &str) -> Option<Self> {
        let (word, by_id) = match word.strip_suffix("_id") {
            Some(rest) => (rest, true),
            None => (word, false),
        };
        let detail = Detail::ALL
            .into_iter()
            .find(|detail| detail.as_str() == word)?;
        Some(Self { detail, by_id })
    }
}

/// Which states get a block and which a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// A block for each.
    #[default]
    Full,
    /// A line for each.
    Terse,
    /// A block for those that failed.
    Mixed,
    /// A line for those that succeeded without changes.
    Changes,
    /// As [`Full`](Self::Full): Salt's filter shows everything until told what to leave out.
    Filter,
}

impl Detail {
    /// Every detail.
    pub const ALL: [Self; 5] = [
        Self::Full,
        Self::Terse,
        Self::Mixed,
        Self::Changes,
        Self::Filter,
    ];

    /// The word of `--state-output`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Terse => "terse",
            Self::Mixed => "mixed",
            Self::Changes => "changes",
            Self::Filter => "filter",
        }
    }
}
