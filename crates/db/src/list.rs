//! Lists as windows: filter, sort and count in the store, at most a page of rows out of it.
//!
//! A window, its total, its counts and its place in the change feed come from one read transaction, so that the
//! changes after that place bring exactly this window up to date.

use crate::actions::{ActionRecord, action_record};
use crate::error::{During, StoreError};
use crate::feed::{self, Revision};
use crate::hosts::{HostRecord, host_row};
use crate::objects::{NetworkInUse, Stored, network_row, pool_row, stored, vm_row};
use crate::sql::Columns;
use crate::store::Store;
use model::{ActionStatus, Freshness, HostId, Network, Pool, Vm, VmStatus};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Sqlite, SqliteConnection};
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
    fn read(row: &SqliteRow) -> Result<Self, Error>;

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
            ("name", "o.name collate nocase"),
            (
                "status",
                "case o.status when 'running' then 0 when 'paused' then 1 when 'suspended' then 2
                 when 'shutting_down' then 3 when 'migrating' then 4 when 'crashed' then 5
                 when 'shutoff' then 6 else 7 end",
            ),
            ("host", "h.name collate nocase"),
            ("vcpus", "o.vcpus"),
            ("memory", "o.memory"),
        ],
        newest_first: false,
        statuses: || VmStatus::ALL.map(VmStatus::as_str).to_vec(),
    };

    fn read(row: &SqliteRow) -> Result<Self, Error> {
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
            ("name", "o.name collate nocase"),
            ("status", "o.status"),
            ("host", "h.name collate nocase"),
            ("capacity", "o.capacity"),
        ],
        newest_first: false,
        statuses: || vec!["active", "inactive"],
    };

    fn read(row: &SqliteRow) -> Result<Self, Error> {
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
            ("name", "o.name collate nocase"),
            ("status", "o.status"),
            ("host", "h.name collate nocase"),
            ("nics", "o.nic_count"),
        ],
        newest_first: false,
        statuses: || vec!["active", "inactive"],
    };

    fn read(row: &SqliteRow) -> Result<Self, Error> {
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
            ("name", "o.name collate nocase"),
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

    fn read(row: &SqliteRow) -> Result<Self, Error> {
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
            ("finished", "o.finished_at"),
            ("status", "o.status"),
            ("user", "o.user collate nocase"),
            ("host", "h.name collate nocase"),
        ],
        newest_first: true,
        statuses: || ActionStatus::ALL.map(ActionStatus::as_str).to_vec(),
    };

    fn read(row: &SqliteRow) -> Result<Self, Error> {
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
    /// When SQLite fails.
    pub async fn list<T: Collection>(&self, query: &ListQuery) -> Result<Page<T>, StoreError> {
        const WHAT: &str = "read a list";
        let mut tx = self.readers.begin().await.during(WHAT)?;
        let overview = overview::<T>(&mut tx, query).await.during(WHAT)?;
        let items = window(&mut tx, query).await.during(WHAT)?;
        // The counts leave out one filter, which the total has: it is of the rows with a status that it lets pass.
        let passes =
            |counted: &&Counted| query.status.is_empty() || query.status.contains(&counted.value);
        let statuses = overview.statuses;
        let total = statuses
            .iter()
            .filter(passes)
            .map(|counted| counted.count)
            .sum();
        Ok(Page {
            items,
            total,
            revision: self.revision_at(overview.rev),
            statuses,
            hosts: overview.hosts,
        })
    }

    /// The rows of these ids, in no order; those that are gone are absent.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn rows<T: Collection>(&self, ids: &[Uuid]) -> Result<Vec<T>, StoreError> {
        const WHAT: &str = "read rows";
        let mut rows = Vec::with_capacity(ids.len());
        // SQLite takes at most 32,766 parameters; pages keep statements small and their plans cached.
        for ids in ids.chunks(100) {
            let mut sql = select::<T>();
            sql.push(" and o.id in (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(id.to_string());
            }
            sql.push(")");
            let found = sql.build().fetch_all(&self.readers).await.during(WHAT)?;
            for row in &found {
                rows.push(T::read(row).during(WHAT)?);
            }
        }
        Ok(rows)
    }

    /// The row of this id.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn find<T: Collection>(&self, id: Uuid) -> Result<Option<T>, StoreError> {
        Ok(self.rows(&[id]).await?.into_iter().next())
    }

    /// A VM with its definitions.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn find_vm(&self, id: Uuid) -> Result<Option<Stored<Vm>>, StoreError> {
        const WHAT: &str = "read a VM";
        let row = sqlx::query(
            "select o.*, x.persistent as xml_persistent, x.live as xml_live,
                 h.name as host_name, h.freshness as host_freshness
             from vm o join host h on h.id = o.host left join vm_xml x on x.vm = o.id
             where o.id = $1 and o.gone_at is null",
        )
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .during(WHAT)?;
        let read = |row: SqliteRow| stored(&row, <Vm as crate::objects::Kept>::read(&row)?);
        row.map(read).transpose().during(WHAT)
    }
}

