//! `salar run`: a function on many hosts.

mod batch;
mod report;

pub(crate) use report::Report;

use crate::connection::Connection;
use crate::output::{print, say, wants_color};
use crate::wait::Waiter;
use crate::{Failure, Outcome};
use batch::Batch;
use client::ClientError;
use outputter::{Format, StateOutput, Style};
use server_api::run::{Job, RunRequest};
use std::time::Duration;

const EXAMPLES: &str = "Examples:
  salar run '*' test.ping
  salar run 'kvm*' state.apply vm test=True
  salar run -L kvm1,kvm2 virt.list_domains --out json
  salar run -C 'G@os:Debian and not kvm9' test.ping";

/// Call a function on every host that the target matches
///
/// Prints what each host returns as it comes. Arguments are read as Salt reads them: `k=v` is a named argument and values
/// are YAML. The exit status is 1 if a host failed or could not be reached, 2 if no host matches.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Which hosts: a shell pattern of names unless told otherwise
    target: String,

    /// The function: state.apply, virt.list_domains, …
    #[arg(value_name = "FUNCTION")]
    fun: String,

    /// Its arguments
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true)]
    arguments: Vec<String>,

    #[command(flatten)]
    kind: Kind,

    /// Seconds of silence after which a host that cannot take it now is not waited for
    #[arg(short, long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,

    /// So many hosts at a time, as a number or a share (10, 25%); the next begins when one has ended
    #[arg(short, long, value_name = "SIZE", conflicts_with = "detach")]
    batch: Option<Batch>,

    /// Do not wait: print the id of the job
    #[arg(long = "async")]
    detach: bool,

    /// Wait for all hosts, then print all results at once
    #[arg(short = 's', long = "static")]
    at_once: bool,

    /// Print the id of the job first
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    layout: Layout,

    #[command(flatten)]
    connection: Connection,
}

/// What the target is, if no shell pattern of names
#[derive(Debug, Default, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Kind {
    /// The target is a list of names with commas between
    #[arg(short = 'L', long)]
    list: bool,

    /// The target is a regular expression
    #[arg(short = 'E', long)]
    pcre: bool,

    /// The target is a grain and a shell pattern: os:Debian
    #[arg(short = 'G', long)]
    grain: bool,

    /// The target is a grain and a regular expression
    #[arg(short = 'P', long)]
    grain_pcre: bool,

    /// The target is a key of the pillar and a shell pattern: role:web
    #[arg(short = 'I', long)]
    pillar: bool,

    /// The target is a key of the pillar and a regular expression
    #[arg(short = 'J', long)]
    pillar_pcre: bool,

    /// The target is an expression: 'G@os:Debian and not ( kvm1 or E@xen[0-9] )'
    #[arg(short = 'C', long)]
    compound: bool,

    /// The target is a node group of the server's settings
    #[arg(short = 'N', long)]
    nodegroup: bool,

    /// The target is an address or a network
    #[arg(short = 'S', long)]
    ipcidr: bool,
}

impl Kind {
    /// The word for the server.
    const fn word(&self) -> &'static str {
        match self {
            Self { list: true, .. } => "list",
            Self { pcre: true, .. } => "pcre",
            Self { grain: true, .. } => "grain",
            Self {
                grain_pcre: true, ..
            } => "grain_pcre",
            Self { pillar: true, .. } => "pillar",
            Self {
                pillar_pcre: true, ..
            } => "pillar_pcre",
            Self { compound: true, .. } => "compound",
            Self {
                nodegroup: true, ..
            } => "nodegroup",
            Self { ipcidr: true, .. } => "ipcidr",
            Self { .. } => "glob",
        }
    }
}

