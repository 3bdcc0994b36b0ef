//! The queue: lanes, dispatch, results, retries.

use super::fixture::{Fixture, job, opening, store, vm};
use db::{ActionRecord, Cancelled, NewJob, Outcome, Recorded, SessionKey, StoreError};
use jiff::{SignedDuration, Timestamp};
use model::lifecycle::Request;
use model::{ActionId, ActionStatus, VmStatus};
use uuid::Uuid;

async fn status(f: &Fixture, id: ActionId) -> ActionStatus {
    record(f, id).await.action.status
}

async fn record(f: &Fixture, id: ActionId) -> ActionRecord {
    let found = f.store.find::<ActionRecord>(id.0).await.expect("reads");
    found.expect("the action is there")
}

async fn sent(f: &Fixture, key: SessionKey) -> Vec<ActionId> {
    let actions = f.store.dispatch(key, true).await.expect("dispatches");
    actions.into_iter().map(|action| action.id).collect()
}

async fn says(f: &Fixture, key: SessionKey, id: ActionId, status: ActionStatus) -> Recorded {
    let outcome = Outcome {
        id,
        status,
        progress: None,
        result: None,
        error: None,
        hint: None,
    };
    f.store
        .record_outcome(key, &outcome)
        .await
        .expect("is recorded")
}

/// P3: one at a time, in the order of acceptance; other lanes are not kept.
#[tokio::test]
async fn a_lane_sends_one_action_at_a_time_in_order() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let (a, b) = (vm("a", VmStatus::Running), vm("b", VmStatus::Running));
    let first = f.queue(key, &a, Request::Pause).await;
    let second = f.queue(key, &a, Request::Resume).await;
    let other = f.queue(key, &b, Request::Pause).await;
    assert_eq!(sent(&f, key).await, [first, other]);
    assert_eq!(sent(&f, key).await, []);
    let behind = record(&f, second)
        .await
        .behind
        .expect("it waits for the first");
    assert_eq!(
        (behind.fun.as_str(), behind.vm_name.as_str()),
        ("vm.pause", "a")
    );
    assert_eq!(
        says(&f, key, first, ActionStatus::Succeeded).await,
        Recorded::Ended
    );
    assert_eq!(sent(&f, key).await, [second]);
}

#[tokio::test]
async fn requests_to_vms_wait_while_libvirt_is_away() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let id = f
        .queue(key, &vm("a", VmStatus::Running), Request::Pause)
        .await;
    assert!(
        f.store
            .dispatch(key, false)
            .await
            .expect("dispatches")
            .is_empty()
    );
    assert_eq!(sent(&f, key).await, [id]);
}

/// P1: an acknowledged action is on disk, and a result is final.
#[tokio::test]
async fn an_action_survives_a_crash_and_ends_once() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let id = f
        .queue(key, &vm("a", VmStatus::Running), Request::Pause)
        .await;
    let f = f.reopen().await;
    let key = f
        .store
        .open_session(&opening(key.host, "kvm1"))
        .await
        .expect("opens")
        .key;
    assert_eq!(sent(&f, key).await, [id]);
    assert_eq!(
        says(&f, key, id, ActionStatus::Succeeded).await,
        Recorded::Ended
    );
    assert_eq!(
        says(&f, key, id, ActionStatus::Failed).await,
        Recorded::Nothing
    );
    assert_eq!(status(&f, id).await, ActionStatus::Succeeded);
}

#[tokio::test]
async fn a_result_is_taken_from_a_later_session() {
    let f = store().await;
    let first = f.host("kvm1").await;
    let id = f
        .queue(first, &vm("a", VmStatus::Running), Request::Pause)
        .await;
    sent(&f, first).await;
    says(&f, first, id, ActionStatus::Running).await;
    let second = f
        .store
        .open_session(&opening(first.host, "kvm1"))
        .await
        .expect("opens")
        .key;
    f.store
        .resume_actions(second, &[id])
        .await
        .expect("resumes");
    assert_eq!(
        says(&f, second, id, ActionStatus::Succeeded).await,
        Recorded::Ended
    );
}

