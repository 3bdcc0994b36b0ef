//! Where the server is.

use agent_api::enrolment::PORT;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use thiserror::Error;
use tonic::transport::Uri;

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAddress {
    /// A socket on this machine: the agent that `salar serve` starts for itself.
    Unix(PathBuf),
    /// Addresses of the replicas of one server, over TLS: at least one, dialled in turn.
    Tls(Vec<Replica>),
}

/// One replica: its host, in brackets if it is an IPv6 address, and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    host: String,
    port: u16,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "cannot use the server address {text:?}: write https://HOST:PORT, several with commas between them, or unix: and \
     an absolute path"
)]
pub struct BadAddress {
    text: String,
}

impl FromStr for ServerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress {
            text: text.to_owned(),
        };
        if let Some(path) = text.strip_prefix("unix:").map(PathBuf::from) {
            return match path.is_absolute() {
                true => Ok(Self::Unix(path)),
                false => Err(bad()),
            };
        }
        let replicas: Option<Vec<_>> = text.split(',').map(Replica::read).collect();
        replicas.map(Self::Tls).ok_or_else(bad)
    }
}

impl Replica {
    fn read(text: &str) -> Option<Self> {
        let uri: Uri = text.trim().parse().ok()?;
        let bare = uri.path() == "/" && uri.query().is_none();
        let authority = uri
            .authority()
            .filter(|authority| !authority.as_str().contains('@'))?;
        if uri.scheme_str() != Some("https") || !bare || authority.host().is_empty() {
            return None;
        }
        // A port that is none is dropped silently by the parser.
        let written = authority.as_str().strip_prefix(authority.host())?;
        let port = match written.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None => PORT,
        };
        Some(Self {
            host: authority.host().to_owned(),
            port,
        })
    }

    /// As the system resolves it.
    pub(super) fn to_dial(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}:{}", self.host, self.port)
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tls(replicas) => {
                let texts: Vec<_> = replicas.iter().map(Replica::to_string).collect();
                f.write_str(&texts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_refused() {
        assert_eq!(
            "unix:/run/salar/agent.sock".parse(),
            Ok(ServerAddress::Unix("/run/salar/agent.sock".into()))
        );
        for (text, shown) in [
            ("https://salar", "https://salar:4507"),
            ("https://10.0.0.1:99", "https://10.0.0.1:99"),
            (
                "https://a.example.org:1/, https://[fd00::1]",
                "https://a.example.org:1,https://[fd00::1]:4507",
            ),
        ] {
            let address: ServerAddress = text.parse().expect("is an address");
            assert_eq!(address.to_string(), shown);
        }
        for bad in [
            "",
            "unix:",
            "unix:relative",
            "http://server",
            "/run/x",
            "server:4507",
            "https://",
            "https://a,",
            "https://a:0",
            "https://a:99999",
            "https://a:b",
            "https://user@a",
            "https://a/path",
            "https://a?x",
        ] {
            assert!(bad.parse::<ServerAddress>().is_err(), "{bad}");
        }
    }
}
