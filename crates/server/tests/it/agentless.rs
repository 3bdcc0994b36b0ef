//! Hosts without an agent of their own: what is taken, what is refused, and the children that run for them.

use crate::fixture::{Api, config, fixture, start, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::Config;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A program that writes down how it is called, and ends when its input does.
fn program(folder: &Path) -> PathBuf {
    let program = folder.join("salar-agent");
    let calls = folder.join("calls");
    let script = format!("#!/bin/sh\necho \"$@\" >> {}\nexec cat\n", calls.display());
    std::fs::write(&program, script).expect("is written");
    let mode = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&program, mode).expect("is set");
    program
}

fn calls(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn with_program(folder: &Path) -> Config {
    Config {
        agent_program: Some(program(folder)),
        local_agent: false,
        ..config(folder)
    }
}

async fn refused(api: &Api, body: Value) -> (StatusCode, String, String) {
    let (status, answer) = api.post("/hosts", body).await;
    let text = |key: &str| answer["error"][key].as_str().unwrap_or_default().to_owned();
    (status, text("field"), text("message"))
}

#[tokio::test]
async fn what_cannot_be_reached_safely_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _server = start(with_program(folder.path())).await;
    let api = Api::local(folder.path());
    let key = folder.path().join("key");
    std::fs::write(&key, "secret").expect("is written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("is set");
    let ssh = "qemu+ssh://root@127.0.0.1:1/system";
    for (body, field, words) in [
        (json!({ "uri": "h2" }), "uri", "no libvirt URI"),
        (
            json!({ "uri": "qemu+ssh://h2/system?command=/x" }),
            "uri",
            "command",
        ),
        (json!({ "uri": "test:///default" }), "name", "gives no name"),
        (
            json!({ "uri": "test:///default", "name": "a b" }),
            "name",
            "letters",
        ),
        (
            json!({ "uri": ssh, "name": "h2" }),
            "host_keys",
            "confirmed",
        ),
        (
            json!({ "uri": ssh, "key_file": "id" }),
            "key_file",
            "absolute",
        ),
        (
            json!({ "uri": ssh, "key_file": "/nonexistent" }),
            "key_file",
            "No such file",
        ),
        (
            json!({ "uri": ssh, "key_file": key }),
            "key_file",
            "others may read it",
        ),
        (
            json!({ "uri": "qemu+tls://h2/system", "key_file": key }),
            "key_file",
            "does not go over ssh",
        ),
        (
            json!({ "uri": "test:///default", "name": "x", "host_keys": ["SHA256:x"] }),
            "host_keys",
            "no key to it",
        ),
    ] {
        let (status, at, message) = refused(&api, body.clone()).await;
        assert_eq!(
            (status, at.as_str()),
            (StatusCode::BAD_REQUEST, field),
            "{body}: {message}"
        );
        assert!(message.contains(words), "{body}: {message}");
    }
    // Nothing listens there.
    let body = json!({ "uri": ssh, "host_keys": ["SHA256:x"] });
    let (status, _, message) = refused(&api, body).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{message}");
    let (status, answer) = api.post("/host_keys", json!({ "uri": ssh })).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{answer}");
    assert_eq!(calls(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_without_the_program_adds_none() {
    let f = fixture().await;
    let body = json!({ "uri": "test:///default", "name": "t1" });
    let (status, _, message) = refused(&f.api, body).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(message.contains("no program salar-agent"), "{message}");
}

#[tokio::test]
async fn a_child_runs_for_each_and_ends_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(with_program(folder.path())).await;
    let api = Api::local(folder.path());
    let (_, shown) = api
        .post("/host_keys", json!({ "uri": "qemu+tcp://10.0.0.1/system" }))
        .await;
    assert_eq!(
        (&shown["name"], &shown["ssh"]),
        (&json!("10.0.0.1"), &json!(false))
    );
    assert!(
        shown["warning"]
            .as_str()
            .is_some_and(|why| why.contains("encrypted")),
        "{shown}"
    );

    let body = json!({ "uri": "test:///default", "name": "t1" });
    let (status, host) = api.post("/hosts", body).await;
    assert_eq!(status, StatusCode::CREATED, "{host}");
    assert_eq!(
        (&host["name"], &host["agentless"]),
        (&json!("t1"), &json!(true))
    );
    assert_eq!(
        (&host["uri"], &host["freshness"]),
        (&json!("test:///default"), &json!("unreachable"))
    );
    let id = host["id"].as_str().expect("an id").to_owned();
    let own = folder.path().join("agentless").join(&id);
    let at = own.display();
    let expected = format!(
        "run --server unix:{0}/agent.sock --state-dir {at}/agent --exit-with-parent --uri test:///default --id t1 \
         --config-dir {at}/config --pillar-root {0}/pillar",
        folder.path().display()
    );
    until("it is called", async || {
        (calls(folder.path()) == [expected.clone()]).then_some(())
    })
    .await;
    let kept = std::fs::read_to_string(own.join("agent/host_id")).expect("is there");
    assert_eq!(kept.trim(), id);

    // Reached anew: another child in its place, for the same host.
    let body = json!({ "uri": "qemu+tls://h2/system", "name": "t1" });
    let (status, host) = api.post("/hosts", body).await;
    assert_eq!(
        (status, host["id"].as_str()),
        (StatusCode::CREATED, Some(id.as_str())),
        "{host}"
    );
    let second = async || (calls(folder.path()).len() == 2).then(|| calls(folder.path()));
    assert!(until("it is called", second).await[1].contains("--uri qemu+tls://h2/system --id t1"));

    // A server that starts again runs it again.
    drop(server);
    let _server = start(with_program(folder.path())).await;
    let api = Api::local(folder.path());
    until("it is called", async || {
        (calls(folder.path()).len() == 3).then_some(())
    })
    .await;

    let removed = api.request(Method::DELETE, &format!("/hosts/{id}"));
    let removed = removed.send().await.expect("the server answers");
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert!(!own.exists(), "its folder is gone");
    let (status, _) = api.get(&format!("/hosts/{id}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
