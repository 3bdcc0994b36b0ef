//! The command line of `salar` as a whole.

use crate::{backup, serve, simulate};
use clap::{Parser, Subcommand};
use std::ffi::OsString;

/// Manage KVM and Xen virtual machines
///
/// `salar serve` on a machine with libvirt is all that is needed; the other commands speak to that server. Started under
/// the name salt or salt-call it takes Salt's arguments.
#[derive(Debug, Parser)]
#[command(
    name = "salar",
    version,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub(crate) struct Salar {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What goes to salar-agent as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct HandedOver {
    /// Arguments as salar-agent takes them; --help lists them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENT"
    )]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Args>),

    Backup(backup::BackupArgs),

    Restore(backup::RestoreArgs),

    /// Run the agent of a hypervisor (hands over to salar-agent)
    #[command(disable_help_flag = true)]
    Agent(HandedOver),

    /// Call a function on this machine, without a server (hands over to salar-agent)
    #[command(disable_help_flag = true)]
    Call(HandedOver),

    /// Print what states would do to this machine, to a host of the server or to a described host
    #[command(disable_help_flag = true)]
    Plan(HandedOver),

    /// Write this machine, or a host of the server, as files from which plans are made elsewhere
    #[command(disable_help_flag = true)]
    Describe(HandedOver),

    /// Print the SLS that declares what is there
    #[command(disable_help_flag = true)]
    Export(HandedOver),

    /// Do exactly what a plan says, or nothing when the machine has changed (hands over to salar-agent)
    #[command(disable_help_flag = true)]
    Apply(HandedOver),

    Simulate(Box<simulate::Args>),

    #[command(flatten)]
    Client(cli::Command),

    /// Print the version
    Version,
}
