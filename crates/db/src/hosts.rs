//! Hosts as rows, and what of them follows from other rows: how many VMs they have, how fresh they are.

use crate::doc::FactsDoc;
use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::feed;
use crate::keys::{self, KeyRecord};
use crate::sql::{Row, SqlError, micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::{Freshness, HostFacts, HostId, ObjectKind};

/// A host with what the store knows about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRecord {
    /// Its id.
    pub id: HostId,
    /// Grows by one with every real change.
    pub r#gen: u64,
    /// What its agent last said of it.
    pub facts: HostFacts,
    /// How far its objects can be trusted.
    pub freshness: Freshness,
    /// What its agent says is wrong; empty while nothing is.
    pub problem: String,
    /// VMs on it.
    pub vms_total: u64,
    /// Of these, running.
    pub vms_running: u64,
    /// Last word of its agent, to within half a minute.
    pub last_seen: Timestamp,
    /// It has no agent of its own: the server runs one for it.
    pub agentless: bool,
}

pub(crate) fn host_row(row: &Row) -> Result<HostRecord, SqlError> {
    let facts: FactsDoc = row.json("facts")?;
    Ok(HostRecord {
        id: HostId(row.uuid("id")?),
        r#gen: row.number("gen")?,
        facts: facts.into_model(row.text("name")?),
        freshness: row.word("freshness", Freshness::from_word)?,
        problem: row.text("problem")?,
        vms_total: row.number("vms_total")?,
        vms_running: row.number("vms_running")?,
        last_seen: row.at("last_seen")?,
        agentless: row.optional_text("connection")?.is_some(),
    })
}

/// A host that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedHost {
    /// Its name.
    pub name: String,
    /// The key of its agent, which is forgotten.
    pub key: Option<KeyRecord>,
}

impl Store {
    /// Removes a host with all its objects and its key; `None` if there is none. What waited for it fails, and of what was
    /// on its way the outcome stays unknown. Its actions stay in the history. A session of a host without an agent of its
    /// own is over.
    ///
    /// # Errors
    /// `Conflict` while an agent of its own is connected.
    pub async fn remove_host(&self, host: HostId) -> Result<Option<RemovedHost>, StoreError> {
        const WHAT: &str = "remove a host";
        let id = host.to_string();
        let mut tx = self.begin_register(WHAT).await?;
        tx.lock_hosts([host]).await.during(WHAT)?;
        let found = query(
            "select name, freshness, connection is not null as agentless from host where id = $1 and removed_at is null and epoch > 0",
        )
        .bind(&id)
        .fetch_optional(&mut tx)
        .await
        .during(WHAT)?;
        let Some(found) = found else { return Ok(None) };
        let freshness = found.word("freshness", Freshness::from_word);
        let agentless = found.flag("agentless").during(WHAT)?;
        if freshness.during(WHAT)? != Freshness::Unreachable && !agentless {
            return Err(StoreError::Conflict {
                why: "the host is connected; stop its agent first",
            });
        }
        remove_all(&mut tx, &id).await.during(WHAT)?;
        let key = keys::forget_of(&mut tx, &id).await.during(WHAT)?;
        self.commit(tx, WHAT).await?;
        Ok(Some(RemovedHost {
            name: found.text("name").during(WHAT)?,
            key,
        }))
    }

    /// Every host, by name. What targets are matched against.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        const WHAT: &str = "list the hosts";
        let rows = query("select * from host where removed_at is null order by name, id")
            .fetch_all(self)
            .await
            .during(WHAT)?;
        rows.iter()
            .map(host_row)
            .collect::<Result<_, _>>()
            .during(WHAT)
    }
}

/// What a host is found by.
pub(crate) fn search_text(facts: &HostFacts) -> String {
    format!("{}\n{}\n{}", facts.name, facts.uri, facts.hypervisor).to_lowercase()
}

