//! Which keys a host shows over ssh. ssh's own programs ask it.

use model::uri::Authority;
use std::process::{Output, Stdio};
use std::time::Duration;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long the host may take, in seconds.
const PATIENCE: &str = "20";
/// The longest that everything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A key that a host shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// Kind and key, as in a file of known hosts.
    pub line: String,
    /// `SHA256:…`, as ssh prints it.
    pub fingerprint: String,
}

impl HostKey {
    /// `ssh-ed25519`…
    pub fn kind(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }
}

/// Why the keys of a host are not known.
#[derive(Debug, Error)]
pub enum ScanError {
    /// ssh's programs are not there.
    #[error("cannot start {program}: {source}")]
    NoProgram {
        /// Which.
        program: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// The host shows none.
    #[error("{host} shows no key over ssh: {why}")]
    NoKeys {
        /// The host.
        host: String,
        /// What was found instead.
        why: String,
    },
}

/// Asks the host of a URI for its keys.
///
/// # Errors
/// It does not answer, or has no ssh.
pub async fn scan(uri: &str) -> Result<Vec<HostKey>, ScanError> {
    let to = Authority::of(uri);
    let none = |why: &str| ScanError::NoKeys {
        host: to.host.to_owned(),
        why: why.to_owned(),
    };
    let asked = ask(&to);
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(keys) => keys,
        Err(_) => Err(none("it does not answer")),
    }
}

async fn ask(to: &Authority<'_>) -> Result<Vec<HostKey>, ScanError> {
    let mut arguments = vec!["-T", PATIENCE];
    arguments.extend(to.port.into_iter().flat_map(|port| ["-p", port]));
    arguments.extend(["--", to.host]);
    let shown = output("ssh-keyscan", &arguments, "").await?;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' ').map(|(_, key)| key))
        .collect();
    if lines.is_empty() {
        let said = String::from_utf8_lossy(&shown.stderr).into_owned();
        let said = said.lines().rev().find(|line| !line.starts_with('#'));
        return Err(ScanError::NoKeys {
            host: to.host.to_owned(),
            why: said.unwrap_or("nothing answers there").to_owned(),
        });
    }
    let known: String = lines.iter().map(|key| format!("* {key}\n")).collect();
    let printed = output("ssh-keygen", &["-l", "-f", "-"], &known).await?;
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    // A line for each key: its bits, its fingerprint, and more.
    let prints: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    if prints.len() != lines.len() {
        return Err(ScanError::NoKeys {
            host: to.host.to_owned(),
            why: "ssh-keygen does not understand what it shows".to_owned(),
        });
    }
    let keys = lines.iter().zip(prints);
    let key = |(line, print): (&&str, &str)| HostKey {
        line: (*line).to_owned(),
        fingerprint: print.to_owned(),
    };
    Ok(keys.map(key).collect())
}

async fn output(
    program: &'static str,
    arguments: &[&str],
    input: &str,
) -> Result<Output, ScanError> {
    let failed = |source| ScanError::NoProgram { program, source };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read has something to say instead.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    child.wait_with_output().await.map_err(failed)
}
