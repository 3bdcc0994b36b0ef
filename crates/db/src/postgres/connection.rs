//! One connection to the server.

use super::tls::Tls;
use crate::sql::{Answer, Row, SqlError, Value, damaged};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Socket, Statement};

/// How long an answer may take; the server itself gives up sooner.
const PATIENCE: Duration = Duration::from_secs(15);

/// Locks are held for milliseconds; whoever does not get one in eight seconds waits for something that stands still. A
/// transaction whose server stands still is ended, so that others go on.
const LIMITS: &str = "set statement_timeout = '12s'; set lock_timeout = '8s';
     set idle_in_transaction_session_timeout = '20s'; set client_min_messages = warning";

/// A connection. It answers one statement at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    statements: HashMap<Box<str>, Statement>,
    /// An answer is outstanding that nobody waits for.
    broken: bool,
}

impl Connection {
    /// Connects; notifications go to `told`.
    pub(crate) async fn open(
        config: &Config,
        tls: &Tls,
        told: Option<UnboundedSender<(i32, String)>>,
    ) -> Result<Self, SqlError> {
        let client = match tls {
            Tls::Without(connector) => connect(config, *connector, told).await?,
            Tls::With(connector) => connect(config, connector.clone(), told).await?,
        };
        let connection = Self {
            client,
            statements: HashMap::new(),
            broken: false,
        };
        let limited = tokio::time::timeout(PATIENCE, connection.client.batch_execute(LIMITS));
        limited.await.map_err(|_| SqlError::Silent)??;
        Ok(connection)
    }

    /// It can be used again.
    pub(crate) fn is_good(&self) -> bool {
        !self.broken && !self.client.is_closed()
    }

    /// Carries out statements without parameters.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), SqlError> {
        self.broken = true;
        let done = tokio::time::timeout(PATIENCE, self.client.batch_execute(sql)).await;
        let done = done.map_err(|_| SqlError::Silent)?;
        self.broken = false;
        Ok(done?)
    }

    /// Carries out one statement.
    pub(crate) async fn run(&mut self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        self.broken = true;
        let done = tokio::time::timeout(PATIENCE, self.answer(sql, values)).await;
        let done = done.map_err(|_| SqlError::Silent)?;
        self.broken = false;
        if let Err(SqlError::Postgres(error)) = &done
            && error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
        {
            // What was prepared is of a table that has changed since.
            self.statements.clear();
        }
        done
    }

    async fn answer(&mut self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        let statement = match self.statements.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(sql).await?;
                self.statements.insert(sql.into(), statement.clone());
                statement
            }
        };
        // SQLite takes more values than parameters as well; the statements are the same.
        let values = values.iter().take(statement.params().len());
        let values: Vec<&(dyn ToSql + Sync)> = values.map(|value| value as _).collect();
        if statement.columns().is_empty() {
            let affected = self.client.execute(&statement, &values).await?;
            let rows = Vec::new();
            return Ok(Answer { rows, affected });
        }
        let names = statement
            .columns()
            .iter()
            .map(|column| column.name().to_owned());
        let columns: Arc<[String]> = names.collect();
        let found = self.client.query(&statement, &values).await?;
        let rows: Vec<Row> = found
            .iter()
            .map(|row| row_of(row, &columns))
            .collect::<Result<_, _>>()?;
        let affected = rows.len() as u64;
        Ok(Answer { rows, affected })
    }
}

async fn connect<T>(
    config: &Config,
    tls: T,
    told: Option<UnboundedSender<(i32, String)>>,
) -> Result<Client, SqlError>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let connecting = tokio::time::timeout(PATIENCE, config.connect(tls)).await;
    let (client, mut connection) = connecting.map_err(|_| SqlError::Silent)??;
    tokio::spawn(async move {
        loop {
            match std::future::poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(said))) => {
                    if let Some(told) = &told {
                        // Whoever listened may have gone.
                        let _ = told.send((said.process_id(), said.payload().to_owned()));
                    }
                }
                Some(Ok(_)) => {}
                // Its client learns of it with its next statement.
                Some(Err(_)) | None => return,
            }
        }
    });
    Ok(client)
}

fn row_of(row: &tokio_postgres::Row, columns: &Arc<[String]>) -> Result<Row, SqlError> {
    let values = row.columns().iter().enumerate().map(|(place, column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(place)?.map(i64::from).into(),
            Type::BOOL => row.try_get::<_, Option<bool>>(place)?.into(),
            Type::BYTEA => row.try_get::<_, Option<&[u8]>>(place)?.into(),
            Type::TEXT | Type::VARCHAR | Type::NAME => {
                row.try_get::<_, Option<&str>>(place)?.into()
            }
            ref other => return Err(damaged(column.name(), format!("its type is {other}"))),
        })
    });
    let values: Result<Vec<Value>, SqlError> = values.collect();
    Ok(Row::new(columns.clone(), values?))
}
