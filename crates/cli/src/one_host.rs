//! One function on one host through the server, for commands of other parts of the program.

use crate::connection::Connection;
use crate::wait::{Ended, Waiter};
use crate::{Failure, output};
use serde_json::{Map, Value};
use server_api::action::Action;
use server_api::run::RunRequest;
use std::time::Duration;

/// Seconds of silence after which a host that cannot take it now is not waited for.
const SILENCE: Duration = Duration::from_secs(5);

/// A host of the server
#[derive(Debug, Clone, clap::Args)]
pub struct OneHost {
    /// A host of the server, by its name there
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    #[command(flatten)]
    connection: Connection,
}

impl OneHost {
    /// Calls the function and waits for its end. What it tells on its way goes to standard error.
    ///
    /// # Errors
    /// There is no such host, or it does not answer.
    pub async fn call(
        self,
        fun: &str,
        args: Vec<Value>,
        kwargs: Map<String, Value>,
    ) -> Result<Answer, Failure> {
        let Some(host) = self.host else {
            return Err(Failure::usage("no host is named").hint("name one: --host HOST"));
        };
        let client = self.connection.client()?;
        let mut waiter = Waiter::open(&client, SILENCE).await?;
        let request = RunRequest {
            target: host,
            target_kind: "list".to_owned(),
            fun: fun.to_owned(),
            args,
            kwargs,
        };
        let job = client.run(&request).await?;
        for action in job.actions {
            waiter.add(action);
        }
        match waiter.next().await? {
            // The feed leaves long results out; the action itself has them.
            Some(Ended::Action(action)) => {
                let action = client.action(action.id).await?;
                Ok(Answer {
                    failure: failure_of(&action, fun),
                    value: action.result.unwrap_or_default(),
                })
            }
            Some(Ended::Stuck(_, why)) => Err(Failure::new(why)),
            None => Err(Failure::new("no host took it")),
        }
    }
}

/// What a host answered.
#[derive(Debug)]
pub struct Answer {
    /// What the function returned; null when it returned nothing.
    pub value: Value,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

fn failure_of(action: &Action, fun: &str) -> Option<Failure> {
    match (action.status.as_str(), &action.error) {
        ("succeeded", _) => None,
        (_, Some(error)) => {
            let failure = Failure::new(error.message.clone());
            Some(match &error.hint {
                Some(hint) => failure.hint(hint.clone()),
                None => failure,
            })
        }
        (status, None) => Some(Failure::new(format!("{fun} is {status}"))),
    }
}

/// Writes data to standard output.
///
/// # Errors
/// It is closed or full.
pub fn print(text: &str) -> Result<(), Failure> {
    output::print(text)
}
