//! Live updates: one reader of the store's change feed for all browsers.
//!
//! Each change is loaded and rendered once for each way of looking (viewers see other buttons than operators, and no returns of functions) and
//! handed to every stream as the same text. A change of state goes out at once; the rest, progress and figures, at
//! most every quarter of a second, with one entry per object.

use crate::app::App;
use crate::render;
use db::{ActionRecord, ChangeRow, HostRecord, NetworkInUse, Place, Store, StoreError, Stored};
use model::{ObjectKind, Pool, Vm};
use server_api::Role;
use server_api::event::{Change, ChangedObject, ChangedRow};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

/// Messages kept for a slow browser; when it falls behind further it is told to load its lists again.
const BACKLOG: usize = 256;
/// Pause between messages that carry no change of state.
const PAUSE: Duration = Duration::from_millis(250);
/// Pause between any two messages: what happens together goes together.
const BREATH: Duration = Duration::from_millis(20);
/// A lost wake-up costs this much and no correctness.
const POLL: Duration = Duration::from_secs(1);
/// A browser that has missed more objects than this does better to load its windows again.
const MOST_MISSED: usize = 1000;
/// States remembered; when there are more, the next change of each counts as one of state.
const MOST_STATES: usize = 50_000;
/// Lines of the feed read at a time.
const BATCH: u32 = 1000;

/// The stream of changes.
#[derive(Debug, Clone)]
pub struct Feed(broadcast::Sender<Arc<Message>>);

/// Changes up to a place in the feed, as JSON for each way of looking.
#[derive(Debug)]
pub struct Message {
    /// Up to where in the feed.
    pub place: Place,
    /// Changes before it were dropped unread (the machine slept): whoever watches has to start anew.
    pub gap: bool,
    viewer: Arc<str>,
    operator: Arc<str>,
}

impl Message {
    /// The JSON for a role.
    pub fn json(&self, role: Role) -> &str {
        if role < Role::Operator {
            &self.viewer
        } else {
            &self.operator
        }
    }
}

impl Feed {
    /// A feed without readers; [`run`] fills it.
    pub fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    /// Reads on, or passes over everything so far while nobody watches: rows need not be read for nobody.
    async fn follow(
        &self,
        store: &Store,
        cursor: &mut Place,
        pending: &mut Pending,
    ) -> Result<(), StoreError> {
        if self.0.receiver_count() == 0 {
            let newest = store.revision().await?.place;
            // In this order: whoever watches from now on asks for the place in the feed later, and has these.
            if self.0.receiver_count() == 0 {
                *pending = Pending::default();
                *cursor = newest;
                return Ok(());
            }
        }
        read(store, cursor, pending).await
    }

    /// Every message from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Message>> {
        self.0.subscribe()
    }
}

/// What changed since `place`, as one message. `None` when that is no longer known.
///
/// # Errors
/// When the store fails.
pub async fn since(store: &Store, place: Place) -> Result<Option<Message>, StoreError> {
    let mut pending = Pending::default();
    let mut cursor = place;
    loop {
        let Some(lines) = store.changes_since(cursor, BATCH).await? else {
            return Ok(None);
        };
        let Some(last) = lines.last() else {
            return Ok(Some(pending.take(cursor)));
        };
        cursor = last.place;
        pending.add(store, &lines).await?;
        if pending.operator.len() > MOST_MISSED {
            return Ok(None);
        }
    }
}

/// Reads the change feed until the server ends.
pub async fn run(app: Arc<App>) {
    let mut changed = app.store.watch();
    let mut cursor = match app.store.revision().await {
        Ok(revision) => revision.place,
        Err(_) => Place::default(),
    };
    let mut pending = Pending::default();
    let mut last_sent = Instant::now() - PAUSE;
    let mut failing = false;
    loop {
        match app.feed.follow(&app.store, &mut cursor, &mut pending).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "Cannot read the change feed"
                    );
                }
                tokio::select! {
                    () = app.shutdown.cancelled() => return,
                    () = tokio::time::sleep(POLL) => continue,
                }
            }
        }
        let due = last_sent + if pending.urgent { BREATH } else { PAUSE };
        if !pending.is_empty() && Instant::now() >= due {
            // Nobody may be watching.
            let _ = app.feed.0.send(Arc::new(pending.take(cursor)));
            last_sent = Instant::now();
        }
        let wake = if pending.is_empty() {
            Instant::now() + POLL
        } else {
            due
        };
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep_until(wake) => {}
            told = changed.changed() => if told.is_err() { return },
        }
    }
}

async fn read(store: &Store, cursor: &mut Place, pending: &mut Pending) -> Result<(), StoreError> {
    loop {
        let Some(lines) = store.changes_since(*cursor, BATCH).await? else {
            *cursor = store.revision().await?.place;
            pending.gap = true;
            return Ok(());
        };
        let Some(last) = lines.last() else {
            return Ok(());
        };
        *cursor = last.place;
        pending.add(store, &lines).await?;
    }
}

