//! What is in roots, by checksum.

use crate::roots::{BASE, Roots, is_environment};
use model::Fingerprint;
use sha2::{Digest, Sha256};
use sls::Files;
use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use thiserror::Error;

/// Most files of a tree.
pub const MAX_FILES: usize = 20_000;
/// A file that changed a moment ago may change again within one tick of the clock that files are stamped by.
const TICK: Duration = Duration::from_millis(100);

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its environment.
    pub env: String,
    /// Relative to the roots, with `/` between its parts.
    pub path: String,
    /// SHA-256 of its content.
    pub sha256: Fingerprint,
    /// Bytes.
    pub size: u64,
}

/// The files of a tree, by environment and path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    files: Vec<Listed>,
}

/// Why there is no listing.
#[derive(Debug, Error)]
pub enum IndexError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// More files than anybody writes.
    #[error(
        "there are more than {MAX_FILES} files in {roots}; is a folder among the file roots by mistake?"
    )]
    TooMany {
        /// The folders.
        roots: String,
    },
}

/// Remembers checksums by what the file system says of a file.
#[derive(Debug, Default)]
pub struct Index {
    known: Mutex<HashMap<PathBuf, (Stamp, Fingerprint)>>,
}

/// Differs when a file has been written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Listing {
    /// Of these files, in any order.
    pub fn new(mut files: Vec<Listed>) -> Self {
        files.sort_by(|a, b| a.place().cmp(&b.place()));
        files.dedup_by(|a, b| a.place() == b.place());
        Self { files }
    }

    /// The files.
    pub fn files(&self) -> &[Listed] {
        &self.files
    }

    /// The files of one environment.
    #[must_use]
    pub fn only(&self, env: &str) -> Self {
        let files = self.files.iter().filter(|file| file.env == env);
        Self {
            files: files.cloned().collect(),
        }
    }

    /// Names the whole: the same for the same environments, paths and contents only.
    pub fn digest(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        for file in &self.files {
            // Agents that know of no other environment make the digest of `base` without its name. No path is so long.
            if file.env != BASE {
                hash.update(u64::MAX.to_le_bytes());
                hash.update((file.env.len() as u64).to_le_bytes());
                hash.update(file.env.as_bytes());
            }
            hash.update((file.path.len() as u64).to_le_bytes());
            hash.update(file.path.as_bytes());
            hash.update(file.sha256.0);
        }
        Fingerprint(hash.finalize().into())
    }
}

impl Listed {
    fn place(&self) -> (&str, &str) {
        (&self.env, &self.path)
    }
}

impl Index {
    /// What is in `roots` now, in all their environments. Reads what has changed since the last time; blocks meanwhile.
    ///
    /// # Errors
    /// A file cannot be read, or there are too many.
    pub fn list(&self, roots: &Roots) -> Result<Listing, IndexError> {
        let in_env = |env: String| {
            let paths = roots.list(&env).into_iter();
            paths.map(move |path| (env.clone(), path))
        };
        let places: Vec<_> = roots
            .environments()
            .into_iter()
            .filter(|env| is_environment(env))
            .flat_map(in_env)
            .collect();
        if places.len() > MAX_FILES {
            let dirs: Vec<_> = roots
                .roots()
                .map(|root| root.dir.display().to_string())
                .collect();
            return Err(IndexError::TooMany {
                roots: dirs.join(", "),
            });
        }
        let mut files = Vec::with_capacity(places.len());
        let mut seen = HashMap::with_capacity(places.len());
        for (env, path) in places {
            // One that is gone by now is not in the tree.
            let Some(found) = roots.locate(&env, &path) else {
                continue;
            };
            match self.look(&found) {
                Ok((stamp, sha256)) => {
                    files.push(Listed {
                        env,
                        path,
                        sha256,
                        size: stamp.size,
                    });
                    seen.insert(found, (stamp, sha256));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(IndexError::File {
                        path: found,
                        source,
                    });
                }
            }
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(Listing::new(without_hidden(files)))
    }

    fn look(&self, path: &Path) -> io::Result<(Stamp, Fingerprint)> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let stamp = Stamp::of(&meta);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(path).filter(|(known, _)| *known == stamp);
        if let Some((_, sha256)) = known
            && !is_recent(&meta)
        {
            return Ok((stamp, *sha256));
        }
        Ok((stamp, checksum(&mut file)?))
    }
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.len(),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

fn is_recent(meta: &Metadata) -> bool {
    let since_1970 = Duration::new(
        meta.ctime().try_into().unwrap_or_default(),
        meta.ctime_nsec().try_into().unwrap_or_default(),
    );
    let changed = SystemTime::UNIX_EPOCH + since_1970;
    // A time to come is one of a clock that was set back.
    changed.elapsed().map_or(true, |ago| ago < TICK)
}

fn checksum(from: &mut impl Read) -> io::Result<Fingerprint> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(Fingerprint(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Where one root has a file `web` and another a folder of that name, the folder wins: a copy of the tree cannot have
/// both.
fn without_hidden(files: Vec<Listed>) -> Vec<Listed> {
    let folders: HashSet<(String, String)> = files
        .iter()
        .flat_map(|file| {
            file.path
                .match_indices('/')
                .map(|(at, _)| (file.env.clone(), file.path[..at].to_owned()))
        })
        .collect();
    let is_file_only = |file: &Listed| !folders.contains(&(file.env.clone(), file.path.clone()));
    files.into_iter().filter(is_file_only).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("has one")).expect("a folder");
            fs::write(path, text).expect("is written");
        }
        folder
    }

