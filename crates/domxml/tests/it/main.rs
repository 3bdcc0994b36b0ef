//! Whole documents through reading and editing.

mod corpus;
mod tokens;
