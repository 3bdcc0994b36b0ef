//! Where agents of other machines come in: TLS on an address of its own.
//!
//! A connection without a certificate may only ask to be let in: see [`super::strangers`] for how many of them. All
//! else is decided by the key: see [`super::keys`].

use super::strangers::{Stranger, Strangers};
use crate::app::App;
use agent_api::enrolment::fingerprint;
use model::Fingerprint;
use rustls::server::ParsedCertificate;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes and connections without a certificate at a time.
const STRANGERS: usize = 256;
/// How long a connection without a certificate may stay: it asks once.
const STRANGERS_STAY: Duration = Duration::from_secs(30);
/// Connections that wait to be served.
const WAITING: usize = 64;
/// Pause after a failure to accept, as when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The key of the certificate it has shown; without one it may only enrol.
    pub key: Option<Fingerprint>,
    /// Where it comes from.
    pub address: IpAddr,
}

/// A connection after its handshake.
pub struct AgentStream {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    /// How long it may stay, if it has shown no certificate.
    stay: Option<Stay>,
}

/// The time of a stranger.
struct Stay {
    deadline: Pin<Box<tokio::time::Sleep>>,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    _stranger: Stranger,
}

impl Stay {
    fn new(stranger: Stranger) -> Self {
        Self {
            deadline: Box::pin(tokio::time::sleep(STRANGERS_STAY)),
            ended: Box::pin(stranger.ended().cancelled_owned()),
            _stranger: stranger,
        }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.deadline.as_mut().poll(cx).is_ready() || self.ended.as_mut().poll(cx).is_ready()
    }
}

/// Accepts connections until the server ends; those that have shaken hands come out of the receiver.
pub fn open(
    app: &Arc<App>,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
) -> mpsc::Receiver<io::Result<AgentStream>> {
    let (ready, streams) = mpsc::channel(WAITING);
    let acceptor = TlsAcceptor::from(tls);
    let shutdown = app.shutdown.clone();
    let strangers = Strangers::new(STRANGERS);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "Cannot accept an agent"
                    );
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let ip = address.ip().to_canonical();
            let Some(stranger) = strangers.take_in(ip, Instant::now()) else {
                debug!("Too many strangers at a time; turned away {address}");
                continue;
            };
            let ended = stranger.ended();
            let (ready, acceptor) = (ready.clone(), acceptor.clone());
            tokio::spawn(async move {
                let greeted = greet(&acceptor, stream, address, stranger);
                let greeted = tokio::select! {
                    () = ended.cancelled() => {
                        debug!("Too many strangers at a time; turned away {address}");
                        return;
                    }
                    greeted = tokio::time::timeout(HANDSHAKE, greeted) => greeted,
                };
                match greeted {
                    Ok(Ok(stream)) => drop(ready.send(Ok(stream)).await),
                    Ok(Err(error)) => {
                        warn!("Refused a connection of {address} to the link: {error}")
                    }
                    Err(_) => debug!("{address} did not shake hands in time"),
                }
            });
        }
    });
    streams
}

async fn greet(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
    stranger: Stranger,
) -> io::Result<AgentStream> {
    stream.set_nodelay(true)?;
    let tls = acceptor.accept(stream).await?;
    let shown = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let key = match shown {
        Some(certificate) => {
            let parsed = ParsedCertificate::try_from(certificate).map_err(io::Error::other)?;
            Some(fingerprint(&parsed.subject_public_key_info()))
        }
        None => None,
    };
    Ok(AgentStream {
        tls,
        peer: Peer {
            key,
            address: address.ip().to_canonical(),
        },
        stay: key.is_none().then(|| Stay::new(stranger)),
    })
}

impl Connected for AgentStream {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for AgentStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.stay.as_mut().is_some_and(|stay| stay.is_over(cx)) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.tls).poll_read(cx, buffer)
    }
}

impl AsyncWrite for AgentStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}
