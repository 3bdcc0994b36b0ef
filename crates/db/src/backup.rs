//! Copies of the store, and going on from one.
//!
//! A copy is of one moment; what agents have done since is in their journals, which remember an action for a week after
//! the server has had its result. So actions that were on their way are simply sent again: an agent that has carried one
//! out answers with what came of it and does nothing. Of a copy that is older than the journals nobody knows: an agent
//! that does not know such an action makes its outcome unknown, and it is not sent again.

use crate::error::{During, StoreError};
use crate::migrate;
use crate::sql::{SqlError, micros};
use crate::sqlite::{self, run};
use crate::store::{FILE, lock, open_private};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// Agents keep results for seven days after the server has had them; a day less, for clocks that differ.
const JOURNALS_REMEMBER: SignedDuration = SignedDuration::from_hours(6 * 24);

/// How long one may wait for a server that has the file locked.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes the store of `folder` to the new file `to`, as it is at one moment. A server may have it open and goes on.
///
/// # Errors
/// When there is none, it was written by a newer version, or the copy cannot be written or is damaged.
pub fn copy(folder: &Path, to: &Path) -> Result<(), StoreError> {
    const WHAT: &str = "copy the store";
    let connection = connect(&folder.join(FILE))?;
    migrate::refuse_newer(&connection)?;
    open_private(to)?;
    run(&connection, "vacuum into $1", &[text(to)?.into()]).during(WHAT)?;
    check(&connect(to)?, to)
}

/// Makes a copy that was taken at `made_at` fit to go on from: brings its schema up to date, ends sign-ins and tokens to
/// join, and sorts out the actions that were on their way.
///
/// # Errors
/// When it is damaged or was written by a newer version.
pub fn adopt(copy: &Path, made_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    const WHAT: &str = "go on from a copy of the store";
    let mut connection = connect(copy)?;
    check(&connection, copy)?;
    // Without a log of its own: what is committed is in the file.
    let without_log = connection.pragma_update(None, "journal_mode", "delete");
    without_log.map_err(SqlError::from).during(WHAT)?;
    migrate::sqlite(&mut connection)?;
    sort_out(&connection, made_at, now).during(WHAT)
}

fn sort_out(connection: &Connection, made_at: Timestamp, now: Timestamp) -> Result<(), SqlError> {
    let tx = connection.unchecked_transaction()?;
    let on_its_way = match now.duration_since(made_at) < JOURNALS_REMEMBER {
        true => "sent",
        false => "accepted",
    };
    run(
        &tx,
        "update action set status = $1 where status in ('sent', 'accepted', 'running')",
        &[on_its_way.into()],
    )?;
    run(
        &tx,
        "update action set status = 'failed', finished_at = $1, error = $2, hint = $3
         where status = 'queued' and deadline <= $1",
        &[
            micros(now).into(),
            "The server was restored from a backup that is older than the action may wait".into(),
            "Look at the host, then ask again".into(),
        ],
    )?;
    // A token of a copy may have been used since, and a sign-in ended.
    tx.execute_batch("delete from session; delete from join_token")?;
    Ok(tx.commit()?)
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

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let open = |source| StoreError::Open {
        path: file.to_owned(),
        source,
    };
    if !file.exists() {
        return Err(open(SqlError::NoRow));
    }
    sqlite::connect(file, true, PATIENCE).map_err(|error| open(error.into()))
}

fn check(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Damaged {
        path: file.to_owned(),
        why,
    };
    let word = connection.query_row("pragma integrity_check(1)", [], |row| row.get(0));
    let word: String = word.map_err(|error| damaged(error.to_string()))?;
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
