//! `salar job`: what was asked of hosts in one go, and what they have returned.

use crate::connection::Connection;
use crate::output::{print, print_json, say};
use crate::run::{Layout, Report, Wording};
use crate::table::Table;
use crate::wait::{Waiter, has_ended};
use crate::{Failure, Outcome};
use client::Client;
use server_api::run::JobSummary;
use std::time::Duration;
use uuid::Uuid;

/// Show and cancel jobs
///
/// A job is one `salar run`: an action on each of its hosts. Its id is printed by `salar run --async`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List jobs, the newest first
    List(List),
    /// Print what hosts have returned for a job
    Show(Box<Show>),
    /// Withdraw what of a job has not begun, and ask hosts to stop the rest
    Cancel(Cancel),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only those that have not ended
    #[arg(long)]
    open: bool,

    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Id of the job
    #[arg(value_name = "JID")]
    jid: Uuid,

    /// Wait until all hosts have returned
    #[arg(long)]
    wait: bool,

    /// Print all results at once
    #[arg(short = 's', long = "static")]
    at_once: bool,

    #[command(flatten)]
    layout: Layout,
}

#[derive(Debug, clap::Args)]
struct Cancel {
    /// Id of the job
    #[arg(value_name = "JID")]
    jid: Uuid,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::List(args) => list(&client, &args).await,
        Command::Show(args) => show(&client, &args).await,
        Command::Cancel(args) => cancel(&client, &args).await,
    }
}

async fn list(client: &Client, args: &List) -> Result<Outcome, Failure> {
    let jobs = client.jobs(args.open, args.limit).await?;
    if args.json {
        print_json(&jobs)?;
    } else {
        print(&table(&jobs).render(0))?;
    }
    Ok(Outcome::Done)
}

fn table(jobs: &[JobSummary]) -> Table {
    let mut table = Table::new(&["JID", "STATUS", "FUNCTION", "TARGET", "USER", "ASKED"]);
    for job in jobs {
        table.row([
            &job.jid.to_string(),
            &status(job),
            &job.fun,
            &job.target,
            &job.user,
            &job.created_at,
        ]);
    }
    table
}

fn status(job: &JobSummary) -> String {
    let ended = job.actions.saturating_sub(job.open);
    let bad = ended.saturating_sub(job.succeeded);
    match (job.open, bad) {
        (0, 0) => "done".to_owned(),
        (0, bad) => format!("{bad} of {} not done", job.actions),
        (_, 0) => format!("{ended} of {}", job.actions),
        (_, bad) => format!("{ended} of {}, {bad} not done", job.actions),
    }
}

async fn show(client: &Client, args: &Show) -> Result<Outcome, Failure> {
    let waiter = if args.wait {
        Some(Waiter::open(client, Duration::from_secs(5)).await?)
    } else {
        None
    };
    let job = client.job(args.jid).await?;
    let format = args.layout.format(&job.fun);
    let mut report = Report::new(format, args.layout.style(), args.at_once);
    match waiter {
        Some(waiter) => report.follow(waiter, job.actions).await?,
        None => report.as_it_is(&job.actions)?,
    }
    report.finish(Wording::Salar)
}

async fn cancel(client: &Client, args: &Cancel) -> Result<Outcome, Failure> {
    let job = client.cancel_job(args.jid).await?;
    if args.json {
        print_json(&job)?;
        return Ok(Outcome::Done);
    }
    for action in &job.actions {
        let still = match has_ended(action) {
            true => "",
            false => ", its host is asked to stop it",
        };
        say(&format!("{}: {}{still}", action.host, action.status));
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_how_far_a_job_is() {
        let job = |actions, open, succeeded| JobSummary {
            jid: Uuid::nil(),
            fun: "test.ping".to_owned(),
            target: "*".to_owned(),
            target_kind: "glob".to_owned(),
            user: "admin".to_owned(),
            created_at: String::new(),
            actions,
            open,
            succeeded,
        };
        for (job, wanted) in [
            (job(2, 0, 2), "done"),
            (job(3, 0, 2), "1 of 3 not done"),
            (job(3, 1, 2), "2 of 3"),
            (job(3, 1, 1), "2 of 3, 1 not done"),
        ] {
            assert_eq!(status(&job), wanted);
        }
    }
}
