//! What this agent proves itself with: its own key, made once, and the server's certificate for it.
//!
//! ```text
//!  no certificate ─▶ enrol ─┬─ unaccepted ─▶ ask again in a while
//!                           ├─ rejected, denied ─▶ ask again, seldom
//!                           └─ accepted ─▶ certificate ─▶ dial; after two thirds of its life: enrol
//! ```
//! Files of the state folder: `agent-key.pem`, `server-ca.der`, `certificate.json`. The CA that was met first, or that
//! has the fingerprint that was given, is the one for good.

use super::address::Replica;
use super::dial::{self, ServerCheck};
use crate::journal::file::write_atomically;
use agent_api::PROTOCOL;
use agent_api::enrolment::{JoinToken, fingerprint, is_name, statement};
use agent_api::wire::enrolment_client::EnrolmentClient;
use agent_api::wire::{EnrolAnswer, EnrolRequest};
use model::{Fingerprint, HostId};
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Shortest and longest pause between two tries to get the next certificate.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// How often the end of the certificate is looked at; the clock may be set meanwhile.
const LOOK: Duration = Duration::from_secs(60);

/// What an agent is given to join a server with.
#[derive(Debug, Clone, Default)]
pub struct Join {
    /// Stands for being accepted by hand.
    pub token: Option<JoinToken>,
    /// The CA that the server must show at the first contact.
    pub ca: Option<Fingerprint>,
}

/// Why an agent has nothing to prove itself with.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// The name cannot stand in a certificate.
    #[error(
        "the host's name {0:?} cannot be used to join a server: letters, digits, and . - _ only; give another with --id"
    )]
    Name(String),
    /// The token is of another server than the one that was joined, or than the fingerprint.
    #[error("this agent has joined the server with the CA {known}, not {given}; to join the other, remove {}", file.display())]
    OtherServer {
        /// The CA it knows.
        known: Fingerprint,
        /// The CA it was given.
        given: Fingerprint,
        /// What it knows it from.
        file: PathBuf,
    },
    /// A file cannot be used.
    #[error("cannot use {}: {why}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
}

/// Why a question was not answered with what was decided.
#[derive(Debug, Error)]
pub(super) enum EnrolError {
    #[error("nobody answers: {0}")]
    Dial(String),
    #[error("{}", .0.message())]
    Refused(Box<tonic::Status>),
    #[error("the server's answer cannot be used: {0}")]
    Answer(&'static str),
    #[error(transparent)]
    File(CredentialsError),
}

/// What has been decided about this agent's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Accepted,
    /// `unaccepted`, `rejected` or `denied`, and what there is to know besides.
    Waits {
        status: String,
        message: String,
    },
}

/// The agent's key, and what it has got for it.
#[derive(Debug)]
pub(super) struct Credentials {
    folder: PathBuf,
    host: HostId,
    name: String,
    key: KeyPair,
    token: Option<JoinToken>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The CA that the server must show; none before the first contact, if none was given.
    ca: Option<Fingerprint>,
    /// The CA is on disk.
    ca_kept: bool,
    /// A token is good once: it is not shown again.
    token_shown: bool,
    certificate: Option<Certificate>,
    /// The certificate has not opened anything.
    doubted: bool,
}

/// Times are seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Certificate {
    /// PEM.
    chain: String,
    renew_at: u64,
    ends_at: u64,
}

impl Credentials {
    /// Reads what there is, and makes the key if there is none.
    pub(super) fn open(
        folder: &Path,
        host: HostId,
        name: &str,
        join: Join,
    ) -> Result<Self, CredentialsError> {
        if !is_name(name) {
            return Err(CredentialsError::Name(name.to_owned()));
        }
        let key = key(&folder.join("agent-key.pem"))?;
        let known = ca(&ca_file(folder))?.map(|ca| fingerprint(&ca));
        let given = [join.token.as_ref().map(|token| token.ca), join.ca];
        let mut wanted = known;
        for given in given.into_iter().flatten() {
            let known = *wanted.get_or_insert(given);
            if known != given {
                let file = ca_file(folder);
                return Err(CredentialsError::OtherServer { known, given, file });
            }
        }
        // One that cannot be read is got again.
        let certificate = std::fs::read(folder.join("certificate.json"))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        Ok(Self {
            folder: folder.to_owned(),
            host,
            name: name.to_owned(),
            key,
            token: join.token,
            held: Mutex::new(Held {
                ca: wanted,
                ca_kept: known.is_some(),
                token_shown: false,
                certificate,
                doubted: false,
            }),
        })
    }

