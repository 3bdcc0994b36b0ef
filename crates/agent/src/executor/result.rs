//! The result of one chunk, in Salt's shape.

use serde_json::{Value, json};
use sls::schedule::Outcome;
use sls::{Chunk, Map};
use states::Verdict;
use std::time::{Duration, Instant};

/// How a chunk ended.
#[derive(Debug, Clone)]
pub(super) struct ChunkResult {
    pub(super) result: Option<bool>,
    pub(super) comment: String,
    pub(super) changes: Map,
    pub(super) warnings: Vec<String>,
    /// Its function was called.
    pub(super) ran: bool,
    /// `onlyif` and its like kept it from running.
    pub(super) skip_watch: bool,
    /// Local time at which it began.
    started: String,
    duration: Duration,
}

/// Measures a chunk.
pub(super) struct Clock {
    started: String,
    since: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            started: jiff::ZonedDateTime::now()
                .strftime("%H:%M:%S%.6f")
                .to_string(),
            since: Instant::now(),
        }
    }
}

impl ChunkResult {
    pub(super) fn new(clock: &Clock, verdict: Verdict, warnings: Vec<String>) -> Self {
        Self {
            result: verdict.result,
            comment: verdict.comment,
            changes: verdict.changes,
            warnings,
            ran: true,
            skip_watch: false,
            started: clock.started.clone(),
            duration: clock.since.elapsed(),
        }
    }

    /// It could not be planned or carried out.
    pub(super) fn failed(clock: &Clock, comment: impl Into<String>) -> Self {
        let verdict = Verdict {
            result: Some(false),
            comment: comment.into(),
            changes: Map::new(),
        };
        Self::new(clock, verdict, Vec::new())
    }

    /// A condition of its own says that there is nothing to do.
    pub(super) fn not_needed(clock: &Clock, comment: impl Into<String>) -> Self {
        let verdict = Verdict {
            result: Some(true),
            comment: comment.into(),
            changes: Map::new(),
        };
        Self {
            ran: false,
            skip_watch: true,
            ..Self::new(clock, verdict, Vec::new())
        }
    }

    /// A requisite kept it from running, or there is nothing to call.
    pub(super) fn skipped(result: Option<bool>, comment: String) -> Self {
        let verdict = Verdict {
            result,
            comment,
            changes: Map::new(),
        };
        Self {
            ran: false,
            ..Self::new(&Clock::start(), verdict, Vec::new())
        }
    }

    /// Measured again, after attempts and checks around it.
    pub(super) fn until_now(mut self, clock: &Clock) -> Self {
        self.started.clone_from(&clock.started);
        self.duration = clock.since.elapsed();
        self
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            result: self.result,
            changed: !self.changes.is_empty(),
        }
    }

    /// Source: Salt's result data; `duration` in milliseconds with three decimals.
    pub(super) fn into_value(self, chunk: &Chunk, run_num: usize) -> Value {
        let millis = (self.duration.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let mut value = json!({
            "name": chunk.name,
            "changes": self.changes,
            "result": self.result,
            "comment": self.comment,
            "__sls__": chunk.sls,
            "start_time": self.started,
            "duration": millis,
            "__run_num__": run_num,
            "__id__": chunk.id,
            "__state_ran__": self.ran,
        });
        if chunk.globals.parallel {
            value["__parallel__"] = json!(true);
        }
        if self.skip_watch {
            value["skip_watch"] = json!(true);
        }
        if !self.warnings.is_empty() {
            value["warnings"] = json!(self.warnings);
        }
        value
    }
}
