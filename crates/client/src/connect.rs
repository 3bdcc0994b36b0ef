//! Where the server is, who asks, and whom to trust.

use crate::{ClientError, tls};
use reqwest::Url;
use reqwest::redirect::Policy;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What proves who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing; enough to sign in.
    None,
    /// A token.
    Token(String),
    /// A session's cookie, `name=value`, as [`Client::sign_in`] returns it.
    Session(String),
}

/// Which certificates of a server to accept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those that the system accepts.
    #[default]
    System,
    /// Those signed by an authority in this PEM file.
    Authority(PathBuf),
    /// The one with this SHA-256 fingerprint, in hexadecimal digits.
    Fingerprint(String),
}

/// A client of one server. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) credential: Credential,
}

impl Client {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// The address is not http(s), is plain http to another machine, or the trust cannot be set up.
    pub fn new(url: &str, credential: Credential, trust: &Trust) -> Result<Self, ClientError> {
        let base = parse(url)?;
        // A redirect could carry the credential to somebody else.
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            .redirect(Policy::none());
        tls::install_provider();
        builder = match trust {
            Trust::System => builder,
            Trust::Authority(path) => builder.tls_backend_preconfigured(tls::with_authority(path)?),
            Trust::Fingerprint(text) => {
                builder.tls_backend_preconfigured(tls::with_fingerprint(text)?)
            }
        };
        let http = builder.build().map_err(ClientError::Setup)?;
        Ok(Self {
            http,
            base,
            credential,
        })
    }

    /// Address of the server, without a slash at its end.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The server is on this machine.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.base)
    }
}

fn parse(url: &str) -> Result<Url, ClientError> {
    let bad = |reason: &str| ClientError::BadUrl {
        url: url.to_owned(),
        reason: reason.to_owned(),
    };
    let parsed = Url::parse(url).map_err(|error| bad(&error.to_string()))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        // The address is repeated in messages, a password must not be.
        let reason = "it must not contain a user or password".to_owned();
        return Err(ClientError::BadUrl {
            url: "(hidden)".to_owned(),
            reason,
        });
    }
    let Some(host) = parsed.host_str() else {
        return Err(bad("it names no host"));
    };
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if is_loopback(&parsed) => Ok(parsed),
        "http" => Err(ClientError::Insecure {
            host: host.to_owned(),
        }),
        _ => Err(bad("it begins with neither https:// nor http://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        match Client::new(url, Credential::None, &Trust::System) {
            Ok(_) => panic!("{url} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in [
            "http://127.0.0.1:8400",
            "http://[::1]:8400/",
            "http://localhost",
            "https://hv.example:8400",
        ] {
            let client = Client::new(url, Credential::None, &Trust::System).expect(url);
            assert_eq!(client.url(), url.trim_end_matches('/'));
        }
        assert!(refused("http://192.0.2.1:8400").contains("plain http to 192.0.2.1"));
        assert!(refused("http://127.0.0.1.example").contains("plain http"));
    }

    #[test]
    fn addresses_that_cannot_be_servers_are_refused() {
        assert!(refused("hv.example").contains("not the address of a server"));
        assert!(refused("ftp://hv.example").contains("neither https"));
        let error = refused("https://admin:secret@hv.example");
        assert!(
            error.contains("user or password") && !error.contains("secret"),
            "{error}"
        );
    }
}
