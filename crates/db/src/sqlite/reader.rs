//! Connections that only read.

use super::{blocking, run};
use crate::sql::{Answer, Executor, SqlError, Value};
use rusqlite::Connection;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long one may wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connections; as many can read at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

/// A read transaction: all its statements see the store of one moment.
#[derive(Debug)]
pub(crate) struct Reader(Taken);

#[derive(Debug)]
struct Taken {
    /// Absent only while it is given back.
    connection: Option<Connection>,
    readers: Readers,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(connections)),
        }
    }

    async fn take(&self) -> Result<Taken, SqlError> {
        let permit = tokio::time::timeout(PATIENCE, self.free.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| SqlError::Busy)?;
        let permit = permit.map_err(|_| SqlError::Closed)?;
        let connection = self.idle.lock().expect("no holder panics").pop();
        Ok(Taken {
            connection: Some(connection.ok_or(SqlError::Closed)?),
            readers: self.clone(),
            _permit: permit,
        })
    }

    pub(crate) async fn begin(&self) -> Result<Reader, SqlError> {
        let taken = self.take().await?;
        taken.connection()?.execute_batch("begin")?;
        Ok(Reader(taken))
    }

    /// Closes the connections; those in use close when they are given back.
    pub(crate) fn close(&self) {
        self.free.close();
        self.idle.lock().expect("no holder panics").clear();
    }
}

impl Taken {
    fn connection(&self) -> Result<&Connection, SqlError> {
        self.connection.as_ref().ok_or(SqlError::Closed)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let ended = connection.is_autocommit() || connection.execute_batch("rollback").is_ok();
        if ended && !self.readers.free.is_closed() {
            let mut idle = self.readers.idle.lock().expect("no holder panics");
            idle.push(connection);
        }
    }
}

/// A single statement: a look-up.
impl Executor for &Readers {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        let taken = self.take().await?;
        run(taken.connection()?, sql, values)
    }
}

impl Executor for &mut Reader {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        let connection = self.0.connection()?;
        blocking(|| run(connection, sql, values))
    }
}
