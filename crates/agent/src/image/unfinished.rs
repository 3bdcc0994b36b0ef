//! Volumes being filled, remembered on disk, so that a crash in between leaves none behind.
//!
//! A marker is written before the volume is created and removed when it is whole or deleted. Its maker holds a lock
//! on it, which ends with the maker's life: a marker that can be locked belongs to nobody any more, and its volume
//! is half-made.

use super::error::ImageError;
use hypervisor::{Hypervisor, Reason};
use model::plan::{Step, VolumeOp};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// A marker that cannot be read after so long never will be.
const TORN: Duration = Duration::from_secs(60);

/// The folder of markers.
#[derive(Debug, Clone)]
pub struct Unfinished {
    dir: PathBuf,
}

/// A marker while its volume is being filled.
pub(super) struct Marker {
    path: PathBuf,
    _locked: File,
}

#[derive(Serialize, Deserialize)]
struct Making {
    uri: String,
    pool: String,
    volume: String,
}

impl Unfinished {
    /// Markers in `dir`, which is made when it is first needed.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Remembers that `volume` is about to be made. On disk when this returns.
    pub(super) fn mark(&self, uri: &str, pool: &str, volume: &str) -> Result<Marker, ImageError> {
        crate::state_dir::make(&self.dir).map_err(ImageError::file("create", &self.dir))?;
        let path = self.dir.join(format!("{}.json", Uuid::new_v4()));
        let making = Making {
            uri: uri.to_owned(),
            pool: pool.to_owned(),
            volume: volume.to_owned(),
        };
        let text = serde_json::to_vec(&making).expect("texts are always JSON");
        let write = || -> std::io::Result<File> {
            let mut file = File::create_new(&path)?;
            file.lock()?;
            file.write_all(&text)?;
            file.sync_all()?;
            File::open(&self.dir)?.sync_all()?;
            Ok(file)
        };
        let locked = write().map_err(ImageError::file("write", &path))?;
        Ok(Marker {
            path,
            _locked: locked,
        })
    }

    /// Deletes the volumes that a process which is no more left half-made on the host at `uri`.
    ///
    /// Called before states run. What cannot be deleted now (its pool is stopped) is tried again next time.
    pub async fn clean(&self, hypervisor: &dyn Hypervisor, uri: &str) {
        for (path, making, _locked) in self.abandoned() {
            if making.uri != uri {
                continue;
            }
            let step = Step::Volume {
                pool: making.pool,
                name: making.volume,
                op: VolumeOp::Delete,
            };
            match hypervisor.perform(&step).await {
                Ok(()) => tracing::warn!(
                    "Deleted a half-made volume that an earlier run left: {}",
                    hypervisor::attempt(&step)
                ),
                Err(error) if error.reason == Reason::NotFound => {}
                Err(error) => {
                    tracing::warn!("A half-made volume of an earlier run stays for now: {error}");
                    continue;
                }
            }
            let _ = std::fs::remove_file(&path);
        }
    }

    fn abandoned(&self) -> Vec<(PathBuf, Making, File)> {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| lock_and_read(&entry.path()))
            .collect()
    }
}

fn lock_and_read(path: &Path) -> Option<(PathBuf, Making, File)> {
    let mut file = File::options().read(true).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    match serde_json::from_str(&text) {
        Ok(making) => Some((path.to_owned(), making, file)),
        Err(_) => {
            // Torn before its volume was created, since the marker is synced first; or just being written.
            let age = file
                .metadata()
                .and_then(|meta| meta.modified())
                .ok()?
                .elapsed()
                .ok()?;
            if age > TORN {
                let _ = std::fs::remove_file(path);
            }
            None
        }
    }
}

impl Marker {
    /// The volume is whole, or gone.
    pub(super) fn done(self) {
        // A marker that stays would delete a whole volume later, so its content goes even if its name cannot.
        let _ = self._locked.set_len(0);
        let _ = std::fs::remove_file(&self.path);
    }
}
