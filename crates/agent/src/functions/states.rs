//! `state.*`: running states, and showing what would run.

use super::table::{Access, Function};
use super::{Call, Fault, Return};
use crate::busy::StateRun;
use crate::compile::{self, Extra, What};
use crate::executor::{self, Options};
use hypervisor::Versions;
use serde_json::{Map, Value, json};
use sls::{Chunk, Compiled, Diagnostic, Exclude, Target};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "state.apply",
        signature: "mods=None, **kwargs",
        doc: "state.apply [SLS,…] [test=True] [pillar='{…}'] [saltenv=…] [pillarenv=…] [exclude=…] [queue=True]\n\nBrings about what the SLS declare; without any, what the top file assigns.",
        access: Access::Changes,
        run: |call| Box::pin(apply(call, Mode::Configured)),
    },
    Function {
        name: "state.sls",
        signature: "mods, **kwargs",
        doc: "state.sls SLS,… [test=True] [pillar='{…}'] [exclude=…] [queue=True]\n\nBrings about what the SLS declare.",
        access: Access::Changes,
        run: |call| Box::pin(apply(call, Mode::Configured)),
    },
    Function {
        name: "state.highstate",
        signature: "**kwargs",
        doc: "state.highstate [test=True] [pillar='{…}'] [exclude=…] [queue=True]\n\nBrings about what the top file assigns.",
        access: Access::Changes,
        run: |call| Box::pin(highstate(call)),
    },
    Function {
        name: "state.test",
        signature: "mods=None, **kwargs",
        doc: "state.test [SLS,…] [pillar='{…}']\n\nWhat state.apply would do; changes nothing.",
        access: Access::Changes,
        run: |call| Box::pin(apply(call, Mode::Test)),
    },
    Function {
        name: "state.sls_id",
        signature: "id_, mods, **kwargs",
        doc: "state.sls_id ID SLS,… [test=True]\n\nBrings about the states of one ID, and what they require.",
        access: Access::Changes,
        run: |call| Box::pin(sls_id(call)),
    },
    Function {
        name: "state.single",
        signature: "fun, name, **kwargs",
        doc: "state.single MODULE.FUNCTION name=… [k=v…] [test=True]\n\nBrings about one state given on the command line.",
        access: Access::Changes,
        run: |call| Box::pin(single(call)),
    },
    Function {
        name: "state.high",
        signature: "data, **kwargs",
        doc: "state.high '{ID: {MODULE.FUNCTION: [k: v,…]}}' [test=True]\n\nBrings about states given on the command line, written as in an SLS.",
        access: Access::Changes,
        run: |call| Box::pin(high(call)),
    },
    Function {
        name: "state.low",
        signature: "data, **kwargs",
        doc: "state.low '{state: MODULE, fun: FUNCTION, name: NAME, k: v,…}' [test=True]\n\nBrings about one state given on the command line; returns its result alone.",
        access: Access::Changes,
        run: |call| Box::pin(low_chunk(call)),
    },
    Function {
        name: "state.running",
        signature: "concurrent=False",
        doc: "state.running\n\nWho runs states on this host just now; empty when nobody does.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(running(&call)) }),
    },
    Function {
        name: "state.sls_exists",
        signature: "mods, **kwargs",
        doc: "state.sls_exists SLS,…\n\nWhether there are such SLS and they compile.",
        access: Access::Reads,
        run: |call| Box::pin(sls_exists(call)),
    },
    Function {
        name: "state.id_exists",
        signature: "ids, mods, **kwargs",
        doc: "state.id_exists ID,… SLS,…\n\nWhether the SLS declare all these IDs.",
        access: Access::Reads,
        run: |call| Box::pin(id_exists(call)),
    },
    Function {
        name: "state.show_states",
        signature: "sorted=True, **kwargs",
        doc: "state.show_states\n\nThe SLS that the top file assigns and those they include.",
        access: Access::Reads,
        run: |call| Box::pin(show_states(call)),
    },
    Function {
        name: "state.show_sls",
        signature: "mods, **kwargs",
        doc: "state.show_sls SLS,…\n\nWhat the SLS declare after rendering.",
        access: Access::Reads,
        run: |call| Box::pin(show(call, |compiled| compiled.high)),
    },
    Function {
        name: "state.show_low_sls",
        signature: "mods, **kwargs",
        doc: "state.show_low_sls SLS,…\n\nThe states of the SLS one by one, in the order in which they run.",
        access: Access::Reads,
        run: |call| Box::pin(show(call, low)),
    },
    Function {
        name: "state.show_highstate",
        signature: "**kwargs",
        doc: "state.show_highstate\n\nWhat the top file's SLS declare after rendering.",
        access: Access::Reads,
        run: |call| Box::pin(show_high(call, |compiled| compiled.high)),
    },
    Function {
        name: "state.show_lowstate",
        signature: "**kwargs",
        doc: "state.show_lowstate\n\nThe states of the top file one by one, in the order in which they run.",
        access: Access::Reads,
        run: |call| Box::pin(show_high(call, low)),
    },
    Function {
        name: "state.show_top",
        signature: "**kwargs",
        doc: "state.show_top\n\nWhat the top file assigns to this host, by environment.",
        access: Access::Reads,
        run: |call| Box::pin(show_top(call)),
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As `test=` and the configuration say.
    Configured,
    Test,
    /// Whatever the configuration says.
    Real,
}

