//! State files and pillar as a server on another machine has sent them.
//!
//! ```text
//!  tree/cache/SHA256          contents, each once
//!  tree/whole/DIGEST/ENV/…    whole trees, linked from the cache
//!  tree/listing.json          what the present tree has, also what is too large to be fetched before it is asked for
//!  tree/current               link to the present tree
//!  tree/pillar.json           the pillar of this host
//! ```
//! Only what the cache lacks is fetched. A tree is complete before it becomes the present one, so that a call that needs
//! no server finds one tree or the other, never a mixture.

use crate::journal::file::write_atomically;
use crate::link::jittered;
use crate::state_dir;
use agent_api::wire::agent_link_client::AgentLinkClient;
use agent_api::wire::{self, FilesRequest, TreeRequest};
use model::Fingerprint;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;
use tree::{BASE, Listed, Listing, MAX_FILES, Roots};

/// Larger files (images) are fetched when a state asks for them.
const LARGE: u64 = 1024 * 1024;
/// Files of one request.
const AT_A_TIME: usize = 500;
/// Folder of whole trees.
const TREES: &str = "whole";
/// How long the tree may be asked for, and how long a file may bring nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the tree is brought up to date for calls that need no server.
const EVERY: Duration = Duration::from_secs(60);
/// Somebody saves files while they are fetched: so often it is tried again.
const TRIES: usize = 5;

/// A client of the session that is open.
type Client = AgentLinkClient<Channel>;

