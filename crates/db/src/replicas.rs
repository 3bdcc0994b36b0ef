//! The servers that share a database, and what they tell each other.
//!
//! A server renews its entry every few seconds; by the database's clock, not its own, it is known to be gone when it has
//! not. Its hosts count as unreachable from then on, and nothing it might still write on their behalf is taken.

use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::hosts;
use crate::postgres::Listener;
use crate::sql::{Row, SqlError, query};
use crate::store::Store;
use jiff::SignedDuration;
use model::{Freshness, HostId};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// A server that has not renewed its entry for this long is gone.
pub const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The process.
    pub id: Uuid,
    /// Where people reach it.
    pub url: String,
    /// Where agents reach it, `https://NAME:PORT`; empty when they cannot.
    pub agents: String,
    /// Fingerprint of the CA whose certificates it shows to agents; empty without one.
    pub ca: String,
    /// Fingerprint of the key that it shows to other servers; empty without a CA.
    pub key: String,
}

/// What a server has told another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// To whom; everybody without.
    pub to: Option<Uuid>,
    /// What it is about.
    pub about: Arc<str>,
    /// The rest of it.
    pub data: Json,
}

impl Told {
    /// The inverse of what is said; `None` for anything else.
    pub(crate) fn read(said: &str) -> Option<Self> {
        let mut words = said.splitn(3, ' ');
        let to = match words.next()? {
            "all" => None,
            id => Some(id.parse().ok()?),
        };
        Some(Self {
            to,
            about: words.next()?.into(),
            data: serde_json::from_str(words.next()?).ok()?,
        })
    }

    fn say(&self, listener: &Listener) {
        let to = self
            .to
            .map_or_else(|| "all".to_owned(), |to| to.to_string());
        listener.say(format!("{to} {} {}", self.about, self.data));
    }
}

fn replica(row: &Row) -> Result<Replica, SqlError> {
    Ok(Replica {
        id: row.uuid("id")?,
        url: row.text("url")?,
        agents: row.text("agents")?,
        ca: row.text("ca")?,
        key: row.text("key")?,
    })
}

impl Store {
    /// Tells other servers something; they hear it within moments, or never. At most a few thousand characters.
    pub fn tell(&self, what: &Told) {
        if let Some(listener) = &self.listener {
            what.say(listener);
        }
    }

    /// Enters a server, or renews its entry. False when it was there before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_replica(&self, me: &Replica) -> Result<bool, StoreError> {
        const WHAT: &str = "say that this server is here";
        let mut tx = self.begin(WHAT).await?;
        let now = tx.dialect().now();
        let renewed = query(format!("update replica set seen_at = {now} where id = $1"))
            .bind(me.id.to_string())
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        if renewed == 0 {
            let insert = format!(
                "insert into replica (id, url, agents, ca, key, seen_at) values ($1, $2, $3, $4, $5, {now})"
            );
            query(insert)
                .bind(me.id.to_string())
                .bind(&me.url)
                .bind(&me.agents)
                .bind(&me.ca)
                .bind(&me.key)
                .execute(&mut tx)
                .await
                .during(WHAT)?;
        }
        self.commit_quietly(tx, WHAT).await?;
        Ok(renewed == 0)
    }

    /// The servers that are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_replicas(&self) -> Result<Vec<Replica>, StoreError> {
        const WHAT: &str = "list the servers";
        let rows = query("select * from replica order by id")
            .fetch_all(self)
            .await
            .during(WHAT)?;
        rows.iter()
            .map(replica)
            .collect::<Result<_, _>>()
            .during(WHAT)
    }

    /// How many hosts have sessions with each server.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hosts_by_server(&self) -> Result<HashMap<Uuid, u64>, StoreError> {
        const WHAT: &str = "count the hosts of the servers";
        let rows = query(
            "select owner, count(*) as n from host
             where owner <> '' and freshness <> 'unreachable' and removed_at is null group by owner",
        )
        .fetch_all(self)
        .await
        .during(WHAT)?;
        let counts = rows
            .iter()
            .map(|row| Ok((row.uuid("owner")?, row.number("n")?)));
        counts.collect::<Result<_, _>>().during(WHAT)
    }

    /// A server ends: what was its is free.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave_replica(&self, id: Uuid) -> Result<(), StoreError> {
        const WHAT: &str = "say that this server ends";
        let mut tx = self.begin(WHAT).await?;
        query("delete from replica where id = $1")
            .bind(id.to_string())
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        self.forget_sessions().await.map(drop)
    }

    /// Forgets servers that have not renewed their entries, and the sessions of agents with servers that are not there;
    /// how many hosts became unreachable by that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_dead_replicas(&self) -> Result<usize, StoreError> {
        const WHAT: &str = "forget servers that are gone";
        let mut tx = self.begin(WHAT).await?;
        let now = tx.dialect().now();
        query(format!("delete from replica where seen_at < {now} - $1"))
            .bind(i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX))
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        self.forget_sessions().await
    }

    /// Nobody else can have the file, whatever its rows say.
    pub(crate) async fn forget_all_replicas(&self) -> Result<(), StoreError> {
        const WHAT: &str = "forget the servers of an earlier run";
        let mut tx = self.begin(WHAT).await?;
        query("delete from replica")
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        self.forget_sessions().await.map(drop)
    }

    /// The server that has the session of a host's agent, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owner_of(&self, host: HostId) -> Result<Option<Uuid>, StoreError> {
        const WHAT: &str = "find the server of an agent";
        let row =
            query("select owner from host where id = $1 and owner in (select id from replica)")
                .bind(host.to_string())
                .fetch_optional(self)
                .await
                .during(WHAT)?;
        row.map(|row| row.uuid("owner")).transpose().during(WHAT)
    }

    /// Ends the sessions with servers that are not there.
    async fn forget_sessions(&self) -> Result<usize, StoreError> {
        const WHAT: &str = "forget the sessions of servers that are gone";
        let rows = query(format!("select id from host where {ORPHANED}"))
            .fetch_all(self)
            .await
            .during(WHAT)?;
        // Where others write as well, no more than one host is kept from them.
        let together = if self.is_shared() {
            1
        } else {
            rows.len().max(1)
        };
        let mut forgotten = 0;
        for rows in rows.chunks(together) {
            let mut tx = self.begin(WHAT).await?;
            for row in rows {
                let host = HostId(row.uuid("id").during(WHAT)?);
                forgotten += usize::from(forget_session(&mut tx, host).await.during(WHAT)?);
            }
            self.commit(tx, WHAT).await?;
        }
        Ok(forgotten)
    }
}

/// A host whose server is not there.
const ORPHANED: &str = "owner <> '' and owner not in (select id from replica)";

async fn forget_session(tx: &mut Tx, host: HostId) -> Result<bool, SqlError> {
    tx.lock_hosts([host]).await?;
    let ended = query(format!(
        "update host set owner = '' where id = $1 and {ORPHANED}"
    ))
    .bind(host.to_string())
    .execute(&mut *tx)
    .await?;
    if ended == 0 {
        return Ok(false);
    }
    if hosts::set_freshness(tx, host, Freshness::Unreachable, "").await? {
        hosts::bump(tx, host).await?;
    }
    Ok(true)
}
