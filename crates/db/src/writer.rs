//! The one connection that writes, and how transactions share a commit.
//!
//! ```text
//!  A: begin ─ statements ─ end of part ─────────────────────▶ commit of A, B and C
//!  B:     (in line)                     begin ─ … ─ end of part ──────────────▶ (done already)
//!  C:          (in line)                                begin ─ … ─ end ──────▶ (done already)
//! ```
//! A commit waits for the disk, so one for each of a thousand small changes a second is too many. Whoever has ended its
//! part hands the connection to the next in line and lines up again to commit: when its turn comes, everybody who was
//! waiting meanwhile has had a turn too, and one commit is good for all. Alone, nobody waits for anybody.
//!
//! Each part is a savepoint. One that is given up, or whose caller went away in the middle, is rolled back by the next in
//! line and takes nothing of the others along. An error that ends the whole transaction (a full disk) fails every part
//! of it that is not committed.

use sqlx::{Connection as _, Error, Executor as _, SqliteConnection};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Rounds whose failure is remembered for those who have not asked yet.
const FAILURES: usize = 256;

/// The writing connection.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    line: Arc<Mutex<Line>>,
    /// Those that stand in line to begin.
    waiting: Arc<AtomicUsize>,
}

/// What the one whose turn it is holds.
#[derive(Debug)]
struct Line {
    /// Absent once the store is closed.
    connection: Option<SqliteConnection>,
    /// A transaction is open.
    open: bool,
    /// The last part was given up and not rolled back yet.
    given_up: bool,
    /// Counts transactions.
    round: u64,
    /// Those that have failed, and why.
    failed: VecDeque<(u64, String)>,
}

/// A part of a transaction, alone on the connection. Dropped without a commit it has no effect.
#[derive(Debug)]
pub(crate) struct Tx {
    line: OwnedMutexGuard<Line>,
    ended: bool,
}

impl Writer {
    pub(crate) fn new(connection: SqliteConnection) -> Self {
        let line = Line {
            connection: Some(connection),
            open: false,
            given_up: false,
            round: 0,
            failed: VecDeque::new(),
        };
        Self {
            line: Arc::new(Mutex::new(line)),
            waiting: Arc::default(),
        }
    }

    /// Begins a part, when its turn has come.
    pub(crate) async fn begin(&self) -> Result<Tx, Error> {
        let (line, waiting) = (self.line.clone(), self.waiting.clone());
        // In a task of its own: what is begun here comes to an end, also when the caller goes away.
        to_its_end(async move {
            waiting.fetch_add(1, Ordering::Relaxed);
            let mut line = line.lock_owned().await;
            waiting.fetch_sub(1, Ordering::Relaxed);
            line.tidy().await?;
            // Each statement is a way to SQLite's thread and back: two go together where they can.
            match line.open {
                true => line.run("savepoint part").await?,
                false => line.run("begin immediate; savepoint part").await?,
            }
            line.open = true;
            Ok(Tx { line, ended: false })
        })
        .await
    }

    /// Ends a part. When this returns, it is on disk.
    pub(crate) async fn commit(&self, mut tx: Tx) -> Result<(), Error> {
        let (line, waiting) = (self.line.clone(), self.waiting.clone());
        to_its_end(async move {
            let round = tx.line.round;
            if waiting.load(Ordering::Relaxed) == 0 {
                tx.ended = true;
                tx.line.commit("release part; commit").await;
                return tx.line.outcome(round);
            }
            tx.line.run("release part").await?;
            tx.ended = true;
            drop(tx);
            let mut line = line.lock_owned().await;
            line.tidy().await?;
            if line.round == round {
                line.commit("commit").await;
            }
            line.outcome(round)
        })
        .await
    }

    /// Closes the connection; what is begun later fails.
    pub(crate) async fn close(&self) {
        let mut line = self.line.lock().await;
        if line.tidy().await.is_ok() && line.open {
            line.commit("commit").await;
        }
        if let Some(connection) = line.connection.take() {
            // What was committed is on disk; there is nothing more to lose.
            let _ = connection.close().await;
        }
    }
}

/// Polls `work` to its end whatever becomes of the caller.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime ends.
        Err(_) => Err(Error::PoolClosed),
    }
}

impl Line {
    async fn run(&mut self, statement: &'static str) -> Result<(), Error> {
        let connection = self.connection.as_mut().ok_or(Error::PoolClosed)?;
        connection.execute(statement).await.map(drop)
    }

    /// Rolls back a part that was given up.
    async fn tidy(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.given_up) {
            return Ok(());
        }
        let undone = match self.run("rollback to part").await {
            Ok(()) => self.run("release part").await,
            Err(error) => Err(error),
        };
        if let Err(error) = undone {
            // SQLite has ended the transaction with all its parts.
            self.fail(error.to_string()).await;
        }
        match self.connection {
            Some(_) => Ok(()),
            None => Err(Error::PoolClosed),
        }
    }

    async fn commit(&mut self, how: &'static str) {
        match self.run(how).await {
            Ok(()) => {
                self.open = false;
                self.round += 1;
            }
            Err(error) => self.fail(error.to_string()).await,
        }
    }

    async fn fail(&mut self, why: String) {
        // There is nothing to roll back if SQLite has done it already.
        let _ = self.run("rollback").await;
        if self.failed.len() == FAILURES {
            self.failed.pop_front();
        }
        self.failed.push_back((self.round, why));
        self.open = false;
        self.round += 1;
    }

    /// What became of a round that has ended.
    fn outcome(&self, round: u64) -> Result<(), Error> {
        match self.failed.iter().find(|(failed, _)| *failed == round) {
            Some((_, why)) => Err(Error::Protocol(format!("the transaction failed: {why}"))),
            None => Ok(()),
        }
    }
}

