//! The server itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// One of the servers that share the database; where the store is a file there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Server {
    /// Names the process; another one after each start.
    pub id: Uuid,
    /// Where people reach it.
    pub url: String,
    /// Where agents reach it, `https://HOST:PORT`; empty when they cannot.
    pub agents: String,
    /// How many hosts have their session with it.
    pub hosts: u64,
    /// It is the one that answers.
    pub answers: bool,
}

/// Version and state of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// Always `Salar`.
    pub product: String,
    /// `0.1.0`.
    pub version: String,
    /// Differs between any two builds; the web interface compares it with its own.
    pub build: String,
    /// When the server started.
    pub started_at: String,
}
