//! The states as the executor uses them: chunks in, plans and results out, on a host that exists only as values.

mod absent;
mod cloud_init;
mod devices;
mod export;
mod host;
mod keys;
mod network;
mod origin;
mod parameters;
mod pool;
mod properties;
mod schema;
mod snapshot;
mod stored;
mod vm;
mod xen;