/// Why the server's tree is not here.
#[derive(Debug, Error)]
pub enum ReceiveError {
    /// There is no session.
    #[error("there is no session with the server")]
    NoSession,
    /// The server did not answer, or refused.
    #[error("{0}")]
    Server(String),
    /// What it sent is not what it said.
    #[error("the server's answer cannot be used: {0}")]
    Answer(&'static str),
    /// Files changed again and again.
    #[error("the server's files change faster than they can be fetched")]
    KeepsChanging,
    /// A file cannot be written here.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// What has been received.
#[derive(Debug)]
pub struct Received {
    folder: PathBuf,
    client: watch::Sender<Option<Client>>,
    /// One refresh at a time.
    turn: Mutex<()>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    files: Vec<KeptFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptFile {
    #[serde(default = "base")]
    env: String,
    path: String,
    sha256: String,
    size: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptPillar {
    pillar: Value,
    errors: Vec<String>,
}

fn base() -> String {
    BASE.to_owned()
}

/// The files that were listed are no longer those of the server.
enum Fetched {
    All,
    Outdated,
}

impl Received {
    /// What is kept in this state folder; it is made when there is something to keep.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("tree"),
            client: watch::Sender::new(None),
            turn: Mutex::default(),
        }
    }

    /// Whether there is a tree.
    pub fn is_there(&self) -> bool {
        self.present().is_some()
    }

    /// The present tree. Roots that are held go on reading the same one, for as long as it is kept: until it has been
    /// replaced twice.
    pub fn roots(&self) -> Roots {
        let Some(present) = self.present() else {
            return Roots::default();
        };
        let files = self.listed();
        let envs: BTreeSet<&str> = files.iter().map(|file| file.env.as_str()).collect();
        let dirs = |env: &str| (env.to_owned(), vec![present.join(env)]);
        Roots::of(envs.into_iter().map(dirs))
    }

    /// The pillar of this host, and why it did not render as a whole.
    pub fn pillar(&self) -> Option<(Value, Vec<String>)> {
        let text = fs::read(self.folder.join("pillar.json")).ok()?;
        let kept: KeptPillar = serde_json::from_slice(&text).ok()?;
        Some((kept.pillar, kept.errors))
    }

    /// A session is open, or is over.
    pub(crate) fn set_client(&self, client: Option<Client>) {
        self.client.send_replace(client);
    }

    /// Brings tree and pillar up to date; waits a while for a session if there is none. With a server that is too old to
    /// have them nothing is received.
    ///
    /// # Errors
    /// They cannot be had; what was received before stays.
    pub async fn refresh(&self) -> Result<(), ReceiveError> {
        let mut client = self.client().await?;
        let _turn = self.turn.lock().await;
        for _ in 0..TRIES {
            let digest = self.digest().map(|digest| digest.0.to_vec());
            let Some(answer) = ask(&mut client, digest.unwrap_or_default(), "").await? else {
                return Ok(());
            };
            if !answer.unchanged
                && let Fetched::Outdated = self.take(&mut client, &answer).await?
            {
                continue;
            }
            return self.keep_pillar(answer);
        }
        Err(ReceiveError::KeepsChanging)
    }

    /// The pillar of this host from one environment alone, as the server has it now, and why it did not render as a
    /// whole. It is not kept.
    ///
    /// # Errors
    /// It cannot be had.
    pub async fn pillar_in(&self, env: &str) -> Result<(Value, Vec<String>), ReceiveError> {
        let mut client = self.client().await?;
        // Its digest says that no file need be listed.
        let digest = self.digest().map(|digest| digest.0.to_vec());
        let answer = ask(&mut client, digest.unwrap_or_default(), env).await?;
        let answer = answer.ok_or(ReceiveError::Answer("the server is too old to have one"))?;
        let kept = KeptPillar::of(answer)?;
        Ok((kept.pillar, kept.errors))
    }

    /// Keeps tree and pillar at most a minute old while there is a session, until `stop`.
    pub(crate) async fn keep_fresh(&self, stop: CancellationToken) {
        let mut session = self.client.subscribe();
        loop {
            if session.borrow_and_update().is_some()
                && let Err(error) = self.refresh().await
            {
                tracing::debug!("The server's state files are not up to date here: {error}");
            }
            // Cancel safety: nothing is held.
            tokio::select! {
                () = stop.cancelled() => return,
                changed = session.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(jittered(EVERY)) => {}
            }
        }
    }

    /// Where a file of the tree lies, which is fetched if it is too large to be fetched before.
    ///
    /// # Errors
    /// It cannot be fetched.
    pub async fn locate(&self, env: &str, path: &str) -> Result<Option<PathBuf>, ReceiveError> {
        let Some(present) = self.present() else {
            return Ok(None);
        };
        if let Some(found) = self.roots().locate(env, path) {
            return Ok(Some(found));
        }
        let is_it = |file: &Listed| file.env == env && file.path == path;
        let Some(file) = self.listed().into_iter().find(is_it) else {
            return Ok(None);
        };
        let mut client = self.client().await?;
        let _turn = self.turn.lock().await;
        match self.fetch(&mut client, &[&file]).await? {
            Fetched::All => {}
            Fetched::Outdated => return Err(ReceiveError::KeepsChanging),
        }
        let tree = present.join(env);
        link(&self.cached(&file.sha256), &tree, path)?;
        Ok(Some(tree.join(path)))
    }

    fn present(&self) -> Option<PathBuf> {
        let target = fs::read_link(self.folder.join("current")).ok()?;
        let present = self.folder.join(target);
        present.is_dir().then_some(present)
    }

    fn digest(&self) -> Option<Fingerprint> {
        self.present()?.file_name()?.to_str()?.parse().ok()
    }

    /// All files of the present tree.
    fn listed(&self) -> Vec<Listed> {
        let text = fs::read(self.folder.join("listing.json")).unwrap_or_default();
        let kept: Kept = serde_json::from_slice(&text).unwrap_or_default();
        let listed = kept.files.into_iter().filter_map(|file| {
            Some(Listed {
                env: file.env,
                path: file.path,
                sha256: file.sha256.parse().ok()?,
                size: file.size,
            })
        });
        listed.collect()
    }

    async fn client(&self) -> Result<Client, ReceiveError> {
        let mut session = self.client.subscribe();
        let open = session.wait_for(Option::is_some);
        match tokio::time::timeout(PATIENCE, open).await {
            Ok(Ok(client)) => client.clone().ok_or(ReceiveError::NoSession),
            Ok(Err(_)) | Err(_) => Err(ReceiveError::NoSession),
        }
    }

    fn cached(&self, sha256: &Fingerprint) -> PathBuf {
        self.folder.join("cache").join(sha256.hex())
    }

    /// Makes the tree of `answer` the present one.
    async fn take(
        &self,
        client: &mut Client,
        answer: &wire::Tree,
    ) -> Result<Fetched, ReceiveError> {
        let listing = listing(answer)?;
        for folder in ["cache", TREES] {
            let path = self.folder.join(folder);
            state_dir::make(&path).map_err(failed(&path))?;
        }
        let mut asked = HashSet::new();
        let missing: Vec<&Listed> = listing
            .files()
            .iter()
            .filter(|file| file.size <= LARGE)
            .filter(|file| !self.cached(&file.sha256).exists() && asked.insert(file.sha256))
            .collect();
        for files in missing.chunks(AT_A_TIME) {
            if let Fetched::Outdated = self.fetch(client, files).await? {
                return Ok(Fetched::Outdated);
            }
        }
        self.build(&listing)?;
        tracing::info!(
            "Received the server's state files: {} files, {} of them new",
            listing.files().len(),
            missing.len()
        );
        Ok(Fetched::All)
    }

    /// Fetches files into the cache.
    async fn fetch(&self, client: &mut Client, files: &[&Listed]) -> Result<Fetched, ReceiveError> {
        let sha256 = files.iter().map(|file| file.sha256.0.to_vec()).collect();
        let answer = client.get_files(FilesRequest { sha256 }).await;
        let mut chunks = answer.map_err(|status| refused(&status))?.into_inner();
        for file in files {
            let path = self.cached(&file.sha256);
            let fresh = path.with_extension("new");
            let mut out = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)
                .map_err(failed(&fresh))?;
            let (mut hash, mut size) = (Sha256::new(), 0);
            loop {
                let chunk = tokio::time::timeout(PATIENCE, chunks.message()).await;
                let chunk = match chunk {
                    Err(_) => return Err(ReceiveError::Server("no answer in time".to_owned())),
                    Ok(Err(status)) if status.code() == Code::Aborted => {
                        return Ok(Fetched::Outdated);
                    }
                    Ok(Err(status)) => return Err(refused(&status)),
                    Ok(Ok(None)) => return Err(ReceiveError::Answer("a file has no end")),
                    Ok(Ok(Some(chunk))) => chunk,
                };
                size += chunk.data.len() as u64;
                if chunk.sha256 != file.sha256.0 || size > file.size {
                    return Ok(Fetched::Outdated);
                }
                hash.update(&chunk.data);
                out.write_all(&chunk.data).map_err(failed(&fresh))?;
                if chunk.last {
                    break;
                }
            }
            if Fingerprint(hash.finalize().into()) != file.sha256 {
                return Ok(Fetched::Outdated);
            }
            out.sync_all().map_err(failed(&fresh))?;
            fs::rename(&fresh, &path).map_err(failed(&path))?;
        }
        Ok(Fetched::All)
    }

    /// Links a tree from the cache, and makes it the present one.
    fn build(&self, listing: &Listing) -> Result<(), ReceiveError> {
        let name = listing.digest().hex();
        let (trees, before) = (self.folder.join(TREES), self.present());
        let (fresh, path) = (trees.join("new"), trees.join(&name));
        for half_made in [&fresh, &path] {
            match fs::remove_dir_all(half_made) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(half_made)(error));
                }
                _ => {}
            }
        }
        state_dir::make(&fresh).map_err(failed(&fresh))?;
        for file in listing.files() {
            let cached = self.cached(&file.sha256);
            // A large one is linked when it has been fetched.
            if cached.exists() {
                link(&cached, &fresh.join(&file.env), &file.path)?;
            }
        }
        fs::rename(&fresh, &path).map_err(failed(&path))?;
        let kept = Kept {
            files: listing.files().iter().map(KeptFile::of).collect(),
        };
        self.keep("listing.json", &kept)?;
        let (link, current) = (self.folder.join("current.new"), self.folder.join("current"));
        let _ = fs::remove_file(&link);
        symlink(Path::new(TREES).join(&name), &link).map_err(failed(&link))?;
        fs::rename(&link, &current).map_err(failed(&current))?;
        self.prune(&path, before.as_deref());
        Ok(())
    }

    /// Removes all trees but these, and what no tree has any more. What cannot be removed is removed the next time.
    fn prune(&self, present: &Path, before: Option<&Path>) {
        for entry in entries(&self.folder.join(TREES)) {
            if entry != present && Some(entry.as_path()) != before {
                let _ = fs::remove_dir_all(entry);
            }
        }
        for entry in entries(&self.folder.join("cache")) {
            if fs::metadata(&entry).is_ok_and(|meta| meta.nlink() == 1) {
                let _ = fs::remove_file(entry);
            }
        }
    }

    fn keep_pillar(&self, answer: wire::Tree) -> Result<(), ReceiveError> {
        self.keep("pillar.json", &KeptPillar::of(answer)?)
    }

    /// Writes a file for its owner only, unless it has that content.
    fn keep(&self, name: &str, value: &impl Serialize) -> Result<(), ReceiveError> {
        let path = self.folder.join(name);
        let text = serde_json::to_vec(value).map_err(|error| failed(&path)(error.into()))?;
        if fs::read(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        write_atomically(&path, &text).map_err(failed(&path))
    }
}

