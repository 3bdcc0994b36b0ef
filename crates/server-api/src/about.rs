//! The server itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
