//! Epochs and the fence.

use super::super::engine::IS_SHARED;
use super::fixture::{facts, opening, store, vm};
use db::{ActionRecord, HostRecord, ListQuery, Opening, StoreError, Stored};
use model::lifecycle::Request;
use model::{ActionStatus, Freshness, HostId, ObjectKind, Vm, VmStatus};
use uuid::Uuid;

#[tokio::test]
async fn each_session_gets_a_higher_epoch_than_anybody_has_seen() {
    let f = store().await;
    let host = HostId(Uuid::now_v7());
    let first = f.store.open_session(&opening(host, "kvm1")).await;
    assert_eq!(first.expect("opens").key.epoch, 1);
    let ahead = Opening {
        said_epoch: 40,
        ..opening(host, "kvm1")
    };
    let second = f.store.open_session(&ahead).await;
    assert_eq!(second.expect("opens").key.epoch, 41);
}

#[tokio::test]
async fn an_agent_that_knows_nothing_yet_erases_nothing() {
    let f = store().await;
    let silent = |host| Opening {
        facts: None,
        ..opening(host, "")
    };
    let key = f.host("kvm1").await;
    let again = f.store.open_session(&silent(key.host)).await;
    assert_eq!(again.expect("opens").name, "kvm1");
    let new = HostId(Uuid::now_v7());
    let opened = f.store.open_session(&silent(new)).await;
    assert_eq!(opened.expect("opens").name, new.to_string());
    let hosts = f.store.all_hosts().await.expect("lists");
    assert_eq!(hosts.len(), 2);
    assert!(hosts.iter().any(|host| host.facts == facts("kvm1")));
}

#[tokio::test]
async fn an_epoch_too_far_ahead_is_refused() {
    let f = store().await;
    let wild = Opening {
        said_epoch: (1 << 20) + 1,
        ..opening(HostId(Uuid::now_v7()), "kvm1")
    };
    let refused = f.store.open_session(&wild).await;
    assert!(matches!(refused, Err(StoreError::EpochJump { .. })));
    assert_eq!(f.store.all_hosts().await.expect("lists").len(), 0);
}

/// P6: a session that has been replaced writes nothing.
#[tokio::test]
async fn a_replaced_session_cannot_write() {
    let f = store().await;
    let old = f.host("kvm1").await;
    f.snapshot(old, 1, vec![vm("a", VmStatus::Running)]).await;
    let other = Opening {
        owner: Uuid::from_u128(2),
        ..opening(old.host, "kvm1")
    };
    f.store.open_session(&other).await.expect("opens");
    let late = f
        .store
        .set_condition(old, Freshness::Unreachable, "late")
        .await;
    assert!(matches!(late, Err(StoreError::LostSession { .. })));
    let hosts = f.store.all_hosts().await.expect("lists");
    assert_eq!(hosts[0].freshness, Freshness::Live);
    assert!(matches!(
        f.store.dispatch(old, true).await,
        Err(StoreError::LostSession { .. })
    ));
}

#[tokio::test]
async fn losing_a_host_shows_in_all_its_objects() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm("a", VmStatus::Running)]).await;
    let before = f.store.revision().await.expect("reads").place;
    f.store
        .set_condition(key, Freshness::Unreachable, "no word for 15 s")
        .await
        .expect("is recorded");
    let query = ListQuery {
        limit: 10,
        ..ListQuery::default()
    };
    let page = f.store.list::<Stored<Vm>>(&query).await.expect("lists");
    let row = &page.items[0];
    assert_eq!(row.host.freshness, Freshness::Unreachable);
    assert_eq!(
        row.value.status,
        VmStatus::Running,
        "the VM is as last known"
    );
    // The VM and the host.
    f.changes(before, 2).await;
}

#[tokio::test]
async fn after_a_crash_hosts_are_unreachable() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm("a", VmStatus::Running)]).await;
    let epoch = f.store.feed_epoch().to_owned();
    let f = f.reopen().await;
    // Others go on with a shared database, and with them its feed.
    assert_eq!(f.store.feed_epoch() == epoch, IS_SHARED);
    let hosts: Vec<HostRecord> = f.store.all_hosts().await.expect("lists");
    assert_eq!(hosts[0].freshness, Freshness::Unreachable);
    assert_eq!(hosts[0].facts, facts("kvm1"));
    assert_eq!((hosts[0].vms_total, hosts[0].vms_running), (1, 1));
}

#[tokio::test]
async fn what_was_asked_of_a_removed_host_ends_as_it_was() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let (sent, waiting) = (
        vm("srv01", VmStatus::Running),
        vm("srv02", VmStatus::Running),
    );
    f.snapshot(key, 1, vec![sent.clone(), waiting.clone()])
        .await;
    let sent_action = f.queue(key, &sent, Request::Shutdown).await;
    let sent_now = f.store.dispatch(key, true).await.expect("dispatches");
    assert_eq!(sent_now.len(), 1);
    let waiting_action = f.queue(key, &waiting, Request::Shutdown).await;
    let gone = f.store.set_condition(key, Freshness::Unreachable, "").await;
    gone.expect("is recorded");
    f.store.remove_host(key.host).await.expect("is removed");
    let ended = async |id| {
        let found = f.store.find::<ActionRecord>(id).await.expect("reads");
        let record = found.expect("stays in the history");
        let error = record.error.unwrap_or_default();
        (record.action.status, error)
    };
    let (status, why) = ended(waiting_action.0).await;
    assert_eq!(
        (status, why.as_str()),
        (ActionStatus::Failed, "Its host was removed")
    );
    let (status, why) = ended(sent_action.0).await;
    assert_eq!(status, ActionStatus::Unknown);
    assert_eq!(why, "Its host was removed while it ran");
}

#[tokio::test]
async fn a_host_that_is_gone_is_removed_and_comes_back_whole() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm("srv01", VmStatus::Running)])
        .await;
    let vms = async || {
        let page = f.store.list::<Stored<Vm>>(&ListQuery::default()).await;
        page.expect("lists").total
    };
    let refused = f.store.remove_host(key.host).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict { .. })),
        "{refused:?}"
    );

    let gone = f.store.set_condition(key, Freshness::Unreachable, "").await;
    gone.expect("is recorded");
    let before = f.store.revision().await.expect("reads").place;
    let removed = f.store.remove_host(key.host).await.expect("is removed");
    assert_eq!(removed.expect("there was one").name, "kvm1");
    let lines = f.changes(before, 2).await;
    let topics: Vec<_> = lines.iter().map(|line| line.topic).collect();
    assert_eq!(topics, [ObjectKind::Vm, ObjectKind::Host]);
    assert!(f.store.all_hosts().await.expect("reads").is_empty());
    assert_eq!(f.store.remove_host(key.host).await.expect("reads"), None);
    assert_eq!(vms().await, 0);

    // The same agent, with the same inventory: its epoch has grown, and it has to send everything.
    let opened = f.store.open_session(&opening(key.host, "kvm1")).await;
    let opened = opened.expect("a session opens");
    let again = opened.key;
    assert!(again.epoch > key.epoch && opened.digest.is_empty() && opened.instance.is_nil());
    assert_eq!(f.store.all_hosts().await.expect("reads").len(), 1);
    f.snapshot(again, 1, vec![vm("srv01", VmStatus::Running)])
        .await;
    assert_eq!(vms().await, 1);
}
