//! Execution functions: one table for actions of the server, for local calls and for `salt['…']` in templates.
//!
//! ```text
//!  name ─▶ table ─▶ handler(call) ─▶ Return { value, ok }
//! ```
//! A handler reads or changes its host through the port only. Templates reach those that only read.

mod absent;
mod address;
mod arguments;
mod bridge;
mod builtin;
mod capabilities;
mod change;
#[cfg(test)]
mod compatibility;
mod counters;
mod data;
mod declare;
mod describe;
mod file;
mod host;
mod life;
mod migrate;
mod network;
mod plans;
mod pool;
mod purge;
mod signature;
mod snapshot;
mod states;
mod table;
#[cfg(test)]
mod tests;
mod vm;
mod volume;

pub use arguments::{Arguments, command_line};
pub(crate) use bridge::Bridge;
pub use table::{Access, Function, find, names};

use crate::busy::BusyError;
use crate::journal::Ending;
use crate::minion::Minion;
use crate::progress::{EventSink, NewsSink, no_events, no_news};
use hypervisor::HypervisorError;
use model::ActionStatus;
use serde_json::Value;
use sls::Map;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What accompanies a call.
#[derive(Clone)]
pub struct Context {
    /// Where news of running states go.
    pub news: NewsSink,
    /// Where events for the bus go.
    pub events: EventSink,
    /// Asks the function to stop between two steps.
    pub cancel: CancellationToken,
    /// The job, for messages.
    pub jid: String,
}

impl Context {
    /// Nobody watches and nobody cancels.
    pub fn quiet() -> Self {
        Self {
            news: no_news(),
            events: no_events(),
            cancel: CancellationToken::new(),
            jid: new_jid(),
        }
    }
}

/// A job id in Salt's form: the local time to the microsecond.
pub fn new_jid() -> String {
    jiff::ZonedDateTime::now()
        .strftime("%Y%m%d%H%M%S%6f")
        .to_string()
}

/// One call of a function.
pub struct Call<'a> {
    /// The host.
    pub minion: &'a Arc<Minion>,
    /// `module.function`
    pub fun: &'a str,
    /// What it was given.
    pub args: Arguments<'a>,
    /// What accompanies it.
    pub context: &'a Context,
}

/// What a function returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// The value that Salt would return.
    pub value: Value,
    /// Salt's return code is 0.
    pub ok: bool,
}

impl Return {
    /// It worked.
    pub fn ok(value: impl Into<Value>) -> Self {
        Self {
            value: value.into(),
            ok: true,
        }
    }
}

/// Why a function did not return.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What was tried and why it failed.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<HypervisorError> for Fault {
    fn from(error: HypervisorError) -> Self {
        Self {
            hint: error.hint().map(str::to_owned),
            message: error.to_string(),
        }
    }
}

impl From<BusyError> for Fault {
    fn from(error: BusyError) -> Self {
        let hint = match &error {
            BusyError::Running { .. } => "wait for it, or add queue=True to start right after it",
            BusyError::Lock { .. } => "run as root, or give another folder with --state-dir",
        };
        Self::new(error.to_string()).hint(hint)
    }
}

/// Calls the function `fun`.
///
/// # Errors
/// There is no such function, its arguments make no sense, or the host refuses.
pub async fn call(
    minion: &Arc<Minion>,
    fun: &str,
    args: &[Value],
    kwargs: &Map,
    context: &Context,
) -> Result<Return, Fault> {
    let Some(function) = find(fun) else {
        return Err(table::unknown(fun));
    };
    let args = Arguments::new(fun, args, kwargs);
    signature::check(function, &args, &minion.uri)?;
    (function.run)(Call {
        minion,
        fun,
        args,
        context,
    })
    .await
}

/// Whether a function reads state files or pillar: by its module, or because it is given a file of the tree.
pub(crate) fn reads_tree(fun: &str, args: &str, kwargs: &str) -> bool {
    let module = fun.split('.').next().unwrap_or_default();
    matches!(module, "state" | "pillar" | "config")
        || [args, kwargs].iter().any(|given| given.contains("salt://"))
}

/// Calls a function for an action of the server; arguments come as JSON.
pub(crate) async fn run_action(
    minion: &Arc<Minion>,
    fun: &str,
    args: &str,
    kwargs: &str,
    context: Context,
) -> Ending {
    let args = if args.is_empty() {
        Ok(Vec::new())
    } else {
        serde_json::from_str::<Vec<Value>>(args)
    };
    let kwargs = if kwargs.is_empty() {
        Ok(Map::new())
    } else {
        serde_json::from_str::<Map>(kwargs)
    };
    let (args, kwargs) = match (args, kwargs) {
        (Ok(args), Ok(kwargs)) => (args, kwargs),
        (Err(error), _) | (_, Err(error)) => {
            return Ending::failed(
                format!("the arguments of {fun} cannot be read: {error}"),
                "",
            );
        }
    };
    match call(minion, fun, &args, &kwargs, &context).await {
        Ok(returned) => ending(&returned, context.cancel.is_cancelled()),
        Err(fault) => Ending::failed(fault.message, fault.hint.unwrap_or_default()),
    }
}

fn ending(returned: &Return, cancelled: bool) -> Ending {
    let (status, error) = match (returned.ok, cancelled) {
        (true, _) => (ActionStatus::Succeeded, String::new()),
        (false, true) => (
            ActionStatus::Cancelled,
            "cancelled between two steps".to_owned(),
        ),
        (false, false) => (ActionStatus::Failed, states::summary(&returned.value)),
    };
    Ending {
        result_json: returned.value.to_string(),
        ..Ending::new(status, error, "")
    }
}
