//! The engine below a store: SQLite for one server, PostgreSQL for several.

use crate::postgres;
use crate::sql::{Answer, Dialect, Executor, SqlError, Value, query};
use crate::sqlite;
use model::HostId;
use std::collections::BTreeSet;
use std::fs::File;
use std::sync::Arc;

/// Connections to a database.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// A file of this process alone.
    Sqlite {
        writer: sqlite::Writer,
        readers: sqlite::Readers,
        /// Held while the store is open, so that two servers never share one file.
        _lock: Arc<File>,
    },
    /// A server that others use as well.
    Postgres {
        writers: postgres::Pool,
        readers: postgres::Pool,
    },
}

/// A transaction that writes. Dropped without a commit it has no effect.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(sqlite::Part),
    Postgres(postgres::Tx),
}

/// A read transaction: all its statements see the store of one moment.
#[derive(Debug)]
pub(crate) enum Reader {
    Sqlite(sqlite::Reader),
    Postgres(postgres::Reader),
}

/// What is kept for the whole installation and changed by one at a time: users, keys, names of hosts.
const REGISTER: i64 = 1;

impl Engine {
    pub(crate) async fn begin(&self) -> Result<Tx, SqlError> {
        match self {
            Self::Sqlite { writer, .. } => writer.begin().await.map(Tx::Sqlite),
            Self::Postgres { writers, .. } => writers.begin().await.map(Tx::Postgres),
        }
    }

    pub(crate) async fn commit(&self, tx: Tx) -> Result<(), SqlError> {
        match (self, tx) {
            (Self::Sqlite { writer, .. }, Tx::Sqlite(part)) => writer.commit(part).await,
            (_, Tx::Postgres(tx)) => tx.commit().await,
            (Self::Postgres { .. }, Tx::Sqlite(_)) => Err(SqlError::Closed),
        }
    }

    pub(crate) async fn read(&self) -> Result<Reader, SqlError> {
        match self {
            Self::Sqlite { readers, .. } => readers.begin().await.map(Reader::Sqlite),
            Self::Postgres { readers, .. } => readers.read().await.map(Reader::Postgres),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close();
                writer.close().await;
            }
            Self::Postgres { writers, readers } => {
                readers.close();
                writers.close();
            }
        }
    }
}

impl Tx {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Nobody else writes anything of these hosts, or of their queues, until the end.
    pub(crate) async fn lock_hosts(
        &mut self,
        hosts: impl IntoIterator<Item = HostId>,
    ) -> Result<(), SqlError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        // In one order for everybody: then nobody waits for somebody who waits for it.
        let hosts: BTreeSet<String> = hosts.into_iter().map(|host| host.to_string()).collect();
        for host in hosts {
            query("select 1 as found from host where id = $1 for no key update")
                .bind(host)
                .execute(&mut *self)
                .await?;
        }
        Ok(())
    }

    /// [`lock_hosts`](Self::lock_hosts) with all there are.
    pub(crate) async fn lock_all_hosts(&mut self) -> Result<(), SqlError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let lock = query("select 1 as found from host order by id for no key update");
        lock.execute(self).await.map(drop)
    }

    /// Nobody else changes users, keys or the names of hosts until the end. Taken before any host.
    pub(crate) async fn lock_register(&mut self) -> Result<(), SqlError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let lock = query("select 1 as found from pg_advisory_xact_lock($1)").bind(REGISTER);
        lock.execute(self).await.map(drop)
    }
}

impl Reader {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

impl Executor for &mut Tx {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        match self {
            Tx::Sqlite(part) => part.run(sql, values).await,
            Tx::Postgres(tx) => tx.run(sql, values).await,
        }
    }
}

impl Executor for &mut Reader {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        match self {
            Reader::Sqlite(reader) => reader.run(sql, values).await,
            Reader::Postgres(reader) => reader.run(sql, values).await,
        }
    }
}

/// A single statement that reads.
impl Executor for &Engine {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        match self {
            Engine::Sqlite { readers, .. } => readers.run(sql, values).await,
            Engine::Postgres { readers, .. } => readers.run(sql, values).await,
        }
    }
}
