//! The command line client: speaks the public API, prints for people and for pipes.
//!
//! Data goes to standard output, talk to standard error. Exit status 0: done; 1: refused or failed; 2: wrong usage.
//! One file per command; its doc comment is its help. Text from hosts is printed with control characters visible.
//!
//! **Invariant**: nothing here knows of the store, of libvirt or of the server but through its public API.

mod action;
mod connection;
mod event;
mod failure;
mod host;
mod job;
mod key;
mod login;
mod nearest;
mod network;
mod one_host;
mod output;
mod password;
mod pool;
mod run;
mod salt;
mod saved;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod user;
mod vm;
mod wait;

pub use failure::{Failure, Outcome};
pub use key::SaltKeyCli;
pub use one_host::{Answer, OneHost, print};
pub use salt::SaltCli;

use clap::Subcommand;

/// The commands that speak to a server.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would take the place of the command's own help"
)]
pub enum Command {
    Run(Box<run::Args>),
    Job(job::Args),
    Vm(vm::Args),
    Pool(pool::Args),
    Network(network::Args),
    Host(host::Args),
    Action(action::Args),
    Event(event::Args),
    Key(key::Args),
    Server(server::Args),
    User(user::Args),
    Login(login::LoginArgs),
    Logout(login::LogoutArgs),
}

impl Command {
    /// Carries the command out.
    ///
    /// # Errors
    /// What is to be printed as `Error:` and `Hint:`, with the exit status.
    pub async fn run(self) -> Result<Outcome, Failure> {
        match self {
            Self::Run(args) => run::run(*args).await,
            Self::Job(args) => job::run(args).await,
            Self::Vm(args) => vm::run(args).await,
            Self::Pool(args) => pool::run(args).await,
            Self::Network(args) => network::run(args).await,
            Self::Host(args) => host::run(args).await,
            Self::Action(args) => action::run(args).await,
            Self::Event(args) => event::run(args).await,
            Self::Key(args) => key::run(args).await,
            Self::Server(args) => server::run(args).await,
            Self::User(args) => user::run(args).await,
            Self::Login(args) => login::login(args).await,
            Self::Logout(args) => login::logout(args).await,
        }
    }
}
