//! Printing the results of a job as they come.

use super::Wording;
use crate::output::{print, say};
use crate::wait::{Ended, Waiter, has_ended, trouble};
use crate::{Failure, Outcome};
use outputter::{Format, Returns, Style, render};
use serde_json::Value;
use server_api::action::Action;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What hosts have returned so far.
pub(crate) struct Report {
    format: Format,
    style: Style,
    at_once: bool,
    held: Returns,
    failed: Vec<String>,
    /// Why hosts were not waited for, a sentence for each.
    silent: Vec<String>,
    /// Their jobs.
    unfinished: BTreeSet<Uuid>,
}

impl Report {
    pub(crate) fn new(format: Format, style: Style, at_once: bool) -> Self {
        Self {
            format,
            style,
            at_once,
            held: Returns::new(),
            failed: Vec::new(),
            silent: Vec::new(),
            unfinished: BTreeSet::new(),
        }
    }

    /// Waits for the actions and prints each result when it comes.
    pub(crate) async fn follow(
        &mut self,
        waiter: Waiter,
        actions: Vec<Action>,
    ) -> Result<(), Failure> {
        self.follow_each(waiter, actions, async || Ok(Vec::new()))
            .await
    }

    /// The same, with more actions from `next` whenever one has ended.
    pub(crate) async fn follow_each(
        &mut self,
        mut waiter: Waiter,
        first: Vec<Action>,
        mut next: impl AsyncFnMut() -> Result<Vec<Action>, Failure>,
    ) -> Result<(), Failure> {
        for action in first {
            waiter.add(action);
        }
        while let Some(ended) = waiter.next().await? {
            match ended {
                Ended::Action(action) => self.returned(&action)?,
                Ended::Stuck(action, why) => self.stuck(&action, why)?,
            }
            for action in next().await? {
                waiter.add(action);
            }
        }
        Ok(())
    }

    /// Prints what there is of a job and names what is not there yet.
    pub(crate) fn as_it_is(&mut self, actions: &[Action]) -> Result<(), Failure> {
        for action in actions {
            if has_ended(action) {
                self.returned(action)?;
            } else {
                let waits = action
                    .waits_for
                    .as_deref()
                    .map(|what| format!(": {what}"))
                    .unwrap_or_default();
                say(&format!(
                    "{} is not done ({}{waits})",
                    action.host, action.status
                ));
            }
        }
        Ok(())
    }

    fn returned(&mut self, action: &Action) -> Result<(), Failure> {
        if action.status != "succeeded" {
            self.failed.push(action.host.clone());
        }
        self.put(action.host.clone(), value_of(action))
    }

    fn stuck(&mut self, action: &Action, why: String) -> Result<(), Failure> {
        self.silent.push(why);
        self.unfinished.insert(action.jid);
        let text = "Minion did not return. [Not connected]";
        match self.format {
            // Programs that read results must not take this for one.
            Format::Json | Format::Yaml | Format::Quiet => {
                say(&format!("{}: {text}", action.host));
                Ok(())
            }
            Format::Highstate | Format::Nested | Format::Txt => {
                self.put(action.host.clone(), Value::String(text.to_owned()))
            }
        }
    }

    fn put(&mut self, host: String, value: Value) -> Result<(), Failure> {
        if self.at_once {
            self.held.insert(host, value);
            return Ok(());
        }
        let one = Returns::from_iter([(host, value)]);
        print(&render(&one, self.format, &self.style))
    }

    /// Prints what was held back, and on standard error what went wrong.
    pub(crate) fn finish(self, wording: Wording) -> Result<Outcome, Failure> {
        if self.at_once {
            print(&render(&self.held, self.format, &self.style))?;
        }
        for why in &self.silent {
            say(&format!(
                "{why}; not waiting for it any longer, the server does."
            ));
        }
        for jid in &self.unfinished {
            say(&format!("Hint: see later with: salar job show {jid}"));
        }
        if self.failed.is_empty() && self.silent.is_empty() {
            return Ok(Outcome::Done);
        }
        match wording {
            Wording::Salt => say("ERROR: Minions returned with non-zero exit code"),
            Wording::Salar if !self.failed.is_empty() => {
                say(&format!("Error: failed on {}", self.failed.join(", ")));
            }
            Wording::Salar => {}
        }
        Ok(Outcome::Failed)
    }
}

/// What a host returned, or in its place why it returned nothing.
fn value_of(action: &Action) -> Value {
    match (&action.result, trouble(action)) {
        (Some(result), _) => result.clone(),
        (None, None) => Value::Null,
        (None, Some((message, None))) => Value::String(format!("ERROR: {message}")),
        (None, Some((message, Some(hint)))) => {
            Value::String(format!("ERROR: {message}\nHint: {hint}"))
        }
    }
}
