//! Lists as windows: filter, sort and count in the store, at most a page of rows out of it.
//!
//! A window, its total, its counts and its place in the change feed come from one read transaction, so that the
//! changes after that place bring exactly this window up to date.

use crate::actions::{ActionRecord, action_record};
use crate::engine::Reader;
use crate::error::{During, StoreError};
use crate::feed::{self, Revision};
use crate::hosts::{HostRecord, host_row};
use crate::objects::{NetworkInUse, Stored, network_row, pool_row, stored, vm_row};
use crate::sql::{Builder, Dialect, Row, SqlError, query};
use crate::store::Store;
use model::{ActionStatus, Freshness, HostId, Network, Pool, Vm, VmStatus};
use uuid::Uuid;

/// What a list shows and in which order. Empty filters let everything pass.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Part of a name, title, UUID, address…, in any case.
    pub search: String,
    /// Status words.
    pub status: Vec<String>,
    /// Hosts.
    pub hosts: Vec<HostId>,
    /// Actions of this VM only.
    pub vm: Option<Uuid>,
    /// Actions of this job only.
    pub job: Option<Uuid>,
    /// Order; the collection's own when absent.
    pub sort: Option<Sort>,
    /// Index of the first row.
    pub offset: u64,
    /// Most rows.
    pub limit: u32,
}

/// An order that its collection knows.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    expression: &'static str,
    descending: bool,
}

impl Sort {
    /// Reads `name` or `-name`; `None` if the collection has no such order.
    pub fn parse<T: Collection>(word: &str) -> Option<Self> {
        let key = word.strip_prefix('-').unwrap_or(word);
        let (_, expression) = T::SHAPE.sorts.iter().find(|(name, _)| *name == key)?;
        Some(Self {
            expression,
            descending: key.len() < word.len(),
        })
    }

    /// The words that [`parse`](Self::parse) knows.
    pub fn words<T: Collection>() -> impl Iterator<Item = &'static str> {
        T::SHAPE.sorts.iter().map(|(name, _)| *name)
    }
}

/// A window of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Rows that match, in all.
    pub total: u64,
    /// Place in the change feed up to which the window is true.
    pub revision: Revision,
    /// Rows by status over everything that matches but for the status filter; most frequent first.
    pub statuses: Vec<Counted>,
    /// The same by host.
    pub hosts: Vec<Counted>,
}

/// How often a value occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The value as the filter takes it.
    pub value: String,
    /// The value as people read it.
    pub label: String,
    /// How often.
    pub count: u64,
}

/// How a collection is read.
#[derive(Debug)]
pub struct Shape {
    columns: &'static str,
    /// The table; its rows are called `o`.
    table: &'static str,
    given: &'static str,
    status: &'static str,
    host: &'static str,
    /// Words and expressions over `o` and its host `h`; the first is the order of a list that asks for none.
    sorts: &'static [(&'static str, &'static str)],
    newest_first: bool,
    statuses: fn() -> Vec<&'static str>,
}

/// A kind of row that lists are made of. Sealed: the kinds of this crate are all there are.
pub trait Collection: Sized + Send + sealed::Sealed {
    /// How it is read.
    #[doc(hidden)]
    const SHAPE: Shape;
    #[doc(hidden)]
    fn read(row: &Row) -> Result<Self, SqlError>;

    /// The words its status filter knows.
    fn statuses() -> Vec<&'static str> {
        (Self::SHAPE.statuses)()
    }
}

mod sealed {
    pub trait Sealed {}
}

/// Hosts in the counts of a list.
const MOST_HOSTS: u32 = 200;

const ON_HOST: &str = "h.name as host_name, h.freshness as host_freshness";

impl sealed::Sealed for Stored<Vm> {}
impl Collection for Stored<Vm> {
    const SHAPE: Shape = Shape {
        columns: "o.id, o.host, o.uuid, o.name, o.status, o.vcpus, o.memory, o.doc, o.gen, o.observed_at",
        table: "vm",
        given: "o.gone_at is null",
        status: "o.status",
        host: "o.host",
        sorts: &[
            ("name", "lower(o.name)"),
            (
                "status",
                "case o.status when 'running' then 0 when 'paused' then 1 when 'suspended' then 2
                 when 'shutting_down' then 3 when 'migrating' then 4 when 'crashed' then 5
                 when 'shutoff' then 6 else 7 end",
            ),
            ("host", "lower(h.name)"),
            ("vcpus", "o.vcpus"),
            ("memory", "o.memory"),
        ],
        newest_first: false,
        statuses: || VmStatus::ALL.map(VmStatus::as_str).to_vec(),
    };

    fn read(row: &Row) -> Result<Self, SqlError> {
        stored(row, vm_row(row)?)
    }
}

