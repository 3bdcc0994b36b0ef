//! `salar server`: the servers that share a database.

use crate::connection::Connection;
use crate::output::{print, print_json};
use crate::table::Table;
use crate::{Failure, Outcome};

/// Show the servers that share the database
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List servers, and how many hosts have their agents with each
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    let Command::List { json } = args.command;
    let servers = client.servers().await?;
    if json {
        print_json(&servers)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["URL", "AGENTS", "HOSTS", "ANSWERS"]);
    for server in &servers {
        table.row([
            &server.url,
            &server.agents,
            &server.hosts.to_string(),
            if server.answers { "yes" } else { "" },
        ]);
    }
    print(&table.render(0))?;
    Ok(Outcome::Done)
}
