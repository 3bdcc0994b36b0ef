//! The server: app layer, action queue, reactor, HTTP.
