//! Keys of agents and tokens to join.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The keys that agents have shown, and the server's own to compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// Fingerprint of the server's CA; absent when the server does not listen to agents of other machines.
    pub ca: Option<String>,
    /// Port on which the server listens to agents; with `ca`.
    pub port: Option<u16>,
    /// By name.
    pub keys: Vec<Key>,
}

/// A key of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// SHA-256 of the public key, as `0a:1b:…`.
    pub fingerprint: String,
    /// Name of the host that its agent says it serves.
    pub name: String,
    /// `unaccepted`, `accepted`, `rejected`; `denied`: another key has the name or the host.
    pub status: String,
    /// Address from which it was shown.
    pub address: String,
    /// When it was shown first.
    pub seen_at: String,
    /// When it was decided.
    pub decided_at: Option<String>,
    /// By whom: a user, or a token of a user.
    pub decided_by: Option<String>,
}

/// A token to join that can still be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinToken {
    /// Names it; the secret does not follow from it.
    pub id: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends by itself.
    pub expires_at: String,
}

/// A token to join that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJoinToken {
    /// How long it can be used: 1 to 10080 minutes (a week); 60 when absent.
    #[serde(default)]
    pub minutes: Option<u32>,
}

/// A token to join with its secret, shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedJoinToken {
    /// What the agent is started with: lets one agent in without being accepted by hand.
    pub token: String,
    /// Names it in the list.
    pub id: String,
    /// When it ends by itself.
    pub expires_at: String,
}
