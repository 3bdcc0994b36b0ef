//! One file with all that a server needs to go on, and going on from it.
//!
//! The file is a compressed tar archive: the store, the CA if there is one, and last the manifest with the checksums of
//! both. An archive without it is one that was cut off. A backup counts as made once it has been read back.
//!
//! Not in it: what belongs to agents, also to the one of this machine; settings; certificates that a start makes anew.

use crate::ca;
use crate::start::make_private_folder;
use db::{StoreError, backup};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tar::{Archive, Builder, EntryType, Header};
use thiserror::Error;
use uuid::Uuid;

const STORE: &str = "salar.db";
const MANIFEST: &str = "manifest.json";
/// Of the manifest and of the names in it.
const FORMAT: u32 = 1;
/// Largest manifest.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// Why there is no backup, or no way back to it.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The store cannot be copied, or its copy cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// A backup never overwrites anything.
    #[error("{} exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no backup, or not all of one.
    #[error("{} is no complete backup: {why}", path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is a store where the backup should go.
    #[error("{} has a store", folder.display())]
    Occupied {
        /// The state folder.
        folder: PathBuf,
    },
}

/// A backup that was made, or gone back to.
#[derive(Debug, Clone)]
pub struct Backup {
    /// When the store was copied.
    pub made_at: Timestamp,
    /// Version of the program that made it.
    pub version: String,
    /// Size of the archive in bytes.
    pub bytes: u64,
    /// Folder with what was in the place of the restored files; none if there was nothing.
    pub kept: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    version: String,
    made_at: Timestamp,
    files: Vec<Listed>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    name: String,
    bytes: u64,
    sha256: String,
}

/// Writes a backup of the state folder to the new file `to`, which only its owner can read. The server may be running.
///
/// # Errors
/// When a file cannot be read or written, or `to` exists.
pub async fn make(state_dir: &Path, to: &Path) -> Result<Backup, BackupError> {
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists {
            path: to.to_owned(),
        });
    }
    // Beside the backup: there has to be room for it there anyway.
    let scratch = Scratch::beside(to)?;
    let made_at = Timestamp::now();
    let store = scratch.0.join(STORE);
    backup::copy(state_dir, &store)?;
    let mut files = vec![(STORE, store)];
    for name in ca::FILES {
        let path = state_dir.join(name);
        if path.exists() {
            files.push((name, path));
        }
    }
    let archive = scratch.0.join("archive");
    pack(&archive, &files, made_at)?;
    let read = unpack(&archive, None)?;
    fs::rename(&archive, to).map_err(failed(to))?;
    sync_folder(to)?;
    Ok(Backup {
        made_at,
        version: read.version,
        bytes: fs::metadata(to).map_err(failed(to))?.len(),
        kept: None,
    })
}

/// Puts the backup `from` into the state folder, whose server must not run. With `replace` it takes the place of what is
/// there, which is kept in a folder of its own.
///
/// # Errors
/// When the backup is not complete, a file cannot be written, a server runs, or there is a store and no `replace`.
pub async fn restore(state_dir: &Path, from: &Path, replace: bool) -> Result<Backup, BackupError> {
    make_private_folder(state_dir).map_err(failed(state_dir))?;
    let occupied = backup::is_there(state_dir);
    if occupied && !replace {
        return Err(BackupError::Occupied {
            folder: state_dir.to_owned(),
        });
    }
    let scratch = Scratch::beside(&state_dir.join(STORE))?;
    let manifest = unpack(from, Some(&scratch.0))?;
    let now = Timestamp::now();
    backup::adopt(&scratch.0.join(STORE), manifest.made_at, now)?;
    let keep = state_dir.join(format!("replaced-{}", now.strftime("%Y%m%d-%H%M%S")));
    make_folder(&keep)?;
    // The store is last: until it is in place, the whole can be done again.
    for name in ca::FILES {
        let (new, present) = (scratch.0.join(name), state_dir.join(name));
        if !new.exists() {
            continue;
        }
        match fs::hard_link(&present, keep.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            linked => linked.map_err(failed(&present))?,
        }
        fs::rename(&new, &present).map_err(failed(&present))?;
    }
    backup::replace(state_dir, &scratch.0.join(STORE), &keep)?;
    sync_folder(&state_dir.join(STORE))?;
    // Fails if there is anything in it, which is then what was replaced.
    let kept = fs::remove_dir(&keep).is_err().then_some(keep);
    Ok(Backup {
        made_at: manifest.made_at,
        version: manifest.version,
        bytes: fs::metadata(from).map_err(failed(from))?.len(),
        kept,
    })
}

