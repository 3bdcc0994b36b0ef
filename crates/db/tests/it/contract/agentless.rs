//! Hosts that the server runs an agent for.

use super::fixture::{facts, opening, store, vm};
use db::{
    Connection, HostRecord, KeyStatus, ListQuery, Opening, Replica, ShownKey, StoreError, Stored,
};
use jiff::Timestamp;
use model::{Fingerprint, Freshness, HostId, Vm, VmStatus};
use uuid::Uuid;

/// The server of these tests.
const SERVER: Uuid = Uuid::from_u128(1);

fn connection(uri: &str) -> Connection {
    Connection {
        uri: uri.to_owned(),
        key_file: Some("/root/.ssh/id".to_owned()),
        host_keys: vec!["ssh-ed25519 AAAA".to_owned()],
        added_at: Timestamp::from_second(1_800_000_000).expect("is one"),
        added_by: "anna".to_owned(),
    }
}

#[tokio::test]
async fn a_host_is_listed_from_the_start_and_reached_anew_under_the_same_id() {
    let f = store().await;
    let first = connection("qemu+ssh://root@h2/system");
    let id = f.store.add_agentless("h2", &first).await.expect("is added");
    let listed = f.store.all_hosts().await.expect("lists");
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (
            listed[0].facts.name.as_str(),
            listed[0].freshness,
            listed[0].agentless
        ),
        ("h2", Freshness::Unreachable, true)
    );
    assert_eq!(listed[0].facts.uri, first.uri);
    let known = f.store.claim_agentless(SERVER).await.expect("lists");
    assert_eq!((known[0].id, &known[0].connection), (id, &first));

    // The server's agent for it opens a session before libvirt answers: the name stays.
    let mut quiet = opening(id, "");
    quiet.facts = None;
    let opened = f.store.open_session(&quiet).await.expect("opens");
    assert_eq!((opened.name.as_str(), opened.key.epoch), ("h2", 2));

    let before = f.store.all_hosts().await.expect("lists")[0].r#gen;
    let other = connection("qemu+ssh://admin@h2:2222/system");
    let again = f.store.add_agentless("h2", &other).await.expect("is added");
    assert_eq!(again, id);
    let known = f.store.claim_agentless(SERVER).await.expect("lists");
    assert_eq!(known[0].connection, other);
    let found = f.store.find::<HostRecord>(id.0).await.expect("reads");
    assert!(found.expect("is there").r#gen > before);
}

#[tokio::test]
async fn a_name_belongs_to_one_host() {
    let f = store().await;
    f.host("kvm1").await;
    let here = connection("test:///default");
    let refused = f.store.add_agentless("kvm1", &here);
    assert!(matches!(refused.await, Err(StoreError::Conflict { .. })));

    // A stranger that has claimed the name before comes too late, too.
    let shown = ShownKey {
        fingerprint: Fingerprint([1; 32]),
        host: HostId(Uuid::now_v7()),
        name: "h2".to_owned(),
        address: "10.0.0.9".to_owned(),
        token: None,
    };
    let before = f
        .store
        .enrol(&shown, Timestamp::now())
        .await
        .expect("is kept");
    assert_eq!(before.key.status, KeyStatus::Unaccepted);
    let added = f.store.add_agentless("h2", &here);
    let id = added.await.expect("is added");
    let after = f
        .store
        .enrol(&shown, Timestamp::now())
        .await
        .expect("is kept");
    assert_eq!(after.key.status, KeyStatus::Denied);

    // Once the host is removed, an agent of its own may have the name.
    f.store.remove_host(id).await.expect("is removed");
    assert!(
        f.store
            .claim_agentless(SERVER)
            .await
            .expect("lists")
            .is_empty()
    );
    let at_last = f
        .store
        .enrol(&shown, Timestamp::now())
        .await
        .expect("is kept");
    assert_eq!(at_last.key.status, KeyStatus::Unaccepted);
}

#[tokio::test]
async fn its_removal_ends_its_session() {
    let f = store().await;
    let here = connection("test:///default");
    let added = f.store.add_agentless("h2", &here);
    let id = added.await.expect("is added");
    let opened = f.store.open_session(&opening(id, "h2")).await;
    let key = opened.expect("opens").key;
    f.snapshot(key, 1, vec![vm("srv01", VmStatus::Running)])
        .await;
    let removed = f.store.remove_host(id).await.expect("is removed");
    assert_eq!(removed.expect("there was one").name, facts("h2").name);
    let late = f.store.set_condition(key, Freshness::Live, "").await;
    assert!(matches!(late, Err(StoreError::LostSession { .. })));
    let vms = f.store.list::<Stored<Vm>>(&ListQuery::default()).await;
    assert_eq!(vms.expect("lists").total, 0);
    assert!(f.store.all_hosts().await.expect("lists").is_empty());
}

/// Of two servers one runs the agent; the other takes over when that one is gone, and what is left over is refused.
#[tokio::test]
async fn one_server_runs_the_agent_of_a_host() {
    let f = store().await;
    let servers = [1, 2].map(|n| Replica {
        id: Uuid::from_u128(n),
        url: String::new(),
        agents: String::new(),
        ca: String::new(),
        key: String::new(),
    });
    for server in &servers {
        f.store.renew_replica(server).await.expect("is entered");
    }
    let [first, second] = servers.map(|server| server.id);
    let host = f
        .store
        .add_agentless("far", &connection("test:///default"))
        .await
        .expect("is added");
    let claimed = async |server| {
        let claimed = f.store.claim_agentless(server).await.expect("claims");
        claimed.into_iter().map(|host| host.id).collect::<Vec<_>>()
    };
    assert_eq!(claimed(first).await, [host]);
    assert!(claimed(second).await.is_empty());
    let by = |owner| Opening {
        owner,
        agentless: true,
        ..opening(host, "far")
    };
    f.store.open_session(&by(first)).await.expect("opens");
    f.store.leave_replica(first).await.expect("leaves");
    assert_eq!(claimed(second).await, [host]);
    let late = f.store.open_session(&by(first)).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    f.store.open_session(&by(second)).await.expect("opens");
    // Removed: whatever agent is still there does not bring it back.
    f.store.remove_host(host).await.expect("is removed");
    let late = f.store.open_session(&by(second)).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    assert!(f.store.all_hosts().await.expect("lists").is_empty());
}
