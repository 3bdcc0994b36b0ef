//! The server as its users and agents see it: over HTTP and over the agent link.

mod openapi;
