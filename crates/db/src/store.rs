//! The database file, its connections and what is told after a commit.

use crate::error::{During, StoreError};
use crate::migrate;
use crate::writer::{Tx, Writer};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Name of the database file in its folder.
pub(crate) const FILE: &str = "salar.db";
/// Readers at the same time; more only queue up on two cores.
const READERS: u32 = 4;

/// Pages that a reader keeps, in KiB with a minus: what lists of ten thousand VMs are made from.
const READER_CACHE: &str = "-8000";

/// The store. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    pub(crate) readers: SqlitePool,
    /// Counts commits that appended to the change feed. Carries nothing but "look".
    changed: Arc<watch::Sender<u64>>,
    feed_epoch: Arc<str>,
    /// Held while the store is open, so that two servers never share one file.
    _lock: Arc<File>,
}

impl Store {
    /// Opens `salar.db` in `folder`, makes both if they are missing, and brings the schema up to date. Hosts count as
    /// unreachable until their agents come back, and the change feed gets a new epoch.
    ///
    /// # Errors
    /// When the file cannot be used, is in use, or was written by a newer version.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        // SQLite gives its other files the mode of this one: nobody else reads passwords and definitions.
        open_private(&path)?;
        let open = |source| StoreError::Open {
            path: path.clone(),
            source,
        };
        // FULL: an acknowledged action survives a power cut (promise P1). In WAL mode it costs one fsync a commit.
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let mut writer = options.connect().await.map_err(open)?;
        migrate::run(&mut writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(
                options
                    .create_if_missing(false)
                    .read_only(true)
                    .pragma("cache_size", READER_CACHE),
            )
            .await
            .map_err(open)?;
        let feed_epoch = new_feed_epoch(&mut writer).await?;
        let store = Self {
            writer: Writer::new(writer),
            readers,
            changed: Arc::new(watch::Sender::new(0)),
            feed_epoch: feed_epoch.into(),
            _lock: Arc::new(lock),
        };
        store.forget_sessions().await?;
        Ok(store)
    }

    /// Woken after every commit that appended to the change feed.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Names this run of the store in event ids: a client with another one must load its lists again.
    pub fn feed_epoch(&self) -> &str {
        &self.feed_epoch
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a write. There is one writer, so writes stand in line here.
    pub(crate) async fn begin(&self, what: &'static str) -> Result<Tx, StoreError> {
        self.writer.begin().await.during(what)
    }

    /// Commits and tells the readers of the change feed to look.
    pub(crate) async fn commit(&self, tx: Tx, what: &'static str) -> Result<(), StoreError> {
        self.commit_quietly(tx, what).await?;
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Commits what is not in the change feed.
    pub(crate) async fn commit_quietly(
        &self,
        tx: Tx,
        what: &'static str,
    ) -> Result<(), StoreError> {
        self.writer.commit(tx).await.during(what)
    }
}

/// Opens a file that only its owner can read, and makes it if it is missing.
pub(crate) fn open_private(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| StoreError::Folder {
            path: path.to_owned(),
            source,
        })
}

pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("salar.lock");
    let file = open_private(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
        Err(TryLockError::Error(source)) => Err(StoreError::Folder { path, source }),
    }
}

/// A new epoch at every opening: a restored file may have given out the same revisions for other changes.
async fn new_feed_epoch(writer: &mut SqliteConnection) -> Result<String, StoreError> {
    let epoch = format!("{:012x}", uuid::Uuid::new_v4().as_u128() >> 80);
    sqlx::query(
        "insert into meta (key, value) values ('feed_epoch', $1)
         on conflict (key) do update set value = excluded.value",
    )
    .bind(&epoch)
    .execute(writer)
    .await
    .during("name the change feed")?;
    Ok(epoch)
}
