//! The agent of one hypervisor: runs actions, watches events, reports.

pub mod identity;
pub mod image;
pub mod journal;
pub mod progress;
