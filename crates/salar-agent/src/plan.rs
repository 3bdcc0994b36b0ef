//! `salar-agent plan` and `apply`: what states would do, printed, and doing exactly that.

use crate::call::{complain, print_states, started};
use crate::logging::Time;
use crate::options::{ApplyOptions, PlanOptions, PlanningOptions};
use crate::{DONE, FAILED, USAGE, host, logging};
use agent::functions::{self, Fault, Return};
use serde_json::{Map, Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

/// A plan with more than this was not written by this program.
const LARGEST: u64 = 256 << 20;

/// Plans and prints: exit status 0 also when something would change, 1 when a state fails.
pub async fn plan(options: PlanOptions) -> u8 {
    let mut named = Map::new();
    if !options.sls.is_empty() {
        named.insert("mods".to_owned(), json!(options.sls));
    }
    if let Some(pillar) = options.pillar {
        named.insert("pillar".to_owned(), json!(pillar));
    }
    let Some(returned) = run(options.planning, "state.plan", &[], &named).await else {
        return USAGE;
    };
    match returned {
        Ok(Return { value, ok }) => {
            let printed = match (&value, options.json) {
                (Value::Object(_), false) => outputter::plan_page(&value),
                (Value::Object(_), true) => format!("{value:#}\n"),
                (texts, _) => return not_compiled(texts),
            };
            let written = std::io::stdout().write_all(printed.as_bytes());
            if ok && written.is_ok() { DONE } else { FAILED }
        }
        Err(fault) => {
            complain(&fault);
            FAILED
        }
    }
}

/// Applies the plan in a file, or in standard input for `-`.
pub async fn apply(options: ApplyOptions) -> u8 {
    let plan = match read(&options.plan) {
        Ok(plan) => plan,
        Err(error) => {
            let path = options.plan.display();
            complain(&Fault::new(format!("cannot read the plan {path}: {error}")));
            return FAILED;
        }
    };
    let named = Map::from_iter([("plan".to_owned(), Value::String(plan))]);
    match run(options.planning, "state.apply_plan", &[], &named).await {
        None => USAGE,
        Some(Ok(returned)) => print_states(returned),
        Some(Err(fault)) => {
            complain(&fault);
            FAILED
        }
    }
}

/// Calls the function on the host that the options name; `None` when they make no sense.
pub(crate) async fn run(
    options: PlanningOptions,
    fun: &str,
    given: &[Value],
    named: &Map<String, Value>,
) -> Option<Result<Return, Fault>> {
    if let Err(message) = logging::start(&options.log_level, Time::Told) {
        eprintln!("Error: {message}");
        return None;
    }
    let state_dir = options.state_dir.unwrap_or_else(host::default_state_dir);
    let minion = host::minion(
        options.host,
        options.connect,
        state_dir,
        host::Life::OneCall,
    );
    let minion = match minion {
        Ok(minion) => Arc::new(minion),
        Err(error) => return Some(Err(Fault::new(error.to_string()))),
    };
    Some(
        started(
            |context| async move { functions::call(&minion, fun, given, named, &context).await },
        )
        .await,
    )
}

/// What does not compile is told on standard error: standard output has a plan or nothing.
fn not_compiled(texts: &Value) -> u8 {
    let texts = texts.as_array().into_iter().flatten();
    for text in texts.filter_map(Value::as_str) {
        eprintln!("Error: {}", outputter::visible(text));
    }
    FAILED
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().take(LARGEST).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(path)?
            .take(LARGEST)
            .read_to_string(&mut text)?;
    }
    Ok(text)
}
