//! Hosts without an agent of their own: for each the server runs one as a child, which reaches libvirt by its URI.
//!
//! ```text
//!  STATE/agentless/HOST-ID/ known_hosts   the keys that were confirmed
//!                           config/       an administrator's grains and configuration for it, as of a minion
//!                           agent/        what its agent keeps
//! ```
//! Which there are stands in the store. [`Agentless::catch_up`] makes the children and the folders what the store says.

mod host_keys;
mod uri;

pub use host_keys::{HostKey, ScanError, scan};
pub use uri::{Transport, check};

use crate::app::App;
use crate::child_agent::{ChildAgent, ChildProgram};
use crate::start::{make_private_folder, write_private};
use db::{AgentlessHost, RemovedHost, Store, StoreError};
use model::HostId;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

/// How often the children are compared with the store: what a full disk or a request that was broken off has left
/// undone is made up for.
const AGAIN: Duration = Duration::from_secs(30);

/// The children.
pub struct Agentless {
    program: Option<ChildProgram>,
    folder: PathBuf,
    running: Mutex<HashMap<HostId, Running>>,
    /// Hosts whose agents may still call: those that run, and those that are about to end.
    calling: std::sync::Mutex<HashSet<HostId>>,
}

struct Running {
    host: AgentlessHost,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.ended.await {
            error!("The agent of {} was given up: {error}", self.host.name);
        }
    }
}

/// Keeps them running until the server ends.
pub async fn run(app: Arc<App>) {
    loop {
        if let Err(error) = app.agentless.catch_up(&app.store, app.replicas.id()).await {
            error!(
                error = &error as &dyn std::error::Error,
                "Cannot tell which hosts have no agent"
            );
        }
        tokio::select! {
            () = app.shutdown.cancelled() => break,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    app.agentless.end().await;
}

impl Agentless {
    /// No child yet.
    pub fn new(program: Option<ChildProgram>, state_dir: &Path) -> Self {
        Self {
            program,
            folder: state_dir.join("agentless"),
            running: Mutex::default(),
            calling: std::sync::Mutex::default(),
        }
    }

    /// Whether there is a program to run.
    pub const fn is_possible(&self) -> bool {
        self.program.is_some()
    }

    /// Whether the agent of a host is one of these. Waits for none of them: one that does not want to end must not keep
    /// the others from calling.
    pub fn runs(&self, host: HostId) -> bool {
        self.calling().contains(&host)
    }

    fn calling(&self) -> std::sync::MutexGuard<'_, HashSet<HostId>> {
        self.calling.lock().expect("no holder panics")
    }

    async fn end_one(&self, id: HostId, child: Running) {
        child.end().await;
        self.calling().remove(&id);
    }

    /// Starts, stops and changes children until they are those of the store, and removes what others have left.
    ///
    /// # Errors
    /// The store does not say which there are.
    pub async fn catch_up(&self, store: &Store, server: Uuid) -> Result<(), StoreError> {
        let Some(program) = &self.program else {
            return Ok(());
        };
        let mut running = self.running.lock().await;
        let mut wanted: HashMap<HostId, AgentlessHost> = store
            .claim_agentless(server)
            .await?
            .into_iter()
            .map(|host| (host.id, host))
            .collect();
        let others: Vec<HostId> = running
            .iter()
            .filter(|(id, child)| wanted.get(id) != Some(&child.host))
            .map(|(id, _)| *id)
            .collect();
        for id in others {
            if let Some(child) = running.remove(&id) {
                self.end_one(id, child).await;
            }
        }
        remove_all_but(&self.folder, &wanted);
        wanted.retain(|id, _| !running.contains_key(id));
        for (id, host) in wanted {
            match prepare(program, &self.folder.join(id.to_string()), &host) {
                Ok(agent) => {
                    let stop = CancellationToken::new();
                    self.calling().insert(id);
                    let ended = tokio::spawn(agent.supervise(stop.clone()));
                    let child = Running { host, stop, ended };
                    running.insert(id, child);
                }
                Err(error) => error!(
                    error = &error as &dyn std::error::Error,
                    "Cannot make the folder of {}; it is tried again", host.name
                ),
            }
        }
        Ok(())
    }

    /// Removes a host, whose agent ends first if it is one of these: it would bring the host back at once.
    ///
    /// # Errors
    /// As [`Store::remove_host`].
    pub async fn remove(
        &self,
        store: &Store,
        host: HostId,
    ) -> Result<Option<RemovedHost>, StoreError> {
        // Held to the end, so that nothing starts it again in between.
        let mut running = self.running.lock().await;
        if let Some(child) = running.remove(&host) {
            self.end_one(host, child).await;
        }
        store.remove_host(host).await
    }

    async fn end(&self) {
        let children: Vec<Running> = self
            .running
            .lock()
            .await
            .drain()
            .map(|(_, child)| child)
            .collect();
        for child in &children {
            child.stop.cancel();
        }
        for child in children {
            child.end().await;
        }
    }
}

/// Makes the folder of a host, and says how its agent is started.
fn prepare(program: &ChildProgram, folder: &Path, host: &AgentlessHost) -> io::Result<ChildAgent> {
    let (config, state) = (folder.join("config"), folder.join("agent"));
    make_private_folder(&config)?;
    make_private_folder(&state)?;
    write_private(&state.join("host_id"), format!("{}\n", host.id).as_bytes())?;
    let connection = &host.connection;
    let mut options: Vec<(&str, OsString)> = vec![
        ("--uri", connection.uri.as_str().into()),
        ("--id", host.name.as_str().into()),
        ("--config-dir", config.into()),
    ];
    if !connection.host_keys.is_empty() {
        let known = folder.join("known_hosts");
        // The file is for this one host, by whatever name it is reached.
        let lines = connection.host_keys.iter().map(|key| format!("* {key}\n"));
        write_private(&known, lines.collect::<String>().as_bytes())?;
        options.push(("--known-hosts", known.into()));
        if let Some(file) = &connection.key_file {
            options.push(("--ssh-key", file.into()));
        }
    }
    info!(host.name = %host.name, "{} is reached as {}", host.name, connection.uri);
    Ok(program.agent(host.name.as_str(), state, options))
}

/// Removes the folders of hosts that are no longer there.
fn remove_all_but(folder: &Path, wanted: &HashMap<HostId, AgentlessHost>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let id = entry.file_name().to_string_lossy().parse().map(HostId);
        if id.is_ok_and(|id| !wanted.contains_key(&id))
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            warn!("Cannot remove {}: {error}", entry.path().display());
        }
    }
}
