//! Messages between server and agent, versioned.
