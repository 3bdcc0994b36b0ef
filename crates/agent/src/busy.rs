//! One state run at a time on a host, whoever asks: the agent, a local call, another terminal.

use crate::state_dir::{Lock, make};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// The right to run states. Ends when it is dropped, and with the process at the latest.
#[derive(Debug)]
pub struct StateRun {
    _lock: Lock,
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
        let path = state_dir.join("state-run.lock");
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
        Ok(Self { _lock: lock })
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
        drop(first);
        StateRun::begin(&dir, "state.apply", "3").expect("free again");
        std::fs::remove_dir_all(&dir).expect("the test's own folder");
    }
}
