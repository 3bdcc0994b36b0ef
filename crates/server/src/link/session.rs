//! A session: one task that owns a host while its agent is connected.
//!
//! It writes what the agent reports, sends what the queue has for the host, and opens tunnels. It believes only the
//! store: whatever wakes it, it asks the store for the heads of the host's lanes. Every write is fenced, and the first
//! that the fence refuses ends the task.
//!
//! Reports are written in batches, but the first after a quiet moment at once, so that a change shows without delay
//! and a storm costs one transaction per 50 ms.

use super::convert;
use super::keys::Admitted;
use super::registry::{Handle, OpenTunnel};
use crate::app::{App, VERSION};
use agent_api::wire::{self, Down, Up, down, up};
use agent_api::{Malformed, PROTOCOL, STALE_EPOCH, command, facts, id, uuid};
use db::{ActionRecord, Opened, Opening, Outcome, Recorded, Report, SessionKey, StoreError};
use model::{Action, ActionId, Freshness, HostFacts, HostId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::{info, warn};
use uuid::Uuid;

/// Pause between two transactions of reports.
const BATCH_PAUSE: Duration = Duration::from_millis(50);
/// How long a stage of an action waits: most actions end sooner, and then it is of no interest.
const STAGES_WAIT: Duration = Duration::from_millis(40);
/// Most reports of one transaction.
const BATCH: usize = 200;
/// How often a quiet host's last word is written down.
const NOTE: Duration = Duration::from_secs(30);
/// How long an agent may let messages wait.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a session looks at its queue unasked where other servers queue actions: a lost word costs this much.
const LOOK: Duration = Duration::from_secs(5);
/// Consoles asked for and not yet passed on.
const TUNNELS: usize = 8;

/// Why a session ended.
#[derive(Debug, Error)]
pub enum End {
    /// The agent hung up.
    #[error("the agent hung up")]
    HungUp,
    /// The stream broke.
    #[error("the connection broke: {}", .0.message())]
    Broken(Status),
    /// Nothing was heard.
    #[error("nothing was heard for {0:?}")]
    Silent(Duration),
    /// The agent does not read.
    #[error("the agent does not take messages")]
    Stuck,
    /// A newer session has taken over.
    #[error("a newer session has taken over")]
    Replaced,
    /// The agent obeys a newer epoch.
    #[error("the agent obeys a newer session")]
    Stale,
    /// The server ends.
    #[error("the server ends")]
    Shutdown,
    /// The agent's key was rejected or deleted.
    #[error("the agent's key is no longer accepted")]
    Revoked,
    /// The agent says it serves a host that its key is not for.
    #[error("the agent's key is not for host {0}")]
    OtherHost(HostId),
    /// The agent speaks another protocol.
    #[error("the agent speaks protocol {0}, this server {PROTOCOL}")]
    Protocol(u32),
    /// The agent sent nonsense.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells an agent why it gets no session.
pub async fn refuse(who: &str, down: &mpsc::Sender<Result<Down, Status>>, end: End) {
    warn!(
        error = &end as &dyn std::error::Error,
        "Refused a session of {who}"
    );
    let code = match &end {
        End::Protocol(_) => "PROTOCOL",
        End::Store(StoreError::EpochJump { .. }) => "EPOCH_JUMP",
        End::Malformed(_) => "MALFORMED",
        End::OtherHost(_) | End::Revoked => "NOT_ACCEPTED",
        _ => "UNAVAILABLE",
    };
    let refused = wire::Refused {
        code: code.to_owned(),
        message: end.to_string(),
    };
    let body = Some(down::Body::Refused(refused));
    // The agent may have gone.
    let _ = down.send(Ok(Down { body })).await;
}

/// How fresh what a host tells is, and why not fresher.
type Condition = (Freshness, String);

/// A session that is open.
pub struct Session {
    app: Arc<App>,
    key: SessionKey,
    name: String,
    /// The key it came with; the server's own agent needs none.
    admitted: Option<Admitted>,
    instance: Uuid,
    condition: Condition,
    down: mpsc::Sender<Result<Down, Status>>,
    handle: Handle,
    asked_tunnels: mpsc::Receiver<OpenTunnel>,
    reports: Vec<Report>,
    /// Reports mean nothing until the snapshot that was asked for has come.
    awaits_snapshot: bool,
    unconfirmed: HashMap<ActionId, (Action, Instant)>,
    /// Stages of actions that are not in the store yet, and when they have to be.
    stages: HashMap<ActionId, Outcome>,
    stages_due: Option<Instant>,
    cancels_sent: HashMap<ActionId, Instant>,
    last_write: Instant,
    last_heard: Instant,
    last_noted: Instant,
    last_looked: Instant,
}

impl Session {
    /// Opens a session for an agent that has said hello: takes the next epoch, ends any older session, answers.
    /// An agent of another machine serves the host of its key, under the name of its key, and no other.
    ///
    /// # Errors
    /// Why there can be none.
    pub async fn open(
        app: Arc<App>,
        admitted: Option<Admitted>,
        mut hello: wire::Hello,
        down: mpsc::Sender<Result<Down, Status>>,
    ) -> Result<Self, End> {
        if hello.protocol.abs_diff(PROTOCOL) > 1 {
            return Err(End::Protocol(hello.protocol));
        }
        let instance = uuid("instance", &hello.instance)?;
        name_after_key(admitted.as_ref(), hello.facts.as_mut());
        let opening = opening(&app, &hello, admitted.is_some())?;
        if admitted
            .as_ref()
            .is_some_and(|admitted| admitted.key.host != opening.host)
        {
            return Err(End::OtherHost(opening.host));
        }
        let opened = app.store.open_session(&opening).await?;
        let (tunnels, asked_tunnels) = mpsc::channel(TUNNELS);
        let handle = Handle {
            epoch: opened.key.epoch,
            wake: Arc::new(Notify::new()),
            tunnels,
            replaced: CancellationToken::new(),
        };
        if !app.sessions.enter(opened.key.host, handle.clone()) {
            return Err(End::Replaced);
        }
        let now = Instant::now();
        let mut session = Self {
            key: opened.key,
            name: opened.name.clone(),
            admitted,
            instance,
            condition: (opening.freshness, opening.problem),
            down,
            handle,
            asked_tunnels,
            reports: Vec::new(),
            awaits_snapshot: false,
            unconfirmed: HashMap::new(),
            stages: HashMap::new(),
            stages_due: None,
            cancels_sent: HashMap::new(),
            last_write: now - BATCH_PAUSE,
            last_heard: now,
            last_noted: now,
            last_looked: now,
            app,
        };
        match session.begin(hello, &opened).await {
            Ok(()) => Ok(session),
            Err(end) => {
                session.leave().await;
                Err(end)
            }
        }
    }

    async fn begin(&mut self, hello: wire::Hello, opened: &Opened) -> Result<(), End> {
        let welcome = wire::Welcome {
            epoch: self.key.epoch,
            server_version: VERSION.to_owned(),
        };
        self.send(down::Body::Welcome(welcome)).await?;
        info!(host.name = %self.name, epoch = self.key.epoch, "The agent of {} is connected", self.name);
        if opened.instance != self.instance {
            self.app.bus.host_started(&self.name);
        }
        self.app.bus.presence(&[&self.name], &[]);
        if opened.instance != self.instance || opened.seq != hello.last_seq {
            self.want_snapshot(opened.digest.clone()).await?;
        }
        let mut known = ids(&hello.running_actions)?;
        for result in hello.unacknowledged {
            known.extend(ids(std::slice::from_ref(&result.action_id))?);
            self.action(result).await?;
        }
        let again = self.app.store.resume_actions(self.key, &known).await?;
        for action in again {
            self.command(action).await?;
        }
        self.dispatch().await
    }

    /// Serves the session to its end.
    pub async fn run(mut self, mut up: Streaming<Up>) {
        let end = match self.serve(&mut up).await {
            Ok(()) => End::HungUp,
            Err(end) => end,
        };
        info!(
            host.name = %self.name, epoch = self.key.epoch, error = &end as &dyn std::error::Error,
            "The session of {} is over", self.name
        );
        self.leave().await;
    }

    async fn serve(&mut self, up: &mut Streaming<Up>) -> Result<(), End> {
        let mut tick = tokio::time::interval(self.app.timing.tick);
        let wake = self.handle.wake.clone();
        let replaced = self.handle.replaced.clone();
        let shutdown = self.app.shutdown.clone();
        let revoked = self
            .admitted
            .as_ref()
            .map(|admitted| admitted.revoked.clone());
        let revoked = revoked.unwrap_or_default();
        loop {
            let flush_at = self.last_write + BATCH_PAUSE;
            tokio::select! {
                () = revoked.cancelled() => return Err(End::Revoked),
                () = replaced.cancelled() => return Err(End::Replaced),
                () = shutdown.cancelled() => return Err(End::Shutdown),
                message = up.message() => match message.map_err(End::Broken)? {
                    Some(message) => self.hear(message).await?,
                    None => {
                        self.flush().await?;
                        self.record_stages().await?;
                        return Ok(());
                    }
                },
                () = wake.notified() => self.dispatch().await?,
                Some(open) = self.asked_tunnels.recv() => self.open_tunnel(open).await?,
                () = tokio::time::sleep_until(flush_at), if !self.reports.is_empty() => self.flush().await?,
                () = until(self.stages_due) => self.record_stages().await?,
                _ = tick.tick() => self.look_at_the_clock().await?,
            }
        }
    }

    async fn hear(&mut self, message: Up) -> Result<(), End> {
        self.last_heard = Instant::now();
        match message.body {
            Some(up::Body::Report(report)) => self.report(report).await,
            Some(up::Body::Snapshot(snapshot)) => self.snapshot(snapshot).await,
            Some(up::Body::Action(report)) => self.action(report).await,
            Some(up::Body::Event(event)) => {
                let data = serde_json::from_str(&event.data_json).unwrap_or_default();
                self.app.bus.send_for_host(&self.name, &event.tag, data);
                Ok(())
            }
            Some(up::Body::TunnelFailed(failed)) => {
                let tunnel = uuid("tunnel_id", &failed.tunnel_id)?;
                self.app.tunnels.failed(self.key.host, tunnel, failed.error);
                Ok(())
            }
            Some(up::Body::Hello(_)) => {
                let what = "Hello in the middle of a session".to_owned();
                Err(Malformed { what }.into())
            }
            Some(up::Body::Heartbeat(heartbeat)) => self.heartbeat(heartbeat).await,
            // A message that only a newer agent knows has no meaning here.
            None => Ok(()),
        }
    }

    async fn report(&mut self, mut report: wire::Report) -> Result<(), End> {
        name_after_key(self.admitted.as_ref(), report.facts.as_mut());
        let report = convert::report(report)?;
        self.note_name(report.facts.as_ref());
        if self.awaits_snapshot {
            return self.only_condition(report).await;
        }
        self.reports.push(report);
        let quiet = self.last_write.elapsed() >= BATCH_PAUSE;
        if quiet || self.reports.len() >= BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    /// The snapshot to come has all objects of this report, but it does not say whether libvirt answers.
    async fn only_condition(&mut self, report: Report) -> Result<(), End> {
        match report.condition {
            Some(condition) => self.condition(condition).await,
            None => Ok(()),
        }
    }

    /// Makes good a report of the condition that was lost on its way. Most heartbeats say nothing new and write
    /// nothing. Reports heard before it are older.
    async fn heartbeat(&mut self, heartbeat: wire::Heartbeat) -> Result<(), End> {
        let Some(told) = heartbeat.condition else {
            return Ok(());
        };
        self.flush().await?;
        let condition = convert::condition(Some(told));
        if condition == self.condition {
            return Ok(());
        }
        self.condition(condition).await
    }

    async fn condition(&mut self, condition: Condition) -> Result<(), End> {
        let (freshness, problem) = &condition;
        self.app
            .store
            .set_condition(self.key, *freshness, problem)
            .await?;
        self.wrote();
        self.note_condition(condition).await
    }

    fn note_name(&mut self, facts: Option<&HostFacts>) {
        if let Some(facts) = facts.filter(|facts| !facts.name.is_empty()) {
            self.name.clone_from(&facts.name);
        }
    }

    /// Writes the reports that have come together and acknowledges what is on disk.
    async fn flush(&mut self) -> Result<(), End> {
        if self.reports.is_empty() {
            return Ok(());
        }
        let reports = std::mem::take(&mut self.reports);
        let applied = self
            .app
            .store
            .apply_reports(self.key, self.instance, &reports)
            .await?;
        // From the end on: a store that is busy gets what has come meanwhile in one go.
        self.last_write = Instant::now();
        self.wrote();
        let told = reports
            .into_iter()
            .rev()
            .find_map(|report| report.condition);
        if let Some(condition) = told {
            self.note_condition(condition).await?;
        }
        if applied.gap {
            return self.want_snapshot(Vec::new()).await;
        }
        let ack = wire::ReportAck { seq: applied.seq };
        self.send(down::Body::ReportAck(ack)).await
    }

    /// What waited for libvirt may go when it is back.
    async fn note_condition(&mut self, condition: Condition) -> Result<(), End> {
        let (was, _) = std::mem::replace(&mut self.condition, condition);
        if was != Freshness::Live && self.is_live() {
            return self.dispatch().await;
        }
        Ok(())
    }

    fn is_live(&self) -> bool {
        self.condition.0 == Freshness::Live
    }

    async fn snapshot(&mut self, mut wire: wire::Snapshot) -> Result<(), End> {
        name_after_key(self.admitted.as_ref(), wire.facts.as_mut());
        self.flush().await?;
        let snapshot = convert::snapshot(self.instance, wire)?;
        self.note_name(snapshot.facts.as_ref());
        self.app.store.apply_snapshot(self.key, &snapshot).await?;
        self.wrote();
        self.awaits_snapshot = false;
        let ack = wire::ReportAck { seq: snapshot.seq };
        self.send(down::Body::ReportAck(ack)).await
    }

    async fn want_snapshot(&mut self, digest: Vec<u8>) -> Result<(), End> {
        self.awaits_snapshot = true;
        self.reports.clear();
        let wanted = wire::SnapshotWanted { digest };
        self.send(down::Body::SnapshotWanted(wanted)).await
    }

    /// Records what the agent says of an action. A final state is acknowledged once it is on disk.
    async fn action(&mut self, report: wire::ActionReport) -> Result<(), End> {
        if report.refusal == STALE_EPOCH {
            return Err(End::Stale);
        }
        // The page should see the VM's new state no later than the action's end.
        self.flush().await?;
        let outcome: Outcome = convert::outcome(report)?;
        self.unconfirmed.remove(&outcome.id);
        if outcome.status.is_final() {
            // It says all that its stages would.
            self.stages.remove(&outcome.id);
            return self.record(outcome).await;
        }
        self.stages.insert(outcome.id, outcome);
        self.stages_due.get_or_insert(Instant::now() + STAGES_WAIT);
        match self.stages.len() {
            BATCH.. => self.record_stages().await,
            _ => Ok(()),
        }
    }

    /// Records the stages that actions have reached; those of an action that has ended meanwhile are of no interest.
    async fn record_stages(&mut self) -> Result<(), End> {
        self.stages_due = None;
        for (_, outcome) in std::mem::take(&mut self.stages) {
            self.record(outcome).await?;
        }
        Ok(())
    }

    async fn record(&mut self, outcome: Outcome) -> Result<(), End> {
        let recorded = self.app.store.record_outcome(self.key, &outcome).await?;
        self.wrote();
        match recorded {
            Recorded::Foreign => warn!(
                host.name = %self.name, action.id = %outcome.id,
                "The agent of {} reports on action {} of another host", self.name, outcome.id
            ),
            Recorded::Ended => self.tell_bus(outcome.id).await?,
            Recorded::Changed | Recorded::Nothing | Recorded::Recovered => {}
        }
        if !outcome.status.is_final() {
            return Ok(());
        }
        self.cancels_sent.remove(&outcome.id);
        let ack = wire::ResultAck {
            action_id: id(outcome.id.0),
        };
        self.send(down::Body::ResultAck(ack)).await?;
        self.dispatch().await
    }

    async fn tell_bus(&self, id: ActionId) -> Result<(), End> {
        if let Some(action) = self.app.store.find::<ActionRecord>(id.0).await? {
            self.app.bus.job_returned(&action);
        }
        Ok(())
    }

    /// Sends the heads of all free lanes, and the wishes to cancel what is on its way.
    async fn dispatch(&mut self) -> Result<(), End> {
        self.last_looked = Instant::now();
        let wants = self.app.store.wants_of(self.key.host).await?;
        if wants.dispatch {
            for action in self.app.store.dispatch(self.key, self.is_live()).await? {
                self.command(action).await?;
            }
        }
        if wants.cancels {
            for wanted in self.app.store.wanted_cancels(self.key).await? {
                self.cancel(wanted).await?;
            }
        }
        Ok(())
    }

    async fn command(&mut self, action: Action) -> Result<(), End> {
        let command = command(self.key.epoch, action.id, action.job, &action.kind);
        self.unconfirmed.insert(action.id, (action, Instant::now()));
        self.send(down::Body::Command(command)).await
    }

    async fn cancel(&mut self, action: ActionId) -> Result<(), End> {
        let resend = self.app.timing.resend;
        let recently = |at: &Instant| at.elapsed() < resend;
        if self.cancels_sent.get(&action).is_some_and(recently) {
            return Ok(());
        }
        self.cancels_sent.insert(action, Instant::now());
        let cancel = wire::Cancel {
            epoch: self.key.epoch,
            action_id: id(action.0),
        };
        self.send(down::Body::Cancel(cancel)).await
    }

    async fn open_tunnel(&mut self, open: OpenTunnel) -> Result<(), End> {
        let open = wire::OpenTunnel {
            epoch: self.key.epoch,
            tunnel_id: id(open.id),
            vm_uuid: id(open.vm),
        };
        self.send(down::Body::OpenTunnel(open)).await
    }

    async fn look_at_the_clock(&mut self) -> Result<(), End> {
        let timing = self.app.timing;
        if self.last_heard.elapsed() > timing.silence {
            return Err(End::Silent(timing.silence));
        }
        if self.last_noted.elapsed() > NOTE {
            self.app.store.touch(self.key).await?;
            self.wrote();
        }
        let late: Vec<Action> = self
            .unconfirmed
            .values()
            .filter(|(_, sent)| sent.elapsed() >= timing.resend)
            .map(|(action, _)| action.clone())
            .collect();
        for action in late {
            self.command(action).await?;
        }
        if self.app.store.is_shared() && self.last_looked.elapsed() > LOOK {
            self.dispatch().await?;
        }
        let unheard: Vec<ActionId> = self.cancels_sent.keys().copied().collect();
        for action in unheard {
            self.cancel(action).await?;
        }
        Ok(())
    }

    /// Every fenced write also notes that the agent spoke.
    fn wrote(&mut self) {
        self.last_noted = Instant::now();
    }

    async fn send(&self, body: down::Body) -> Result<(), End> {
        let message = self.down.send(Ok(Down { body: Some(body) }));
        match tokio::time::timeout(PATIENCE, message).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::HungUp),
            Err(_) => Err(End::Stuck),
        }
    }

    /// The host is unreachable from now on, unless a newer session has it.
    async fn leave(&self) {
        self.app.sessions.leave(self.key.host, self.key.epoch);
        let gone = self
            .app
            .store
            .set_condition(self.key, Freshness::Unreachable, "")
            .await;
        match gone {
            Ok(()) => self.app.bus.presence(&[], &[&self.name]),
            Err(StoreError::LostSession { .. }) => {}
            Err(error) => warn!(
                host.name = %self.name, error = &error as &dyn std::error::Error,
                "Cannot record that {} is unreachable", self.name
            ),
        }
    }
}

/// Whatever an agent calls its host: targets, tags and rights go by the name that was accepted.
fn name_after_key(admitted: Option<&Admitted>, facts: Option<&mut wire::HostFacts>) {
    if let (Some(admitted), Some(facts)) = (admitted, facts)
        && !facts.name.is_empty()
    {
        facts.name.clone_from(&admitted.key.name);
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn opening(app: &App, hello: &wire::Hello, joined: bool) -> Result<Opening, Malformed> {
    let host = HostId(uuid("host_id", &hello.host_id)?);
    let (freshness, problem) = convert::condition(hello.condition.clone());
    let facts = hello.facts.clone().map(facts);
    Ok(Opening {
        host,
        owner: app.replicas.id(),
        said_epoch: hello.highest_epoch,
        facts: facts.filter(|facts| !facts.name.is_empty()),
        joined,
        agentless: !joined && app.agentless.runs(host),
        freshness,
        problem,
    })
}

fn ids(wire: &[Vec<u8>]) -> Result<Vec<ActionId>, Malformed> {
    let id = |bytes: &Vec<u8>| uuid("action_id", bytes).map(ActionId);
    wire.iter().map(id).collect()
}
