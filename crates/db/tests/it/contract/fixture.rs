//! A store in a folder of its own, and objects to put into it.

use super::super::engine::Database;
use db::{
    Applied, ChangeRow, NewAction, NewJob, Opening, Place, Report, SessionKey, Snapshot, Store,
};
use jiff::{SignedDuration, Timestamp};
use model::lifecycle::Request;
use model::vm::Nic;
use model::{
    ActionId, ActionKind, Bytes, Freshness, HostFacts, HostId, Inventory, JobId, Lane, Network, Vm,
    VmStatus,
};
use uuid::Uuid;

/// A store that goes away with the test.
pub struct Fixture {
    pub store: Store,
    pub database: Database,
}

/// Opens a new store.
pub async fn store() -> Fixture {
    let database = Database::new().await;
    let store = database.open().await;
    Fixture { store, database }
}

pub fn facts(name: &str) -> HostFacts {
    HostFacts {
        name: name.to_owned(),
        uri: "test:///default".to_owned(),
        hypervisor: "Test".to_owned(),
        hypervisor_version: String::new(),
        libvirt_version: "9.0.0".to_owned(),
        cpus: 4,
        cpu_model: "any".to_owned(),
        arch: "x86_64".to_owned(),
        memory: Bytes::from_mib(4096),
        accelerated: false,
        domain_types: vec!["test".to_owned()],
        grains: r#"{"os": "Debian"}"#.to_owned(),
    }
}

pub fn opening(host: HostId, name: &str) -> Opening {
    Opening {
        host,
        owner: Uuid::from_u128(1),
        said_epoch: 0,
        facts: Some(facts(name)),
        joined: false,
        agentless: false,
        freshness: Freshness::Live,
        problem: String::new(),
    }
}

impl Fixture {
    /// The server is gone without a word, and another one starts on the same database.
    pub async fn reopen(self) -> Self {
        let Self { store, database } = self;
        drop(store);
        let store = database.open().await;
        // On a file it goes without saying; a database's other servers find it out.
        store.forget_dead_replicas().await.expect("forgets");
        Self { store, database }
    }

    /// Exactly `count` changes after `place`, once nothing older is open any more.
    pub async fn changes(&self, place: Place, count: usize) -> Vec<ChangeRow> {
        for _ in 0..100 {
            let changes = self.store.changes_since(place, 1000).await.expect("reads");
            let changes = changes.expect("is kept");
            if changes.len() >= count {
                assert_eq!(changes.len(), count, "{changes:?}");
                return changes;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("there are not {count} changes after {place}");
    }

    /// A host with an open session.
    pub async fn host(&self, name: &str) -> SessionKey {
        let host = HostId(Uuid::now_v7());
        let opened = self.store.open_session(&opening(host, name)).await;
        opened.expect("a session opens").key
    }

    pub async fn snapshot(&self, key: SessionKey, seq: u64, vms: Vec<Vm>) {
        let snapshot = Snapshot {
            instance: INSTANCE,
            seq,
            digest: vec![7],
            objects: Some(Inventory {
                vms,
                ..Inventory::default()
            }),
            facts: None,
        };
        let done = self.store.apply_snapshot(key, &snapshot).await;
        done.expect("a snapshot is recorded");
    }

    pub async fn report(&self, key: SessionKey, seq: u64, vms: Vec<Vm>) -> Applied {
        let report = Report {
            seq,
            objects: Inventory {
                vms,
                ..Inventory::default()
            },
            ..Report::default()
        };
        let done = self.store.apply_reports(key, INSTANCE, &[report]).await;
        done.expect("a report is recorded")
    }

    pub async fn queue(&self, key: SessionKey, vm: &Vm, request: Request) -> ActionId {
        let job = job(key.host, vm, request);
        let id = job.actions[0].id;
        self.store
            .insert_job(&job)
            .await
            .expect("an action is queued");
        id
    }
}

/// The agent process of all tests.
pub const INSTANCE: Uuid = Uuid::from_u128(99);

pub fn job(host: HostId, vm: &Vm, request: Request) -> NewJob {
    NewJob {
        id: JobId(Uuid::now_v7()),
        fun: format!("vm.{}", request.as_str()),
        target: vm.name.clone(),
        target_kind: "vm".to_owned(),
        user: "ann".to_owned(),
        key: None,
        actions: vec![NewAction {
            id: ActionId(Uuid::now_v7()),
            host,
            lane: Lane::vm(vm.uuid),
            kind: ActionKind::Vm {
                vm: vm.uuid,
                name: vm.name.clone(),
                request,
            },
            vm_id: Some(vm.uuid),
            done: None,
            deadline: Timestamp::now() + SignedDuration::from_hours(24),
        }],
    }
}

pub fn vm(name: &str, status: VmStatus) -> Vm {
    Vm {
        uuid: Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()),
        name: name.to_owned(),
        domain_id: None,
        status,
        status_reason: String::new(),
        domain_type: "test".to_owned(),
        os_type: "hvm".to_owned(),
        arch: "x86_64".to_owned(),
        vcpus: 1,
        vcpus_max: 2,
        memory: Bytes::from_mib(512),
        memory_max: Bytes::from_mib(512),
        autostart: false,
        persistent: true,
        has_managed_save: false,
        pending_changes: false,
        title: String::new(),
        description: String::new(),
        disks: Vec::new(),
        nics: vec![Nic {
            mac: "52:54:00:00:00:01".to_owned(),
            kind: "network".to_owned(),
            source: "net0".to_owned(),
            model: "virtio".to_owned(),
            target: None,
            addresses: vec!["192.0.2.7".to_owned()],
        }],
        graphics: Vec::new(),
        xml_persistent: Some("<domain/>".to_owned()),
        xml_live: None,
    }
}

pub fn network(name: &str) -> Network {
    Network {
        uuid: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()),
        name: name.to_owned(),
        active: true,
        autostart: true,
        persistent: true,
        bridge: "virbr7".to_owned(),
        forward: "nat".to_owned(),
        cidrs: vec!["192.0.2.1/24".to_owned()],
        dhcp: true,
        xml: "<network/>".to_owned(),
        xml_persistent: None,
    }
}
