//! A file in a folder of its own.

use db::Store;
use std::path::Path;
use tempfile::TempDir;

/// Whether several servers can use it at the same time.
pub const IS_SHARED: bool = false;

/// A database that goes away with the test.
pub struct Database(TempDir);

impl Database {
    pub async fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Opens the store, made if it is missing.
    pub async fn open(&self) -> Store {
        Store::open(self.folder()).await.expect("opens")
    }

    /// Carries out a statement beside the store; what went wrong.
    pub async fn run_beside(&self, sql: &str) -> Result<(), String> {
        let file = self.folder().join("salar.db");
        let connection = rusqlite::Connection::open(file).expect("opens");
        connection
            .execute_batch(sql)
            .map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn a_file_is_one_servers_alone() {
    let database = Database::new().await;
    let store = database.open().await;
    let second = Store::open(database.folder()).await;
    assert!(matches!(second, Err(db::StoreError::InUse { .. })));
    store.close().await;
}
