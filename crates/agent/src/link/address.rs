//! Where the server is, and how to get a channel to it.

use hyper_util::rt::TokioIo;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// A server that says nothing for so long is gone. Source: delivery guarantees, three missed heartbeats.
const ALIVE_EVERY: Duration = Duration::from_secs(5);
const GONE_AFTER: Duration = Duration::from_secs(10);

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAddress {
    /// A socket on this machine: the agent that `salar serve` starts for itself.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot use the server address {text:?}: it is not unix: followed by an absolute path")]
pub struct BadAddress {
    text: String,
}

impl FromStr for ServerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        match text.strip_prefix("unix:").map(PathBuf::from) {
            Some(path) if path.is_absolute() => Ok(Self::Unix(path)),
            _ => Err(BadAddress {
                text: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl ServerAddress {
    /// Opens a channel.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(crate) async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        // The name is for the HTTP/2 header only; a socket has none.
        let endpoint = Endpoint::from_static("http://salar.local")
            .http2_keep_alive_interval(ALIVE_EVERY)
            .keep_alive_timeout(GONE_AFTER)
            .keep_alive_while_idle(true);
        match self {
            Self::Unix(path) => {
                let path = path.clone();
                let connector = tower::service_fn(move |_: Uri| {
                    let path = path.clone();
                    async move { UnixStream::connect(path).await.map(TokioIo::new) }
                });
                endpoint.connect_with_connector(connector).await
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
        for bad in ["", "unix:", "unix:relative", "http://server", "/run/x"] {
            assert!(bad.parse::<ServerAddress>().is_err(), "{bad}");
        }
    }
}
