//! From the agent's report to the page: lists, the event stream, the bus.

use crate::agent::{Agent, Identity, vm};
use crate::fixture::{Api, SOON, config, fixture, impatient, start, until};
use crate::stream::Stream;
use agent_api::wire::{self, down, up};
use model::VmStatus;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn is_vm(name: &'static str, status: &'static str) -> impl Fn(&Value) -> bool {
    move |object| object["row"]["name"] == name && object["row"]["status"] == status
}

#[tokio::test]
async fn a_report_reaches_the_list_and_the_stream() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    let list = f.api.read("/vms").await;
    assert_eq!(list["total"], 1);
    assert_eq!(list["items"][0]["host"]["name"], "kvm1");
    let mut stream = Stream::open(&f.api, "/events", None).await;
    let hello = stream.expect("hello").await;
    assert_eq!(hello.data["resumed"], false);
    let began = Instant::now();
    agent.report(&[vm("srv01", VmStatus::Running)]).await;
    let row = stream.row(is_vm("srv01", "running")).await;
    println!("report to browser: {:?}", began.elapsed());
    assert_eq!(row["collection"], "vms");
    assert!(row["gen"].as_u64() > list["items"][0]["gen"].as_u64());
    let start = row["row"]["actions"].as_array().expect("a list")[0].clone();
    assert_eq!(start["allowed"], false);
    assert_eq!(start["reason"], "The VM is running already");
}

/// The measured promise: half of all changes are on the page within 100 ms of the report, also in a storm.
#[tokio::test]
async fn a_storm_of_changes_loses_none_and_stays_quick() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    let mut stream = Stream::open(&f.api, "/events", None).await;
    stream.expect("hello").await;
    let mut delays = Vec::new();
    for round in 0..60 {
        let (status, word) = match round % 2 {
            0 => (VmStatus::Running, "running"),
            _ => (VmStatus::Shutoff, "shutoff"),
        };
        let began = Instant::now();
        agent.report(&[vm("srv01", status)]).await;
        stream.row(is_vm("srv01", word)).await;
        delays.push(began.elapsed());
    }
    delays.sort();
    println!("median {:?}, 99th percentile {:?}", delays[30], delays[59]);
    assert!(delays[30].as_millis() < 100, "{delays:?}");
}

#[tokio::test]
async fn a_returning_browser_gets_what_it_missed() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    let revision = f.api.read("/vms").await["revision"]
        .as_str()
        .expect("text")
        .to_owned();
    agent.report(&[vm("srv01", VmStatus::Running)]).await;
    let seq = agent.identity.last_seq;
    agent.expect_report_ack(seq).await;
    let mut stream = Stream::open(&f.api, "/events", Some(&revision)).await;
    assert_eq!(stream.expect("hello").await.data["resumed"], true);
    stream.row(is_vm("srv01", "running")).await;
}

#[tokio::test]
async fn a_browser_of_another_epoch_is_told_to_start_anew() {
    let f = fixture().await;
    for strange in ["abc-1", "nonsense", "-", ""] {
        let mut stream = Stream::open(&f.api, "/events", Some(strange)).await;
        assert_eq!(stream.expect("hello").await.data["resumed"], false);
        stream.expect("reset").await;
    }
    let revision = f.api.read("/vms").await["revision"]
        .as_str()
        .expect("text")
        .to_owned();
    let (epoch, _) = revision.rsplit_once('-').expect("epoch and rev");
    let ahead = format!("{epoch}-999999");
    let mut stream = Stream::open(&f.api, "/events", Some(&ahead)).await;
    stream.expect("hello").await;
    stream.expect("reset").await;
}

