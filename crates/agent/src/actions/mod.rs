//! Actions: what the server asked for, each a task of its own that outlives any session.
//!
//! Before the first call to the hypervisor an action stands in the journal, and its ending stands there before
//! anybody is told. A known id is answered from the journal and never started again.

mod life;

use crate::functions::{self, Context};
use crate::journal::{Acceptance, Ending, Journal, Known};
use crate::minion::Minion;
use crate::progress::{EventSink, News, NewsSink, Tidings};
use crate::received::ReceiveError;
use agent_api::wire::{self, up};
use agent_api::{action_kind, id, progress_to_wire};
use model::{ActionId, ActionKind, ActionStatus};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The actions of one agent.
pub struct Actions {
    minion: Arc<Minion>,
    journal: Journal,
    outgoing: mpsc::Sender<up::Body>,
    /// Actions being carried out, with what cancels them.
    running: Mutex<HashMap<ActionId, CancellationToken>>,
    /// The agent ends: nothing new is begun, and the server sends it again later.
    ending: CancellationToken,
}

impl Actions {
    /// Actions on `minion`, told through `outgoing`.
    pub fn new(
        minion: Arc<Minion>,
        journal: Journal,
        outgoing: mpsc::Sender<up::Body>,
    ) -> Arc<Self> {
        Arc::new(Self {
            minion,
            journal,
            outgoing,
            running: Mutex::default(),
            ending: CancellationToken::new(),
        })
    }

    /// Results that no server has acknowledged.
    pub fn unacknowledged(&self) -> Vec<wire::ActionReport> {
        self.journal
            .unacknowledged()
            .into_iter()
            .map(|(action, ending)| ended(action, ending))
            .collect()
    }

    /// Actions without an ending.
    pub fn unfinished(&self) -> Vec<Vec<u8>> {
        self.journal
            .unfinished()
            .into_iter()
            .map(|(action, _)| id(action.0))
            .collect()
    }

    /// Starts what `command` asks for, unless its id is known. Returns at once.
    pub fn start(self: &Arc<Self>, command: wire::Command) {
        if self.ending.is_cancelled() {
            return;
        }
        let actions = self.clone();
        tokio::spawn(async move { actions.take(command).await });
    }

    /// Cancels an action, if that is still possible. Returns at once.
    pub fn cancel(self: &Arc<Self>, action_id: Vec<u8>) {
        let actions = self.clone();
        tokio::spawn(async move {
            let Ok(action) = agent_api::uuid("cancel.action_id", &action_id).map(ActionId) else {
                return;
            };
            actions.cancel_one(action).await;
        });
    }

    /// The server has the result. Returns at once.
    pub fn acknowledged(self: &Arc<Self>, action_id: Vec<u8>) {
        let actions = self.clone();
        tokio::spawn(async move {
            let Ok(action) = agent_api::uuid("result_ack.action_id", &action_id).map(ActionId)
            else {
                return;
            };
            if let Err(error) = actions.journal.acknowledge(action).await {
                tracing::warn!(action.id = %action, "Cannot note in the journal that action {action} is acknowledged: {error}");
            }
        });
    }

    /// Finds out what became of the actions that an earlier process began and did not end. Returns at once; while
    /// libvirt does not answer, they stay open.
    pub fn recover(self: &Arc<Self>) {
        for (action, kind) in self.journal.unfinished() {
            let actions = self.clone();
            tokio::spawn(async move {
                let ending =
                    crate::recovery::find_out(actions.minion.hypervisor.as_ref(), &kind).await;
                actions.finish(action, ending).await;
            });
        }
    }