    /// What administrators compare.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.key.subject_public_key_info())
    }

    /// Whether there is a certificate to dial with.
    pub(super) fn is_usable(&self) -> bool {
        let held = self.held();
        let in_time = |certificate: &Certificate| now() < certificate.ends_at;
        !held.doubted && held.certificate.as_ref().is_some_and(in_time)
    }

    /// The certificate has not opened anything: ask before it is used again.
    pub(super) fn doubt(&self) {
        self.held().doubted = true;
    }

    /// How to dial with the certificate; `None` without one.
    pub(super) fn config(&self) -> Result<Option<Arc<ClientConfig>>, rustls::Error> {
        let (ca, certificate) = {
            let held = self.held();
            (held.ca, held.certificate.clone())
        };
        let Some(certificate) = certificate else {
            return Ok(None);
        };
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(certificate.chain.as_bytes()).collect();
        let chain = chain.map_err(|_| rustls::Error::General("no PEM".to_owned()))?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        dial::config(ServerCheck::new(ca), Some((chain, key))).map(Some)
    }

    /// Shows the key to a replica, and keeps what comes of it.
    pub(super) async fn enrol(&self, replica: &Replica) -> Result<Decision, EnrolError> {
        let check = ServerCheck::new(self.held().ca);
        let config = dial::config(check.clone(), None)
            .map_err(|error| EnrolError::Dial(error.to_string()))?;
        let asked = async {
            let channel = dial::tls(replica, config)
                .await
                .map_err(|error| EnrolError::Dial(super::session::root_cause(&error)))?;
            let ca = check.met().ok_or(EnrolError::Answer("it shows no CA"))?;
            let request = self.request(&ca)?;
            let answer = EnrolmentClient::new(channel).enrol(request).await;
            let answer = answer.map_err(|status| EnrolError::Refused(Box::new(status)))?;
            Ok((ca, answer.into_inner()))
        };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        let (ca, answer) =
            asked.map_err(|_| EnrolError::Dial("no answer in time".to_owned()))??;
        self.keep(ca, answer)
    }

    fn request(&self, ca: &CertificateDer<'static>) -> Result<EnrolRequest, EnrolError> {
        let public_key = self.key.subject_public_key_info();
        let said = statement(self.host.0, &self.name, &public_key, &fingerprint(ca));
        let signature = self
            .key
            .sign(&said)
            .map_err(|_| EnrolError::Answer("it cannot be signed for"))?;
        let shown = self.held().token_shown;
        let token = self.token.as_ref().filter(|_| !shown);
        Ok(EnrolRequest {
            protocol: PROTOCOL,
            host_id: agent_api::id(self.host.0),
            name: self.name.clone(),
            public_key,
            signature,
            token: token.map(|token| token.secret.clone()).unwrap_or_default(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    fn keep(
        &self,
        ca: CertificateDer<'static>,
        answer: EnrolAnswer,
    ) -> Result<Decision, EnrolError> {
        // Where the name was taken the token has not been used up.
        self.held().token_shown |= answer.status != "denied";
        if !self.held().ca_kept {
            let file = ca_file(&self.folder);
            write_atomically(&file, &ca)
                .map_err(|error| EnrolError::File(unusable(&file, error)))?;
            let print = fingerprint(&ca);
            tracing::info!("Met the server with the CA {print}");
            let mut held = self.held();
            (held.ca, held.ca_kept) = (Some(print), true);
        }
        if answer.status != "accepted" {
            self.held().certificate = None;
            return Ok(Decision::Waits {
                status: answer.status,
                message: answer.message,
            });
        }
        if CertificateDer::from_pem_slice(answer.certificate.as_bytes()).is_err() {
            return Err(EnrolError::Answer("it has no certificate"));
        }
        let now = now();
        let certificate = Certificate {
            chain: answer.certificate,
            renew_at: now + answer.valid_seconds / 3 * 2,
            ends_at: now.saturating_add(answer.valid_seconds),
        };
        let file = self.folder.join("certificate.json");
        let text = serde_json::to_vec(&certificate)
            .map_err(|_| EnrolError::Answer("it cannot be kept"))?;
        write_atomically(&file, &text).map_err(|error| EnrolError::File(unusable(&file, error)))?;
        let mut held = self.held();
        (held.certificate, held.doubted) = (Some(certificate), false);
        Ok(Decision::Accepted)
    }

    /// Gets the next certificate well before the end of the present one, until `stop`.
    pub(super) async fn keep_fresh(
        self: Arc<Self>,
        replicas: Vec<Replica>,
        stop: CancellationToken,
    ) {
        loop {
            let wait = self.until_renewal();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if self.until_renewal() > Duration::ZERO {
                continue;
            }
            for replica in &replicas {
                match self.enrol(replica).await {
                    Ok(Decision::Accepted) => {
                        tracing::info!("Got a new certificate from {replica}");
                        break;
                    }
                    // The session notices, too, and says so.
                    Ok(Decision::Waits { .. }) => break,
                    Err(error) => tracing::warn!("No new certificate from {replica}: {error}"),
                }
            }
            if self.until_renewal() == Duration::ZERO {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(self.until_next_try()) => {}
                }
            }
        }
    }

    /// How long there is nothing to renew, at most a while.
    fn until_renewal(&self) -> Duration {
        let held = self.held();
        match &held.certificate {
            Some(certificate) => {
                Duration::from_secs(certificate.renew_at.saturating_sub(now())).min(LOOK)
            }
            // The session asks for the first one.
            None => LOOK.min(Duration::from_secs(5)),
        }
    }

    /// A tenth of what the certificate still lives: there is time for some tries, and none too many. Once it has ended
    /// the session asks.
    fn until_next_try(&self) -> Duration {
        let held = self.held();
        let ends_at = held.certificate.as_ref().map_or(0, |held| held.ends_at);
        match ends_at.saturating_sub(now()) {
            0 => LOOK,
            left => (Duration::from_secs(left) / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ca_file(folder: &Path) -> PathBuf {
    folder.join("server-ca.der")
}

fn key(file: &Path) -> Result<KeyPair, CredentialsError> {
    let damaged = |error: rcgen::Error| CredentialsError::File {
        file: file.to_owned(),
        why: format!("{error}; remove it to get a new key, which has to be accepted again"),
    };
    match std::fs::read_to_string(file) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(damaged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::generate().map_err(damaged)?;
            write_atomically(file, key.serialize_pem().as_bytes())
                .map_err(|error| unusable(file, error))?;
            Ok(key)
        }
        Err(error) => Err(unusable(file, error)),
    }
}

fn ca(file: &Path) -> Result<Option<CertificateDer<'static>>, CredentialsError> {
    match std::fs::read(file) {
        Ok(der) => Ok(Some(CertificateDer::from(der))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(file, error)),
    }
}

fn unusable(file: &Path, error: io::Error) -> CredentialsError {
    CredentialsError::File {
        file: file.to_owned(),
        why: error.to_string(),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