impl KeptPillar {
    fn of(answer: wire::Tree) -> Result<Self, ReceiveError> {
        let pillar = serde_json::from_str(&answer.pillar_json)
            .ok()
            .filter(Value::is_object)
            .ok_or(ReceiveError::Answer("the pillar is no dictionary"))?;
        Ok(Self {
            pillar,
            errors: answer.pillar_errors,
        })
    }
}

impl KeptFile {
    fn of(file: &Listed) -> Self {
        Self {
            env: file.env.clone(),
            path: file.path.clone(),
            sha256: file.sha256.hex(),
            size: file.size,
        }
    }
}

/// Asks for the tree and the pillar; `None` from a server that is too old to have them.
async fn ask(
    client: &mut Client,
    digest: Vec<u8>,
    pillar_env: &str,
) -> Result<Option<wire::Tree>, ReceiveError> {
    let request = TreeRequest {
        digest,
        all_environments: true,
        pillar_environment: pillar_env.to_owned(),
    };
    match tokio::time::timeout(PATIENCE, client.get_tree(request)).await {
        Err(_) => Err(ReceiveError::Server("no answer in time".to_owned())),
        Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(None),
        Ok(Err(status)) => Err(refused(&status)),
        Ok(Ok(answer)) => Ok(Some(answer.into_inner())),
    }
}

