//! `salar action`: what was asked of hosts, and what became of it.

use crate::connection::Connection;
use crate::output::{print, print_json, say};
use crate::table::{Table, facts};
use crate::{Failure, Outcome};
use client::{Client, ListQuery};
use server_api::action::{Action, Progress};
use uuid::Uuid;

/// Show, cancel and repeat actions
///
/// An action is one request to one host: starting a VM, or one host's part of `salar run`. It survives restarts of
/// the server and of the host's agent.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List actions, the newest first
    List(List),
    /// Show an action
    Show(One),
    /// Withdraw an action that has not begun, or ask its host to stop it
    Cancel(One),
    /// Ask again for an action that failed or whose outcome is not known
    Retry(One),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only those of this host
    #[arg(long)]
    host: Option<String>,

    /// Only those in this status: queued, running, succeeded, failed, …
    #[arg(long)]
    status: Option<String>,

    /// Only those that contain these words
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct One {
    /// Id of the action
    id: Uuid,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::List(args) => list(&client, args).await,
        Command::Show(One { id, json }) => {
            let action = client.action(id).await?;
            if json {
                print_json(&action)?
            } else {
                print(&describe(&action))?
            }
            Ok(Outcome::Done)
        }
        Command::Cancel(One { id, json }) => tell(&client.cancel_action(id).await?, json),
        Command::Retry(One { id, json }) => tell(&client.retry_action(id).await?, json),
    }
}

async fn list(client: &Client, args: List) -> Result<Outcome, Failure> {
    let List {
        host,
        status,
        search,
        limit,
        json,
    } = args;
    let query = ListQuery {
        search,
        status,
        host,
        sort: None,
    };
    let actions = client.actions(&query, limit).await?;
    if json {
        print_json(&actions)?
    } else {
        print(&table(&actions).render(0))?
    }
    Ok(Outcome::Done)
}

fn tell(action: &Action, json: bool) -> Result<Outcome, Failure> {
    if json {
        print_json(action)?;
    } else {
        say(&format!(
            "{} on {}: {} ({})",
            action.summary, action.host, action.status, action.id
        ));
    }
    Ok(Outcome::Done)
}

fn table(actions: &[Action]) -> Table {
    let mut table = Table::new(&["ID", "STATUS", "HOST", "ACTION", "USER", "ASKED", "NOTE"]);
    for action in actions {
        table.row([
            &action.id.to_string(),
            &action.status,
            &action.host,
            &action.summary,
            &action.user,
            &action.created_at,
            &note(action),
        ]);
    }
    table
}

/// What a person wants to know next: why it failed, what it waits for, how far it is.
fn note(action: &Action) -> String {
    if let Some(error) = &action.error {
        return error.message.clone();
    }
    let waits = action.waits_for.clone();
    waits
        .or_else(|| action.progress.as_ref().map(progress))
        .unwrap_or_default()
}

fn progress(progress: &Progress) -> String {
    match progress.total {
        Some(total) if total > 0 => {
            format!(
                "{}, {} %",
                progress.step,
                progress.done.saturating_mul(100) / total
            )
        }
        _ => progress.step.clone(),
    }
}

fn describe(action: &Action) -> String {
    let (error, hint) = match &action.error {
        Some(error) => (
            error.message.as_str(),
            error.hint.as_deref().unwrap_or_default(),
        ),
        None => ("", ""),
    };
    let retry_of = action.retry_of.map(|id| id.to_string()).unwrap_or_default();
    let result = action
        .result
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    facts(&[
        ("Action", &action.summary),
        ("Host", &action.host),
        ("Status", &action.status),
        ("Error", error),
        ("Hint", hint),
        ("Waits for", action.waits_for.as_deref().unwrap_or_default()),
        (
            "Progress",
            &action.progress.as_ref().map(progress).unwrap_or_default(),
        ),
        ("Result", &result),
        ("Kind", &action.kind),
        ("User", &action.user),
        ("Asked", &action.created_at),
        ("Begun", action.started_at.as_deref().unwrap_or_default()),
        ("Ended", action.finished_at.as_deref().unwrap_or_default()),
        ("Repeats", &retry_of),
        ("Job", &action.jid.to_string()),
        ("Id", &action.id.to_string()),
    ])
}
