//! The store against SQLite, a new file for every test.

mod agentless;
mod backup;
mod faults;
mod fixture;
mod inventory;
mod keys;
mod lists;
mod queue;
mod sessions;
