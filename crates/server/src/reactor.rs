//! The reactor: what an administrator wants done when something happens.
//!
//! ```text
//!  bus ──tag──▶ rules ──▶ SLS (Jinja with tag and data) ──▶ reactions ──▶ the queue, the bus, the keys
//! ```
//! Files are read when they are needed, so that an edit counts at once. What a reaction asks of hosts is a job as any
//! other, of the user `Reactor`: durable, and in the history. Events themselves are not kept: what happens while the
//! server is down leads to nothing.

use crate::app::App;
use crate::bus::Said;
use crate::http::queue_run;
use crate::link::NoFunctions;
use crate::replicas;
use db::KeyStatus;
use serde_json::{Map, Value, json};
use server_api::Role;
use server_api::event::BusEvent;
use server_api::run::RunRequest;
use sls::reactor::{Client, Reaction, react};
use sls::{Diagnostic, Files, Functions, Target, glob};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tracing::{error, info, warn};
use tree::{BASE, Roots};

/// Whose jobs they are.
const USER: &str = "Reactor";
/// Tags of what the reactor itself says; no rule hears them.
const OWN: &str = "salar/reactor/";
/// So many files may be acted on within the window: a reaction whose own event it is for would go on for ever.
const MOST: usize = 200;
const WINDOW: Duration = Duration::from_secs(10);

/// What to do when an event has a tag like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Shell pattern of tags.
    pub tag: String,
    /// Files, in the order in which they are acted on.
    pub sls: Vec<RuleFile>,
}

/// A file that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleFile {
    /// Under the file roots: `salt://reactor/start.sls`.
    Tree(String),
    /// Anywhere on the server.
    Path(PathBuf),
}

impl FromStr for RuleFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("salt://").filter(|path| !path.is_empty()) {
            return Ok(Self::Tree(path.to_owned()));
        }
        let path = Path::new(text);
        match path.is_absolute() && path.file_name().is_some() {
            true => Ok(Self::Path(path.to_owned())),
            false => Err(format!(
                "{text:?} is neither salt://PATH nor an absolute path"
            )),
        }
    }
}

