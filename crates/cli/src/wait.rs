//! Waiting for actions to end.
//!
//! The change feed brings news; each action is also read again from time to time, so that a lost event costs
//! seconds, not the answer. Only silence is bounded: an action of a host that can be reached is waited for as
//! long as it takes.

use crate::Failure;
use crate::output::{StatusLine, say};
use client::{Client, ClientError, Feed, FeedEvent};
use indexmap::IndexMap;
use server_api::action::Action;
use server_api::event::{Change, ChangedRow};
use server_api::host::Host;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use uuid::Uuid;

/// How often silent actions are read again.
const REREAD: Duration = Duration::from_secs(5);

/// How waiting for an action ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The action ended, well or badly.
    Action(Box<Action>),
    /// Its host cannot take it now, for the reason given; the action stays where it is.
    Stuck(Box<Action>, String),
}

/// Connected to the feed, so that nothing that happens from now on is missed.
pub(crate) struct Waiter {
    client: Client,
    feed: Feed,
    silence: Duration,
    tick: Interval,
    pending: IndexMap<Uuid, Pending>,
    status: StatusLine,
}

struct Pending {
    action: Action,
    heard: Instant,
    /// What it has been said to wait for.
    told: Option<String>,
}

impl Waiter {
    /// Connects. `silence` is how long a host may say nothing before it is asked whether it can be reached.
    pub(crate) async fn open(client: &Client, silence: Duration) -> Result<Self, Failure> {
        let mut feed = client.feed().await?;
        // Every connection begins with a hello; nothing has been asked for yet that it could be news of.
        feed.next().await?;
        let period = REREAD.min(silence).max(Duration::from_millis(100));
        let mut tick = interval_at(Instant::now() + period, period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            client: client.clone(),
            feed,
            silence,
            tick,
            pending: IndexMap::new(),
            status: StatusLine::new(),
        })
    }

    /// Adds an action to those waited for.
    pub(crate) fn add(&mut self, action: Action) {
        self.pending.insert(
            action.id,
            Pending {
                action,
                heard: Instant::now(),
                told: None,
            },
        );
    }

    /// The next action that has ended or will not be heard of; `None` when none is left.
    pub(crate) async fn next(&mut self) -> Result<Option<Ended>, Failure> {
        loop {
            if let Some(ended) = self.take_ended() {
                return Ok(Some(ended));
            }
            if self.pending.is_empty() {
                return Ok(None);
            }
            tokio::select! {
                event = self.feed.next() => match event? {
                    FeedEvent::Change(change) => self.apply(change),
                    FeedEvent::Hello(hello) if hello.resumed => {}
                    FeedEvent::Hello(_) | FeedEvent::Reset => self.reread().await?,
                },
                _ = self.tick.tick() => {
                    self.reread().await?;
                    if let Some(ended) = self.give_up().await? {
                        return Ok(Some(ended));
                    }
                }
            }
        }
    }

    fn take_ended(&mut self) -> Option<Ended> {
        let id = *self
            .pending
            .iter()
            .find(|(_, pending)| has_ended(&pending.action))?
            .0;
        let pending = self.pending.shift_remove(&id)?;
        self.status.clear();
        Some(Ended::Action(Box::new(pending.action)))
    }

    fn apply(&mut self, change: Change) {
        for object in change.objects {
            if let ChangedRow::Actions(Some(row)) = object.row {
                self.hear(*row);
            }
        }
    }

    fn hear(&mut self, row: Action) {
        let Some(pending) = self.pending.get_mut(&row.id) else {
            return;
        };
        if row.r#gen > pending.action.r#gen {
            pending.heard = Instant::now();
            if let Some(text) = progress(&row) {
                self.status.show(&text);
            }
            pending.action = row;
        }
    }

    /// Reads every pending action. A server that is away is waited for: actions survive its restart.
    async fn reread(&mut self) -> Result<(), Failure> {
        let ids: Vec<Uuid> = self.pending.keys().copied().collect();
        for id in ids {
            match self.client.action(id).await {
                Ok(action) => self.hear(action),
                Err(error) if error.is_retryable() => {
                    self.status.show(&format!("{error}; trying again"));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// An action of which nothing has been heard for too long, and whose host cannot take it now.
    async fn give_up(&mut self) -> Result<Option<Ended>, Failure> {
        let now = Instant::now();
        let silent: Vec<Uuid> = self
            .pending
            .iter()
            .filter(|(_, pending)| now - pending.heard >= self.silence)
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            let Some(pending) = self.pending.get_mut(&id) else {
                continue;
            };
            let why = match self.client.host(pending.action.host_id).await {
                Ok(host) => obstacle(&pending.action, &host),
                Err(error) if error.is_retryable() => None,
                Err(ClientError::Refused { info, .. }) => Some(info.message),
                Err(error) => return Err(error.into()),
            };
            let Some(why) = why else {
                pending.heard = now;
                tell_what_it_waits_for(pending, &mut self.status);
                continue;
            };
            self.status.clear();
            let stuck = self.pending.shift_remove(&id);
            return Ok(stuck.map(|pending| Ended::Stuck(Box::new(pending.action), why)));
        }
        Ok(None)
    }
}

/// Says once what an action stands behind: that may be something which only a person can settle.
fn tell_what_it_waits_for(pending: &mut Pending, status: &mut StatusLine) {
    let Action {
        host, waits_for, ..
    } = &pending.action;
    if waits_for.is_none() || *waits_for == pending.told {
        return;
    }
    if let Some(what) = waits_for {
        status.clear();
        say(&format!("{host}: {what}; see salar action list"));
    }
    pending.told.clone_from(waits_for);
}

/// Why a host cannot take an action now. What it has begun, it goes on with for as long as it can be reached.
fn obstacle(action: &Action, host: &Host) -> Option<String> {
    let begun = matches!(action.status.as_str(), "accepted" | "running");
    let problem = || host.problem.clone().unwrap_or_default();
    match host.freshness.as_str() {
        "live" => None,
        "libvirt_down" if begun => None,
        "libvirt_down" => Some(format!("libvirt on {} is down: {}", host.name, problem())),
        _ => Some(format!("{} cannot be reached", host.name)),
    }
}

/// Nothing more is to come of it.
pub(crate) fn has_ended(action: &Action) -> bool {
    matches!(
        action.status.as_str(),
        "succeeded" | "failed" | "cancelled" | "unknown"
    )
}

/// Why an action that has ended did not succeed, and what to do; `None` when it did.
pub(crate) fn trouble(action: &Action) -> Option<(String, Option<String>)> {
    match (action.status.as_str(), &action.error) {
        ("succeeded", _) => None,
        (_, Some(error)) => Some((error.message.clone(), error.hint.clone())),
        ("cancelled", None) => Some(("it was cancelled".to_owned(), None)),
        ("unknown", None) => Some((
            "its outcome is not known: the host was lost while it ran".to_owned(),
            Some(format!(
                "look at the host, then repeat it if needed: salar action retry {}",
                action.id
            )),
        )),
        (_, None) => Some((format!("it ended as {}", action.status), None)),
    }
}

/// Says on standard error that an action was not waited for any longer.
pub(crate) fn say_stuck(action: &Action, why: &str) {
    let Action {
        summary,
        id,
        status,
        ..
    } = action;
    say(&format!(
        "{why}; not waiting any longer for “{summary}”, which is {status}."
    ));
    say(&format!(
        "Hint: salar action show {id}, or withdraw it: salar action cancel {id}"
    ));
}

/// `kvm1: download image.qcow2, 34 % of 512.0 MiB`
fn progress(action: &Action) -> Option<String> {
    let progress = action.progress.as_ref()?;
    let share = match progress.total {
        Some(total) if total > 0 => format!(", {} %", progress.done.saturating_mul(100) / total),
        _ => String::new(),
    };
    let rate = match progress.rate {
        Some(rate) if rate > 0 => format!(", {}/s", model::Bytes(rate)),
        _ => String::new(),
    };
    Some(format!("{}: {}{share}{rate}", action.host, progress.step))
}

#[cfg(test)]
mod tests;
