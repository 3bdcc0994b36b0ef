//! What agents make states from: the tree of state files, the same for all, and to each the pillar of its own host.
//!
//! Both are read when they are asked for, so that an edit counts at once. The pillar is rendered here: no agent ever has
//! what belongs to another.

use crate::app::App;
use agent_api::wire::{FileChunk, Tree, TreeFile, TreeRequest};
use db::HostRecord;
use model::{Fingerprint, HostId};
use serde_json::{Map, Value, json};
use sls::{Diagnostic, Files, FunctionError, Functions, Target};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tonic::Status;
use tracing::{error, warn};
use tree::{BASE, Index, Listed, Roots};

/// Bytes of a chunk: small enough that a console beside it does not wait.
const CHUNK: usize = 64 * 1024;
/// Most files of one request.
const MAX_FILES: usize = 1000;

/// State files and pillar of this server.
#[derive(Debug, Default)]
pub struct StateTree {
    files: Roots,
    pillar: Roots,
    index: Index,
}

impl StateTree {
    /// Read from these folders.
    pub fn new(files: Roots, pillar: Roots) -> Self {
        Self {
            files,
            pillar,
            index: Index::default(),
        }
    }

    /// The state files.
    pub const fn state_files(&self) -> &Roots {
        &self.files
    }

    /// The pillar of a host, from its grains as they are known, and what is wrong with it. Reads files: blocks meanwhile.
    pub fn pillar_of(&self, host: &HostRecord) -> (Value, Vec<Diagnostic>) {
        self.pillar_in(host, None)
    }

    /// The same, from one environment alone if there is one.
    fn pillar_in(&self, host: &HostRecord, env: Option<String>) -> (Value, Vec<Diagnostic>) {
        let mut target = Target::new(&host.facts.name);
        if let Ok(Value::Object(mut grains)) = serde_json::from_str(&host.facts.grains) {
            // Whatever the agent says it is called, the pillar is that of its key.
            grains.insert("id".to_owned(), host.facts.name.clone().into());
            target.grains = Value::Object(grains);
        }
        target.opts = json!({ "id": host.facts.name });
        target.saltenv = env;
        if !self.pillar.has_files() {
            return (target.pillar, Vec::new());
        }
        let files: Arc<dyn Files> = Arc::new(self.pillar.clone());
        let functions: Arc<dyn Functions> = Arc::new(NoFunctions(
            "the server renders the pillar, from grains and pillar files alone",
        ));
        sls::render_pillar(&target, &files, &functions)
    }
}

/// What is rendered on the server cannot ask hosts. It says why.
pub struct NoFunctions(pub &'static str);

impl Functions for NoFunctions {
    fn call(
        &self,
        name: &str,
        _: &[Value],
        _: &Map<String, Value>,
    ) -> Result<Value, FunctionError> {
        Err(FunctionError::new(format!(
            "{name} cannot be called here: {}",
            self.0
        )))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The tree, and the pillar of `host`; files are left out if the agent has them all, which the digest says.
///
/// # Errors
/// A file cannot be read, or the store fails.
pub async fn tree(app: &Arc<App>, host: HostId, asked: TreeRequest) -> Result<Tree, Status> {
    let record = find_host(app, host).await?;
    let app = app.clone();
    let (listing, pillar, faults) = blocking(move || {
        let listing = app.tree.index.list(&app.tree.files);
        let env = Some(asked.pillar_environment).filter(|env| !env.is_empty());
        let (pillar, faults) = app.tree.pillar_in(&record, env);
        (listing, pillar, faults)
    })
    .await?;
    let listing = listing.map_err(|error| {
        let mut why = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            why = format!("{why}: {source}");
        }
        error!("Cannot list the state files: {why}");
        Status::internal(format!("the server's state files cannot be listed: {why}"))
    })?;
    let listing = match asked.all_environments {
        true => listing,
        false => listing.only(BASE),
    };
    let current = listing.digest();
    let unchanged = current.0.as_slice() == asked.digest;
    let files = listing.files().iter().filter(|_| !unchanged);
    Ok(Tree {
        digest: current.0.to_vec(),
        unchanged,
        files: files
            .map(|file| TreeFile {
                environment: environment(&file.env),
                path: file.path.clone(),
                sha256: file.sha256.0.to_vec(),
                size: file.size,
            })
            .collect(),
        pillar_json: pillar.to_string(),
        pillar_errors: faults
            .iter()
            .filter(|fault| fault.is_error())
            .map(Diagnostic::text)
            .collect(),
    })
}

/// As older agents know it.
fn environment(env: &str) -> String {
    match env {
        BASE => String::new(),
        env => env.to_owned(),
    }
}

/// Sends the files of these checksums through `out`, in the order in which they were asked for. An agent that does not
/// read holds up nothing but its own files: no thread waits for it.
pub async fn send(
    app: Arc<App>,
    wanted: Vec<Vec<u8>>,
    out: mpsc::Sender<Result<FileChunk, Status>>,
) {
    if let Err(status) = send_all(app, &wanted, &out).await {
        let _ = out.send(Err(status)).await;
    }
}

async fn send_all(
    app: Arc<App>,
    wanted: &[Vec<u8>],
    out: &mpsc::Sender<Result<FileChunk, Status>>,
) -> Result<(), Status> {
    if wanted.len() > MAX_FILES {
        let message = format!("at most {MAX_FILES} files may be asked for at a time");
        return Err(Status::invalid_argument(message));
    }
    let reader = app.clone();
    let listing = blocking(move || reader.tree.index.list(&reader.tree.files)).await?;
    let listing = listing.map_err(|error| Status::internal(error.to_string()))?;
    let by_sum: HashMap<Fingerprint, &Listed> = listing
        .files()
        .iter()
        .map(|file| (file.sha256, file))
        .collect();
    for sum in wanted {
        let print = <[u8; 32]>::try_from(sum.as_slice())
            .map_err(|_| Status::invalid_argument("a checksum has 32 bytes"))?;
        // What has changed since it was listed is asked for again, by its new name.
        let gone = || Status::aborted("a file has changed meanwhile; ask for the tree again");
        let file = by_sum.get(&Fingerprint(print)).ok_or_else(gone)?;
        let found = app.tree.files.locate(&file.env, &file.path);
        let found = found.ok_or_else(gone)?;
        let sent = send_one(&found, sum, out).await;
        if !sent.map_err(|error| Status::internal(error.to_string()))? {
            return Ok(());
        }
    }
    Ok(())
}

/// False when nobody listens any more.
async fn send_one(
    path: &Path,
    sha256: &[u8],
    out: &mpsc::Sender<Result<FileChunk, Status>>,
) -> io::Result<bool> {
    let mut file = File::open(path).await?;
    loop {
        let mut data = Vec::with_capacity(CHUNK);
        (&mut file)
            .take(CHUNK as u64)
            .read_to_end(&mut data)
            .await?;
        let last = data.len() < CHUNK;
        let chunk = FileChunk {
            sha256: sha256.to_vec(),
            data,
            last,
        };
        if out.send(Ok(chunk)).await.is_err() {
            return Ok(false);
        }
        if last {
            return Ok(true);
        }
    }
}

async fn find_host(app: &App, host: HostId) -> Result<HostRecord, Status> {
    match app.store.find::<HostRecord>(host.0).await {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(Status::failed_precondition("the host has no session yet")),
        Err(error) => {
            error!(
                error = &error as &dyn std::error::Error,
                "Cannot look up a host"
            );
            Err(Status::unavailable("the store is down"))
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        warn!("Reading state files ended early: {error}");
        Status::internal("the server could not read its state files")
    })
}
