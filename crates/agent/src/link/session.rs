//! Sessions: dialling, greeting, and carrying messages both ways.

use super::address::{Replica, ServerAddress};
use super::credentials::{Credentials, CredentialsError, Decision, EnrolError, Join};
use super::waiting::Waiting;
use super::{Backoff, dial, random};
use crate::actions::Actions;
use crate::console::Tunnels;
use crate::identity::EpochFile;
use crate::received::Received;
use crate::reporter::{Standing, Wish};
use crate::vitals::{Unconfirmed, Vitals};
use agent_api::wire::agent_link_client::AgentLinkClient;
use agent_api::wire::{self, down, up};
use agent_api::{MAX_MESSAGE_BYTES, PROTOCOL, STALE_EPOCH, id};
use model::{Fingerprint, HostId};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

/// Messages on their way into the stream. When it is full the server does not keep up: see [`Link::send`].
const OUTGOING: usize = 256;
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A server that takes the connection and does not answer the greeting is not one.
const GREETING: Duration = Duration::from_secs(10);

/// An agent that is not accepted yet asks again after so long; one that nobody wants, less often.
const ASK_AGAIN: Duration = Duration::from_secs(3);
const ASK_SELDOM: Duration = Duration::from_secs(30);

/// What a link is made of.
pub struct LinkParts {
    /// Whom to dial.
    pub server: ServerAddress,
    /// What to join it with, if it is on another machine.
    pub join: Join,
    /// Folder of key and certificate.
    pub state_dir: PathBuf,
    /// Name of this host.
    pub name: String,
    /// Which host this is.
    pub host: HostId,
    /// This process.
    pub instance: Uuid,
    /// The epochs obeyed so far.
    pub epoch: EpochFile,
    /// Runs what the server asks for.
    pub actions: Arc<Actions>,
    /// Opens consoles.
    pub tunnels: Tunnels,
    /// What everyone in the agent wants to say.
    pub outgoing: mpsc::Receiver<up::Body>,
    /// What the reporter knows, for the greeting.
    pub standing: watch::Receiver<Standing>,
    /// Where snapshots are asked for.
    pub wishes: mpsc::Sender<Wish>,
    /// State files of the server, if it sends them.
    pub received: Option<Arc<Received>>,
    /// Where open sessions are counted.
    pub vitals: Arc<Vitals>,
    /// Reports that wait for the server's word.
    pub unconfirmed: Unconfirmed,
}

/// The link of an agent to its server.
pub struct Link {
    parts: LinkParts,
    way: Way,
    waiting: Waiting,
    /// The server did not keep up and lacks something; a snapshot makes it good.
    lost_inventory: bool,
}

/// How the server is reached.
enum Way {
    /// On this machine: whoever may open the socket is let in.
    Socket(PathBuf),
    /// On another, with a certificate.
    Tls {
        credentials: Arc<Credentials>,
        replicas: Vec<Replica>,
        /// Which of them is dialled next.
        turn: usize,
    },
}

/// An open stream.
struct Session {
    client: AgentLinkClient<Channel>,
    up: mpsc::Sender<wire::Up>,
    down: tonic::Streaming<wire::Down>,
    /// Zero before the welcome.
    epoch: u64,
}

/// Lets state files be fetched while a session is open, however it ends.
struct Opened(Option<Arc<Received>>);