/// Changes that have not been sent yet, one per object.
#[derive(Default)]
struct Pending {
    viewer: HashMap<Uuid, ChangedObject>,
    operator: HashMap<Uuid, ChangedObject>,
    urgent: bool,
    gap: bool,
    /// The last state sent of each object, to tell a change of state from one of figures.
    states: HashMap<Uuid, String>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.operator.is_empty() && !self.gap
    }

    async fn add(&mut self, store: &Store, lines: &[ChangeRow]) -> Result<(), StoreError> {
        let mut newest: HashMap<(ObjectKind, Uuid), u64> = HashMap::new();
        for line in lines {
            newest.insert((line.topic, line.object), line.r#gen);
        }
        for kind in [
            ObjectKind::Host,
            ObjectKind::Vm,
            ObjectKind::Pool,
            ObjectKind::Network,
            ObjectKind::Action,
        ] {
            let of_kind = newest.iter().filter(|((topic, _), _)| *topic == kind);
            let ids: HashMap<Uuid, u64> = of_kind.map(|((_, id), r#gen)| (*id, *r#gen)).collect();
            if !ids.is_empty() {
                self.add_kind(store, kind, ids).await?;
            }
        }
        Ok(())
    }

    async fn add_kind(
        &mut self,
        store: &Store,
        kind: ObjectKind,
        mut ids: HashMap<Uuid, u64>,
    ) -> Result<(), StoreError> {
        let wanted: Vec<Uuid> = ids.keys().copied().collect();
        for object in load(store, kind, &wanted).await? {
            ids.remove(&object.id);
            self.put(object);
        }
        // What has a line and no row is gone.
        for (id, r#gen) in ids {
            self.put(Loaded {
                id,
                state: String::new(),
                viewer: changed(id, r#gen, gone(kind)),
                operator: changed(id, r#gen, gone(kind)),
            });
        }
        Ok(())
    }

    fn put(&mut self, object: Loaded) {
        if self.states.len() > MOST_STATES {
            self.states.clear();
        }
        let known = if object.state.is_empty() {
            self.states.remove(&object.id)
        } else {
            self.states.insert(object.id, object.state.clone())
        };
        self.urgent |= known.as_ref() != Some(&object.state);
        self.viewer.insert(object.id, object.viewer);
        self.operator.insert(object.id, object.operator);
    }

    /// Everything pending as a message. More than a browser can use becomes a gap: it loads its windows again.
    fn take(&mut self, place: Place) -> Message {
        self.urgent = false;
        if self.operator.len() > MOST_MISSED {
            self.gap = true;
            self.viewer.clear();
            self.operator.clear();
        }
        Message {
            place,
            gap: std::mem::take(&mut self.gap),
            viewer: json(self.viewer.drain()),
            operator: json(self.operator.drain()),
        }
    }
}

fn json(objects: impl Iterator<Item = (Uuid, ChangedObject)>) -> Arc<str> {
    let change = Change {
        objects: objects.map(|(_, object)| object).collect(),
    };
    serde_json::to_string(&change)
        .expect("rows are structs with text keys")
        .into()
}

/// An object as each way of looking sees it.
struct Loaded {
    id: Uuid,
    /// What a person calls its state; empty when it is gone.
    state: String,
    viewer: ChangedObject,
    operator: ChangedObject,
}

async fn load(store: &Store, kind: ObjectKind, ids: &[Uuid]) -> Result<Vec<Loaded>, StoreError> {
    Ok(match kind {
        ObjectKind::Vm => store
            .rows::<Stored<Vm>>(ids)
            .await?
            .iter()
            .map(vm)
            .collect(),
        ObjectKind::Host => {
            let rows = store.rows::<HostRecord>(ids).await?;
            let render = |row: &HostRecord| {
                same(row.id.0, row.r#gen, row.freshness.as_str(), || {
                    ChangedRow::Hosts(Some(Box::new(render::host(row))))
                })
            };
            rows.iter().map(render).collect()
        }
        ObjectKind::Pool => {
            let rows = store.rows::<Stored<Pool>>(ids).await?;
            let render = |row: &Stored<Pool>| {
                let state = if row.value.active {
                    "active"
                } else {
                    "inactive"
                };
                same(row.id, row.r#gen, state, || {
                    ChangedRow::Pools(Some(Box::new(render::pool(row))))
                })
            };
            rows.iter().map(render).collect()
        }
        ObjectKind::Network => {
            let rows = store.rows::<Stored<NetworkInUse>>(ids).await?;
            let render = |row: &Stored<NetworkInUse>| {
                let active = row.value.network.active;
                let state = if active { "active" } else { "inactive" };
                same(row.id, row.r#gen, state, || {
                    ChangedRow::Networks(Some(Box::new(render::network(row))))
                })
            };
            rows.iter().map(render).collect()
        }
        ObjectKind::Action => store
            .rows::<ActionRecord>(ids)
            .await?
            .iter()
            .map(action)
            .collect(),
    })
}

fn action(row: &ActionRecord) -> Loaded {
    let id = row.action.id.0;
    let render = |role| ChangedRow::Actions(Some(Box::new(render::action(row, role))));
    Loaded {
        id,
        state: row.action.status.as_str().to_owned(),
        viewer: changed(id, row.r#gen, render(Role::Viewer)),
        operator: changed(id, row.r#gen, render(Role::Operator)),
    }
}

fn vm(row: &Stored<Vm>) -> Loaded {
    let render = |role| ChangedRow::Vms(Some(Box::new(render::vm(row, role))));
    Loaded {
        id: row.id,
        state: row.value.status.as_str().to_owned(),
        viewer: changed(row.id, row.r#gen, render(Role::Viewer)),
        operator: changed(row.id, row.r#gen, render(Role::Operator)),
    }
}

/// An object that looks the same to everybody.
fn same(id: Uuid, r#gen: u64, state: &str, render: impl Fn() -> ChangedRow) -> Loaded {
    Loaded {
        id,
        state: state.to_owned(),
        viewer: changed(id, r#gen, render()),
        operator: changed(id, r#gen, render()),
    }
}

fn changed(id: Uuid, r#gen: u64, row: ChangedRow) -> ChangedObject {
    ChangedObject { id, r#gen, row }
}

const fn gone(kind: ObjectKind) -> ChangedRow {
    match kind {
        ObjectKind::Host => ChangedRow::Hosts(None),
        ObjectKind::Vm => ChangedRow::Vms(None),
        ObjectKind::Pool => ChangedRow::Pools(None),
        ObjectKind::Network => ChangedRow::Networks(None),
        ObjectKind::Action => ChangedRow::Actions(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use db::{Opening, Snapshot};
    use jiff::{SignedDuration, Timestamp};
    use model::{Freshness, HostId, Inventory, Network};

    fn network(n: u128) -> Network {
        Network {
            uuid: Uuid::from_u128(n + 1),
            name: format!("net{n}"),
            active: true,
            autostart: false,
            persistent: true,
            bridge: String::new(),
            forward: "nat".to_owned(),
            cidrs: Vec::new(),
            dhcp: false,
            xml: String::new(),
            xml_persistent: None,
        }
    }

    /// A store with a host that has so many networks.
    async fn store_with(networks: u128) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("opens");
        let opening = Opening {
            host: HostId(Uuid::from_u128(9)),
            owner: Uuid::from_u128(1),
            said_epoch: 0,
            facts: None,
            joined: false,
            agentless: false,
            freshness: Freshness::Live,
            problem: String::new(),
        };
        let key = store.open_session(&opening).await.expect("opens").key;
        let objects = Inventory {
            networks: (0..networks).map(network).collect(),
            ..Inventory::default()
        };
        let snapshot = Snapshot {
            instance: Uuid::from_u128(2),
            seq: 1,
            digest: Vec::new(),
            objects: Some(objects),
            facts: None,
        };
        let applied = store.apply_snapshot(key, &snapshot).await;
        applied.expect("is recorded");
        (folder, store)
    }

    #[tokio::test]
    async fn each_object_is_told_once_with_its_last_state() {
        let (_folder, store) = store_with(3).await;
        let message = since(&store, Place::default())
            .await
            .expect("reads")
            .expect("is kept");
        let change: Change = serde_json::from_str(message.json(Role::Viewer)).expect("JSON");
        assert_eq!(change.objects.len(), 4, "three networks and their host");
        assert!(!message.gap);
    }

    /// The machine slept, and the lines were dropped before they were read.
    #[tokio::test]
    async fn dropped_lines_are_a_gap() {
        let (_folder, store) = store_with(3).await;
        let later = Timestamp::now() + SignedDuration::from_mins(16);
        store.prune(later).await.expect("prunes");
        let (mut cursor, mut pending) = (Place::default(), Pending::default());
        let done = read(&store, &mut cursor, &mut pending).await;
        done.expect("reads");
        assert!(!pending.is_empty() && pending.take(cursor).gap);
        assert_eq!(cursor, store.revision().await.expect("reads").place);
    }

    #[tokio::test]
    async fn rows_are_read_for_those_who_watch_only() {
        let (_folder, store) = store_with(3).await;
        let feed = Feed::new();
        let (mut cursor, mut pending) = (Place::default(), Pending::default());
        let followed = feed.follow(&store, &mut cursor, &mut pending).await;
        followed.expect("reads");
        assert!(pending.is_empty());
        assert_eq!(cursor, store.revision().await.expect("reads").place);
        let _watcher = feed.subscribe();
        let mut cursor = Place::default();
        let followed = feed.follow(&store, &mut cursor, &mut pending).await;
        followed.expect("reads");
        assert_eq!(pending.operator.len(), 4);
    }

    #[tokio::test]
    async fn more_than_a_browser_can_use_is_a_gap() {
        let (_folder, store) = store_with(MOST_MISSED as u128 + 1).await;
        let (mut cursor, mut pending) = (Place::default(), Pending::default());
        let done = read(&store, &mut cursor, &mut pending).await;
        done.expect("reads");
        let message = pending.take(cursor);
        assert!(message.gap && message.json(Role::Operator).len() < 100);
        assert!(
            since(&store, Place::default())
                .await
                .expect("reads")
                .is_none()
        );
    }
}
