//! Waiting, against a listener that answers as a server in a given state would.

use super::{Ended, Waiter, progress, trouble};
use client::{Client, Credential, Trust};
use serde_json::{Value, json};
use server_api::action::Action;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

const SILENCE: Duration = Duration::from_millis(100);

fn action(id: u128, generation: u64, status: &str) -> Action {
    let value = json!({
        "id": Uuid::from_u128(id), "gen": generation, "jid": Uuid::from_u128(9), "status": status,
        "kind": "test.ping", "summary": "test.ping", "host_id": Uuid::from_u128(7), "host": format!("kvm{id}"),
        "user": "admin", "created_at": "", "progress": {"step": "download", "done": 1, "total": 4, "rate": 2048},
    });
    serde_json::from_value(value).expect("an action")
}

fn host(freshness: &str) -> Value {
    json!({
        "id": Uuid::from_u128(7), "gen": 1, "name": "kvm", "uri": "", "freshness": freshness, "problem": "it was stopped",
        "hypervisor": "QEMU", "hypervisor_version": "", "libvirt_version": "", "cpus": 1, "cpu_model": "",
        "arch": "", "memory_bytes": 0, "accelerated": false, "vms_total": 0, "vms_running": 0, "last_seen_at": "",
    })
}

/// What a server knows: the events it sends, and what it answers about actions and their host.
#[derive(Clone)]
struct Known {
    events: String,
    actions: Vec<Action>,
    freshness: &'static str,
}

async fn waiter(known: Known) -> Waiter {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket, known.clone()));
        }
    });
    let client = Client::new(&url, Credential::None, &Trust::System).expect("loopback");
    Waiter::open(&client, SILENCE).await.expect("connected")
}

async fn answer(mut socket: TcpStream, known: Known) {
    let mut request = [0; 4096];
    let n = socket.read(&mut request).await.expect("a request");
    let request = String::from_utf8_lossy(&request[..n]).into_owned();
    let path = request.split(' ').nth(1).expect("a path").to_owned();
    if path.ends_with("/events") {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let text = format!("{head}{}", known.events);
        socket.write_all(text.as_bytes()).await.expect("written");
        // The stream stays open until the client goes.
        let _ = socket.read(&mut [0; 1]).await;
        return;
    }
    let body = match path.strip_prefix("/api/v1/actions/") {
        Some(id) => {
            let found = known
                .actions
                .iter()
                .find(|action| action.id.to_string() == id);
            serde_json::to_string(found.expect("a known action")).expect("JSON")
        }
        None => host(known.freshness).to_string(),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .expect("written");
}

const HELLO: &str = "event: hello\nid: 1-1\ndata: {\"build\":\"b\",\"resumed\":false}\n\n";

fn change(action: &Action) -> String {
    let object =
        json!({"id": action.id, "gen": action.r#gen, "collection": "actions", "row": action});
    format!(
        "event: change\nid: 1-2\ndata: {}\n\n",
        json!({"objects": [object]})
    )
}

async fn all(mut waiter: Waiter) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(ended) = waiter.next().await.expect("no failure") {
        seen.push(match ended {
            Ended::Action(action) => format!("{} {}", action.host, action.status),
            Ended::Stuck(action, why) => format!("{} {}: {why}", action.host, action.status),
        });
    }
    seen
}

#[tokio::test]
async fn the_end_of_an_action_comes_by_the_feed_or_is_read() {
    let events = format!("{HELLO}{}", change(&action(2, 5, "succeeded")));
    let actions = vec![action(1, 6, "failed"), action(2, 5, "succeeded")];
    let mut waiter = waiter(Known {
        events,
        actions,
        freshness: "live",
    })
    .await;
    waiter.add(action(1, 1, "queued"));
    waiter.add(action(2, 1, "queued"));
    assert_eq!(all(waiter).await, ["kvm2 succeeded", "kvm1 failed"]);
}

#[tokio::test]
async fn an_old_row_does_not_take_the_place_of_a_newer_one() {
    let events = format!("{HELLO}{}", change(&action(1, 3, "failed")));
    let actions = vec![action(1, 7, "succeeded")];
    let mut waiter = waiter(Known {
        events,
        actions,
        freshness: "live",
    })
    .await;
    waiter.add(action(1, 5, "running"));
    assert_eq!(all(waiter).await, ["kvm1 succeeded"]);
}

#[tokio::test]
async fn only_a_silent_host_that_cannot_take_the_action_is_given_up_on() {
    let start = async |status, freshness| {
        let actions = vec![action(1, 1, status)];
        let mut waiter = waiter(Known {
            events: HELLO.to_owned(),
            actions,
            freshness,
        })
        .await;
        waiter.add(action(1, 1, status));
        waiter
    };
    for (status, freshness, expected) in [
        (
            "queued",
            "unreachable",
            "kvm1 queued: kvm cannot be reached",
        ),
        (
            "running",
            "unreachable",
            "kvm1 running: kvm cannot be reached",
        ),
        (
            "queued",
            "libvirt_down",
            "kvm1 queued: libvirt on kvm is down: it was stopped",
        ),
    ] {
        assert_eq!(all(start(status, freshness).await).await, [expected]);
    }
    for (status, freshness) in [("queued", "live"), ("running", "libvirt_down")] {
        let mut busy = start(status, freshness).await;
        let waited = tokio::time::timeout(SILENCE * 8, busy.next()).await;
        assert!(
            waited.is_err(),
            "{status} on a {freshness} host is waited for"
        );
    }
}

#[test]
fn what_became_of_an_action_is_said() {
    assert_eq!(trouble(&action(1, 1, "succeeded")), None);
    assert_eq!(
        trouble(&action(1, 1, "cancelled")).expect("trouble").0,
        "it was cancelled"
    );
    let (message, hint) = trouble(&action(1, 1, "unknown")).expect("trouble");
    assert!(message.contains("not known") && hint.expect("a hint").contains("salar action retry"));
    assert_eq!(
        progress(&action(1, 1, "running")).as_deref(),
        Some("kvm1: download, 25 %, 2.0 KiB/s")
    );
}