impl Opened {
    fn tell(received: Option<Arc<Received>>, client: &AgentLinkClient<Channel>) -> Self {
        if let Some(received) = &received {
            received.set_client(Some(client.clone()));
        }
        Self(received)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(received) = &self.0 {
            received.set_client(None);
        }
    }
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("nobody answers: {}", root_cause(.0))]
    Dial(tonic::transport::Error),
    #[error("no certificate: {0}")]
    Enrol(EnrolError),
    #[error("{}", waits(.status, .name, .print, .message))]
    Waits {
        status: String,
        name: String,
        print: Fingerprint,
        message: String,
    },
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
    #[error("the stream broke: {}", .0.message())]
    Broken(#[from] Box<tonic::Status>),
    #[error("the server closed the stream")]
    Closed,
    #[error("the server refuses this agent: {message} [{code}]")]
    Refused { code: String, message: String },
    #[error("the server did not answer the greeting")]
    NoWelcome,
    #[error("the server offers epoch {offered}, which is not above {highest}")]
    OldEpoch { offered: u64, highest: u64 },
    #[error("cannot store the epoch: {0}")]
    EpochFile(#[source] std::io::Error),
}

impl Link {
    /// A link that has not dialled yet.
    ///
    /// # Errors
    /// The server is on another machine, and this agent has no key to show it.
    pub fn new(mut parts: LinkParts) -> Result<Self, CredentialsError> {
        let way = match &parts.server {
            ServerAddress::Unix(path) => Way::Socket(path.clone()),
            ServerAddress::Tls(replicas) => {
                let join = std::mem::take(&mut parts.join);
                let opened = Credentials::open(&parts.state_dir, parts.host, &parts.name, join);
                Way::Tls {
                    credentials: Arc::new(opened?),
                    replicas: replicas.clone(),
                    turn: 0,
                }
            }
        };
        Ok(Self {
            parts,
            way,
            waiting: Waiting::default(),
            lost_inventory: false,
        })
    }

    /// Keeps a session open until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        if let Way::Tls {
            credentials,
            replicas,
            ..
        } = &self.way
        {
            let renewal = credentials
                .clone()
                .keep_fresh(replicas.clone(), stop.clone());
            tokio::spawn(renewal);
            tracing::info!(
                "The key of this agent has the fingerprint {}",
                credentials.fingerprint()
            );
        }
        let mut backoff = Backoff::new();
        let mut told = None;
        while !stop.is_cancelled() {
            let ended = tokio::select! {
                // Cancel safety: a session that is dropped here is never used again.
                () = stop.cancelled() => return,
                ended = self.session(&mut backoff) => ended,
            };
            let wait = match ended.pause() {
                Some(pause) => pause / 2 + pause.mul_f64(f64::from(random()) / f64::from(u32::MAX)),
                None => backoff.wait(random()),
            };
            // A server that is away, or has not decided yet, is news once.
            let text = ended.to_string();
            if ended.lasts() && told.as_ref() == Some(&text) {
                tracing::debug!("Still no session with {}: {text}", self.parts.server);
            } else {
                tracing::warn!(
                    "No session with {}: {text}; dialling again",
                    self.parts.server
                );
            }
            told = Some(text);
            self.idle(wait, &stop).await;
        }
    }

    /// Waits without a session; results are kept, reports go nowhere and leave a gap.
    async fn idle(&mut self, wait: Duration, stop: &CancellationToken) {
        let end = tokio::time::Instant::now() + wait;
        loop {
            // Cancel safety: `recv` loses nothing; the other two hold nothing.
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(end) => return,
                Some(body) = self.parts.outgoing.recv() => {
                    if let up::Body::Action(report) = &body {
                        self.waiting.keep(report, Instant::now());
                    }
                }
            }
        }
    }

    async fn session(&mut self, backoff: &mut Backoff) -> Ended {
        let mut session = match self.open().await {
            Ok(session) => session,
            Err(ended) => {
                // Another replica may do better, and the certificate may be the reason.
                if let Way::Tls {
                    credentials, turn, ..
                } = &mut self.way
                {
                    *turn = turn.wrapping_add(1);
                    if ended.may_be_the_certificate() {
                        credentials.doubt();
                    }
                }
                return ended;
            }
        };
        backoff.reset();
        let _open = Opened::tell(self.parts.received.clone(), &session.client);
        let _counted = self.parts.vitals.session();
        match self.carry(&mut session).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    /// Dials, greets, and stores the epoch.
    async fn open(&mut self) -> Result<Session, Ended> {
        let channel = self.dial().await?;
        let mut client = AgentLinkClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let (up, messages) = mpsc::channel(OUTGOING);
        let hello = up::Body::Hello(self.hello());
        up.try_send(wire::Up { body: Some(hello) })
            .expect("the channel is new and empty");
        let greeted = tokio::time::timeout(GREETING, async {
            let mut down = client
                .attach(ReceiverStream::new(messages))
                .await
                .map_err(Box::new)?
                .into_inner();
            let welcome = receive(&mut down).await?;
            Ok::<_, Ended>((down, welcome))
        });
        let (down, first) = greeted.await.map_err(|_| Ended::NoWelcome)??;
        let welcome = match first {
            down::Body::Welcome(welcome) => welcome,
            down::Body::Refused(wire::Refused { code, message }) => {
                return Err(Ended::Refused { code, message });
            }
            _ => return Err(Ended::NoWelcome),
        };
        self.store_epoch(welcome.epoch)?;
        tracing::info!(
            "Session with {} open: epoch {}, server {}",
            self.parts.server,
            welcome.epoch,
            welcome.server_version
        );
        Ok(Session {
            client,
            up,
            down,
            epoch: welcome.epoch,
        })
    }

    /// A channel to the server: over TLS with a certificate, which is got first when there is none.
    async fn dial(&self) -> Result<Channel, Ended> {
        let (credentials, replica) = match &self.way {
            Way::Socket(path) => return dial::unix(path).await.map_err(Ended::Dial),
            Way::Tls {
                credentials,
                replicas,
                turn,
            } => (credentials, &replicas[turn % replicas.len()]),
        };
        if !credentials.is_usable() {
            match credentials.enrol(replica).await.map_err(Ended::Enrol)? {
                Decision::Accepted => {}
                Decision::Waits { status, message } => {
                    return Err(Ended::Waits {
                        status,
                        message,
                        name: self.parts.name.clone(),
                        print: credentials.fingerprint(),
                    });
                }
            }
        }
        let config = credentials.config().map_err(Ended::Tls)?;
        let config = config.ok_or(Ended::NoWelcome)?;
        dial::tls(replica, config).await.map_err(Ended::Dial)
    }

    fn hello(&mut self) -> wire::Hello {
        let standing = self.parts.standing.borrow_and_update().clone();
        // In this order: an action that ends in between is in both. One that is in neither counts as lost.
        let running_actions = self.parts.actions.unfinished();
        let now = Instant::now();
        for report in self.parts.actions.unacknowledged() {
            self.waiting.keep(&report, now);
        }
        wire::Hello {
            protocol: PROTOCOL,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            host_id: id(self.parts.host.0),
            instance: id(self.parts.instance),
            last_seq: standing.seq,
            highest_epoch: self.parts.epoch.highest(),
            facts: standing.facts,
            condition: Some(standing.condition),
            running_actions,
            unacknowledged: self.waiting.all(now),
            inventory_digest: standing.digest,
        }
    }

    /// The file is small and the disk local: a few milliseconds, once a session.
    fn store_epoch(&mut self, epoch: u64) -> Result<(), Ended> {
        let highest = self.parts.epoch.highest();
        match self.parts.epoch.raise(epoch) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Ended::OldEpoch {
                offered: epoch,
                highest,
            }),
            Err(error) => Err(Ended::EpochFile(error)),
        }
    }

    /// Carries messages until the stream ends.
    async fn carry(&mut self, session: &mut Session) -> Result<std::convert::Infallible, Ended> {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // Cancel safety: `recv`, `message` and `tick` lose nothing when another branch wins.
            tokio::select! {
                message = receive(&mut session.down) => self.obey(session, message?),
                Some(body) = self.parts.outgoing.recv() => self.send(session, body),
                _ = heartbeat.tick() => {
                    let condition = Some(self.parts.standing.borrow().condition.clone());
                    self.send(session, up::Body::Heartbeat(wire::Heartbeat { condition }));
                    for report in self.waiting.due(Instant::now()) {
                        self.send(session, up::Body::Action(report));
                    }
                    if std::mem::take(&mut self.lost_inventory) {
                        // A full channel holds a wish already.
                        let _ = self.parts.wishes.try_send(Wish::Snapshot { held: Vec::new() });
                    }
                }
            }
        }
    }

    /// Hands `body` to the stream, or drops it when the server does not keep up: what was lost of the inventory is
    /// made good by a snapshot at the next heartbeat, a final result is repeated anyway.
    fn send(&mut self, session: &Session, body: up::Body) {
        if let up::Body::Action(report) = &body {
            self.waiting.keep(report, Instant::now());
        }
        let Err(mpsc::error::TrySendError::Full(lost)) =
            session.up.try_send(wire::Up { body: Some(body) })
        else {
            return;
        };
        if let Some(up::Body::Snapshot(_) | up::Body::Report(_)) = lost.body {
            self.lost_inventory = true;
        }
    }

    fn obey(&mut self, session: &Session, body: down::Body) {
        match body {
            down::Body::Command(command) if command.epoch == session.epoch => {
                self.parts.actions.start(command)
            }
            down::Body::Cancel(cancel) if cancel.epoch == session.epoch => {
                self.parts.actions.cancel(cancel.action_id)
            }
            down::Body::OpenTunnel(open) if open.epoch == session.epoch => {
                self.parts.tunnels.open(session.client.clone(), open);
            }
            down::Body::Command(wire::Command {
                epoch, action_id, ..
            })
            | down::Body::Cancel(wire::Cancel { epoch, action_id }) => {
                self.refuse(session, epoch, action_id);
            }
            down::Body::OpenTunnel(open) => {
                let failed = wire::TunnelFailed {
                    tunnel_id: open.tunnel_id,
                    error: STALE_EPOCH.to_owned(),
                };
                self.send(session, up::Body::TunnelFailed(failed));
            }
            down::Body::ResultAck(ack) => {
                self.waiting.acknowledged(&ack.action_id);
                self.parts.actions.acknowledged(ack.action_id);
            }
            down::Body::SnapshotWanted(wanted) => {
                // A full channel holds a wish already.
                let _ = self.parts.wishes.try_send(Wish::Snapshot {
                    held: wanted.digest,
                });
            }
            down::Body::ReportAck(ack) => {
                self.parts.unconfirmed.confirmed(ack.seq, Instant::now());
            }
            down::Body::Welcome(_) | down::Body::Refused(_) => {}
        }
    }

    fn refuse(&mut self, session: &Session, epoch: u64, action_id: Vec<u8>) {
        tracing::warn!(
            "Refused a command of epoch {epoch}: this session has epoch {}",
            session.epoch
        );
        let refusal = STALE_EPOCH.to_owned();
        let report = wire::ActionReport {
            action_id,
            refusal,
            ..wire::ActionReport::default()
        };
        self.send(session, up::Body::Action(report));
    }
}

