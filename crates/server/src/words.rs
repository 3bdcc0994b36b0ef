//! Sentences about actions and hosts.

use db::{ActionRecord, Behind, HostRecord};
use jiff::Timestamp;
use model::lifecycle::Request;
use model::{ActionKind, ActionStatus, Freshness, VmStatus};
use serde_json::{Map, Value};

/// `vm.start`, or the function.
pub fn fun(kind: &ActionKind) -> String {
    match kind {
        ActionKind::Vm { request, .. } => format!("vm.{}", request.as_str()),
        ActionKind::Function { fun, .. } => fun.clone(),
    }
}

/// Most characters of a summary: it is a line of a list, the whole call is in the action.
const SUMMARY: usize = 120;

/// `Start srv01`, `state.apply vm test=True`.
pub fn summary(kind: &ActionKind) -> String {
    let whole = whole_summary(kind);
    if whole.chars().count() <= SUMMARY {
        return whole;
    }
    whole.chars().take(SUMMARY - 1).chain(['…']).collect()
}

fn whole_summary(kind: &ActionKind) -> String {
    match kind {
        ActionKind::Vm { request, name, .. } => format!("{} {name}", imperative(*request)),
        ActionKind::Function { fun, args, kwargs } => {
            let args: Vec<Value> = serde_json::from_str(args).unwrap_or_default();
            let kwargs: Map<String, Value> = serde_json::from_str(kwargs).unwrap_or_default();
            let mut words = vec![fun.clone()];
            words.extend(args.iter().map(argument));
            words.extend(kwargs.iter().map(|(k, v)| format!("{k}={}", argument(v))));
            words.join(" ")
        }
    }
}

fn argument(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// The request as a button says it.
pub const fn imperative(request: Request) -> &'static str {
    match request {
        Request::Start => "Start",
        Request::Shutdown => "Shut down",
        Request::Reboot => "Reboot",
        Request::ForceOff => "Force off",
        Request::Reset => "Reset",
        Request::Pause => "Pause",
        Request::Resume => "Resume",
        Request::Save => "Save memory of",
    }
}

/// Why there is nothing to do for a request that is fulfilled, or about to be.
pub const fn already(status: VmStatus, request: Request) -> &'static str {
    match request {
        _ if matches!(status, VmStatus::ShuttingDown) => "The VM is shutting down already",
        Request::Start | Request::Resume => "The VM is running already",
        Request::Shutdown | Request::ForceOff => "The VM is off already",
        Request::Pause => "The VM is paused already",
        Request::Save => "The memory of the VM is saved already",
        Request::Reboot | Request::Reset => "There is nothing to do",
    }
}

/// What a queued action waits for.
pub fn waits_for(action: &ActionRecord) -> Option<String> {
    if action.action.status != ActionStatus::Queued {
        return None;
    }
    let host = &action.host.name;
    match (action.host.freshness, &action.behind) {
        (Freshness::Unreachable, _) => Some(format!("Waits for {host} to come back")),
        (_, Some(behind)) => Some(behind_words(behind)),
        (Freshness::LibvirtDown, None) => Some(format!("Waits for libvirt on {host}")),
        (Freshness::Live, None) => None,
    }
}

fn behind_words(behind: &Behind) -> String {
    let request = behind.fun.strip_prefix("vm.").and_then(Request::from_word);
    let what = match request {
        Some(request) => format!("{} {}", imperative(request), behind.vm_name),
        None => behind.fun.clone(),
    };
    if behind.unknown {
        format!("Waits until someone settles “{what}”, whose outcome is not known")
    } else {
        format!("Waits for “{what}”")
    }
}

/// What is wrong with a host, with the remedy.
pub fn problem(host: &HostRecord) -> Option<String> {
    let name = &host.facts.name;
    match host.freshness {
        Freshness::Live => None,
        Freshness::LibvirtDown if !host.problem.is_empty() => Some(host.problem.clone()),
        Freshness::LibvirtDown => Some(format!(
            "libvirt on {name} does not answer; check the service there: systemctl status libvirtd"
        )),
        Freshness::Unreachable => Some(format!(
            "The agent of {name} has been silent since {}; check that salar-agent runs there",
            time(host.last_seen)
        )),
    }
}

/// RFC 3339 in UTC, to the millisecond.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
