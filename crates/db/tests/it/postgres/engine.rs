//! A PostgreSQL server of the test's own.

use db::{DatabaseTls, Store};
use private_postgres::Server;

/// Whether several servers can use it at the same time.
pub const IS_SHARED: bool = true;

/// A database that goes away with the test.
pub struct Database(pub Server);

impl Database {
    pub async fn new() -> Self {
        Self(Server::start())
    }

    /// Opens the store, made if it is missing.
    pub async fn open(&self) -> Store {
        let opened = Store::connect(self.0.url(), &DatabaseTls::Off).await;
        opened.expect("opens")
    }

    /// Carries out a statement beside the store; what went wrong.
    pub async fn run_beside(&self, sql: &str) -> Result<(), String> {
        let connected = tokio_postgres::connect(self.0.url(), tokio_postgres::NoTls).await;
        let (client, connection) = connected.expect("connects");
        tokio::spawn(connection);
        let done = client.batch_execute(sql).await;
        done.map_err(|error| format!("{:?}", error.as_db_error()))
    }
}
