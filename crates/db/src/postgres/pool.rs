//! Connections, and transactions on them.

use super::connection::Connection;
use super::tls::Tls;
use crate::sql::{Answer, Executor, SqlError, Value};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Config;

/// How long one may wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// Some connections to the same database.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    tls: Tls,
    idle: Mutex<Vec<Connection>>,
    free: Arc<Semaphore>,
}

/// A connection in use.
#[derive(Debug)]
struct Taken {
    connection: Connection,
    pool: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

/// A transaction that writes. Dropped without a commit it has no effect.
#[derive(Debug)]
pub(crate) struct Tx(Open);

/// A read transaction: all its statements see the database of one moment.
#[derive(Debug)]
pub(crate) struct Reader(Open);

/// A transaction that has not ended.
#[derive(Debug)]
struct Open(Option<Box<Taken>>);

impl Pool {
    /// At most `size` connections; none is made yet.
    pub(crate) fn new(config: Config, tls: Tls, size: usize) -> Self {
        Self(Arc::new(Shared {
            config,
            tls,
            idle: Mutex::default(),
            free: Arc::new(Semaphore::new(size)),
        }))
    }

    async fn take(&self) -> Result<Taken, SqlError> {
        let free = self.0.free.clone();
        let permit = tokio::time::timeout(PATIENCE, free.acquire_owned()).await;
        let permit = permit.map_err(|_| SqlError::Busy)?;
        let permit = permit.map_err(|_| SqlError::Closed)?;
        loop {
            let idle = self.0.idle.lock().expect("no holder panics").pop();
            let connection = match idle {
                Some(connection) if connection.is_good() => connection,
                Some(_) => continue,
                None => Connection::open(&self.0.config, &self.0.tls, None).await?,
            };
            return Ok(Taken {
                connection,
                pool: self.0.clone(),
                _permit: permit,
            });
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, SqlError> {
        self.open("begin").await.map(Tx)
    }

    /// Begins a read transaction.
    pub(crate) async fn read(&self) -> Result<Reader, SqlError> {
        let begin = "begin isolation level repeatable read read only";
        self.open(begin).await.map(Reader)
    }

    async fn open(&self, begin: &str) -> Result<Open, SqlError> {
        // The server may have been away since: connections that it has forgotten are found out here.
        loop {
            let mut taken = self.take().await?;
            match taken.connection.batch(begin).await {
                Ok(()) => return Ok(Open(Some(Box::new(taken)))),
                Err(SqlError::Silent) => return Err(SqlError::Silent),
                Err(_) if !taken.connection.is_good() => continue,
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes the connections; those in use close when they are given back.
    pub(crate) fn close(&self) {
        self.0.free.close();
        self.0.idle.lock().expect("no holder panics").clear();
    }
}

impl Taken {
    /// Lets others have the connection.
    fn give_back(self) {
        if self.connection.is_good() && !self.pool.free.is_closed() {
            let mut idle = self.pool.idle.lock().expect("no holder panics");
            idle.push(self.connection);
        }
    }
}

impl Open {
    async fn run(&mut self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        let taken = self.0.as_mut().ok_or(SqlError::Closed)?;
        taken.connection.run(sql, values).await
    }

    async fn end(mut self, how: &str) -> Result<(), SqlError> {
        let mut taken = self.0.take().ok_or(SqlError::Closed)?;
        let ended = taken.connection.batch(how).await;
        taken.give_back();
        ended
    }
}

impl Tx {
    /// Carries out statements without parameters.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), SqlError> {
        let taken = self.0.0.as_mut().ok_or(SqlError::Closed)?;
        taken.connection.batch(sql).await
    }

    /// Ends it. When this returns, it is on the server's disk.
    pub(crate) async fn commit(self) -> Result<(), SqlError> {
        self.0.end("commit").await
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(mut taken) = self.0.take() else {
            return;
        };
        // Without a runtime the connection is closed, which undoes it as well.
        if let (Ok(runtime), true) = (Handle::try_current(), taken.connection.is_good()) {
            runtime.spawn(async move {
                if taken.connection.batch("rollback").await.is_ok() {
                    taken.give_back();
                }
            });
        }
    }
}

impl Executor for &mut Tx {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        self.0.run(sql, values).await
    }
}

impl Executor for &mut Reader {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        self.0.run(sql, values).await
    }
}

/// A single statement: a transaction of its own.
impl Executor for &Pool {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        let mut taken = self.take().await?;
        let answer = taken.connection.run(sql, values).await;
        taken.give_back();
        answer
    }
}
