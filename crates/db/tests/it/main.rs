//! The store: one suite of promises over SQLite, with a new file for every test, and over PostgreSQL, with a new server
//! for every test; and what is of one engine alone.

// The suite is compiled once for each engine; what differs is `super::engine`.
#![allow(clippy::duplicate_mod)]

mod sqlite {
    mod backup;
    #[path = "../contract/mod.rs"]
    mod contract;
    mod engine;
}

mod postgres {
    #[path = "../contract/mod.rs"]
    mod contract;
    mod engine;
    mod faults;
}
