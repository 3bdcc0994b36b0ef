//! Consoles: a ticket by POST, the bytes over a WebSocket.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A ticket for one console connection.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ConsoleTicket {
    /// Path of the WebSocket (`/api/v1/consoles/{ticket}`); raw RFB bytes in binary messages. Good once, for 30 seconds.
    pub path: String,
    /// `vnc`.
    pub kind: String,
}
