//! Why a request has no answer, or not the one hoped for.

use server_api::ErrorInfo;
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address cannot be one of a server.
    #[error("{url:?} is not the address of a server: {reason}")]
    BadUrl {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A password or token would travel in the clear.
    #[error("will not speak plain http to {host}: anybody on the way could read the sign-in")]
    Insecure {
        /// Host of the address.
        host: String,
    },
    /// The file of the certificate authority is of no use.
    #[error("cannot use {path} as a certificate authority: {reason}")]
    BadAuthority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A fingerprint is not 64 hexadecimal digits.
    #[error("{given:?} is not the SHA-256 fingerprint of a certificate")]
    BadFingerprint {
        /// As it was given.
        given: String,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] reqwest::Error),
    /// No connection, or it broke before the answer was complete.
    #[error("cannot reach the server at {url}: {reason}")]
    Unreachable {
        /// Address of the server.
        url: String,
        /// The innermost cause.
        reason: String,
        /// The server runs on this machine.
        local: bool,
    },
    /// Whoever answers cannot prove to be the server.
    #[error("cannot trust the server at {url}: {reason}")]
    Untrusted {
        /// Address of the server.
        url: String,
        /// What is wrong with its certificate.
        reason: String,
    },
    /// The server took the connection but did not answer.
    #[error("the server at {url} did not answer {what} in time")]
    TimedOut {
        /// Address of the server.
        url: String,
        /// `GET /api/v1/vms`
        what: String,
    },
    /// The server said no.
    #[error("{}", info.message)]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        info: ErrorInfo,
    },
    /// Something answered that does not speak this API.
    #[error(
        "{url} answered {what} with status {status} and something that is not of Salar's API: {reason}"
    )]
    NotOurs {
        /// Address asked.
        url: String,
        /// `GET /api/v1/vms`
        what: String,
        /// HTTP status.
        status: u16,
        /// Why it could not be read.
        reason: String,
    },
}

impl ClientError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::BadUrl { .. } => Some("write it as https://HOST:PORT".to_owned()),
            Self::Insecure { host } => Some(format!("use https://{host}, or run the command on {host} itself")),
            Self::BadAuthority { .. } => Some("give a file with certificates in PEM form".to_owned()),
            Self::BadFingerprint { .. } => {
                Some("it is 64 hexadecimal digits, with or without colons: openssl x509 -in server.pem -noout -fingerprint -sha256".to_owned())
            }
            Self::Unreachable { local: true, .. } => Some("is it running? Start it: salar serve".to_owned()),
            Self::Unreachable { local: false, .. } => {
                Some("check the address and the network; on that machine: salar serve".to_owned())
            }
            Self::Untrusted { .. } => Some(
                "give the authority that signed it (--ca-file; the server's own is ca.pem in its state folder), \
                 or the fingerprint of server.pem there (--fingerprint)"
                    .to_owned(),
            ),
            Self::TimedOut { .. } => Some("the server is busy or hangs; its log says more".to_owned()),
            Self::Refused { info, .. } => info.hint.clone(),
            Self::NotOurs { .. } => {
                Some("is it another program, a proxy, or a server of another version?".to_owned())
            }
            Self::Setup(_) => None,
        }
    }

    /// The same request may succeed later without anybody changing it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Self::BadUrl { .. }
            | Self::Insecure { .. }
            | Self::BadAuthority { .. }
            | Self::BadFingerprint { .. }
            | Self::Setup(_)
            | Self::Untrusted { .. }
            | Self::NotOurs { .. } => false,
        }
    }

    /// The server's stable word for a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { info, .. } => Some(&info.code),
            _ => None,
        }
    }
}

/// The innermost cause, which is the one a person can act upon.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// What is wrong with a certificate, if that is what an error is about.
pub(crate) fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                return Some(format!("its certificate is not valid here: {reason}"));
            }
            Some(rustls::Error::General(reason)) => return Some(reason.clone()),
            _ => {}
        }
        // An I/O error does not name what it holds as its source.
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}
