//! Salt's event bus: what happened, by tag, for whoever watches now. Nothing is kept.

use crate::render::sees_returns;
use crate::words;
use db::{ActionRecord, JobRecord, KeyRecord, KeyStatus};
use jiff::Timestamp;
use model::{ActionKind, ActionStatus};
use serde_json::{Map, Value, json};
use server_api::Role;
use server_api::event::BusEvent;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Events kept for a slow watcher; it loses the oldest when it falls behind further.
const BACKLOG: usize = 1024;

/// The bus.
#[derive(Debug, Clone)]
pub struct Bus(broadcast::Sender<Said>);

/// An event of the bus.
#[derive(Debug, Clone)]
pub struct Said {
    /// What happened.
    pub event: Arc<BusEvent>,
    /// It was said here and not with another server of the database.
    pub here: bool,
}

impl Bus {
    /// A bus without watchers.
    pub fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    /// Everything that is said from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Said> {
        self.0.subscribe()
    }

    /// Says something; adds Salt's `_stamp`.
    pub fn send(&self, tag: String, mut data: Map<String, Value>) {
        data.insert("_stamp".to_owned(), stamp().into());
        let data = Value::Object(data);
        self.pass_on(BusEvent { tag, data }, true);
    }

    /// Says what another server has heard.
    pub fn repeat(&self, event: BusEvent) {
        self.pass_on(event, false);
    }

    fn pass_on(&self, event: BusEvent, here: bool) {
        let event = Arc::new(event);
        // Nobody may be watching.
        let _ = self.0.send(Said { event, here });
    }

    /// An event of a host, wrapped as a master shows what its minion says.
    pub fn send_for_host(&self, host: &str, tag: &str, data: Value) {
        let wrapped = object(json!({
            "id": host, "tag": tag, "data": data, "cmd": "_minion_event", "pretag": null,
        }));
        self.send(tag.to_owned(), wrapped);
    }

    /// An agent process has started.
    pub fn host_started(&self, host: &str) {
        let tag = format!("salt/minion/{host}/start");
        let said = format!("Minion {host} started at {}", stamp());
        self.send_for_host(host, &tag, said.into());
    }

    /// Hosts came or went.
    pub fn presence(&self, new: &[&str], lost: &[&str]) {
        let data = object(json!({ "new": new, "lost": lost }));
        self.send("salt/presence/change".to_owned(), data);
    }

    /// An agent has shown a key whose status is new. Source: Salt, `salt/auth` of the master.
    pub fn key_shown(&self, key: &KeyRecord) {
        let act = match key.status {
            KeyStatus::Unaccepted => "pend",
            KeyStatus::Accepted => "accept",
            KeyStatus::Rejected => "reject",
            KeyStatus::Denied => "denied",
        };
        let accepted = key.status == KeyStatus::Accepted;
        let data = object(json!({
            "id": key.name, "act": act, "result": accepted, "pub": key.fingerprint.to_string(),
        }));
        self.send("salt/auth".to_owned(), data);
    }

    /// Somebody has decided about a key: `accept`, `reject`, `delete`. Source: Salt, `salt/key`.
    pub fn key_decided(&self, name: &str, act: &str) {
        let data = object(json!({ "id": name, "act": act, "result": true }));
        self.send("salt/key".to_owned(), data);
    }

    /// A job was queued.
    pub fn job_new(&self, job: &JobRecord, actions: &[ActionRecord]) {
        let minions: Vec<&str> = actions.iter().map(|a| a.host.name.as_str()).collect();
        let arg = actions
            .first()
            .map_or_else(Vec::new, |a| arguments(&a.action.kind));
        let data = object(json!({
            "jid": job.id.to_string(), "tgt": job.target, "tgt_type": job.target_kind, "fun": job.fun,
            "arg": arg, "user": job.user, "minions": minions, "missing": [],
        }));
        self.send(format!("salt/job/{}/new", job.id), data);
    }

    /// An action has ended.
    pub fn job_returned(&self, action: &ActionRecord) {
        let jid = action.action.job.to_string();
        let success = action.action.status == ActionStatus::Succeeded;
        let fun = words::fun(&action.action.kind);
        let mut data = object(json!({
            "id": action.host.name, "jid": jid, "fun": fun, "fun_args": arguments(&action.action.kind),
            "return": returned(action), "retcode": retcode(action), "success": success,
            "cmd": "_return", "user": action.user,
        }));
        if fun.starts_with("state.") {
            data.insert("out".to_owned(), "highstate".into());
        }
        self.send(format!("salt/job/{jid}/ret/{}", action.host.name), data);
    }
}

/// An event as a role sees it: without what functions were given and returned, unless it may see that.
pub fn shown(event: &BusEvent, role: Role) -> Cow<'_, BusEvent> {
    let fun = event.data["fun"].as_str().unwrap_or_default();
    if sees_returns(role, fun) || !event.tag.starts_with("salt/job/") {
        return Cow::Borrowed(event);
    }
    let mut event = event.clone();
    if let Value::Object(data) = &mut event.data {
        for private in ["arg", "fun_args", "return"] {
            data.remove(private);
        }
    }
    Cow::Owned(event)
}

/// Salt's time: UTC without a zone, to the microsecond.
fn stamp() -> String {
    Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%6f")
        .to_string()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Positional arguments first, then one dictionary of the named ones with Salt's marker.
fn arguments(kind: &ActionKind) -> Vec<Value> {
    let ActionKind::Function { args, kwargs, .. } = kind else {
        return Vec::new();
    };
    let mut arguments: Vec<Value> = serde_json::from_str(args).unwrap_or_default();
    let mut named: Map<String, Value> = serde_json::from_str(kwargs).unwrap_or_default();
    if !named.is_empty() {
        named.insert("__kwarg__".to_owned(), true.into());
        arguments.push(named.into());
    }
    arguments
}

fn returned(action: &ActionRecord) -> Value {
    let result = action.result.as_deref();
    match result.and_then(|text| serde_json::from_str(text).ok()) {
        Some(value) => value,
        None => action.error.clone().map_or(Value::Null, Value::from),
    }
}

/// 0 done, 2 a state failed, 1 anything else. Source: Salt, minion return codes.
fn retcode(action: &ActionRecord) -> u8 {
    match action.action.status {
        ActionStatus::Succeeded => 0,
        _ if action.result.is_some() && words::fun(&action.action.kind).starts_with("state.") => 2,
        _ => 1,
    }
}
