//! Tickets for consoles.

use super::fixture::store;
use db::ConsoleTicket;
use jiff::{SignedDuration, Timestamp};
use model::HostId;
use uuid::Uuid;

#[tokio::test]
async fn a_ticket_is_good_once_for_its_user_and_in_its_time() {
    let f = store().await;
    let ticket = ConsoleTicket {
        user: "ann".to_owned(),
        host: HostId(Uuid::from_u128(1)),
        vm: Uuid::from_u128(2),
    };
    let now = Timestamp::now();
    let (soon, late) = (
        now + SignedDuration::from_secs(30),
        now + SignedDuration::from_secs(31),
    );
    for hash in [[1], [2]] {
        let kept = f
            .store
            .insert_console_ticket(&hash, &ticket, now, soon, 2)
            .await;
        assert!(kept.expect("is kept"));
    }
    let full = f
        .store
        .insert_console_ticket(&[3], &ticket, now, soon, 2)
        .await;
    assert!(!full.expect("is not kept"), "there are two already");
    let take = async |hash: u8, user, at| {
        f.store
            .take_console_ticket(&[hash], user, at)
            .await
            .expect("looks")
    };
    assert_eq!(take(1, "bob", now).await, None);
    assert_eq!(take(1, "ann", now).await, Some(ticket.clone()));
    assert_eq!(take(1, "ann", now).await, None);
    assert_eq!(take(2, "ann", late).await, None);
    // Those that have had their time make room.
    let kept = f
        .store
        .insert_console_ticket(&[3], &ticket, late, late, 1)
        .await;
    assert!(kept.expect("is kept"));
}
