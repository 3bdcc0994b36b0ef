//! One state run at a time on a host, whoever asks: the agent, a local call, another terminal.

use crate::state_dir::{Lock, make};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The right to run states. Ends when it is dropped, and with the process at the latest.
#[derive(Debug)]
pub struct StateRun {
    lock: Lock,
}

/// Why states cannot run now.
#[derive(Debug, Error)]
pub enum BusyError {
    /// Somebody else's states are running. The text is Salt's.
    #[error(
        "The function \"{fun}\" is running as PID {pid} and was started at {started} with jid {jid}"
    )]
    Running {
        /// The other run's function.
        fun: String,
        /// Its process.
        pid: u32,
        /// When it began, local time.
        started: String,
        /// Its job id.
        jid: String,
    },
    /// The lock cannot be used at all.
    #[error("cannot lock {path}: {why}")]
    Lock {
        /// The lock file.
        path: String,
        /// The system's word.
        why: io::Error,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Holder {
    fun: String,
    pid: u32,
    started: String,
    jid: String,
}

impl StateRun {
    /// Takes the right, or says who has it.
    ///
    /// # Errors
    /// Another run goes on, or the folder cannot be written.
    pub fn begin(state_dir: &Path, fun: &str, jid: &str) -> Result<Self, BusyError> {
        let path = lock_file(state_dir);
        let failed = |why| BusyError::Lock {
            path: path.display().to_string(),
            why,
        };
        make(state_dir).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let mut lock = match Lock::take(file) {
            Ok(lock) => lock,
            Err((mut file, None)) => return Err(holder(&mut file).into()),
            Err((_, Some(error))) => return Err(failed(error)),
        };
        let started = jiff::ZonedDateTime::now()
            .strftime("%Y, %b %d %H:%M:%S%.6f")
            .to_string();
        let holder = Holder {
            fun: fun.to_owned(),
            pid: std::process::id(),
            started,
            jid: jid.to_owned(),
        };
        write(lock.file(), &holder).map_err(failed)?;
        Ok(Self { lock })
    }

    /// Who has the right just now. Takes nothing, so that a run which begins meanwhile is not refused.
    pub fn look(state_dir: &Path) -> Option<BusyError> {
        let path = lock_file(state_dir);
        let text = std::fs::read_to_string(&path).ok()?;
        let holder: Holder = serde_json::from_str(&text).ok()?;
        has_open(holder.pid, &path).then(|| holder.into())
    }

    /// Takes the right as soon as it is free: `queue=True`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn wait(state_dir: &Path, fun: &str, jid: &str) -> Result<Self, BusyError> {
        const LOOK_AGAIN: Duration = Duration::from_millis(200);
        loop {
            match Self::begin(state_dir, fun, jid) {
                Err(BusyError::Running { .. }) => tokio::time::sleep(LOOK_AGAIN).await,
                other => return other,
            }
        }
    }
}

impl Drop for StateRun {
    /// Whoever looks reads no name of a run that has ended.
    fn drop(&mut self) {
        let _ = self.lock.file().set_len(0);
    }
}

fn lock_file(state_dir: &Path) -> PathBuf {
    state_dir.join("state-run.lock")
}

/// Whether the process has the file open. One that ended without clearing it has not, nor has another that got its
/// number since; one whose files are not shown to us counts as having it.
fn has_open(pid: u32, path: &Path) -> bool {
    let files = match std::fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(files) => files,
        Err(error) => return error.kind() == io::ErrorKind::PermissionDenied,
    };
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    files
        .flatten()
        .any(|file| std::fs::read_link(file.path()).is_ok_and(|open| open == path))
}

impl From<Holder> for BusyError {
    fn from(
        Holder {
            fun,
            pid,
            started,
            jid,
        }: Holder,
    ) -> Self {
        Self::Running {
            fun,
            pid,
            started,
            jid,
        }
    }
}

/// Who holds the lock; a holder that has not written its name yet is some state run.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    let told = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    told.unwrap_or_else(|| Holder {
        fun: "state.apply".to_owned(),
        ..Holder::default()
    })
}

fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    let text = serde_json::to_vec(holder).expect("texts and numbers are always JSON");
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_runs() {
        let dir = std::env::temp_dir().join(format!("salar-busy-{}", uuid::Uuid::new_v4()));
        let first = StateRun::begin(&dir, "state.apply", "20261123143514123456").expect("free");
        let second = StateRun::begin(&dir, "state.highstate", "2").expect_err("taken");
        let text = second.to_string();
        let begin = format!(
            "The function \"state.apply\" is running as PID {} and was started at ",
            std::process::id()
        );
        assert!(
            text.starts_with(&begin) && text.ends_with(" with jid 20261123143514123456"),
            "{text}"
        );
        let looked = StateRun::look(&dir).expect("it goes on");
        assert_eq!(looked.to_string(), text);
        drop(first);
        assert!(StateRun::look(&dir).is_none());
        StateRun::begin(&dir, "state.apply", "3").expect("free again");
        std::fs::remove_dir_all(&dir).expect("the test's own folder");
    }

    /// A killed run leaves its name and no lock.
    #[test]
    fn the_name_of_a_killed_run_is_not_told() {
        let dir = std::env::temp_dir().join(format!("salar-busy-{}", uuid::Uuid::new_v4()));
        assert!(StateRun::look(&dir).is_none(), "nothing ever ran");
        std::fs::create_dir_all(&dir).expect("a folder for the test");
        let left = format!(
            r#"{{"fun":"state.apply","pid":{},"started":"now","jid":"1"}}"#,
            std::process::id()
        );
        std::fs::write(lock_file(&dir), left).expect("is written");
        assert!(StateRun::look(&dir).is_none());
        std::fs::remove_dir_all(&dir).expect("the test's own folder");
    }
}
