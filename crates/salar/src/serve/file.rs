//! The file with settings.

use cli::Failure;
use indexmap::IndexMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Settings of `salar serve`. Every key may be left out; an unknown one is an error.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    /// Folder for everything the server keeps. Default: `/var/lib/salar`.
    pub(crate) state_dir: Option<PathBuf>,
    /// Addresses with ports. Default: loopback, port 8400.
    pub(crate) listen: Vec<SocketAddr>,
    /// Addresses with ports for agents of other machines. Default: none.
    pub(crate) listen_agents: Vec<SocketAddr>,
    /// Database of a PostgreSQL server, `postgres://USER:PASSWORD@HOST/NAME`. Default: a file of the state folder.
    pub(crate) database: Option<String>,
    /// CA of that server (PEM); the connection is encrypted. Default: it is not.
    pub(crate) database_ca: Option<PathBuf>,
    /// Folder of the CA that agents trust, the same for all servers of a database. Default: the state folder.
    pub(crate) ca_dir: Option<PathBuf>,
    /// Where other servers of the database reach the address for agents. Default: this machine's name, or the address.
    pub(crate) advertise_agents: Option<String>,
    /// libvirt URI of this machine's hypervisor. Default: found by itself.
    pub(crate) hypervisor: Option<String>,
    /// Do not start the agent of this machine. Default: false.
    pub(crate) no_agent: bool,
    /// Name of this host. Default: its host name.
    pub(crate) id: Option<String>,
    /// Folders of state files, `ENVIRONMENT=DIR` or `DIR` for base. Default: `/srv/salt` if it exists.
    pub(crate) file_roots: Vec<String>,
    /// Folders of pillar files, in the same way. Default: `/srv/pillar` if it exists.
    pub(crate) pillar_roots: Vec<String>,
    /// Certificate for TLS (PEM). Default: one of the server's own.
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    pub(crate) tls_key: Option<PathBuf>,
    /// Further names by which browsers reach a loopback address. Default: none.
    pub(crate) allowed_hosts: Vec<String>,
    /// Node groups of targets: compound expressions by name. Default: none.
    pub(crate) nodegroups: BTreeMap<String, String>,
    /// Files of the reactor by pattern of tags, each `salt://PATH` or an absolute path. Default: none.
    pub(crate) reactor: IndexMap<String, Vec<String>>,
    /// Folder of another web interface. Default: the built-in one.
    pub(crate) web_dir: Option<PathBuf>,
    /// `error`, `warn`, `info`, `debug` or `trace`. Default: `info`.
    pub(crate) log_level: Option<String>,
}

impl File {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        Self::parse(path, &text)
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let reason = error.message();
            Failure::new(format!("{}:{line}:{column}: {reason}", path.display()))
                .hint("the settings are those of: salar serve --help")
        })
    }
}