async fn apply(call: Call<'_>, mode: Mode) -> Result<Return, Fault> {
    let what = match call.args.get(0, "mods") {
        Some(mods) => What::Sls(names(&call, mods)?),
        None if call.fun == "state.sls" => {
            return Err(Fault::new("state.sls: missing argument 'mods'")
                .hint("state.apply without arguments runs the top file"));
        }
        None => What::Highstate,
    };
    run(&call, what, mode, |compiled| compiled).await
}

async fn highstate(call: Call<'_>) -> Result<Return, Fault> {
    run(&call, What::Highstate, Mode::Configured, |compiled| {
        compiled
    })
    .await
}

async fn sls_id(call: Call<'_>) -> Result<Return, Fault> {
    let id = call.args.required(0, "id_")?;
    let mods = required_mods(&call, 1)?;
    let unknown = format!(
        "No matches for ID '{id}' found in SLS '{}' within saltenv '{}'",
        mods.join(","),
        call.args
            .environment("saltenv")
            .as_deref()
            .unwrap_or("base")
    );
    let wanted = id.clone();
    let returned = run(&call, What::Sls(mods), Mode::Configured, move |compiled| {
        compiled.only(&wanted)
    })
    .await?;
    if returned.ok && returned.value.as_object().is_some_and(Map::is_empty) {
        return Ok(Return {
            value: json!([unknown]),
            ok: false,
        });
    }
    Ok(returned)
}

async fn high(call: Call<'_>) -> Result<Return, Fault> {
    let declared = declared(&call)?;
    run(&call, What::Inline(declared), Mode::Configured, |all| all).await
}

async fn low_chunk(call: Call<'_>) -> Result<Return, Fault> {
    let chunk = declared(&call)?;
    let word = |key: &str| match chunk[key].as_str() {
        Some(word) => Ok(word.to_owned()),
        None => Err(Fault::new(format!("state.low: the chunk has no '{key}'"))
            .hint("give at least state, fun and name")),
    };
    let (state, fun, name) = (word("state")?, word("fun")?, word("name")?);
    let id = chunk["__id__"].as_str().unwrap_or(&name);
    let own = |key: &str| matches!(key, "state" | "fun") || key.starts_with("__");
    let arguments: Vec<Value> = chunk
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !own(key))
        .map(|(key, value)| json!({ key: value }))
        .collect();
    let declared = json!({ id: { format!("{state}.{fun}"): arguments } });
    let mut returned = run(&call, What::Inline(declared), Mode::Configured, |all| all).await?;
    let alone = returned
        .value
        .as_object()
        .and_then(|all| all.values().next());
    if let Some(alone) = alone.cloned() {
        returned.value = alone;
    }
    Ok(returned)
}