#[tokio::test]
async fn a_restarted_server_has_another_epoch_and_the_same_vms() {
    let f = fixture().await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    let revision = f.api.read("/vms").await["revision"]
        .as_str()
        .expect("text")
        .to_owned();
    let identity = Identity {
        highest_epoch: agent.epoch,
        ..agent.identity.clone()
    };
    drop(f.server);
    let _server = start(config(f.folder.path())).await;
    let api = Api::local(f.folder.path());
    let list = api.read("/vms").await;
    assert_eq!(list["items"][0]["status"], "running", "as last known");
    assert_eq!(list["items"][0]["host"]["freshness"], "unreachable");
    let mut stream = Stream::open(&api, "/events", Some(&revision)).await;
    stream.expect("hello").await;
    stream.expect("reset").await;
    let again = Agent::connect(&f.folder.path().join("agent.sock"), identity).await;
    assert!(again.epoch > agent.epoch);
    stream
        .row(|object| object["row"]["freshness"] == "live")
        .await;
}

#[tokio::test]
async fn a_lost_host_keeps_its_vms_and_says_so() {
    let f = fixture().await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    drop(agent);
    let host = until("the host is unreachable", async || {
        let host = f.api.read("/hosts").await["items"][0].clone();
        (host["freshness"] == "unreachable").then_some(host)
    })
    .await;
    let problem = host["problem"].as_str().expect("says what is wrong");
    assert!(
        problem.contains("kvm1") && problem.contains("salar-agent"),
        "{problem}"
    );
    let row = f.api.read("/vms").await["items"][0].clone();
    assert_eq!(
        (&row["status"], &row["host"]["freshness"]),
        (&json!("running"), &json!("unreachable"))
    );
}

#[tokio::test]
async fn libvirt_down_is_told_with_its_remedy() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    agent.identity.last_seq += 1;
    agent
        .say(up::Body::Report(wire::Report {
            seq: agent.identity.last_seq,
            condition: Some(wire::HostCondition {
                libvirt_up: false,
                problem: "libvirtd is not running; systemctl start libvirtd".to_owned(),
            }),
            ..wire::Report::default()
        }))
        .await;
    let seq = agent.identity.last_seq;
    agent.expect_report_ack(seq).await;
    let host = f.api.read("/hosts").await["items"][0].clone();
    assert_eq!(host["freshness"], "libvirt_down");
    assert_eq!(
        host["problem"],
        "libvirtd is not running; systemctl start libvirtd"
    );
}

/// An agent that starts while libvirt is slow: its word that libvirt answers comes before the snapshot.
#[tokio::test]
async fn libvirt_may_come_back_before_the_snapshot() {
    let f = fixture().await;
    let away = Identity {
        libvirt_up: false,
        ..Identity::new("kvm1")
    };
    let mut agent = Agent::connect(&f.socket(), away).await;
    agent.expect_snapshot_wanted().await;
    assert_eq!(
        f.api.read("/hosts").await["items"][0]["freshness"],
        "libvirt_down"
    );
    agent.identity.last_seq += 1;
    let up = wire::HostCondition {
        libvirt_up: true,
        problem: String::new(),
    };
    agent
        .say(up::Body::Report(wire::Report {
            seq: agent.identity.last_seq,
            condition: Some(up),
            ..wire::Report::default()
        }))
        .await;
    agent.snapshot(&[vm("srv01", VmStatus::Running)]).await;
    assert_eq!(f.api.read("/hosts").await["items"][0]["freshness"], "live");
}

