//! Writing a description into a folder.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use thiserror::Error;

/// Why a description was not written.
#[derive(Debug, Error)]
pub enum SaveError {
    /// Something else is in the folder.
    #[error("{} is not empty, and has no description of a host", .0.display())]
    Occupied(PathBuf),
    /// A path leads out of the folder: the host sent what no description has.
    #[error("the host sent a file named {0:?}, which no description has")]
    Foreign(String),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Writes the files, by path and text, into `folder`, which is made; a description that is there is replaced.
///
/// # Errors
/// The folder has something else in it, a path leads out of it, or the disk refuses.
pub fn save<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<usize, SaveError> {
    let files: Vec<(&str, &str)> = files.into_iter().collect();
    for (path, _) in &files {
        let parts = Path::new(path).components();
        if path.is_empty()
            || !parts
                .into_iter()
                .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(SaveError::Foreign((*path).to_owned()));
        }
    }
    clear(folder)?;
    for (path, text) in &files {
        let path = folder.join(path);
        let failed = |source| SaveError::Write {
            path: path.clone(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, text).map_err(failed)?;
    }
    Ok(files.len())
}

/// Takes an older description away, so that what is gone from the host is gone from the folder.
fn clear(folder: &Path) -> Result<(), SaveError> {
    use crate::layout::{
        CAPABILITIES, DEVICES, GRAINS, HOST, NETWORKS, PILLAR, POOLS, VMS, VOLUMES,
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| SaveError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let is_empty = fs::read_dir(folder)
        .map_err(failed(folder))?
        .next()
        .is_none();
    if is_empty {
        return Ok(());
    }
    if !folder.join(HOST).is_file() {
        return Err(SaveError::Occupied(folder.to_owned()));
    }
    for part in [VMS, POOLS, NETWORKS, VOLUMES, DEVICES] {
        let path = folder.join(part);
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(failed(&path))?;
        }
    }
    for part in [CAPABILITIES, GRAINS, PILLAR, HOST] {
        let path = folder.join(part);
        if path.is_file() {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    Ok(())
}
