//! Keys of agents and tokens to join.

use super::fixture::{opening, store};
use db::{Enrolled, JoinToken, KeyStatus, Opening, ShownKey, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use model::{Fingerprint, Freshness, HostId};
use uuid::Uuid;

/// The key number `n`, of a host and a name of its own.
fn shown(n: u8) -> ShownKey {
    ShownKey {
        fingerprint: Fingerprint([n; 32]),
        host: HostId(Uuid::from_u128(n.into())),
        name: format!("kvm{n}"),
        address: "192.0.2.7".to_owned(),
        token: None,
    }
}

async fn enrol(store: &Store, shown: &ShownKey) -> Enrolled {
    let enrolled = store.enrol(shown, Timestamp::now()).await;
    enrolled.expect("the key is taken note of")
}

async fn add_token(store: &Store, hash: u8, minutes: i64) {
    let now = Timestamp::now();
    let token = JoinToken {
        hash: vec![hash; 32],
        user: "admin".to_owned(),
        created_at: now,
        expires_at: now + SignedDuration::from_mins(minutes),
    };
    store.insert_join_token(&token).await.expect("is kept");
}

#[tokio::test]
async fn a_key_waits_until_it_is_decided() {
    let f = store().await;
    let key = shown(1);
    let first = enrol(&f.store, &key).await;
    assert_eq!(
        (first.key.status, first.changed),
        (KeyStatus::Unaccepted, true)
    );
    let again = enrol(&f.store, &key).await;
    assert_eq!(
        (again.key.status, again.changed),
        (KeyStatus::Unaccepted, false)
    );
    for status in [KeyStatus::Accepted, KeyStatus::Rejected] {
        let decided = f.store.decide_key(&key.fingerprint, status, "admin").await;
        let decided = decided.expect("can be decided").expect("is there");
        assert_eq!(decided.decided_by.as_deref(), Some("admin"));
        assert_eq!(enrol(&f.store, &key).await.key, decided);
    }
    let other_name = ShownKey {
        name: "kvm9".to_owned(),
        ..key.clone()
    };
    let refused = f.store.enrol(&other_name, Timestamp::now()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    let deleted = f.store.delete_key(&key.fingerprint).await.expect("deletes");
    assert_eq!(deleted.map(|key| key.name).as_deref(), Some("kvm1"));
    assert_eq!(
        enrol(&f.store, &key).await.key.status,
        KeyStatus::Unaccepted
    );
    let unknown = f
        .store
        .decide_key(&Fingerprint([9; 32]), KeyStatus::Accepted, "admin")
        .await;
    assert_eq!(unknown.expect("asks"), None);
}

#[tokio::test]
async fn a_host_and_a_name_belong_to_the_first_key() {
    let f = store().await;
    enrol(&f.store, &shown(1)).await;
    let name = ShownKey {
        name: "kvm1".to_owned(),
        ..shown(2)
    };
    let host = ShownKey {
        host: shown(1).host,
        ..shown(3)
    };
    for claim in [&name, &host] {
        assert_eq!(enrol(&f.store, claim).await.key.status, KeyStatus::Denied);
        let accepted = f
            .store
            .decide_key(&claim.fingerprint, KeyStatus::Accepted, "admin")
            .await;
        assert!(matches!(accepted, Err(StoreError::Conflict { .. })));
    }
    f.store
        .delete_key(&Fingerprint([1; 32]))
        .await
        .expect("deletes");
    assert_eq!(
        enrol(&f.store, &name).await.key.status,
        KeyStatus::Unaccepted
    );

    // The host of the server's own agent has no key, and is nobody else's while that agent is away either.
    let local = f.host("local").await;
    let away = f
        .store
        .set_condition(local, Freshness::Unreachable, "")
        .await;
    away.expect("is noted");
    let claims = [
        ShownKey {
            name: "local".to_owned(),
            ..shown(4)
        },
        ShownKey {
            host: local.host,
            ..shown(5)
        },
    ];
    for claim in claims {
        assert_eq!(enrol(&f.store, &claim).await.key.status, KeyStatus::Denied);
    }

    // One that came with a key may come again with another, once the first is deleted.
    let joined = Opening {
        joined: true,
        ..opening(HostId(Uuid::from_u128(6)), "kvm6")
    };
    f.store.open_session(&joined).await.expect("opens");
    let again = enrol(&f.store, &shown(6)).await;
    assert_eq!(again.key.status, KeyStatus::Unaccepted);
}

#[tokio::test]
async fn a_denied_key_that_asks_again_writes_nothing() {
    let f = store().await;
    enrol(&f.store, &shown(1)).await;
    let claim = ShownKey {
        name: "kvm1".to_owned(),
        ..shown(2)
    };
    let first = enrol(&f.store, &claim).await;
    assert!(first.changed);
    let later = ShownKey {
        address: "192.0.2.8".to_owned(),
        ..claim
    };
    let again = enrol(&f.store, &later).await;
    assert_eq!(
        (again.key.address, again.changed),
        (first.key.address, false)
    );
}

#[tokio::test]
async fn a_token_goes_before_a_stranger_and_is_not_wasted_on_a_taken_name() {
    let f = store().await;
    add_token(&f.store, 1, 10).await;
    // Somebody was quicker with the name, and somebody else with the host.
    enrol(&f.store, &shown(1)).await;
    let same_host = ShownKey {
        host: HostId(Uuid::from_u128(7)),
        ..shown(2)
    };
    enrol(&f.store, &same_host).await;
    let rightful = ShownKey {
        name: "kvm1".to_owned(),
        host: same_host.host,
        token: Some(vec![1; 32]),
        ..shown(3)
    };
    let accepted = enrol(&f.store, &rightful).await;
    assert_eq!(
        (accepted.key.status, accepted.token_refused),
        (KeyStatus::Accepted, false)
    );
    let keys = f.store.list_keys().await.expect("lists");
    let prints: Vec<_> = keys.iter().map(|key| key.fingerprint).collect();
    assert_eq!(prints, [rightful.fingerprint]);

    // An accepted key is not displaced, and the token still good for the next name.
    add_token(&f.store, 2, 10).await;
    let thief = ShownKey {
        name: "kvm1".to_owned(),
        token: Some(vec![2; 32]),
        ..shown(4)
    };
    let denied = enrol(&f.store, &thief).await;
    assert_eq!(
        (denied.key.status, denied.token_refused),
        (KeyStatus::Denied, false)
    );
    let renamed = ShownKey {
        name: "kvm4".to_owned(),
        ..thief
    };
    assert_eq!(
        enrol(&f.store, &renamed).await.key.status,
        KeyStatus::Accepted
    );
}

#[tokio::test]
async fn a_token_accepts_one_key_and_only_in_its_time() {
    let f = store().await;
    add_token(&f.store, 1, 10).await;
    add_token(&f.store, 2, -1).await;
    let with = |n: u8, token: u8| ShownKey {
        token: Some(vec![token; 32]),
        ..shown(n)
    };
    let first = enrol(&f.store, &with(1, 1)).await;
    assert_eq!(
        (first.key.status, first.token_refused),
        (KeyStatus::Accepted, false)
    );
    assert_eq!(first.key.decided_by.as_deref(), Some("a token of admin"));
    // Used, ended, unknown.
    for (n, token) in [(2, 1), (3, 2), (4, 3)] {
        let enrolled = enrol(&f.store, &with(n, token)).await;
        assert_eq!(
            (enrolled.key.status, enrolled.token_refused),
            (KeyStatus::Unaccepted, true)
        );
    }
    // A key that waits already may bring one later; a rejected one is not helped by it.
    add_token(&f.store, 4, 10).await;
    assert_eq!(
        enrol(&f.store, &with(2, 4)).await.key.status,
        KeyStatus::Accepted
    );
    add_token(&f.store, 5, 10).await;
    f.store
        .decide_key(&Fingerprint([3; 32]), KeyStatus::Rejected, "admin")
        .await
        .expect("decides");
    assert_eq!(
        enrol(&f.store, &with(3, 5)).await.key.status,
        KeyStatus::Rejected
    );
    let left = f
        .store
        .list_join_tokens(Timestamp::now())
        .await
        .expect("lists");
    assert_eq!(left.len(), 1);
    assert!(f.store.delete_join_token(&[5; 32]).await.expect("deletes"));
    assert!(!f.store.delete_join_token(&[5; 32]).await.expect("asks"));
}

#[tokio::test]
async fn strangers_cannot_fill_the_store() {
    let f = store().await;
    let stranger = |n: u32| {
        let mut key = shown(1);
        key.fingerprint.0[..4].copy_from_slice(&n.to_le_bytes());
        key.host = HostId(Uuid::from_u128(n.into()));
        key.name = format!("s{n}");
        key
    };
    for n in 0..1000 {
        enrol(&f.store, &stranger(n)).await;
    }
    let refused = f.store.enrol(&stranger(1000), Timestamp::now()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    // They keep nobody out whom an administrator has given a token.
    add_token(&f.store, 1, 10).await;
    let invited = ShownKey {
        token: Some(vec![1; 32]),
        ..stranger(1001)
    };
    let accepted = enrol(&f.store, &invited).await.key;
    assert_eq!(accepted.status, KeyStatus::Accepted);
    for n in 2000..2150 {
        let denied = ShownKey {
            name: "s1".to_owned(),
            ..stranger(n)
        };
        enrol(&f.store, &denied).await;
    }
    let keys = f.store.list_keys().await.expect("lists");
    let denied = keys
        .iter()
        .filter(|key| key.status == KeyStatus::Denied)
        .count();
    assert_eq!((keys.len(), denied), (1101, 100));
}
