//! What hosts report: reports in sequence, snapshots of everything, and what of them is news.
//!
//! A generation grows, and a line is appended to the change feed, only when an object really differs from its
//! record; reading the same thing again only says that it was read.

use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::feed;
use crate::hosts;
use crate::objects::Kept;
use crate::session::{SessionKey, fence, write_facts};
use crate::sql::{SqlError, int, micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::{Freshness, HostFacts, HostId, Inventory, Network, ObjectKind, Pool, Vm};
use std::collections::HashSet;
use uuid::Uuid;

/// Objects that changed on a host since the report before.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Its place in the sequence of its agent process.
    pub seq: u64,
    /// Changed and new objects.
    pub objects: Inventory,
    /// Objects that are gone, by libvirt's UUID.
    pub gone: Vec<(ObjectKind, Uuid)>,
    /// How fresh the host is and why not, if that was told.
    pub condition: Option<(Freshness, String)>,
    /// What the host is, if that was told.
    pub facts: Option<HostFacts>,
}

/// Everything a host has.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The agent process that read it.
    pub instance: Uuid,
    /// The report up to which it is valid.
    pub seq: u64,
    /// The agent's digest of it.
    pub digest: Vec<u8>,
    /// The objects; `None` when they are the ones the store has.
    pub objects: Option<Inventory>,
    /// What the host is, if that was told.
    pub facts: Option<HostFacts>,
}

/// How far reports were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The last report that is in the store.
    pub seq: u64,
    /// One is missing before those that were not applied: a snapshot is needed.
    pub gap: bool,
}

impl Store {
    /// Applies reports in one transaction. Those already applied are dropped; at a gap it stops.
    ///
    /// # Errors
    /// `LostSession` when the session is over; nothing was written then.
    pub async fn apply_reports(
        &self,
        key: SessionKey,
        instance: Uuid,
        reports: &[Report],
    ) -> Result<Applied, StoreError> {
        const WHAT: &str = "record a report";
        let mut tx = self.begin(WHAT).await?;
        let stored = fence(&mut tx, key).await?;
        if stored.instance != instance {
            return Ok(Applied { seq: 0, gap: true });
        }
        let mut seq = stored.seq;
        let mut news = News::default();
        let mut gap = false;
        for report in reports {
            if report.seq <= seq {
                continue;
            }
            if report.seq != seq + 1 {
                gap = true;
                break;
            }
            apply_report(&mut tx, key.host, report, &mut news)
                .await
                .during(WHAT)?;
            seq = report.seq;
        }
        // The digest was of the snapshot; after a real change it is of nothing.
        let place = Place {
            was: stored.r#gen,
            instance,
            seq,
            digest: (!news.objects).then_some(Digest::Same),
        };
        news.settle(&mut tx, key.host, place).await.during(WHAT)?;
        self.commit(tx, WHAT).await?;
        Ok(Applied { seq, gap })
    }

    /// Replaces everything known about a host in one transaction; what the snapshot lacks is gone.
    ///
    /// # Errors
    /// `LostSession` when the session is over; nothing was written then.
    pub async fn apply_snapshot(
        &self,
        key: SessionKey,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError> {
        const WHAT: &str = "record a snapshot";
        let mut tx = self.begin(WHAT).await?;
        let stored = fence(&mut tx, key).await?;
        let mut news = News::default();
        if let Some(facts) = &snapshot.facts {
            news.host |= write_facts(&mut tx, key.host, facts).await.during(WHAT)?;
        }
        match &snapshot.objects {
            Some(objects) => replace_all(&mut tx, key.host, objects, &mut news).await,
            None => seen_all(&mut tx, key.host).await,
        }
        .during(WHAT)?;
        let place = Place {
            was: stored.r#gen,
            instance: snapshot.instance,
            seq: snapshot.seq,
            digest: Some(Digest::Of(&snapshot.digest)),
        };
        news.settle(&mut tx, key.host, place).await.during(WHAT)?;
        self.commit(tx, WHAT).await
    }
}

/// What a transaction has found to be new, and what follows from it at its end.
#[derive(Debug, Default)]
struct News {
    host: bool,
    objects: bool,
    /// Other networks have NICs plugged in than before, or there are other networks.
    plugs: bool,
    /// Objects with their new generation, for the feed.
    lines: Vec<(ObjectKind, Uuid, u64)>,
}

/// Up to where a host's record is true.
struct Place<'a> {
    /// The generation that the host had.
    was: u64,
    instance: Uuid,
    seq: u64,
    /// Of the agent's inventory; `None` when there is none of what the store has now.
    digest: Option<Digest<'a>>,
}

enum Digest<'a> {
    Same,
    Of(&'a [u8]),
}

