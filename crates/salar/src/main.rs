//! salar: server and command line.
//!
//! Parses arguments and hands over: to the server, to the command line client, or to `salar-agent`, which alone links
//! libvirt. Started under the name `salt`, `salt-call` or `salt-key` it takes Salt's arguments.

mod arguments;
mod backup;
mod elsewhere;
mod hand_over;
mod serve;
mod simulate;
#[cfg(test)]
mod tests;

use arguments::{Command, Salar};
use clap::Parser as _;
use cli::{Failure, Outcome, SaltCli, SaltKeyCli};
use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let result = match Path::new(&name).file_name().and_then(|name| name.to_str()) {
        Some("salt") => client_work(SaltCli::parse().run()),
        Some("salt-call") => hand_over::exec("call", arguments.collect()),
        Some("salt-key") => client_work(SaltKeyCli::parse().run()),
        _ => run(Salar::parse()),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            // Nothing can be done when standard error is closed.
            let _ = write!(std::io::stderr(), "{failure}");
            failure.exit_code()
        }
    }
}

fn run(salar: Salar) -> Result<Outcome, Failure> {
    match salar.command {
        Command::Serve(args) => serve::run(*args),
        Command::Backup(args) => backup::make(args),
        Command::Restore(args) => backup::restore(args),
        Command::Agent(given) => hand_over::exec("run", given.arguments),
        Command::Call(given) => hand_over::exec("call", given.arguments),
        Command::Plan(given) => elsewhere::plan(given.arguments),
        Command::Describe(given) => elsewhere::describe(given.arguments),
        Command::Export(given) => elsewhere::export(given.arguments),
        Command::Apply(given) => hand_over::exec("apply", given.arguments),
        Command::Simulate(args) => simulate::run(*args),
        Command::Version => version(),
        Command::Client(command) => client_work(command.run()),
    }
}

/// The command line waits for answers and does nothing else: one thread is enough.
pub(crate) fn client_work(
    work: impl Future<Output = Result<Outcome, Failure>>,
) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}

fn version() -> Result<Outcome, Failure> {
    match writeln!(std::io::stdout(), "salar {}", env!("CARGO_PKG_VERSION")) {
        Ok(()) => Ok(Outcome::Done),
        Err(error) => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}
