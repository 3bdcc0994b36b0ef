//! `salar job`: the results of a job that runs or ran.

use crate::connection::Connection;
use crate::run::{Layout, Report, Wording};
use crate::wait::Waiter;
use crate::{Failure, Outcome};
use std::time::Duration;
use uuid::Uuid;

/// Print what hosts have returned for a job
///
/// A job is one `salar run`; its id is printed by `salar run --async`.
#[derive(Debug, clap::Args)]
pub struct Args {
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

    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    let waiter = if args.wait {
        Some(Waiter::open(&client, Duration::from_secs(5)).await?)
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
