//! Reports, snapshots and the change feed.

use super::fixture::{INSTANCE, network, store, vm};
use db::{Applied, ChangeRow, ListQuery, NetworkInUse, Place, Report, Snapshot, Stored};
use jiff::{SignedDuration, Timestamp};
use model::{Freshness, Inventory, ObjectKind, Vm, VmStatus};
use proptest::prelude::*;
use uuid::Uuid;

fn all() -> ListQuery {
    ListQuery {
        limit: 200,
        ..ListQuery::default()
    }
}

fn lines(changes: &[ChangeRow]) -> Vec<(ObjectKind, u64)> {
    changes
        .iter()
        .map(|line| (line.topic, line.r#gen))
        .collect()
}

#[tokio::test]
async fn a_generation_grows_only_with_a_real_change() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm("a", VmStatus::Shutoff)]).await;
    let start = f.store.revision().await.expect("reads").place;
    f.report(key, 2, vec![vm("a", VmStatus::Shutoff)]).await;
    assert_eq!(lines(&f.changes(start, 0).await), []);
    f.report(key, 3, vec![vm("a", VmStatus::Running)]).await;
    // The host too: it has one running VM more.
    let [vm_line, host_line] = lines(&f.changes(start, 2).await)[..] else {
        panic!("two lines expected")
    };
    assert_eq!(vm_line, (ObjectKind::Vm, 2));
    assert_eq!(host_line.0, ObjectKind::Host);
}

#[tokio::test]
async fn reports_are_applied_once_and_in_order() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 5, vec![vm("a", VmStatus::Shutoff)]).await;
    let again = f.report(key, 5, vec![vm("a", VmStatus::Paused)]).await;
    assert_eq!(again, Applied { seq: 5, gap: false });
    let ahead = f.report(key, 7, vec![vm("a", VmStatus::Paused)]).await;
    assert_eq!(ahead, Applied { seq: 5, gap: true });
    let next = f.report(key, 6, vec![vm("a", VmStatus::Running)]).await;
    assert_eq!(next, Applied { seq: 6, gap: false });
    let rows: Vec<Stored<Vm>> = f.store.list(&all()).await.expect("lists").items;
    assert_eq!(rows[0].value.status, VmStatus::Running);
    assert_eq!(rows[0].r#gen, 2);
}

#[tokio::test]
async fn reports_of_another_agent_process_need_a_snapshot() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 5, Vec::new()).await;
    let report = Report {
        seq: 6,
        ..Report::default()
    };
    let other = Uuid::from_u128(100);
    let applied = f.store.apply_reports(key, other, &[report]).await;
    assert!(applied.expect("is answered").gap);
}

#[tokio::test]
async fn a_snapshot_removes_what_it_lacks_and_a_return_goes_on_counting() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(
        key,
        1,
        vec![vm("a", VmStatus::Shutoff), vm("b", VmStatus::Shutoff)],
    )
    .await;
    f.snapshot(key, 2, vec![vm("b", VmStatus::Shutoff)]).await;
    let page = f.store.list::<Stored<Vm>>(&all()).await.expect("lists");
    assert_eq!(page.total, 1);
    assert_eq!(page.items[0].value.name, "b");
    f.snapshot(
        key,
        3,
        vec![vm("a", VmStatus::Shutoff), vm("b", VmStatus::Shutoff)],
    )
    .await;
    let a = f
        .store
        .find::<Stored<Vm>>(vm("a", VmStatus::Shutoff).uuid)
        .await;
    assert_eq!(a.expect("reads").expect("is back").r#gen, 3);
}

#[tokio::test]
async fn an_unchanged_snapshot_changes_nothing() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm("a", VmStatus::Shutoff)]).await;
    let start = f.store.revision().await.expect("reads").place;
    let same = Snapshot {
        instance: INSTANCE,
        seq: 9,
        digest: vec![7],
        objects: None,
        facts: None,
    };
    f.store
        .apply_snapshot(key, &same)
        .await
        .expect("is recorded");
    f.changes(start, 0).await;
    let next = f.report(key, 10, Vec::new()).await;
    assert_eq!(
        next,
        Applied {
            seq: 10,
            gap: false
        }
    );
}

