//! Start and end of a server.

use crate::access::{Passwords, Throttle, one_time_password};
use crate::agentless::{self, Agentless};
use crate::app::App;
use crate::bus::Bus;
use crate::ca::{self, Ca};
use crate::child_agent::ChildProgram;
use crate::client_file;
use crate::config::Config;
use crate::feed::{self, Feed};
use crate::housekeeping;
use crate::http::{self, Transport};
use crate::link::{
    self, Door, Keys, Link, MAX_ENROLMENT_BYTES, Newcomers, Sessions, StateTree, Tunnels,
};
use crate::listen::{self, TlsOnly};
use crate::reactor;
use crate::replicas::{self, Replicas};
use crate::timing::Timing;
use crate::tls::{self, TlsError};
use agent_api::MAX_MESSAGE_BYTES;
use agent_api::wire::agent_link_server::AgentLinkServer;
use agent_api::wire::enrolment_server::EnrolmentServer;
use axum_server::Handle;
use db::{Store, StoreError, UserRecord};
use jiff::Timestamp;
use server_api::Role;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long open requests may take when the server ends.
const FAREWELL: Duration = Duration::from_secs(3);
/// A lost peer of the link is noticed within this and half of it.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Name of the user that the first start makes.
const FIRST_USER: &str = "admin";

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder of the state cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// An address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// No TLS for an address that needs it.
    #[error("cannot set up TLS")]
    Tls(#[from] TlsError),
    /// Nothing to listen on.
    #[error("no address to listen on")]
    NoAddress,
    /// Agents that trust one server of the database would not trust this one.
    #[error("the server {url} of this database has another CA")]
    OtherCa {
        /// Where that one is.
        url: String,
    },
}

/// What a person wants to know of a server that has started.
#[derive(Debug, Clone)]
pub struct Started {
    /// Addresses of the web interface and API, the first one for people.
    pub urls: Vec<String>,
    /// Password of the user `admin`, at the very first start only. It is kept nowhere.
    pub first_password: Option<String>,
    /// Certificate of the own CA, when the web interface uses one of it.
    pub ca: Option<PathBuf>,
    /// Addresses for agents of other machines.
    pub agents: Vec<SocketAddr>,
}

/// A server that listens.
pub struct Server {
    app: Arc<App>,
    started: Started,
    handles: Vec<Handle<SocketAddr>>,
    tasks: JoinSet<()>,
}

/// Starts a server, tells `announce` about it, and serves until `shutdown`.
///
/// # Errors
/// When it cannot start.
pub async fn run(
    config: Config,
    shutdown: impl Future<Output = ()>,
    announce: impl FnOnce(&Started),
) -> Result<(), StartError> {
    let server = start(config).await?;
    announce(server.started());
    server.run_until(shutdown).await;
    Ok(())
}

/// Opens the store, listens, and starts everything that goes on beside requests.
///
/// # Errors
/// When the state folder, the store, an address or TLS cannot be used.
pub async fn start(config: Config) -> Result<Server, StartError> {
    start_with(config, Timing::default()).await
}

