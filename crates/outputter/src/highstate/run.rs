//! The results of a state run, read from what a host returned.

use crate::python;
use serde_json::{Map, Value};

/// The results of one host's run in the order in which they ran.
#[derive(Debug, Clone, PartialEq)]
pub struct StateRun {
    /// The results.
    pub results: Vec<StateResult>,
}

/// The result of one state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateResult {
    /// `virt`.
    pub module: String,
    /// ID in the SLS.
    pub id: String,
    /// Name the function was called with.
    pub name: String,
    /// `running`.
    pub function: String,
    /// How it went.
    pub status: StateStatus,
    /// What was done, in words.
    pub comment: String,
    /// What was changed; empty when nothing was.
    pub changes: Map<String, Value>,
    /// Local time `HH:MM:SS.ffffff`; absent when it did not run.
    pub start_time: Option<String>,
    /// Milliseconds; absent when it did not run.
    pub duration: Option<Value>,
    /// Remarks that do not fail it.
    pub warnings: Vec<String>,
    run_num: u64,
}

/// How a state went: `result` in what the host returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateStatus {
    /// `true`.
    Succeeded,
    /// `null`: only planned.
    WouldChange,
    /// `false`.
    Failed,
}

/// How often each outcome occurs in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Succeeded, with or without changes; without those that would change.
    pub succeeded: usize,
    /// Would change.
    pub would_change: usize,
    /// Failed.
    pub failed: usize,
    /// Report changes, whatever their outcome.
    pub changed: usize,
    /// Carry warnings.
    pub warned: usize,
}

impl StateRun {
    /// Reads a return; `None` when it is not the return of a state run. An empty dictionary is an empty run.
    pub fn read(value: &Value) -> Option<Self> {
        let map = value.as_object()?;
        let mut results: Vec<_> = map
            .iter()
            .map(|(key, fields)| StateResult::read(key, fields))
            .collect::<Option<_>>()?;
        results.sort_by_key(|result| result.run_num);
        Some(Self { results })
    }

    /// Counts the outcomes.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for result in &self.results {
            match result.status {
                StateStatus::Succeeded => counts.succeeded += 1,
                StateStatus::WouldChange => counts.would_change += 1,
                StateStatus::Failed => counts.failed += 1,
            }
            counts.changed += usize::from(!result.changes.is_empty());
            counts.warned += usize::from(!result.warnings.is_empty());
        }
        counts
    }

    /// Sum of the durations in milliseconds.
    pub fn duration_ms(&self) -> f64 {
        self.results
            .iter()
            .filter_map(|result| result.duration.as_ref()?.as_f64())
            .fold(0.0, |sum, ms| sum + ms)
    }
}

impl StateResult {
    /// Reads one entry; `key` is `{module}_|-{ID}_|-{name}_|-{function}`.
    fn read(key: &str, fields: &Value) -> Option<Self> {
        let fields = fields.as_object()?;
        let status = match fields.get("result")? {
            Value::Bool(true) => StateStatus::Succeeded,
            Value::Null => StateStatus::WouldChange,
            _ => StateStatus::Failed,
        };
        let parts: Vec<&str> = key.split("_|-").collect();
        let [module, id, .., function] = parts.as_slice() else {
            return None;
        };
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        // Read from the key unless its parts hold the separator themselves.
        let name = if parts.len() == 4 {
            parts[2]
        } else {
            text("name").unwrap_or(id)
        };
        Some(Self {
            module: (*module).to_owned(),
            id: text("__id__").unwrap_or(id).to_owned(),
            name: name.to_owned(),
            function: (*function).to_owned(),
            status,
            comment: fields.get("comment").map(lines).unwrap_or_default(),
            changes: fields
                .get("changes")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            start_time: text("start_time").map(str::to_owned),
            duration: fields.get("duration").cloned(),
            warnings: fields.get("warnings").map(warnings).unwrap_or_default(),
            run_num: fields
                .get("__run_num__")
                .and_then(Value::as_u64)
                .unwrap_or(0),
        })
    }
}

/// Text, or a list of texts as lines.
fn lines(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(python::str).collect::<Vec<_>>().join("\n"),
        other => python::str(other),
    }
}

fn warnings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(python::str).collect(),
        Value::String(text) if text.is_empty() => Vec::new(),
        other => vec![python::str(other)],
    }
}