impl Ended {
    /// How long to wait before the next try, where that is not for the back-off to say.
    fn pause(&self) -> Option<Duration> {
        match self {
            Self::Waits { status, .. } if status == "unaccepted" => Some(ASK_AGAIN),
            Self::Waits { .. } => Some(ASK_SELDOM),
            Self::Enrol(EnrolError::Refused(status)) if is_decided(status.code()) => {
                Some(ASK_SELDOM)
            }
            _ => None,
        }
    }

    /// A server that is not there, or has no time, has said nothing about the certificate: all agents would ask for a new
    /// one whenever it is started again.
    fn may_be_the_certificate(&self) -> bool {
        let Self::Dial(error) = self else { return true };
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                use io::ErrorKind::*;
                return !matches!(
                    io.kind(),
                    ConnectionRefused
                        | HostUnreachable
                        | NetworkUnreachable
                        | TimedOut
                        | UnexpectedEof
                );
            }
            source = error.source();
        }
        true
    }

    /// It may be so for a long time.
    const fn lasts(&self) -> bool {
        matches!(self, Self::Dial(_) | Self::Waits { .. } | Self::Enrol(_))
    }
}

/// Whether an answer to a wish to join is one, and not the connection's end.
fn is_decided(code: Code) -> bool {
    !matches!(
        code,
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded
    )
}

/// What whoever reads the log can do about a key that is not accepted.
fn waits(status: &str, name: &str, print: &Fingerprint, message: &str) -> String {
    let then = match status {
        "unaccepted" => format!("compare the fingerprint, then: salar key accept {name}"),
        "denied" => {
            format!("another agent has this name or host; if that is gone: salar key delete {name}")
        }
        _ => format!("if it should be: salar key accept {name}"),
    };
    let before = match message {
        "" => String::new(),
        message => format!("{message}; "),
    };
    format!("{before}the key {print} of {name} is {status}; {then}")
}

/// The system's word: what wraps it says only that there is no connection.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

/// The next message that this version understands.
async fn receive(down: &mut tonic::Streaming<wire::Down>) -> Result<down::Body, Ended> {
    loop {
        match down.message().await.map_err(Box::new)? {
            Some(wire::Down { body: Some(body) }) => return Ok(body),
            // A kind of message that a newer server sends and this version does not know.
            Some(wire::Down { body: None }) => {}
            None => return Err(Ended::Closed),
        }
    }
}
