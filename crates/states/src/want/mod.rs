//! What the SLS declares, checked and typed, before anything is read of the host.

pub(crate) mod absent;
pub(crate) mod network;
pub(crate) mod pool;
pub(crate) mod snapshot;
pub(crate) mod stored;
pub(crate) mod vm;
pub(crate) mod volume;
