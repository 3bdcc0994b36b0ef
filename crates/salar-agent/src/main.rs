//! salar-agent: the agent and local calls

fn main() {}
