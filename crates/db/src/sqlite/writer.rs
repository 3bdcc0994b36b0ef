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

use super::{blocking, run};
use crate::sql::{Answer, Executor, SqlError, Value};
use rusqlite::Connection;
use std::collections::VecDeque;
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
    connection: Option<Connection>,
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
pub(crate) struct Part {
    line: OwnedMutexGuard<Line>,
    ended: bool,
}

/// Stands in line as long as it lives, also when whoever waits goes away.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Writer {
    pub(crate) fn new(connection: Connection) -> Self {
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
    pub(crate) async fn begin(&self) -> Result<Part, SqlError> {
        let in_line = InLine::new(&self.waiting);
        let mut line = self.line.clone().lock_owned().await;
        drop(in_line);
        line.tidy()?;
        if !line.open {
            line.run("begin immediate")?;
            line.open = true;
        }
        line.run("savepoint part")?;
        Ok(Part { line, ended: false })
    }

    /// Ends a part. When this returns, it is on disk.
    pub(crate) async fn commit(&self, mut part: Part) -> Result<(), SqlError> {
        let round = part.line.round;
        part.line.run("release part")?;
        part.ended = true;
        if self.waiting.load(Ordering::Relaxed) == 0 {
            part.line.commit();
            return part.line.outcome(round);
        }
        drop(part);
        let line = self.line.clone();
        // In a task of its own: what was ended is committed, also when the caller goes away.
        let committed = tokio::spawn(async move {
            let mut line = line.lock_owned().await;
            line.tidy()?;
            if line.round == round {
                line.commit();
            }
            line.outcome(round)
        });
        match committed.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends.
            Err(_) => Err(SqlError::Closed),
        }
    }

    /// Closes the connection; what is begun later fails.
    pub(crate) async fn close(&self) {
        let mut line = self.line.lock().await;
        if line.tidy().is_ok() && line.open {
            line.commit();
        }
        // What was committed is on disk; there is nothing more to lose.
        line.connection = None;
    }
}

impl Line {
    fn run(&self, statement: &'static str) -> Result<(), SqlError> {
        let connection = self.connection.as_ref().ok_or(SqlError::Closed)?;
        run(connection, statement, &[]).map(drop)
    }

    /// Rolls back a part that was given up.
    fn tidy(&mut self) -> Result<(), SqlError> {
        if !std::mem::take(&mut self.given_up) {
            return Ok(());
        }
        let undone = self.run("rollback to part");
        if let Err(error) = undone.and_then(|()| self.run("release part")) {
            // SQLite has ended the transaction with all its parts.
            self.fail(error.to_string());
        }
        match self.connection {
            Some(_) => Ok(()),
            None => Err(SqlError::Closed),
        }
    }

