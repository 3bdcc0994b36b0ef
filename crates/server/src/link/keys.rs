//! Which keys of agents open what, and the end of a key that no longer does.

use super::door::Peer;
use crate::app::App;
use db::{KeyRecord, KeyStatus};
use model::Fingerprint;
use std::collections::HashMap;
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::{error, warn};

/// Keys in use, each with what ends everything that it has opened.
#[derive(Debug, Default)]
pub struct Keys(Mutex<HashMap<Fingerprint, CancellationToken>>);

/// An agent of another machine that may call.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Its key.
    pub key: KeyRecord,
    /// The key is no longer worth anything.
    pub revoked: CancellationToken,
}

impl Keys {
    /// Ends everything that a key has opened. Its status in the store is no longer `accepted`, so that nothing new
    /// opens.
    pub fn revoke(&self, key: &Fingerprint) {
        let ended = self.0.lock().expect("no holder panics").remove(key);
        if let Some(ended) = ended {
            ended.cancel();
        }
    }

    /// Those in use.
    pub fn in_use(&self) -> Vec<Fingerprint> {
        let keys = self.0.lock().expect("no holder panics");
        keys.keys().copied().collect()
    }

    fn watch(&self, key: Fingerprint) -> CancellationToken {
        let mut keys = self.0.lock().expect("no holder panics");
        keys.entry(key).or_default().clone()
    }
}

/// Lets in whoever calls over TLS with an accepted key. The certificate has been checked by the handshake; the store
/// has the last word.
///
/// # Errors
/// What the caller is told: nothing of what the store knows.
pub async fn admit(app: &App, peer: Peer) -> Result<Admitted, Status> {
    let Some(fingerprint) = peer.key else {
        warn!("{} called the link without a certificate", peer.address);
        return Err(Status::unauthenticated("no certificate was shown"));
    };
    // Watched before it is looked up: a key that is revoked in between is caught by one or the other.
    let revoked = app.keys.watch(fingerprint);
    match app.store.find_key(&fingerprint).await {
        Ok(Some(key)) if key.status == KeyStatus::Accepted => Ok(Admitted { key, revoked }),
        Ok(found) => {
            app.keys.revoke(&fingerprint);
            let status = found.map_or("unknown", |key| key.status.as_str());
            warn!("Refused the {status} key {fingerprint} of {}", peer.address);
            Err(Status::permission_denied("the key is not accepted"))
        }
        Err(error) => {
            error!(
                error = &error as &dyn std::error::Error,
                "Cannot look up a key"
            );
            Err(Status::unavailable("the store is down"))
        }
    }
}
