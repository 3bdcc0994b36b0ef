//! Between SQLite's types and ours.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

/// As stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// From the store. A value outside the calendar (a damaged file) becomes 1970.
pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A counter as SQLite keeps it; ours stay far below `i64::MAX`.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The inverse of [`int`].
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A value that this program wrote and cannot read back.
pub(crate) fn damaged(
    column: &str,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: why.into(),
    }
}

/// Columns by name.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> Result<String, sqlx::Error>;
    fn optional_text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn number(&self, column: &str) -> Result<u64, sqlx::Error>;
    fn flag(&self, column: &str) -> Result<bool, sqlx::Error>;
    fn uuid(&self, column: &str) -> Result<Uuid, sqlx::Error>;
    fn optional_uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error>;
    fn at(&self, column: &str) -> Result<Timestamp, sqlx::Error>;
    fn optional_at(&self, column: &str) -> Result<Option<Timestamp>, sqlx::Error>;
    fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, sqlx::Error>;
    fn word<T>(&self, column: &str, read: fn(&str) -> Option<T>) -> Result<T, sqlx::Error>;
}

impl Columns for SqliteRow {
    fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }

    fn number(&self, column: &str) -> Result<u64, sqlx::Error> {
        self.try_get::<i64, _>(column).map(unsigned)
    }

    fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
        self.try_get::<i64, _>(column).map(|value| value != 0)
    }

    fn uuid(&self, column: &str) -> Result<Uuid, sqlx::Error> {
        Uuid::parse_str(&self.text(column)?).map_err(|e| damaged(column, e))
    }

    fn optional_uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error> {
        let text = self.optional_text(column)?;
        text.map(|text| Uuid::parse_str(&text).map_err(|e| damaged(column, e)))
            .transpose()
    }

    fn at(&self, column: &str) -> Result<Timestamp, sqlx::Error> {
        self.try_get::<i64, _>(column).map(time)
    }

    fn optional_at(&self, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(self.try_get::<Option<i64>, _>(column)?.map(time))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, sqlx::Error> {
        serde_json::from_str(&self.text(column)?).map_err(|e| damaged(column, e))
    }

    fn word<T>(&self, column: &str, read: fn(&str) -> Option<T>) -> Result<T, sqlx::Error> {
        let word = self.text(column)?;
        read(&word).ok_or_else(|| damaged(column, format!("unknown word {word:?}")))
    }
}
