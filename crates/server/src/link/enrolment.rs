//! How an agent becomes one of ours: it shows its key until somebody accepts that, and gets a certificate for it.
//!
//! Anybody who reaches the address may ask, so that a request is small, checked before anything is written, and
//! answered with no more than what was decided about the very key that signed it.

use super::door::Peer;
use super::newcomers::{Newcomers, Verdict};
use crate::access::Token;
use crate::app::App;
use crate::ca::Ca;
use agent_api::PROTOCOL;
use agent_api::enrolment::{fingerprint, is_name, p256_point, statement};
use agent_api::wire::enrolment_server::Enrolment;
use agent_api::wire::{EnrolAnswer, EnrolRequest};
use db::{Enrolled, KeyStatus, ShownKey, StoreError};
use jiff::Timestamp;
use model::HostId;
use rustls::SignatureScheme;
use rustls::crypto::ring::default_provider;
use std::sync::Arc;
use std::time::Instant;
use tonic::{Request, Response, Status};
use tracing::{error, info, warn};

/// The largest request.
pub const MAX_BYTES: usize = 16 * 1024;

/// The service.
#[derive(Clone)]
pub struct Door {
    /// The shared parts.
    pub app: Arc<App>,
    /// What signs.
    pub ca: Arc<Ca>,
    /// Counts new keys.
    pub newcomers: Arc<Newcomers>,
}

#[tonic::async_trait]
impl Enrolment for Door {
    async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<EnrolAnswer>, Status> {
        let peer = *request
            .extensions()
            .get::<Peer>()
            .ok_or_else(|| Status::internal("the caller has no address"))?;
        let request = request.into_inner();
        let shown = self.checked(&request, peer)?;
        if self.is_new(&shown).await? {
            match self.newcomers.count(peer.address, Instant::now()) {
                Verdict::Welcome => {}
                verdict => {
                    if verdict == Verdict::FirstTooMany {
                        warn!(
                            "{} shows too many new keys; refusing for a while",
                            peer.address
                        );
                    }
                    let message = "too many new keys come from this address; ask again in a minute";
                    return Err(Status::resource_exhausted(message));
                }
            }
        }
        let enrolled = match self.app.store.enrol(&shown, Timestamp::now()).await {
            Ok(enrolled) => enrolled,
            Err(StoreError::Conflict { why }) => {
                warn!(host.name = %shown.name, "Refused the key {} of {}: {why}", shown.fingerprint, peer.address);
                return Err(Status::failed_precondition(why));
            }
            Err(error) => return Err(store_is_down(&error)),
        };
        self.tell(&enrolled, peer);
        self.answer(&request, &enrolled).map(Response::new)
    }
}

impl Door {
    /// The key, if its owner has signed for everything that is said here.
    fn checked(&self, request: &EnrolRequest, peer: Peer) -> Result<ShownKey, Status> {
        if request.protocol.abs_diff(PROTOCOL) > 1 {
            let message = format!(
                "the agent speaks protocol {}, this server {PROTOCOL}; use the same version of both",
                request.protocol
            );
            return Err(Status::failed_precondition(message));
        }
        let host = agent_api::uuid("host_id", &request.host_id)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        if !is_name(&request.name) {
            let message =
                "the host's name may have letters, digits, and . - _ only; give another with --id";
            return Err(Status::invalid_argument(message));
        }
        let point = p256_point(&request.public_key)
            .ok_or_else(|| Status::invalid_argument("the public key is none of P-256"))?;
        let said = statement(
            host,
            &request.name,
            &request.public_key,
            &self.ca.fingerprint(),
        );
        if !is_signed(point, &said, &request.signature) {
            warn!("{} showed a key that it does not have", peer.address);
            return Err(Status::unauthenticated("the signature is wrong"));
        }
        let token = (!request.token.is_empty()).then(|| Token::hash(&request.token));
        Ok(ShownKey {
            fingerprint: fingerprint(&request.public_key),
            host: HostId(host),
            name: request.name.clone(),
            address: peer.address.to_string(),
            token,
        })
    }

    /// Whether the key comes for the first time, or with another host or name than before.
    async fn is_new(&self, shown: &ShownKey) -> Result<bool, Status> {
        let known = self.app.store.find_key(&shown.fingerprint).await;
        let known = known.map_err(|error| store_is_down(&error))?;
        Ok(known.is_none_or(|known| known.host != shown.host || known.name != shown.name))
    }

    fn tell(&self, enrolled: &Enrolled, peer: Peer) {
        let key = &enrolled.key;
        if enrolled.token_refused {
            warn!(host.name = %key.name, "{} brought a token that is unknown, used, or has ended", peer.address);
        }
        if !enrolled.changed {
            return;
        }
        let (name, status, print) = (&key.name, key.status.as_str(), &key.fingerprint);
        match key.status {
            KeyStatus::Unaccepted => info!(
                host.name = %name,
                "{name} wants to join from {}: compare its key {print}, then: salar key accept {name}", peer.address
            ),
            KeyStatus::Denied => warn!(
                host.name = %name,
                "Denied the key {print} of {}: another has the name {name} or the same host", peer.address
            ),
            KeyStatus::Accepted | KeyStatus::Rejected => info!(
                host.name = %name,
                "The key {print} of {name} is {status}, by {}", key.decided_by.as_deref().unwrap_or("nobody")
            ),
        }
        self.app.bus.key_shown(key);
    }

    fn answer(&self, request: &EnrolRequest, enrolled: &Enrolled) -> Result<EnrolAnswer, Status> {
        let key = &enrolled.key;
        let mut answer = EnrolAnswer {
            status: key.status.as_str().to_owned(),
            ..EnrolAnswer::default()
        };
        if enrolled.token_refused {
            answer.message = "the token to join is unknown, used, or has ended".to_owned();
        }
        if key.status == KeyStatus::Accepted {
            let life = self.app.timing.certificate;
            let chain = self.ca.for_agent(&key.name, &request.public_key, life);
            answer.certificate = chain.map_err(|error| {
                error!(
                    error = &error as &dyn std::error::Error,
                    "Cannot make a certificate"
                );
                Status::internal("no certificate could be made")
            })?;
            answer.valid_seconds = life.as_secs();
        }
        Ok(answer)
    }
}

fn store_is_down(error: &StoreError) -> Status {
    error!(
        error = error as &dyn std::error::Error,
        "Cannot look at the keys"
    );
    Status::unavailable("the store is down")
}

fn is_signed(point: &[u8], said: &[u8], signature: &[u8]) -> bool {
    let provider = default_provider();
    let known = provider.signature_verification_algorithms.mapping;
    known
        .iter()
        .filter(|(scheme, _)| *scheme == SignatureScheme::ECDSA_NISTP256_SHA256)
        .flat_map(|(_, algorithms)| algorithms.iter())
        .any(|algorithm| algorithm.verify_signature(point, said, signature).is_ok())
}