/// How results are printed
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Layout {
    /// Layout: highstate, nested, json, yaml, txt or quiet [default: what suits the function]
    #[arg(long, alias = "output", value_name = "LAYOUT", value_parser = format)]
    out: Option<Format>,

    /// Form of states: full, terse, mixed, changes or filter, each also with _id at its end
    #[arg(long, alias = "state_output", value_name = "FORM", value_parser = state_output)]
    state_output: Option<StateOutput>,

    /// Show states that succeeded without changes
    #[arg(
        long,
        alias = "state_verbose",
        value_name = "BOOL",
        default_value = "true",
        action = clap::ArgAction::Set,
        value_parser = boolean
    )]
    state_verbose: bool,

    /// Show only changes and failures
    #[arg(long)]
    state_output_diff: bool,

    /// No colour
    #[arg(long, alias = "no-colour")]
    no_color: bool,

    /// Colour even if no person seems to read
    #[arg(long, alias = "force-colour", conflicts_with = "no_color")]
    force_color: bool,
}

impl Layout {
    pub(crate) fn format(&self, fun: &str) -> Format {
        self.out.unwrap_or_else(|| Format::for_function(fun))
    }

    pub(crate) fn style(&self) -> Style {
        Style {
            color: wants_color(self.no_color, self.force_color),
            state_output: self.state_output.unwrap_or_default(),
            verbose: self.state_verbose,
            diff: self.state_output_diff,
            ..Style::default()
        }
    }
}

fn format(word: &str) -> Result<Format, String> {
    Format::from_word(word).ok_or_else(|| "there is no such layout".to_owned())
}

/// As Python and YAML write it.
fn boolean(word: &str) -> Result<bool, String> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

fn state_output(word: &str) -> Result<StateOutput, String> {
    StateOutput::from_word(word).ok_or_else(|| "there is no such form".to_owned())
}

/// Whose words are used where Salt's tools and ours differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    /// `salar run`.
    Salar,
    /// `salt`, whose output other programs read.
    Salt,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    run_as(args, Wording::Salar).await
}

pub(crate) async fn run_as(args: Args, wording: Wording) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    if let Some(batch) = args.batch {
        return batch::run(&args, &client, batch, wording).await;
    }
    // Connected before anything is asked for, so that no result can come unseen.
    let silence = Duration::from_secs(args.timeout);
    let waiter = if args.detach {
        None
    } else {
        Some(Waiter::open(&client, silence).await?)
    };
    let job = client
        .run(&request(&args))
        .await
        .map_err(|error| refused(error, wording))?;
    let Some(waiter) = waiter else {
        return detached(&job, wording);
    };
    if args.verbose {
        let line = "-".repeat(43);
        print(&format!("Executing job with jid {}\n{line}\n\n", job.jid))?;
    }
    let format = args.layout.format(&args.fun);
    let mut report = Report::new(format, args.layout.style(), args.at_once);
    tokio::select! {
        result = report.follow(waiter, job.actions) => result?,
        // Waiting is what is interrupted, not the work.
        _ = tokio::signal::ctrl_c() => return Err(interrupted(&job.jid.to_string())),
    }
    report.finish(wording)
}

fn request(args: &Args) -> RunRequest {
    let (positional, kwargs) = sls::words::command_line(&args.arguments);
    RunRequest {
        target: args.target.clone(),
        target_kind: args.kind.word().to_owned(),
        fun: args.fun.clone(),
        args: positional,
        kwargs,
    }
}

fn detached(job: &Job, wording: Wording) -> Result<Outcome, Failure> {
    match wording {
        Wording::Salt => print(&format!("Executed command with job ID: {}\n", job.jid))?,
        Wording::Salar => {
            print(&format!("{}\n", job.jid))?;
            say(&format!("Results: salar job show {}", job.jid));
        }
    }
    Ok(Outcome::Done)
}

fn interrupted(jid: &str) -> Failure {
    Failure::new("interrupted; the job goes on").hint(format!(
        "its results: salar job show {jid}; to stop it: salar job cancel {jid}"
    ))
}

/// That no host matches has an exit status of its own, as in Salt.
fn refused(error: ClientError, wording: Wording) -> Failure {
    if error.code() != Some("no_host_matched") {
        return error.into();
    }
    match wording {
        Wording::Salt => {
            say("No minions matched the target. No command was sent, no jid was assigned.");
            say("ERROR: No return received");
            Failure::usage("")
        }
        Wording::Salar => {
            let failure = Failure::usage(error.to_string());
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure.hint("the hosts there are: salar host list"),
            }
        }
    }
}
