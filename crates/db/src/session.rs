//! Sessions of agents, and the fence around every write on a host's behalf.
//!
//! A session is the pair (owner, epoch) in the host's row. Opening one takes the next epoch, so that whatever an
//! older session still tries matches no row and is refused.

use crate::doc::{FactsDoc, json};
use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::feed;
use crate::hosts;
use crate::sql::{SqlError, int, micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::{Freshness, HostFacts, HostId, ObjectKind};
use uuid::Uuid;

/// Furthest an agent's epoch may be ahead of the store's: a restored store is behind, a broken agent is further off.
pub const MAX_EPOCH_JUMP: u64 = 1 << 20;

/// What an agent says when it opens a session.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Its host.
    pub host: HostId,
    /// The server process that serves the session.
    pub owner: Uuid,
    /// The highest epoch the agent has obeyed.
    pub said_epoch: u64,
    /// What the host is; `None` when the agent does not know it yet, and what the store knows stays.
    pub facts: Option<HostFacts>,
    /// Its agent has come with a key.
    pub joined: bool,
    /// Its agent is one that the server runs for a host without one.
    pub agentless: bool,
    /// Whether libvirt answers there.
    pub freshness: Freshness,
    /// Why it does not.
    pub problem: String,
}

/// Names a session in every write on its host's behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionKey {
    /// Whose.
    pub host: HostId,
    /// By which server process.
    pub owner: Uuid,
    /// Since which epoch.
    pub epoch: u64,
}

/// A session that has been opened, and how far the store's copy of the host is.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its key.
    pub key: SessionKey,
    /// The host's name; its id as text until an agent has told it.
    pub name: String,
    /// The agent process whose reports were applied last.
    pub instance: Uuid,
    /// The last of these.
    pub seq: u64,
    /// Digest of the stored inventory as the agent made it; empty when not known.
    pub digest: Vec<u8>,
}

impl Store {
    /// Opens a session: `epoch = max(stored, said) + 1`, `owner` = the caller. Any older session is over.
    ///
    /// # Errors
    /// `EpochJump` when the agent's epoch is too far ahead to be believed.
    pub async fn open_session(&self, opening: &Opening) -> Result<Opened, StoreError> {
        const WHAT: &str = "open a session";
        let id = opening.host.to_string();
        let mut tx = self.begin(WHAT).await?;
        insert_host(&mut tx, opening).await.during(WHAT)?;
        tx.lock_hosts([opening.host]).await.during(WHAT)?;
        let row = query(
            "select name, epoch, instance, seq, digest, connection is not null as agentless, runner
             from host where id = $1",
        )
        .bind(&id)
        .fetch_one(&mut tx)
        .await
        .during(WHAT)?;
        let stored = row.number("epoch").during(WHAT)?;
        if opening.said_epoch > stored + MAX_EPOCH_JUMP {
            return Err(StoreError::EpochJump {
                host: opening.host,
                said: opening.said_epoch,
                stored,
            });
        }
        // The host was removed, or another server runs its agent now; the one that calls is left over.
        let runner = row.optional_uuid("runner").during(WHAT)?;
        if opening.agentless
            && !(row.flag("agentless").during(WHAT)? && runner == Some(opening.owner))
        {
            return Err(StoreError::Conflict {
                why: "this server no longer runs the agent of this host",
            });
        }
        let epoch = stored.max(opening.said_epoch) + 1;
        query(
            "update host set owner = $2, epoch = $3, last_seen = $4, joined = $5, removed_at = null where id = $1",
        )
        .bind(&id)
        .bind(opening.owner.to_string())
        .bind(int(epoch))
        .bind(micros(Timestamp::now()))
        .bind(opening.joined)
        .execute(&mut tx)
        .await
        .during(WHAT)?;
        let facts = match &opening.facts {
            Some(facts) => write_facts(&mut tx, opening.host, facts).await,
            None => Ok(stored == 0),
        }
        .during(WHAT)?;
        let fresh =
            hosts::set_freshness(&mut tx, opening.host, opening.freshness, &opening.problem)
                .await
                .during(WHAT)?;
        if facts || fresh {
            hosts::bump(&mut tx, opening.host).await.during(WHAT)?;
        }
        self.commit(tx, WHAT).await?;
        let told = opening.facts.as_ref().map(|facts| facts.name.clone());
        Ok(Opened {
            name: told.map_or_else(|| row.text("name"), Ok).during(WHAT)?,
            key: SessionKey {
                host: opening.host,
                owner: opening.owner,
                epoch,
            },
            instance: row.uuid("instance").during(WHAT)?,
            seq: row.number("seq").during(WHAT)?,
            digest: row
                .optional_blob("digest")
                .during(WHAT)?
                .unwrap_or_default(),
        })
    }

