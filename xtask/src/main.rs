//! Code generation and checks of the workspace itself.

fn main() {}
