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
use std::collections::{HashMap, HashSet};
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
const MOST_HOSTS: usize = 200;

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

impl Store {
    /// A window of a collection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list<T: Collection>(&self, query: &ListQuery) -> Result<Page<T>, StoreError> {
        const WHAT: &str = "read a list";
        let mut reader = self.read(WHAT).await?;
        let revision = feed::newest(&mut reader).await.during(WHAT)?;
        let groups = groups::<T>(&mut reader, query).await.during(WHAT)?;
        let items = window(&mut reader, query).await.during(WHAT)?;
        let counts = Counts::of(&groups, query);
        Ok(Page {
            items,
            total: counts.total,
            revision: self.revision_at(revision),
            statuses: counts.statuses,
            hosts: counts.hosts,
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
    filter::<T>(&mut sql, reader.dialect(), query);
    sql.push(format_args!("{order} limit "));
    sql.push_bind(i64::from(query.limit));
    sql.push(" offset ");
    sql.push_bind(crate::sql::int(query.offset));
    sql.push(format_args!("){order}"));
    let rows = sql.build().fetch_all(reader).await?;
    rows.iter().map(T::read).collect()
}

/// Rows of one status on one host.
struct Group {
    host: String,
    host_name: String,
    status: String,
    count: u64,
}

/// How many rows there are of each status on each host, whatever the filters of these say: from one reading.
async fn groups<T: Collection>(
    reader: &mut Reader,
    query: &ListQuery,
) -> Result<Vec<Group>, SqlError> {
    let shape = T::SHAPE;
    let mut sql = Builder::new(format!(
        "select c.host as host, h.name as host_name, c.status as status, c.n as n from (
             select {0} as host, {1} as status, count(*) as n from {2} o where {3}",
        shape.host, shape.status, shape.table, shape.given
    ));
    search(&mut sql, reader.dialect(), query);
    sql.push(format_args!(
        " group by {0}, {1}) c join host h on h.id = c.host",
        shape.host, shape.status
    ));
    let rows = sql.build().fetch_all(reader).await?;
    let groups = rows.iter().map(|row| {
        Ok(Group {
            host: row.text("host")?,
            host_name: row.text("host_name")?,
            status: row.text("status")?,
            count: row.number("n")?,
        })
    });
    groups.collect()
}

/// The counts of a list: each leaves out its own filter, the total none.
struct Counts {
    total: u64,
    statuses: Vec<Counted>,
    hosts: Vec<Counted>,
}

impl Counts {
    fn of(groups: &[Group], query: &ListQuery) -> Self {
        let hosts: HashSet<String> = query.hosts.iter().map(HostId::to_string).collect();
        let on_host = |group: &&Group| hosts.is_empty() || hosts.contains(&group.host);
        let of_status =
            |group: &&Group| query.status.is_empty() || query.status.contains(&group.status);
        let both = groups.iter().filter(on_host).filter(of_status);
        let mut counts = Self {
            total: both.map(|group| group.count).sum(),
            statuses: sums(
                groups
                    .iter()
                    .filter(on_host)
                    .map(|group| (&group.status, &group.status, group.count)),
            ),
            hosts: sums(
                groups
                    .iter()
                    .filter(of_status)
                    .map(|group| (&group.host, &group.host_name, group.count)),
            ),
        };
        counts.hosts.truncate(MOST_HOSTS);
        counts
    }
}

/// Sums by value, the most frequent first.
fn sums<'a>(counts: impl Iterator<Item = (&'a String, &'a String, u64)>) -> Vec<Counted> {
    let mut sums: HashMap<&String, (&String, u64)> = HashMap::new();
    for (value, label, count) in counts {
        sums.entry(value).or_insert((label, 0)).1 += count;
    }
    let counted = sums.into_iter().map(|(value, (label, count))| Counted {
        value: value.clone(),
        label: label.clone(),
        count,
    });
    let mut counted: Vec<Counted> = counted.collect();
    counted.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    counted
}

fn filter<T: Collection>(sql: &mut Builder, dialect: Dialect, query: &ListQuery) {
    search(sql, dialect, query);
    if !query.status.is_empty() {
        one_of(sql, T::SHAPE.status, query.status.iter().cloned());
    }
    if !query.hosts.is_empty() {
        let hosts = query.hosts.iter().map(HostId::to_string);
        one_of(sql, T::SHAPE.host, hosts);
    }
}

/// The part of a filter that no count leaves out.
fn search(sql: &mut Builder, dialect: Dialect, query: &ListQuery) {
    if !query.search.is_empty() {
        sql.push(format_args!(" and {}(o.search, ", dialect.position()));
        sql.push_bind(query.search.to_lowercase());
        sql.push(") > 0");
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
