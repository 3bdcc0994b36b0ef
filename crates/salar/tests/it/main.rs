//! The program as a person starts it: a server without hypervisor, and the command line against it.

mod against;
mod fleet;
mod names;
mod program;
mod server;
mod simulate;