/// [`start`] with other clocks.
///
/// # Errors
/// As [`start`].
pub async fn start_with(config: Config, timing: Timing) -> Result<Server, StartError> {
    make_private_folder(&config.state_dir).map_err(|source| StartError::File {
        path: config.state_dir.clone(),
        source,
    })?;
    if config.listen.is_empty() {
        return Err(StartError::NoAddress);
    }
    let listeners = bind_all(&config.listen)?;
    let agent_listeners = bind_all(&config.listen_agents)?;
    let web_uses_ca = uses_own_certificate(&config);
    let ca_dir = config.ca_dir.as_ref().unwrap_or(&config.state_dir);
    let ca = match web_uses_ca || !agent_listeners.is_empty() {
        true => {
            make_private_folder(ca_dir).map_err(|source| StartError::File {
                path: ca_dir.clone(),
                source,
            })?;
            Some(Arc::new(Ca::open(ca_dir)?))
        }
        false => None,
    };
    let store = match &config.database {
        Some(database) => Store::connect(&database.url, &database.tls).await?,
        None => Store::open(&config.state_dir).await?,
    };
    let agents_ca = ca.as_ref().filter(|_| !agent_listeners.is_empty());
    let replicas = Replicas::new(
        agents_ca.map(AsRef::as_ref),
        web_address(&config, &listeners),
        agents_address(&config, &agent_listeners),
    )?;
    replicas::enter(&store, &replicas).await?;
    let socket = config.state_dir.join("agent.sock");
    let program = ChildProgram::new(&config, &socket);
    let app = Arc::new(App {
        store,
        replicas,
        sessions: Sessions::default(),
        tunnels: Tunnels::default(),
        keys: Keys::default(),
        agentless: Agentless::new(program.clone(), &config.state_dir),
        ca: ca.clone().filter(|_| !agent_listeners.is_empty()),
        agent_port: agent_listeners
            .first()
            .and_then(|listener| listener.local_addr().ok())
            .map(|address| address.port()),
        feed: Feed::new(),
        bus: Bus::new(),
        passwords: Passwords::default(),
        throttle: Throttle::default(),
        allowed_hosts: config.allowed_hosts.clone(),
        web_dir: config.web_dir.clone(),
        tree: StateTree::new(config.file_roots.clone(), config.pillar_roots.clone()),
        nodegroups: config.nodegroups.clone(),
        timing,
        started_at: Timestamp::now(),
        shutdown: CancellationToken::new(),
    });
    let mut tasks = JoinSet::new();
    if !config.reactor.is_empty() {
        let events = app.bus.subscribe();
        tasks.spawn(reactor::run(app.clone(), config.reactor.clone(), events));
    }
    tasks.spawn(serve_own_agents(app.clone(), listen_unix(&socket)?));
    let agents = serve_agents(&config, &app, agent_listeners, &mut tasks)?;
    tasks.spawn(feed::run(app.clone()));
    tasks.spawn(housekeeping::run(app.clone()));
    tasks.spawn(replicas::run(app.clone()));
    if let Some(program) = program.filter(|_| config.local_agent) {
        tasks.spawn(program.local(&config).supervise(app.shutdown.clone()));
    }
    tasks.spawn(agentless::run(app.clone()));
    let first_password = first_user(&app).await?;
    let web_ca = ca.as_deref().filter(|_| web_uses_ca);
    let (urls, handles) = serve_http(&config, &app, web_ca, listeners, &mut tasks)?;
    let ca = web_uses_ca.then(|| ca::path(ca_dir));
    let url = urls
        .first()
        .map(|listening| client_url(listening, ca.is_some()));
    client_file::write(&config.state_dir, &app, url.as_deref(), ca.as_deref()).await?;
    // The first sign-in should take no longer than any other.
    let passwords = app.passwords.clone();
    tasks.spawn(async move {
        passwords.nobody().await;
    });
    let started = Started {
        urls: urls.iter().map(shown_url).collect(),
        first_password,
        ca,
        agents,
    };
    Ok(Server {
        app,
        started,
        handles,
        tasks,
    })
}

impl Server {
    /// What a person wants to know of it.
    pub const fn started(&self) -> &Started {
        &self.started
    }

    /// Serves until `shutdown`, then ends: streams are closed, its own agents end, the store is closed.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        info!("The server ends");
        self.app.shutdown.cancel();
        for handle in &self.handles {
            handle.graceful_shutdown(Some(FAREWELL));
        }
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Longer than its own agents may take; a peer that never hangs up does not keep the server.
        if tokio::time::timeout(FAREWELL * 3, ended).await.is_err() {
            warn!("Something did not end in time and is cut off");
            self.tasks.shutdown().await;
        }
        if let Err(error) = replicas::leave(&self.app).await {
            warn!(
                error = &error as &dyn std::error::Error,
                "Cannot say that this server has ended"
            );
        }
        self.app.store.close().await;
    }
}

/// Where people reach the server; the first address counts.
fn web_address(config: &Config, listeners: &[TcpListener]) -> String {
    let address = listeners.first().and_then(|first| first.local_addr().ok());
    address.map_or_else(String::new, |address| {
        let scheme = match listen::is_plain(address, config.tls.is_some()) {
            true => "http",
            false => "https",
        };
        shown_url(&(scheme, address))
    })
}

/// Where the other servers reach the address for agents.
fn agents_address(config: &Config, listeners: &[TcpListener]) -> String {
    let Some(address) = listeners.first().and_then(|first| first.local_addr().ok()) else {
        return String::new();
    };
    match &config.advertise_agents {
        Some(given) => format!("https://{given}"),
        None => shown_url(&("https", address)),
    }
}

fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let bind = |address: &SocketAddr| {
        listen::bind(*address).map_err(|source| StartError::Listen {
            address: *address,
            source,
        })
    };
    addresses.iter().map(bind).collect()
}

/// Whether an address needs TLS and no certificate was given.
fn uses_own_certificate(config: &Config) -> bool {
    let plain = |address: &SocketAddr| listen::is_plain(*address, config.tls.is_some());
    config.tls.is_none() && !config.listen.iter().all(plain)
}

/// For people: the machine's name where the address stands for all of them, which is none to connect to.
fn shown_url((scheme, address): &(&str, SocketAddr)) -> String {
    let port = address.port();
    match tls::host_name() {
        Some(name) if address.ip().is_unspecified() => format!("{scheme}://{name}:{port}"),
        _ => format!("{scheme}://{address}"),
    }
}

/// For the command line of this machine, which need not resolve its own name; the own certificate holds this one.
fn client_url(listening: &(&str, SocketAddr), own_certificate: bool) -> String {
    let (scheme, address) = listening;
    if address.ip().is_unspecified() && own_certificate {
        return format!("{scheme}://localhost:{}", address.port());
    }
    shown_url(listening)
}

