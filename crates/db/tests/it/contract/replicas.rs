//! Servers that share a database: their entries, and what becomes of those that are gone.

use super::super::engine::IS_SHARED;
use super::fixture::{opening, store, vm};
use db::{Opening, Replica, Report, StoreError};
use model::{Freshness, HostId, VmStatus};
use uuid::Uuid;

fn replica(n: u128) -> Replica {
    Replica {
        id: Uuid::from_u128(n),
        url: format!("http://server{n}"),
        agents: format!("https://server{n}:4505"),
        ca: "ca".to_owned(),
        key: format!("key{n}"),
    }
}

fn owned_by(n: u128, host: HostId, name: &str) -> Opening {
    Opening {
        owner: Uuid::from_u128(n),
        ..opening(host, name)
    }
}

#[tokio::test]
async fn a_server_is_entered_once_and_listed_until_it_leaves() {
    let f = store().await;
    assert!(
        f.store
            .renew_replica(&replica(1))
            .await
            .expect("is entered")
    );
    assert!(
        !f.store
            .renew_replica(&replica(1))
            .await
            .expect("is renewed")
    );
    assert!(
        f.store
            .renew_replica(&replica(2))
            .await
            .expect("is entered")
    );
    let all = f.store.list_replicas().await.expect("lists");
    assert_eq!(all, [replica(1), replica(2)]);
    f.store.leave_replica(replica(1).id).await.expect("leaves");
    let left = f.store.list_replicas().await.expect("lists");
    assert_eq!(left, [replica(2)]);
}

#[tokio::test]
async fn hosts_of_a_server_that_is_gone_are_unreachable_and_it_writes_nothing_more() {
    let f = store().await;
    for n in [1, 2] {
        f.store
            .renew_replica(&replica(n))
            .await
            .expect("is entered");
    }
    let (lost, kept) = (HostId(Uuid::now_v7()), HostId(Uuid::now_v7()));
    let open = async |opening: Opening| f.store.open_session(&opening).await.expect("opens").key;
    let old = open(owned_by(1, lost, "kvm1")).await;
    open(owned_by(2, kept, "kvm2")).await;
    assert_eq!(
        f.store.owner_of(lost).await.expect("reads"),
        Some(replica(1).id)
    );
    // Its entry is as old as if it had stood still for an hour, by the database's clock.
    let aged = "update replica set seen_at = seen_at - 3600000000 where url = 'http://server1'";
    f.database.run_beside(aged).await.expect("is written");
    let counts = f.store.hosts_by_server().await.expect("counts");
    assert_eq!(counts, [1, 2].map(|n| (replica(n).id, 1)).into());
    assert_eq!(f.store.forget_dead_replicas().await.expect("forgets"), 1);
    let counts = f.store.hosts_by_server().await.expect("counts");
    assert_eq!(counts, [(replica(2).id, 1)].into());
    assert_eq!(f.store.forget_dead_replicas().await.expect("forgets"), 0);
    assert_eq!(f.store.owner_of(lost).await.expect("reads"), None);
    let hosts = f.store.all_hosts().await.expect("lists");
    let fresh: Vec<Freshness> = hosts.iter().map(|host| host.freshness).collect();
    assert_eq!(fresh, [Freshness::Unreachable, Freshness::Live]);
    // It wakes up.
    let late = f.store.touch(old).await;
    assert!(
        matches!(late, Err(StoreError::LostSession { .. })),
        "{late:?}"
    );
    assert!(
        f.store
            .renew_replica(&replica(1))
            .await
            .expect("is entered anew")
    );
    let late = f
        .store
        .apply_reports(old, Uuid::nil(), &[Report::default()])
        .await;
    assert!(
        matches!(late, Err(StoreError::LostSession { .. })),
        "{late:?}"
    );
}

/// P6, where two servers believe that a host is theirs: the later session wins, and the earlier changes nothing.
#[tokio::test]
async fn two_servers_with_the_same_host_do_not_write_over_each_other() {
    let f = store().await;
    let second = match IS_SHARED {
        true => f.database.open().await,
        false => f.store.clone(),
    };
    for n in [1, 2] {
        second.renew_replica(&replica(n)).await.expect("is entered");
    }
    let host = HostId(Uuid::now_v7());
    let old = f.store.open_session(&owned_by(1, host, "kvm1")).await;
    let old = old.expect("opens").key;
    f.snapshot(old, 1, vec![vm("a", VmStatus::Running)]).await;
    let new = second.open_session(&owned_by(2, host, "kvm1")).await;
    let new = new.expect("opens").key;
    assert!(new.epoch > old.epoch);
    let late = f
        .store
        .set_condition(old, Freshness::Unreachable, "I think")
        .await;
    assert!(
        matches!(late, Err(StoreError::LostSession { .. })),
        "{late:?}"
    );
    let hosts = f.store.all_hosts().await.expect("lists");
    assert_eq!(hosts[0].freshness, Freshness::Live);
}