fn listing(answer: &wire::Tree) -> Result<Listing, ReceiveError> {
    if answer.files.len() > MAX_FILES {
        return Err(ReceiveError::Answer("the tree has too many files"));
    }
    let files = answer.files.iter().map(|file| {
        let sha256 = <[u8; 32]>::try_from(file.sha256.as_slice()).ok()?;
        let env = match file.environment.as_str() {
            "" => BASE,
            env => env,
        };
        let goes_down = tree::inside(&file.path).is_some() && !file.path.is_empty();
        (goes_down && tree::is_environment(env)).then(|| Listed {
            env: env.to_owned(),
            path: file.path.clone(),
            sha256: Fingerprint(sha256),
            size: file.size,
        })
    });
    let files: Option<Vec<_>> = files.collect();
    let listing = Listing::new(files.ok_or(ReceiveError::Answer("a file of the tree is none"))?);
    match listing.digest().0 == answer.digest.as_slice() {
        true => Ok(listing),
        false => Err(ReceiveError::Answer(
            "the tree is not the one that it names",
        )),
    }
}

/// Links a file of the cache into a tree.
fn link(cached: &Path, tree: &Path, path: &str) -> Result<(), ReceiveError> {
    let target = tree.join(path);
    if let Some(folder) = target.parent() {
        state_dir::make(folder).map_err(failed(folder))?;
    }
    match fs::hard_link(cached, &target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.map_err(failed(&target)),
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn refused(status: &tonic::Status) -> ReceiveError {
    ReceiveError::Server(status.message().to_owned())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ReceiveError {
    let path = path.to_owned();
    move |source| ReceiveError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(files: &[(&str, Vec<u8>)]) -> wire::Tree {
        let listed = files.iter().map(|(path, sum)| Listed {
            env: BASE.to_owned(),
            path: (*path).to_owned(),
            sha256: Fingerprint(sum.as_slice().try_into().unwrap_or([0; 32])),
            size: 1,
        });
        wire::Tree {
            digest: Listing::new(listed.collect()).digest().0.to_vec(),
            files: files
                .iter()
                .map(|(path, sum)| wire::TreeFile {
                    path: (*path).to_owned(),
                    sha256: sum.clone(),
                    size: 1,
                    environment: String::new(),
                })
                .collect(),
            ..wire::Tree::default()
        }
    }

    /// The same files in another environment, under the digest that they have there.
    fn in_environment(tree: &wire::Tree, env: &str) -> wire::Tree {
        let mut tree = tree.clone();
        let file = |file: &mut wire::TreeFile| {
            file.environment = env.to_owned();
            Listed {
                env: env.to_owned(),
                path: file.path.clone(),
                sha256: Fingerprint(file.sha256.as_slice().try_into().expect("32 bytes")),
                size: 1,
            }
        };
        let listed = tree.files.iter_mut().map(file).collect();
        tree.digest = Listing::new(listed).digest().0.to_vec();
        tree
    }

    #[test]
    fn a_tree_leads_nowhere_else_and_is_the_one_it_names() {
        let good = answer(&[("web/init.sls", vec![1; 32]), ("vm.sls", vec![2; 32])]);
        assert_eq!(listing(&good).expect("is one").files().len(), 2);
        let dev = listing(&in_environment(&good, "dev")).expect("is one");
        assert!(dev.files().iter().all(|file| file.env == "dev"));
        for bad in [
            answer(&[("../evil", vec![1; 32])]),
            answer(&[("web/../../evil", vec![1; 32])]),
            answer(&[("/etc/passwd", vec![1; 32])]),
            answer(&[("", vec![1; 32])]),
            answer(&[("vm.sls", vec![1; 31])]),
            wire::Tree {
                digest: vec![0; 32],
                ..good.clone()
            },
            wire::Tree {
                files: Vec::new(),
                ..good.clone()
            },
            in_environment(&good, "../evil"),
            in_environment(&good, ".."),
            in_environment(&good, "a/b"),
        ] {
            let refused = listing(&bad);
            assert!(matches!(refused, Err(ReceiveError::Answer(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_tree_is_replaced_as_a_whole_and_the_one_before_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let received = Received::new(folder.path());
        assert!(!received.is_there());
        state_dir::make(&folder.path().join("tree/cache")).expect("a folder");
        let mut held = Vec::new();
        for n in 1..=3_u8 {
            let sha256 = Fingerprint([n; 32]);
            fs::write(received.cached(&sha256), [n]).expect("is written");
            let file = Listed {
                env: BASE.to_owned(),
                path: "web/init.sls".to_owned(),
                sha256,
                size: 1,
            };
            received.build(&Listing::new(vec![file])).expect("is built");
            held.push(
                received
                    .roots()
                    .locate(BASE, "web/init.sls")
                    .expect("is there"),
            );
        }
        let read = |path: &PathBuf| fs::read(path).ok();
        assert_eq!(
            held.iter().map(read).collect::<Vec<_>>(),
            [None, Some(vec![2]), Some(vec![3])]
        );
        assert_eq!(entries(&folder.path().join("tree/cache")).len(), 2);
        // The same once more.
        let again = Listing::new(received.listed());
        received.build(&again).expect("is built");
        assert_eq!(received.digest(), Some(again.digest()));
        assert_eq!(read(&held[2]), Some(vec![3]));
    }
}
