//! What the server is started with: arguments before file before defaults.

use super::file::File;
use crate::hand_over;
use cli::Failure;
use indexmap::IndexMap;
use server::{Config, Database, DatabaseTls, Rule, RuleFile, TlsFiles};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use tree::{BadRoot, Root, Roots};

const STATE_DIR: &str = "/var/lib/salar";
const PORT: u16 = 8400;

/// Start the server, with the agent of this machine
///
/// On loopback addresses the server speaks plain HTTP, on all others TLS with a certificate of its own unless one is
/// given. The first start prints the password of the user admin.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// File with settings (TOML); arguments go before it
    #[arg(
        long,
        value_name = "FILE",
        env = "SALAR_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    /// Folder for everything the server keeps [default: /var/lib/salar]
    #[arg(
        long,
        value_name = "DIR",
        env = "SALAR_STATE_DIR",
        hide_env_values = true
    )]
    state_dir: Option<PathBuf>,

    /// Address to listen on; may be given several times [default: 127.0.0.1:8400 and, where there is IPv6, [::1]:8400]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,

    /// Address to listen on for agents of other machines, always TLS; may be given several times [default: none; their
    /// usual port is 4507]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_agents: Vec<SocketAddr>,

    /// Database of a PostgreSQL server, which several servers may share: postgres://USER:PASSWORD@HOST/NAME [default: a
    /// file of the state folder]
    #[arg(
        long,
        value_name = "URL",
        env = "SALAR_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,

    /// CA of that server (PEM); the connection is encrypted then [default: it is not]
    #[arg(long, value_name = "FILE")]
    database_ca: Option<PathBuf>,

    /// Folder of the CA that agents trust; servers that share a database need the same [default: the state folder]
    #[arg(long, value_name = "DIR")]
    ca_dir: Option<PathBuf>,

    /// Where the other servers of the database reach this one's address for agents [default: this machine's name, or
    /// the address itself]
    #[arg(long, value_name = "HOST:PORT")]
    advertise_agents: Option<String>,

    /// libvirt URI of this machine's hypervisor [default: found by itself]
    #[arg(long, value_name = "URI")]
    hypervisor: Option<String>,

    /// Do not start the agent of this machine
    #[arg(long, conflicts_with_all = ["hypervisor", "id"])]
    no_agent: bool,

    /// Name of this host, Salt's minion id [default: its host name]
    #[arg(long, value_name = "NAME")]
    id: Option<String>,

    /// Folder of state files, or ENV=DIR for another environment than base; may be given several times [default:
    /// /srv/salt if it exists]
    #[arg(long = "file-root", value_name = "DIR")]
    file_roots: Vec<Root>,

    /// Folder of pillar files, or ENV=DIR; may be given several times [default: /srv/pillar if it exists]
    #[arg(long = "pillar-root", value_name = "DIR")]
    pillar_roots: Vec<Root>,

    /// Certificate for TLS, with those that lead to its authority (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Further name by which browsers reach a loopback address, of a proxy or tunnel; may be given several times
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,

    /// Folder of a web interface to serve in the place of the built-in one
    #[arg(long, value_name = "DIR")]
    web_dir: Option<PathBuf>,

    /// What is logged: error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = super::log::level)]
    log_level: Option<tracing::Level>,
}

impl Args {
    /// The file with settings; empty when none is named.
    pub(crate) fn read_config(&self) -> Result<File, Failure> {
        match &self.config {
            Some(path) => File::read(path),
            None => Ok(File::default()),
        }
    }
}

/// The state folder: the argument, else the file's, else the usual one.
pub(crate) fn state_dir(
    argument: Option<PathBuf>,
    file: Option<PathBuf>,
) -> Result<PathBuf, Failure> {
    absolute(argument.or(file).unwrap_or_else(|| STATE_DIR.into()))
}

/// Settings of a server that is to start.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) log_level: tracing::Level,
}