/// The report that libvirt is back was lost; the next heartbeat says so again, and what waited goes.
#[tokio::test]
async fn a_lost_word_that_libvirt_is_back_costs_one_heartbeat() {
    let f = fixture().await;
    let away = Identity {
        libvirt_up: false,
        ..Identity::new("kvm1")
    };
    let mut agent = Agent::connect(&f.socket(), away).await;
    agent.expect_snapshot_wanted().await;
    agent.snapshot(&[vm("srv01", VmStatus::Running)]).await;
    let id = f.api.read("/vms").await["items"][0]["id"].clone();
    let id = id.as_str().expect("text");
    let (status, action) = f.api.act(&format!("/vms/{id}/force_off")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{action}");
    let heartbeat = |libvirt_up, problem: &str| {
        let problem = problem.to_owned();
        let condition = wire::HostCondition {
            libvirt_up,
            problem,
        };
        up::Body::Heartbeat(wire::Heartbeat {
            condition: Some(condition),
        })
    };
    agent.say(heartbeat(true, "")).await;
    agent.command().await;
    let host = f.api.read("/hosts").await["items"][0].clone();
    assert_eq!(host["freshness"], "live");
    agent.say(heartbeat(true, "")).await;
    agent.say(heartbeat(false, "it was stopped")).await;
    let down = until("the host is marked", async || {
        let host = f.api.read("/hosts").await["items"][0].clone();
        (host["freshness"] == "libvirt_down").then_some(host)
    })
    .await;
    assert_eq!(down["problem"], "it was stopped");
    let gen_of = |host: &Value| host["gen"].as_u64().expect("a number");
    assert_eq!(
        gen_of(&down),
        gen_of(&host) + 1,
        "the second changed nothing"
    );
}

#[tokio::test]
async fn a_gap_in_the_reports_asks_for_a_snapshot() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    agent.report_as(7, &[vm("srv01", VmStatus::Running)]).await;
    agent.expect_snapshot_wanted().await;
    assert_eq!(f.api.read("/vms").await["items"][0]["status"], "shutoff");
    agent.identity.last_seq = 7;
    agent
        .snapshot(&[
            vm("srv01", VmStatus::Running),
            vm("srv02", VmStatus::Shutoff),
        ])
        .await;
    assert_eq!(f.api.read("/vms").await["total"], 2);
}

#[tokio::test]
async fn a_reconnect_without_loss_needs_no_snapshot() {
    let f = fixture().await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    let identity = Identity {
        highest_epoch: agent.epoch,
        ..agent.identity.clone()
    };
    drop(agent);
    let mut again = Agent::connect(&f.socket(), identity).await;
    again.report(&[vm("srv01", VmStatus::Running)]).await;
    let seq = again.identity.last_seq;
    again.expect_report_ack(seq).await;
}

