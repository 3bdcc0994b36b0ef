//! A planned state: the steps, and what its result will say.

use crate::changes::Changes;
use crate::{Map, Value};
use model::plan::{Plan, PoolOp, Step, VmOp};

/// What a state would do, and what its result says before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkPlan {
    /// The steps, in their order, with what stays pending. No steps: nothing to do.
    pub plan: Plan,
    /// What the user should know beside the result (`seed` is not done…): Salt's `warnings`.
    pub notes: Vec<String>,
    pub(crate) outcome: Outcome,
}

/// What the result says. Steps that may be refused change it afterwards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// The comment when everything went well; also in a dry run.
    pub(crate) comment: String,
    /// The comment of a dry run where Salt words it differently.
    pub(crate) comment_if_tested: Option<String>,
    /// A dry run does not tell what would change. Source: Salt `virt.keys`.
    pub(crate) silent_if_tested: bool,
    pub(crate) changes: Changes,
    /// The result of an applied plan; `false` for states whose purpose is to fail.
    pub(crate) result: bool,
    /// What goes before the reason when a step failed.
    pub(crate) failed: Option<&'static str>,
    /// The result of a dry run that would change something is `None`; some states change something without a step.
    pub(crate) changes_without_steps: bool,
}

impl Outcome {
    pub(crate) fn new(comment: impl Into<String>, changes: Changes) -> Self {
        Self {
            comment: comment.into(),
            comment_if_tested: None,
            silent_if_tested: false,
            changes,
            result: true,
            failed: None,
            changes_without_steps: false,
        }
    }
}

/// The three fields of a state's result that a state decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// `Some(true)`, `Some(false)`, or `None` in a dry run that would change something.
    pub result: Option<bool>,
    /// Salt's sentence.
    pub comment: String,
    /// Salt's shape, empty when nothing changed.
    pub changes: Map,
}

/// A tolerated step that the hypervisor refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Index of the step in the plan.
    pub step: usize,
    /// Why, in the hypervisor's words.
    pub reason: String,
}

impl ChunkPlan {
    /// Whether the plan goes on when this step is refused: a live change that the definition already has, the
    /// building of a pool whose storage may be there, or one of several VMs of an action state. Every other failure
    /// ends the plan and undoes what was done.
    pub fn tolerates(&self, step: usize) -> bool {
        self.outcome.changes.is_per_vm()
            || self.plan.steps.get(step).is_some_and(|planned| {
                matches!(
                    planned.step,
                    Step::Vm {
                        op: VmOp::AttachLive { .. }
                            | VmOp::DetachLive { .. }
                            | VmOp::UpdateLive { .. }
                            | VmOp::VcpusLive(_)
                            | VmOp::MemoryLive(_)
                            | VmOp::TuneLive(_),
                        ..
                    } | Step::Pool {
                        op: PoolOp::Build,
                        ..
                    }
                )
            })
    }

    /// The result after the plan was carried out, but for the tolerated steps in `refused`.
    pub fn applied(&self, refused: &[Refusal]) -> Verdict {
        let reported = self.outcome.changes.report(refused);
        Verdict {
            result: Some(self.outcome.result && reported.success),
            comment: self.with_pending(reported.comment.unwrap_or(&self.outcome.comment)),
            changes: reported.changes,
        }
    }

    /// The result of a dry run: `None` exactly when something would change.
    pub fn tested(&self) -> Verdict {
        let reported = self.outcome.changes.report(&[]);
        let would_change = !self.plan.is_empty() || self.outcome.changes_without_steps;
        let planned = self.outcome.comment_if_tested.as_ref();
        let comment = match (planned, reported.comment) {
            (Some(comment), _) => comment,
            (None, Some(comment)) => comment,
            (None, None) => &self.outcome.comment,
        };
        Verdict {
            result: if would_change {
                None
            } else {
                Some(self.outcome.result && reported.success)
            },
            comment: self.with_pending(comment),
            changes: match self.outcome.silent_if_tested {
                true => Map::new(),
                false => reported.changes,
            },
        }
    }

    /// The result when a step failed that is not tolerated, everything done before it having been taken back.
    ///
    /// `reason` is the hypervisor's message. What could not be taken back belongs to it.
    pub fn failed(&self, reason: &str) -> Verdict {
        Verdict {
            result: Some(false),
            comment: format!("{}{reason}", self.outcome.failed.unwrap_or_default()),
            changes: Map::new(),
        }
    }

    fn with_pending(&self, comment: &str) -> String {
        if self.plan.pending.is_empty() {
            return comment.to_owned();
        }
        format!(
            "{comment}\nWaits for the next start: {}",
            self.plan.pending.join("; ")
        )
    }
}

/// `{name: value}`.
pub(crate) fn single(name: &str, value: impl Into<Value>) -> Map {
    let mut map = Map::new();
    map.insert(name.to_owned(), value.into());
    map
}
