//! One server to a state folder.

use cli::Failure;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

const LOCK: &str = "serve.lock";

/// Holds the state folder until dropped, or until the process ends in any way.
#[derive(Debug)]
pub(crate) struct Guard {
    _lock: File,
}

impl Guard {
    /// Takes the folder, which is made if it does not exist.
    pub(crate) fn take(state_dir: &Path) -> Result<Self, Failure> {
        let failed = |what: &str, error: std::io::Error| {
            Failure::new(format!("cannot {what} {}: {error}", state_dir.display()))
                .hint("run as root, or name another folder: --state-dir DIR")
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state_dir)
            .map_err(|error| failed("make the state folder", error))?;
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut lock = options
            .open(state_dir.join(LOCK))
            .map_err(|error| failed("use the state folder", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(state_dir, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(failed("lock the state folder", error)),
        }
        // The process id is for the message of a second server; the lock is what counts.
        let written = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()));
        written.map_err(|error| failed("write to the state folder", error))?;
        Ok(Self { _lock: lock })
    }
}

/// Names the server that holds the folder.
fn taken(state_dir: &Path, lock: &mut File) -> Failure {
    let mut pid = String::new();
    let _ = lock.read_to_string(&mut pid);
    let process = match pid.trim() {
        "" => String::new(),
        pid => format!(" (process {pid})"),
    };
    let place = match address(state_dir) {
        Some(url) => format!(" at {url}"),
        None => String::new(),
    };
    Failure::new(format!(
        "a server already runs on {}{place}{process}",
        state_dir.display()
    ))
    .hint("use that one, stop it first, or name another folder: --state-dir DIR")
}

/// Address that the running server left for the command line.
fn address(state_dir: &Path) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct ClientFile {
        url: String,
    }
    let text = std::fs::read_to_string(state_dir.join("client.json")).ok()?;
    let file: ClientFile = serde_json::from_str(&text).ok()?;
    Some(file.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_told_of_the_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state_dir = folder.path().join("deep/state");
        let first = Guard::take(&state_dir).expect("free");
        std::fs::write(
            state_dir.join("client.json"),
            r#"{"url":"http://127.0.0.1:1","token":"t"}"#,
        )
        .expect("written");
        let failure = Guard::take(&state_dir).expect_err("taken").to_string();
        let pid = std::process::id();
        assert!(
            failure.contains(&format!("at http://127.0.0.1:1 (process {pid})")),
            "{failure}"
        );
        drop(first);
        Guard::take(&state_dir).expect("free again");
    }
}
