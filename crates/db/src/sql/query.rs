//! Statements with their parameters.

use super::{Row, SqlError, Value};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};

/// Carries out statements: a transaction, or a connection that only reads.
pub(crate) trait Executor {
    /// Carries out one statement; `values` are those of `$1`, `$2`…
    fn run(
        self,
        sql: &str,
        values: &[Value],
    ) -> impl Future<Output = Result<Answer, SqlError>> + Send;
}

/// What a statement gave.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<Row>,
    /// Rows that it has written.
    pub(crate) affected: u64,
}

/// A statement with its parameters.
#[derive(Debug)]
pub(crate) struct Query {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement without parameters yet. Its text is the program's own.
pub(crate) fn query(sql: impl Into<Cow<'static, str>>) -> Query {
    Query {
        sql: sql.into(),
        values: Vec::new(),
    }
}

impl Query {
    /// The value of the next parameter.
    #[must_use]
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// How many rows it has written.
    pub(crate) async fn execute(self, on: impl Executor) -> Result<u64, SqlError> {
        Ok(on.run(&self.sql, &self.values).await?.affected)
    }

    pub(crate) async fn fetch_all(self, on: impl Executor) -> Result<Vec<Row>, SqlError> {
        Ok(on.run(&self.sql, &self.values).await?.rows)
    }

    pub(crate) async fn fetch_optional(self, on: impl Executor) -> Result<Option<Row>, SqlError> {
        Ok(self.fetch_all(on).await?.into_iter().next())
    }

    pub(crate) async fn fetch_one(self, on: impl Executor) -> Result<Row, SqlError> {
        self.fetch_optional(on).await?.ok_or(SqlError::NoRow)
    }
}

/// A statement that is put together from pieces.
#[derive(Debug)]
pub(crate) struct Builder {
    sql: String,
    values: Vec<Value>,
}

impl Builder {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            values: Vec::new(),
        }
    }

    /// Text of the program's own.
    pub(crate) fn push(&mut self, sql: impl Display) -> &mut Self {
        write!(self.sql, "{sql}").expect("a text takes anything");
        self
    }

    /// A parameter.
    pub(crate) fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let place = self.values.len();
        self.push(format_args!("${place}"))
    }

    /// Parameters between commas.
    pub(crate) fn push_list<V: Into<Value>>(
        &mut self,
        values: impl IntoIterator<Item = V>,
    ) -> &mut Self {
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.sql.push_str(", ");
            }
            self.push_bind(value);
        }
        self
    }

    /// `values (…), (…)`: one row for each of `rows`.
    pub(crate) fn push_rows<const COLUMNS: usize>(
        &mut self,
        rows: impl IntoIterator<Item = [Value; COLUMNS]>,
    ) -> &mut Self {
        for (place, row) in rows.into_iter().enumerate() {
            self.push(if place == 0 { "values (" } else { ", (" });
            self.push_list(row).push(")");
        }
        self
    }

    /// Its text and parameters so far.
    pub(crate) fn parts(&self) -> (&str, &[Value]) {
        (&self.sql, &self.values)
    }

    pub(crate) fn build(self) -> Query {
        Query {
            sql: self.sql.into(),
            values: self.values,
        }
    }
}