impl sealed::Sealed for Stored<Pool> {}
impl Collection for Stored<Pool> {
    const SHAPE: Shape = Shape {
        columns: "o.id, o.host, o.uuid, o.name, o.status, o.capacity, o.doc, o.gen, o.observed_at",
        table: "pool",
        given: "o.gone_at is null",
        status: "o.status",
        host: "o.host",
        sorts: &[
            ("name", "lower(o.name)"),
            ("status", "o.status"),
            ("host", "lower(h.name)"),
            ("capacity", "o.capacity"),
        ],
        newest_first: false,
        statuses: || vec!["active", "inactive"],
    };

    fn read(row: &Row) -> Result<Self, SqlError> {
        stored(row, pool_row(row)?)
    }
}

impl sealed::Sealed for Stored<NetworkInUse> {}
impl Collection for Stored<NetworkInUse> {
    const SHAPE: Shape = Shape {
        columns: "o.id, o.host, o.uuid, o.name, o.status, o.nic_count, o.doc, o.gen, o.observed_at",
        table: "network",
        given: "o.gone_at is null",
        status: "o.status",
        host: "o.host",
        sorts: &[
            ("name", "lower(o.name)"),
            ("status", "o.status"),
            ("host", "lower(h.name)"),
            ("nics", "o.nic_count"),
        ],
        newest_first: false,
        statuses: || vec!["active", "inactive"],
    };

    fn read(row: &Row) -> Result<Self, SqlError> {
        let network: Network = network_row(row)?;
        let nic_count = row.number("nic_count")?;
        stored(row, NetworkInUse { network, nic_count })
    }
}

impl sealed::Sealed for HostRecord {}
impl Collection for HostRecord {
    const SHAPE: Shape = Shape {
        columns: "o.*",
        table: "host",
        given: "o.epoch > 0 and o.removed_at is null",
        status: "o.freshness",
        host: "o.id",
        sorts: &[
            ("name", "lower(o.name)"),
            ("freshness", "o.freshness"),
            ("vms", "o.vms_total"),
            ("last_seen", "o.last_seen"),
        ],
        newest_first: false,
        statuses: || {
            [
                Freshness::Live,
                Freshness::LibvirtDown,
                Freshness::Unreachable,
            ]
            .map(Freshness::as_str)
            .to_vec()
        },
    };

    fn read(row: &Row) -> Result<Self, SqlError> {
        host_row(row)
    }
}

impl sealed::Sealed for ActionRecord {}
impl Collection for ActionRecord {
    const SHAPE: Shape = Shape {
        columns: crate::actions::COLUMNS,
        table: "action",
        given: "1 = 1",
        status: "o.status",
        host: "o.host",
        sorts: &[
            ("created", "o.ord"),
            ("finished", "coalesce(o.finished_at, 0)"),
            ("status", "o.status"),
            ("user", "lower(o.username)"),
            ("host", "lower(h.name)"),
        ],
        newest_first: true,
        statuses: || ActionStatus::ALL.map(ActionStatus::as_str).to_vec(),
    };

    fn read(row: &Row) -> Result<Self, SqlError> {
        action_record(row)
    }
}

/// A filter that a count leaves out, so that its own facet shows the other values too.
#[derive(PartialEq)]
enum Without {
    Nothing,
    Status,
    Host,
}

impl Store {
    /// A window of a collection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list<T: Collection>(&self, query: &ListQuery) -> Result<Page<T>, StoreError> {
        const WHAT: &str = "read a list";
        let mut reader = self.read(WHAT).await?;
        let revision = feed::newest(&mut reader).await.during(WHAT)?;
        let statuses = statuses::<T>(&mut reader, query).await.during(WHAT)?;
        let hosts = hosts::<T>(&mut reader, query).await.during(WHAT)?;
        let items = window(&mut reader, query).await.during(WHAT)?;
        // The counts leave out one filter, which the total has: it is of the rows with a status that it lets pass.
        let passes =
            |counted: &&Counted| query.status.is_empty() || query.status.contains(&counted.value);
        let total = statuses
            .iter()
            .filter(passes)
            .map(|counted| counted.count)
            .sum();
        Ok(Page {
            items,
            total,
            revision: self.revision_at(revision),
            statuses,
            hosts,
        })
    }

    /// The rows of these ids, in no order; those that are gone are absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rows<T: Collection>(&self, ids: &[Uuid]) -> Result<Vec<T>, StoreError> {
        const WHAT: &str = "read rows";
        let mut rows = Vec::with_capacity(ids.len());
        // SQLite takes at most 32,766 parameters; pages keep statements small and their plans cached.
        for ids in ids.chunks(100) {
            let mut sql = select::<T>();
            sql.push(" and o.id in (");
            sql.push_list(ids.iter().map(Uuid::to_string)).push(")");
            let found = sql.build().fetch_all(self).await.during(WHAT)?;
            for row in &found {
                rows.push(T::read(row).during(WHAT)?);
            }
        }
        Ok(rows)
    }

    /// The row of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find<T: Collection>(&self, id: Uuid) -> Result<Option<T>, StoreError> {
        Ok(self.rows(&[id]).await?.into_iter().next())
    }

    /// A VM with its definitions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_vm(&self, id: Uuid) -> Result<Option<Stored<Vm>>, StoreError> {
        const WHAT: &str = "read a VM";
        let row = query(
            "select o.*, x.persistent as xml_persistent, x.live as xml_live,
                 h.name as host_name, h.freshness as host_freshness
             from vm o join host h on h.id = o.host left join vm_xml x on x.vm = o.id
             where o.id = $1 and o.gone_at is null",
        )
        .bind(id.to_string())
        .fetch_optional(self)
        .await
        .during(WHAT)?;
        let read = |row: Row| stored(&row, <Vm as crate::objects::Kept>::read(&row)?);
        row.map(read).transpose().during(WHAT)
    }
}

