//! `salar-agent run`: the agent until it is told to stop.

use crate::logging::Time;
use crate::options::RunOptions;
use crate::{DONE, FAILED, USAGE};
use crate::{host, logging};
use agent::{Agent, ServerAddress};
use libvirt_driver::Ssh;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Serves the host until SIGTERM, SIGINT, or the end of standard input where that is wanted.
pub async fn run(options: RunOptions) -> u8 {
    // A parent that watches its agent relays its lines.
    let time = if options.exit_with_parent {
        Time::LeftOut
    } else {
        Time::Told
    };
    if let Err(message) = logging::start(&options.log_level, time) {
        eprintln!("Error: {message}");
        return USAGE;
    }
    let stop = CancellationToken::new();
    if options.exit_with_parent {
        stop_with_stdin(stop.clone());
    }
    tokio::spawn(stop_on_signal(stop.clone()));
    let state_dir = options.state_dir.unwrap_or_else(host::default_state_dir);
    let ssh = options
        .known_hosts
        .map(|known| prepare_ssh(&state_dir, &known, options.ssh_key.as_deref()))
        .transpose();
    let ssh = match ssh {
        Ok(ssh) => ssh,
        Err(error) => return failed(&format!("cannot write {}: {error}", state_dir.display())),
    };
    let way = host::Way {
        uri: options.uri,
        ssh,
    };
    let minion = host::minion(options.host, way, state_dir, host::Life::Agent);
    let mut minion = match minion {
        Ok(minion) => minion,
        Err(error) => return failed(&error),
    };
    if let ServerAddress::Unix(_) = options.server {
        // The server's own agent is told where its folders are.
        minion.received = None;
    }
    let minion = Arc::new(minion);
    tracing::info!(host.name = %minion.id, "Agent of {} at {} starts", minion.id, minion.uri);
    match agent::run(
        Agent {
            minion,
            server: options.server,
            join: agent::Join {
                token: options.token,
                ca: options.ca_fingerprint,
            },
            vitals: Arc::default(),
        },
        stop,
    )
    .await
    {
        Ok(()) => DONE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> u8 {
    tracing::error!("{error}");
    eprintln!("Error: {error}");
    FAILED
}

fn prepare_ssh(state_dir: &Path, known: &Path, key: Option<&Path>) -> std::io::Result<Ssh> {
    agent::make_state_dir(state_dir)?;
    Ssh::prepare(state_dir, known, key)
}

async fn stop_on_signal(stop: CancellationToken) {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        return tracing::warn!(
            "Cannot listen for signals; the agent ends at once when it gets one"
        );
    };
    // Cancel safety: a signal that loses the race has no further meaning.
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
}

/// A thread of its own: a read of standard input cannot be called off, and must not hold up the end.
fn stop_with_stdin(stop: CancellationToken) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
        stop.cancel();
    });
}