#[tokio::test]
async fn hostile_names_are_text_everywhere() {
    let f = fixture().await;
    let name = "<script>alert('x')</script>\"; drop table vm; -- /../\u{202e}";
    let long = "n".repeat(300);
    let vms = [vm(name, VmStatus::Shutoff), vm(&long, VmStatus::Running)];
    let _agent = Agent::with_vms(&f.socket(), "kvm1", &vms).await;
    let list = f.api.read("/vms?search=%3Cscript%3E").await;
    assert_eq!(list["total"], 1);
    assert_eq!(list["items"][0]["name"], name);
    assert_eq!(f.api.read("/vms?sort=-name").await["total"], 2);
    let id = list["items"][0]["id"].as_str().expect("text");
    let (status, answer) = f.api.act(&format!("/vms/{id}/start")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(answer["action"]["summary"], format!("Start {name}"));
}

#[tokio::test]
async fn the_bus_carries_events_of_hosts_in_salts_form() {
    let f = fixture().await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let mut bus = Stream::open(&f.api, "/bus?tag=salt/engines/*", None).await;
    let tag = "salt/engines/libvirt_events/qemu/system/domain/lifecycle";
    agent
        .say(up::Body::Event(wire::HostEvent {
            tag: "salt/other".to_owned(),
            data_json: "{}".to_owned(),
        }))
        .await;
    agent
        .say(up::Body::Event(wire::HostEvent {
            tag: tag.to_owned(),
            data_json: json!({ "event": "started", "detail": "booted" }).to_string(),
        }))
        .await;
    let event = bus.expect("message").await.data;
    assert_eq!(event["tag"], tag);
    assert_eq!(event["data"]["id"], "kvm1");
    assert_eq!(event["data"]["cmd"], "_minion_event");
    assert_eq!(event["data"]["data"]["detail"], "booted");
    assert!(event["data"]["_stamp"].is_string());
}

#[tokio::test]
async fn lists_say_which_parameter_is_wrong() {
    let f = fixture().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("offset=-1", "offset"),
        ("sort=colour", "sort"),
        ("status=happy", "status"),
        ("host=nowhere", "host"),
        ("colour=red", "colour"),
    ] {
        let (status, answer) = f.api.get(&format!("/vms?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer["error"]["field"], field, "{answer}");
        assert!(answer["error"]["request_id"].is_string());
    }
}

#[tokio::test]
async fn windows_filters_and_facets_work_over_http() {
    let f = fixture().await;
    let one = [
        vm("a", VmStatus::Running),
        vm("b", VmStatus::Shutoff),
        vm("c", VmStatus::Running),
    ];
    let _one = Agent::with_vms(&f.socket(), "kvm1", &one).await;
    let _two = Agent::with_vms(&f.socket(), "kvm2", &[vm("d", VmStatus::Paused)]).await;
    let list = f
        .api
        .read("/vms?status=running,paused&sort=-name&limit=2")
        .await;
    let names: Vec<&str> = list["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(
        (names, &list["total"], &list["next_page"]),
        (vec!["d", "c"], &json!(3), &json!("2"))
    );
    let by_host = f.api.read("/vms?host=kvm2").await;
    assert_eq!(by_host["total"], 1);
    let facets = by_host["facets"].as_array().expect("a list");
    assert_eq!(facets[1]["field"], "host");
    assert_eq!(
        facets[1]["values"][0],
        json!({ "value": facets[1]["values"][0]["value"], "label": "kvm1", "count": 3 })
    );
    let beyond = f.api.read("/vms?offset=1000").await;
    assert_eq!(
        (beyond["items"].as_array().map(Vec::len), &beyond["total"]),
        (Some(0), &json!(4))
    );
}

#[tokio::test]
async fn a_newer_session_ends_the_older() {
    let f = fixture().await;
    let mut old = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    let new = Agent::connect(&f.socket(), old.identity.clone()).await;
    assert!(new.epoch > old.epoch);
    assert!(old.next().await.is_none(), "the older stream is closed");
    let host = f.api.read("/hosts").await["items"][0].clone();
    assert_eq!(host["freshness"], "live", "the newer session has the host");
}

#[tokio::test]
async fn an_agent_from_the_future_is_refused() {
    let f = fixture().await;
    let wild = Identity {
        highest_epoch: 1 << 30,
        ..Identity::new("kvm1")
    };
    let mut agent = Agent::greet(&f.socket(), wild).await;
    match agent.hear().await {
        down::Body::Refused(refused) => assert_eq!(refused.code, "EPOCH_JUMP"),
        other => panic!("not refused: {other:?}"),
    }
}

/// An agent that is stopped (SIGSTOP) or cut off keeps its connection open and says nothing.
#[tokio::test]
async fn a_silent_agent_makes_its_host_unreachable() {
    let f = impatient(Duration::from_secs(1)).await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    assert!(agent.next().await.is_none(), "the session is ended");
    until("the host is unreachable", async || {
        let host = f.api.read("/hosts").await["items"][0].clone();
        (host["freshness"] == "unreachable").then_some(())
    })
    .await;
    assert_eq!(f.api.read("/vms").await["items"][0]["status"], "running");
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let f = impatient(SOON).await;
    let vera = f.user("vera", "viewer").await;
    let mut stream = Stream::open(&vera, "/events", None).await;
    stream.expect("hello").await;
    let (status, _) =
        crate::fixture::answer(f.api.request(reqwest::Method::DELETE, "/users/vera")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    while let Some(event) = stream.next().await {
        assert_eq!(event.kind, "change", "{event:?}");
    }
}
