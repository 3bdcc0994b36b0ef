//! Which server a command speaks to.
//!
//! ```text
//! --server, --token-file or their variables ─┐
//! --state-dir: DIR/client.json ──────────────┼─> address, credential, trust ─> Client
//! salar login ───────────────────────────────┤
//! /var/lib/salar/client.json ────────────────┘
//! ```

use crate::Failure;
use crate::saved::{Saved, session_file};
use client::{Client, Credential};
use std::path::{Path, PathBuf};

/// State folder of a server that was not given another.
pub(crate) const STATE_DIR: &str = "/var/lib/salar";

/// Which server to speak to
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Address of the server [default: the one signed in to, else the one on this machine]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SALAR_SERVER",
        hide_env_values = true
    )]
    pub(crate) server: Option<String>,

    /// File with a token, to be used instead of a sign-in
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SALAR_TOKEN_FILE",
        hide_env_values = true
    )]
    pub(crate) token_file: Option<PathBuf>,

    /// Certificate authority that signed the server's certificate (PEM)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SALAR_CA_FILE",
        hide_env_values = true
    )]
    pub(crate) ca_file: Option<PathBuf>,

    /// SHA-256 fingerprint of the server's certificate
    #[arg(
        long,
        global = true,
        value_name = "HEX",
        env = "SALAR_FINGERPRINT",
        hide_env_values = true
    )]
    pub(crate) fingerprint: Option<String>,

    /// State folder of the server on this machine [default: /var/lib/salar]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SALAR_STATE_DIR",
        hide_env_values = true
    )]
    pub(crate) state_dir: Option<PathBuf>,
}

impl Connection {
    /// A client of the server, with its credential.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let saved = self.find()?;
        Ok(Client::new(&saved.url, saved.credential(), &saved.trust())?)
    }

    /// A client without credential, to sign in to `url`.
    pub(crate) fn stranger(&self, url: &str) -> Result<Client, Failure> {
        let trust = self.saved(url).trust();
        Ok(Client::new(url, Credential::None, &trust)?)
    }

    /// What is given here about the server at `url`, to be kept with a sign-in.
    pub(crate) fn saved(&self, url: &str) -> Saved {
        Saved {
            url: url.to_owned(),
            token: None,
            session: None,
            ca_file: self.ca_file.clone(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    fn find(&self) -> Result<Saved, Failure> {
        let mut saved = match &self.server {
            Some(url) => self.named(url)?,
            None => self.unnamed()?,
        };
        if let Some(path) = &self.token_file {
            saved.token = Some(read_token(path)?);
        }
        if self.ca_file.is_some() || self.fingerprint.is_some() {
            saved.ca_file.clone_from(&self.ca_file);
            saved.fingerprint.clone_from(&self.fingerprint);
        }
        Ok(saved)
    }

    /// A server given by its address: with the sign-in to it, if there is one.
    fn named(&self, url: &str) -> Result<Saved, Failure> {
        if self.token_file.is_some() {
            return Ok(self.saved(url));
        }
        let same = |saved: &Saved| saved.url.trim_end_matches('/') == url.trim_end_matches('/');
        let kept = [session_file(), self.state_dir.as_deref().map(client_file)];
        for path in kept.into_iter().flatten() {
            if let Some(saved) = Saved::read(&path)?.filter(same) {
                return Ok(saved);
            }
        }
        // Most users may not read this one, and need not.
        let local = Saved::read(&client_file(Path::new(STATE_DIR)))
            .ok()
            .flatten();
        if let Some(saved) = local.filter(same) {
            return Ok(saved);
        }
        Ok(self.saved(url))
    }

    /// The server of the given state folder, else the one signed in to, else the one on this machine.
    fn unnamed(&self) -> Result<Saved, Failure> {
        if let Some(dir) = &self.state_dir {
            return Saved::read(&client_file(dir))?.ok_or_else(|| no_server(dir));
        }
        if let Some(path) = session_file()
            && let Some(saved) = Saved::read(&path)?
        {
            return Ok(saved);
        }
        let dir = Path::new(STATE_DIR);
        Saved::read(&client_file(dir))?.ok_or_else(|| no_server(dir))
    }
}

/// The file that a running server leaves for the command line of its machine.
fn client_file(state_dir: &Path) -> PathBuf {
    state_dir.join("client.json")
}

fn no_server(dir: &Path) -> Failure {
    let path = client_file(dir);
    Failure::new(format!("no server runs on this machine: there is no {}", path.display()))
        .hint("start it (salar serve), name its state folder (--state-dir DIR), or sign in to another: salar login URL")
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let failed = |reason: String| {
        Failure::new(format!(
            "cannot read a token from {}: {reason}",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let token = text.trim();
    // A header cannot carry anything else, and a person should hear of it.
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(failed(
            "it must hold one line of letters, digits and signs".to_owned(),
        ));
    }
    Ok(token.to_owned())
}
