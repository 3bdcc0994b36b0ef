//! Consoles: the server asks for a tunnel, the agent calls back with its id, the bytes flow over that call.

use super::registry::{OpenTunnel, Sessions};
use agent_api::wire::TunnelChunk;
use futures_util::stream::BoxStream;
use model::HostId;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// How long an agent may take to call back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Both directions of a console.
pub struct Tunnel {
    /// Bytes of the VM; ends with the tunnel.
    pub from_vm: BoxStream<'static, Vec<u8>>,
    /// Bytes for the VM.
    pub to_vm: mpsc::Sender<Vec<u8>>,
}

/// Why a console did not open. The text is shown to the user.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TunnelError {
    /// No session, or it is too busy.
    #[error("The host cannot be reached")]
    NoSession,
    /// Its session is with another server, and that one could not pass the console on.
    #[error("The host's agent is with another server, and this one has no address for agents")]
    NoWayBack,
    /// The agent did not call back.
    #[error("The host's agent did not open the console within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// The agent says why.
    #[error("{0}")]
    Refused(String),
}

type Answer = oneshot::Sender<Result<Tunnel, TunnelError>>;

/// Tunnels asked for and not yet opened.
#[derive(Default)]
pub struct Tunnels(Mutex<HashMap<Uuid, (HostId, Answer)>>);

impl Tunnels {
    /// Asks a host's agent for a tunnel to a VM's console and waits for it.
    ///
    /// # Errors
    /// When the host has no session, or its agent refuses or is silent.
    pub async fn open(
        &self,
        sessions: &Sessions,
        host: HostId,
        vm: Uuid,
    ) -> Result<Tunnel, TunnelError> {
        let session = sessions.find(host).ok_or(TunnelError::NoSession)?;
        let ask = |id| session.tunnels.try_send(OpenTunnel { id, vm }).is_ok();
        self.open_by(host, ask).await
    }

    /// Has somebody asked for a tunnel of a host by its id, and waits for it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_by(
        &self,
        host: HostId,
        ask: impl FnOnce(Uuid) -> bool,
    ) -> Result<Tunnel, TunnelError> {
        let id = Uuid::new_v4();
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id, (host, answer));
        let result = match ask(id) {
            true => match tokio::time::timeout(PATIENCE, answered).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(TunnelError::NoSession),
                Err(_) => Err(TunnelError::TimedOut),
            },
            false => Err(TunnelError::NoSession),
        };
        self.waiting().remove(&id);
        result
    }

    /// The agent of `host` has called back; `None` is one of the server's own, or another server. False if nobody waits
    /// for that any more.
    pub fn opened(&self, host: Option<HostId>, id: Uuid, tunnel: Tunnel) -> bool {
        let mut waiting = self.waiting();
        let is_its_own = waiting
            .get(&id)
            .is_some_and(|(asked, _)| host.is_none_or(|host| host == *asked));
        let answer = if is_its_own {
            waiting.remove(&id)
        } else {
            None
        };
        drop(waiting);
        answer.is_some_and(|(_, answer)| answer.send(Ok(tunnel)).is_ok())
    }

    /// The agent of `host` says why it does not open one.
    pub fn failed(&self, host: HostId, id: Uuid, error: String) {
        let mut waiting = self.waiting();
        if waiting.get(&id).is_some_and(|(asked, _)| *asked == host)
            && let Some((_, answer)) = waiting.remove(&id)
        {
            // Whoever waited may have gone.
            let _ = answer.send(Err(TunnelError::Refused(error)));
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, (HostId, Answer)>> {
        self.0.lock().expect("no holder panics")
    }
}

/// A chunk of bytes for the agent.
pub fn chunk(data: Vec<u8>) -> TunnelChunk {
    TunnelChunk {
        tunnel_id: Vec::new(),
        data,
    }
}