    /// Records that the agent spoke.
    ///
    /// # Errors
    /// `LostSession` when the session is over.
    pub async fn touch(&self, key: SessionKey) -> Result<(), StoreError> {
        const WHAT: &str = "record a heartbeat";
        let mut tx = self.begin(WHAT).await?;
        fence(&mut tx, key).await?;
        self.commit_quietly(tx, WHAT).await
    }

    /// Records how fresh the host is, and why it is not.
    ///
    /// # Errors
    /// `LostSession` when the session is over.
    pub async fn set_condition(
        &self,
        key: SessionKey,
        freshness: Freshness,
        problem: &str,
    ) -> Result<(), StoreError> {
        const WHAT: &str = "record the condition of a host";
        let mut tx = self.begin(WHAT).await?;
        fence(&mut tx, key).await?;
        if hosts::set_freshness(&mut tx, key.host, freshness, problem)
            .await
            .during(WHAT)?
        {
            hosts::bump(&mut tx, key.host).await.during(WHAT)?;
        }
        self.commit(tx, WHAT).await
    }
}

/// How far the record of a host is.
pub(crate) struct Position {
    /// The agent process whose reports were applied last.
    pub(crate) instance: Uuid,
    /// The last of these.
    pub(crate) seq: u64,
    /// Generation of the host.
    pub(crate) r#gen: u64,
}

/// Proves, inside the transaction of the write, that the session is still the host's.
pub(crate) async fn fence(tx: &mut Tx, key: SessionKey) -> Result<Position, StoreError> {
    const WHAT: &str = "check the session of a host";
    let row = query(
        "update host set last_seen = $4 where id = $1 and owner = $2 and epoch = $3
         returning instance, seq, gen",
    )
    .bind(key.host.to_string())
    .bind(key.owner.to_string())
    .bind(int(key.epoch))
    .bind(micros(Timestamp::now()))
    .fetch_optional(&mut *tx)
    .await
    .during(WHAT)?;
    let lost = || StoreError::LostSession {
        host: key.host,
        epoch: key.epoch,
    };
    let row = row.ok_or_else(lost)?;
    Ok(Position {
        instance: row.uuid("instance").during(WHAT)?,
        seq: row.number("seq").during(WHAT)?,
        r#gen: row.number("gen").during(WHAT)?,
    })
}

async fn insert_host(tx: &mut Tx, opening: &Opening) -> Result<(), SqlError> {
    query(
        "insert into host (id, name, facts, freshness, owner, epoch, instance, seq, gen, last_seen, search)
         values ($1, $1, $2, 'unreachable', '', 0, $3, 0, 0, 0, $1) on conflict (id) do nothing",
    )
    .bind(opening.host.to_string())
    .bind(json(&FactsDoc::default()))
    .bind(Uuid::nil().to_string())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Writes the facts; true if they changed. A new name shows in every object of the host.
pub(crate) async fn write_facts(
    tx: &mut Tx,
    host: HostId,
    facts: &HostFacts,
) -> Result<bool, SqlError> {
    let done = query(
        "update host set name = $2, facts = $3, search = $4
         where id = $1 and (name <> $2 or facts <> $3)",
    )
    .bind(host.to_string())
    .bind(&facts.name)
    .bind(json(&FactsDoc::of(facts)))
    .bind(hosts::search_text(facts))
    .execute(&mut *tx)
    .await?;
    Ok(done > 0)
}

/// Appends a line for an object whose generation has just grown.
pub(crate) async fn changed(
    tx: &mut Tx,
    kind: ObjectKind,
    id: Uuid,
    r#gen: u64,
) -> Result<(), SqlError> {
    feed::append(tx, kind, &id.to_string(), r#gen).await
}
