//! Carrying a plan out: step by step, and back again when one fails.

use super::Run;
use crate::host_file::{self, FileError};
use crate::image::{ImageError, NewVolume, Workshop};
use crate::progress::{ProgressSink, Tidings};
use hypervisor::{HypervisorError, Reason};
use model::plan::{NetworkOp, PlannedStep, PoolOp, SecretOp, Step, Undo, VmOp, VolumeOp};
use model::{Progress, Request};
use sls::Chunk;
use states::{ChunkPlan, Refusal, Verdict};
use thiserror::Error;

/// Why a step failed.
#[derive(Debug, Error)]
enum StepError {
    #[error(transparent)]
    Hypervisor(#[from] HypervisorError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl StepError {
    /// The hypervisor's own words, for steps whose refusal is tolerated.
    fn reason(&self) -> String {
        match self {
            Self::Hypervisor(error) => error.message.clone(),
            Self::Image(error) => error.to_string(),
            Self::File(error) => error.to_string(),
        }
    }

    /// Making a volume from an image, and writing a file, clean up behind themselves, so their outcome is never open.
    fn leaves_outcome_unknown(&self) -> bool {
        matches!(self, Self::Hypervisor(error) if error.reason.leaves_outcome_unknown())
    }

    /// The sentence, and what to do about it on a line of its own.
    fn comment(&self) -> String {
        let hint = match self {
            Self::Hypervisor(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::File(error) => error.hint(),
        };
        hint.map_or_else(|| self.to_string(), |hint| format!("{self}\nHint: {hint}"))
    }
}

impl Run {
    /// Carries out the steps of `plan`. When one fails, those before it are undone, last one first.
    pub(super) async fn carry_out(&self, chunk: &Chunk, plan: &ChunkPlan) -> Verdict {
        let mut done: Vec<&PlannedStep> = Vec::new();
        let mut refused = Vec::new();
        for (index, planned) in plan.plan.steps.iter().enumerate() {
            if self.options.context.cancel.is_cancelled() {
                let reason = format!("Cancelled before: {}", planned.summary);
                return self.give_up(chunk, plan, &done, reason).await;
            }
            self.tell(
                chunk,
                Tidings::Step(Progress {
                    step: planned.summary.clone(),
                    ..Progress::default()
                }),
            );
            match self.perform(chunk, &planned.step).await {
                Ok(()) => done.push(planned),
                Err(error) if error.leaves_outcome_unknown() => {
                    if !self.took_effect(chunk, planned).await {
                        // It may still have happened, so its undo is tried as well.
                        done.push(planned);
                        return self.give_up(chunk, plan, &done, error.comment()).await;
                    }
                    done.push(planned);
                }
                Err(error) if plan.tolerates(index) => refused.push(Refusal {
                    step: index,
                    reason: error.reason(),
                }),
                Err(error) => return self.give_up(chunk, plan, &done, error.comment()).await,
            }
        }
        plan.applied(&refused)
    }

    async fn perform(&self, chunk: &Chunk, step: &Step) -> Result<(), StepError> {
        tracing::debug!("Going to {}", hypervisor::attempt(step));
        let progress = self.progress(chunk);
        self.bulk.touch();
        match step {
            Step::Volume {
                pool,
                name,
                op:
                    VolumeOp::CreateFromImage {
                        image,
                        format,
                        size,
                    },
            } => {
                let new = NewVolume {
                    pool,
                    name,
                    image,
                    format,
                    size: *size,
                };
                Ok(self.workshop(&progress).create(&new).await?)
            }
            Step::Volume {
                pool,
                name,
                op: VolumeOp::Write { content },
            } => Ok(self
                .workshop(&progress)
                .write(pool, name, &content.0)
                .await?),
            Step::File { path, op } => {
                Ok(host_file::perform(path, op, &self.minion.images, &progress).await?)
            }
            Step::Secret {
                secret,
                op: SecretOp::SetValue { value },
            } => {
                let hypervisor = self.minion.hypervisor.as_ref();
                hypervisor.perform(step).await?;
                let passwords = &self.minion.passwords;
                passwords.remember(hypervisor, secret, &value.0).await;
                Ok(())
            }
            step => Ok(self.minion.hypervisor.perform(step).await?),
        }
    }

    fn workshop<'a>(&'a self, progress: &'a ProgressSink) -> Workshop<'a> {
        Workshop {
            hypervisor: self.minion.hypervisor.as_ref(),
            uri: &self.minion.uri,
            images: &self.minion.images,
            unfinished: &self.minion.unfinished,
            progress,
            cancel: &self.options.context.cancel,
        }
    }

    /// A call broke off. The host knows: a plan made afresh does not have the step any more if it happened.
    async fn took_effect(&self, chunk: &Chunk, planned: &PlannedStep) -> bool {
        match self.plan(chunk).await {
            Ok(again) => !again
                .plan
                .steps
                .iter()
                .any(|other| other.step == planned.step),
            Err(_) => false,
        }
    }

    async fn give_up(
        &self,
        chunk: &Chunk,
        plan: &ChunkPlan,
        done: &[&PlannedStep],
        reason: String,
    ) -> Verdict {
        let mut reason = reason;
        for planned in done.iter().rev() {
            let Undo::By(step) = &planned.undo else {
                continue;
            };
            match self.perform(chunk, step).await {
                Ok(()) => {}
                Err(StepError::Hypervisor(error)) if is_undone_already(step, error.reason) => {}
                Err(error) => {
                    tracing::warn!("Cannot take back '{}': {error}", planned.summary);
                    reason.push_str(&format!("\nNot taken back: {}: {error}", planned.summary));
                }
            }
        }
        plan.failed(&reason)
    }
}

/// There is nothing to take back: the object is gone, or what would be stopped does not run.
fn is_undone_already(undo: &Step, reason: Reason) -> bool {
    let stops = matches!(
        undo,
        Step::Vm {
            op: VmOp::Life(Request::ForceOff),
            ..
        } | Step::Network {
            op: NetworkOp::Stop,
            ..
        } | Step::Pool {
            op: PoolOp::Stop,
            ..
        }
    );
    reason == Reason::NotFound || stops && reason == Reason::WrongState
}
