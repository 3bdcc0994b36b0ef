//! `salar key` and Salt's `salt-key`: which agents of other machines are ours.

use crate::connection::Connection;
use crate::output::{print, print_json, say};
use crate::table::Table;
use crate::{Failure, Outcome};
use clap::Parser;
use client::Client;
use server_api::key::{Key, Keys, NewJoinToken};
use sls::glob;

/// Accept agents of other machines, and end what they may
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the keys that agents have shown
    List {
        /// Only those of this status
        #[arg(value_parser = ["unaccepted", "accepted", "rejected", "denied", "all"], default_value = "all")]
        status: String,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Accept keys: their agents are ours from now on
    Accept(Which),
    /// Reject keys; what their agents have open is cut
    Reject(Which),
    /// Forget keys; what their agents have open is cut, and they wait like new ones when they come again
    Delete(Which),
    /// Print fingerprints, of the server's CA and of keys
    Finger {
        /// Names, shell patterns or fingerprints [default: all]
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Print a new token to join: it lets one agent in without being accepted by hand
    Token {
        /// How long it can be used
        #[arg(long, default_value = "60", value_name = "MINUTES")]
        minutes: u32,
    },
    /// List the tokens to join that can still be used
    Tokens {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a token to join worthless
    RevokeToken {
        /// Its id, from salar key tokens
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Names, shell patterns or fingerprints
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
}

/// What to do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Accept,
    Reject,
    Delete,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    match args.command {
        Command::List { status, json } => list(&client, &status, json).await?,
        Command::Accept(which) => each(&client, Deed::Accept, &which.keys).await?,
        Command::Reject(which) => each(&client, Deed::Reject, &which.keys).await?,
        Command::Delete(which) => each(&client, Deed::Delete, &which.keys).await?,
        Command::Finger { keys } => finger(&client, &keys).await?,
        Command::Token { minutes } => {
            let wanted = NewJoinToken {
                minutes: Some(minutes),
            };
            let created = client.create_join_token(&wanted).await?;
            print(&format!("{}\n", created.token))?;
            say(&format!(
                "For one agent, until {}: salar agent --server https://HOST --token TOKEN",
                created.expires_at
            ));
        }
        Command::Tokens { json } => tokens(&client, json).await?,
        Command::RevokeToken { id } => {
            client.delete_join_token(&id).await?;
            say(&format!("The token {id} is worthless now."));
        }
    }
    Ok(Outcome::Done)
}

async fn list(client: &Client, status: &str, json: bool) -> Result<(), Failure> {
    let mut keys = client.keys().await?;
    keys.keys
        .retain(|key| status == "all" || key.status == status);
    if json {
        return print_json(&keys);
    }
    let mut table = Table::new(&["NAME", "STATUS", "FINGERPRINT", "FROM", "BY"]);
    for key in &keys.keys {
        let by = key.decided_by.as_deref().unwrap_or_default();
        table.row([&key.name, &key.status, &key.fingerprint, &key.address, by]);
    }
    print(&table.render(0))?;
    if keys.ca.is_none() && keys.keys.is_empty() {
        say(
            "The server does not listen to agents of other machines: salar serve --listen-agents ADDRESS:PORT",
        );
    }
    Ok(())
}

async fn tokens(client: &Client, json: bool) -> Result<(), Failure> {
    let tokens = client.join_tokens().await?;
    if json {
        return print_json(&tokens);
    }
    let mut table = Table::new(&["ID", "BY", "CREATED", "ENDS"]);
    for token in &tokens {
        table.row([
            &token.id,
            &token.created_by,
            &token.created_at,
            &token.expires_at,
        ]);
    }
    print(&table.render(0))
}

async fn finger(client: &Client, wanted: &[String]) -> Result<(), Failure> {
    let Keys { ca, keys, .. } = client.keys().await?;
    let mut table = Table::new(&["NAME", "STATUS", "FINGERPRINT"]);
    if let Some(ca) = &ca {
        table.row(["", "CA of the server", ca]);
    }
    let shown = keys
        .iter()
        .filter(|key| wanted.is_empty() || wanted.iter().any(|wanted| means(wanted, key)));
    for key in shown {
        table.row([&key.name, &key.status, &key.fingerprint]);
    }
    print(&table.render(0))
}

async fn each(client: &Client, deed: Deed, wanted: &[String]) -> Result<(), Failure> {
    let keys = client.keys().await?.keys;
    let mut chosen: Vec<&Key> = Vec::new();
    for wanted in wanted {
        let found: Vec<&Key> = keys
            .iter()
            .filter(|key| means(wanted, key) && applies(deed, wanted, key))
            .collect();
        if found.is_empty() {
            return Err(nothing_for(deed, wanted, &keys));
        }
        chosen.extend(found);
    }
    chosen.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    for key in chosen {
        let done = match deed {
            Deed::Accept => client.accept_key(&key.fingerprint).await.map(drop),
            Deed::Reject => client.reject_key(&key.fingerprint).await.map(drop),
            Deed::Delete => client.delete_key(&key.fingerprint).await,
        };
        done?;
        let word = match deed {
            Deed::Accept => "Accepted",
            Deed::Reject => "Rejected",
            Deed::Delete => "Deleted",
        };
        say(&format!(
            "{word} the key {} of {}.",
            key.fingerprint, key.name
        ));
    }
    Ok(())
}

/// Whether a name, a shell pattern or a fingerprint means this key.
fn means(wanted: &str, key: &Key) -> bool {
    is_print(wanted, key) || glob::matches(wanted, &key.name)
}

fn is_print(wanted: &str, key: &Key) -> bool {
    let digits = |text: &str| text.replace(':', "").to_ascii_lowercase();
    digits(wanted) == digits(&key.fingerprint)
}

/// A name or pattern stands for the keys about which there is something to decide; a fingerprint always for its own.
fn applies(deed: Deed, wanted: &str, key: &Key) -> bool {
    let exact = wanted == key.name;
    match (deed, key.status.as_str()) {
        _ if is_print(wanted, key) => true,
        (Deed::Delete, _) => true,
        (_, "unaccepted") => true,
        (Deed::Accept, "rejected") | (Deed::Reject, "accepted") => exact,
        _ => false,
    }
}

fn nothing_for(deed: Deed, wanted: &str, keys: &[Key]) -> Failure {
    let known = keys.iter().find(|key| means(wanted, key));
    let failure = match (known, deed) {
        (Some(key), Deed::Accept | Deed::Reject) => {
            let todo = if deed == Deed::Accept {
                "accept"
            } else {
                "reject"
            };
            Failure::new(format!(
                "there is nothing to {todo} for {wanted:?}: the key of {} is {}",
                key.name, key.status
            ))
        }
        _ => Failure::new(format!("no agent has shown a key of {wanted:?}")),
    };
    failure.hint("see which there are: salar key list")
}

/// Accept and reject the keys of minions
///
/// This is Salar under the name of Salt's command; `salar key --help` shows the same in Salar's words.
#[derive(Debug, Parser)]
#[command(name = "salt-key", version)]
pub struct SaltKeyCli {
    /// List the keys of a status: acc, pre (or un), rej, den, all
    #[arg(short = 'l', long, value_name = "ARG", value_parser = ["acc", "accepted", "pre", "un", "unaccepted", "rej", "rejected", "den", "denied", "all"])]
    list: Option<String>,

    /// List all keys
    #[arg(short = 'L', long)]
    list_all: bool,

    /// Accept the keys of these names
    #[arg(short = 'a', long, value_name = "NAME")]
    accept: Option<String>,

    /// Accept all keys that wait
    #[arg(short = 'A', long)]
    accept_all: bool,

    /// Reject the keys of these names
    #[arg(short = 'r', long, value_name = "NAME")]
    reject: Option<String>,

    /// Reject all keys that wait
    #[arg(short = 'R', long)]
    reject_all: bool,

    /// Delete the keys of these names
    #[arg(short = 'd', long, value_name = "NAME")]
    delete: Option<String>,

    /// Delete all keys
    #[arg(short = 'D', long)]
    delete_all: bool,

    /// Print fingerprints of the keys of these names
    #[arg(short = 'f', long, value_name = "NAME")]
    finger: Option<String>,

    /// Print all fingerprints, with that of the server's CA
    #[arg(short = 'F', long)]
    finger_all: bool,

    /// Layout: json, or Salt's own
    #[arg(long, visible_alias = "output", value_parser = ["json", "nested"], default_value = "nested")]
    out: String,

    /// Accepted for scripts that have it: nothing is asked
    #[arg(short = 'y', long, hide = true)]
    yes: bool,

    #[command(flatten)]
    connection: Connection,
}

/// Salt's headings, with the status of each and the key of its JSON.
const HEADINGS: [(&str, &str, &str); 4] = [
    ("accepted", "Accepted Keys:", "minions"),
    ("denied", "Denied Keys:", "minions_denied"),
    ("unaccepted", "Unaccepted Keys:", "minions_pre"),
    ("rejected", "Rejected Keys:", "minions_rejected"),
];

impl SaltKeyCli {
    /// Carries the command out, in Salt's words.
    ///
    /// # Errors
    /// What is to be printed, with the exit status.
    pub async fn run(self) -> Result<Outcome, Failure> {
        let client = self.connection.client()?;
        let all = || vec!["*".to_owned()];
        let given = |name: &Option<String>, every: bool| match (name, every) {
            (Some(name), _) => Some(vec![name.clone()]),
            (None, true) => Some(all()),
            (None, false) => None,
        };
        for (deed, names) in [
            (Deed::Accept, given(&self.accept, self.accept_all)),
            (Deed::Reject, given(&self.reject, self.reject_all)),
            (Deed::Delete, given(&self.delete, self.delete_all)),
        ] {
            if let Some(names) = names {
                each(&client, deed, &names).await?;
                return Ok(Outcome::Done);
            }
        }
        if let Some(names) = given(&self.finger, self.finger_all) {
            finger(&client, &names).await?;
            return Ok(Outcome::Done);
        }
        let status = match self.list.as_deref().unwrap_or("all") {
            "acc" => "accepted",
            "pre" | "un" => "unaccepted",
            "rej" => "rejected",
            "den" => "denied",
            word => word,
        };
        let keys = client.keys().await?.keys;
        let wanted = HEADINGS
            .iter()
            .filter(|(of, ..)| status == "all" || status == *of);
        let names = |of: &str| -> Vec<&str> {
            let of_status = keys.iter().filter(|key| key.status == of);
            of_status.map(|key| key.name.as_str()).collect()
        };
        if self.out == "json" {
            let listed: indexmap::IndexMap<&str, Vec<&str>> =
                wanted.map(|(of, _, json)| (*json, names(of))).collect();
            print_json(&listed)?;
            return Ok(Outcome::Done);
        }
        let mut text = String::new();
        for (of, heading, _) in wanted {
            text.push_str(&format!("{heading}\n"));
            for name in names(of) {
                text.push_str(&format!("{}\n", outputter::visible_line(name)));
            }
        }
        print(&text)?;
        Ok(Outcome::Done)
    }
}
