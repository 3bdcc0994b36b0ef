//! Agents that are child processes of the server, over the same link as any other, started again when they end: that of
//! this machine, and one for each host that has none of its own. A hung connection holds up nobody but its own agent.
//!
//! The child's standard input is held open; an agent that was told `--exit-with-parent` ends when it closes, so that a
//! killed server leaves none behind.

use crate::config::Config;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Level, debug, error, info, trace, warn};

/// First pause before a new start, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// An agent that has lived this long is started again without a pause from before.
const HEALTHY: Duration = Duration::from_secs(60);
/// How long an agent may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(5);

/// The program, and what every child of it is told.
#[derive(Debug, Clone)]
pub struct ChildProgram {
    program: PathBuf,
    server: OsString,
    roots: Vec<OsString>,
}

impl ChildProgram {
    /// As the configuration has it; `None` where it names no program.
    pub fn new(config: &Config, socket: &Path) -> Option<Self> {
        let mut server = OsString::from("unix:");
        server.push(socket);
        let of_option = |(option, roots): (&'static str, &tree::Roots)| {
            let roots = roots.roots();
            roots
                .flat_map(|root| [option.into(), root.to_string().into()])
                .collect::<Vec<OsString>>()
        };
        let roots = [
            ("--file-root", &config.file_roots),
            ("--pillar-root", &config.pillar_roots),
        ];
        Some(Self {
            program: config.agent_program.clone()?,
            server,
            roots: roots.into_iter().flat_map(of_option).collect(),
        })
    }

    /// An agent of a host with its state in a folder of its own.
    pub fn agent(
        &self,
        of: impl Into<String>,
        state_dir: PathBuf,
        options: impl IntoIterator<Item = (&'static str, OsString)>,
    ) -> ChildAgent {
        let mut arguments = vec!["run".into(), "--server".into(), self.server.clone()];
        arguments.extend(["--state-dir".into(), state_dir.into()]);
        arguments.push("--exit-with-parent".into());
        for (option, value) in options {
            arguments.extend([option.into(), value]);
        }
        arguments.extend(self.roots.iter().cloned());
        ChildAgent {
            of: of.into(),
            program: self.program.clone(),
            arguments,
        }
    }

    /// The agent of this machine.
    pub fn local(&self, config: &Config) -> ChildAgent {
        let given = [("--uri", &config.hypervisor), ("--id", &config.id)];
        let given = given.map(|(option, value)| Some((option, value.as_ref()?.into())));
        let state_dir = config.state_dir.join("agent");
        self.agent("this machine", state_dir, given.into_iter().flatten())
    }
}

/// How an agent is started.
#[derive(Debug, Clone)]
pub struct ChildAgent {
    /// Whose it is, for the log.
    of: String,
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl ChildAgent {
    /// Keeps it running until it is told to end.
    pub async fn supervise(self, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            match self.run_once(&shutdown).await {
                Ok(None) => return,
                Ok(Some(status)) => {
                    warn!(
                        "The agent of {} ended ({status}); starting it again",
                        self.of
                    );
                }
                Err(source) => error!(
                    error = &source as &dyn std::error::Error,
                    "Cannot start {}; the server runs without the hypervisor of {}",
                    self.program.display(),
                    self.of
                ),
            }
            if started.elapsed() > HEALTHY {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// `None` when it was told to end, else how it ended.
    async fn run_once(&self, shutdown: &CancellationToken) -> io::Result<Option<ExitStatus>> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(relay(self.of.clone(), stderr));
        }
        info!(
            "Started the agent of {} (process {})",
            self.of,
            child.id().unwrap_or_default()
        );
        tokio::select! {
            status = child.wait() => Ok(Some(status?)),
            () = shutdown.cancelled() => {
                // The closed input tells it to end.
                drop(input);
                end(&self.of, &mut child).await;
                Ok(None)
            }
        }
    }
}

async fn end(of: &str, child: &mut Child) {
    if tokio::time::timeout(FAREWELL, child.wait()).await.is_err() {
        warn!("The agent of {of} does not end; it is stopped");
        if let Err(error) = child.kill().await {
            error!(
                error = &error as &dyn std::error::Error,
                "Cannot stop the agent of {of}"
            );
        }
    }
}

/// Its lines become lines of our log, at the level that each begins with.
async fn relay(of: String, stderr: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(stderr).lines();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) => log(&of, &line),
            // Not text: the rest of what it says is lost, its work is not.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Ok(None) | Err(_) => return,
        }
    }
}

