//! Typed client of the public API, for the command line and for tests.
//!
//! Plain http is spoken to this machine only; to any other, https with the system's certificate authorities, a
//! given one, or the fingerprint of the server's certificate. A request is tried once: whether to try again is the
//! caller's decision (see [`ClientError::is_retryable`]). Only the event streams reconnect by themselves.

mod calls;
mod connect;
mod error;
mod events;
mod http;
mod page;
mod sse;
mod stream;
mod tls;

pub use calls::VmCall;
pub use connect::{Client, Credential, Trust};
pub use error::ClientError;
pub use events::{Bus, Feed, FeedEvent};
pub use page::ListQuery;