    /// Cancels what runs and waits for it, but not longer than `limit`: states take their last chunk back, and
    /// whatever does not end in time is found out at the next start.
    pub async fn wind_down(&self, limit: Duration) {
        const LOOK_AGAIN: Duration = Duration::from_millis(20);
        self.ending.cancel();
        self.running().values().for_each(CancellationToken::cancel);
        let all_ended = async {
            while !self.running().is_empty() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(limit, all_ended).await.is_err() {
            tracing::warn!("Actions are still running; they are looked into at the next start");
        }
    }

    async fn take(self: Arc<Self>, command: wire::Command) {
        let Ok(action) = agent_api::uuid("command.action_id", &command.action_id).map(ActionId)
        else {
            return tracing::error!("A command without a proper action id came, dropped");
        };
        let kind = match action_kind(command.kind) {
            Ok(kind) => kind,
            Err(error) => {
                let hint = "the server may be newer than this agent: upgrade the agent";
                return self
                    .say(ended(action, Ending::failed(error.to_string(), hint)))
                    .await;
            }
        };
        match self.journal.accept(action, &kind).await {
            Ok(Acceptance::New) => {
                self.carry_out(action, Uuid::from_slice(&command.job_id).ok(), kind)
                    .await
            }
            Ok(Acceptance::Known(known)) => self.repeat(action, known).await,
            Err(error) => {
                tracing::error!(action.id = %action, "Cannot write the journal, action {action} not started: {error}");
                let hint = "free space on the host, then ask again";
                self.say(ended(
                    action,
                    Ending::failed(format!("cannot write the agent's journal: {error}"), hint),
                ))
                .await;
            }
        }
    }

    async fn carry_out(&self, action: ActionId, job: Option<Uuid>, kind: ActionKind) {
        let cancel = CancellationToken::new();
        self.running().insert(action, cancel.clone());
        self.say(at_stage(action, ActionStatus::Accepted)).await;
        self.say(at_stage(action, ActionStatus::Running)).await;
        let ending = match kind {
            ActionKind::Vm { vm, name, request } => {
                life::carry_out(self.minion.hypervisor.as_ref(), vm, &name, request).await
            }
            ActionKind::Function { fun, args, kwargs } => {
                let context = Context {
                    news: self.news(action),
                    events: self.events(),
                    cancel,
                    jid: job.unwrap_or(action.0).to_string(),
                };
                match self.receive(&fun, &args, &kwargs).await {
                    Ok(()) => {
                        functions::run_action(&self.minion, &fun, &args, &kwargs, context).await
                    }
                    Err(error) => Ending::failed(
                        format!("cannot get the state files from the server: {error}"),
                        "look at the server's log, then ask again",
                    ),
                }
            }
        };
        self.finish(action, ending).await;
        self.running().remove(&action);
    }

    /// Gets what a function reads from the server, if it comes from there.
    async fn receive(&self, fun: &str, args: &str, kwargs: &str) -> Result<(), ReceiveError> {
        match &self.minion.received {
            Some(received) if functions::reads_tree(fun, args, kwargs) => received.refresh().await,
            _ => Ok(()),
        }
    }

    /// Journal first, then the server.
    async fn finish(&self, action: ActionId, ending: Ending) {
        if let Err(error) = self.journal.finish(action, ending.clone()).await {
            tracing::error!(action.id = %action, "Cannot write the end of action {action} to the journal: {error}");
        }
        self.say(ended(action, ending)).await;
    }

    async fn repeat(&self, action: ActionId, known: Known) {
        match known {
            Known::Finished(ending) => self.say(ended(action, ending)).await,
            Known::Unfinished if self.running().contains_key(&action) => {
                self.say(at_stage(action, ActionStatus::Running)).await;
            }
            Known::Unfinished => self.say(at_stage(action, ActionStatus::Accepted)).await,
        }
    }

    async fn cancel_one(&self, action: ActionId) {
        let running = self.running().get(&action).cloned();
        if let Some(cancel) = running {
            return cancel.cancel();
        }
        match self.journal.find(action) {
            Some(known) => self.repeat(action, known).await,
            None => {
                // Its command never came, or comes later: it must not start then.
                let kind = ActionKind::Function {
                    fun: String::new(),
                    args: String::new(),
                    kwargs: String::new(),
                };
                if self.journal.accept(action, &kind).await.is_ok() {
                    self.finish(action, Ending::new(ActionStatus::Cancelled, "", ""))
                        .await;
                }
            }
        }
    }

    /// Progress of an action, each state's thinned out to what a person can follow.
    fn news(&self, action: ActionId) -> NewsSink {
        const EVERY: Duration = Duration::from_millis(250);
        let outgoing = self.outgoing.clone();
        let last: Mutex<HashMap<String, (Instant, String)>> = Mutex::default();
        Arc::new(move |news: News| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let progress = match news.what {
                Tidings::Step(progress) => progress,
                Tidings::Begins { .. } => return,
                Tidings::Ends => {
                    last.remove(&news.state);
                    return;
                }
            };
            let recent = last
                .get(&news.state)
                .is_some_and(|(at, step)| at.elapsed() < EVERY && *step == progress.step);
            if recent {
                return;
            }
            last.insert(news.state, (Instant::now(), progress.step.clone()));
            let mut report = at_stage(action, ActionStatus::Running);
            report.progress = Some(progress_to_wire(&progress));
            // The next one follows soon.
            let _ = outgoing.try_send(up::Body::Action(report));
        })
    }

    /// Events of functions, on their way to the bus. Lossy, as all of the bus.
    fn events(&self) -> EventSink {
        let outgoing = self.outgoing.clone();
        Arc::new(move |tag, data| {
            let data_json = data.to_string();
            let _ = outgoing.try_send(up::Body::Event(wire::HostEvent { tag, data_json }));
        })
    }

    async fn say(&self, report: wire::ActionReport) {
        // Without a link the agent is ending; the journal has everything.
        let _ = self.outgoing.send(up::Body::Action(report)).await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ActionId, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at_stage(action: ActionId, status: ActionStatus) -> wire::ActionReport {
    wire::ActionReport {
        action_id: id(action.0),
        status: status.as_str().to_owned(),
        ..wire::ActionReport::default()
    }
}

fn ended(action: ActionId, ending: Ending) -> wire::ActionReport {
    wire::ActionReport {
        action_id: id(action.0),
        status: ending.status,
        result_json: ending.result_json,
        error: ending.error,
        hint: ending.hint,
        ..wire::ActionReport::default()
    }
}