/// The dictionary `data`.
fn declared(call: &Call<'_>) -> Result<Value, Fault> {
    let given = call.args.get(0, "data");
    given
        .filter(|data| data.is_object())
        .cloned()
        .ok_or_else(|| {
            Fault::new(format!(
                "{}: the argument 'data' is not a dictionary",
                call.fun
            ))
            .hint(format!("see sys.doc {}", call.fun))
        })
}

/// Salt's words for the run that goes on.
fn running(call: &Call<'_>) -> Return {
    let found = StateRun::look(&call.minion.state_dir);
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    Return::ok(json!(texts))
}

async fn sls_exists(call: Call<'_>) -> Result<Return, Fault> {
    let mods = required_mods(&call, 0)?;
    let found = compiled(&call, What::Sls(mods), None).await?;
    Ok(Return::ok(found.is_ok()))
}

async fn id_exists(call: Call<'_>) -> Result<Return, Fault> {
    let ids = call
        .args
        .get(0, "ids")
        .ok_or_else(|| Fault::new("state.id_exists: missing argument 'ids'"))?;
    let ids = names(&call, ids)?;
    let mods = required_mods(&call, 1)?;
    Ok(match compiled(&call, What::Sls(mods), None).await? {
        Ok((_, compiled)) => Return::ok(ids.iter().all(|id| compiled.high.get(id).is_some())),
        Err(texts) => Return {
            value: json!(texts),
            ok: false,
        },
    })
}

async fn show_states(call: Call<'_>) -> Result<Return, Fault> {
    let sorted = call.args.flag("sorted")?.unwrap_or(true);
    Ok(match compiled(&call, What::Highstate, None).await? {
        Ok((_, compiled)) => {
            let mut sls: Vec<String> = Vec::new();
            for chunk in compiled.chunks {
                if !sls.contains(&chunk.sls) {
                    sls.push(chunk.sls);
                }
            }
            if sorted {
                sls.sort();
            }
            Return::ok(json!(sls))
        }
        Err(texts) => Return {
            value: json!(texts),
            ok: false,
        },
    })
}

fn required_mods(call: &Call<'_>, position: usize) -> Result<Vec<String>, Fault> {
    let mods = call
        .args
        .get(position, "mods")
        .ok_or_else(|| Fault::new(format!("{}: missing argument 'mods'", call.fun)))?;
    names(call, mods)
}

async fn single(call: Call<'_>) -> Result<Return, Fault> {
    const OWN: [&str; 7] = [
        "fun",
        "test",
        "queue",
        "pillar",
        "saltenv",
        "pillarenv",
        "exclude",
    ];
    let fun = call.args.required(0, "fun")?;
    let name = call.args.required(1, "name")?;
    let given = call
        .args
        .all_named()
        .filter(|(key, _)| !OWN.contains(&key.as_str()) && *key != "name");
    let mut arguments = vec![json!({ "name": name })];
    arguments.extend(given.map(|(key, value)| json!({ key: value })));
    let declared = json!({ name.as_str(): { fun.as_str(): arguments } });
    run(
        &call,
        What::Inline(declared),
        Mode::Configured,
        |compiled| compiled,
    )
    .await
}

