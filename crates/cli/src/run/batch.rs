//! `salar run --batch`: a few hosts at a time, each as a job of its own once the first few are under way.

use super::{Args, Report, Wording, refused, request};
use crate::output::print;
use crate::wait::Waiter;
use crate::{Failure, Outcome};
use client::Client;
use server_api::action::Action;
use server_api::run::RunRequest;
use std::str::FromStr;
use std::time::Duration;

/// How many hosts at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batch {
    /// So many.
    Hosts(usize),
    /// So many of a hundred.
    Percent(usize),
}

impl FromStr for Batch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number of hosts, or a share of them as 25%".to_owned();
        let (number, of_hundred) = match text.strip_suffix('%') {
            Some(number) => (number, true),
            None => (text, false),
        };
        match (number.parse::<usize>().map_err(|_| wrong())?, of_hundred) {
            (0, _) => Err(wrong()),
            (percent, true) if percent > 100 => Err(wrong()),
            (percent, true) => Ok(Self::Percent(percent)),
            (hosts, false) => Ok(Self::Hosts(hosts)),
        }
    }
}

impl Batch {
    /// How many of so many hosts: at least one, so that the work goes on.
    fn of(self, hosts: usize) -> usize {
        match self {
            Self::Hosts(number) => number,
            Self::Percent(percent) => (hosts * percent / 100).max(1),
        }
    }
}

/// Runs on a few hosts at a time.
pub(super) async fn run(
    args: &Args,
    client: &Client,
    batch: Batch,
    wording: Wording,
) -> Result<Outcome, Failure> {
    let waiter = Waiter::open(client, Duration::from_secs(args.timeout)).await?;
    let found = client.targets(args.kind.word(), &args.target).await;
    let mut hosts = found.map_err(|error| refused(error, wording))?;
    // By name: two hosts of one name are asked together.
    hosts.dedup();
    let mut rest = hosts
        .split_off(batch.of(hosts.len()).min(hosts.len()))
        .into_iter();
    let job = client.run(&on(args, &hosts.join(","))).await?;
    if args.verbose {
        let line = "-".repeat(43);
        print(&format!("Executing run on {hosts:?}\n{line}\n\n"))?;
    }
    let format = args.layout.format(&args.fun);
    let mut report = Report::new(format, args.layout.style(), args.at_once);
    let next = async || -> Result<Vec<Action>, Failure> {
        match rest.next() {
            Some(host) => Ok(client.run(&on(args, &host)).await?.actions),
            None => Ok(Vec::new()),
        }
    };
    tokio::select! {
        result = report.follow_each(waiter, job.actions, next) => result?,
        _ = tokio::signal::ctrl_c() => return Err(interrupted()),
    }
    report.finish(wording)
}

fn on(args: &Args, names: &str) -> RunRequest {
    RunRequest {
        target: names.to_owned(),
        target_kind: "list".to_owned(),
        ..request(args)
    }
}

fn interrupted() -> Failure {
    Failure::new("interrupted; what has begun goes on, no further host is asked")
        .hint("what was asked: salar action list; to stop it: salar action cancel ID")
}

#[cfg(test)]
mod tests {
    use super::Batch;

    #[test]
    fn sizes_are_numbers_or_shares() {
        for (text, hosts, wanted) in [("3", 10, 3), ("25%", 10, 2), ("1%", 10, 1), ("100%", 7, 7)] {
            assert_eq!(
                text.parse::<Batch>().map(|batch| batch.of(hosts)),
                Ok(wanted),
                "{text}"
            );
        }
        for bad in ["", "0", "0%", "101%", "-1", "many", "%"] {
            assert!(bad.parse::<Batch>().is_err(), "{bad}");
        }
    }
}
