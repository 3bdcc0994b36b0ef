//! The database, its connections and what is told after a commit.

use crate::engine::{Engine, Reader, Tx};
use crate::error::{During, StoreError};
use crate::migrate;
use crate::postgres::{self, DatabaseTls, Listener};
use crate::replicas::Told;
use crate::sql::{Answer, Executor, SqlError, Value, query};
use crate::sqlite;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Name of the database file in its folder.
pub(crate) const FILE: &str = "salar.db";
/// Readers at the same time; more only queue up on two cores.
const READERS: usize = 4;
/// Writers at the same time, where there can be several: a host has one.
const WRITERS: usize = 8;
/// How long SQLite waits for another process that has the file locked.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pages that a reader keeps, in KiB with a minus: what lists of ten thousand VMs are made from.
const READER_CACHE: i64 = -8000;
/// Messages of other servers that a slow part of this one may miss.
const MESSAGES: usize = 256;

/// The store. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) engine: Engine,
    news: Arc<News>,
    feed_epoch: Arc<str>,
    /// To the other servers on the database, where there can be some.
    pub(crate) listener: Option<Listener>,
}

/// What is told within this process.
#[derive(Debug)]
struct News {
    /// Counts commits that appended to the change feed. Carries nothing but "look".
    changed: watch::Sender<u64>,
    /// What other servers have said.
    told: broadcast::Sender<Told>,
}

impl News {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            changed: watch::Sender::new(0),
            told: broadcast::Sender::new(MESSAGES),
        })
    }

    fn look(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
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
        let open = |error: rusqlite::Error| StoreError::Open {
            path: path.clone(),
            source: error.into(),
        };
        let mut writer = sqlite::connect(&path, true, PATIENCE).map_err(open)?;
        writer
            .pragma_update(None, "journal_mode", "wal")
            .map_err(open)?;
        // FULL: an acknowledged action survives a power cut (promise P1). In WAL mode it costs one fsync a commit.
        writer
            .pragma_update(None, "synchronous", "full")
            .map_err(open)?;
        migrate::sqlite(&mut writer)?;
        let mut readers = Vec::new();
        for _ in 0..READERS {
            let reader = sqlite::connect(&path, false, PATIENCE).map_err(open)?;
            reader
                .pragma_update(None, "cache_size", READER_CACHE)
                .map_err(open)?;
            readers.push(reader);
        }
        let engine = Engine::Sqlite {
            writer: sqlite::Writer::new(writer),
            readers: sqlite::Readers::new(readers),
            _lock: Arc::new(lock),
        };
        let store = Self {
            feed_epoch: new_feed_epoch(&engine).await?,
            engine,
            news: News::new(),
            listener: None,
        };
        store.forget_all_replicas().await?;
        Ok(store)
    }

    /// Connects to a database of a PostgreSQL server, `postgres://USER:PASSWORD@HOST/NAME`, and brings its schema up to
    /// date. Other servers may use it at the same time.
    ///
    /// # Errors
    /// When the URL is none, the server cannot be reached or does not let us in, or a newer version has written there.
    pub async fn connect(url: &str, tls: &DatabaseTls) -> Result<Self, StoreError> {
        let config = postgres_config(url, tls)?;
        let server = shown(&config);
        let tls = postgres::Tls::new(tls).map_err(|error| StoreError::DatabaseUrl {
            why: error.to_string(),
        })?;
        let writers = postgres::Pool::new(config.clone(), tls.clone(), WRITERS);
        let readers = postgres::Pool::new(config.clone(), tls.clone(), READERS);
        let unreachable = |source| StoreError::Connect {
            server: server.clone(),
            source,
        };
        let hello = query("select 1 as here").execute(&writers).await;
        hello.map_err(unreachable)?;
        migrate::postgres(&writers).await?;
        let engine = Engine::Postgres { writers, readers };
        let news = News::new();
        let heard = {
            let news = news.clone();
            move |what: &str| match Told::read(what) {
                // Whoever wants to hear it may not be there yet.
                Some(told) => drop(news.told.send(told)),
                None => news.look(),
            }
        };
        Ok(Self {
            feed_epoch: kept_feed_epoch(&engine).await?,
            engine,
            news,
            listener: Some(Listener::start(config, tls, heard)),
        })
    }

    /// Several servers may use it at the same time.
    pub fn is_shared(&self) -> bool {
        self.listener.is_some()
    }

    /// Woken after every commit that appended to the change feed.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.news.changed.subscribe()
    }

    /// What other servers on the same database say from now on.
    pub fn hear(&self) -> broadcast::Receiver<Told> {
        self.news.told.subscribe()
    }

    /// Names the change feed in event ids: a client with another one must load its lists again.
    pub fn feed_epoch(&self) -> &str {
        &self.feed_epoch
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.engine.close().await;
    }

    /// Begins a write. On SQLite there is one writer, so writes stand in line here.
    pub(crate) async fn begin(&self, what: &'static str) -> Result<Tx, StoreError> {
        self.engine.begin().await.during(what)
    }

    /// [`begin`](Self::begin) for what is kept for the whole installation.
    pub(crate) async fn begin_register(&self, what: &'static str) -> Result<Tx, StoreError> {
        let mut tx = self.begin(what).await?;
        tx.lock_register().await.during(what)?;
        Ok(tx)
    }

    /// Begins to read what belongs together.
    pub(crate) async fn read(&self, what: &'static str) -> Result<Reader, StoreError> {
        self.engine.read().await.during(what)
    }

    /// Commits and tells the readers of the change feed to look.
    pub(crate) async fn commit(&self, tx: Tx, what: &'static str) -> Result<(), StoreError> {
        self.commit_quietly(tx, what).await?;
        self.news.look();
        if let Some(listener) = &self.listener {
            listener.say(postgres::LOOK);
        }
        Ok(())
    }

    /// Commits what is not in the change feed.
    pub(crate) async fn commit_quietly(
        &self,
        tx: Tx,
        what: &'static str,
    ) -> Result<(), StoreError> {
        self.engine.commit(tx).await.during(what)
    }
}

