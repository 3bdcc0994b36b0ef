//! `salar vm`: the VMs of all hosts.

mod find;
mod life;
mod list;
mod show;
mod xml;

#[cfg(test)]
pub(crate) use {list::table, show::describe};

use crate::connection::Connection;
use crate::{Failure, Outcome};
use client::VmCall;

/// Show virtual machines and start, stop and reboot them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    /// Start VMs
    Start(life::Args),
    /// Ask the guests of VMs to shut down
    Shutdown(life::Args),
    /// Ask the guests of VMs to reboot
    Reboot(life::Args),
    /// Cut the power of VMs: what the guest has not written is lost
    ForceOff(life::Args),
    /// Write the memory of VMs to disk and stop them; their next start goes on from there
    Save(life::Args),
    /// Press the reset button of VMs: what the guest has not written is lost
    Reset(life::Args),
    /// Stop the CPUs of VMs
    Pause(life::Args),
    /// Let the CPUs of paused VMs go on
    Resume(life::Args),
    Xml(xml::Args),
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::List(args) => list::run(&client, args).await,
        Command::Show(args) => show::run(&client, args).await,
        Command::Start(args) => life::run(&client, VmCall::Start, args).await,
        Command::Shutdown(args) => life::run(&client, VmCall::Shutdown, args).await,
        Command::Reboot(args) => life::run(&client, VmCall::Reboot, args).await,
        Command::ForceOff(args) => life::run(&client, VmCall::ForceOff, args).await,
        Command::Save(args) => life::run(&client, VmCall::Save, args).await,
        Command::Reset(args) => life::run(&client, VmCall::Reset, args).await,
        Command::Pause(args) => life::run(&client, VmCall::Pause, args).await,
        Command::Resume(args) => life::run(&client, VmCall::Resume, args).await,
        Command::Xml(args) => xml::run(&client, args).await,
    }
}