type Listening = (Vec<(&'static str, SocketAddr)>, Vec<Handle<SocketAddr>>);

fn serve_http(
    config: &Config,
    app: &Arc<App>,
    ca: Option<&Ca>,
    listeners: Vec<TcpListener>,
    tasks: &mut JoinSet<()>,
) -> Result<Listening, StartError> {
    let files = match (&config.tls, ca) {
        (Some(given), _) => Some(given.clone()),
        (None, Some(ca)) => Some(tls::own(ca, &config.state_dir, &config.listen)?),
        (None, None) => None,
    };
    let (mut urls, mut handles) = (Vec::new(), Vec::new());
    for (listener, wanted) in listeners.into_iter().zip(&config.listen) {
        let listen_error = |source| StartError::Listen {
            address: *wanted,
            source,
        };
        let address = listener.local_addr().map_err(listen_error)?;
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(listener)
            .map_err(listen_error)?
            .handle(handle.clone());
        listen::limits(&mut server);
        if !listen::is_plain(address, config.tls.is_some()) {
            let files = files.as_ref().ok_or(TlsError::NoCertificate { address })?;
            let tls = tls::for_web(files)?;
            let service = http::service(app.clone(), Transport::Tls);
            let service = service.into_make_service_with_connect_info::<SocketAddr>();
            let server = server.acceptor(TlsOnly::new(tls));
            tasks.spawn(async move { log_end(address, server.serve(service).await) });
            urls.push(("https", address));
        } else {
            let service = http::service(app.clone(), Transport::Plain);
            let service = service.into_make_service_with_connect_info::<SocketAddr>();
            tasks.spawn(async move { log_end(address, server.serve(service).await) });
            urls.push(("http", address));
        }
        handles.push(handle);
    }
    Ok((urls, handles))
}

fn log_end(address: SocketAddr, result: io::Result<()>) {
    if let Err(error) = result {
        error!(
            error = &error as &dyn std::error::Error,
            "Stopped listening on {address}"
        );
    }
}

async fn serve_own_agents(app: Arc<App>, listener: UnixListener) {
    let shutdown = app.shutdown.clone().cancelled_owned();
    let served = link_server()
        .add_service(link_service(app))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), shutdown)
        .await;
    log_end_of_link(served);
}

/// Listens to agents of other machines; where.
fn serve_agents(
    config: &Config,
    app: &Arc<App>,
    listeners: Vec<TcpListener>,
    tasks: &mut JoinSet<()>,
) -> Result<Vec<SocketAddr>, StartError> {
    let Some(ca) = &app.ca else {
        return Ok(Vec::new());
    };
    let newcomers = Arc::new(Newcomers::default());
    let mut addresses = Vec::new();
    for (listener, wanted) in listeners.into_iter().zip(&config.listen_agents) {
        let address = listener.local_addr();
        let listener = tokio::net::TcpListener::from_std(listener);
        let unusable = |source| StartError::Listen {
            address: *wanted,
            source,
        };
        addresses.push(address.map_err(unusable)?);
        let streams = link::open_door(app, listener.map_err(unusable)?, tls::for_link(ca)?);
        let door = Door {
            app: app.clone(),
            ca: ca.clone(),
            newcomers: newcomers.clone(),
        };
        let enrolment = EnrolmentServer::new(door).max_decoding_message_size(MAX_ENROLMENT_BYTES);
        let app = app.clone();
        tasks.spawn(async move {
            let shutdown = app.shutdown.clone().cancelled_owned();
            let served = link_server()
                .add_service(enrolment)
                .add_service(link_service(app))
                .serve_with_incoming_shutdown(ReceiverStream::new(streams), shutdown)
                .await;
            log_end_of_link(served);
        });
    }
    Ok(addresses)
}

fn link_server() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE / 2))
}

fn link_service(app: Arc<App>) -> AgentLinkServer<Link> {
    AgentLinkServer::new(Link(app))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

fn log_end_of_link(served: Result<(), tonic::transport::Error>) {
    if let Err(error) = served {
        error!(
            error = &error as &dyn std::error::Error,
            "Stopped listening to agents"
        );
    }
}

/// Only the owner of the state folder reaches the socket.
fn listen_unix(path: &Path) -> Result<UnixListener, StartError> {
    let file_error = |source| StartError::File {
        path: path.to_owned(),
        source,
    };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file_error(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(file_error)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(file_error)?;
    Ok(listener)
}

/// A new folder is its owner's alone. One that was there keeps its mode, it may serve others too; every file that is
/// put into it is private by itself.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Makes the first administrator when there is no user at all; its password.
async fn first_user(app: &App) -> Result<Option<String>, StoreError> {
    if !app.store.list_users().await?.is_empty() {
        return Ok(None);
    }
    let password = one_time_password();
    let user = UserRecord {
        name: FIRST_USER.to_owned(),
        password: app.passwords.hash(password.clone()).await,
        role: Role::Administrator.as_str().to_owned(),
        created_at: Timestamp::now(),
    };
    match app.store.insert_user(&user).await {
        Ok(()) => Ok(Some(password)),
        // Another server of the database was first.
        Err(StoreError::Exists { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file that only its owner can read, in one step: a reader sees the old or the new one.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}
