//! The server as its users and agents see it: over HTTP and over the agent link. No libvirt: the agents are the test's.

mod access;
mod actions;
mod agent;
mod agentless;
mod backup;
mod console;
mod door;
mod fixture;
mod live;
mod log;
mod openapi;
mod outside;
mod reactor;
mod replicas;
mod stream;
