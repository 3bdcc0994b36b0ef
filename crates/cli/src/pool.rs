//! `salar pool`: storage pools.

use crate::connection::Connection;
use crate::output::{print, print_json};
use crate::table::{Table, yes_no};
use crate::{Failure, Outcome};
use client::ListQuery;
use model::Bytes;
use server_api::pool::Pool;

/// Show storage pools
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List storage pools
    List(List),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only those on this host
    #[arg(long)]
    host: Option<String>,

    /// Only those in this status: active or inactive
    #[arg(long)]
    status: Option<String>,

    /// Only those that contain these words
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    let Command::List(List {
        host,
        status,
        search,
        json,
    }) = args.command;
    let pools = client
        .pools(&ListQuery {
            search,
            status,
            host,
            sort: None,
        })
        .await?;
    if json {
        print_json(&pools)?
    } else {
        print(&table(&pools).render(0))?
    }
    Ok(Outcome::Done)
}

fn table(pools: &[Pool]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "HOST",
        "TYPE",
        "STATUS",
        "AUTOSTART",
        "USED",
        "SIZE",
        "VOLUMES",
        "TARGET",
    ]);
    for pool in pools {
        let active = pool.status == "active";
        let size = |bytes: u64| {
            if active {
                Bytes(bytes).to_string()
            } else {
                String::new()
            }
        };
        let volumes = if active {
            pool.volume_count.to_string()
        } else {
            String::new()
        };
        table.row([
            &pool.name,
            &pool.host.name,
            &pool.kind,
            &pool.status,
            yes_no(pool.autostart),
            &size(pool.allocation_bytes),
            &size(pool.capacity_bytes),
            &volumes,
            &pool.target,
        ]);
    }
    table
}
