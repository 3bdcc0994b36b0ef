//! `salar-agent`: the agent of one hypervisor (`run`) and functions on this machine without a server (`call`).
//!
//! Parses arguments, opens the hypervisor, hands over to the `agent` crate, prints. Under the name `salt-call` it takes
//! the arguments of `call`, as Salt's own program does.

mod call;
mod config;
mod describe;
mod host;
mod logging;
mod options;
mod plan;
mod progress;
mod run;

use clap::Parser;
use options::{Command, Options};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// Exit status of a success.
const DONE: u8 = 0;
/// Exit status of what failed or was refused.
const FAILED: u8 = 1;
/// Exit status of a command line that means nothing.
const USAGE: u8 = 2;

/// The agent's work is waiting; its blocking parts have threads of their own.
const WORKERS: usize = 2;

fn main() {
    let options = Options::parse_from(arguments(std::env::args_os()));
    // Another part of the process cannot have installed one yet.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: cannot start threads: {error}");
            libvirt_driver::leave(FAILED);
        }
    };
    let code = match options.command {
        Command::Call(options) => runtime.block_on(call::call(options)),
        Command::Plan(options) => runtime.block_on(plan::plan(options)),
        Command::Apply(options) => runtime.block_on(plan::apply(options)),
        Command::Describe(options) => runtime.block_on(describe::describe(options)),
        Command::Export(options) => runtime.block_on(describe::export(options)),
        Command::Run(options) => runtime.block_on(run::run(options)),
    };
    // A libvirtd that hangs must not keep the process.
    runtime.shutdown_timeout(Duration::ZERO);
    libvirt_driver::leave(code)
}

/// The arguments, with the subcommand that the program's name stands for.
fn arguments(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.into_iter().collect();
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    if name.is_some_and(|name| name == "salt-call") {
        arguments.insert(1, "call".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn salt_call_is_call() {
        assert_eq!(
            arguments(words("/usr/bin/salt-call test.ping")),
            words("/usr/bin/salt-call call test.ping")
        );
        assert_eq!(
            arguments(words("salar-agent run")),
            words("salar-agent run")
        );
    }

    #[test]
    fn options_may_follow_the_function() {
        Options::command().debug_assert();
        let parsed = Options::try_parse_from(words(
            "salar-agent call state.apply vm test=True --out json -l debug -5",
        ))
        .expect("parsed");
        let Command::Call(call) = parsed.command else {
            panic!("a call")
        };
        assert_eq!(
            (call.fun.as_str(), call.args),
            (
                "state.apply",
                vec!["vm".to_owned(), "test=True".to_owned(), "-5".to_owned()]
            )
        );
    }
}