#[tokio::test]
async fn two_hosts_may_have_vms_of_one_uuid() {
    let f = store().await;
    let (one, two) = (f.host("kvm1").await, f.host("kvm2").await);
    f.snapshot(one, 1, vec![vm("a", VmStatus::Running)]).await;
    f.snapshot(two, 1, vec![vm("a", VmStatus::Shutoff)]).await;
    let page = f.store.list::<Stored<Vm>>(&all()).await.expect("lists");
    assert_eq!(page.total, 2);
    assert_ne!(page.items[0].id, page.items[1].id);
    assert_eq!(page.items[0].value.uuid, page.items[1].value.uuid);
    f.report(two, 2, vec![vm("a", VmStatus::Paused)]).await;
    let first = f
        .store
        .find::<Stored<Vm>>(vm("a", VmStatus::Running).uuid)
        .await;
    let first = first.expect("reads").expect("is there");
    assert_eq!(first.value.status, VmStatus::Running);
}

#[tokio::test]
async fn networks_count_the_nics_plugged_into_them() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let snapshot = Snapshot {
        instance: INSTANCE,
        seq: 1,
        digest: Vec::new(),
        objects: Some(Inventory {
            vms: vec![vm("a", VmStatus::Running), vm("b", VmStatus::Shutoff)],
            networks: vec![network("net0"), network("net1")],
            ..Inventory::default()
        }),
        facts: None,
    };
    f.store
        .apply_snapshot(key, &snapshot)
        .await
        .expect("is recorded");
    let page = f
        .store
        .list::<Stored<NetworkInUse>>(&all())
        .await
        .expect("lists");
    let counts: Vec<u64> = page.items.iter().map(|n| n.value.nic_count).collect();
    assert_eq!(counts, [2, 0]);
}

#[tokio::test]
async fn the_feed_ends_where_it_was_pruned() {
    let f = store().await;
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm("a", VmStatus::Shutoff)]).await;
    let now = f.store.revision().await.expect("reads").place;
    let later = Timestamp::now() + SignedDuration::from_mins(16);
    f.store.prune(later).await.expect("prunes");
    let since = async |place| f.store.changes_since(place, 10).await.expect("reads");
    assert_eq!(since(Place::default()).await, None);
    assert_eq!(since(now).await, Some(Vec::new()));
    let future = format!("{}.9", u32::MAX).parse().expect("is a place");
    assert_eq!(since(future).await, None);
}

/// The number is given before the commit: whoever reads by numbers alone never sees the line of a slow transaction.
#[tokio::test]
async fn a_reader_misses_no_transaction_that_was_slow_to_commit() {
    let f = store().await;
    let mut keys = Vec::new();
    for n in 0..8 {
        keys.push(f.host(&format!("kvm{n}")).await);
    }
    let mut place = f.store.revision().await.expect("reads").place;
    let writers: Vec<_> = keys
        .into_iter()
        .map(|key| {
            let store = f.store.clone();
            tokio::spawn(async move {
                for round in 0..25 {
                    // The host alone changes: one line each.
                    let condition = format!("round {round}");
                    let told = store.set_condition(key, Freshness::Live, &condition).await;
                    told.expect("is recorded");
                }
            })
        })
        .collect();
    let mut seen = 0;
    for _ in 0..2000 {
        let lines = f
            .store
            .changes_since(place, 7)
            .await
            .expect("reads")
            .expect("is kept");
        assert!(
            lines.iter().all(|line| line.place > place)
                && lines.is_sorted_by_key(|line| line.place)
        );
        seen += lines.len();
        if let Some(last) = lines.last() {
            place = last.place;
        } else if seen == 200 {
            break;
        } else {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
    assert_eq!(seen, 200);
    for writer in writers {
        writer.await.expect("ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// P5: whatever was lost before, a snapshot leaves the store equal to the host.
    #[test]
    fn a_snapshot_repairs_whatever_was_missed(
        before in proptest::collection::btree_set(0..6u8, 0..6),
        after in proptest::collection::btree_set(0..6u8, 0..6),
    ) {
        let vms = |names: &std::collections::BTreeSet<u8>, status| -> Vec<Vm> {
            names.iter().map(|n| vm(&format!("vm{n}"), status)).collect()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let f = store().await;
            let key = f.host("kvm1").await;
            f.snapshot(key, 1, vms(&before, VmStatus::Shutoff)).await;
            f.snapshot(key, 2, vms(&after, VmStatus::Running)).await;
            let page = f.store.list::<Stored<Vm>>(&all()).await.expect("lists");
            let found: Vec<(String, VmStatus)> =
                page.items.iter().map(|row| (row.value.name.clone(), row.value.status)).collect();
            let wanted: Vec<(String, VmStatus)> =
                after.iter().map(|n| (format!("vm{n}"), VmStatus::Running)).collect();
            assert_eq!(found, wanted);
        });
    }
}
