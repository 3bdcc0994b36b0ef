//! `salar host`: hypervisors.

use crate::connection::Connection;
use crate::nearest::nearest;
use crate::output::{print, print_json};
use crate::table::{Table, facts, yes_no};
use crate::{Failure, Outcome};
use client::{Client, ListQuery};
use indexmap::IndexMap;
use model::Bytes;
use server_api::host::Host;
use sls::glob;
use uuid::Uuid;

/// Show hypervisors
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List hosts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all facts about a host
    Show {
        /// Name of the host
        name: String,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget hosts that are gone for good, with their VMs and the keys of their agents
    Remove {
        /// Names or shell patterns; of a pattern only those that cannot be reached
        #[arg(value_name = "HOST", required = true)]
        names: Vec<String>,
    },
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::List { json } => {
            let hosts = client.hosts(&ListQuery::default()).await?;
            if json {
                print_json(&hosts)?
            } else {
                print(&table(&hosts).render(0))?
            }
        }
        Command::Show { name, json } => {
            let host = get_host(&client, &name).await?;
            if json {
                print_json(&host)?
            } else {
                print(&describe(&host))?
            }
        }
        Command::Remove { names } => remove(&client, &names).await?,
    }
    Ok(Outcome::Done)
}

async fn remove(client: &Client, names: &[String]) -> Result<(), Failure> {
    let hosts = client.hosts(&ListQuery::default()).await?;
    let mut wanted: IndexMap<Uuid, &Host> = IndexMap::new();
    for name in names {
        let exact = |host: &&Host| host.name == *name || name.parse() == Ok(host.id);
        let by_pattern =
            |host: &&Host| host.freshness == "unreachable" && glob::matches(name, &host.name);
        let found: Vec<&Host> = hosts
            .iter()
            .filter(|host| exact(host) || by_pattern(host))
            .collect();
        if found.is_empty() {
            let failure = Failure::new(format!("there is no host {name} that is gone"));
            return Err(failure.hint("the hosts there are, and their states: salar host list"));
        }
        wanted.extend(found.into_iter().map(|host| (host.id, host)));
    }
    for (id, host) in wanted {
        client.remove_host(id).await?;
        print(&format!("Removed {}\n", host.name))?;
    }
    Ok(())
}

async fn get_host(client: &Client, name: &str) -> Result<Host, Failure> {
    let mut hosts = client.hosts(&ListQuery::default()).await?;
    let id = name.parse().ok();
    if let Some(at) = hosts
        .iter()
        .position(|host| host.name == name || Some(host.id) == id)
    {
        return Ok(hosts.swap_remove(at));
    }
    let failure = Failure::new(format!("there is no host {name}"));
    Err(
        match nearest(name, hosts.iter().map(|host| host.name.as_str())) {
            Some(near) => failure.hint(format!("did you mean {near}?")),
            None => failure.hint("the hosts there are: salar host list"),
        },
    )
}

fn table(hosts: &[Host]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "STATE",
        "HYPERVISOR",
        "CPUS",
        "MEMORY",
        "VMS",
        "RUNNING",
        "PROBLEM",
    ]);
    for host in hosts {
        table.row([
            &host.name,
            &host.freshness,
            format!("{} {}", host.hypervisor, host.hypervisor_version).trim(),
            &host.cpus.to_string(),
            &Bytes(host.memory_bytes).to_string(),
            &host.vms_total.to_string(),
            &host.vms_running.to_string(),
            host.problem.as_deref().unwrap_or_default(),
        ]);
    }
    table
}

fn describe(host: &Host) -> String {
    facts(&[
        ("Name", &host.name),
        ("State", &host.freshness),
        ("Problem", host.problem.as_deref().unwrap_or_default()),
        ("URI", &host.uri),
        (
            "Hypervisor",
            format!("{} {}", host.hypervisor, host.hypervisor_version).trim(),
        ),
        ("libvirt", &host.libvirt_version),
        (
            "CPU",
            format!("{} × {} {}", host.cpus, host.arch, host.cpu_model).trim(),
        ),
        ("Hardware virtualization", yes_no(host.accelerated)),
        ("Memory", &Bytes(host.memory_bytes).to_string()),
        (
            "VMs",
            &format!("{}, {} running", host.vms_total, host.vms_running),
        ),
        ("Last seen", &host.last_seen_at),
        ("Id", &host.id.to_string()),
    ])
}
