//! `salar vm start` and the other life-cycle requests.

use super::find::get_vm;
use crate::output::{print_json, say};
use crate::wait::{Ended, Waiter, say_stuck, trouble};
use crate::{Failure, Outcome};
use client::{Client, VmCall};
use server_api::action::Action;
use server_api::vm::VmRequest;
use std::time::Duration;

/// A request to VMs. The text of its help stands with the commands.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Names or ids of the VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// The host they are on, when several have a VM of this name
    #[arg(long)]
    host: Option<String>,

    /// Wait until it is done (the default)
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,

    /// Return as soon as it is accepted
    #[arg(long)]
    no_wait: bool,

    /// Seconds of silence after which a host that cannot take it now is not waited for
    #[arg(short, long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

    /// Print the actions as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, call: VmCall, args: Args) -> Result<Outcome, Failure> {
    // All names are resolved before anything is touched.
    let mut vms = Vec::new();
    for name in &args.names {
        vms.push(get_vm(client, name, args.host.as_deref()).await?);
    }
    let wait = args.wait || !args.no_wait;
    let silence = Duration::from_secs(args.timeout);
    let mut waiter = if wait {
        Some(Waiter::open(client, silence).await?)
    } else {
        None
    };
    let mut ended = Vec::new();
    let mut outcome = Outcome::Done;
    for vm in vms {
        match (
            client.call_vm(vm.id, call, &VmRequest::default()).await,
            &mut waiter,
        ) {
            (Ok(action), Some(waiter)) => waiter.add(action),
            (Ok(action), None) => ended.push(action),
            // The others are still asked; each refusal is said.
            (Err(error), _) => {
                outcome = Outcome::Failed;
                say(Failure::from(error).to_string().trim_end());
            }
        }
    }
    if let Some(mut waiter) = waiter {
        while let Some(end) = waiter.next().await? {
            let (action, good) = match end {
                Ended::Action(action) => {
                    let good = tell(&action);
                    (action, good)
                }
                Ended::Stuck(action, why) => {
                    say_stuck(&action, &why);
                    (action, false)
                }
            };
            if !good {
                outcome = Outcome::Failed;
            }
            ended.push(*action);
        }
    }
    if args.json {
        print_json(&ended)?;
    } else if !wait {
        ended.iter().for_each(|action| {
            say(&format!(
                "{}: {} ({})",
                action.summary, action.status, action.id
            ))
        });
    }
    Ok(outcome)
}

/// Says how an action ended; true if well.
fn tell(action: &Action) -> bool {
    match trouble(action) {
        None => {
            say(&format!("{} on {}: done", action.summary, action.host));
            true
        }
        Some((message, hint)) => {
            let failure = Failure::new(format!("{} on {}: {message}", action.summary, action.host));
            let failure = hint.into_iter().fold(failure, Failure::hint);
            say(failure.to_string().trim_end());
            false
        }
    }
}
