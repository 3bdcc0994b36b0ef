//! The host's facts as last read, on disk: an agent that starts while libvirt is down still says whose agent it is.

use crate::journal::file::write_atomically;
use agent_api::wire::HostFacts;
use prost::Message;
use std::path::{Path, PathBuf};

/// The file that holds them.
pub(super) struct KeptFacts {
    path: PathBuf,
}

impl KeptFacts {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("facts"),
        }
    }

    /// The facts of an earlier process, if it served the same host; else the little that is known without libvirt.
    pub(super) fn read(&self, name: &str, uri: &str) -> HostFacts {
        let kept = std::fs::read(&self.path).ok();
        let kept = kept.and_then(|bytes| HostFacts::decode(bytes.as_slice()).ok());
        kept.filter(|facts| facts.name == name)
            .unwrap_or_else(|| HostFacts {
                name: name.to_owned(),
                uri: uri.to_owned(),
                ..HostFacts::default()
            })
    }

    /// Keeps them. A disk that refuses costs only what [`read`](Self::read) would have told.
    pub(super) fn write(&self, facts: Option<&HostFacts>) {
        let Some(facts) = facts else { return };
        if let Err(error) = write_atomically(&self.path, &facts.encode_to_vec()) {
            tracing::warn!("Cannot write {}: {error}", self.path.display());
        }
    }
}
