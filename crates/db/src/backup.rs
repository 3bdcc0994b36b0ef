//! Copies of the store, and going on from one.
//!
//! A copy is of one moment; what agents have done since is in their journals, which remember an action for a week after
//! the server has had its result. So actions that were on their way are simply sent again: an agent that has carried one
//! out answers with what came of it and does nothing. Of a copy that is older than the journals nobody knows: an agent
//! that does not know such an action makes its outcome unknown, and it is not sent again.

use crate::error::{During, StoreError};
use crate::migrate;
use crate::sql::micros;
use crate::store::{FILE, lock, open_private};
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, Row};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// Agents keep results for seven days after the server has had them; a day less, for clocks that differ.
const JOURNALS_REMEMBER: SignedDuration = SignedDuration::from_hours(6 * 24);

/// Writes the store of `folder` to the new file `to`, as it is at one moment. A server may have it open and goes on.
///
/// # Errors
/// When there is none, it was written by a newer version, or the copy cannot be written or is damaged.
pub async fn copy(folder: &Path, to: &Path) -> Result<(), StoreError> {
    const WHAT: &str = "copy the store";
    let mut connection = connect(&folder.join(FILE)).await?;
    migrate::refuse_newer(&mut connection).await?;
    open_private(to)?;
    sqlx::query("vacuum into $1")
        .bind(text(to)?)
        .execute(&mut connection)
        .await
        .during(WHAT)?;
    connection.close().await.during(WHAT)?;
    let mut copied = connect(to).await?;
    check(&mut copied, to).await?;
    copied.close().await.during(WHAT)
}

/// Makes a copy that was taken at `made_at` fit to go on from: brings its schema up to date, ends sign-ins and tokens to
/// join, and sorts out the actions that were on their way.
///
/// # Errors
/// When it is damaged or was written by a newer version.
pub async fn adopt(copy: &Path, made_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    const WHAT: &str = "go on from a copy of the store";
    let mut connection = connect(copy).await?;
    check(&mut connection, copy).await?;
    connection.close().await.during(WHAT)?;
    // Without a log of its own: what is committed is in the file.
    let options = options(copy).journal_mode(SqliteJournalMode::Delete);
    let mut connection = open(&options, copy).await?;
    migrate::run(&mut connection).await?;
    let mut tx = connection.begin().await.during(WHAT)?;
    let on_its_way = match now.duration_since(made_at) < JOURNALS_REMEMBER {
        true => "sent",
        false => "accepted",
    };
    sqlx::query("update action set status = $1 where status in ('sent', 'accepted', 'running')")
        .bind(on_its_way)
        .execute(&mut *tx)
        .await
        .during(WHAT)?;
    sqlx::query(
        "update action set status = 'failed', finished_at = $1, error = $2, hint = $3
         where status = 'queued' and deadline <= $1",
    )
    .bind(micros(now))
    .bind("The server was restored from a backup that is older than the action may wait")
    .bind("Look at the host, then ask again")
    .execute(&mut *tx)
    .await
    .during(WHAT)?;
    // A token of a copy may have been used since, and a sign-in ended.
    sqlx::raw_sql("delete from session; delete from join_token")
        .execute(&mut *tx)
        .await
        .during(WHAT)?;
    tx.commit().await.during(WHAT)?;
    connection.close().await.during(WHAT)
}

/// Whether `folder` has a store.
pub fn is_there(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Puts the file `new`, of the same file system, in the place of the store of `folder`. What was there is first linked
/// into `keep`, so that nothing is lost whenever this is cut off.
///
/// # Errors
/// `InUse` when a server has the store open; or when a file cannot be moved.
pub fn replace(folder: &Path, new: &Path, keep: &Path) -> Result<(), StoreError> {
    let _lock = lock(folder)?;
    let log = [format!("{FILE}-wal"), format!("{FILE}-shm")];
    for name in [FILE, &log[0], &log[1]] {
        let path = folder.join(name);
        ignore_missing(std::fs::hard_link(&path, keep.join(name)), &path)?;
    }
    // A log beside another database than its own would damage that.
    for name in &log {
        let path = folder.join(name);
        ignore_missing(std::fs::remove_file(&path), &path)?;
    }
    let path = folder.join(FILE);
    std::fs::rename(new, &path).map_err(|source| StoreError::Folder { path, source })
}

fn ignore_missing(result: io::Result<()>, path: &Path) -> Result<(), StoreError> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.map_err(|source| StoreError::Folder {
            path: path.to_owned(),
            source,
        }),
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(30))
}

async fn connect(file: &Path) -> Result<SqliteConnection, StoreError> {
    open(&options(file), file).await
}

async fn open(options: &SqliteConnectOptions, file: &Path) -> Result<SqliteConnection, StoreError> {
    options.connect().await.map_err(|source| StoreError::Open {
        path: file.to_owned(),
        source,
    })
}

async fn check(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Damaged {
        path: file.to_owned(),
        why,
    };
    let rows = sqlx::query("pragma integrity_check(1)")
        .fetch_all(connection)
        .await
        .map_err(|error| damaged(error.to_string()))?;
    let word: String = match rows.first() {
        Some(row) => row
            .try_get(0)
            .map_err(|error: sqlx::Error| damaged(error.to_string()))?,
        None => String::new(),
    };
    match word.as_str() {
        "ok" => Ok(()),
        _ => Err(damaged(word)),
    }
}

fn text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::Folder {
        path: path.to_owned(),
        source: io::Error::new(ErrorKind::InvalidInput, "the name is no text"),
    })
}
