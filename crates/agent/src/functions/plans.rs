//! `state.plan` and `state.apply_plan`: what states would do as an object, and doing exactly that.

use super::states::{compiled, names, right};
use super::table::{Access, Function};
use super::{Arguments, Call, Fault, Return};
use crate::compile::What;
use crate::executor::{self, Agreed, Options, PlanFile};
use model::plan::Consequence;
use serde_json::{Value, json};
use sls::{Compiled, Map, Target};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "state.plan",
        signature: "mods=None, pillar=None, saltenv=None, exclude=None, pillarenv=None, queue=False",
        doc: "state.plan [SLS,…] [pillar='{…}'] [exclude=…] [queue=True]\n\nWhat state.apply would do, step by step, with XML before and after, consequences and a hash; changes nothing.",
        access: Access::Changes,
        run: |call| Box::pin(plan(call)),
    },
    Function {
        name: "state.apply_plan",
        signature: "plan, queue=False",
        doc: "state.apply_plan plan='{…}' [queue=True]\n\nDoes exactly what a plan of state.plan says. Refuses, and says what differs, when the plan made now would be another.",
        access: Access::Changes,
        run: |call| Box::pin(apply(call)),
    },
];

/// What of a call belongs into its plan.
const ASKED: [&str; 5] = ["mods", "pillar", "saltenv", "exclude", "pillarenv"];

async fn plan(call: Call<'_>) -> Result<Return, Fault> {
    let _right = right(&call).await?;
    let mut asked = Map::new();
    for (position, name) in ASKED.into_iter().enumerate() {
        if let Some(value) = call.args.get(position, name) {
            asked.insert(name.to_owned(), value.clone());
        }
    }
    let made = match made(&call, asked).await? {
        Ok(made) => made,
        Err(texts) => {
            return Ok(Return {
                value: json!(texts),
                ok: false,
            });
        }
    };
    let ok = !made.plan.states.iter().any(fails);
    let value = serde_json::to_value(made.plan).expect("a plan is always JSON");
    Ok(Return { value, ok })
}

/// A plan, and what is needed to carry it out.
struct Made {
    plan: PlanFile,
    target: Target,
    compiled: Compiled,
}

/// Compiles and plans, or gives the texts that replace all results.
async fn made(call: &Call<'_>, asked: Map) -> Result<Result<Made, Vec<String>>, Fault> {
    let asking = Call {
        args: Arguments::new(call.fun, &[], &asked),
        ..*call
    };
    let what = match asked.get("mods") {
        Some(mods) => What::Sls(names(&asking, mods)?),
        None => What::Highstate,
    };
    let versions = call.minion.hypervisor.versions().await?;
    let (target, compiled) = match compiled(&asking, what, Some(versions)).await? {
        Ok(compiled) => compiled,
        Err(texts) => return Ok(Err(texts)),
    };
    let (results, planned) = executor::plan(
        call.minion,
        target.clone(),
        compiled.clone(),
        call.context.clone(),
    )
    .await;
    let worst = planned
        .iter()
        .map(|(_, plan)| plan.plan.consequence())
        .max();
    let states = executor::describe(&results, &planned);
    let plan = PlanFile {
        format: PlanFile::FORMAT,
        host: call.minion.id.clone(),
        uri: call.minion.uri.clone(),
        run: asked,
        hash: executor::hash_of(&states),
        states,
        consequence: worst.unwrap_or(Consequence::None).to_string(),
    };
    Ok(Ok(Made {
        plan,
        target,
        compiled,
    }))
}

fn fails(state: &Value) -> bool {
    state["result"] == json!(false)
}

async fn apply(call: Call<'_>) -> Result<Return, Fault> {
    let agreed = read(&call)?;
    let _right = right(&call).await?;
    let made = match made(&call, agreed.run.clone()).await? {
        Ok(made) => made,
        Err(texts) => {
            return Ok(Return {
                value: json!(texts),
                ok: false,
            });
        }
    };
    if made.plan.hash != agreed.hash {
        let differences = executor::differences(&agreed.states, &made.plan.states);
        return Err(Fault::new(format!(
            "the plan no longer fits, so nothing was done:\n  {}",
            differences.join("\n  ")
        ))
        .hint("make a new plan, and look at it again"));
    }
    if let Some(state) = made.plan.states.iter().find(|state| fails(state)) {
        return Err(Fault::new(format!(
            "the plan has a state that fails, {}, so nothing was done: {}",
            state["id"].as_str().unwrap_or_default(),
            state["comment"].as_str().unwrap_or_default()
        )));
    }
    let options = Options {
        test: false,
        context: call.context.clone(),
        agreed: Some(Agreed::new(&agreed.states)),
    };
    let results = executor::run(call.minion, made.target, made.compiled, options).await;
    let ok = !call.context.cancel.is_cancelled() && !results.values().any(fails);
    Ok(Return {
        value: Value::Object(results),
        ok,
    })
}

/// The plan that is to be carried out: whole, unchanged, and for this host.
fn read(call: &Call<'_>) -> Result<PlanFile, Fault> {
    let given = call.args.get(0, "plan");
    let given = given.ok_or_else(|| Fault::new("state.apply_plan: missing argument 'plan'"))?;
    let unreadable = |error: serde_json::Error| {
        Fault::new(format!("the plan cannot be read: {error}"))
            .hint("give the JSON that state.plan, or salar plan --json, printed")
    };
    let plan: PlanFile = match given {
        Value::String(text) => serde_json::from_str(text),
        value => serde_json::from_value(value.clone()),
    }
    .map_err(unreadable)?;
    if plan.format != PlanFile::FORMAT {
        return Err(Fault::new(format!(
            "the plan has form {}, and this program reads form {}",
            plan.format,
            PlanFile::FORMAT
        ))
        .hint("make a new plan"));
    }
    if executor::hash_of(&plan.states) != plan.hash {
        return Err(
            Fault::new("the plan was changed after it was made: its hash does not fit")
                .hint("make a new plan"),
        );
    }
    let minion = call.minion;
    if (&plan.host, &plan.uri) != (&minion.id, &minion.uri) {
        return Err(Fault::new(format!(
            "the plan is for {} at {}, and this is {} at {}",
            plan.host, plan.uri, minion.id, minion.uri
        )));
    }
    Ok(plan)
}
