//! `onlyif`, `unless`, `creates`: commands and functions that decide whether a state runs, also in a dry run.

use super::Run;
use crate::functions::{self, Context};
use serde_json::Value;
use sls::lookup::traverse;
use sls::{Chunk, Map};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

impl Run {
    /// Why the chunk need not run, in Salt's words.
    pub(super) async fn not_needed(&self, chunk: &Chunk) -> Option<String> {
        let globals = &chunk.globals;
        if let Some(conditions) = &globals.onlyif
            && !self.all_hold(conditions).await
        {
            return Some("onlyif condition is false".to_owned());
        }
        if let Some(conditions) = &globals.unless
            && self.all_hold(conditions).await
        {
            return Some("unless condition is true".to_owned());
        }
        match globals.creates.as_slice() {
            [] => None,
            paths if !paths.iter().all(|path| Path::new(path).exists()) => None,
            [path] => Some(format!("{path} exists")),
            _ => Some("All files in creates exist".to_owned()),
        }
    }

    /// Every command ends with 0 and every function returns something true.
    pub(super) async fn all_hold(&self, conditions: &Value) -> bool {
        let items = match conditions {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            let holds = match item {
                Value::Object(call) => self.function_holds(call).await,
                Value::Bool(constant) => *constant,
                Value::String(command) => command_holds(command).await,
                other => command_holds(&other.to_string()).await,
            };
            if !holds {
                return false;
            }
        }
        true
    }

    /// `{fun: module.function, args: […], get_return: path, k: v}`
    async fn function_holds(&self, call: &Map) -> bool {
        let Some(fun) = call.get("fun").and_then(Value::as_str) else {
            return false;
        };
        let args = call
            .get("args")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let own = |key: &str| matches!(key, "fun" | "args" | "get_return");
        let kwargs: Map = call
            .iter()
            .filter(|(key, _)| !own(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        match Box::pin(functions::call(
            &self.minion,
            fun,
            &args,
            &kwargs,
            &Context::quiet(),
        ))
        .await
        {
            Ok(returned) => match call.get("get_return").and_then(Value::as_str) {
                Some(path) => traverse(&returned.value, path, ":").is_some_and(is_true),
                None => is_true(&returned.value),
            },
            Err(fault) => {
                tracing::warn!("A condition calls {fun}, which fails: {fault}");
                false
            }
        }
    }
}

/// Runs the command as its author wrote it: state files belong to root and say what root runs.
async fn command_holds(command: &str) -> bool {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match shell.status().await {
        Ok(status) => status.success(),
        Err(error) => {
            tracing::warn!("Cannot run the condition {command:?}: {error}");
            false
        }
    }
}

/// Python's truth.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
