//! `salar vm show`.

use super::find::get_vm;
use super::list::status;
use crate::output::{print, print_json};
use crate::table::{Table, facts, yes_no};
use crate::{Failure, Outcome};
use client::Client;
use model::Bytes;
use server_api::vm::VmDetail;

/// Show all facts about a VM
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name or id of the VM
    name: String,

    /// The host it is on, when several have a VM of this name
    #[arg(long)]
    host: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: Args) -> Result<Outcome, Failure> {
    let found = get_vm(client, &args.name, args.host.as_deref()).await?;
    let detail = client.vm(found.id).await?;
    if args.json {
        print_json(&detail)?
    } else {
        print(&describe(&detail))?
    }
    Ok(Outcome::Done)
}

/// The facts as a person reads them.
pub(crate) fn describe(detail: &VmDetail) -> String {
    let sections = [main(detail), disks(detail), nics(detail), graphics(detail)];
    sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn main(detail: &VmDetail) -> String {
    let vm = &detail.vm;
    let reason = if vm.status_reason.is_empty() {
        String::new()
    } else {
        format!(", {}", vm.status_reason)
    };
    let vcpus = of_at_most(vm.vcpus.to_string(), vm.vcpus_max.to_string());
    let memory = of_at_most(
        Bytes(vm.memory_bytes).to_string(),
        Bytes(vm.memory_max_bytes).to_string(),
    );
    let pending = if vm.pending_changes {
        "changes wait for the next start"
    } else {
        ""
    };
    let saved = if vm.has_managed_save {
        "the next start resumes a saved memory image"
    } else {
        ""
    };
    facts(&[
        ("Name", &vm.name),
        ("Title", &detail.title),
        ("Description", &detail.description),
        ("Host", &vm.host.name),
        ("Status", &format!("{}{reason}", status(vm))),
        ("Pending", pending),
        ("Saved", saved),
        ("vCPUs", &vcpus),
        ("Memory", &memory),
        ("Addresses", &vm.addresses.join(" ")),
        ("Autostart", yes_no(vm.autostart)),
        ("Persistent", yes_no(vm.persistent)),
        (
            "Machine",
            &format!("{} {} {}", vm.domain_type, detail.os_type, detail.arch),
        ),
        ("UUID", &detail.uuid.to_string()),
        ("Id", &vm.id.to_string()),
        ("Read at", &vm.observed_at),
    ])
}

fn of_at_most(now: String, most: String) -> String {
    if now == most {
        now
    } else {
        format!("{now} of at most {most}")
    }
}

fn disks(detail: &VmDetail) -> String {
    if detail.disks.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["DISK", "BUS", "DEVICE", "FORMAT", "SOURCE"]);
    for disk in &detail.disks {
        let source = if disk.read_only {
            format!("{} (read-only)", disk.source)
        } else {
            disk.source.clone()
        };
        table.row([&disk.target, &disk.bus, &disk.device, &disk.format, &source]);
    }
    table.render(0)
}

fn nics(detail: &VmDetail) -> String {
    if detail.nics.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["NIC", "TYPE", "SOURCE", "MODEL", "ADDRESSES"]);
    for nic in &detail.nics {
        table.row([
            &nic.mac,
            &nic.kind,
            &nic.source,
            &nic.model,
            &nic.addresses.join(" "),
        ]);
    }
    table.render(0)
}

fn graphics(detail: &VmDetail) -> String {
    if detail.graphics.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["CONSOLE", "LISTEN", "PORT"]);
    for console in &detail.graphics {
        let port = console
            .port
            .map(|port| port.to_string())
            .unwrap_or_default();
        table.row([&console.kind, &console.listen, &port]);
    }
    table.render(0)
}
