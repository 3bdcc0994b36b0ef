//! A PostgreSQL server of a test's own, as `lab/postgres` runs it: on a socket in a folder that goes away with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server. It is killed when this is dropped, or when the thread that has started it ends.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    process: Option<Child>,
    url: String,
    settings: Vec<String>,
}

impl Server {
    /// Starts one with an empty database.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp");
        Self::start_in(folder.expect("a folder for the server"), Vec::new())
    }

    /// Starts one in this folder with further settings, `NAME=VALUE`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_in(folder: TempDir, settings: Vec<String>) -> Self {
        let socket = folder.path().display().to_string().replace('/', "%2F");
        let mut server = Self {
            url: format!("postgres://salar@{socket}/salar"),
            folder,
            process: None,
            settings,
        };
        server.run();
        server
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    ///
    /// # Panics
    /// While it is stopped.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Stops it at once, as a crash would: what was not on its disk is lost, its clients are cut off.
    pub fn crash(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // QUIT is its immediate shutdown; a kill would leave its children and their memory behind.
        let pid = process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = process.wait();
    }

    /// Starts it again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&mut self) {
        let pidfile = self.folder.path().join("data/postmaster.pid");
        // What one that has crashed has left says that it is ready.
        let _ = std::fs::remove_file(&pidfile);
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../lab/postgres");
        let started = Command::new(program)
            .arg("run")
            .arg(self.folder.path())
            .args(["--careless", "max_connections=60", "shared_buffers=16MB"])
            .args(&self.settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut process = started.expect("lab/postgres is run");
        let end = Instant::now() + PATIENCE;
        // It says in this file when it takes connections.
        let is_ready = || {
            std::fs::read_to_string(&pidfile)
                .is_ok_and(|text| text.lines().any(|line| line.trim_end() == "ready"))
        };
        while !is_ready() {
            if let Ok(Some(status)) = process.try_wait() {
                panic!("PostgreSQL ended with {status}; scripts/setup postgres installs it");
            }
            assert!(Instant::now() < end, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}
