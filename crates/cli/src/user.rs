//! `salar user`: who may use the server.

use crate::connection::Connection;
use crate::output::{print, print_json, say};
use crate::password::PasswordSource;
use crate::table::Table;
use crate::{Failure, Outcome};
use client::Client;
use server_api::access::{NewPassword, NewUser};

/// Show and change users
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List users
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a user
    Add {
        /// Name of the user
        name: String,

        /// viewer: may look; operator: may also act on VMs; administrator: may everything
        #[arg(long, default_value = "viewer", value_parser = ["viewer", "operator", "administrator"])]
        role: String,

        #[command(flatten)]
        password: PasswordSource,
    },
    /// Delete a user
    Delete {
        /// Name of the user
        name: String,
    },
    /// Set a user's password
    Password {
        /// Name of the user
        name: String,

        #[command(flatten)]
        password: PasswordSource,

        /// File with the password in force; needed when one sets one's own [default: asked for on the terminal]
        #[arg(long, value_name = "FILE")]
        current_password_file: Option<std::path::PathBuf>,
    },
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::List { json } => list(&client, json).await?,
        Command::Add {
            name,
            role,
            password,
        } => {
            let password = password.read_new(&format!("Password for {name}: "))?;
            let user = client
                .create_user(&NewUser {
                    name,
                    password,
                    role,
                })
                .await?;
            say(&format!("Added {} as {}.", user.name, user.role));
        }
        Command::Delete { name } => {
            client.delete_user(&name).await?;
            say(&format!("Deleted {name}."));
        }
        Command::Password {
            name,
            password,
            current_password_file,
        } => {
            let current = PasswordSource::file(current_password_file);
            set_password(&client, &name, &password, &current).await?;
            say(&format!("Changed the password of {name}."));
        }
    }
    Ok(Outcome::Done)
}

async fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let users = client.users().await?;
    if json {
        return print_json(&users);
    }
    let mut table = Table::new(&["NAME", "ROLE", "CREATED"]);
    for user in &users {
        table.row([&user.name, &user.role, &user.created_at]);
    }
    print(&table.render(0))
}

/// One's own password is changed with the one in force.
async fn set_password(
    client: &Client,
    name: &str,
    new: &PasswordSource,
    current: &PasswordSource,
) -> Result<(), Failure> {
    let own = client.session().await?.user == name;
    let current = if own {
        Some(current.read("Password in force: ")?)
    } else {
        None
    };
    let new = new.read_new(&format!("New password for {name}: "))?;
    Ok(client
        .set_password(name, &NewPassword { current, new })
        .await?)
}