/// A single statement that reads.
impl Executor for &Store {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        self.engine.run(sql, values).await
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

fn postgres_config(url: &str, tls: &DatabaseTls) -> Result<tokio_postgres::Config, StoreError> {
    use tokio_postgres::config::SslMode;
    let refused = |why: &str| StoreError::DatabaseUrl {
        why: why.to_owned(),
    };
    let parsed = url.parse::<tokio_postgres::Config>();
    // The parser's own words quote what it was given, password included.
    let mut config =
        parsed.map_err(|_| refused("it is no URL like postgres://USER:PASSWORD@HOST:PORT/NAME"))?;
    match (tls, config.get_ssl_mode()) {
        (DatabaseTls::Off, SslMode::Require) => {
            return Err(refused(
                "sslmode=require needs the CA of the server; name its file with --database-ca",
            ));
        }
        (DatabaseTls::Off, _) => config.ssl_mode(SslMode::Disable),
        (DatabaseTls::Ca(_), _) => config.ssl_mode(SslMode::Require),
    };
    config
        .application_name("salar")
        .connect_timeout(Duration::from_secs(5))
        .keepalives_idle(Duration::from_secs(10));
    Ok(config)
}

/// The server as people know it, without the password.
fn shown(config: &tokio_postgres::Config) -> String {
    use tokio_postgres::config::Host;
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts: Vec<String> = hosts.collect();
    format!(
        "{} on {}",
        config.get_dbname().unwrap_or("its database"),
        hosts.join(", ")
    )
}

const FEED_EPOCH: &str = "name the change feed";

/// A new epoch at every opening: a restored file may have given out the same revisions for other changes.
async fn new_feed_epoch(engine: &Engine) -> Result<Arc<str>, StoreError> {
    let epoch = random_epoch();
    let mut tx = engine.begin().await.during(FEED_EPOCH)?;
    query(
        "insert into meta (key, value) values ('feed_epoch', $1)
         on conflict (key) do update set value = excluded.value",
    )
    .bind(&epoch)
    .execute(&mut tx)
    .await
    .during(FEED_EPOCH)?;
    engine.commit(tx).await.during(FEED_EPOCH)?;
    Ok(epoch.into())
}

/// One epoch for all servers of a database, so that a browser can go on with another one.
async fn kept_feed_epoch(engine: &Engine) -> Result<Arc<str>, StoreError> {
    let mut tx = engine.begin().await.during(FEED_EPOCH)?;
    query("insert into meta (key, value) values ('feed_epoch', $1) on conflict (key) do nothing")
        .bind(random_epoch())
        .execute(&mut tx)
        .await
        .during(FEED_EPOCH)?;
    let row = query("select value from meta where key = 'feed_epoch'")
        .fetch_one(&mut tx)
        .await
        .during(FEED_EPOCH)?;
    engine.commit(tx).await.during(FEED_EPOCH)?;
    Ok(row.text("value").during(FEED_EPOCH)?.into())
}

fn random_epoch() -> String {
    format!("{:012x}", uuid::Uuid::new_v4().as_u128() >> 80)
}
