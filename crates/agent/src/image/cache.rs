//! The folder of fetched images: one set of files for each address.
//!
//! ```text
//!  KEY.img   a whole image        KEY.json       where it came from, its validators and checksum
//!  KEY.part  one on its way       KEY.part.json  the same for the part, so that it can be resumed
//!  KEY.lock  held while one process works on the address
//! ```
//! KEY is the SHA-256 of the address. An image that nobody used for thirty days is removed.

use super::error::ImageError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Images not used for so long are removed.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is known of a cached file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// The address, as given.
    pub(super) url: String,
    /// Strong or weak validator of the server.
    pub(super) etag: Option<String>,
    /// The other validator.
    pub(super) last_modified: Option<String>,
    /// Size in bytes, when announced.
    pub(super) total: Option<u64>,
    /// Of the whole file, in hexadecimal, once computed.
    pub(super) sha256: Option<String>,
}

impl Meta {
    /// What makes a resumed transfer safe: a strong ETag, else the time of change. Source: RFC 9110, 13.1.5.
    pub(super) fn range_validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// The files of one address.
#[derive(Debug, Clone)]
pub(super) struct CacheFiles {
    stem: PathBuf,
}

impl CacheFiles {
    pub(super) fn new(dir: &Path, url: &str) -> Self {
        Self {
            stem: dir.join(hex(&Sha256::digest(url.as_bytes()))),
        }
    }

    pub(super) fn image(&self) -> PathBuf {
        self.stem.with_extension("img")
    }

    pub(super) fn part(&self) -> PathBuf {
        self.stem.with_extension("part")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.stem.with_extension("lock")
    }

    /// What is known of the whole image, if it is there.
    pub(super) fn image_meta(&self) -> Option<Meta> {
        read_meta(&self.stem.with_extension("json"), &self.image())
    }

    /// What is known of the part, if it is there.
    pub(super) fn part_meta(&self) -> Option<Meta> {
        read_meta(&self.stem.with_extension("part.json"), &self.part())
    }

    pub(super) fn write_image_meta(&self, meta: &Meta) -> Result<(), ImageError> {
        write_meta(&self.stem.with_extension("json"), meta)
    }

    pub(super) fn write_part_meta(&self, meta: &Meta) -> Result<(), ImageError> {
        write_meta(&self.stem.with_extension("part.json"), meta)
    }

    /// The part, opened to go on behind its first `from` bytes; from the start it is a new one.
    pub(super) async fn open_part(&self, from: u64) -> Result<tokio::fs::File, ImageError> {
        let path = self.part();
        tokio::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .append(from > 0)
            .truncate(from == 0)
            .open(&path)
            .await
            .map_err(ImageError::file("write", &path))
    }

    /// The finished part becomes the image. The old image stays until the very moment.
    pub(super) fn promote(&self, meta: &Meta) -> Result<(), ImageError> {
        let image = self.image();
        remove(&self.stem.with_extension("json"));
        std::fs::rename(self.part(), &image).map_err(ImageError::file("rename to", &image))?;
        remove(&self.stem.with_extension("part.json"));
        self.write_image_meta(meta)
    }

    pub(super) fn drop_part(&self) {
        remove(&self.part());
        remove(&self.stem.with_extension("part.json"));
    }

    pub(super) fn drop_image(&self) {
        remove(&self.image());
        remove(&self.stem.with_extension("json"));
    }

    /// Remembers that the image was used.
    pub(super) fn touch(&self) {
        if let Ok(file) = std::fs::File::options().append(true).open(self.image()) {
            // Only the sweep reads it; an image that cannot be touched is fetched again some day.
            let _ = file.set_modified(SystemTime::now());
        }
    }
}

/// Removes what was not used for [`KEEP`].
pub(super) fn sweep(dir: &Path, now: SystemTime) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let age = modified.ok().and_then(|at| now.duration_since(at).ok());
        let is_image = path
            .extension()
            .is_some_and(|ext| ext == "img" || ext == "part");
        if is_image && age.is_some_and(|age| age > KEEP) {
            remove(&path);
            remove(&path.with_extension("json"));
            remove(&path.with_extension("part.json"));
        }
    }
}

/// The SHA-256 of a file in hexadecimal. Blocks.
pub(super) fn file_sha256(path: &Path) -> Result<String, ImageError> {
    let mut file = std::fs::File::open(path).map_err(ImageError::file("read", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(ImageError::file("read", path))?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_meta(path: &Path, of: &Path) -> Option<Meta> {
    let text = std::fs::read(path).ok()?;
    of.is_file()
        .then(|| serde_json::from_slice(&text).ok())
        .flatten()
}

fn write_meta(path: &Path, meta: &Meta) -> Result<(), ImageError> {
    let text = serde_json::to_vec(meta).expect("texts and numbers are always JSON");
    std::fs::write(path, text).map_err(ImageError::file("write", path))
}

/// Removes a file that may not be there. What stays is overwritten by the next use.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}
