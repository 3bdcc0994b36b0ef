//! The agent with a fake hypervisor: states end to end, the link, reports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply;
mod described;
mod files;
mod ftp;
mod images;
mod link;
mod lookups;
mod support;
mod web;
