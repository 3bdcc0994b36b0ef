//! Statements and rows, the same for both engines.
//!
//! The text of a statement is the same for SQLite and PostgreSQL wherever both understand it: parameters are `$1`, `$2`…,
//! identities are UUIDs as text, times microseconds since 1970 in UTC, flags 0 or 1. What a text cannot say for both asks
//! its [`Dialect`].

mod query;
mod row;
mod value;

pub(crate) use query::{Answer, Builder, Executor, Query, query};
pub use row::Row;
pub(crate) use row::damaged;
pub(crate) use value::Value;

use jiff::Timestamp;
use thiserror::Error;

/// What the engine below, or reading what it gave, has to say.
#[derive(Debug, Error)]
pub enum SqlError {
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// No connection became free in time.
    #[error("all connections to the database are busy")]
    Busy,
    /// The database did not answer in time.
    #[error("the database does not answer")]
    Silent,
    /// SQLite's word.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The server's word.
    #[error("{}", postgres_words(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A statement that has a row found none.
    #[error("there is no row")]
    NoRow,
    /// The transaction that this was a part of failed as a whole.
    #[error("the transaction failed: {0}")]
    Failed(String),
    /// A value that this program wrote and cannot read back.
    #[error("the column {column} cannot be read: {why}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong with it.
        why: String,
    },
}

impl SqlError {
    /// A row with the same unique value is there already.
    pub(crate) fn is_unique_violation(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                error.code == rusqlite::ErrorCode::ConstraintViolation
                    && matches!(
                        error.extended_code,
                        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                            | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    )
            }
            Self::Postgres(error) => {
                error.code() == Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION)
            }
            _ => false,
        }
    }
}

/// The crate's own text leaves out what the server said.
fn postgres_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => said.to_string(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// Which of the two a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The function that gives the place of a text in another, 0 when it is not there.
    pub(crate) const fn position(self) -> &'static str {
        match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        }
    }

    /// The time by the database's clock.
    pub(crate) const fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "cast(unixepoch('subsec') * 1000000 as integer)",
            Self::Postgres => "(extract(epoch from clock_timestamp()) * 1000000)::bigint",
        }
    }

    /// What is put behind the tables of a `from` so that each text of the JSON array in `vm.networks` is a row `j`.
    pub(crate) const fn each_network(self) -> &'static str {
        match self {
            Self::Sqlite => "json_each(vm.networks) as j",
            Self::Postgres => "jsonb_array_elements_text(vm.networks::jsonb) as j(value)",
        }
    }
}

/// As stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// From the store. A value outside the calendar (a damaged file) becomes 1970.
pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A counter as the engines keep it; ours stay far below `i64::MAX`.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The inverse of [`int`].
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
