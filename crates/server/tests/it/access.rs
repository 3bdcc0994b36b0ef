//! Who may what.

use crate::fixture::{Api, answer, fixture};
use crate::stream::Stream;
use agent_api::wire::up;
use reqwest::{Method, StatusCode};
use serde_json::json;
use server_api::{ENDPOINTS, Role};
use std::time::{Duration, Instant};

/// Every row of the table as every role: refused exactly when the table says so.
#[tokio::test]
async fn every_endpoint_is_open_to_its_roles_and_to_no_other() {
    let f = fixture().await;
    let users = [
        (Role::Nobody, f.api.nobody()),
        (Role::Viewer, f.user("vera", "viewer").await),
        (Role::Operator, f.user("olga", "operator").await),
        (Role::Administrator, f.user("anna", "administrator").await),
    ];
    for (role, api) in &users {
        for row in ENDPOINTS {
            // Signing out would end the test's own session.
            if row.operation == "delete_session" {
                continue;
            }
            let path = row.path.trim_start_matches("/api/v1");
            let path = path
                .replace("{name}", "someone")
                .replace("{ticket}", "none");
            let path = path.replace("{id}", &uuid::Uuid::nil().to_string());
            let path = path.replace("{jid}", &uuid::Uuid::nil().to_string());
            let method = Method::from_bytes(row.method.as_bytes()).expect("a method");
            let response = api
                .request(method, &path)
                .send()
                .await
                .expect("the server answers");
            let status = response.status();
            let refused = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
            // The two that decide by more than the role: a wrong sign-in, and the password of somebody else.
            let own_rule = matches!(row.operation, "create_session" | "set_user_password");
            if *role < row.role {
                assert!(
                    refused,
                    "{role:?} may {} {}: {status}",
                    row.method, row.path
                );
            } else if !own_rule {
                assert!(
                    !refused,
                    "{role:?} may not {} {}: {status}",
                    row.method, row.path
                );
            }
        }
    }
}

#[tokio::test]
async fn a_viewer_sees_that_it_may_not_act() {
    let f = fixture().await;
    let vms = [crate::agent::vm("srv01", model::VmStatus::Shutoff)];
    let _agent = crate::agent::Agent::with_vms(&f.socket(), "kvm1", &vms).await;
    let viewer = f.user("vera", "viewer").await;
    let start = viewer.read("/vms").await["items"][0]["actions"][0].clone();
    assert_eq!(
        (&start["allowed"], &start["reason"]),
        (&json!(false), &json!("Your role may look and not act"))
    );
    let operator = f.user("olga", "operator").await;
    assert_eq!(
        operator.read("/vms").await["items"][0]["actions"][0]["allowed"],
        true
    );
    let path = format!("/vms/{}/start", vms[0].uuid);
    let (status, refused) = viewer.act(&path).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("not_allowed"))
    );
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_once() {
    let f = fixture().await;
    let password = f
        .server
        .started
        .first_password
        .clone()
        .expect("the first start");
    let response = f.api.sign_in("admin", &password).await;
    assert_eq!(response.status(), StatusCode::OK);
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .to_owned();
    for part in ["salar_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP on loopback");
    drop(f.server);
    let again = crate::fixture::start(crate::fixture::config(f.folder.path())).await;
    assert_eq!(again.started.first_password, None);
    let api = Api::local(f.folder.path());
    assert_eq!(
        api.sign_in("admin", &password).await.status(),
        StatusCode::OK
    );
}

/// A command that waits for a job goes on waiting over a restart of the server.
#[tokio::test]
async fn the_local_token_outlives_a_restart_and_not_its_file() {
    let f = fixture().await;
    let held = f.api.token.clone();
    drop(f.server);
    let again = crate::fixture::start(crate::fixture::config(f.folder.path())).await;
    let api = Api::local(f.folder.path());
    assert_eq!(api.token, held);
    assert_eq!(api.get("/vms").await.0, StatusCode::OK);
    drop(again);
    for broken in [&b""[..], b"{", b"\xff", br#"{"token":"made up"}"#] {
        let path = f.folder.path().join("client.json");
        std::fs::write(path, broken).expect("is written");
        let again = crate::fixture::start(crate::fixture::config(f.folder.path())).await;
        let api = Api::local(f.folder.path());
        assert_ne!(api.token, held);
        assert_eq!(api.get("/vms").await.0, StatusCode::OK);
        let old = Api {
            token: held.clone(),
            ..api
        };
        assert_eq!(old.get("/vms").await.0, StatusCode::UNAUTHORIZED);
        drop(again);
    }
}

