//! `salar host`: hypervisors.

use crate::connection::Connection;
use crate::nearest::nearest;
use crate::output::{print, print_json, say};
use crate::table::{Table, facts, yes_no};
use crate::{Failure, Outcome};
use client::{Client, ListQuery};
use indexmap::IndexMap;
use model::Bytes;
use server_api::host::{Host, NewHost, ShownHost, WhichHost};
use sls::glob;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;
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
    /// Add a host without an agent of its own: the server reaches its libvirt
    Add(AddArgs),
    /// Forget hosts that are gone for good, with their VMs and the keys of their agents
    Remove {
        /// Names or shell patterns; of a pattern only those that cannot be reached
        #[arg(value_name = "HOST", required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// libvirt URI: qemu+ssh://root@HOST/system, xen+ssh, qemu+tls, qemu+tcp, test:///default
    uri: String,

    /// Name of the host, as targets match it [default: the URI's host]
    #[arg(long)]
    name: Option<String>,

    /// File on the server with the private key for ssh [default: those that ssh tries]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Fingerprint of a key of the host, as ssh-keygen -l prints it; without it you are asked
    #[arg(long = "host-key", value_name = "FINGERPRINT")]
    host_keys: Vec<String>,

    /// Do not wait until the host can be seen
    #[arg(long)]
    no_wait: bool,
}

/// How long a new host may stand as it is until it cannot be expected to be seen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(300);

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::Add(args) => return add(&client, args).await,
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

async fn add(client: &Client, args: AddArgs) -> Result<Outcome, Failure> {
    let mut host_keys = args.host_keys;
    if host_keys.is_empty() {
        let which = WhichHost {
            uri: args.uri.clone(),
        };
        let shown = client.host_keys(&which).await?;
        if let Some(warning) = &shown.warning {
            say(&format!("Warning: {warning}."));
        }
        if shown.ssh {
            confirm(&shown)?;
            host_keys = shown.keys.into_iter().map(|key| key.fingerprint).collect();
        }
    }
    let key_file = args.key_file.map(|path| {
        let path = std::path::absolute(&path).unwrap_or(path);
        path.to_string_lossy().into_owned()
    });
    let new = NewHost {
        uri: args.uri,
        name: args.name,
        key_file,
        host_keys,
    };
    let host = client.add_host(&new).await?;
    print(&format!("Added {}\n", host.name))?;
    if args.no_wait {
        return Ok(Outcome::Done);
    }
    watch(client, host).await
}

/// Asks on the terminal whether the keys are the host's own.
fn confirm(shown: &ShownHost) -> Result<(), Failure> {
    let mut table = Table::new(&["KIND", "FINGERPRINT"]);
    for key in &shown.keys {
        table.row([&key.kind, &key.fingerprint]);
    }
    let name = shown.name.as_deref().unwrap_or("The host");
    say(&format!("{name} shows these keys over ssh:\n"));
    say(&table.render(0));
    say("On the host itself they are told by: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub");
    if !std::io::stdin().is_terminal() {
        let failure = Failure::new("nobody has confirmed that these are the keys of the host");
        return Err(failure.hint("compare them, then give the right one: --host-key SHA256:…"));
    }
    eprint!("Are they the host's own? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
        true => Ok(()),
        false => Err(Failure::new(
            "the host was not added: its keys were not confirmed",
        )),
    }
}

/// Waits until the server has seen the host, or can say why not.
async fn watch(client: &Client, mut host: Host) -> Result<Outcome, Failure> {
    let mut since = Instant::now();
    while host.freshness != "live" && since.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK).await;
        let now = client.host(host.id).await?;
        if now.problem != host.problem {
            since = Instant::now();
        }
        host = now;
    }
    if host.freshness == "live" {
        let (kind, version) = (&host.hypervisor, &host.hypervisor_version);
        print(&format!(
            "{}: {kind} {version}, {} VMs, {} running\n",
            host.name, host.vms_total, host.vms_running
        ))?;
        return Ok(Outcome::Done);
    }
    let why = host
        .problem
        .unwrap_or_else(|| "nothing is known of it yet".to_owned());
    let failure = Failure::new(format!("{} cannot be seen: {why}", host.name));
    Err(failure.hint(format!(
        "the server goes on trying. Add it again to reach it in another way, or: salar host remove {}",
        host.name
    )))
}

async fn remove(client: &Client, names: &[String]) -> Result<(), Failure> {
    let hosts = client.hosts(&ListQuery::default()).await?;
    let mut wanted: IndexMap<Uuid, &Host> = IndexMap::new();
    for name in names {
        // A pattern must not take what is there.
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
            "Agent",
            if host.agentless {
                "run by the server"
            } else {
                "its own"
            },
        ),
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
