//! The servers of one database.
//!
//! Each is equal: browsers, command lines and agents may be with any. What one has to tell another goes through the
//! database; it is heard within moments or, if it is lost, made up for: queues are looked at every few seconds, keys are
//! compared with the store. A console goes from the server that has the agent to the one that has the browser, over the
//! address for agents. With a file for a store there is one server, and nobody to tell.

use crate::app::App;
use crate::ca::Ca;
use crate::link::{Tunnel, TunnelError, chunk};
use crate::start::StartError;
use crate::tls::{self, TlsError};
use agent_api::enrolment::SERVER_NAME;
use agent_api::wire::TunnelChunk;
use agent_api::wire::agent_link_client::AgentLinkClient;
use agent_api::{MAX_MESSAGE_BYTES, id};
use db::{KeyStatus, Replica, Store, StoreError, Told};
use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use model::{Fingerprint, HostId};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use server_api::event::BusEvent;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tracing::{info, warn};
use uuid::Uuid;

/// How often a server renews its entry and looks for those that have not: a third of what an entry lasts.
const RENEW: Duration = Duration::from_secs(5);
/// How long another server may take to answer a call.
const PATIENCE: Duration = Duration::from_secs(10);
/// Chunks of a console on their way to another server.
const CHUNKS: usize = 16;
/// Hosts named in one word.
const HOSTS: usize = 100;

/// What is told: a server has come or gone.
const LOOK_AROUND: &str = "look-around";
/// What is told: actions of these hosts wait.
const WAKE: &str = "wake";
/// What is told: a key opens nothing any more.
const REVOKED: &str = "revoked";
/// What is told: an event of the bus.
const EVENT: &str = "event";
/// What is told: hosts without agents were added, changed or removed.
const AGENTLESS: &str = "agentless";
/// What is told: a browser wants the console of one of your VMs.
const TUNNEL: &str = "tunnel";
/// What is told: it cannot be opened.
const NO_TUNNEL: &str = "no-tunnel";

/// This server and the others.
pub struct Replicas {
    me: Replica,
    /// How it shows itself to others; none without an address for agents.
    identity: Option<Arc<ClientConfig>>,
    others: RwLock<Vec<Replica>>,
}

impl Replicas {
    /// A server that has not said that it is there.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new(ca: Option<&Ca>, url: String, agents: String) -> Result<Self, TlsError> {
        let mut me = Replica {
            id: Uuid::new_v4(),
            url,
            agents,
            ca: String::new(),
            key: String::new(),
        };
        let mut identity = None;
        if let Some(ca) = ca {
            let shown = ca.for_peers()?;
            me.ca = ca.fingerprint().to_string();
            me.key = shown.fingerprint.to_string();
            identity = Some(tls::for_peers(ca, shown)?);
        }
        Ok(Self {
            me,
            identity,
            others: RwLock::default(),
        })
    }

    /// This process, in fences.
    pub const fn id(&self) -> Uuid {
        self.me.id
    }

    /// Whether the key is that of another server.
    pub fn knows(&self, key: &Fingerprint) -> bool {
        let key = key.to_string();
        self.others().iter().any(|other| other.key == key)
    }

    fn is_alone(&self) -> bool {
        self.others().is_empty()
    }

    fn others(&self) -> std::sync::RwLockReadGuard<'_, Vec<Replica>> {
        self.others.read().expect("no holder panics")
    }

    async fn look_around(&self, store: &Store) -> Result<(), StoreError> {
        let mut all = store.list_replicas().await?;
        all.retain(|replica| replica.id != self.me.id);
        *self.others.write().expect("no holder panics") = all;
        Ok(())
    }
}

/// Says that this server is there, before it takes agents.
///
/// # Errors
/// `OtherCa` when agents that trust another server would not trust this one.
pub async fn enter(store: &Store, replicas: &Replicas) -> Result<(), StartError> {
    store.forget_dead_replicas().await?;
    store.renew_replica(&replicas.me).await?;
    replicas.look_around(store).await?;
    let my_ca = &replicas.me.ca;
    let differs =
        |other: &&Replica| !my_ca.is_empty() && !other.ca.is_empty() && other.ca != *my_ca;
    let other = replicas.others().iter().find(differs).cloned();
    match other {
        Some(other) => {
            store.leave_replica(replicas.id()).await?;
            Err(StartError::OtherCa { url: other.url })
        }
        None => {
            say(store, None, LOOK_AROUND, &());
            Ok(())
        }
    }
}

/// Says that this server is no longer there.
///
/// # Errors
/// When the store fails; the others find it out by themselves then.
pub async fn leave(app: &App) -> Result<(), StoreError> {
    app.store.leave_replica(app.replicas.id()).await?;
    tell(app, None, LOOK_AROUND, &());
    Ok(())
}