#[tokio::test]
async fn wrong_user_and_wrong_password_look_alike_and_take_as_long() {
    let f = fixture().await;
    let mut times = Vec::new();
    let mut bodies = Vec::new();
    for user in ["admin", "nobody-of-that-name"] {
        let mut fastest = Duration::MAX;
        for _ in 0..4 {
            let began = Instant::now();
            let response = f.api.sign_in(user, "wrong password").await;
            fastest = fastest.min(began.elapsed());
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            let mut body: serde_json::Value = response.json().await.expect("JSON");
            body["error"]["request_id"] = "".into();
            bodies.push(body);
        }
        times.push(fastest);
    }
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "{bodies:?}"
    );
    let (a, b) = (times[0].as_secs_f64(), times[1].as_secs_f64());
    assert!(a / b < 3.0 && b / a < 3.0, "{times:?}");
}

#[tokio::test]
async fn the_sixth_wrong_try_has_to_wait() {
    let f = fixture().await;
    for _ in 0..5 {
        assert_eq!(
            f.api.sign_in("admin", "wrong").await.status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let password = f
        .server
        .started
        .first_password
        .clone()
        .expect("the first start");
    let refused = f.api.sign_in("admin", &password).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(
        f.api.sign_in("somebody", "else").await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let f = fixture().await;
    let olga = f.user("olga", "operator").await;
    let cookie = format!(
        "a=b; salar_session={}",
        olga.token.clone().expect("signed in")
    );
    let nobody = f.api.nobody();
    let with_cookie = |method, path: &str| nobody.request(method, path).header("cookie", &cookie);
    let (status, session) = answer(with_cookie(Method::GET, "/session")).await;
    assert_eq!((status, &session["user"]), (StatusCode::OK, &json!("olga")));
    let (status, refused) = answer(with_cookie(Method::DELETE, "/session")).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("csrf"))
    );
    let by_page = with_cookie(Method::DELETE, "/session").header("X-Salar-Request", "1");
    assert_eq!(answer(by_page).await.0, StatusCode::NO_CONTENT);
    assert_eq!(
        answer(with_cookie(Method::GET, "/session")).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn users_are_made_changed_and_deleted() {
    let f = fixture().await;
    let vera = f.user("vera", "viewer").await;
    for (body, field) in [
        (
            json!({ "name": "a b", "password": "a long password", "role": "viewer" }),
            "name",
        ),
        (
            json!({ "name": "x", "password": "short", "role": "viewer" }),
            "password",
        ),
        (
            json!({ "name": "x", "password": "a long password", "role": "god" }),
            "role",
        ),
    ] {
        let (status, refused) = f.api.post("/users", body).await;
        assert_eq!(
            (status, &refused["error"]["field"]),
            (StatusCode::BAD_REQUEST, &json!(field))
        );
    }
    let twice = json!({ "name": "vera", "password": "a long password", "role": "viewer" });
    assert_eq!(f.api.post("/users", twice).await.0, StatusCode::CONFLICT);
    let change = |api: &Api, name: &str, body| {
        answer(
            api.request(Method::PUT, &format!("/users/{name}/password"))
                .json(&body),
        )
    };
    let new = json!({ "current": "not it", "new": "another password" });
    assert_eq!(
        change(&vera, "vera", new).await.1["error"]["field"],
        "current"
    );
    let other = json!({ "new": "another password" });
    assert_eq!(
        change(&vera, "admin", other.clone()).await.0,
        StatusCode::FORBIDDEN
    );
    let new = json!({ "current": "a long password", "new": "another password" });
    assert_eq!(change(&vera, "vera", new).await.0, StatusCode::NO_CONTENT);
    assert_eq!(
        vera.get("/session").await.0,
        StatusCode::OK,
        "one's own session goes on"
    );
    assert_eq!(
        change(&f.api, "vera", other).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        vera.get("/session").await.0,
        StatusCode::UNAUTHORIZED,
        "an administrator's change ends it"
    );
    let delete = |name: &str| answer(f.api.request(Method::DELETE, &format!("/users/{name}")));
    assert_eq!(delete("vera").await.0, StatusCode::NO_CONTENT);
    assert_eq!(delete("vera").await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        delete("admin").await.0,
        StatusCode::CONFLICT,
        "the last administrator"
    );
}

/// What only an administrator may ask for, only an administrator may take back or repeat.
#[tokio::test]
async fn an_operator_does_not_touch_functions() {
    let f = fixture().await;
    let mut agent = crate::agent::Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let run = json!({ "target": "*", "fun": "state.apply" });
    assert_eq!(
        f.api.post("/runs", run.clone()).await.0,
        StatusCode::ACCEPTED
    );
    let (action, _) = agent.command().await;
    let olga = f.user("olga", "operator").await;
    for what in ["cancel", "retry"] {
        let (status, _) = olga.act(&format!("/actions/{action}/{what}")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{what}");
    }
    let jobs = olga.read("/runs").await;
    let jid = jobs[0]["jid"].as_str().expect("a jid");
    let (status, _) = olga.act(&format!("/runs/{jid}/cancel")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(olga.post("/runs", run).await.0, StatusCode::FORBIDDEN);
}

/// Pillar data and passwords may be in what functions are given and return.
#[tokio::test]
async fn a_viewer_does_not_see_what_functions_return() {
    let f = fixture().await;
    let mut agent = crate::agent::Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let vera = f.user("vera", "viewer").await;
    let mut bus = Stream::open(&vera, "/bus", None).await;
    let mut events = Stream::open(&vera, "/events", None).await;
    events.expect("hello").await;
    let run = json!({ "target": "*", "fun": "pillar.get", "args": ["hidden-key"] });
    let (_, job) = f.api.post("/runs", run).await;
    let (action, _) = agent.command().await;
    let said = agent_api::wire::ActionReport {
        result_json: json!("hidden-value").to_string(),
        ..crate::agent::outcome(action, "succeeded")
    };
    agent.say(up::Body::Action(said)).await;
    agent.expect_result_ack(action).await;
    let ended = |object: &serde_json::Value| object["row"]["status"] == "succeeded";
    let mut seen = vec![
        vera.read("/actions").await,
        vera.read(&format!("/actions/{action}")).await,
        vera.read(&format!("/runs/{}", job["jid"].as_str().expect("a jid")))
            .await,
        events.row(ended).await,
    ];
    seen.push(bus.expect("message").await.data);
    seen.push(bus.expect("message").await.data);
    for value in seen {
        assert!(!value.to_string().contains("hidden"), "{value}");
    }
    let open = f.api.read(&format!("/actions/{action}")).await;
    assert_eq!(
        (&open["result"], &open["summary"]),
        (&json!("hidden-value"), &json!("pillar.get hidden-key"))
    );
}

/// Who may aim by a value of the pillar can guess it.
#[tokio::test]
async fn only_administrators_aim_by_pillar() {
    let f = fixture().await;
    let mut agents = Vec::new();
    for name in ["kvm1", "kvm2"] {
        agents.push(crate::agent::Agent::with_vms(&f.socket(), name, &[]).await);
    }
    let write = |name: &str, text: &str| {
        let folder = f.folder.path().join("pillar");
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        std::fs::write(folder.join(name), text).expect("a file for the test");
    };
    write("top.sls", "base:\n  kvm1: [golden]\n");
    write("golden.sls", "tier: gold\ndisk: {password: hidden}\n");
    let aimed = async |api: &Api, kind: &str, target: &str| {
        let run = json!({ "target": target, "target_kind": kind, "fun": "test.ping" });
        let (run, _) = api.post("/runs", run).await;
        let query = format!("/targets?target_kind={kind}&target={target}");
        let (listed, names) = answer(api.request(Method::GET, &query)).await;
        (run, listed, names)
    };
    let vera = f.user("vera", "viewer").await;
    let olga = f.user("olga", "operator").await;
    for (kind, target) in [
        ("pillar", "tier:gold"),
        ("pillar_exact", "disk:password:hidden"),
        ("compound", "kvm*%20and%20I@tier:gold"),
    ] {
        for api in [&vera, &olga] {
            let (_, listed, names) = aimed(api, kind, target).await;
            assert_eq!(listed, StatusCode::FORBIDDEN, "{target}: {names}");
        }
        let (_, listed, names) = aimed(&f.api, kind, target).await;
        assert_eq!(
            (listed, names),
            (StatusCode::OK, json!(["kvm1"])),
            "{target}"
        );
    }
    let (run, ..) = aimed(&olga, "pillar", "tier:gold").await;
    assert_eq!(run, StatusCode::FORBIDDEN);
    let (run, ..) = aimed(&f.api, "pillar", "tier:gold").await;
    assert_eq!(run, StatusCode::ACCEPTED);
    let (run, listed, _) = aimed(&f.api, "pillar", "tier:tin").await;
    assert_eq!(
        (run, listed),
        (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    );

    // A pillar that does not render stands neither for yes nor for no; who does not ask it is not held up.
    write("golden.sls", "tier: [\n");
    let (run, listed, said) = aimed(&f.api, "pillar", "tier:gold").await;
    assert_eq!((run, listed), (StatusCode::CONFLICT, StatusCode::CONFLICT));
    let told = said["error"]["message"].as_str().expect("a message");
    assert!(
        told.contains("The pillar of kvm1 does not render"),
        "{told}"
    );
    let (run, listed, _) = aimed(&f.api, "glob", "kvm1").await;
    assert_eq!((run, listed), (StatusCode::ACCEPTED, StatusCode::OK));
}

/// Files of a host are read with the rights of its agent.
#[tokio::test]
async fn only_administrators_read_files_of_hosts() {
    let f = fixture().await;
    let mut agent = crate::agent::Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let olga = f.user("olga", "operator").await;
    let mut bus = Stream::open(&olga, "/bus", None).await;
    let mut events = Stream::open(&olga, "/events", None).await;
    events.expect("hello").await;
    for fun in [
        "file.read",
        "file.get_hash",
        "hashutil.digest_file",
        "cmd.which",
    ] {
        let run = json!({ "target": "*", "fun": fun, "args": ["/etc/hidden"] });
        let (status, _) = olga.post("/runs", run.clone()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{fun}");
        let (_, job) = f.api.post("/runs", run).await;
        let (action, _) = agent.command().await;
        let said = agent_api::wire::ActionReport {
            result_json: json!("hidden-text").to_string(),
            ..crate::agent::outcome(action, "succeeded")
        };
        agent.say(up::Body::Action(said)).await;
        agent.expect_result_ack(action).await;
        let ended = |object: &serde_json::Value| {
            object["row"]["status"] == "succeeded" && object["row"]["kind"] == fun
        };
        let mut seen = vec![
            olga.read("/actions").await,
            olga.read(&format!("/actions/{action}")).await,
            olga.read(&format!("/runs/{}", job["jid"].as_str().expect("a jid")))
                .await,
            events.row(ended).await,
        ];
        seen.push(bus.expect("message").await.data);
        seen.push(bus.expect("message").await.data);
        for value in seen {
            assert!(!value.to_string().contains("hidden"), "{fun}: {value}");
        }
        let open = f.api.read(&format!("/actions/{action}")).await;
        assert_eq!(open["result"], "hidden-text", "{fun}");
    }
}

/// A question about the run that goes on is answered while it does.
#[tokio::test]
async fn looking_at_states_does_not_wait_for_a_run() {
    let f = fixture().await;
    let mut agent = crate::agent::Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    for fun in ["state.apply", "state.running", "state.show_top"] {
        let run = json!({ "target": "*", "fun": fun });
        let (_, job) = f.api.post("/runs", run).await;
        let (action, _) = agent.command().await;
        assert_eq!(job["actions"][0]["id"], action.to_string(), "{fun}");
    }
}
