//! Running compiled states: independent chunks beside each other, results in Salt's order.
//!
//! ```text
//!  Schedule ─ Run(i) ─▶ onlyif… ─▶ locks ─▶ read ─▶ plan ─┬─ test ─▶ predict for those after it
//!      ▲                                                  └─ steps in order; a failure undoes those before it
//!      └──────────── finished(i, result, changed) ◀── result
//! ```
//! Deliberately decides nothing about states: what to read and what to do come from `states`, when from `sls`.

mod bulk;
mod chunk;
mod conditions;
mod locks;
mod observe;
mod plan;
mod result;
mod steps;
mod watch;

pub use plan::{Agreed, PlanFile, describe, differences, hash_of};

use crate::functions::Context;
use crate::minion::Minion;
use crate::progress::{News, ProgressSink, Tidings};
use bulk::Bulk;
use domxml::capabilities::Capabilities;
use locks::Locks;
use result::ChunkResult;
use serde_json::{Value, json};
use sls::lookup::traverse;
use sls::schedule::{Decision, Outcome, Schedule};
use sls::{Chunk, Compiled, Map, Target};
use states::{ChunkPlan, Config};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;

/// Chunks that run at the same time. A hypervisor gains nothing from more, and a download needs few.
const PARALLEL: usize = 8;

/// How to run.
pub struct Options {
    /// Plan only.
    pub test: bool,
    /// Progress, cancellation, job.
    pub context: Context,
    /// What each state may do, where a plan was agreed on.
    pub agreed: Option<Agreed>,
}

/// One run.
struct Run {
    minion: Arc<Minion>,
    config: Config,
    compiled: Compiled,
    options: Options,
    locks: Locks,
    bulk: Bulk,
    slots: Semaphore,
    capabilities: OnceCell<Capabilities>,
    /// When it began, as names of snapshots have it: `20261126-180405`, local time.
    began: String,
    /// In a dry run: what the chunks so far would have done, by their keys.
    planned: Mutex<Vec<(String, ChunkPlan)>>,
}

/// What a task of the run came to.
enum Done {
    Ran(usize, ChunkResult),
    Probed(usize, Outcome),
}

/// Runs all chunks and returns their results by key, in Salt's order.
///
/// After a `failhard` stop or a cancellation, chunks that never started have no result.
pub async fn run(
    minion: &Arc<Minion>,
    target: Target,
    compiled: Compiled,
    options: Options,
) -> Map {
    walk(minion, target, compiled, options).await.1
}

/// Plans all chunks: the results of a dry run, with the plans behind them by key.
pub async fn plan(
    minion: &Arc<Minion>,
    target: Target,
    compiled: Compiled,
    context: Context,
) -> (Map, Vec<(String, ChunkPlan)>) {
    let options = Options {
        test: true,
        context,
        agreed: None,
    };
    let (run, results) = walk(minion, target, compiled, options).await;
    let mut planned = run.planned.lock().unwrap_or_else(PoisonError::into_inner);
    (results, std::mem::take(&mut *planned))
}

