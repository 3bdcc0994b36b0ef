//! The queue under random faults: crashes of both sides at any step, loss, repetition and disorder of messages,
//! sessions that wake up after they were replaced. Whatever happens, no action is started twice (P2), a lane keeps its
//! order (P3), every action ends (P1), and a replaced session changes nothing (P6).

use super::fixture::{Fixture, opening, store, vm};
use db::{Opening, Outcome, SessionKey, Store, StoreError};
use model::lifecycle::Request;
use model::{Action, ActionId, ActionStatus, HostId, Vm, VmStatus};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What may happen next. Indices are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Queue(usize),
    Dispatch,
    Deliver(usize),
    Lose(usize),
    Repeat(usize),
    Finish(usize),
    Report(usize),
    LoseReport(usize),
    RepeatReport(usize),
    Reconnect,
    AgentCrash,
    ServerCrash,
    OldSessionWakes,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    prop_oneof![
        3 => (0..3usize).prop_map(Queue),
        4 => Just(Dispatch),
        4 => (0..8usize).prop_map(Deliver),
        1 => (0..8usize).prop_map(Lose),
        1 => (0..8usize).prop_map(Repeat),
        3 => (0..8usize).prop_map(Finish),
        4 => (0..8usize).prop_map(Report),
        1 => (0..8usize).prop_map(LoseReport),
        1 => (0..8usize).prop_map(RepeatReport),
        1 => Just(Reconnect),
        1 => Just(AgentCrash),
        1 => Just(ServerCrash),
        1 => Just(OldSessionWakes),
    ]
}

/// An agent as the guarantees describe it: a journal on disk and the epoch it obeys.
#[derive(Default)]
struct Agent {
    highest_epoch: u64,
    journal: BTreeMap<Uuid, ActionStatus>,
    acknowledged: Vec<Uuid>,
    /// Every start, in order: lane and action.
    starts: Vec<(String, ActionId)>,
}

struct World {
    f: Option<Fixture>,
    host: HostId,
    key: SessionKey,
    old_keys: Vec<SessionKey>,
    agent: Agent,
    down: Vec<(u64, Action)>,
    up: Vec<Outcome>,
    queued: Vec<ActionId>,
    vms: Vec<Vm>,
}

fn outcome(id: Uuid, status: ActionStatus) -> Outcome {
    Outcome {
        id: ActionId(id),
        status,
        progress: None,
        result: None,
        error: None,
        hint: None,
    }
}

fn take<T>(queue: &mut Vec<T>, index: usize) -> Option<T> {
    (!queue.is_empty()).then(|| queue.remove(index % queue.len()))
}

fn copy<T: Clone>(queue: &mut Vec<T>, index: usize) {
    if !queue.is_empty() {
        queue.push(queue[index % queue.len()].clone());
    }
}

impl World {
    async fn new() -> Self {
        let f = store().await;
        let key = f.host("kvm1").await;
        Self {
            f: Some(f),
            host: key.host,
            key,
            old_keys: Vec::new(),
            agent: Agent::default(),
            down: Vec::new(),
            up: Vec::new(),
            queued: Vec::new(),
            vms: ["a", "b", "c"]
                .map(|name| vm(name, VmStatus::Shutoff))
                .into(),
        }
    }

    fn fixture(&self) -> &Fixture {
        self.f
            .as_ref()
            .expect("there is a server but during its crash")
    }

    fn store(&self) -> &Store {
        &self.fixture().store
    }

    async fn take_step(&mut self, step: &Step) {
        match *step {
            Step::Queue(n) => {
                let id = self
                    .fixture()
                    .queue(self.key, &self.vms[n], Request::Start)
                    .await;
                self.queued.push(id);
            }
            Step::Dispatch => self.dispatch().await,
            Step::Deliver(n) => {
                if let Some((epoch, action)) = take(&mut self.down, n) {
                    self.command(epoch, &action);
                }
            }
            Step::Lose(n) => drop(take(&mut self.down, n)),
            Step::Repeat(n) => copy(&mut self.down, n),
            Step::Finish(n) => self.finish(n),
            Step::Report(n) => {
                if let Some(said) = take(&mut self.up, n) {
                    self.record(&said).await;
                }
            }
            Step::LoseReport(n) => drop(take(&mut self.up, n)),
            Step::RepeatReport(n) => copy(&mut self.up, n),
            Step::Reconnect => self.connect().await,
            Step::AgentCrash => self.crash_agent().await,
            Step::ServerCrash => self.crash_server().await,
            Step::OldSessionWakes => self.wake_old_session().await,
        }
    }

    async fn dispatch(&mut self) {
        let epoch = self.key.epoch;
        let sent = self
            .store()
            .dispatch(self.key, true)
            .await
            .expect("dispatches");
        self.down
            .extend(sent.into_iter().map(|action| (epoch, action)));
    }