fn log(of: &str, line: &str) {
    let (level, text) = level(line);
    // The level of an event is fixed where it stands.
    match level {
        Level::ERROR => error!(target: "salar_agent", { agent.of = of }, "{text}"),
        Level::WARN => warn!(target: "salar_agent", { agent.of = of }, "{text}"),
        Level::INFO => info!(target: "salar_agent", { agent.of = of }, "{text}"),
        Level::DEBUG => debug!(target: "salar_agent", { agent.of = of }, "{text}"),
        Level::TRACE => trace!(target: "salar_agent", { agent.of = of }, "{text}"),
    }
}

const LEVELS: [Level; 5] = [
    Level::ERROR,
    Level::WARN,
    Level::INFO,
    Level::DEBUG,
    Level::TRACE,
];

/// A line of the agent's log without its level; other lines, as of a panic or a library, are worth a warning.
fn level(line: &str) -> (Level, &str) {
    let line = line.trim_start();
    let told = line.split_once(' ').and_then(|(word, text)| {
        // Parsing a word as a level would take numbers too.
        let level = LEVELS.into_iter().find(|level| level.as_str() == word)?;
        Some((level, text))
    });
    told.unwrap_or((Level::WARN, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tree::Roots;

    /// A program that writes down how it was called and then does `then`.
    fn agent(folder: &Path, then: &str) -> ChildAgent {
        let program = folder.join("salar-agent");
        let log = folder.join("calls");
        let script = format!("#!/bin/sh\necho \"$@\" >> {}\n{then}\n", log.display());
        std::fs::write(&program, script).expect("is written");
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&program, mode).expect("is set");
        let config = Config {
            agent_program: Some(program),
            hypervisor: Some("test:///default".to_owned()),
            file_roots: Roots::given(
                ["/srv/salt", "/srv/more", "dev=/srv/dev"]
                    .map(|root| root.parse().expect("is one")),
            ),
            ..Config::new(folder)
        };
        let program = ChildProgram::new(&config, &folder.join("agent.sock"));
        program.expect("a program is given").local(&config)
    }

    async fn calls(folder: &Path, wanted: usize) -> Vec<String> {
        let look = async {
            loop {
                let text = std::fs::read_to_string(folder.join("calls")).unwrap_or_default();
                let lines: Vec<String> = text.lines().map(str::to_owned).collect();
                if lines.len() >= wanted {
                    return lines;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(10), look).await;
        found.expect("the agent is started often enough")
    }

    #[tokio::test]
    async fn it_is_told_everything_and_started_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let shutdown = CancellationToken::new();
        let agent = agent(folder.path(), "exit 3");
        let task = tokio::spawn(agent.supervise(shutdown.clone()));
        let calls = calls(folder.path(), 2).await;
        let at = folder.path().display();
        assert_eq!(
            calls[0],
            format!(
                "run --server unix:{at}/agent.sock --state-dir {at}/agent --exit-with-parent \
                 --uri test:///default --file-root /srv/salt --file-root /srv/more --file-root dev=/srv/dev"
            )
        );
        assert_eq!(calls[0], calls[1]);
        shutdown.cancel();
        task.await.expect("ends");
    }

    #[test]
    fn lines_keep_their_level() {
        for (line, told, text) in [
            (" INFO Session open", Level::INFO, "Session open"),
            (" WARN libvirt is down", Level::WARN, "libvirt is down"),
            ("ERROR a  b", Level::ERROR, "a  b"),
            (
                "thread 'main' panicked at x",
                Level::WARN,
                "thread 'main' panicked at x",
            ),
            ("", Level::WARN, ""),
            ("5 apples", Level::WARN, "5 apples"),
        ] {
            assert_eq!(level(line), (told, text), "{line:?}");
        }
    }

    #[tokio::test]
    async fn it_ends_when_its_input_closes() {
        let folder = tempfile::tempdir().expect("a folder");
        let shutdown = CancellationToken::new();
        let agent = agent(
            folder.path(),
            "cat > /dev/null; echo farewell >> \"$0.end\"",
        );
        let task = tokio::spawn(agent.supervise(shutdown.clone()));
        calls(folder.path(), 1).await;
        shutdown.cancel();
        task.await.expect("ends");
        assert!(
            folder.path().join("salar-agent.end").exists(),
            "it ended by itself"
        );
    }
}
