//! Rows, read by the names of their columns.

use super::{SqlError, Value, time, unsigned};
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// A row of an answer.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

/// A value that this program wrote and cannot read back.
pub(crate) fn damaged(column: &str, why: impl ToString) -> SqlError {
    SqlError::Column {
        column: column.to_owned(),
        why: why.to_string(),
    }
}

impl Row {
    /// `values` are those of `columns`, in their order.
    pub(crate) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    fn value(&self, column: &str) -> Result<&Value, SqlError> {
        let place = self.columns.iter().position(|name| name == column);
        let value = place.and_then(|place| self.values.get(place));
        value.ok_or_else(|| damaged(column, "there is none of this name"))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, SqlError> {
        let text = self.optional_text(column)?;
        text.ok_or_else(|| damaged(column, "it is null"))
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, SqlError> {
        match self.value(column)? {
            Value::Text(text) => Ok(Some(text.clone())),
            Value::Null => Ok(None),
            other => Err(damaged(column, format!("{other:?} is no text"))),
        }
    }

    pub(crate) fn int(&self, column: &str) -> Result<i64, SqlError> {
        let value = self.optional_int(column)?;
        value.ok_or_else(|| damaged(column, "it is null"))
    }

    fn optional_int(&self, column: &str) -> Result<Option<i64>, SqlError> {
        match self.value(column)? {
            Value::Int(value) => Ok(Some(*value)),
            Value::Null => Ok(None),
            other => Err(damaged(column, format!("{other:?} is no number"))),
        }
    }

    pub(crate) fn number(&self, column: &str) -> Result<u64, SqlError> {
        self.int(column).map(unsigned)
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, SqlError> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn blob(&self, column: &str) -> Result<Vec<u8>, SqlError> {
        let blob = self.optional_blob(column)?;
        blob.ok_or_else(|| damaged(column, "it is null"))
    }

    pub(crate) fn optional_blob(&self, column: &str) -> Result<Option<Vec<u8>>, SqlError> {
        match self.value(column)? {
            Value::Blob(bytes) => Ok(Some(bytes.clone())),
            Value::Null => Ok(None),
            other => Err(damaged(column, format!("{other:?} are no bytes"))),
        }
    }

    pub(crate) fn uuid(&self, column: &str) -> Result<Uuid, SqlError> {
        Uuid::parse_str(&self.text(column)?).map_err(|error| damaged(column, error))
    }

    pub(crate) fn optional_uuid(&self, column: &str) -> Result<Option<Uuid>, SqlError> {
        let text = self.optional_text(column)?;
        text.map(|text| Uuid::parse_str(&text).map_err(|error| damaged(column, error)))
            .transpose()
    }

    pub(crate) fn at(&self, column: &str) -> Result<Timestamp, SqlError> {
        self.int(column).map(time)
    }

    pub(crate) fn optional_at(&self, column: &str) -> Result<Option<Timestamp>, SqlError> {
        Ok(self.optional_int(column)?.map(time))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, SqlError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| damaged(column, error))
    }

    pub(crate) fn word<T>(&self, column: &str, read: fn(&str) -> Option<T>) -> Result<T, SqlError> {
        let word = self.text(column)?;
        read(&word).ok_or_else(|| damaged(column, format!("unknown word {word:?}")))
    }
}