    fn commit(&mut self) {
        match blocking(|| self.run("commit")) {
            Ok(()) => {
                self.open = false;
                self.round += 1;
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn fail(&mut self, why: String) {
        // There is nothing to roll back if SQLite has done it already.
        let _ = self.run("rollback");
        if self.failed.len() == FAILURES {
            self.failed.pop_front();
        }
        self.failed.push_back((self.round, why));
        self.open = false;
        self.round += 1;
    }

    /// What became of a round that has ended.
    fn outcome(&self, round: u64) -> Result<(), SqlError> {
        match self.failed.iter().find(|(failed, _)| *failed == round) {
            Some((_, why)) => Err(SqlError::Failed(why.clone())),
            None => Ok(()),
        }
    }
}

impl Executor for &mut Part {
    async fn run(self, sql: &str, values: &[Value]) -> Result<Answer, SqlError> {
        // A long row of statements lets others have a turn now and then.
        tokio::task::coop::consume_budget().await;
        let connection = self.line.connection.as_ref();
        run(connection.ok_or(SqlError::Closed)?, sql, values)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.line.given_up |= !self.ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::query;
    use crate::sqlite::connect;
    use std::time::Duration;

    fn writer() -> (tempfile::TempDir, Writer, Connection) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.db");
        let patience = Duration::from_secs(5);
        let connection = connect(&file, true, patience).expect("opens");
        connection
            .pragma_update(None, "journal_mode", "wal")
            .expect("has a log");
        connection
            .execute_batch("create table t (n integer unique)")
            .expect("is made");
        let reader = connect(&file, false, patience).expect("opens");
        (folder, Writer::new(connection), reader)
    }

    async fn insert(part: &mut Part, n: i64) -> Result<(), SqlError> {
        let insert = query("insert into t values ($1)").bind(n);
        insert.execute(part).await.map(drop)
    }

    fn rows(reader: &Connection) -> Vec<u64> {
        let answer = run(reader, "select n from t order by n", &[]).expect("reads");
        let numbers = answer.rows.iter().map(|row| row.number("n"));
        numbers.collect::<Result<_, _>>().expect("are numbers")
    }

    #[tokio::test]
    async fn what_is_committed_is_there_and_what_is_given_up_is_not() {
        let (_folder, writer, reader) = writer();
        let mut part = writer.begin().await.expect("begins");
        insert(&mut part, 1).await.expect("is written");
        writer.commit(part).await.expect("is committed");
        let mut part = writer.begin().await.expect("begins");
        insert(&mut part, 2).await.expect("is written");
        drop(part);
        assert_eq!(rows(&reader), [1]);
        let mut part = writer.begin().await.expect("begins");
        insert(&mut part, 3).await.expect("is written");
        writer.commit(part).await.expect("is committed");
        assert_eq!(rows(&reader), [1, 3]);
    }

    #[tokio::test]
    async fn those_in_line_share_a_commit_and_a_failure_among_them_is_its_own() {
        let (_folder, writer, reader) = writer();
        let first = writer.begin().await.expect("begins");
        let part = |n: i64| {
            let writer = writer.clone();
            async move {
                let mut part = writer.begin().await?;
                insert(&mut part, n).await?;
                writer.commit(part).await?;
                let round = writer.line.lock().await.round;
                Ok::<u64, SqlError>(round)
            }
        };
        let parts: Vec<_> = [1, 2, 2, 3].map(|n| tokio::spawn(part(n))).into();
        // All of them stand in line behind the first.
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(first);
        let mut rounds = Vec::new();
        let mut failed = 0;
        for part in parts {
            match part.await.expect("ends") {
                Ok(round) => rounds.push(round),
                Err(error) => {
                    assert!(error.is_unique_violation(), "{error}");
                    failed += 1;
                }
            }
        }
        assert_eq!((rounds.len(), failed), (3, 1));
        assert_eq!(rows(&reader), [1, 2, 3]);
        let last = writer.line.lock().await.round;
        assert!(last < 3, "{last} commits for three parts");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_nothing_behind() {
        let (_folder, writer, reader) = writer();
        for n in 0..50_u64 {
            let part = async {
                let mut part = writer.begin().await.expect("begins");
                insert(&mut part, i64::try_from(n).expect("small"))
                    .await
                    .expect("is written");
                tokio::task::yield_now().await;
                drop(part);
            };
            let patience = Duration::from_micros(n * 20);
            let _ = tokio::time::timeout(patience, part).await;
        }
        let mut part = writer.begin().await.expect("begins");
        insert(&mut part, 100).await.expect("is written");
        writer.commit(part).await.expect("is committed");
        assert_eq!(rows(&reader), [100]);
    }

    #[tokio::test]
    async fn what_was_ended_is_committed_when_its_caller_goes_away_in_line() {
        let (_folder, writer, reader) = writer();
        let mut first = writer.begin().await.expect("begins");
        insert(&mut first, 1).await.expect("is written");
        let second = tokio::spawn({
            let writer = writer.clone();
            async move { writer.begin().await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        // The second holds the connection now; the first waits to commit, and is gone.
        let gone = tokio::time::timeout(Duration::from_millis(50), writer.commit(first)).await;
        assert!(gone.is_err());
        drop(second.await.expect("ends").expect("begins"));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(rows(&reader), [1]);
    }

    #[tokio::test]
    async fn a_transaction_that_is_gone_fails_all_its_parts() {
        let (_folder, writer, reader) = writer();
        let mut part = writer.begin().await.expect("begins");
        insert(&mut part, 1).await.expect("is written");
        let waits = tokio::spawn({
            let writer = writer.clone();
            async move {
                let mut part = writer.begin().await?;
                // As SQLite does when the disk is full.
                query("rollback").execute(&mut part).await?;
                drop(part);
                Ok::<(), SqlError>(())
            }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        let error = writer.commit(part).await.expect_err("is gone");
        assert!(error.to_string().contains("no such savepoint"), "{error}");
        waits.await.expect("ends").expect("is done");
        assert_eq!(rows(&reader), [0_u64; 0]);
        let mut part = writer.begin().await.expect("begins");
        insert(&mut part, 2).await.expect("is written");
        writer.commit(part).await.expect("is committed");
        assert_eq!(rows(&reader), [2]);
        writer.close().await;
        assert!(writer.begin().await.is_err());
    }
}