impl News {
    /// An object of this kind is new, or is gone.
    fn appeared<T: Kept>(&mut self, id: Uuid, r#gen: u64) {
        self.line::<T>(id, r#gen);
        self.plugs |= matches!(T::KIND, ObjectKind::Vm | ObjectKind::Network);
    }

    /// Brings the counts of the host and of its networks up to date and tells the feed about both.
    async fn settle(
        &mut self,
        tx: &mut Tx,
        host: HostId,
        place: Place<'_>,
    ) -> Result<(), SqlError> {
        if self.plugs {
            recount_nics(tx, host, self).await?;
        }
        let (keeps_digest, digest) = match place.digest {
            Some(Digest::Same) => (true, None),
            Some(Digest::Of(digest)) => (false, Some(digest)),
            None => (false, None),
        };
        // All that is written of the host at once; its counts are only made again where they may have changed.
        let row = query(
            "update host set instance = $2, seq = $3, digest = case when $4 then digest else $5 end,
                 vms_total = c.total, vms_running = c.running,
                 gen = gen + case when $6 or ($7 and (vms_total <> c.total or vms_running <> c.running)) then 1 else 0 end
             from (select case when $7 then (select count(*) from vm where host = $1 and gone_at is null)
                           else h.vms_total end as total,
                       case when $7 then (select count(*) from vm
                                          where host = $1 and gone_at is null and status = 'running')
                           else h.vms_running end as running
                   from host h where h.id = $1) as c
             where id = $1 returning gen",
        )
        .bind(host.to_string())
        .bind(place.instance.to_string())
        .bind(int(place.seq))
        .bind(keeps_digest)
        .bind(digest)
        .bind(self.host)
        .bind(self.objects)
        .fetch_one(&mut *tx)
        .await?;
        let r#gen = row.number("gen")?;
        if r#gen != place.was {
            self.lines.push((ObjectKind::Host, host.0, r#gen));
        }
        feed::append_all(tx, &self.lines).await
    }

    /// An object has changed.
    fn line<T: Kept>(&mut self, id: Uuid, r#gen: u64) {
        self.objects = true;
        self.lines.push((T::KIND, id, r#gen));
    }
}

async fn apply_report(
    tx: &mut Tx,
    host: HostId,
    report: &Report,
    news: &mut News,
) -> Result<(), SqlError> {
    if let Some(facts) = &report.facts {
        news.host |= write_facts(tx, host, facts).await?;
    }
    if let Some((freshness, problem)) = &report.condition {
        news.host |= hosts::set_freshness(tx, host, *freshness, problem).await?;
    }
    upsert_all(tx, host, &report.objects, news).await?;
    for (kind, uuid) in &report.gone {
        match kind {
            ObjectKind::Vm => remove::<Vm>(tx, host, *uuid, news).await?,
            ObjectKind::Pool => remove::<Pool>(tx, host, *uuid, news).await?,
            ObjectKind::Network => remove::<Network>(tx, host, *uuid, news).await?,
            ObjectKind::Host | ObjectKind::Action => {}
        }
    }
    Ok(())
}

async fn upsert_all(
    tx: &mut Tx,
    host: HostId,
    objects: &Inventory,
    news: &mut News,
) -> Result<(), SqlError> {
    for vm in &objects.vms {
        upsert(tx, host, vm, news).await?;
    }
    for pool in &objects.pools {
        upsert(tx, host, pool, news).await?;
    }
    for network in &objects.networks {
        upsert(tx, host, network, news).await?;
    }
    Ok(())
}

async fn replace_all(
    tx: &mut Tx,
    host: HostId,
    objects: &Inventory,
    news: &mut News,
) -> Result<(), SqlError> {
    // The absent ones first: a VM that was defined anew under its old name never shows twice.
    remove_absent(tx, host, &objects.vms, news).await?;
    remove_absent(tx, host, &objects.pools, news).await?;
    remove_absent(tx, host, &objects.networks, news).await?;
    upsert_all(tx, host, objects, news).await
}

/// Records an object as reported now. It is news if it is new or differs from its record.
async fn upsert<T: Kept>(
    tx: &mut Tx,
    host: HostId,
    value: &T,
    news: &mut News,
) -> Result<(), SqlError> {
    let select = format!("{} o.host = $1 and o.uuid = $2", T::SELECT);
    let row = query(select)
        .bind(host.to_string())
        .bind(value.uuid().to_string())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else {
        let id = insert(tx, host, value).await?;
        news.appeared::<T>(id, 1);
        return Ok(());
    };
    let id = row.uuid("id")?;
    let was_gone = row.optional_at("gone_at")?.is_some();
    let old = T::read(&row)?;
    if !was_gone && old == *value {
        let seen = format!("update {} set observed_at = $2 where id = $1", T::TABLE);
        query(seen)
            .bind(id.to_string())
            .bind(micros(Timestamp::now()))
            .execute(&mut *tx)
            .await?;
        return Ok(());
    }
    let r#gen = row.number("gen")? + 1;
    update(tx, id, r#gen, value).await?;
    if value.differs_beside(&old) {
        value.write_beside(tx, &id.to_string()).await?;
    }
    match was_gone {
        true => news.appeared::<T>(id, r#gen),
        false => {
            news.line::<T>(id, r#gen);
            news.plugs |= old.plugs() != value.plugs();
        }
    }
    Ok(())
}

/// Under libvirt's UUID, or under a new id when another host has an object of that UUID.
async fn insert<T: Kept>(tx: &mut Tx, host: HostId, value: &T) -> Result<Uuid, SqlError> {
    for id in [value.uuid(), Uuid::now_v7()] {
        if insert_as(tx, host, id, value).await? {
            value.write_beside(tx, &id.to_string()).await?;
            return Ok(id);
        }
    }
    Err(SqlError::NoRow)
}

/// False if there is an object with this id.
async fn insert_as<T: Kept>(
    tx: &mut Tx,
    host: HostId,
    id: Uuid,
    value: &T,
) -> Result<bool, SqlError> {
    let places: String = (5..5 + T::COLUMNS.len())
        .map(|n| format!(", ${n}"))
        .collect();
    let insert = format!(
        "insert into {} (id, host, uuid, gen, observed_at, {}) values ($1, $2, $3, 1, $4{places})
         on conflict (id) do nothing",
        T::TABLE,
        T::COLUMNS.join(", "),
    );
    let insert = query(insert)
        .bind(id.to_string())
        .bind(host.to_string())
        .bind(value.uuid().to_string())
        .bind(micros(Timestamp::now()));
    Ok(value.bind(insert).execute(&mut *tx).await? > 0)
}

async fn update<T: Kept>(tx: &mut Tx, id: Uuid, r#gen: u64, value: &T) -> Result<(), SqlError> {
    let columns: String = T::COLUMNS
        .iter()
        .zip(4..)
        .map(|(column, n)| format!(", {column} = ${n}"))
        .collect();
    let update = format!(
        "update {} set gen = $2, observed_at = $3, gone_at = null{columns} where id = $1",
        T::TABLE
    );
    let update = query(update)
        .bind(id.to_string())
        .bind(int(r#gen))
        .bind(micros(Timestamp::now()));
    value.bind(update).execute(&mut *tx).await?;
    Ok(())
}

/// Marks an object gone; its row stays a while, so that its generation goes on if it comes back.
async fn remove<T: Kept>(
    tx: &mut Tx,
    host: HostId,
    uuid: Uuid,
    news: &mut News,
) -> Result<(), SqlError> {
    let update = format!(
        "update {} set gone_at = $3, gen = gen + 1
         where host = $1 and uuid = $2 and gone_at is null returning id, gen",
        T::TABLE
    );
    let row = query(update)
        .bind(host.to_string())
        .bind(uuid.to_string())
        .bind(micros(Timestamp::now()))
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(()) };
    news.appeared::<T>(row.uuid("id")?, row.number("gen")?);
    Ok(())
}

async fn remove_absent<T: Kept>(
    tx: &mut Tx,
    host: HostId,
    present: &[T],
    news: &mut News,
) -> Result<(), SqlError> {
    let select = format!(
        "select uuid from {} where host = $1 and gone_at is null",
        T::TABLE
    );
    let rows = query(select)
        .bind(host.to_string())
        .fetch_all(&mut *tx)
        .await?;
    let present: HashSet<Uuid> = present.iter().map(Kept::uuid).collect();
    for row in rows {
        let uuid = row.uuid("uuid")?;
        if !present.contains(&uuid) {
            remove::<T>(tx, host, uuid, news).await?;
        }
    }
    Ok(())
}

/// Nothing has changed: everything was read and is as recorded.
async fn seen_all(tx: &mut Tx, host: HostId) -> Result<(), SqlError> {
    for table in [Vm::TABLE, Pool::TABLE, Network::TABLE] {
        let update =
            format!("update {table} set observed_at = $2 where host = $1 and gone_at is null");
        query(update)
            .bind(host.to_string())
            .bind(micros(Timestamp::now()))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Counts the NICs plugged into each network of a host again.
async fn recount_nics(tx: &mut Tx, host: HostId, news: &mut News) -> Result<(), SqlError> {
    let each_network = tx.dialect().each_network();
    let rows = query(format!(
        "with used as (select j.value as name, count(*) as nics
                       from vm, {each_network}
                       where vm.host = $1 and vm.gone_at is null group by j.value),
              now as (select network.id, coalesce(used.nics, 0) as nics
                      from network left join used on used.name = network.name
                      where network.host = $1 and network.gone_at is null)
         update network set nic_count = now.nics, gen = gen + 1 from now
         where network.id = now.id and network.nic_count <> now.nics
         returning network.id as id, network.gen as gen",
    ))
    .bind(host.to_string())
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        let line = (ObjectKind::Network, row.uuid("id")?, row.number("gen")?);
        news.lines.push(line);
    }
    Ok(())
}
