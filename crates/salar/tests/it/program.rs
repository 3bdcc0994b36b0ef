//! Starting the program, and a server that ends with its test.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// `salar` with an environment of its own below `home`.
pub fn salar(home: &Path, words: &[&str]) -> Command {
    program(Path::new(env!("CARGO_BIN_EXE_salar")), home, words)
}

/// A program with an environment of its own below `home`.
pub fn program(path: &Path, home: &Path, words: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(path);
    command
        .args(words)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null());
    command
}

/// What a program that ended has said.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("not ended by a signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// Runs a program to its end.
pub fn said(command: &mut Command) -> Said {
    command.output().expect("the program starts").into()
}

/// Runs a program to its end with a line on its standard input.
pub fn said_with_input(command: &mut Command, line: &str) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    writeln!(input, "{line}").expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends").into()
}

/// A server without agent, on a free port, in a folder of its own.
pub struct Server {
    pub home: TempDir,
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_in(TempDir::new().expect("a temporary folder"))
    }

    /// Starts in a folder that may have been used before.
    pub fn start_in(home: TempDir) -> Self {
        Self::listen_in(home, "127.0.0.1:0")
    }

    /// Starts in a folder on an address, and waits until it is known.
    pub fn listen_in(home: TempDir, address: &str) -> Self {
        let state = home.path().join("state");
        // Of an earlier server; the new one writes its own.
        let _ = std::fs::remove_file(state.join("client.json"));
        let mut command = salar(home.path(), &["serve", "--no-agent", "--listen", address]);
        command.arg("--state-dir").arg(&state);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            out.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let server = Self { home, child, lines };
        let file = server.state_dir().join("client.json");
        until("the server writes client.json", || {
            file.exists().then_some(())
        });
        server
    }

    pub fn state_dir(&self) -> PathBuf {
        self.home.path().join("state")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn url(&self) -> String {
        let text = std::fs::read_to_string(self.state_dir().join("client.json")).expect("readable");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        value["url"]
            .as_str()
            .expect("an address")
            .trim_end_matches('/')
            .to_owned()
    }

    /// The word after `label` in what the server prints; `None` if it has not printed one when it says it is ready.
    pub fn printed(&self, label: &str) -> Option<String> {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .expect("the server says it is ready");
            if let Some(rest) = line.strip_prefix(label) {
                return rest.split_whitespace().next().map(str::to_owned);
            }
            if line.starts_with("Ready") {
                return None;
            }
        }
    }

    /// The command line with the server's own token.
    pub fn cli(&self, words: &[&str]) -> Said {
        said(salar(self.home.path(), words).env("SALAR_STATE_DIR", self.state_dir()))
    }

    /// Asks it to end and waits for it; its exit status, and the folder it leaves.
    pub fn stop(mut self) -> (i32, TempDir) {
        let status = self.end("-TERM");
        let empty = TempDir::new().expect("a temporary folder");
        (
            status.expect("it ended by itself"),
            std::mem::replace(&mut self.home, empty),
        )
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return status.code();
        }
        let pid = self.child.id().to_string();
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .expect("kill exists");
        until("the server ends", || {
            self.child.try_wait().expect("it is our child")
        })
        .code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("-KILL");
    }
}

/// Asks again until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
