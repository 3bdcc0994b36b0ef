//! `salar serve`: settings from arguments and file, one server to a state folder, and its end.

mod file;
mod guard;
mod log;
mod settings;

pub(crate) use file::File;
pub(crate) use guard::Guard;
pub(crate) use log::level as log_level;
#[cfg(test)]
pub(crate) use settings::settle;
pub(crate) use settings::{Args, state_dir};

use cli::{Failure, Outcome};
use server::{StartError, Started, StoreError};
use settings::Settings;
use std::io::Write as _;
use tokio::signal::unix::{SignalKind, signal};

/// Requests are short and wait for nothing but the store; more threads only cost memory.
const WORKERS: usize = 2;

/// Serves until it is told to end.
pub(crate) fn run(args: Args) -> Result<Outcome, Failure> {
    let file = args.read_config()?;
    let settings = settings::settle(args, file)?;
    log::start(settings.log_level);
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let guard = Guard::take(&settings.config.state_dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the server's threads: {error}")))?;
    let result = runtime.block_on(serve(settings));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    drop(guard);
    result
}

async fn serve(settings: Settings) -> Result<Outcome, Failure> {
    // Installed first: a signal during the start ends the server cleanly too.
    let ended = told_to_end()?;
    let server = server::start(settings.config)
        .await
        .map_err(|error| refused(&error))?;
    announce(server.started())?;
    server.run_until(ended).await;
    Ok(Outcome::Done)
}

/// Says where the server is and, once in its life, how to sign in.
fn announce(started: &Started) -> Result<(), Failure> {
    let mut text = String::new();
    if let Some(password) = &started.first_password {
        text.push_str("Sign in as   admin\n");
        text.push_str(&format!("Password     {password}\n"));
        text.push_str(
            "             (shown this once; change it with: salar user password admin)\n",
        );
    }
    if let Some(ca) = &started.ca {
        text.push_str(&format!("Certificate  signed by {}\n", ca.display()));
    }
    for url in &started.urls {
        text.push_str(&format!("Ready at     {url}\n"));
    }
    for address in &started.agents {
        text.push_str(&format!("Agents at    {address}\n"));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(format!("cannot write to standard output: {error}")))
}

/// Ends with the first SIGTERM or SIGINT.
pub(crate) fn told_to_end() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error| Failure::new(format!("cannot wait for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("Ending: {name} received");
    })
}

/// A chain of errors in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some libraries repeat their source.
        let text = error.to_string();
        if !message.ends_with(&text) {
            message.push_str(&format!(": {text}"));
        }
        cause = error.source();
    }
    message
}

fn refused(error: &StartError) -> Failure {
    let failure = Failure::new(chain(error));
    match error {
        StartError::Listen { .. } => {
            failure.hint("choose another address or port: --listen ADDRESS:PORT")
        }
        StartError::NoAddress => failure.hint("name one: --listen ADDRESS:PORT"),
        StartError::Store(StoreError::Connect { .. } | StoreError::DatabaseUrl { .. }) => failure
            .hint("check that PostgreSQL runs there and lets this user in: psql with the same URL has to work"),
        StartError::OtherCa { .. } => failure.hint(
            "agents trust one CA: copy ca.pem and ca-key.pem of that server, and name their folder with --ca-dir",
        ),
        StartError::Store(_) => failure.hint(
            "look at the free space and the rights of the folder; a damaged store is restored from a backup \
             (salar restore), or moved away to begin anew",
        ),
        StartError::File { .. } | StartError::Tls(_) => failure,
    }
}
