//! SQLite: one file in WAL mode, one connection that writes, several that read.
//!
//! Statements run where they are asked for: most take microseconds, less than the way to another thread and back. What
//! waits for the disk or reads many rows tells the runtime that it [blocks](blocking).

mod reader;
mod writer;

pub(crate) use reader::{Reader, Readers};
pub(crate) use writer::{Part, Writer};

use crate::sql::{Answer, Row, SqlError, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Statements that a connection keeps prepared: more than this program has.
const STATEMENTS: usize = 256;

/// Opens a file; `writable` also makes it.
pub(crate) fn connect(
    file: &Path,
    writable: bool,
    patience: Duration,
) -> rusqlite::Result<Connection> {
    let access = match writable {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        false => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // A connection is used by one task at a time, whatever thread that is on.
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Carries out one statement.
pub(crate) fn run(
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<Answer, SqlError> {
    let mut statement = connection.prepare_cached(sql)?;
    for place in 1..=statement.parameter_count() {
        // SQLite numbers `$7` by where it stands first, not by its digits.
        let named = statement
            .parameter_name(place)
            .and_then(|name| name.get(1..));
        let number = named.and_then(|digits| digits.parse::<usize>().ok());
        let value = number.and_then(|number| values.get(number.checked_sub(1)?));
        statement.raw_bind_parameter(place, value.unwrap_or(&Value::Null))?;
    }
    if statement.column_count() == 0 {
        let affected = statement.raw_execute()?;
        return Ok(Answer {
            rows: Vec::new(),
            affected: affected as u64,
        });
    }
    let names = statement.column_names().map(str::to_owned);
    let columns: Arc<[String]> = names.collect();
    let mut rows = Vec::new();
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        let values = (0..columns.len()).map(|place| Ok(value(row.get_ref(place)?)));
        let values: Result<_, SqlError> = values.collect();
        rows.push(Row::new(columns.clone(), values?));
    }
    let affected = rows.len() as u64;
    Ok(Answer { rows, affected })
}

fn value(stored: ValueRef<'_>) -> Value {
    match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        // No column of ours holds one; as text it fails to be read where a number is wanted.
        ValueRef::Real(value) => Value::Text(value.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Does what may take milliseconds; other tasks go on meanwhile where the runtime has threads for them.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
