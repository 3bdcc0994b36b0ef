//! What libvirt's secrets were set to last: checksums with a salt of their own, for libvirt tells nobody a value.

use hypervisor::{Hypervisor, HypervisorError, Reason};
use model::plan::SecretName;
use serde::{Deserialize, Serialize};
use states::KnownSecret;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// The passwords that were set from here.
#[derive(Debug)]
pub struct Passwords {
    path: PathBuf,
    /// One writer at a time.
    writing: Mutex<()>,
}

/// One of them. Another UUID is another secret, of which nothing is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Set {
    uuid: Uuid,
    salt: String,
    digest: String,
}

impl Passwords {
    /// Remembered in the file at `path`.
    pub const fn new(path: PathBuf) -> Self {
        Self {
            path,
            writing: Mutex::new(()),
        }
    }

    /// What is known of a secret; `None` when it is not there. A hypervisor that keeps no secrets has none.
    ///
    /// # Errors
    /// The hypervisor cannot be asked.
    pub(crate) async fn look(
        &self,
        hypervisor: &dyn Hypervisor,
        secret: &SecretName,
    ) -> Result<Option<KnownSecret>, HypervisorError> {
        let uuid = match hypervisor.find_secret(secret).await {
            Err(error) if error.reason == Reason::Unsupported => return Ok(None),
            found => found?,
        };
        let Some(uuid) = uuid else {
            return Ok(None);
        };
        let set = self.read().remove(&secret.to_string());
        let set = set.filter(|set| set.uuid == uuid);
        Ok(Some(set.map_or_else(KnownSecret::default, |set| {
            KnownSecret {
                salt: set.salt,
                digest: set.digest,
            }
        })))
    }

    /// Remembers what a secret was set to. When that cannot be written down, the next run sets it again.
    pub(crate) async fn remember(
        &self,
        hypervisor: &dyn Hypervisor,
        secret: &SecretName,
        value: &[u8],
    ) {
        let Ok(Some(uuid)) = hypervisor.find_secret(secret).await else {
            return;
        };
        let salt = Uuid::new_v4().simple().to_string();
        let digest = KnownSecret::digest(&salt, value);
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.read();
        all.insert(secret.to_string(), Set { uuid, salt, digest });
        if let Err(error) = self.write(&all) {
            tracing::warn!("Cannot remember which password was set: {error}");
        }
    }

    fn read(&self) -> BTreeMap<String, Set> {
        let text = fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn write(&self, all: &BTreeMap<String, Set>) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            crate::state_dir::make(folder)?;
        }
        let draft = self.path.with_extension("new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&serde_json::to_vec(all)?)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)
    }
}
