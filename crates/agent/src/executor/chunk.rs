//! One chunk from its conditions to its result.

use super::Run;
use super::observe::Unseen;
use super::result::{ChunkResult, Clock};
use sls::schedule::Outcome;
use sls::{Chunk, Retry};
use states::{Call, ChunkPlan, StateError, Verdict};
use std::sync::PoisonError;
use std::time::Duration;

impl Run {
    /// Runs a chunk, or in a dry run plans it.
    pub(super) async fn chunk(&self, chunk: &Chunk) -> ChunkResult {
        let clock = Clock::start();
        if let Some(comment) = self.not_needed(chunk).await {
            return ChunkResult::not_needed(&clock, comment);
        }
        let result = match chunk.globals.retry {
            Some(retry) if self.options.test => self.would_retry(chunk, retry).await,
            Some(retry) => self.with_retry(chunk, retry).await,
            None => self.once(chunk).await,
        };
        result.until_now(&clock)
    }

    /// What a chunk would do; changes nothing and is not remembered.
    pub(super) async fn probe(&self, idx: usize) -> Outcome {
        match self.plan(&self.compiled.chunks[idx]).await {
            Ok(plan) => {
                let verdict = plan.tested();
                Outcome {
                    result: verdict.result,
                    changed: !verdict.changes.is_empty(),
                }
            }
            Err(_) => Outcome {
                result: Some(false),
                changed: false,
            },
        }
    }

    async fn once(&self, chunk: &Chunk) -> ChunkResult {
        let clock = Clock::start();
        let call = Call::from(chunk);
        let needs = match states::needs(&call, &self.config) {
            Ok(needs) => needs,
            Err(error) => return ChunkResult::failed(&clock, error.to_string()),
        };
        let _held = self.locks.take(self.locks_for(chunk, &needs)).await;
        let plan = match self.plan(chunk).await {
            Ok(plan) => plan,
            Err(comment) => return ChunkResult::failed(&clock, comment),
        };
        if let Some(agreed) = &self.options.agreed
            && let Err(comment) = agreed.check(&chunk.tag(), &plan.plan)
        {
            return ChunkResult::failed(&clock, comment);
        }
        let verdict = if self.options.test {
            plan.tested()
        } else {
            self.carry_out(chunk, &plan).await
        };
        let verdict = self.checked(chunk, verdict).await;
        let result = ChunkResult::new(&clock, verdict, plan.notes.clone());
        if self.options.test {
            self.planned
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((chunk.tag(), plan));
        }
        result
    }

    /// Reads what the chunk needs, and plans. The error is the comment of a failed result.
    pub(super) async fn plan(&self, chunk: &Chunk) -> Result<ChunkPlan, String> {
        let call = Call::from(chunk);
        let mut needs = states::needs(&call, &self.config).map_err(|error| error.to_string())?;
        let mut seen = self.observe(&needs, &chunk.env).await.map_err(unreadable)?;
        let more = states::further_needs(&call, &seen).map_err(|error| error.to_string())?;
        if let Some(more) = more {
            needs.merge(more);
            seen = self.observe(&needs, &chunk.env).await.map_err(unreadable)?;
        }
        let mut planned = states::plan(&call, &seen);
        if let (Err(StateError::NotObserved { .. }), true) = (&planned, needs.capabilities) {
            let capabilities = self.capabilities().await.map_err(unreadable)?;
            seen.capabilities = Some(capabilities.clone());
            // What the host offers may decide what else is looked at.
            let more = states::further_needs(&call, &seen).map_err(|error| error.to_string())?;
            let known = needs.clone();
            needs.merge(more.unwrap_or_default());
            if needs != known {
                seen = self.observe(&needs, &chunk.env).await.map_err(unreadable)?;
                seen.capabilities = Some(capabilities.clone());
            }
            planned = states::plan(&call, &seen);
        }
        planned.map_err(|error| error.to_string())
    }

    /// `check_cmd` has the last word on a state that was carried out.
    async fn checked(&self, chunk: &Chunk, verdict: Verdict) -> Verdict {
        let Some(checks) = chunk
            .globals
            .check_cmd
            .as_ref()
            .filter(|_| !self.options.test)
        else {
            return verdict;
        };
        let succeeded = self.all_hold(checks).await;
        let word = if succeeded { "succeeded" } else { "failed" };
        Verdict {
            result: Some(succeeded),
            comment: format!("check_cmd determined the state {word}"),
            ..verdict
        }
    }

    async fn with_retry(&self, chunk: &Chunk, retry: Retry) -> ChunkResult {
        let mut before = String::new();
        for attempt in 1.. {
            let mut result = self.once(chunk).await;
            let satisfied = result.result == Some(retry.until) || attempt >= retry.attempts.max(1);
            if satisfied || self.options.context.cancel.is_cancelled() {
                result.comment.insert_str(0, &before);
                return result;
            }
            let word = match result.result {
                Some(true) => "True",
                Some(false) => "False",
                None => "None",
            };
            before.push_str(&format!("Attempt {attempt}: Returned a result of \"{word}\", with the following comment: \"{}\"\n", result.comment));
            self.pause(retry).await;
        }
        unreachable!("the loop above ends by returning")
    }

    /// Waits between two attempts, but not past a cancellation.
    async fn pause(&self, retry: Retry) {
        let splay = match retry.splay_secs {
            0 => 0,
            most => u64::from(crate::link::random()) % (most + 1),
        };
        let wait = Duration::from_secs(retry.interval_secs.saturating_add(splay));
        tokio::select! {
            // Cancel safety: neither holds anything.
            () = tokio::time::sleep(wait) => {}
            () = self.options.context.cancel.cancelled() => {}
        }
    }

    async fn would_retry(&self, chunk: &Chunk, retry: Retry) -> ChunkResult {
        let mut result = self.once(chunk).await;
        let Retry {
            attempts,
            until,
            interval_secs,
            splay_secs,
        } = retry;
        let until = if until { "True" } else { "False" };
        result.comment.push_str(&format!(
            "  The state would be retried every {interval_secs} seconds (with a splay of up to {splay_secs} seconds) \
             a maximum of {attempts} times or until a result of {until} is returned"
        ));
        result
    }
}

/// The comment of a state whose objects cannot be read.
fn unreadable(error: impl Into<Unseen>) -> String {
    let error = error.into();
    match error.hint() {
        Some(hint) => format!("{error}\nHint: {hint}"),
        None => error.to_string(),
    }
}