fn select<T: Collection>() -> Builder {
    let shape = T::SHAPE;
    Builder::new(format!(
        "select {}, {ON_HOST} from {} o join host h on h.id = {} where {}",
        shape.columns, shape.table, shape.host, shape.given
    ))
}

async fn window<T: Collection>(reader: &mut Reader, query: &ListQuery) -> Result<Vec<T>, SqlError> {
    let shape = T::SHAPE;
    let own = Sort {
        expression: shape.sorts[0].1,
        descending: shape.newest_first,
    };
    let sort = query.sort.unwrap_or(own);
    let direction = if sort.descending { "desc" } else { "asc" };
    // The id makes the order total, so that no row shows in two windows or in none.
    let order = format!(" order by {} {direction}, o.id", sort.expression);
    let by_host = match sort.expression.contains("h.") {
        true => format!(" join host h on h.id = {}", shape.host),
        false => String::new(),
    };
    let mut sql = select::<T>();
    // First the ids, which an index has; then the rows of these.
    sql.push(format_args!(
        " and o.id in (select o.id from {} o{by_host} where {}",
        shape.table, shape.given
    ));
    filter::<T>(&mut sql, reader.dialect(), query, Without::Nothing);
    sql.push(format_args!("{order} limit "));
    sql.push_bind(i64::from(query.limit));
    sql.push(" offset ");
    sql.push_bind(crate::sql::int(query.offset));
    sql.push(format_args!("){order}"));
    let rows = sql.build().fetch_all(reader).await?;
    rows.iter().map(T::read).collect()
}

/// How many rows there are of each status, whatever the filter of statuses says; most frequent first.
async fn statuses<T: Collection>(
    reader: &mut Reader,
    query: &ListQuery,
) -> Result<Vec<Counted>, SqlError> {
    let shape = T::SHAPE;
    let mut sql = Builder::new(format!(
        "select {0} as value, {0} as label, count(*) as n from {1} o where {2}",
        shape.status, shape.table, shape.given
    ));
    filter::<T>(&mut sql, reader.dialect(), query, Without::Status);
    sql.push(format_args!(
        " group by {} order by n desc, label",
        shape.status
    ));
    counted(&sql.build().fetch_all(reader).await?)
}

/// How many rows there are on each host, whatever the filter of hosts says; most frequent first.
async fn hosts<T: Collection>(
    reader: &mut Reader,
    query: &ListQuery,
) -> Result<Vec<Counted>, SqlError> {
    let shape = T::SHAPE;
    let mut sql = Builder::new(format!(
        "select c.value as value, h.name as label, c.n as n from (
             select {} as value, count(*) as n from {} o where {}",
        shape.host, shape.table, shape.given
    ));
    filter::<T>(&mut sql, reader.dialect(), query, Without::Host);
    sql.push(format_args!(
        " group by {}) c join host h on h.id = c.value order by n desc, label limit {MOST_HOSTS}",
        shape.host
    ));
    counted(&sql.build().fetch_all(reader).await?)
}

fn counted(rows: &[Row]) -> Result<Vec<Counted>, SqlError> {
    let counted = rows.iter().map(|row| {
        Ok(Counted {
            value: row.text("value")?,
            label: row.text("label")?,
            count: row.number("n")?,
        })
    });
    counted.collect()
}

fn filter<T: Collection>(sql: &mut Builder, dialect: Dialect, query: &ListQuery, without: Without) {
    if !query.search.is_empty() {
        sql.push(format_args!(" and {}(o.search, ", dialect.position()));
        sql.push_bind(query.search.to_lowercase());
        sql.push(") > 0");
    }
    if !query.status.is_empty() && without != Without::Status {
        one_of(sql, T::SHAPE.status, query.status.iter().cloned());
    }
    if !query.hosts.is_empty() && without != Without::Host {
        one_of(
            sql,
            T::SHAPE.host,
            query.hosts.iter().map(HostId::to_string),
        );
    }
    for (column, id) in [("o.vm_id", query.vm), ("o.job", query.job)] {
        if let Some(id) = id {
            sql.push(format_args!(" and {column} = "));
            sql.push_bind(id.to_string());
        }
    }
}

fn one_of(sql: &mut Builder, column: &str, values: impl Iterator<Item = String>) {
    sql.push(format_args!(" and {column} in ("));
    sql.push_list(values).push(")");
}