#[tokio::test]
async fn what_was_sent_and_not_confirmed_is_sent_again_with_the_same_id() {
    let f = store().await;
    let first = f.host("kvm1").await;
    let id = f
        .queue(first, &vm("a", VmStatus::Running), Request::Pause)
        .await;
    sent(&f, first).await;
    let second = f
        .store
        .open_session(&opening(first.host, "kvm1"))
        .await
        .expect("opens")
        .key;
    let again = f.store.resume_actions(second, &[]).await.expect("resumes");
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].id, id);
}

/// The journal is gone: the server must not start the action a second time.
#[tokio::test]
async fn a_lost_journal_makes_the_outcome_unknown_and_blocks_the_lane() {
    let f = store().await;
    let first = f.host("kvm1").await;
    let a = vm("a", VmStatus::Running);
    let reset = f.queue(first, &a, Request::Reset).await;
    let next = f.queue(first, &a, Request::Pause).await;
    sent(&f, first).await;
    says(&f, first, reset, ActionStatus::Accepted).await;
    let second = f
        .store
        .open_session(&opening(first.host, "kvm1"))
        .await
        .expect("opens")
        .key;
    assert!(
        f.store
            .resume_actions(second, &[])
            .await
            .expect("resumes")
            .is_empty()
    );
    assert_eq!(status(&f, reset).await, ActionStatus::Unknown);
    assert_eq!(
        sent(&f, second).await,
        [],
        "a reset is not repeated by itself and blocks its lane"
    );
    assert!(record(&f, next).await.behind.expect("waits").unknown);
    let settled = f.store.cancel(reset).await.expect("settles");
    assert_eq!(settled, Some(Cancelled::Resolved(first.host)));
    assert_eq!(sent(&f, second).await, [next]);
}

#[tokio::test]
async fn an_idempotent_action_is_repeated_before_anything_else_of_its_lane() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let a = vm("a", VmStatus::Shutoff);
    let start = f.queue(key, &a, Request::Start).await;
    let next = f.queue(key, &a, Request::Reset).await;
    sent(&f, key).await;
    says(&f, key, start, ActionStatus::Unknown).await;
    let [retry] = sent(&f, key).await[..] else {
        panic!("the retry alone goes")
    };
    assert_ne!(retry, next);
    assert_eq!(record(&f, retry).await.action.retry_of, Some(start));
    says(&f, key, retry, ActionStatus::Succeeded).await;
    assert!(record(&f, start).await.resolved);
    assert_eq!(sent(&f, key).await, [next]);
}

#[tokio::test]
async fn automatic_retries_end() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let mut id = f
        .queue(key, &vm("a", VmStatus::Shutoff), Request::Start)
        .await;
    for _ in 0..2 {
        assert_eq!(sent(&f, key).await, [id]);
        says(&f, key, id, ActionStatus::Unknown).await;
        let next = f.store.dispatch(key, false).await.expect("dispatches");
        assert!(next.is_empty());
        let newest = db::ListQuery {
            limit: 1,
            ..db::ListQuery::default()
        };
        let page = f.store.list::<ActionRecord>(&newest).await.expect("lists");
        id = page.items[0].action.id;
    }
    assert_eq!(sent(&f, key).await, [id]);
    says(&f, key, id, ActionStatus::Unknown).await;
    assert_eq!(sent(&f, key).await, []);
    assert!(
        f.store
            .lane_is_busy(&record(&f, id).await.action.lane)
            .await
            .expect("reads")
    );
}

#[tokio::test]
async fn a_queued_action_is_cancelled_at_once_and_a_sent_one_by_its_agent() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let a = vm("a", VmStatus::Running);
    let (first, second) = (
        f.queue(key, &a, Request::Pause).await,
        f.queue(key, &a, Request::Reset).await,
    );
    sent(&f, key).await;
    assert_eq!(
        f.store.cancel(second).await.expect("cancels"),
        Some(Cancelled::AtOnce)
    );
    assert_eq!(
        f.store.cancel(first).await.expect("cancels"),
        Some(Cancelled::Asked(key.host))
    );
    assert_eq!(f.store.wanted_cancels(key).await.expect("reads"), [first]);
    says(&f, key, first, ActionStatus::Cancelled).await;
    let late = f.store.cancel(first).await.expect("answers");
    assert_eq!(late, Some(Cancelled::TooLate(ActionStatus::Cancelled)));
    assert_eq!(
        f.store
            .cancel(ActionId(Uuid::nil()))
            .await
            .expect("answers"),
        None
    );
}

