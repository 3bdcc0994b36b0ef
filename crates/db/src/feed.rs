//! The change feed: one line per committed change, in the order of commits.
//!
//! A reader misses nothing by remembering the last [`Place`] it saw. Lines are kept for a quarter of an hour; a reader
//! that comes later must start anew.

use crate::engine::{Reader, Tx};
use crate::error::{During, StoreError};
use crate::sql::{Builder, Dialect, Row, SqlError, damaged, int, micros, query};
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use model::ObjectKind;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// How long lines are kept.
pub const KEEP: SignedDuration = SignedDuration::from_mins(15);

/// Lines of one statement.
const LINES: usize = 100;

/// A place in the change feed: all lines up to it, and none after it.
///
/// On SQLite lines are numbered in the order of commits, and `turn` is 0. On PostgreSQL numbers are given before the
/// commit, so `turn` is the id of the transaction, and only lines of transactions are read before which none is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    turn: u64,
    line: u64,
}

/// Prints as `<line>` or `<turn>.<line>`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.turn {
            0 => write!(f, "{}", self.line),
            turn => write!(f, "{turn}.{}", self.line),
        }
    }
}

/// It is no place in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place in the change feed")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (turn, line) = text.split_once('.').unwrap_or(("0", text));
        let number = |digits: &str| digits.parse().map_err(|_| NoPlace);
        Ok(Self {
            turn: number(turn)?,
            line: number(line)?,
        })
    }
}

/// A place in the feed of one store; prints as the event id `<epoch>-<place>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Which feed.
    pub epoch: Arc<str>,
    /// Where in it.
    pub place: Place,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.place)
    }
}

/// A line of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place.
    pub place: Place,
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
    /// When the database fails.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        const WHAT: &str = "read the position of the change feed";
        let mut reader = self.read(WHAT).await?;
        let place = newest(&mut reader).await.during(WHAT)?;
        Ok(self.revision_at(place))
    }

    /// This place in the store's feed.
    pub fn revision_at(&self, place: Place) -> Revision {
        Revision {
            epoch: Arc::from(self.feed_epoch()),
            place,
        }
    }

    /// Up to `limit` lines after `place`, in order. `None` when lines after it have been dropped already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changes_since(
        &self,
        place: Place,
        limit: u32,
    ) -> Result<Option<Vec<ChangeRow>>, StoreError> {
        const WHAT: &str = "read the change feed";
        let mut reader = self.read(WHAT).await?;
        let newest = newest(&mut reader).await.during(WHAT)?;
        if place > newest || place < floor(&mut reader).await.during(WHAT)? {
            return Ok(None);
        }
        let rows = query(match reader.dialect() {
            Dialect::Sqlite => {
                "select 0 as turn, rev, topic, object, gen from change_feed
                 where rev > $2 and rev <= $4 order by rev limit $5"
            }
            Dialect::Postgres => {
                "select turn, rev, topic, object, gen from change_feed
                 where (turn, rev) > ($1, $2) and (turn, rev) <= ($3, $4) order by turn, rev limit $5"
            }
        })
        .bind(int(place.turn))
        .bind(int(place.line))
        .bind(int(newest.turn))
        .bind(int(newest.line))
        .bind(limit)
        .fetch_all(&mut reader)
        .await
        .during(WHAT)?;
        let rows: Result<_, _> = rows.iter().map(change).collect();
        rows.map(Some).during(WHAT)
    }

    /// Drops lines older than [`KEEP`], objects gone for an hour, and what else has had its time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        const WHAT: &str = "drop old records";
        const STATEMENTS: [(&str, SignedDuration); 6] = [
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
        // Objects come back to life in the hands of their hosts.
        tx.lock_all_hosts().await.during(WHAT)?;
        for (statement, age) in STATEMENTS {
            query(statement)
                .bind(micros(now - age))
                .execute(&mut tx)
                .await
                .during(WHAT)?;
        }
        drop_lines(&mut tx, now - KEEP).await.during(WHAT)?;
        self.commit_quietly(tx, WHAT).await
    }
}

/// Drops lines older than this, and notes from where on the feed is whole.
async fn drop_lines(tx: &mut Tx, before: Timestamp) -> Result<(), SqlError> {
    let last = query(match tx.dialect() {
        Dialect::Sqlite => {
            "select 0 as turn, rev from change_feed where at < $1 order by rev desc limit 1"
        }
        Dialect::Postgres => {
            "select turn, rev from change_feed where at < $1 order by turn desc, rev desc limit 1"
        }
    })
    .bind(micros(before))
    .fetch_optional(&mut *tx)
    .await?;
    let Some(last) = last else { return Ok(()) };
    query("delete from change_feed where at < $1")
        .bind(micros(before))
        .execute(&mut *tx)
        .await?;
    query(
        "insert into meta (key, value) values ('feed_floor', $1)
         on conflict (key) do update set value = excluded.value",
    )
    .bind(place(&last)?.to_string())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The last line that was dropped.
async fn floor(reader: &mut Reader) -> Result<Place, SqlError> {
    let row = query("select value from meta where key = 'feed_floor'")
        .fetch_optional(reader)
        .await?;
    let Some(row) = row else {
        return Ok(Place::default());
    };
    let word = row.text("value")?;
    word.parse()
        .map_err(|error: NoPlace| damaged("value", error))
}

/// Longer than the feed, so that a generation never starts again while a browser may hold an old one.
const GONE: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

fn place(row: &Row) -> Result<Place, SqlError> {
    Ok(Place {
        turn: row.number("turn")?,
        line: row.number("rev")?,
    })
}

fn change(row: &Row) -> Result<ChangeRow, SqlError> {
    Ok(ChangeRow {
        place: place(row)?,
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

/// The place up to which all lines can be read, those that have been dropped since as well.
pub(crate) async fn newest(reader: &mut Reader) -> Result<Place, SqlError> {
    let row = query(match reader.dialect() {
        Dialect::Sqlite => {
            "select 0 as turn, coalesce(max(seq), 0) as rev from sqlite_sequence where name = 'change_feed'"
        }
        // All before the oldest transaction that is still open.
        Dialect::Postgres => {
            "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as turn, 0 as rev"
        }
    })
    .fetch_one(reader)
    .await?;
    place(&row)
}

/// Appends lines for objects with their new generations, in the transaction of the change.
pub(crate) async fn append_all(
    tx: &mut Tx,
    lines: &[(ObjectKind, Uuid, u64)],
) -> Result<(), SqlError> {
    let now = micros(Timestamp::now());
    for lines in lines.chunks(LINES) {
        let mut sql = Builder::new("insert into change_feed (topic, object, gen, at) ");
        sql.push_rows(lines.iter().map(|(topic, object, r#gen)| {
            [
                topic.as_str().into(),
                object.to_string().into(),
                int(*r#gen).into(),
                now.into(),
            ]
        }));
        sql.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Appends a line in the transaction of the change.
pub(crate) async fn append(
    tx: &mut Tx,
    topic: ObjectKind,
    object: &str,
    r#gen: u64,
) -> Result<(), SqlError> {
    query("insert into change_feed (topic, object, gen, at) values ($1, $2, $3, $4)")
        .bind(topic.as_str())
        .bind(object)
        .bind(int(r#gen))
        .bind(micros(Timestamp::now()))
        .execute(&mut *tx)
        .await?;
    Ok(())
}
