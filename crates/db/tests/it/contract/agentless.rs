//! Hosts that the server runs an agent for.

use super::fixture::{facts, opening, store, vm};
use db::{Connection, HostRecord, KeyStatus, ListQuery, ShownKey, StoreError, Stored};
use jiff::Timestamp;
use model::{Fingerprint, Freshness, HostId, Vm, VmStatus};
use uuid::Uuid;

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
    let known = f.store.list_agentless().await.expect("lists");
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
    let known = f.store.list_agentless().await.expect("lists");
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
    assert!(f.store.list_agentless().await.expect("lists").is_empty());
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
