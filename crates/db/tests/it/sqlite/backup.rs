//! Copies of the store, and going on from one.

use super::contract::fixture::{Fixture, opening, store, vm};
use db::{ListQuery, Store, StoreError, backup};
use jiff::{SignedDuration, Timestamp};
use model::lifecycle::Request;
use model::{ActionStatus, VmStatus};
use std::path::PathBuf;

/// A store with an action on its way, one in the queue behind it, and what must not come back.
async fn filled() -> Fixture {
    let f = store().await;
    let vm = vm("srv01", VmStatus::Running);
    let key = f.host("kvm1").await;
    f.snapshot(key, 1, vec![vm.clone()]).await;
    f.queue(key, &vm, Request::Shutdown).await;
    let sent = f.store.dispatch(key, true).await.expect("sends");
    assert_eq!(sent.len(), 1);
    f.queue(key, &vm, Request::Start).await;
    f
}

async fn copied(f: &Fixture) -> PathBuf {
    let to = f.database.folder().join("copy");
    backup::copy(f.database.folder(), &to).expect("is copied");
    to
}

/// Opens a copy in a folder of its own.
async fn opened(copy: &std::path::Path) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(copy, folder.path().join("salar.db")).expect("is copied");
    let store = Store::open(folder.path()).await.expect("opens");
    (folder, store)
}

async fn statuses(store: &Store) -> Vec<ActionStatus> {
    let page = store
        .list::<db::ActionRecord>(&ListQuery {
            limit: 10,
            ..ListQuery::default()
        })
        .await
        .expect("lists");
    let mut actions = page.items;
    actions.sort_by_key(|record| record.action.id.0);
    actions.iter().map(|record| record.action.status).collect()
}

#[tokio::test]
async fn a_copy_is_made_while_the_store_is_written() {
    let f = filled().await;
    let copy = copied(&f).await;
    // What comes later is not in it, and the store goes on.
    let key = f.host("kvm2").await;
    f.snapshot(key, 1, vec![vm("later", VmStatus::Running)])
        .await;
    let (_folder, store) = opened(&copy).await;
    let hosts = store.all_hosts().await.expect("lists");
    assert_eq!(hosts.len(), 1);
    assert_eq!(f.store.all_hosts().await.expect("lists").len(), 2);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&copy).expect("is there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    // Never over another file.
    let again = backup::copy(f.database.folder(), &copy);
    assert!(matches!(again, Err(StoreError::Sql { .. })), "{again:?}");
}

#[tokio::test]
async fn what_was_on_its_way_is_asked_again_or_unknown() {
    let f = filled().await;
    let now = Timestamp::now();
    let hour = now - SignedDuration::from_hours(1);
    let copy = copied(&f).await;
    backup::adopt(&copy, hour, now).expect("is adopted");
    let (_folder, store) = opened(&copy).await;
    assert_eq!(
        statuses(&store).await,
        [ActionStatus::Sent, ActionStatus::Queued]
    );

    // Older than any journal: nothing is sent again, and nothing that has waited for too long is sent at all.
    let later = now + SignedDuration::from_hours(30 * 24);
    backup::adopt(&copy, now, later).expect("is adopted");
    let (_folder, store) = opened(&copy).await;
    assert_eq!(
        statuses(&store).await,
        [ActionStatus::Accepted, ActionStatus::Failed]
    );
    let host = store.all_hosts().await.expect("lists")[0].id;
    let key = store.open_session(&opening(host, "kvm1")).await;
    let key = key.expect("opens").key;
    let again = store.resume_actions(key, &[]).await.expect("resumes");
    assert_eq!(again.len(), 0);
    assert_eq!(
        statuses(&store).await[0],
        ActionStatus::Unknown,
        "the agent does not know it"
    );
}

#[tokio::test]
async fn sign_ins_and_tokens_of_a_copy_are_worth_nothing() {
    let f = store().await;
    let now = Timestamp::now();
    let token = db::JoinToken {
        hash: vec![1; 32],
        user: "admin".to_owned(),
        created_at: now,
        expires_at: now + SignedDuration::from_hours(1),
    };
    f.store.insert_join_token(&token).await.expect("is kept");
    let copy = copied(&f).await;
    backup::adopt(&copy, now, now).expect("is adopted");
    let (_folder, store) = opened(&copy).await;
    let tokens = store.list_join_tokens(now).await.expect("lists");
    assert_eq!(tokens, []);
}

#[tokio::test]
async fn what_is_no_store_is_not_adopted() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = backup::copy(folder.path(), &folder.path().join("copy"));
    assert!(matches!(none, Err(StoreError::Open { .. })), "{none:?}");
    let rubbish = folder.path().join("rubbish");
    std::fs::write(&rubbish, "no database at all, whatever it is").expect("writes");
    let now = Timestamp::now();
    let refused = backup::adopt(&rubbish, now, now);
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );

    // A page in the middle is gone.
    let f = filled().await;
    let copy = copied(&f).await;
    let mut bytes = std::fs::read(&copy).expect("reads");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    std::fs::write(&copy, bytes).expect("writes");
    let refused = backup::adopt(&copy, now, now);
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_store_is_replaced_only_when_nobody_has_it() {
    let f = filled().await;
    let copy = copied(&f).await;
    let keep = f.database.folder().join("keep");
    std::fs::create_dir(&keep).expect("makes a folder");
    let refused = backup::replace(f.database.folder(), &copy, &keep);
    assert!(matches!(refused, Err(StoreError::InUse { .. })));
    let key = f.host("kvm2").await;
    f.snapshot(key, 1, Vec::new()).await;
    f.store.close().await;
    let Fixture { store, database } = f;
    drop(store);
    backup::replace(database.folder(), &copy, &keep).expect("is replaced");
    let store = Store::open(database.folder()).await.expect("opens");
    assert_eq!(store.all_hosts().await.expect("lists").len(), 1);
    let kept = Store::open(&keep).await.expect("opens");
    assert_eq!(kept.all_hosts().await.expect("lists").len(), 2);
}
