//! `salar network`: virtual networks.

use crate::connection::Connection;
use crate::output::{print, print_json};
use crate::table::{Table, yes_no};
use crate::{Failure, Outcome};
use client::ListQuery;
use server_api::network::Network;

/// Show virtual networks
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List virtual networks
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
    let networks = client
        .networks(&ListQuery {
            search,
            status,
            host,
            sort: None,
        })
        .await?;
    if json {
        print_json(&networks)?
    } else {
        print(&table(&networks).render(0))?
    }
    Ok(Outcome::Done)
}

fn table(networks: &[Network]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "HOST",
        "FORWARD",
        "STATUS",
        "AUTOSTART",
        "BRIDGE",
        "ADDRESSES",
        "DHCP",
        "NICS",
    ]);
    for network in networks {
        table.row([
            &network.name,
            &network.host.name,
            &network.forward,
            &network.status,
            yes_no(network.autostart),
            &network.bridge,
            &network.cidrs.join(" "),
            yes_no(network.dhcp),
            &network.nic_count.to_string(),
        ]);
    }
    table
}
