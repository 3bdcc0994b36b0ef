//! salar: server and command line

fn main() {}
