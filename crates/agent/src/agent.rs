//! The running agent: the parts and how they are tied together.

use crate::actions::Actions;
use crate::console::Tunnels;
use crate::identity::{EpochFile, host_id};
use crate::journal::Journal;
use crate::link::{CredentialsError, Join, Link, LinkParts, ServerAddress};
use crate::minion::Minion;
use crate::reporter::Reporter;
use crate::state_dir::Lock;
use crate::vitals::{Unconfirmed, Vitals};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Messages on their way to the link. It always takes them, session or not; the room is for bursts.
const OUTGOING: usize = 1024;

/// An agent.
pub struct Agent {
    /// The host it serves.
    pub minion: Arc<Minion>,
    /// Whom it dials.
    pub server: ServerAddress,
    /// What it joins a server on another machine with.
    pub join: Join,
    /// Where it counts how it is doing.
    pub vitals: Arc<Vitals>,
}

/// Why an agent cannot start.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The state folder cannot be used.
    #[error("cannot use the state folder {path}: {why}")]
    StateFolder {
        /// The folder.
        path: String,
        /// The system's word.
        why: io::Error,
    },
    /// There is nothing to show to the server.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Another agent uses the same state folder.
    #[error(
        "another agent already uses the state folder {path}; give each its own with --state-dir"
    )]
    AlreadyRunning {
        /// The folder.
        path: String,
    },
}

/// Actions under way get this long to stop when the agent ends.
const FAREWELL: Duration = Duration::from_secs(4);

/// Runs an agent until `stop`, then lets its actions stop between two steps.
///
/// # Errors
/// The state folder cannot be used, or is in use.
pub async fn run(agent: Agent, stop: CancellationToken) -> Result<(), AgentError> {
    let dir = agent.minion.state_dir.clone();
    let failed = |why| AgentError::StateFolder {
        path: dir.display().to_string(),
        why,
    };
    crate::state_dir::make(&dir).map_err(failed)?;
    let _alone = alone(&dir)?;
    let host = host_id(&dir).map_err(failed)?;
    let epoch = EpochFile::open(&dir).map_err(failed)?;
    let journal = Journal::open(&dir.join("journal")).map_err(failed)?;

    let unconfirmed = Unconfirmed::new(agent.vitals.clone());
    let (sender, outgoing) = mpsc::channel(OUTGOING);
    let actions = Actions::new(agent.minion.clone(), journal, sender.clone());
    let tunnels = Tunnels::new(agent.minion.hypervisor.clone(), sender.clone());
    let (reporter, standing, wishes) = Reporter::new(&agent.minion, sender, unconfirmed.clone());
    actions.recover();
    let instance = Uuid::new_v4();
    let parts = LinkParts {
        server: agent.server,
        join: agent.join,
        state_dir: dir.clone(),
        name: agent.minion.id.clone(),
        host,
        instance,
        epoch,
        actions: actions.clone(),
        tunnels,
        outgoing,
        standing,
        wishes,
        received: agent.minion.received.clone(),
        vitals: agent.vitals,
        unconfirmed,
    };
    // The link goes last: it takes what the others still have to say.
    let hang_up = CancellationToken::new();
    let link = tokio::spawn(Link::new(parts)?.run(hang_up.clone()));
    let reporter = tokio::spawn(reporter.run(stop.clone()));
    if let Some(received) = agent.minion.received.clone() {
        let stop = stop.clone();
        tokio::spawn(async move { received.keep_fresh(stop).await });
    }
    stop.cancelled().await;
    actions.wind_down(FAREWELL).await;
    hang_up.cancel();
    for task in [link, reporter] {
        if let Err(error) = task.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    Ok(())
}

/// One agent for each folder: two journals in one would start actions twice.
fn alone(dir: &Path) -> Result<Lock, AgentError> {
    let path = || dir.display().to_string();
    let file = File::create(dir.join("agent.lock"))
        .map_err(|why| AgentError::StateFolder { path: path(), why })?;
    Lock::take(file).map_err(|(_, error)| match error {
        None => AgentError::AlreadyRunning { path: path() },
        Some(why) => AgentError::StateFolder { path: path(), why },
    })
}