/// Brings about one state of the module `virt` for a function that does the same, or with `test` plans it. Returns what
/// changed, or would.
///
/// # Errors
/// The state failed; its comment says why.
pub(super) async fn bring_about(
    call: &Call<'_>,
    fun: &str,
    name: &str,
    arguments: Map<String, Value>,
    test: bool,
) -> Result<Map<String, Value>, Fault> {
    let mut listed = vec![json!({ "name": name })];
    listed.extend(
        arguments
            .into_iter()
            .map(|(key, value)| json!({ key: value })),
    );
    let declared = json!({ name: { format!("virt.{fun}"): listed } });
    let mode = if test { Mode::Test } else { Mode::Real };
    let returned = run(call, What::Inline(declared), mode, |compiled| compiled).await?;
    if !returned.ok {
        let failed = returned
            .value
            .as_object()
            .and_then(|all| all.values().next());
        let comment = failed.map_or_else(|| summary(&returned.value), |one| whole(&one["comment"]));
        return Err(Fault::new(comment));
    }
    let result = returned
        .value
        .as_object()
        .and_then(|all| all.values().next());
    let changes = result.and_then(|result| result["changes"].as_object());
    Ok(changes.cloned().unwrap_or_default())
}

fn whole(text: &Value) -> String {
    text.as_str()
        .map_or_else(|| text.to_string(), str::to_owned)
}

/// Compiles, takes the host's right to run states, and runs.
async fn run(
    call: &Call<'_>,
    what: What,
    mode: Mode,
    choose: impl FnOnce(Compiled) -> Compiled + Send,
) -> Result<Return, Fault> {
    let configured = call
        .minion
        .config
        .get("test")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let test = match mode {
        Mode::Test => true,
        Mode::Real => false,
        Mode::Configured => call.args.flag("test")?.unwrap_or(configured),
    };
    let _right = right(call).await?;
    // Fails at once, and in one place, when libvirt does not answer.
    let versions = call.minion.hypervisor.versions().await?;
    let (target, compiled) = match compiled(call, what, Some(versions)).await? {
        Ok(compiled) => compiled,
        Err(texts) => {
            return Ok(Return {
                value: nothing_assigned(&texts).unwrap_or_else(|| json!(texts)),
                ok: false,
            });
        }
    };
    let options = Options {
        test,
        context: call.context.clone(),
        agreed: None,
    };
    let results = executor::run(call.minion, target, choose(compiled), options).await;
    let ok = !call.context.cancel.is_cancelled()
        && !results
            .values()
            .any(|result| result["result"] == json!(false));
    Ok(Return {
        value: Value::Object(results),
        ok,
    })
}

/// Salt's one result where the top file assigns nothing to the host.
fn nothing_assigned(texts: &[String]) -> Option<Value> {
    let [text] = texts else {
        return None;
    };
    text.starts_with(sls::NO_TOP).then(|| {
        json!({ "no_|-states_|-states_|-None": {
            "result": false,
            "comment": text,
            "name": "No States",
            "changes": {},
            "__run_num__": 0,
        }})
    })
}

/// One state run at a time; on a described host nothing is done, and nobody needs to wait.
pub(super) async fn right(call: &Call<'_>) -> Result<Option<StateRun>, Fault> {
    if call.minion.known.is_some() {
        return Ok(None);
    }
    let dir = &call.minion.state_dir;
    let queue = call.args.flag("queue")?.unwrap_or(false);
    let taken = if queue {
        StateRun::wait(dir, call.fun, &call.context.jid).await
    } else {
        StateRun::begin(dir, call.fun, &call.context.jid)
    };
    Ok(Some(taken?))
}

/// The chunks, or the texts that replace all results.
pub(super) async fn compiled(
    call: &Call<'_>,
    what: What,
    versions: Option<Versions>,
) -> Result<Result<(Target, Compiled), Vec<String>>, Fault> {
    let (target, faults) = compile::prepare(
        call.minion,
        Extra {
            versions,
            ..extra(call)?
        },
    )
    .await;
    compile::warn(&faults);
    if sls::has_errors(&faults) {
        return Ok(Err(compile::pillar_failed(&faults)));
    }
    let (compiled, faults) = compile::compile(call.minion, &target, what, excluded(call)?).await;
    compile::warn(&faults);
    if sls::has_errors(&faults) {
        return Ok(Err(compile::texts_of(&faults)));
    }
    Ok(Ok((target, compiled)))
}

async fn show(call: Call<'_>, tell: fn(Compiled) -> Value) -> Result<Return, Fault> {
    let what = What::Sls(required_mods(&call, 0)?);
    shown(&call, what, tell).await
}