fn select<T: Collection>() -> QueryBuilder<Sqlite> {
    let shape = T::SHAPE;
    QueryBuilder::new(format!(
        "select {}, {ON_HOST} from {} o join host h on h.id = {} where {}",
        shape.columns, shape.table, shape.host, shape.given
    ))
}

async fn window<T: Collection>(
    reader: &mut SqliteConnection,
    query: &ListQuery,
) -> Result<Vec<T>, Error> {
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
    filter::<T>(&mut sql, query, Without::Nothing);
    sql.push(format_args!("{order} limit "));
    sql.push_bind(i64::from(query.limit));
    sql.push(" offset ");
    sql.push_bind(crate::sql::int(query.offset));
    sql.push(format_args!("){order}"));
    let rows = sql.build().fetch_all(reader).await?;
    rows.iter().map(T::read).collect()
}

/// The place in the change feed, and how many rows there are of each status and on each host, each whatever its own
/// filter says. All in one row: each row that SQLite gives is a way between threads.
async fn overview<T: Collection>(
    reader: &mut SqliteConnection,
    query: &ListQuery,
) -> Result<Overview, Error> {
    let shape = T::SHAPE;
    let mut sql = QueryBuilder::new(format!(
        "select {} as rev,
             (select json_group_array(json_array(value, value, n)) from (
                 select {1} as value, count(*) as n from {2} o where {3}",
        feed::NEWEST,
        shape.status,
        shape.table,
        shape.given
    ));
    filter::<T>(&mut sql, query, Without::Status);
    sql.push(format_args!(
        " group by {0})) as statuses,
             (select json_group_array(json_array(value, label, n)) from (
                 select c.value as value, h.name as label, c.n as n from (
                     select {1} as value, count(*) as n from {2} o where {3}",
        shape.status, shape.host, shape.table, shape.given
    ));
    filter::<T>(&mut sql, query, Without::Host);
    sql.push(format_args!(
        " group by {}) c join host h on h.id = c.value
                 order by n desc, label limit {MOST_HOSTS})) as hosts",
        shape.host
    ));
    let row = sql.build().fetch_one(reader).await?;
    Ok(Overview {
        rev: row.number("rev")?,
        statuses: counted(&row, "statuses")?,
        hosts: counted(&row, "hosts")?,
    })
}

/// What is told of a list beside its window.
struct Overview {
    rev: u64,
    statuses: Vec<Counted>,
    hosts: Vec<Counted>,
}

/// The most frequent first.
fn counted(row: &SqliteRow, column: &str) -> Result<Vec<Counted>, Error> {
    let counts: Vec<(String, String, u64)> = row.json(column)?;
    let mut counted: Vec<Counted> = counts
        .into_iter()
        .map(|(value, label, count)| Counted {
            value,
            label,
            count,
        })
        .collect();
    counted.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    Ok(counted)
}

fn filter<T: Collection>(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, without: Without) {
    if !query.search.is_empty() {
        sql.push(" and instr(o.search, ");
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

fn one_of(sql: &mut QueryBuilder<Sqlite>, column: &str, values: impl Iterator<Item = String>) {
    sql.push(format_args!(" and {column} in ("));
    let mut list = sql.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    sql.push(")");
}
