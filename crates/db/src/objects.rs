//! VMs, pools and networks as rows. What the three have in common is written once; each kind says which columns it
//! has and how they are filled and read.

use crate::doc::{NetworkDoc, PoolDoc, VmDoc, json};
use crate::engine::Tx;
use crate::sql::{Query, Row, SqlError, int, query};
use jiff::Timestamp;
use model::{Bytes, Freshness, HostId, Network, ObjectKind, Pool, Vm, VmStatus};
use uuid::Uuid;

/// An object with what the store knows about its record.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    /// Its id in the store.
    pub id: Uuid,
    /// Grows by one with every real change.
    pub r#gen: u64,
    /// When its host was last read for it.
    pub observed_at: Timestamp,
    /// The host it is on.
    pub host: HostBrief,
    /// The object. Definitions (XML) are absent in rows of lists.
    pub value: T,
}

/// As much of a host as its objects show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostBrief {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// How far its objects can be trusted.
    pub freshness: Freshness,
}

/// A network with the number of NICs plugged into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInUse {
    /// The network.
    pub network: Network,
    /// NICs of VMs of its host that name it.
    pub nic_count: u64,
}

/// A kind of object that hosts report.
pub(crate) trait Kept: Sized + PartialEq + Send + Sync {
    /// Which kind.
    const KIND: ObjectKind;
    /// Its table.
    const TABLE: &'static str;
    /// Selects whole objects from its table, called `o`; a condition follows.
    const SELECT: &'static str;
    /// Columns that hold the object, in the order of `bind`.
    const COLUMNS: &'static [&'static str];

    /// libvirt's UUID.
    fn uuid(&self) -> Uuid;
    /// Binds a value for each of `COLUMNS`.
    fn bind(&self, query: Query) -> Query;
    /// The object from a row of `SELECT`.
    fn read(row: &Row) -> Result<Self, SqlError>;

    /// What other tables have of it is not what they have of `old`.
    fn differs_beside(&self, _old: &Self) -> bool {
        false
    }

    /// Writes what other tables have of the object with this id.
    fn write_beside(
        &self,
        _tx: &mut Tx,
        _id: &str,
    ) -> impl Future<Output = Result<(), SqlError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Names of the networks that it is plugged into.
    fn plugs(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Kept for Vm {
    const KIND: ObjectKind = ObjectKind::Vm;
    const TABLE: &'static str = "vm";
    const SELECT: &'static str = "select o.*, x.persistent as xml_persistent, x.live as xml_live
         from vm o left join vm_xml x on x.vm = o.id where";
    const COLUMNS: &'static [&'static str] = &[
        "name", "status", "vcpus", "memory", "networks", "doc", "search",
    ];

    fn uuid(&self) -> Uuid {
        self.uuid
    }

    fn bind(&self, query: Query) -> Query {
        query
            .bind(&self.name)
            .bind(self.status.as_str())
            .bind(i64::from(self.vcpus))
            .bind(int(self.memory.0))
            .bind(json(&self.plugs()))
            .bind(json(&VmDoc::of(self)))
            .bind(vm_search(self))
    }

    fn differs_beside(&self, old: &Self) -> bool {
        self.xml_persistent != old.xml_persistent || self.xml_live != old.xml_live
    }

    async fn write_beside(&self, tx: &mut Tx, id: &str) -> Result<(), SqlError> {
        query(
            "insert into vm_xml (vm, persistent, live) values ($1, $2, $3)
             on conflict (vm) do update set persistent = excluded.persistent, live = excluded.live",
        )
        .bind(id)
        .bind(self.xml_persistent.as_deref())
        .bind(self.xml_live.as_deref())
        .execute(&mut *tx)
        .await?;
        Ok(())
    }

    fn plugs(&self) -> Vec<&str> {
        let nics = self.nics.iter().filter(|nic| nic.kind == "network");
        nics.map(|nic| nic.source.as_str()).collect()
    }

    fn read(row: &Row) -> Result<Self, SqlError> {
        let vm = vm_row(row)?;
        Ok(Vm {
            xml_persistent: row.optional_text("xml_persistent")?,
            xml_live: row.optional_text("xml_live")?,
            ..vm
        })
    }
}

/// A VM without its definitions.
pub(crate) fn vm_row(row: &Row) -> Result<Vm, SqlError> {
    let doc: VmDoc = row.json("doc")?;
    let vcpus = row.int("vcpus")?;
    let columns = Vm {
        uuid: row.uuid("uuid")?,
        name: row.text("name")?,
        domain_id: None,
        status: row.word("status", VmStatus::from_word)?,
        status_reason: String::new(),
        domain_type: String::new(),
        os_type: String::new(),
        arch: String::new(),
        vcpus: u32::try_from(vcpus).unwrap_or(0),
        vcpus_max: 0,
        memory: Bytes(row.number("memory")?),
        memory_max: Bytes(0),
        autostart: false,
        persistent: false,
        has_managed_save: false,
        pending_changes: false,
        title: String::new(),
        description: String::new(),
        disks: Vec::new(),
        nics: Vec::new(),
        graphics: Vec::new(),
        xml_persistent: None,
        xml_live: None,
    };
    Ok(doc.complete(columns))
}

