//! How a command ends.

use client::ClientError;
use outputter::visible;
use std::fmt;
use std::process::ExitCode;

/// A command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything went well.
    Done,
    /// Something failed, and has been said.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
        }
    }
}

/// A command that was not carried out: what was tried and why not, what to do, and how to exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    status: u8,
}

impl Failure {
    /// Refused or failed: exit status 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            status: 1,
        }
    }

    /// Asked for in a way that cannot be: exit status 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            status: 2,
            ..Self::new(message)
        }
    }

    /// The reader of our output has gone away: nothing to say to anybody.
    pub(crate) fn output_closed() -> Self {
        Self::new("")
    }

    /// With what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Exit status.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

/// `Error: …` and `Hint: …`, each on a line of its own, safe for a terminal.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return Ok(());
        }
        writeln!(f, "Error: {}", visible(&self.message))?;
        match &self.hint {
            Some(hint) => writeln!(f, "Hint: {}", visible(hint)),
            None => Ok(()),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let hint = match error.code() {
            Some("not_signed_in") => Some(
                "the session has ended or the token is not valid; sign in: salar login URL"
                    .to_owned(),
            ),
            _ => error.hint(),
        };
        let status = match &error {
            ClientError::BadUrl { .. }
            | ClientError::Insecure { .. }
            | ClientError::BadAuthority { .. }
            | ClientError::BadFingerprint { .. } => 2,
            _ => 1,
        };
        Self {
            message: error.to_string(),
            hint,
            status,
        }
    }
}
