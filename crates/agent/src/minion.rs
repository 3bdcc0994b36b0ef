//! What functions and states work with: one host, its files and its folders.

use crate::grains::OwnGrains;
use crate::image::{ImageStore, Unfinished};
use crate::passwords::Passwords;
use crate::received::{ReceiveError, Received};
use described::{Described, Known};
use hypervisor::Hypervisor;
use sls::{Files, Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use tree::Roots;

/// A host as functions see it; Salt's word for it.
pub struct Minion {
    /// Name that targets match.
    pub id: String,
    /// The hypervisor.
    pub hypervisor: Arc<dyn Hypervisor>,
    /// Its URI.
    pub uri: String,
    /// Where state files are on this machine.
    pub files: Roots,
    /// Where pillar files are on this machine.
    pub pillar: Roots,
    /// Where they are instead, if a server on another machine sends them.
    pub received: Option<Arc<Received>>,
    /// Folder for what must survive: journal, images, locks.
    pub state_dir: PathBuf,
    /// Images fetched so far.
    pub images: ImageStore,
    /// Volumes being made.
    pub unfinished: Unfinished,
    /// Passwords that libvirt keeps.
    pub passwords: Passwords,
    /// Configuration, as `config.get` sees it.
    pub config: Map,
    /// Grains that were written down for it.
    pub own_grains: OwnGrains,
    /// What a description says of the host, where it is a described one: this machine is another.
    pub known: Option<Known>,
}

impl Minion {
    /// A host with its state in `state_dir`, which is made when it is first needed.
    pub fn new(
        id: impl Into<String>,
        hypervisor: Arc<dyn Hypervisor>,
        uri: impl Into<String>,
        state_dir: PathBuf,
    ) -> Self {
        Self {
            id: id.into(),
            hypervisor,
            uri: uri.into(),
            files: Roots::default(),
            pillar: Roots::default(),
            received: None,
            images: ImageStore::new(state_dir.join("images")),
            unfinished: Unfinished::new(state_dir.join("unfinished")),
            passwords: Passwords::new(state_dir.join("passwords.json")),
            state_dir,
            config: Map::new(),
            own_grains: OwnGrains::default(),
            known: None,
        }
    }

    /// A host that is only described; plans for it touch nothing.
    pub fn described(described: Described, state_dir: PathBuf) -> Self {
        let Described { host, known } = described;
        let (id, uri) = (known.name.clone(), known.uri.clone());
        Self {
            config: known.config.clone(),
            known: Some(known),
            ..Self::new(id, Arc::new(host), uri, state_dir)
        }
    }

    /// Whether the hypervisor is on another machine: its files are out of reach, and this machine's are not its own.
    pub fn is_remote(&self) -> bool {
        model::uri::is_remote(&self.uri)
    }

    /// Where state files are read from now.
    pub fn state_files(&self) -> Roots {
        match self.tree() {
            Some(received) => received.roots(),
            None => self.files.clone(),
        }
    }

    /// Where a file of the state tree lies on this machine.
    ///
    /// # Errors
    /// It has to be fetched, and cannot be.
    pub async fn locate(&self, env: &str, path: &str) -> Result<Option<PathBuf>, ReceiveError> {
        match self.tree() {
            Some(received) => received.locate(env, path).await,
            None => Ok(self.files.locate(env, path)),
        }
    }

    /// What a server has sent, if it has.
    pub fn tree(&self) -> Option<&Received> {
        self.received
            .as_deref()
            .filter(|received| received.is_there())
    }

    /// The configuration as one value.
    pub fn opts(&self) -> Value {
        let mut opts = self.config.clone();
        opts.insert("id".to_owned(), Value::String(self.id.clone()));
        opts.entry("saltenv").or_insert(Value::Null);
        opts.insert("file_roots".to_owned(), roots(&self.state_files()));
        opts.insert("pillar_roots".to_owned(), roots(&self.pillar));
        Value::Object(opts)
    }
}

fn roots(roots: &Roots) -> Value {
    let of = |env: &str| {
        let dirs = roots.dirs(env).iter();
        dirs.map(|dir| Value::String(dir.display().to_string()))
            .collect::<Value>()
    };
    let environments = roots.environments().into_iter();
    environments.map(|env| (env.clone(), of(&env))).collect()
}