fn pack(to: &Path, files: &[(&str, PathBuf)], made_at: Timestamp) -> Result<(), BackupError> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(failed(to))?;
    let gzip = GzEncoder::new(BufWriter::new(file), Compression::fast());
    let mut archive = Builder::new(gzip);
    let mut listed = Vec::new();
    for (name, path) in files {
        let mut file = Hashing::new(BufReader::new(File::open(path).map_err(failed(path))?));
        let bytes = fs::metadata(path).map_err(failed(path))?.len();
        archive
            .append_data(&mut header(bytes, made_at), name, &mut file)
            .map_err(failed(path))?;
        listed.push(file.listed(name));
    }
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        files: listed,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed(to)(error.into()))?;
    archive
        .append_data(
            &mut header(text.len() as u64, made_at),
            MANIFEST,
            text.as_slice(),
        )
        .map_err(failed(to))?;
    let gzip = archive.into_inner().map_err(failed(to))?;
    let buffer = gzip.finish().map_err(failed(to))?;
    let file = buffer
        .into_inner()
        .map_err(|error| failed(to)(error.into_error()))?;
    file.sync_all().map_err(failed(to))
}

fn header(bytes: u64, made_at: Timestamp) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(made_at.as_second().try_into().unwrap_or_default());
    header
}

/// Reads a backup to its end and checks it; writes its files into `folder` if one is given.
fn unpack(from: &Path, folder: Option<&Path>) -> Result<Manifest, BackupError> {
    let incomplete = |why: String| BackupError::Incomplete {
        path: from.to_owned(),
        why,
    };
    let file = BufReader::new(File::open(from).map_err(failed(from))?);
    let mut archive = Archive::new(GzDecoder::new(file));
    let (mut found, mut manifest) = (Vec::new(), None);
    let entries = archive
        .entries()
        .map_err(|error| incomplete(error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| incomplete(error.to_string()))?;
        let name = entry
            .path()
            .ok()
            .and_then(|path| path.to_str().map(str::to_owned))
            .unwrap_or_default();
        let known = name == STORE || ca::FILES.contains(&name.as_str());
        let is_file = entry.header().entry_type() == EntryType::Regular;
        if name == MANIFEST && is_file {
            let mut text = Vec::new();
            entry
                .take(MAX_MANIFEST_BYTES)
                .read_to_end(&mut text)
                .map_err(|error| incomplete(error.to_string()))?;
            let read = serde_json::from_slice::<Manifest>(&text);
            manifest = Some(read.map_err(|error| incomplete(format!("{MANIFEST}: {error}")))?);
        } else if known && is_file && found.iter().all(|file: &Listed| file.name != name) {
            let mut file = Hashing::new(entry);
            match folder {
                Some(folder) => write_out(&mut file, &folder.join(&name), &incomplete)?,
                None => {
                    io::copy(&mut file, &mut io::sink())
                        .map_err(|error| incomplete(error.to_string()))?;
                }
            }
            found.push(file.listed(&name));
        } else {
            return Err(incomplete(format!(
                "it has {name:?}, which does not belong there"
            )));
        }
    }
    // The end of the compressed stream has its checksum.
    io::copy(&mut archive.into_inner(), &mut io::sink())
        .map_err(|error| incomplete(error.to_string()))?;
    let manifest = manifest.ok_or_else(|| incomplete("its end is missing".to_owned()))?;
    if manifest.format != FORMAT {
        let why = format!(
            "its format is {}, this version reads {FORMAT}; use salar {}",
            manifest.format, manifest.version
        );
        return Err(incomplete(why));
    }
    if manifest.files != found || found.iter().all(|file| file.name != STORE) {
        return Err(incomplete(
            "its files are not those of its manifest".to_owned(),
        ));
    }
    Ok(manifest)
}

fn write_out(
    from: &mut impl Read,
    to: &Path,
    incomplete: &impl Fn(String) -> BackupError,
) -> Result<(), BackupError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(failed(to))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // Reading fails for the archive, writing for the disk.
        let read = from
            .read(&mut buffer)
            .map_err(|error| incomplete(error.to_string()))?;
        if read == 0 {
            return file.sync_all().map_err(failed(to));
        }
        file.write_all(&buffer[..read]).map_err(failed(to))?;
    }
}

/// Counts and hashes what is read through it.
struct Hashing<R> {
    from: R,
    bytes: u64,
    hash: Sha256,
}

impl<R> Hashing<R> {
    fn new(from: R) -> Self {
        Self {
            from,
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    fn listed(self, name: &str) -> Listed {
        Listed {
            name: name.to_owned(),
            bytes: self.bytes,
            sha256: model::Fingerprint(self.hash.finalize().into()).hex(),
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// A private folder that goes away with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(file: &Path) -> Result<Self, BackupError> {
        let folder = file.with_file_name(format!(".salar-{}", Uuid::new_v4().simple()));
        make_folder(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left after a failure is private, and in nobody's way.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn make_folder(path: &Path) -> Result<(), BackupError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(failed(path))
}

/// Makes the new name of `file` last.
fn sync_folder(file: &Path) -> Result<(), BackupError> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed(folder))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}