async fn show_high(call: Call<'_>, tell: fn(Compiled) -> Value) -> Result<Return, Fault> {
    shown(&call, What::Highstate, tell).await
}

async fn shown(call: &Call<'_>, what: What, tell: fn(Compiled) -> Value) -> Result<Return, Fault> {
    Ok(match compiled(call, what, None).await? {
        Ok((_, compiled)) => Return::ok(tell(compiled)),
        Err(texts) => Return {
            value: json!(texts),
            ok: false,
        },
    })
}

fn low(compiled: Compiled) -> Value {
    compiled.chunks.iter().map(Chunk::low).collect()
}

async fn show_top(call: Call<'_>) -> Result<Return, Fault> {
    let target = compile::target(call.minion, extra(&call)?).await?;
    let (top, faults): (_, Vec<Diagnostic>) = compile::top(call.minion, &target).await;
    if sls::has_errors(&faults) {
        return Ok(Return {
            value: json!(compile::texts_of(&faults)),
            ok: false,
        });
    }
    Ok(Return::ok(
        top.into_iter()
            .map(|(env, sls)| (env, json!(sls)))
            .collect::<Map<_, _>>(),
    ))
}

fn extra(call: &Call<'_>) -> Result<Extra, Fault> {
    let pillar =
        match call.args.named("pillar") {
            Some(Value::String(text)) => Some(sls::yaml::load(text).map_err(|error| {
                Fault::new(format!("the argument 'pillar' is not YAML: {error}"))
            })?),
            other => other.cloned(),
        };
    if pillar.as_ref().is_some_and(|pillar| !pillar.is_object()) {
        return Err(Fault::new("the argument 'pillar' is not a dictionary")
            .hint("write pillar='{key: value}'"));
    }
    Ok(Extra {
        pillar,
        saltenv: call.args.environment("saltenv"),
        pillarenv: call.args.environment("pillarenv"),
        ..Extra::default()
    })
}

/// `a,b` or a list.
pub(super) fn names(call: &Call<'_>, value: &Value) -> Result<Vec<String>, Fault> {
    let split = |text: &str| {
        text.split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
    };
    match value {
        Value::String(text) => Ok(split(text)),
        Value::Array(items) if items.iter().all(Value::is_string) => Ok(items
            .iter()
            .filter_map(Value::as_str)
            .flat_map(split)
            .collect()),
        Value::Number(number) => Ok(vec![number.to_string()]),
        other => Err(Fault::new(format!(
            "{}: {other} does not name SLS files",
            call.fun
        ))),
    }
}

fn excluded(call: &Call<'_>) -> Result<Vec<Exclude>, Fault> {
    let given = match call.args.named("exclude") {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => text.split(',').map(|name| json!(name.trim())).collect(),
        Some(Value::Array(items)) => items.clone(),
        Some(other) => vec![other.clone()],
    };
    let read = |item: &Value| {
        Exclude::from_value(item).ok_or_else(|| {
            Fault::new(format!(
                "the argument 'exclude' has {item}, which is neither an SLS nor {{id: …}}"
            ))
        })
    };
    given.iter().map(read).collect()
}

/// What failed, in one line for a list of actions.
pub(super) fn summary(value: &Value) -> String {
    match value {
        Value::Object(results) => {
            let failed: Vec<&Value> = results
                .values()
                .filter(|result| result["result"] == json!(false))
                .collect();
            let first = failed.first().map(|result| {
                format!(
                    ": {}: {}",
                    text(&result["__id__"]),
                    text(&result["comment"])
                )
            });
            format!(
                "{} of {} states failed{}",
                failed.len(),
                results.len(),
                first.unwrap_or_default()
            )
        }
        Value::Array(texts) => texts.first().map(text).unwrap_or_default(),
        other => text(other),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(
        || value.to_string(),
        |text| text.lines().next().unwrap_or_default().to_owned(),
    )
}
