//! Writing steps down with what they mean and what undoes them.

use model::plan::{
    Consequence, NetworkOp, PlannedStep, PoolOp, Step, Undo, VmOp, VolumeOp, XmlDiff,
};

/// A step without XML.
pub(crate) fn planned(
    step: Step,
    consequence: Consequence,
    summary: String,
    undo: Undo,
) -> PlannedStep {
    PlannedStep {
        step,
        consequence,
        summary,
        undo,
        diff: None,
    }
}

/// A step that writes a definition.
pub(crate) fn defining(
    step: Step,
    consequence: Consequence,
    summary: String,
    undo: Step,
    (before, after): (&str, &str),
) -> PlannedStep {
    PlannedStep {
        step,
        consequence,
        summary,
        undo: Undo::By(Box::new(undo)),
        diff: Some(XmlDiff {
            before: before.to_owned(),
            after: after.to_owned(),
        }),
    }
}

pub(crate) fn by(step: Step) -> Undo {
    Undo::By(Box::new(step))
}

pub(crate) fn pool(name: &str, op: PoolOp) -> Step {
    Step::Pool {
        name: name.to_owned(),
        op,
    }
}

pub(crate) fn network(name: &str, op: NetworkOp) -> Step {
    Step::Network {
        name: name.to_owned(),
        op,
    }
}

pub(crate) fn vm(name: &str, op: VmOp) -> Step {
    Step::Vm {
        name: name.to_owned(),
        op,
    }
}

pub(crate) fn volume(pool: &str, name: &str, op: VolumeOp) -> Step {
    Step::Volume {
        pool: pool.to_owned(),
        name: name.to_owned(),
        op,
    }
}
