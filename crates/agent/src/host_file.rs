//! Files of the host that a plan writes, fetches or removes.

use crate::image::{ImageError, ImageStore};
use crate::progress::ProgressSink;
use model::plan::{FileOp, ImageSource};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;
use uuid::Uuid;

/// Why a file is not as it should be.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system refuses.
    #[error("cannot {what} {path}: {why}")]
    System {
        /// `write`, `remove`…
        what: &'static str,
        /// The file.
        path: String,
        /// The system's word.
        why: io::Error,
    },
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] ImageError),
}

impl FileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::System { .. } => Some("check space and rights of the folder"),
            Self::Fetch(error) => error.hint(),
        }
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.display().to_string();
    move |why| FileError::System { what, path, why }
}

/// Does one step to the file at `path`.
///
/// # Errors
/// The file is then as it was before.
pub(crate) async fn perform(
    path: &str,
    op: &FileOp,
    images: &ImageStore,
    progress: &ProgressSink,
) -> Result<(), FileError> {
    let path = Path::new(path);
    match op {
        FileOp::Write { content, private } => write(path, &content.0, *private),
        FileOp::Fetch { source } => fetch(path, source, images, progress).await,
        FileOp::Remove => match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(failed("remove", path)),
        },
    }
}

/// A file beside `path` that takes its place once it is whole.
struct Draft {
    at: PathBuf,
    file: File,
}

impl Draft {
    fn new(path: &Path, private: bool) -> Result<Self, FileError> {
        if let Some(folder) = path.parent() {
            let mode = if private { 0o700 } else { 0o755 };
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(mode).create(folder);
            made.map_err(failed("make", folder))?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", Uuid::new_v4().simple()));
        let at = path.with_file_name(name);
        let mode = if private { 0o600 } else { 0o644 };
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&at);
        let file = opened.map_err(failed("write", &at))?;
        // Whatever the umask took away.
        let rights = file.set_permissions(fs::Permissions::from_mode(mode));
        rights.map_err(failed("write", &at))?;
        Ok(Self { at, file })
    }

    fn publish(self, path: &Path) -> Result<(), FileError> {
        let publish = || {
            self.file.sync_all()?;
            fs::rename(&self.at, path)
        };
        publish().map_err(failed("write", path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // There is none any more once it was published.
        let _ = fs::remove_file(&self.at);
    }
}

fn write(path: &Path, content: &[u8], private: bool) -> Result<(), FileError> {
    let mut draft = Draft::new(path, private)?;
    draft
        .file
        .write_all(content)
        .map_err(failed("write", path))?;
    draft.publish(path)
}

async fn fetch(
    path: &Path,
    source: &ImageSource,
    images: &ImageStore,
    progress: &ProgressSink,
) -> Result<(), FileError> {
    // Any file is raw bytes.
    let image = images.fetch(source, "raw", progress).await?;
    let mut draft = Draft::new(path, false)?;
    let mut from = File::open(&image.path).map_err(failed("read", &image.path))?;
    io::copy(&mut from, &mut draft.file).map_err(failed("write", path))?;
    draft.publish(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_for_its_owner_alone_and_replaces_the_old_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("private/serverkey.pem");
        for text in ["one", "two"] {
            write(&path, text.as_bytes(), true).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("readable"), text);
        }
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(
            (mode(&path), mode(path.parent().expect("a folder"))),
            (0o600, 0o700)
        );
        // No draft is left.
        assert_eq!(
            fs::read_dir(dir.path().join("private"))
                .expect("a folder")
                .count(),
            1
        );
        let refused = write(&path.join("below-a-file"), b"x", false).expect_err("no folder");
        assert!(refused.to_string().starts_with("cannot make "), "{refused}");
    }
}
