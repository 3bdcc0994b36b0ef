//! What a server is started with.

use crate::reactor::Rule;
use db::DatabaseTls;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tree::Roots;

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the store, the agent's socket, certificates and `client.json`. Made if missing, readable by the owner only.
    pub state_dir: PathBuf,
    /// Addresses to listen on. Loopback ones speak plain HTTP unless `tls` is given, all others TLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses for agents of other machines, always TLS with certificates of the own CA. None: the server's own agent
    /// is the only one.
    pub listen_agents: Vec<SocketAddr>,
    /// Database of a PostgreSQL server that other servers use as well; without it the store is a file of the state folder.
    pub database: Option<Database>,
    /// Folder of the own CA, the same for all servers of a database; the state folder when absent.
    pub ca_dir: Option<PathBuf>,
    /// Where other servers of the database reach the address for agents, `HOST:PORT`; its own name when absent.
    pub advertise_agents: Option<String>,
    /// Certificate for TLS; without it the server makes its own CA and certificate.
    pub tls: Option<TlsFiles>,
    /// Further names by which browsers reach a loopback address (a proxy's, a tunnel's). `localhost` and loopback
    /// addresses are always accepted, other names never: this stops pages that point their own name at this machine.
    pub allowed_hosts: Vec<String>,
    /// libvirt URI for the local agent; it finds the hypervisor by itself when absent.
    pub hypervisor: Option<String>,
    /// Roots of the state tree, in order of preference.
    pub file_roots: Roots,
    /// Roots of the pillar.
    pub pillar_roots: Roots,
    /// Name of the local host (Salt's minion id); the agent's own choice when absent.
    pub id: Option<String>,
    /// The `salar-agent` program; absent for a server that runs no agents.
    pub agent_program: Option<PathBuf>,
    /// Whether this machine has a hypervisor that an agent is run for.
    pub local_agent: bool,
    /// Node groups of targets: compound expressions by name.
    pub nodegroups: BTreeMap<String, String>,
    /// What is done when something happens, in this order.
    pub reactor: Vec<Rule>,
    /// Web interface to serve instead of the built-in one, as `npm run build` leaves it.
    pub web_dir: Option<PathBuf>,
}

impl Config {
    /// A server on loopback port 8080 with its state in `state_dir` and no local agent.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))],
            listen_agents: Vec::new(),
            database: None,
            ca_dir: None,
            advertise_agents: None,
            tls: None,
            allowed_hosts: Vec::new(),
            hypervisor: None,
            file_roots: Roots::default(),
            pillar_roots: Roots::default(),
            id: None,
            agent_program: None,
            local_agent: true,
            nodegroups: BTreeMap::new(),
            reactor: Vec::new(),
            web_dir: None,
        }
    }
}

/// A database of a PostgreSQL server.
#[derive(Clone)]
pub struct Database {
    /// `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: String,
    /// Whether and how the connection is encrypted.
    pub tls: DatabaseTls,
}

/// The URL may hold a password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// A certificate and its key, both PEM files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its CA.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