/// Renews the entry, forgets servers that are gone, and does what others ask for, until the server ends.
pub async fn run(app: Arc<App>) {
    // A file is nobody else's: there is no entry to renew, and its disk may rest.
    if !app.store.is_shared() {
        return app.shutdown.cancelled().await;
    }
    let listens = tokio::spawn(listen(app.clone()));
    let passes_on = tokio::spawn(pass_on_events(app.clone()));
    let mut tick = tokio::time::interval(RENEW);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => break,
            _ = tick.tick() => {}
        }
        if let Err(error) = renew(&app).await {
            warn!(
                error = &error as &dyn std::error::Error,
                "Cannot say that this server is there"
            );
        }
    }
    listens.abort();
    passes_on.abort();
}

async fn renew(app: &Arc<App>) -> Result<(), StoreError> {
    let was_forgotten = app.store.renew_replica(&app.replicas.me).await?;
    if was_forgotten {
        warn!(
            "The other servers had given this one up: it stood still, or was without its database"
        );
    }
    let forgotten = app.store.forget_dead_replicas().await?;
    if forgotten > 0 {
        info!("{forgotten} hosts were with servers that are gone");
    }
    if was_forgotten || forgotten > 0 {
        // Who runs the agents of hosts without one may have changed.
        let me = app.replicas.id();
        app.agentless.catch_up(&app.store, me).await?;
    }
    app.replicas.look_around(&app.store).await?;
    look_at_keys(app).await
}

/// A word about a revoked key may have been lost.
async fn look_at_keys(app: &App) -> Result<(), StoreError> {
    // In this order: a key that is accepted and used in between is in both.
    let in_use = app.keys.in_use();
    let keys = app.store.list_keys().await?.into_iter();
    let accepted = keys.filter(|key| key.status == KeyStatus::Accepted);
    let accepted: HashSet<Fingerprint> = accepted.map(|key| key.fingerprint).collect();
    for key in in_use.iter().filter(|key| !accepted.contains(key)) {
        app.keys.revoke(key);
    }
    Ok(())
}

/// Tells the sessions of these hosts, wherever they are, to look at their queues.
pub fn wake(app: &App, hosts: impl IntoIterator<Item = HostId>) {
    let mut elsewhere = Vec::new();
    for host in hosts {
        if !app.sessions.wake(host) {
            elsewhere.push(host.to_string());
        }
    }
    for hosts in elsewhere.chunks(HOSTS) {
        tell(app, None, WAKE, &hosts);
    }
}

/// Ends everything that a key has opened, with every server. Its status in the store is no longer `accepted`.
pub fn revoke(app: &App, key: &Fingerprint) {
    app.keys.revoke(key);
    tell(app, None, REVOKED, &key.to_string());
}

/// Makes the agents of hosts without one those of the store, with every server.
///
/// # Errors
/// When the store does not say which there are.
pub async fn catch_up_agentless(app: &App) -> Result<(), StoreError> {
    tell(app, None, AGENTLESS, &());
    app.agentless.catch_up(&app.store, app.replicas.id()).await
}

/// Asks the agent of a host, wherever its session is, for a tunnel to a VM's console.
///
/// # Errors
/// When the host has no session, or it cannot be opened.
pub async fn open_tunnel(app: &App, host: HostId, vm: Uuid) -> Result<Tunnel, TunnelError> {
    if app.sessions.find(host).is_some() || app.replicas.is_alone() {
        return app.tunnels.open(&app.sessions, host, vm).await;
    }
    let owner = app.store.owner_of(host).await;
    let owner = owner.ok().flatten().ok_or(TunnelError::NoSession)?;
    if app.replicas.identity.is_none() {
        return Err(TunnelError::NoWayBack);
    }
    let ask = |tunnel| {
        let wanted = Wanted {
            tunnel,
            host: host.0,
            vm,
            from: app.replicas.id(),
            to: app.replicas.me.agents.clone(),
        };
        tell(app, Some(owner), TUNNEL, &wanted);
        true
    };
    app.tunnels.open_by(host, ask).await
}

/// A console that a browser of another server wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    tunnel: Uuid,
    host: Uuid,
    vm: Uuid,
    /// The server that wants it.
    from: Uuid,
    /// Its address for agents.
    to: String,
}

/// Why it cannot be opened.
#[derive(Debug, Serialize, Deserialize)]
struct NotOpened {
    tunnel: Uuid,
    host: Uuid,
    error: String,
}

fn tell(app: &App, to: Option<Uuid>, about: &str, data: &impl Serialize) {
    say(&app.store, to, about, data);
}

fn say(store: &Store, to: Option<Uuid>, about: &str, data: &impl Serialize) {
    if !store.is_shared() {
        return;
    }
    let data = serde_json::to_value(data).expect("what is told has text keys");
    store.tell(&Told {
        to,
        about: about.into(),
        data,
    });
}

