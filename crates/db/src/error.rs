//! What can go wrong in the store.

use crate::sql::SqlError;
use model::HostId;
use std::path::PathBuf;
use thiserror::Error;

/// Why the store could not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database file cannot be used at all.
    #[error("cannot open the store {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// SQLite's word.
        #[source]
        source: SqlError,
    },
    /// The server of the database cannot be reached, or does not let us in.
    #[error("cannot use the database {server}")]
    Connect {
        /// Its name and machine.
        server: String,
        /// Why.
        #[source]
        source: SqlError,
    },
    /// What names the database is wrong.
    #[error("cannot use this database: {why}")]
    DatabaseUrl {
        /// What is wrong.
        why: String,
    },
    /// Another server has it.
    #[error("the store {} is in use by another salar server", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder cannot be written.
    #[error("cannot use {}", path.display())]
    Folder {
        /// The folder or lock file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's word.
        why: String,
    },
    /// The file was written by a newer version.
    #[error("the store has schema {found}, this version knows {known}; run the newer salar again")]
    Newer {
        /// Schema in the file.
        found: i64,
        /// Newest schema of this program.
        known: i64,
    },
    /// The database refused or failed.
    #[error("cannot {what}")]
    Sql {
        /// What was tried.
        what: &'static str,
        /// Its word.
        #[source]
        source: SqlError,
    },
    /// The session is not the host's current one: nothing was written and nothing more may be.
    #[error("the session of host {host} with epoch {epoch} is over")]
    LostSession {
        /// The host.
        host: HostId,
        /// The epoch that no longer counts.
        epoch: u64,
    },
    /// An agent claims an epoch far beyond what the store has given out.
    #[error(
        "host {host} says it has obeyed epoch {said}, the store has given out {stored}: too far apart to be a lost commit"
    )]
    EpochJump {
        /// The host.
        host: HostId,
        /// What the agent says.
        said: u64,
        /// What the store has.
        stored: u64,
    },
    /// The key was used for another request within its 24 hours.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// A thing of that name exists.
    #[error("{what} exists already")]
    Exists {
        /// `user admin`.
        what: String,
    },
    /// Not in the state that the change needs.
    #[error("{why}")]
    Conflict {
        /// One sentence.
        why: &'static str,
    },
}

impl StoreError {
    /// Trying the same again may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Sql { source, .. } => matches!(
                source,
                SqlError::Busy
                    | SqlError::Silent
                    | SqlError::Failed(_)
                    | SqlError::Sqlite(_)
                    | SqlError::Postgres(_)
            ),
            Self::Open { .. }
            | Self::Connect { .. }
            | Self::DatabaseUrl { .. }
            | Self::Damaged { .. }
            | Self::InUse { .. }
            | Self::Folder { .. }
            | Self::Newer { .. }
            | Self::LostSession { .. }
            | Self::EpochJump { .. }
            | Self::KeyReused
            | Self::Exists { .. }
            | Self::Conflict { .. } => false,
        }
    }
}

/// Adds what was tried to an error of the database.
pub(crate) trait During<T> {
    /// `what` is an infinitive: `record a report`.
    fn during(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, SqlError> {
    fn during(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sql { what, source })
    }
}
