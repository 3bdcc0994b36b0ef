//! From a click to its result.

use crate::agent::{Agent, Identity, bytes, outcome, vm};
use crate::fixture::{Api, Fixture, SOON, answer, config, fixture, impatient, start, until};
use crate::stream::Stream;
use agent_api::wire::{self, command, down, up};
use model::VmStatus;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

async fn with_vm(status: VmStatus) -> (Fixture, Agent, String) {
    let f = fixture().await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", status)]).await;
    let path = format!("/vms/{}", vm("srv01", status).uuid);
    (f, agent, path)
}

/// The action of an answer.
pub fn id(answer: &Value) -> Uuid {
    let text = answer["action"]["id"].as_str().expect("an action");
    Uuid::parse_str(text).expect("a UUID")
}

async fn reaches(api: &Api, id: Uuid, status: &str) -> Value {
    let path = format!("/actions/{id}");
    until(status, async || {
        let action = api.read(&path).await;
        (action["status"] == status).then_some(action)
    })
    .await
}

#[tokio::test]
async fn a_start_goes_to_the_agent_and_comes_back_as_done() {
    let (f, mut agent, path) = with_vm(VmStatus::Shutoff).await;
    let (status, accepted) = f.api.act(&format!("{path}/start")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    assert_eq!(accepted["action"]["kind"], "vm.start");
    assert_eq!(accepted["action"]["summary"], "Start srv01");
    let (command_id, command) = agent.command().await;
    assert_eq!((command_id, command.epoch), (id(&accepted), agent.epoch));
    match command.kind {
        Some(command::Kind::Vm(vm)) => {
            assert_eq!((vm.name.as_str(), vm.request.as_str()), ("srv01", "start"))
        }
        other => panic!("another command: {other:?}"),
    }
    agent.tell(command_id, "accepted").await;
    agent.tell(command_id, "running").await;
    agent.tell(command_id, "succeeded").await;
    agent.expect_result_ack(command_id).await;
    let action = reaches(&f.api, command_id, "succeeded").await;
    assert!(action["finished_at"].is_string());
}

#[tokio::test]
async fn what_is_already_so_succeeds_at_once() {
    let (f, _agent, path) = with_vm(VmStatus::Running).await;
    let (status, accepted) = f.api.act(&format!("{path}/start")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(accepted["action"]["status"], "succeeded");
    assert_eq!(accepted["action"]["result"], "The VM is running already");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_reason() {
    let (f, _agent, path) = with_vm(VmStatus::Paused).await;
    let (status, refused) = f.api.act(&format!("{path}/start")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(refused["error"]["code"], "vm_paused");
    assert_eq!(
        refused["error"]["message"],
        "Cannot start srv01: The VM is paused; resume it instead"
    );
    let (status, refused) = f
        .api
        .post(&format!("{path}/resume"), json!({ "gen": 77 }))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(refused["error"]["code"], "changed_meanwhile");
    let (status, _) = f.api.act(&format!("/vms/{}/start", Uuid::nil())).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// P3 over the link: the second of a lane is not sent before the first has ended.
#[tokio::test]
async fn what_a_kind_of_guest_lacks_is_refused_as_the_button_says() {
    let f = fixture().await;
    let xen = |name: &str, uuid: Uuid| model::Vm {
        uuid,
        domain_type: "xen".to_owned(),
        os_type: "linux".to_owned(),
        ..vm(name, VmStatus::Running)
    };
    let (guest, dom0) = (Uuid::from_u128(7), Uuid::nil());
    let vms = [xen("srv01", guest), xen("Domain-0", dom0)];
    let _agent = Agent::with_vms(&f.socket(), "xen1", &vms).await;
    for (uuid, action, code, reason) in [
        (
            guest,
            "reset",
            "not_possible",
            "Not possible on Xen PV: Xen has no reset button",
        ),
        (
            dom0,
            "force_off",
            "control_domain",
            "Domain-0 is the host itself",
        ),
        (
            dom0,
            "shutdown",
            "control_domain",
            "Domain-0 is the host itself",
        ),
    ] {
        let (status, refused) = f.api.act(&format!("/vms/{uuid}/{action}")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        assert_eq!(refused["error"]["code"], code);
        let row = f.api.read(&format!("/vms/{uuid}")).await;
        let actions = row["actions"].as_array().expect("actions");
        let button = actions.iter().find(|one| one["action"] == action);
        let button = button.expect("a button, though it cannot be pressed");
        assert_eq!(button["allowed"], false);
        for told in [&button["reason"], &refused["error"]["message"]] {
            assert!(
                told.as_str().is_some_and(|told| told.contains(reason)),
                "{told}"
            );
        }
    }
    let (status, accepted) = f.api.act(&format!("/vms/{guest}/save")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    assert_eq!(accepted["action"]["summary"], "Save memory of srv01");
}

#[tokio::test]
async fn a_lane_is_served_in_order() {
    let (f, mut agent, path) = with_vm(VmStatus::Running).await;
    let (_, first) = f.api.act(&format!("{path}/shutdown")).await;
    let (status, second) = f.api.act(&format!("{path}/start")).await;
    assert_eq!(
        status,
        StatusCode::ACCEPTED,
        "the shutdown may make the start needed"
    );
    let (command_id, _) = agent.command().await;
    assert_eq!(command_id, id(&first));
    let waiting = f.api.read(&format!("/actions/{}", id(&second))).await;
    assert_eq!(waiting["waits_for"], "Waits for “Shut down srv01”");
    agent.tell(command_id, "succeeded").await;
    let (command_id, _) = agent.command().await;
    assert_eq!(command_id, id(&second));
}

/// P2's half of the server: what the agent has not confirmed is sent again with the same id and content.
#[tokio::test]
async fn an_unconfirmed_action_is_sent_again_to_the_next_session() {
    let (f, mut agent, path) = with_vm(VmStatus::Shutoff).await;
    f.api.act(&format!("{path}/start")).await;
    let (first_id, first) = agent.command().await;
    let identity = Identity {
        highest_epoch: agent.epoch,
        ..agent.identity.clone()
    };
    drop(agent);
    let mut again = Agent::connect(&f.socket(), identity).await;
    let (second_id, second) = again.command().await;
    assert_eq!(
        (first_id, &first.kind, &first.job_id),
        (second_id, &second.kind, &second.job_id)
    );
    assert!(second.epoch > first.epoch);
}

/// The command or its confirmation was lost, the session was not.
#[tokio::test]
async fn an_unconfirmed_action_is_sent_again_in_the_same_session() {
    let f = impatient(SOON).await;
    let vms = [vm("srv01", VmStatus::Shutoff)];
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &vms).await;
    f.api.act(&format!("/vms/{}/start", vms[0].uuid)).await;
    let (first, command) = agent.command().await;
    let (second, again) = agent.command().await;
    assert_eq!((first, command), (second, again));
    agent.tell(first, "accepted").await;
    reaches(&f.api, first, "accepted").await;
}

#[tokio::test]
async fn a_result_survives_a_killed_server() {
    let (f, mut agent, path) = with_vm(VmStatus::Shutoff).await;
    f.api.act(&format!("{path}/start")).await;
    let (action, _) = agent.command().await;
    agent.tell(action, "running").await;
    reaches(&f.api, action, "running").await;
    let identity = Identity {
        highest_epoch: agent.epoch,
        unacknowledged: vec![outcome(action, "succeeded")],
        ..agent.identity.clone()
    };
    drop(agent);
    drop(f.server);
    let _server = start(config(f.folder.path())).await;
    let api = Api::local(f.folder.path());
    let mut again = Agent::connect(&f.folder.path().join("agent.sock"), identity).await;
    again.expect_result_ack(action).await;
    reaches(&api, action, "succeeded").await;
}

#[tokio::test]
async fn a_repeated_result_is_acknowledged_again_and_changes_nothing() {
    let (f, mut agent, path) = with_vm(VmStatus::Shutoff).await;
    f.api.act(&format!("{path}/start")).await;
    let (action, _) = agent.command().await;
    agent.tell(action, "succeeded").await;
    agent.expect_result_ack(action).await;
    agent.tell(action, "failed").await;
    agent.expect_result_ack(action).await;
    reaches(&f.api, action, "succeeded").await;
}

#[tokio::test]
async fn actions_wait_for_an_absent_host() {
    let (f, agent, path) = with_vm(VmStatus::Running).await;
    let identity = Identity {
        highest_epoch: agent.epoch,
        ..agent.identity.clone()
    };
    drop(agent);
    until("the host is unreachable", async || {
        (f.api.read("/hosts").await["items"][0]["freshness"] == "unreachable").then_some(())
    })
    .await;
    let (status, accepted) = f.api.act(&format!("{path}/pause")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(
        accepted["action"]["waits_for"],
        "Waits for kvm1 to come back"
    );
    let mut again = Agent::connect(&f.socket(), identity).await;
    assert_eq!(again.command().await.0, id(&accepted));
}

#[tokio::test]
async fn a_stale_agent_ends_the_session() {
    let (f, mut agent, path) = with_vm(VmStatus::Shutoff).await;
    f.api.act(&format!("{path}/start")).await;
    let (action, _) = agent.command().await;
    let refusal = wire::ActionReport {
        refusal: agent_api::STALE_EPOCH.to_owned(),
        ..outcome(action, "failed")
    };
    agent.say(up::Body::Action(refusal)).await;
    assert!(agent.next().await.is_none());
    assert_eq!(
        f.api.read(&format!("/actions/{action}")).await["status"],
        "sent"
    );
}

#[tokio::test]
async fn a_cancel_reaches_the_agent_which_decides() {
    let (f, mut agent, path) = with_vm(VmStatus::Running).await;
    let (_, accepted) = f.api.act(&format!("{path}/shutdown")).await;
    let (action, _) = agent.command().await;
    agent.tell(action, "running").await;
    reaches(&f.api, action, "running").await;
    let (status, _) = f
        .api
        .act(&format!("/actions/{}/cancel", id(&accepted)))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    match agent.hear().await {
        down::Body::Cancel(cancel) => assert_eq!(
            (cancel.action_id, cancel.epoch),
            (bytes(action), agent.epoch)
        ),
        other => panic!("no cancel but {other:?}"),
    }
    agent.tell(action, "cancelled").await;
    reaches(&f.api, action, "cancelled").await;
    let (status, refused) = f.api.act(&format!("/actions/{action}/cancel")).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::CONFLICT, &json!("action_ended"))
    );
    let (status, retried) = f.api.act(&format!("/actions/{action}/retry")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(retried["action"]["retry_of"], action.to_string());
    assert_eq!(agent.command().await.0, id(&retried));
}

#[tokio::test]
async fn an_unknown_outcome_blocks_until_someone_settles_it() {
    let (f, mut agent, path) = with_vm(VmStatus::Running).await;
    f.api.act(&format!("{path}/reset")).await;
    let (_, next) = f.api.act(&format!("{path}/pause")).await;
    let (action, _) = agent.command().await;
    agent.tell(action, "unknown").await;
    agent.expect_result_ack(action).await;
    let waiting = f.api.read(&format!("/actions/{}", id(&next))).await;
    assert!(
        waiting["waits_for"]
            .as_str()
            .expect("waits")
            .contains("“Reset srv01”"),
        "{waiting}"
    );
    f.api.act(&format!("/actions/{action}/cancel")).await;
    assert_eq!(agent.command().await.0, id(&next));
}

#[tokio::test]
async fn the_same_key_is_the_same_action() {
    let (f, mut agent, path) = with_vm(VmStatus::Shutoff).await;
    let ask = async |what: &str| {
        let request = f.api.request(Method::POST, &format!("{path}/{what}"));
        answer(request.header("Idempotency-Key", "k-1")).await
    };
    let (_, first) = ask("start").await;
    let (_, second) = ask("start").await;
    assert_eq!(id(&first), id(&second));
    let (action, _) = agent.command().await;
    agent.tell(action, "succeeded").await;
    agent.expect_result_ack(action).await;
    agent.report(&[vm("srv01", VmStatus::Paused)]).await;
    let seq = agent.identity.last_seq;
    agent.expect_report_ack(seq).await;
    let (status, third) = ask("start").await;
    assert_eq!(
        (status, id(&third)),
        (StatusCode::OK, action),
        "although a paused VM cannot be started"
    );
    let (status, other) = ask("reset").await;
    assert_eq!(
        (status, &other["error"]["code"]),
        (StatusCode::CONFLICT, &json!("key_reused"))
    );
}

#[tokio::test]
async fn a_run_becomes_one_action_on_each_matching_host() {
    let f = fixture().await;
    let mut one = Agent::with_vms(&f.socket(), "a-min-kvm1", &[]).await;
    let mut two = Agent::with_vms(&f.socket(), "a-min-kvm2", &[]).await;
    let _other = Agent::with_vms(&f.socket(), "xen1", &[]).await;
    let mut bus = Stream::open(&f.api, "/bus?tag=salt/job/*", None).await;
    let run = json!({ "target": "*min-kvm*", "fun": "state.apply", "args": ["vm"], "kwargs": { "test": true } });
    let (status, job) = f.api.post("/runs", run).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{job}");
    let jid = job["jid"].as_str().expect("a jid").to_owned();
    assert_eq!(job["actions"].as_array().map(Vec::len), Some(2));
    assert_eq!(job["actions"][0]["summary"], "state.apply vm test=True");
    let new = bus.expect("message").await.data;
    assert_eq!(new["tag"], format!("salt/job/{jid}/new"));
    assert_eq!(
        new["data"]["arg"],
        json!(["vm", { "test": true, "__kwarg__": true }])
    );
    for agent in [&mut one, &mut two] {
        let (action, command) = agent.command().await;
        let Some(command::Kind::Function(function)) = command.kind else {
            panic!("a function")
        };
        assert_eq!(
            (function.fun.as_str(), function.args_json.as_str()),
            ("state.apply", "[\"vm\"]")
        );
        let result = wire::ActionReport {
            result_json: json!({ "ok": agent.identity.name }).to_string(),
            ..outcome(action, "succeeded")
        };
        agent.say(up::Body::Action(result)).await;
        let ret = bus.expect("message").await.data;
        assert_eq!(
            ret["tag"],
            format!("salt/job/{jid}/ret/{}", agent.identity.name)
        );
        assert_eq!(
            (&ret["data"]["retcode"], &ret["data"]["success"]),
            (&json!(0), &json!(true))
        );
    }
    let job = f.api.read(&format!("/runs/{jid}")).await;
    assert_eq!(job["actions"][1]["result"], json!({ "ok": "a-min-kvm2" }));
}

#[tokio::test]
async fn jobs_are_listed_and_cancelled_as_a_whole() {
    let f = fixture().await;
    let mut quick = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let mut slow = Agent::with_vms(&f.socket(), "kvm2", &[]).await;
    let first = json!({ "target": "kvm1", "fun": "test.ping" });
    let (_, first) = f.api.post("/runs", first).await;
    let (action, _) = quick.command().await;
    quick.tell(action, "succeeded").await;
    reaches(&f.api, action, "succeeded").await;
    let second = json!({ "target": "kvm1,kvm2", "target_kind": "list", "fun": "state.apply" });
    let (_, second) = f.api.post("/runs", second).await;
    let (done, _) = quick.command().await;
    quick.tell(done, "succeeded").await;
    reaches(&f.api, done, "succeeded").await;
    let (running, _) = slow.command().await;
    slow.tell(running, "running").await;
    reaches(&f.api, running, "running").await;

    let jobs = f.api.read("/runs").await;
    let counts = |job: &Value| {
        let count = |name: &str| job[name].as_u64().expect("a number");
        (count("actions"), count("open"), count("succeeded"))
    };
    assert_eq!(jobs[0]["jid"], second["jid"]);
    assert_eq!(counts(&jobs[0]), (2, 1, 1));
    assert_eq!(jobs[1]["jid"], first["jid"]);
    assert_eq!(counts(&jobs[1]), (1, 0, 1));
    assert_eq!(f.api.read("/runs?open=true").await[1], Value::Null);
    assert_eq!(f.api.read("/runs?limit=1").await[1], Value::Null);
    let jid = second["jid"].as_str().expect("a jid");
    let older = f.api.read(&format!("/runs?before={jid}")).await;
    assert_eq!(older[0]["jid"], first["jid"]);
    for bad in ["limit=0", "limit=501", "limit=x", "before=x", "other=1"] {
        let answer = f.api.request(Method::GET, &format!("/runs?{bad}"));
        let answer = answer.send().await.expect("answers");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
    }

    let (status, job) = f.api.act(&format!("/runs/{jid}/cancel")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{job}");
    match slow.hear().await {
        down::Body::Cancel(cancel) => assert_eq!(cancel.action_id, bytes(running)),
        other => panic!("no cancel but {other:?}"),
    }
    slow.tell(running, "cancelled").await;
    reaches(&f.api, running, "cancelled").await;
    let (status, refused) = f.api.act(&format!("/runs/{jid}/cancel")).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::CONFLICT, &json!("job_ended"))
    );
    let nobody = format!("/runs/{}/cancel", Uuid::now_v7());
    assert_eq!(f.api.act(&nobody).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn runs_that_cannot_be_are_refused_before_anything_is_queued() {
    let f = fixture().await;
    for (run, status, code) in [
        (
            json!({ "target": "*", "fun": "test.ping" }),
            StatusCode::NOT_FOUND,
            "no_host_matched",
        ),
        (
            json!({ "target": "*", "fun": "rm -rf" }),
            StatusCode::BAD_REQUEST,
            "bad_parameter",
        ),
        (
            json!({ "target": "(", "target_kind": "pcre", "fun": "test.ping" }),
            StatusCode::BAD_REQUEST,
            "bad_parameter",
        ),
        (
            json!({ "target": "*", "target_kind": "moon", "fun": "test.ping" }),
            StatusCode::BAD_REQUEST,
            "bad_parameter",
        ),
        (
            json!({ "fun": "test.ping" }),
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
    ] {
        let (got, answer) = f.api.post("/runs", run).await;
        assert_eq!(
            (got, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{answer}"
        );
    }
    assert_eq!(f.api.read("/actions").await["total"], 0);
}

#[tokio::test]
async fn a_long_call_is_a_short_line() {
    let f = fixture().await;
    let _agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let body = json!({ "target": "kvm1", "fun": "test.echo", "args": ["é".repeat(5000)] });
    let (status, job) = f.api.post("/runs", body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{job}");
    let summary = job["actions"][0]["summary"].as_str().expect("text");
    assert_eq!(summary.chars().count(), 120);
    assert!(summary.starts_with("test.echo éé") && summary.ends_with('…'));
}

#[tokio::test]
async fn a_large_result_is_in_the_action_and_not_in_the_list() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    f.api
        .post("/runs", json!({ "target": "*", "fun": "state.apply" }))
        .await;
    let (action, _) = agent.command().await;
    let text = "x".repeat(20_000);
    agent
        .say(up::Body::Action(wire::ActionReport {
            result_json: json!(text).to_string(),
            ..outcome(action, "succeeded")
        }))
        .await;
    agent.expect_result_ack(action).await;
    assert_eq!(
        f.api.read(&format!("/actions/{action}")).await["result"],
        text
    );
    assert_eq!(
        f.api.read("/actions").await["items"][0]["result"],
        Value::Null
    );
}
