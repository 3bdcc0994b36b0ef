//! `watch` and `listen`: the function `mod_watch` of a state's module, after something else has changed.
//!
//! Of our modules only `test` has one: for a virt state `watch` is `require`, and `listen` a state that fails. Source:
//! Salt 3008, `State.call_listen`.

use super::Run;
use super::result::{ChunkResult, Clock};
use serde_json::json;
use sls::schedule::Schedule;
use sls::{Catalog, Chunk, MOD_WATCH, Map};
use states::WATCHED;

impl Run {
    /// The result of a chunk that watches: where it changed nothing itself and one of `changed` did, that of its
    /// module's `mod_watch`.
    pub(super) async fn after_watch(
        &self,
        chunk: &Chunk,
        result: ChunkResult,
        changed: &[usize],
    ) -> ChunkResult {
        let calls = !changed.is_empty()
            && result.changes.is_empty()
            && !result.skip_watch
            && has_mod_watch(chunk);
        if !calls {
            return result;
        }
        let watched: Vec<String> = changed
            .iter()
            .map(|idx| &self.compiled.chunks[*idx])
            .map(|chunk| format!("{}: {}", chunk.state, chunk.id))
            .collect();
        let mut call = Chunk {
            fun: MOD_WATCH.to_owned(),
            ..chunk.clone()
        };
        call.args.insert(WATCHED.to_owned(), json!(watched));
        self.mod_watch(&call).await
    }

    /// Calls the `mod_watch` of those that listen to something that changed, one after the other, once each. A failed one
    /// with `failhard` keeps the rest from running.
    pub(super) async fn listen(&self, schedule: &Schedule, results: &mut Map) {
        for idx in schedule.listeners() {
            if self.options.context.cancel.is_cancelled() {
                return;
            }
            let listener = self.compiled.chunks[idx].listener();
            let run_num = results.len();
            // Salt misses the function before it looks at conditions.
            let not_needed = match has_mod_watch(&listener) {
                true => self.not_needed(&listener).await,
                false => None,
            };
            let result = match not_needed {
                Some(comment) => ChunkResult::not_needed(&Clock::start(), comment),
                None => self.mod_watch(&listener).await,
            };
            self.fire_event(&listener, &result, run_num);
            let stop =
                result.result == Some(false) && listener.globals.failhard && !self.options.test;
            results.insert(listener.tag(), result.into_value(&listener, run_num));
            if stop {
                return;
            }
        }
    }

    async fn mod_watch(&self, chunk: &Chunk) -> ChunkResult {
        let clock = Clock::start();
        if !has_mod_watch(chunk) {
            let function = chunk.function();
            return ChunkResult::skipped(
                Some(false),
                format!(
                    "State '{function}' was not found in SLS '{}'\nReason: '{function}' is not available.\n",
                    chunk.sls
                ),
            );
        }
        match self.plan(chunk).await {
            Ok(plan) if self.options.test => {
                ChunkResult::new(&clock, plan.tested(), plan.notes.clone())
            }
            Ok(plan) => {
                let verdict = self.carry_out(chunk, &plan).await;
                ChunkResult::new(&clock, verdict, plan.notes.clone())
            }
            Err(comment) => ChunkResult::failed(&clock, comment),
        }
    }
}

fn has_mod_watch(chunk: &Chunk) -> bool {
    let functions = states::catalog().functions(&chunk.state);
    functions.is_some_and(|functions| functions.iter().any(|known| known == MOD_WATCH))
}
