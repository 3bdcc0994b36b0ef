//! The change feed: one line per committed change, in the order of commits.
//!
//! SQLite has one writer, so the order of `rev` is the order of commits and a reader misses nothing by remembering
//! the last one it saw. Lines are kept for a quarter of an hour; a reader that comes later must start anew.

use crate::error::{During, StoreError};
use crate::sql::{Columns, int, micros};
use crate::store::Store;
use crate::writer::Tx;
use jiff::{SignedDuration, Timestamp};
use model::ObjectKind;
use sqlx::{AssertSqlSafe, QueryBuilder, SqliteConnection};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// How long lines are kept.
pub const KEEP: SignedDuration = SignedDuration::from_mins(15);

/// Lines of one statement.
const LINES: usize = 100;

/// A place in the change feed; prints as the event id `<epoch>-<rev>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Which run of the store.
    pub epoch: Arc<str>,
    /// Line in its feed.
    pub rev: u64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.rev)
    }
}

/// A line of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place.
    pub rev: u64,
    /// What kind of object changed.
    pub topic: ObjectKind,
    /// Which one.
    pub object: Uuid,
    /// Its generation after the change.
    pub r#gen: u64,
}

impl Store {
    /// The newest place in the feed.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        const WHAT: &str = "read the position of the change feed";
        let mut reader = self.readers.acquire().await.during(WHAT)?;
        let rev = newest(&mut reader).await.during(WHAT)?;
        Ok(self.revision_at(rev))
    }

    /// The place `rev` of this run.
    pub fn revision_at(&self, rev: u64) -> Revision {
        Revision {
            epoch: Arc::from(self.feed_epoch()),
            rev,
        }
    }

    /// Up to `limit` lines after `rev`, in order. `None` when lines after `rev` have been dropped already.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn changes_since(
        &self,
        rev: u64,
        limit: u32,
    ) -> Result<Option<Vec<ChangeRow>>, StoreError> {
        const WHAT: &str = "read the change feed";
        let mut tx = self.readers.begin().await.during(WHAT)?;
        let newest = newest(&mut tx).await.during(WHAT)?;
        let rows = sqlx::query(
            "select rev, topic, object, gen from change_feed where rev > $1 order by rev limit $2",
        )
        .bind(int(rev))
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await
        .during(WHAT)?;
        let rows: Vec<ChangeRow> = rows
            .iter()
            .map(change)
            .collect::<Result<_, _>>()
            .during(WHAT)?;
        let first_kept = rows.first().map_or(newest + 1, |row| row.rev);
        Ok((rev <= newest && first_kept == rev + 1).then_some(rows))
    }

    /// Drops lines older than [`KEEP`], objects gone for an hour, and what else has had its time.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        const WHAT: &str = "drop old records";
        const STATEMENTS: [(&str, SignedDuration); 7] = [
            ("delete from change_feed where at < $1", KEEP),
            ("delete from vm where gone_at < $1", GONE),
            ("delete from pool where gone_at < $1", GONE),
            ("delete from network where gone_at < $1", GONE),
            ("delete from client_key where created_at < $1", DAY),
            (
                "delete from session where expires_at < $1",
                SignedDuration::ZERO,
            ),
            // An unresolved unknown outcome still blocks its lane and stays.
            (
                "delete from action where finished_at < $1 and (status <> 'unknown' or resolved = 1)",
                MONTH,
            ),
        ];
        let mut tx = self.begin(WHAT).await?;
        for (statement, age) in STATEMENTS {
            sqlx::query(statement)
                .bind(micros(now - age))
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
        }
        self.commit_quietly(tx, WHAT).await
    }
}

/// Longer than the feed, so that a generation never starts again while a browser may hold an old one.
const GONE: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

fn change(row: &sqlx::sqlite::SqliteRow) -> Result<ChangeRow, sqlx::Error> {
    Ok(ChangeRow {
        rev: row.number("rev")?,
        topic: row.word("topic", topic)?,
        object: row.uuid("object")?,
        r#gen: row.number("gen")?,
    })
}

fn topic(word: &str) -> Option<ObjectKind> {
    use ObjectKind::*;
    [Host, Vm, Pool, Network, Action]
        .into_iter()
        .find(|kind| kind.as_str() == word)
}

/// The last line ever written, as an expression.
pub(crate) const NEWEST: &str =
    "(select coalesce(max(seq), 0) from sqlite_sequence where name = 'change_feed')";

/// The last line ever written, also when it has been dropped since.
pub(crate) async fn newest(reader: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let select = format!("select {NEWEST} as rev");
    let row = sqlx::query(AssertSqlSafe(select)).fetch_one(reader).await?;
    row.number("rev")
}

/// Appends lines for objects with their new generations, in the transaction of the change.
pub(crate) async fn append_all(
    tx: &mut Tx,
    lines: &[(ObjectKind, Uuid, u64)],
) -> Result<(), sqlx::Error> {
    let now = micros(Timestamp::now());
    for lines in lines.chunks(LINES) {
        let mut sql = QueryBuilder::new("insert into change_feed (topic, object, gen, at) ");
        sql.push_values(lines, |mut row, (topic, object, r#gen)| {
            row.push_bind(topic.as_str())
                .push_bind(object.to_string())
                .push_bind(int(*r#gen))
                .push_bind(now);
        });
        sql.build().execute(&mut **tx).await?;
    }
    Ok(())
}

/// Appends a line in the transaction of the change.
pub(crate) async fn append(
    tx: &mut Tx,
    topic: ObjectKind,
    object: &str,
    r#gen: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into change_feed (topic, object, gen, at) values ($1, $2, $3, $4)")
        .bind(topic.as_str())
        .bind(object)
        .bind(int(r#gen))
        .bind(micros(Timestamp::now()))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