async fn listen(app: Arc<App>) {
    let mut told = app.store.hear();
    loop {
        match told.recv().await {
            Ok(told) if told.to.is_none_or(|to| to == app.replicas.id()) => {
                hear(&app, &told.about, told.data).await;
            }
            Ok(_) => {}
            Err(RecvError::Lagged(lost)) => warn!("{lost} words of other servers went unheard"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn hear(app: &Arc<App>, about: &str, data: Value) {
    match about {
        LOOK_AROUND => {
            // What fails here is made up for with the next renewal.
            let _ = app.replicas.look_around(&app.store).await;
        }
        WAKE => {
            for host in read::<Vec<Uuid>>(data).unwrap_or_default() {
                app.sessions.wake(HostId(host));
            }
        }
        REVOKED => {
            let key = read::<String>(data).and_then(|text| text.parse().ok());
            if let Some(key) = key {
                app.keys.revoke(&key);
            }
        }
        EVENT => {
            if let Some(event) = read::<BusEvent>(data) {
                app.bus.repeat(event);
            }
        }
        AGENTLESS => {
            let app = app.clone();
            tokio::spawn(async move {
                // What fails here is made up for within half a minute.
                let _ = app.agentless.catch_up(&app.store, app.replicas.id()).await;
            });
        }
        TUNNEL => {
            if let Some(wanted) = read::<Wanted>(data) {
                tokio::spawn(pass_on_console(app.clone(), wanted));
            }
        }
        NO_TUNNEL => {
            if let Some(told) = read::<NotOpened>(data) {
                app.tunnels
                    .failed(HostId(told.host), told.tunnel, told.error);
            }
        }
        // A newer server says something that this one does not know.
        _ => {}
    }
}

fn read<T: for<'de> Deserialize<'de>>(data: Value) -> Option<T> {
    serde_json::from_value(data).ok()
}

/// What happens here is told to those who watch there.
async fn pass_on_events(app: Arc<App>) {
    let mut events = app.bus.subscribe();
    loop {
        match events.recv().await {
            Ok(said) if said.here && !app.replicas.is_alone() => {
                tell(&app, None, EVENT, &*said.event);
            }
            // The bus is lossy by contract.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Opens a console here and carries it to the server that wants it.
async fn pass_on_console(app: Arc<App>, wanted: Wanted) {
    let opened = app
        .tunnels
        .open(&app.sessions, HostId(wanted.host), wanted.vm)
        .await;
    let carried = match opened {
        Ok(tunnel) => carry(&app, &wanted, tunnel).await,
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = carried {
        let told = NotOpened {
            tunnel: wanted.tunnel,
            host: wanted.host,
            error,
        };
        tell(&app, Some(wanted.from), NO_TUNNEL, &told);
    }
}

/// Both ways until either ends; an error only before the first byte.
async fn carry(app: &App, wanted: &Wanted, tunnel: Tunnel) -> Result<(), String> {
    let identity = app.replicas.identity.clone();
    let identity = identity.ok_or_else(|| TunnelError::NoWayBack.to_string())?;
    let called = tokio::time::timeout(PATIENCE, dial(&wanted.to, identity)).await;
    let unreachable =
        |why: String| format!("The server with the host cannot reach {}: {why}", wanted.to);
    let channel = called
        .map_err(|_| unreachable("it does not answer".to_owned()))?
        .map_err(|error| unreachable(error.to_string()))?;
    let mut client = AgentLinkClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let (sender, chunks) = mpsc::channel(CHUNKS);
    let first = TunnelChunk {
        tunnel_id: id(wanted.tunnel),
        data: Vec::new(),
    };
    sender
        .try_send(first)
        .expect("the channel is new and empty");
    let answer = client.tunnel(ReceiverStream::new(chunks)).await;
    let mut from_browser = answer
        .map_err(|status| unreachable(status.message().to_owned()))?
        .into_inner();
    let Tunnel { mut from_vm, to_vm } = tunnel;
    let to_browser = async {
        while let Some(data) = from_vm.next().await {
            if sender.send(chunk(data)).await.is_err() {
                break;
            }
        }
    };
    let to_console = async {
        while let Ok(Some(chunk)) = from_browser.message().await {
            if to_vm.send(chunk.data).await.is_err() {
                break;
            }
        }
    };
    // Either end ends both: half a console is of no use.
    tokio::select! {
        () = to_browser => {}
        () = to_console => {}
        () = app.shutdown.cancelled() => {}
    }
    Ok(())
}

async fn dial(url: &str, config: Arc<ClientConfig>) -> Result<Channel, tonic::transport::Error> {
    let uri: Uri = url.parse().unwrap_or_default();
    let address = uri
        .authority()
        .map_or_else(String::new, ToString::to_string);
    let connector = tower::service_fn(move |_: Uri| {
        let (address, tls) = (address.clone(), TlsConnector::from(config.clone()));
        async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::try_from(SERVER_NAME).map_err(io::Error::other)?;
            tls.connect(name, stream).await.map(TokioIo::new)
        }
    });
    // The name is for the HTTP/2 header only.
    Endpoint::from_static("http://salar.local")
        .connect_timeout(PATIENCE)
        .connect_with_connector(connector)
        .await
}
