//! `salar login` and `salar logout`: a session of one's own with a server.

use crate::connection::Connection;
use crate::output::say;
use crate::password::PasswordSource;
use crate::saved::{Saved, session_file};
use crate::{Failure, Outcome};
use client::{Client, Credential};
use server_api::access::SignIn;
use std::path::PathBuf;

/// Sign in to a server, for the commands that follow
///
/// The session is kept below $XDG_STATE_HOME, by default ~/.local/state, readable by its owner only.
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// Address of the server
    url: String,

    /// Who signs in
    #[arg(long, default_value = "admin", value_name = "NAME")]
    user: String,

    #[command(flatten)]
    password: PasswordSource,

    #[command(flatten)]
    connection: Connection,
}

/// Sign out, and forget the session
#[derive(Debug, clap::Args)]
pub struct LogoutArgs {}

pub(crate) async fn login(args: LoginArgs) -> Result<Outcome, Failure> {
    let path = place()?;
    let client = args.connection.stranger(&args.url)?;
    // Asked before the password, so that a wrong address costs no typing and sees no password.
    client.about().await?;
    let password =
        args.password
            .read(&format!("Password of {} at {}: ", args.user, client.url()))?;
    let (session, credential) = client
        .sign_in(&SignIn {
            user: args.user,
            password,
        })
        .await?;
    let Credential::Session(cookie) = credential else {
        return Err(Failure::new(format!(
            "{} accepted the password but gave no session",
            client.url()
        )));
    };
    let saved = Saved {
        session: Some(cookie),
        ..args.connection.saved(client.url())
    };
    saved.write(&path)?;
    say(&format!(
        "Signed in to {} as {} ({}).",
        client.url(),
        session.user,
        session.role
    ));
    Ok(Outcome::Done)
}

pub(crate) async fn logout(_: LogoutArgs) -> Result<Outcome, Failure> {
    let path = place()?;
    let Some(saved) = Saved::read(&path)? else {
        say("Nobody was signed in.");
        return Ok(Outcome::Done);
    };
    // The session is forgotten here even if the server cannot be told; it then ends by itself.
    let told = match Client::new(&saved.url, saved.credential(), &saved.trust()) {
        Ok(client) => client.sign_out().await,
        Err(error) => Err(error),
    };
    std::fs::remove_file(&path)
        .map_err(|error| Failure::new(format!("cannot remove {}: {error}", path.display())))?;
    match told {
        Ok(()) => say(&format!("Signed out of {}.", saved.url)),
        Err(error) => say(&format!(
            "Forgot the session with {}; it was not told: {error}",
            saved.url
        )),
    }
    Ok(Outcome::Done)
}

fn place() -> Result<PathBuf, Failure> {
    session_file().ok_or_else(|| {
        Failure::new("there is no place for the session: neither XDG_STATE_HOME nor HOME is an absolute path")
            .hint("set HOME, or use --server with --token-file")
    })
}