impl Deref for Tx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        let connection = self.line.connection.as_ref();
        connection
            .expect("a part is begun on a connection, which nobody can close while it is held")
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        let connection = self.line.connection.as_mut();
        connection
            .expect("a part is begun on a connection, which nobody can close while it is held")
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        self.line.given_up |= !self.ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::ConnectOptions as _;
    use sqlx::Row as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
    use std::path::Path;

    async fn connect(file: &Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(file);
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        options.connect().await.expect("opens")
    }

    async fn writer() -> (tempfile::TempDir, Writer, SqliteConnection) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.db");
        let mut connection = connect(&file).await;
        let made = connection
            .execute("create table t (n integer unique)")
            .await;
        made.expect("is made");
        let reader = connect(&file).await;
        (folder, Writer::new(connection), reader)
    }

    async fn insert(tx: &mut Tx, n: i64) -> Result<(), Error> {
        let query = sqlx::query("insert into t values ($1)").bind(n);
        query.execute(&mut **tx).await.map(drop)
    }

    async fn rows(reader: &mut SqliteConnection) -> Vec<i64> {
        let rows = reader
            .fetch_all("select n from t order by n")
            .await
            .expect("reads");
        rows.iter().map(|row| row.get(0)).collect()
    }

    #[tokio::test]
    async fn what_is_committed_is_there_and_what_is_given_up_is_not() {
        let (_folder, writer, mut reader) = writer().await;
        let mut tx = writer.begin().await.expect("begins");
        insert(&mut tx, 1).await.expect("is written");
        writer.commit(tx).await.expect("is committed");
        let mut tx = writer.begin().await.expect("begins");
        insert(&mut tx, 2).await.expect("is written");
        drop(tx);
        assert_eq!(rows(&mut reader).await, [1]);
        let mut tx = writer.begin().await.expect("begins");
        insert(&mut tx, 3).await.expect("is written");
        writer.commit(tx).await.expect("is committed");
        assert_eq!(rows(&mut reader).await, [1, 3]);
    }

    #[tokio::test]
    async fn those_in_line_share_a_commit_and_a_failure_among_them_is_its_own() {
        let (_folder, writer, mut reader) = writer().await;
        let first = writer.begin().await.expect("begins");
        let part = |n: i64| {
            let writer = writer.clone();
            async move {
                let mut tx = writer.begin().await?;
                insert(&mut tx, n).await?;
                writer.commit(tx).await?;
                let round = writer.line.lock().await.round;
                Ok::<u64, Error>(round)
            }
        };
        let parts: Vec<_> = [1, 2, 2, 3].map(|n| tokio::spawn(part(n))).into();
        // All of them stand in line behind the first.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(first);
        let mut rounds = Vec::new();
        let mut failed = 0;
        for part in parts {
            match part.await.expect("ends") {
                Ok(round) => rounds.push(round),
                Err(error) => {
                    assert!(
                        error
                            .as_database_error()
                            .is_some_and(|e| e.is_unique_violation())
                    );
                    failed += 1;
                }
            }
        }
        assert_eq!((rounds.len(), failed), (3, 1));
        assert_eq!(rows(&mut reader).await, [1, 2, 3]);
        let last = writer.line.lock().await.round;
        assert!(last < 3, "{last} commits for three parts");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_nothing_behind() {
        let (_folder, writer, mut reader) = writer().await;
        for n in 0..50_u64 {
            let part = async {
                let mut tx = writer.begin().await.expect("begins");
                insert(&mut tx, i64::try_from(n).expect("small"))
                    .await
                    .expect("is written");
                tokio::task::yield_now().await;
                drop(tx);
            };
            let patience = std::time::Duration::from_micros(n * 20);
            let _ = tokio::time::timeout(patience, part).await;
        }
        let mut tx = writer.begin().await.expect("begins");
        insert(&mut tx, 100).await.expect("is written");
        writer.commit(tx).await.expect("is committed");
        assert_eq!(rows(&mut reader).await, [100]);
    }

    #[tokio::test]
    async fn a_transaction_that_is_gone_fails_all_its_parts() {
        let (_folder, writer, mut reader) = writer().await;
        let mut tx = writer.begin().await.expect("begins");
        insert(&mut tx, 1).await.expect("is written");
        let waits = tokio::spawn({
            let writer = writer.clone();
            async move {
                let mut tx = writer.begin().await?;
                // As SQLite does when the disk is full.
                tx.execute("rollback").await?;
                drop(tx);
                Ok::<(), Error>(())
            }
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let error = writer.commit(tx).await.expect_err("is gone");
        assert!(error.to_string().contains("no such savepoint"), "{error}");
        waits.await.expect("ends").expect("is done");
        assert_eq!(rows(&mut reader).await, [0_i64; 0]);
        let mut tx = writer.begin().await.expect("begins");
        insert(&mut tx, 2).await.expect("is written");
        writer.commit(tx).await.expect("is committed");
        assert_eq!(rows(&mut reader).await, [2]);
        writer.close().await;
        assert!(writer.begin().await.is_err());
    }
}
