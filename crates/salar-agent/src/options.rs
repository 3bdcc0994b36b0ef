//! The command line.

use agent::{JoinToken, ServerAddress};
use clap::{Args, Parser, Subcommand};
use model::Fingerprint;
use outputter::{Format, StateOutput};
use std::path::PathBuf;
use tree::Root;

/// Agent of one hypervisor, and functions on this machine without a server.
#[derive(Debug, Parser)]
#[command(name = "salar-agent", version, arg_required_else_help = true)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a hypervisor: run what the server asks for and report what happens on it
    Run(RunOptions),
    /// Call a function on this machine, without a server (what salt-call --local does)
    Call(CallOptions),
    /// Print what states would do to this machine, step by step; changes nothing
    Plan(PlanOptions),
    /// Do exactly what a plan says, or say why it no longer fits
    Apply(ApplyOptions),
    /// Write this host as files, for plans made elsewhere
    Describe(DescribeOptions),
    /// Print the SLS that declares what is there
    Export(ExportOptions),
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Address of the server: https://HOST:PORT, several with commas between them; unix:/PATH on the same machine
    #[arg(long, value_name = "ADDRESS")]
    pub server: ServerAddress,
    /// Token to join, from salar key token: the key of this agent is accepted at once
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SALAR_JOIN_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<JoinToken>,
    /// Fingerprint of the server's CA, from salar key finger: no other server is joined
    #[arg(long, value_name = "FINGERPRINT")]
    pub ca_fingerprint: Option<Fingerprint>,
    /// Folder for journal, key and downloaded images [default: /var/lib/salar/agent, or below the home folder]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// libvirt URI [default: xen:///system on a Xen control domain, else qemu:///system]
    #[arg(long, value_name = "URI")]
    pub uri: Option<String>,
    /// File with the host's own keys, for a URI that goes over ssh: a host that shows another is not believed
    #[arg(long, value_name = "FILE", requires = "uri")]
    pub known_hosts: Option<PathBuf>,
    /// File with the private key to log in with over ssh [default: those that ssh tries]
    #[arg(long, value_name = "FILE", requires = "known_hosts")]
    pub ssh_key: Option<PathBuf>,
    #[command(flatten)]
    pub host: HostOptions,
    /// End when standard input ends: a server that is gone takes its agent along
    #[arg(long)]
    pub exit_with_parent: bool,
    /// How much to log: error, warning, info, debug, trace, quiet
    #[arg(short, long, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
}

/// Options of `call`; the names are salt-call's.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct CallOptions {
    #[command(flatten)]
    pub host: HostOptions,
    /// libvirt URI [default: xen:///system on a Xen control domain, else qemu:///system]
    #[arg(long, value_name = "URI")]
    pub connect: Option<String>,
    /// Folder for locks and downloaded images [default: /var/lib/salar/agent, or below the home folder]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Layout: highstate, nested, json, yaml, txt, quiet [default: highstate for states, else nested]
    #[arg(long, visible_alias = "output", value_name = "LAYOUT", value_parser = layout)]
    pub out: Option<Format>,
    /// Form of each state: full, terse, mixed, changes, filter; with _id the ID instead of the name
    #[arg(long, visible_alias = "state_output", value_name = "FORM", value_parser = state_output, default_value = "full")]
    pub state_output: StateOutput,
    /// Show states that are as they should be
    #[arg(long, visible_alias = "state_verbose", value_name = "BOOL", default_value = "true", action = clap::ArgAction::Set, value_parser = boolean)]
    pub state_verbose: bool,
    /// Show only changes and failures
    #[arg(long)]
    pub state_output_diff: bool,
    /// Never use colours
    #[arg(long, visible_alias = "no-colour", conflicts_with = "force_color")]
    pub no_color: bool,
    /// Use colours even when the output is no terminal
    #[arg(long, visible_alias = "force-colour")]
    pub force_color: bool,
    /// How much to log: error, warning, info, debug, trace, quiet
    #[arg(short, long, value_name = "LEVEL", default_value = "warning")]
    pub log_level: String,
    /// Accepted for salt-call's sake: a call never asks a server
    #[arg(long)]
    pub local: bool,
    /// Accepted for salt-call's sake: the exit status always tells
    #[arg(long, hide = true)]
    pub retcode_passthrough: bool,
    /// Function to call; sys.list_functions lists them
    #[arg(value_name = "FUN")]
    pub fun: String,
    /// Its arguments, read as YAML; NAME=VALUE for those with a name
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    pub args: Vec<String>,
}

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanOptions {
    #[command(flatten)]
    pub planning: PlanningOptions,
    /// Print the whole plan as JSON, as apply reads it
    #[arg(long)]
    pub json: bool,
    /// Merged over the pillar: '{key: value}'
    #[arg(long, value_name = "YAML")]
    pub pillar: Option<String>,
    /// State files, as in state.apply [default: what the top file assigns]
    #[arg(value_name = "SLS")]
    pub sls: Vec<String>,
}

/// Options of `apply`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ApplyOptions {
    #[command(flatten)]
    pub planning: PlanningOptions,
    /// File that plan --json printed; - is standard input
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
}

/// Options of `describe`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct DescribeOptions {
    #[command(flatten)]
    pub planning: PlanningOptions,
    /// Write the pillar, too: it may hold passwords
    #[arg(long)]
    pub pillar: bool,
    /// Folder to write; an older description in it is replaced
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    #[command(flatten)]
    pub planning: PlanningOptions,
    /// VMs to declare, with the networks and pools they use [default: everything there is]
    #[arg(value_name = "VM")]
    pub vms: Vec<String>,
}

/// Where plans are made and applied.
#[derive(Debug, Args)]
pub struct PlanningOptions {
    #[command(flatten)]
    pub host: HostOptions,
    /// libvirt URI [default: xen:///system on a Xen control domain, else qemu:///system]
    #[arg(long, value_name = "URI")]
    pub connect: Option<String>,
    /// Folder for locks and downloaded images [default: /var/lib/salar/agent, or below the home folder]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// How much to log: error, warning, info, debug, trace, quiet
    #[arg(short, long, value_name = "LEVEL", default_value = "warning")]
    pub log_level: String,
}

/// What all of them need to know of the host.
#[derive(Debug, Args)]
pub struct HostOptions {
    /// Folder with a minion's configuration: minion, minion.d/*.conf, grains [default: /etc/salt]
    #[arg(short, long, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
    /// Name of this host, as targets match it [default: the configuration's, else its host name]
    #[arg(long, value_name = "NAME")]
    pub id: Option<String>,
    /// Folder of state files, or ENV=DIR for another environment than base; may be given several times [default: what the server sends, without one file_roots of the
    /// configuration, else /srv/salt]
    #[arg(long, value_name = "DIR")]
    pub file_root: Vec<Root>,
    /// Folder of pillar files, or ENV=DIR; may be given several times [default: what the server sends, without one pillar_roots of
    /// the configuration, else /srv/pillar]
    #[arg(long, value_name = "DIR")]
    pub pillar_root: Vec<Root>,
}

fn layout(word: &str) -> Result<Format, String> {
    Format::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        format!("there are {}", known.join(", "))
    })
}

fn state_output(word: &str) -> Result<StateOutput, String> {
    StateOutput::from_word(word).ok_or_else(|| {
        "there are full, terse, mixed, changes, filter, each also with _id".to_owned()
    })
}

fn boolean(word: &str) -> Result<bool, String> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("give true or false".to_owned()),
    }
}