    fn paths(listing: &Listing) -> Vec<&str> {
        let paths = listing.files().iter().map(|file| file.path.as_str());
        paths.collect()
    }

    #[test]
    fn a_listing_has_every_file_once_and_its_digest_tells_trees_apart() {
        let (first, second) = (
            tree(&[("vm.sls", "a: 1"), ("web/init.sls", "b: 1")]),
            tree(&[
                ("vm.sls", "hidden"),
                ("more.sls", "c: 1"),
                ("web", "a file"),
            ]),
        );
        let roots = Roots::new([first.path().to_owned(), second.path().to_owned()]);
        let index = Index::default();
        let listing = index.list(&roots).expect("lists");
        assert_eq!(paths(&listing), ["more.sls", "vm.sls", "web/init.sls"]);
        assert_eq!(listing.files()[1].size, 4);
        assert_eq!(
            index.list(&roots).expect("lists").digest(),
            listing.digest()
        );

        let other_text = Listing::new(vec![Listed {
            env: BASE.to_owned(),
            path: "a".to_owned(),
            sha256: Fingerprint([1; 32]),
            size: 1,
        }]);
        let other_name = Listing::new(vec![Listed {
            path: "b".to_owned(),
            ..other_text.files()[0].clone()
        }]);
        assert_ne!(other_text.digest(), other_name.digest());
        let other_env = Listing::new(vec![Listed {
            env: "dev".to_owned(),
            ..other_text.files()[0].clone()
        }]);
        assert_ne!(other_text.digest(), other_env.digest());
        assert_ne!(Listing::default().digest(), other_name.digest());
    }

    #[test]
    fn environments_are_told_apart() {
        let (base, dev) = (
            tree(&[("vm.sls", "a: 1")]),
            tree(&[("vm.sls", "a: 2"), ("x", "")]),
        );
        let dir = |folder: &tempfile::TempDir| vec![folder.path().to_owned()];
        let roots = Roots::of([
            (BASE.to_owned(), dir(&base)),
            ("dev".to_owned(), dir(&dev)),
            ("..".to_owned(), dir(&dev)),
        ]);
        let listing = Index::default().list(&roots).expect("lists");
        let places: Vec<_> = listing.files().iter().map(Listed::place).collect();
        assert_eq!(places, [(BASE, "vm.sls"), ("dev", "vm.sls"), ("dev", "x")]);
        let only = Index::default().list(&Roots::new(dir(&base)));
        assert_eq!(listing.only(BASE).digest(), only.expect("lists").digest());
    }

    #[test]
    fn an_edit_is_seen_at_once_whatever_its_time_says() {
        let folder = tree(&[("vm.sls", "a: 1")]);
        let file = folder.path().join("vm.sls");
        let roots = Roots::new([folder.path().to_owned()]);
        let index = Index::default();
        let mut digests = vec![index.list(&roots).expect("lists").digest()];
        let before = fs::metadata(&file).expect("is there").modified();
        // As long as before, in place, at the same time as far as its date goes.
        fs::write(&file, "a: 2").expect("is written");
        let handle = File::options().write(true).open(&file).expect("opens");
        handle
            .set_modified(before.expect("has one"))
            .expect("is set");
        digests.push(index.list(&roots).expect("lists").digest());
        fs::write(&file, "a: 3").expect("is written");
        digests.push(index.list(&roots).expect("lists").digest());
        fs::remove_file(&file).expect("is removed");
        digests.push(index.list(&roots).expect("lists").digest());
        let different: HashSet<_> = digests.iter().collect();
        assert_eq!(different.len(), 4);
    }
}