/// Brings arguments, file and defaults together.
pub(crate) fn settle(args: Args, file: File) -> Result<Settings, Failure> {
    let log_level = match (args.log_level, &file.log_level) {
        (Some(level), _) => level,
        (None, Some(word)) => super::log::level(word)
            .map_err(|reason| Failure::usage(format!("log_level = {word:?}: {reason}")))?,
        (None, None) => tracing::Level::INFO,
    };
    let no_agent = args.no_agent || file.no_agent;
    let agent_program = match hand_over::find_agent() {
        None if !no_agent => return Err(hand_over::missing()),
        found => found,
    };
    let config = Config {
        state_dir: state_dir(args.state_dir, file.state_dir)?,
        listen: first_given([args.listen, file.listen]).unwrap_or_else(default_listen),
        listen_agents: first_given([args.listen_agents, file.listen_agents]).unwrap_or_default(),
        database: database(
            args.database.or(file.database),
            args.database_ca.or(file.database_ca),
        )?,
        ca_dir: args.ca_dir.or(file.ca_dir).map(absolute).transpose()?,
        advertise_agents: args.advertise_agents.or(file.advertise_agents),
        tls: tls(
            args.tls_cert.or(file.tls_cert),
            args.tls_key.or(file.tls_key),
        )?,
        allowed_hosts: first_given([args.allowed_hosts, file.allowed_hosts]).unwrap_or_default(),
        hypervisor: args.hypervisor.or(file.hypervisor),
        file_roots: roots("file_roots", args.file_roots, &file.file_roots, "/srv/salt")?,
        pillar_roots: roots(
            "pillar_roots",
            args.pillar_roots,
            &file.pillar_roots,
            "/srv/pillar",
        )?,
        id: args.id.or(file.id),
        agent_program,
        local_agent: !no_agent,
        nodegroups: file.nodegroups,
        reactor: rules(file.reactor)?,
        web_dir: args.web_dir.or(file.web_dir),
    };
    Ok(Settings { config, log_level })
}

fn rules(written: IndexMap<String, Vec<String>>) -> Result<Vec<Rule>, Failure> {
    let rule = |(tag, files): (String, Vec<String>)| {
        let files = files.iter().map(|file| file.parse::<RuleFile>());
        let sls = files
            .collect::<Result<_, _>>()
            .map_err(|why| Failure::usage(format!("reactor: {tag:?}: {why}")))?;
        Ok(Rule { tag, sls })
    };
    written.into_iter().map(rule).collect()
}

/// The first list that is not empty.
fn first_given<T>(lists: [Vec<T>; 2]) -> Option<Vec<T>> {
    lists.into_iter().find(|list| !list.is_empty())
}

/// Paths reach the agent, which may have another working folder.
fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path)
        .map_err(|error| Failure::usage(format!("{} is no path: {error}", path.display())))
}

fn roots(key: &str, given: Vec<Root>, written: &[String], usual: &str) -> Result<Roots, Failure> {
    let written: Vec<Root> = written
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|error: BadRoot| Failure::usage(format!("{key}: {error}")))?;
    let roots = match first_given([given, written]) {
        Some(roots) => roots,
        None if Path::new(usual).is_dir() => vec![Root::base(usual)],
        None => Vec::new(),
    };
    let absolute = |root: Root| {
        let told = root.to_string();
        let failed = |error| Failure::usage(format!("{key}: {told} is no path: {error}"));
        root.absolute().map_err(failed)
    };
    let roots: Vec<Root> = roots.into_iter().map(absolute).collect::<Result<_, _>>()?;
    Ok(Roots::given(roots))
}

fn tls(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsFiles>, Failure> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        _ => Err(
            Failure::usage("a certificate and its private key belong together")
                .hint("give both tls_cert and tls_key, or neither"),
        ),
    }
}

fn database(url: Option<String>, ca: Option<PathBuf>) -> Result<Option<Database>, Failure> {
    let tls = match ca {
        Some(file) => DatabaseTls::Ca(file),
        None => DatabaseTls::Off,
    };
    match url {
        Some(url) => Ok(Some(Database { url, tls })),
        None if tls == DatabaseTls::Off => Ok(None),
        None => Err(Failure::usage("database_ca is of no use without database")),
    }
}

fn default_listen() -> Vec<SocketAddr> {
    let mut listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))];
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        listen.push(SocketAddr::from((Ipv6Addr::LOCALHOST, PORT)));
    }
    listen
}
