//! What a running function tells on its way: how far it is, and events for the bus.

use model::Progress;
use std::sync::Arc;
use std::time::Instant;

/// Where the progress of one piece of work goes. Called often; whoever listens thins it out.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Something that a run of states tells on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The state it is about, by the key of its result.
    pub state: String,
    /// What is told of it.
    pub what: Tidings,
}

/// What is told of a state.
#[derive(Debug, Clone, PartialEq)]
pub enum Tidings {
    /// It begins.
    Begins {
        /// Its ID in the state file.
        id: String,
        /// `virt.running`
        fun: String,
    },
    /// How far its current step is.
    Step(Progress),
    /// It has ended.
    Ends,
}

/// Where news go; called often, by several states at a time.
pub type NewsSink = Arc<dyn Fn(News) + Send + Sync>;

/// A sink for those who do not watch.
pub fn no_news() -> NewsSink {
    Arc::new(|_| {})
}

/// Where a function sends events for the bus: tag and data.
pub type EventSink = Arc<dyn Fn(String, serde_json::Value) + Send + Sync>;

/// A sink for those without a bus.
pub fn no_events() -> EventSink {
    Arc::new(|_, _| {})
}

/// A sink for work that nobody watches.
pub fn no_progress() -> ProgressSink {
    Arc::new(|_| {})
}

/// Turns a growing count of bytes into progress with a rate.
pub struct Meter {
    step: String,
    total: u64,
    sink: ProgressSink,
    /// Start of the stretch the rate is measured over, and the count at that moment.
    since: (Instant, u64),
    rate: u64,
}

impl Meter {
    /// Rates are measured over stretches of this length.
    const STRETCH_SECS: f64 = 1.0;

    /// A meter for `step`; `total` is zero when not known, `done` what is there already.
    pub fn new(step: impl Into<String>, done: u64, total: u64, sink: ProgressSink) -> Self {
        let since = (Instant::now(), done);
        Self {
            step: step.into(),
            total,
            sink,
            since,
            rate: 0,
        }
    }

    /// Tells that `done` bytes are there.
    pub fn at(&mut self, done: u64) {
        let passed = self.since.0.elapsed().as_secs_f64();
        if passed >= Self::STRETCH_SECS {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a rate for people"
            )]
            let rate = (done.saturating_sub(self.since.1) as f64 / passed) as u64;
            self.rate = rate;
            self.since = (Instant::now(), done);
        }
        (self.sink)(Progress {
            step: self.step.clone(),
            done,
            total: self.total,
            rate: self.rate,
        });
    }
}
