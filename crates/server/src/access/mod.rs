//! Who is asking: passwords, tokens, and the slowing down of guesses. What they may do is decided by the gate in
//! `http`.

mod password;
mod throttle;
mod token;

pub use password::Passwords;
pub use throttle::{Attempt, Throttle};
pub use token::{Token, one_time_password};
