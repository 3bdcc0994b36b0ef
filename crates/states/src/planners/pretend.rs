//! The module `test`: states that only pretend, to try requisites and outputs with.
//! Source: Salt `test` states.

use crate::changes::Changes;
use crate::planned::{ChunkPlan, Outcome, single};
use crate::{Call, Map, StateError};
use model::plan::Plan;
use serde_json::json;

/// The argument of `mod_watch` with the states that had changes, as `module: ID`.
pub const WATCHED: &str = "__reqs__";

pub(super) fn plan(call: &Call) -> Result<ChunkPlan, StateError> {
    if call.fun == sls::MOD_WATCH {
        return watched(call);
    }
    let comment = |default: &str| match call.get("comment") {
        Some(comment) => comment.text(),
        None => Ok(default.to_owned()),
    };
    let (result, changes, comment) = match call.fun {
        // It takes any argument and passes none on.
        "nop" => (true, false, "Success!".to_owned()),
        "fail_without_changes" => (false, false, comment("Failure!")?),
        "fail_with_changes" => (false, true, comment("Failure!")?),
        "succeed_with_changes" => (true, true, comment("Success!")?),
        "configurable_test_state" => (
            certain(call, "result")?,
            certain(call, "changes")?,
            comment("")?,
        ),
        "show_notification" => match call.get("text") {
            Some(text) => (true, false, text.text()?),
            None => return Err(call.missing("text")),
        },
        _ => (true, false, comment("Success!")?),
    };
    let mut outcome = Outcome::new(comment, pretended(changes));
    outcome.result = result;
    outcome.changes_without_steps = changes;
    outcome.comment_if_tested = if_tested(call.fun, &outcome, changes);
    Ok(ChunkPlan {
        plan: Plan::default(),
        notes: notes(call)?,
        outcome,
    })
}

/// What `watch` and `listen` call: the same in a dry run.
fn watched(call: &Call) -> Result<ChunkPlan, StateError> {
    let comment = match call.get("comment") {
        Some(comment) => comment.text()?,
        None => "Watch statement fired.".to_owned(),
    };
    let changes = match call.args.get("changes") {
        Some(serde_json::Value::Object(changes)) => changes.clone(),
        _ => {
            let watched = call.args.get(WATCHED).cloned();
            single(
                "Requisites with changes",
                watched.unwrap_or_else(|| json!([])),
            )
        }
    };
    let mut outcome = Outcome::new(comment, Changes::Fixed(changes));
    outcome.result = match call.get("result") {
        Some(result) => result.bool()?,
        None => true,
    };
    Ok(ChunkPlan {
        plan: Plan::default(),
        notes: Vec::new(),
        outcome,
    })
}

/// What a dry run says instead of the comment.
fn if_tested(fun: &str, outcome: &Outcome, changes: bool) -> Option<String> {
    let said = match (fun, outcome.result, changes) {
        ("configurable_test_state", ..) if outcome.comment.is_empty() => "This is a test",
        ("configurable_test_state", ..) | (_, true, false) => return None,
        (_, false, false) => "If we weren't testing, this would be a failure!",
        (_, true, true) => "If we weren't testing, this would be successful with changes",
        (_, false, true) => "If we weren't testing, this would be failed with changes",
    };
    Some(said.to_owned())
}

fn pretended(changes: bool) -> Changes {
    Changes::Fixed(if changes {
        let pretended = json!({ "old": "Unchanged", "new": "Something pretended to change" });
        single("testing", pretended)
    } else {
        Map::new()
    })
}

/// A flag that Salt can also leave to chance, which a plan cannot.
fn certain(call: &Call, key: &str) -> Result<bool, StateError> {
    match call.get(key) {
        Some(field) if field.value == "Random" => {
            Err(field.not_in_this_version("Write True or False: what is planned is what is done"))
        }
        Some(field) => field.bool(),
        None => Ok(true),
    }
}

fn notes(call: &Call) -> Result<Vec<String>, StateError> {
    let Some(warnings) = call.get("warnings") else {
        return Ok(Vec::new());
    };
    match warnings.list() {
        Ok(list) => list.iter().map(|warning| warning.text()).collect(),
        Err(_) => Ok(vec![warnings.text()?]),
    }
}