impl std::fmt::Display for RuleFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tree(path) => write!(f, "salt://{path}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Acts on events until the server ends.
pub async fn run(app: Arc<App>, rules: Vec<Rule>, mut events: Receiver<Said>) {
    let mut brake = Brake::default();
    for rule in &rules {
        let files: Vec<String> = rule.sls.iter().map(RuleFile::to_string).collect();
        info!("The reactor acts on {} with {}", rule.tag, files.join(", "));
    }
    loop {
        let event = tokio::select! {
            () = app.shutdown.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            // What other servers have heard is for their reactors.
            Ok(Said { here: false, .. }) => {}
            Ok(Said { event, .. }) => act(&app, &rules, &event, &mut brake).await,
            Err(RecvError::Lagged(lost)) => error!(
                "The reactor is too slow: {lost} events have gone by without being looked at"
            ),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn act(app: &Arc<App>, rules: &[Rule], event: &Arc<BusEvent>, brake: &mut Brake) {
    if event.tag.starts_with(OWN) {
        return;
    }
    for rule in rules
        .iter()
        .filter(|rule| glob::matches(&rule.tag, &event.tag))
    {
        for file in &rule.sls {
            if !brake.lets_pass(Instant::now()) {
                let why = format!(
                    "more than {MOST} reactions within {} s; is one the event of another?",
                    WINDOW.as_secs()
                );
                fail(app, event, file, None, &why);
                continue;
            }
            one_file(app, event, file).await;
        }
    }
}

async fn one_file(app: &Arc<App>, event: &Arc<BusEvent>, file: &RuleFile) {
    let (reader, about, which) = (app.clone(), event.clone(), file.clone());
    let read = tokio::task::spawn_blocking(move || read(&reader, &about, &which)).await;
    let Ok((reactions, faults)) = read else {
        return fail(app, event, file, None, "its template ended in a panic");
    };
    for fault in faults {
        match fault.is_error() {
            true => fail(app, event, file, None, &fault.text()),
            false => warn!("{file}: {}", fault.text()),
        }
    }
    for reaction in reactions {
        let fun = format!("{} of {}", reaction.fun, reaction.id);
        match perform(app, reaction).await {
            Ok(()) => info!("{file} has led to {fun}, because of {}", event.tag),
            Err(why) => fail(app, event, file, Some(&fun), &why),
        }
    }
}

/// Reads and renders: blocks meanwhile.
fn read(app: &App, event: &BusEvent, file: &RuleFile) -> (Vec<Reaction>, Vec<Diagnostic>) {
    let mut target = Target::new(USER);
    target
        .names
        .insert("tag".to_owned(), event.tag.clone().into());
    target.names.insert("data".to_owned(), event.data.clone());
    let (roots, path) = match file {
        RuleFile::Tree(path) => (app.tree.state_files().clone(), path.clone()),
        RuleFile::Path(path) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (Roots::new([folder.to_owned()]), name.into_owned())
        }
    };
    let files: Arc<dyn Files> = Arc::new(roots);
    let functions: Arc<dyn Functions> = Arc::new(NoFunctions(
        "the server renders what the reactor does, from the event alone",
    ));
    react(&target, BASE, &path, &files, &functions)
}

/// A failure is said where somebody can hear it.
fn fail(app: &App, event: &BusEvent, file: &RuleFile, what: Option<&str>, why: &str) {
    let what = what.map(|what| format!("{what}: ")).unwrap_or_default();
    error!(
        "The reactor's {file} has failed for {}: {what}{why}",
        event.tag
    );
    let data =
        json!({ "tag": event.tag, "sls": file.to_string(), "error": format!("{what}{why}") });
    let data = data.as_object().cloned().unwrap_or_default();
    app.bus.send(format!("{OWN}failed"), data);
}

async fn perform(app: &Arc<App>, reaction: Reaction) -> Result<(), String> {
    let Reaction {
        fun,
        args,
        kwargs,
        to,
        ..
    } = reaction;
    match to {
        Client::Hosts { target, kind } => {
            let run = RunRequest {
                target,
                target_kind: kind,
                fun,
                args,
                kwargs,
            };
            let queued = queue_run(app, (USER, Role::Administrator), &run, None).await;
            queued.map(drop).map_err(|error| error.to_string())
        }
        Client::Runner => match fun.as_str() {
            "event.send" => send_event(app, &args, kwargs),
            _ => Err(format!(
                "there is no runner {fun} here; there is event.send"
            )),
        },
        Client::Wheel => {
            let status = match fun.as_str() {
                "key.accept" => Some(KeyStatus::Accepted),
                "key.reject" => Some(KeyStatus::Rejected),
                "key.delete" => None,
                _ => {
                    return Err(format!(
                        "there is no wheel {fun} here; there are key.accept, key.reject and key.delete"
                    ));
                }
            };
            let wanted = args.first().or_else(|| kwargs.get("match"));
            let wanted = wanted
                .and_then(Value::as_str)
                .ok_or("it names no key: match")?;
            decide(app, wanted, status).await
        }
    }
}

fn send_event(app: &App, args: &[Value], mut kwargs: Map<String, Value>) -> Result<(), String> {
    let tag = args.first().cloned().or_else(|| kwargs.remove("tag"));
    let tag = tag
        .as_ref()
        .and_then(Value::as_str)
        .filter(|tag| !tag.is_empty());
    let tag = tag.ok_or("it names no tag")?.to_owned();
    let data = args.get(1).cloned().or_else(|| kwargs.remove("data"));
    match data {
        None | Some(Value::Null) => app.bus.send(tag, Map::new()),
        Some(Value::Object(data)) => app.bus.send(tag, data),
        Some(_) => return Err("the data of an event is a dictionary".to_owned()),
    }
    Ok(())
}

/// Decides about the keys of these names that wait, or forgets keys; `None` is that.
async fn decide(app: &App, wanted: &str, status: Option<KeyStatus>) -> Result<(), String> {
    let failed = |error: db::StoreError| error.to_string();
    let keys = app.store.list_keys().await.map_err(failed)?;
    let waits = |status: KeyStatus| status == KeyStatus::Unaccepted;
    let meant = keys
        .iter()
        .filter(|key| glob::matches(wanted, &key.name) && (status.is_none() || waits(key.status)));
    let mut found = false;
    for key in meant {
        found = true;
        let print = &key.fingerprint;
        let act = match status {
            Some(status) => {
                app.store
                    .decide_key(print, status, USER)
                    .await
                    .map_err(failed)?;
                if status == KeyStatus::Accepted {
                    "accept"
                } else {
                    "reject"
                }
            }
            None => {
                app.store.delete_key(print).await.map_err(failed)?;
                "delete"
            }
        };
        if act != "accept" {
            replicas::revoke(app, print);
        }
        app.bus.key_decided(&key.name, act);
    }
    found
        .then_some(())
        .ok_or_else(|| format!("there is no such key of {wanted}"))
}

/// How many files were acted on lately.
#[derive(Debug, Default)]
struct Brake(VecDeque<Instant>);

impl Brake {
    fn lets_pass(&mut self, now: Instant) -> bool {
        while self
            .0
            .front()
            .is_some_and(|at| now.duration_since(*at) >= WINDOW)
        {
            self.0.pop_front();
        }
        let passes = self.0.len() < MOST;
        if passes {
            self.0.push_back(now);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_in_two_ways() {
        assert_eq!(
            "salt://r/start.sls".parse(),
            Ok(RuleFile::Tree("r/start.sls".to_owned()))
        );
        assert_eq!(
            "/srv/r.sls".parse(),
            Ok(RuleFile::Path(PathBuf::from("/srv/r.sls")))
        );
        for bad in ["", "salt://", "r/start.sls", "/"] {
            assert!(bad.parse::<RuleFile>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_circle_is_braked_and_goes_on_later() {
        let mut brake = Brake::default();
        let now = Instant::now();
        assert!((0..MOST).all(|_| brake.lets_pass(now)));
        assert!(!brake.lets_pass(now));
        assert!(brake.lets_pass(now + WINDOW));
    }
}
