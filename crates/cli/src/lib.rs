//! The command line client: speaks the public API, prints for people and for pipes.
