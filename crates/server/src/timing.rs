//! The clocks of the server that others depend on. The defaults are the ones of the documentation; tests have shorter
//! ones, so that they need not wait.

use std::time::Duration;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// An agent that has said nothing for this long, three heartbeats of 5 s, is gone: its host is unreachable.
    pub silence: Duration,
    /// An action that its agent has not confirmed by then is sent again, with the same id.
    pub resend: Duration,
    /// Event streams say that they live, and end when their session has ended, this often.
    pub heartbeat: Duration,
    /// How often sessions of agents look at their clocks.
    pub tick: Duration,
    /// How long the certificate of an agent is good for. It gets the next after two thirds of it.
    pub certificate: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(15),
            resend: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            tick: Duration::from_secs(1),
            certificate: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}