async fn walk(
    minion: &Arc<Minion>,
    target: Target,
    compiled: Compiled,
    options: Options,
) -> (Arc<Run>, Map) {
    if !options.test {
        minion
            .unfinished
            .clean(minion.hypervisor.as_ref(), &minion.uri)
            .await;
    }
    let schedule_len = compiled.chunks.len();
    let mut schedule = Schedule::new(&compiled, options.test);
    let mut results: Vec<Option<ChunkResult>> = compiled.chunks.iter().map(|_| None).collect();
    let run = Arc::new(Run {
        minion: minion.clone(),
        config: config_of(&target).connected_to(&minion.uri),
        compiled,
        options,
        locks: Locks::default(),
        bulk: Bulk::new(schedule_len),
        slots: Semaphore::new(PARALLEL),
        capabilities: OnceCell::new(),
        began: stamp(),
        planned: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    loop {
        if !run.options.context.cancel.is_cancelled() {
            for decision in schedule.next() {
                run.follow(decision, &schedule, &mut tasks, &mut results);
            }
        }
        match tasks.join_next().await {
            Some(Ok(Done::Ran(idx, result))) => {
                schedule.finished(idx, result.outcome());
                results[idx] = Some(result);
            }
            Some(Ok(Done::Probed(idx, outcome))) => schedule.probed(idx, outcome),
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => break,
        }
    }
    let mut results = run.in_order(results);
    run.listen(&schedule, &mut results).await;
    (run, results)
}

/// The local time, as Salt puts it into names of snapshots.
pub(crate) fn stamp() -> String {
    jiff::ZonedDateTime::now()
        .strftime("%Y%m%d-%H%M%S")
        .to_string()
}

/// As `config.get`: configuration, grains, pillar.
pub(crate) fn config_of(target: &Target) -> Config {
    let places = [&target.opts, &target.grains, &target.pillar];
    Config::read(|key| {
        places
            .into_iter()
            .find_map(|place| traverse(place, key, ":"))
            .cloned()
    })
}

fn begins(chunk: &Chunk) -> Tidings {
    Tidings::Begins {
        id: chunk.id.clone(),
        fun: format!("{}.{}", chunk.state, chunk.fun),
    }
}

impl Run {
    fn follow(
        self: &Arc<Self>,
        decision: Decision,
        schedule: &Schedule,
        tasks: &mut JoinSet<Done>,
        results: &mut [Option<ChunkResult>],
    ) {
        let run = self.clone();
        match decision {
            Decision::Run(idx) => {
                let changed = schedule.changed_watches(idx);
                tasks.spawn(async move {
                    let _slot = run
                        .slots
                        .acquire()
                        .await
                        .expect("the semaphore is never closed");
                    let chunk = &run.compiled.chunks[idx];
                    run.tell(chunk, begins(chunk));
                    let result = run.chunk(chunk).await;
                    let result = run.after_watch(chunk, result, &changed).await;
                    run.tell(chunk, Tidings::Ends);
                    run.fire_event(chunk, &result, idx);
                    Done::Ran(idx, result)
                });
            }
            Decision::Probe(idx) => {
                tasks.spawn(async move {
                    let _slot = run
                        .slots
                        .acquire()
                        .await
                        .expect("the semaphore is never closed");
                    Done::Probed(idx, run.probe(idx).await)
                });
            }
            Decision::Skip {
                idx,
                result,
                comment,
            } => results[idx] = Some(ChunkResult::skipped(result, comment)),
        }
    }

    /// News of a state, for whoever watches.
    fn tell(&self, chunk: &Chunk, what: Tidings) {
        let state = chunk.tag();
        (self.options.context.news)(News { state, what });
    }

    /// Where the progress of a state's work goes.
    fn progress(&self, chunk: &Chunk) -> ProgressSink {
        let (news, state) = (self.options.context.news.clone(), chunk.tag());
        Arc::new(move |progress| {
            news(News {
                state: state.clone(),
                what: Tidings::Step(progress),
            });
        })
    }

    /// `fire_event`: the result on the bus, under the state's name or the suffix that was given.
    fn fire_event(&self, chunk: &Chunk, result: &ChunkResult, run_num: usize) {
        let suffix = match &chunk.globals.fire_event {
            Some(Value::Bool(true)) => &chunk.name,
            Some(Value::String(suffix)) => suffix,
            _ => return,
        };
        let context = &self.options.context;
        let tag = format!(
            "salt/state_result/{}/{}/{suffix}",
            context.jid, self.minion.id
        );
        let data = json!({ "ret": result.clone().into_value(chunk, run_num) });
        (context.events)(tag, data);
    }

    fn in_order(&self, results: Vec<Option<ChunkResult>>) -> Map {
        let there = self
            .compiled
            .chunks
            .iter()
            .zip(results)
            .filter_map(|(chunk, result)| Some((chunk, result?)));
        there
            .enumerate()
            .map(|(number, (chunk, result))| (chunk.tag(), result.into_value(chunk, number)))
            .collect()
    }
}