    /// The agent's rule: obey this epoch only, never start what the journal knows.
    fn command(&mut self, epoch: u64, action: &Action) {
        if epoch != self.agent.highest_epoch {
            return;
        }
        let id = action.id.0;
        let status = *self.agent.journal.entry(id).or_insert_with(|| {
            self.agent.starts.push((action.lane.to_string(), action.id));
            ActionStatus::Running
        });
        self.up.push(outcome(id, status));
    }

    fn finish(&mut self, n: usize) {
        let running = |(_, status): &(&Uuid, &mut ActionStatus)| **status == ActionStatus::Running;
        let mut open: Vec<_> = self.agent.journal.iter_mut().filter(running).collect();
        if open.is_empty() {
            return;
        }
        let n = n % open.len();
        let (id, status) = &mut open[n];
        **status = ActionStatus::Succeeded;
        self.up.push(outcome(**id, ActionStatus::Succeeded));
    }

    async fn record(&mut self, said: &Outcome) {
        self.store()
            .record_outcome(self.key, said)
            .await
            .expect("is recorded");
        if said.status.is_final() {
            self.agent.acknowledged.push(said.id.0);
        }
    }

    /// A new session: what was on its way is lost, results that were not acknowledged are said again.
    async fn connect(&mut self) {
        self.down.clear();
        self.up.clear();
        let opening = Opening {
            owner: Uuid::new_v4(),
            said_epoch: self.agent.highest_epoch,
            ..opening(self.host, "kvm1")
        };
        let opened = self.store().open_session(&opening).await.expect("opens");
        assert!(
            opened.key.epoch > self.agent.highest_epoch,
            "epochs only grow"
        );
        self.old_keys.push(self.key);
        self.key = opened.key;
        self.agent.highest_epoch = self.key.epoch;
        let journal = self.agent.journal.clone();
        let mut known = Vec::new();
        for (id, status) in journal {
            if status == ActionStatus::Running {
                known.push(ActionId(id));
            } else if !self.agent.acknowledged.contains(&id) {
                known.push(ActionId(id));
                self.record(&outcome(id, status)).await;
            }
        }
        let again = self
            .store()
            .resume_actions(self.key, &known)
            .await
            .expect("resumes");
        let epoch = self.key.epoch;
        self.down
            .extend(again.into_iter().map(|action| (epoch, action)));
    }

    /// What ran when the agent died has an outcome that it cannot prove.
    async fn crash_agent(&mut self) {
        for status in self.agent.journal.values_mut() {
            if *status == ActionStatus::Running {
                *status = ActionStatus::Unknown;
            }
        }
        self.connect().await;
    }

    async fn crash_server(&mut self) {
        let server = self.f.take().expect("there is a server");
        self.f = Some(server.reopen().await);
        self.connect().await;
    }

    async fn wake_old_session(&mut self) {
        for key in self.old_keys.clone() {
            let stale = self.store().dispatch(key, true).await;
            assert!(
                matches!(stale, Err(StoreError::LostSession { .. })),
                "{stale:?}"
            );
        }
    }

    /// The network is well again: everything has to end.
    async fn settle(&mut self) {
        self.connect().await;
        for _ in 0..self.queued.len() * 8 + 8 {
            self.dispatch().await;
            while let Some((epoch, action)) = take(&mut self.down, 0) {
                self.command(epoch, &action);
            }
            self.finish(0);
            while let Some(said) = take(&mut self.up, 0) {
                self.record(&said).await;
            }
            self.settle_unknown().await;
        }
    }

    /// Somebody decides about outcomes that the automatic retries have left unknown.
    async fn settle_unknown(&self) {
        for action in self.actions().await {
            if action.action.status == ActionStatus::Unknown && !action.resolved {
                self.store()
                    .cancel(action.action.id)
                    .await
                    .expect("settles");
            }
        }
    }

    async fn actions(&self) -> Vec<db::ActionRecord> {
        let all = db::ListQuery {
            limit: 10_000,
            ..db::ListQuery::default()
        };
        self.store().list(&all).await.expect("lists").items
    }

    async fn check(&self) {
        let actions = self.actions().await;
        for action in &actions {
            assert!(action.action.status.is_final(), "{action:?}");
        }
        let mut ids: Vec<ActionId> = self.agent.starts.iter().map(|(_, id)| *id).collect();
        ids.sort();
        let started = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), started, "an action was started twice");
        let repeats: HashMap<ActionId, ActionId> = actions
            .iter()
            .filter_map(|a| Some((a.action.id, a.action.retry_of?)))
            .collect();
        let mut last: HashMap<&str, usize> = HashMap::new();
        for (lane, id) in &self.agent.starts {
            let mut first = *id;
            while let Some(earlier) = repeats.get(&first) {
                first = *earlier;
            }
            let place = self.queued.iter().position(|queued| *queued == first);
            let place = place.expect("every start goes back to a request");
            let before = last.insert(lane, place);
            assert!(
                before.is_none_or(|before| before <= place),
                "{lane} is out of order"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_promises_hold_under_faults(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut world = World::new().await;
            world.connect().await;
            for step in &steps {
                world.take_step(step).await;
            }
            world.settle().await;
            world.check().await;
        });
    }
}