/// Marks the host and everything on it removed, and ends its actions.
async fn remove_all(tx: &mut Tx, host: &str) -> Result<(), SqlError> {
    const STATEMENTS: [(ObjectKind, &str); 6] = [
        (
            ObjectKind::Vm,
            "update vm set gone_at = $2, gen = gen + 1 where host = $1 and gone_at is null returning id, gen",
        ),
        (
            ObjectKind::Pool,
            "update pool set gone_at = $2, gen = gen + 1 where host = $1 and gone_at is null returning id, gen",
        ),
        (
            ObjectKind::Network,
            "update network set gone_at = $2, gen = gen + 1 where host = $1 and gone_at is null returning id, gen",
        ),
        (
            ObjectKind::Action,
            "update action set status = 'failed', gen = gen + 1, finished_at = $2,
                 error = 'Its host was removed', hint = 'Ask again when the host is back'
             where host = $1 and status = 'queued' returning id, gen",
        ),
        (
            ObjectKind::Action,
            "update action set status = 'unknown', resolved = 1, gen = gen + 1, finished_at = $2,
                 error = 'Its host was removed while it ran', hint = 'Look at the host, if it is still there'
             where host = $1 and (status in ('sent', 'accepted', 'running') or status = 'unknown' and resolved = 0)
             returning id, gen",
        ),
        // Whatever its agent still knows, it has to tell everything when it comes back.
        (
            ObjectKind::Host,
            "update host set removed_at = $2, gen = gen + 1, epoch = epoch + 1, freshness = 'unreachable', problem = '', connection = null, runner = null,
                 vms_total = 0, vms_running = 0, instance = '00000000-0000-0000-0000-000000000000', seq = 0, digest = null
             where id = $1 returning id, gen",
        ),
    ];
    let now = micros(Timestamp::now());
    let mut lines = Vec::new();
    for (kind, statement) in STATEMENTS {
        let rows = query(statement)
            .bind(host)
            .bind(now)
            .fetch_all(&mut *tx)
            .await?;
        for row in rows {
            lines.push((kind, row.uuid("id")?, row.number("gen")?));
        }
    }
    feed::append_all(tx, &lines).await
}

/// Adds one to the generation of a host and tells the feed.
pub(crate) async fn bump(tx: &mut Tx, host: HostId) -> Result<(), SqlError> {
    let row = query("update host set gen = gen + 1 where id = $1 returning gen")
        .bind(host.to_string())
        .fetch_one(&mut *tx)
        .await?;
    feed::append(tx, ObjectKind::Host, &host.to_string(), row.number("gen")?).await
}

/// Sets how fresh a host is; false if nothing changed. Its objects and waiting actions show it, so they change too.
pub(crate) async fn set_freshness(
    tx: &mut Tx,
    host: HostId,
    freshness: Freshness,
    problem: &str,
) -> Result<bool, SqlError> {
    let id = host.to_string();
    let row = query("select freshness, problem from host where id = $1")
        .bind(&id)
        .fetch_one(&mut *tx)
        .await?;
    let was_fresh = row.text("freshness")? == freshness.as_str();
    if was_fresh && row.text("problem")? == problem {
        return Ok(false);
    }
    query("update host set freshness = $2, problem = $3 where id = $1")
        .bind(&id)
        .bind(freshness.as_str())
        .bind(problem)
        .execute(&mut *tx)
        .await?;
    if !was_fresh {
        touch_objects(tx, &id).await?;
    }
    Ok(true)
}

/// Everything of a host looks different now: one generation more for each, one line in the feed for each.
async fn touch_objects(tx: &mut Tx, host: &str) -> Result<(), SqlError> {
    const STATEMENTS: [&str; 8] = [
        "update vm set gen = gen + 1 where host = $1 and gone_at is null",
        "insert into change_feed (topic, object, gen, at)
         select 'vm', id, gen, cast($2 as bigint) from vm where host = $1 and gone_at is null",
        "update pool set gen = gen + 1 where host = $1 and gone_at is null",
        "insert into change_feed (topic, object, gen, at)
         select 'pool', id, gen, cast($2 as bigint) from pool where host = $1 and gone_at is null",
        "update network set gen = gen + 1 where host = $1 and gone_at is null",
        "insert into change_feed (topic, object, gen, at)
         select 'network', id, gen, cast($2 as bigint) from network where host = $1 and gone_at is null",
        "update action set gen = gen + 1 where host = $1 and status = 'queued'",
        "insert into change_feed (topic, object, gen, at)
         select 'action', id, gen, cast($2 as bigint) from action where host = $1 and status = 'queued'",
    ];
    let now = micros(Timestamp::now());
    for statement in STATEMENTS {
        query(statement)
            .bind(host)
            .bind(now)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
