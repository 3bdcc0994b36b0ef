//! Salt's own name `salt`, with Salt's arguments.

use crate::run::{self, Wording};
use crate::{Failure, Outcome};
use clap::Parser;

/// Call a function on every minion that the target matches
///
/// This is Salar under the name of Salt's command; `salar --help` shows everything else.
#[derive(Debug, Parser)]
#[command(name = "salt", version)]
pub struct SaltCli {
    #[command(flatten)]
    run: run::Args,

    #[command(flatten)]
    refused: Refused,

    /// Accepted for scripts that have it; this client logs nothing
    #[arg(short = 'l', long, hide = true, value_name = "LEVEL")]
    log_level: Option<String>,
}

/// Options of Salt that are understood but not served
#[derive(Debug, clap::Args)]
struct Refused {
    #[arg(long, hide = true, value_name = "COUNT")]
    subset: Option<String>,
    #[arg(long = "return", hide = true, value_name = "RETURNER")]
    returner: Option<String>,
}

impl Refused {
    /// The first such option that was given, and why it is refused.
    fn reason(&self) -> Option<Failure> {
        let given = [
            (
                self.subset.is_some(),
                "--subset",
                "name the hosts with -L instead",
            ),
            (
                self.returner.is_some(),
                "--return",
                "results are kept by the server: salar job show JID",
            ),
        ];
        let (_, option, why) = given.into_iter().find(|(given, ..)| *given)?;
        let failure = Failure::usage(format!("{option} is not in this version: {why}"));
        Some(failure.hint("all that aims: -E, -L, -G, -P, -I, -J, -C, -N, -S"))
    }
}

impl SaltCli {
    /// Carries the command out, in Salt's words.
    ///
    /// # Errors
    /// What is to be printed, with the exit status.
    pub async fn run(self) -> Result<Outcome, Failure> {
        match self.refused.reason() {
            Some(failure) => Err(failure),
            None => run::run_as(self.run, Wording::Salt).await,
        }
    }
}
