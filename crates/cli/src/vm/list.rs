//! `salar vm list`.

use crate::output::{print, print_json};
use crate::table::Table;
use crate::{Failure, Outcome};
use client::{Client, ListQuery};
use model::Bytes;
use server_api::vm::Vm;

/// List VMs
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those on this host
    #[arg(long)]
    host: Option<String>,

    /// Only those in this status: running, paused, shutoff, …
    #[arg(long)]
    status: Option<String>,

    /// Only those that contain these words
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// Order by a column; falling with - before it
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: Args) -> Result<Outcome, Failure> {
    let Args {
        host,
        status,
        search,
        sort,
        json,
    } = args;
    let vms = client
        .vms(&ListQuery {
            search,
            status,
            host,
            sort,
        })
        .await?;
    if json {
        print_json(&vms)?
    } else {
        print(&table(&vms).render(0))?
    }
    Ok(Outcome::Done)
}

pub(crate) fn table(vms: &[Vm]) -> Table {
    let mut table = Table::new(&["NAME", "HOST", "STATUS", "VCPUS", "MEMORY", "ADDRESSES"]);
    for vm in vms {
        table.row([
            &vm.name,
            &vm.host.name,
            &status(vm),
            &vm.vcpus.to_string(),
            &Bytes(vm.memory_bytes).to_string(),
            &vm.addresses.join(" "),
        ]);
    }
    table
}

/// The status, with its age when the host can no longer confirm it.
pub(super) fn status(vm: &Vm) -> String {
    if vm.host.freshness == "live" {
        return vm.status.clone();
    }
    format!("{} (as of {})", vm.status, vm.observed_at)
}