#[tokio::test]
async fn only_what_waits_expires() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let a = vm("a", VmStatus::Running);
    let (first, second) = (
        f.queue(key, &a, Request::Pause).await,
        f.queue(key, &a, Request::Resume).await,
    );
    sent(&f, key).await;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(25);
    assert_eq!(f.store.expire(tomorrow).await.expect("expires"), [second]);
    assert_eq!(status(&f, first).await, ActionStatus::Sent);
    assert!(
        record(&f, second)
            .await
            .error
            .expect("says why")
            .contains("expired")
    );
}

#[tokio::test]
async fn the_same_key_is_the_same_job_and_never_another_request() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let a = vm("a", VmStatus::Running);
    let keyed = |digest: u8| NewJob {
        key: Some(("k1".to_owned(), vec![digest])),
        ..job(key.host, &a, Request::Pause)
    };
    let first = f.store.insert_job(&keyed(1)).await.expect("is queued");
    let again = f.store.insert_job(&keyed(1)).await.expect("is known");
    assert_eq!((again.job, again.repeated), (first.job, true));
    let other = f.store.insert_job(&keyed(2)).await;
    assert!(matches!(other, Err(StoreError::KeyReused)));
    let (_, actions) = f
        .store
        .find_job(first.job)
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(actions.len(), 1);
}

#[tokio::test]
async fn a_retry_of_what_goes_on_is_refused() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let id = f
        .queue(key, &vm("a", VmStatus::Running), Request::Pause)
        .await;
    let new = || ActionId(Uuid::now_v7());
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let refused = f.store.retry(id, new(), "ann", later).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    f.store.cancel(id).await.expect("cancels");
    assert_eq!(
        f.store
            .retry(id, new(), "ann", later)
            .await
            .expect("queues"),
        Some(key.host)
    );
    let twice = f.store.retry(id, new(), "ann", later).await;
    assert!(matches!(twice, Err(StoreError::Conflict { .. })));
}

#[tokio::test]
async fn a_result_nobody_asked_for_is_recorded_as_recovered() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let id = ActionId(Uuid::now_v7());
    assert_eq!(
        says(&f, key, id, ActionStatus::Succeeded).await,
        Recorded::Recovered
    );
    assert_eq!(record(&f, id).await.user, "recovered");
    let other = f.host("kvm2").await;
    assert_eq!(
        says(&f, other, id, ActionStatus::Failed).await,
        Recorded::Foreign
    );
}

/// Without the index of the schema this passes, and P3 rests on the code alone.
#[tokio::test]
async fn the_schema_itself_refuses_two_of_a_lane_on_their_way() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let a = vm("a", VmStatus::Running);
    f.queue(key, &a, Request::Pause).await;
    f.queue(key, &a, Request::Reset).await;
    let careless = f.database.run_beside("update action set status = 'sent'");
    let error = careless.await.expect_err("two of one lane");
    assert!(
        error.contains("action") && error.contains("lane"),
        "{error}"
    );
}

/// Two requests at the same time: the one with the later number may be seen, and sent, before the other is there.
#[tokio::test]
async fn what_became_visible_late_waits_for_what_is_on_its_way() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let a = vm("a", VmStatus::Running);
    let late = f.queue(key, &a, Request::Pause).await;
    let early = f.queue(key, &a, Request::Reset).await;
    let seen_first = format!("update action set status = 'sent', epoch = 1 where id = '{early}'");
    f.database
        .run_beside(&seen_first)
        .await
        .expect("is written");
    assert_eq!(sent(&f, key).await, []);
    let behind = record(&f, late)
        .await
        .behind
        .expect("it is said for what it waits");
    assert_eq!(behind.fun, "vm.reset");
    says(&f, key, early, ActionStatus::Succeeded).await;
    assert_eq!(sent(&f, key).await, [late]);
}