/// Everything a search looks into: name, title, UUID, addresses, MACs, each on its line, in lower case.
fn vm_search(vm: &Vm) -> String {
    let mut words = vec![vm.name.clone(), vm.title.clone(), vm.uuid.to_string()];
    for nic in &vm.nics {
        words.push(nic.mac.clone());
        words.extend(nic.addresses.iter().cloned());
    }
    words.join("\n").to_lowercase()
}

impl Kept for Pool {
    const KIND: ObjectKind = ObjectKind::Pool;
    const TABLE: &'static str = "pool";
    const SELECT: &'static str = "select o.* from pool o where";
    const COLUMNS: &'static [&'static str] = &[
        "name", "status", "capacity", "doc", "search", "xml", "xml_live",
    ];

    fn uuid(&self) -> Uuid {
        self.uuid
    }

    fn bind(&self, query: Query) -> Query {
        query
            .bind(&self.name)
            .bind(active_word(self.active))
            .bind(int(self.capacity.0))
            .bind(json(&PoolDoc::of(self)))
            .bind(format!("{}\n{}\n{}", self.name, self.uuid, self.target).to_lowercase())
            .bind(&self.xml)
            .bind(self.xml_live.as_deref())
    }

    fn read(row: &Row) -> Result<Self, SqlError> {
        let pool = pool_row(row)?;
        Ok(Pool {
            xml: row.text("xml")?,
            xml_live: row.optional_text("xml_live")?,
            ..pool
        })
    }
}

/// A pool without its definitions.
pub(crate) fn pool_row(row: &Row) -> Result<Pool, SqlError> {
    let doc: PoolDoc = row.json("doc")?;
    Ok(Pool {
        uuid: row.uuid("uuid")?,
        name: row.text("name")?,
        kind: doc.kind,
        active: row.text("status")? == active_word(true),
        autostart: doc.autostart,
        persistent: doc.persistent,
        capacity: Bytes(row.number("capacity")?),
        allocation: Bytes(doc.allocation),
        available: Bytes(doc.available),
        target: doc.target,
        volume_count: doc.volume_count,
        xml: String::new(),
        xml_live: None,
    })
}

impl Kept for Network {
    const KIND: ObjectKind = ObjectKind::Network;
    const TABLE: &'static str = "network";
    const SELECT: &'static str = "select o.* from network o where";
    const COLUMNS: &'static [&'static str] =
        &["name", "status", "doc", "search", "xml", "xml_persistent"];

    fn uuid(&self) -> Uuid {
        self.uuid
    }

    fn bind(&self, query: Query) -> Query {
        let search = format!(
            "{}\n{}\n{}\n{}",
            self.name,
            self.uuid,
            self.bridge,
            self.cidrs.join("\n")
        );
        query
            .bind(&self.name)
            .bind(active_word(self.active))
            .bind(json(&NetworkDoc::of(self)))
            .bind(search.to_lowercase())
            .bind(&self.xml)
            .bind(self.xml_persistent.as_deref())
    }

    fn read(row: &Row) -> Result<Self, SqlError> {
        let network = network_row(row)?;
        Ok(Network {
            xml: row.text("xml")?,
            xml_persistent: row.optional_text("xml_persistent")?,
            ..network
        })
    }
}

/// A network without its definitions.
pub(crate) fn network_row(row: &Row) -> Result<Network, SqlError> {
    let doc: NetworkDoc = row.json("doc")?;
    Ok(Network {
        uuid: row.uuid("uuid")?,
        name: row.text("name")?,
        active: row.text("status")? == active_word(true),
        autostart: doc.autostart,
        persistent: doc.persistent,
        bridge: doc.bridge,
        forward: doc.forward,
        cidrs: doc.cidrs,
        dhcp: doc.dhcp,
        xml: String::new(),
        xml_persistent: None,
    })
}

const fn active_word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// The record around an object, from a row joined with its host (`host_name`, `host_freshness`).
pub(crate) fn stored<T>(row: &Row, value: T) -> Result<Stored<T>, SqlError> {
    Ok(Stored {
        id: row.uuid("id")?,
        r#gen: row.number("gen")?,
        observed_at: row.at("observed_at")?,
        host: HostBrief {
            id: HostId(row.uuid("host")?),
            name: row.text("host_name")?,
            freshness: row.word("host_freshness", Freshness::from_word)?,
        },
        value,
    })
}
