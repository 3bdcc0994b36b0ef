//! Events lead to what an administrator has written down.

use crate::agent::{Agent, Identity};
use crate::fixture::{Api, Fixture, config, start, until};
use crate::stream::Stream;
use agent_api::wire::{self, up};
use serde_json::{Value, json};
use server::{Config, Rule};
use std::path::Path;
use tree::Roots;

const START: &str = "
apply:
  local.state.apply:
    - tgt: {{ data['id'] }}
    - args: [vm, {test: true}]
tell:
  runner.event.send:
    - args:
        tag: seen/{{ data['id'] }}
        data: {domain: {{ data['data']['domain'] | yaml_dquote }}}
";

async fn reacting(rules: &[(&str, &str)]) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("start.sls", START).expect("is written");
    write("broken.sls", "a:\n  locl.test.ping: []\n").expect("is written");
    write("round.sls", "a:\n  runner.event.send:\n    - tag: round\n").expect("is written");
    write("nobody.sls", "a:\n  local.test.ping:\n    - tgt: nobody\n").expect("is written");
    write(
        "accept.sls",
        "a:\n  wheel.key.accept:\n    - match: {{ data['data']['name'] }}\n",
    )
    .expect("is written");
    let server = start(Config {
        file_roots: Roots::new([folder.path().to_owned()]),
        reactor: rules.iter().map(|rule| read(folder.path(), rule)).collect(),
        ..config(folder.path())
    })
    .await;
    let api = Api::local(folder.path());
    Fixture {
        folder,
        server,
        api,
    }
}

/// `/` stands for the folder.
fn read(folder: &Path, (tag, file): &(&str, &str)) -> Rule {
    let file = match file.strip_prefix('/') {
        Some(name) => folder.join(name).display().to_string(),
        None => (*file).to_owned(),
    };
    Rule {
        tag: (*tag).to_owned(),
        sls: vec![file.parse().expect("is a file")],
    }
}

async fn say(agent: &Agent, tag: &str, data: Value) {
    let event = wire::HostEvent {
        tag: tag.to_owned(),
        data_json: data.to_string(),
    };
    agent.say(up::Body::Event(event)).await;
}

#[tokio::test]
async fn an_event_leads_to_a_job_and_to_another_event() {
    let f = reacting(&[("my/*/tag", "salt://start.sls")]).await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let mut bus = Stream::open(&f.api, "/bus?tag=seen/*", None).await;
    say(&agent, "my/other", json!({ "domain": "no" })).await;
    say(&agent, "my/own/tag", json!({ "domain": "a: b" })).await;
    let event = bus.expect("message").await.data;
    assert_eq!(
        (&event["tag"], &event["data"]["domain"]),
        (&json!("seen/kvm1"), &json!("a: b"))
    );
    let jobs = until("a job", async || {
        let jobs = f.api.read("/runs").await;
        (!jobs.as_array().expect("a list").is_empty()).then_some(jobs)
    })
    .await;
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
    assert_eq!(
        (&jobs[0]["fun"], &jobs[0]["target"], &jobs[0]["user"]),
        (&json!("state.apply"), &json!("kvm1"), &json!("Reactor"))
    );
    let job = f
        .api
        .read(&format!(
            "/runs/{}",
            jobs[0]["jid"].as_str().expect("an id")
        ))
        .await;
    assert_eq!(
        job["actions"][0]["summary"], "state.apply vm test=True",
        "{job}"
    );
}

/// The file that docs/fleet.md shows, as it stands there.
fn shown() -> &'static str {
    let text = include_str!("../../../../docs/fleet.md");
    let (_, rest) = text
        .split_once("```yaml\napply_on_start:")
        .expect("is there");
    let (block, _) = rest.split_once("```").expect("it ends");
    let start = text.len() - rest.len() - "apply_on_start:".len();
    &text[start..start + "apply_on_start:".len() + block.len()]
}

#[tokio::test]
async fn the_file_of_the_documents_is_acted_on() {
    let f = reacting(&[("salt/minion/*/start", "/shown.sls")]).await;
    std::fs::write(f.folder.path().join("shown.sls"), shown()).expect("is written");
    let _agent = Agent::connect(&f.socket(), Identity::new("kvm1")).await;
    until("a job", async || {
        let jobs = f.api.read("/runs").await;
        (jobs[0]["fun"] == "state.apply" && jobs[0]["target"] == "kvm1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said_on_the_bus() {
    let rules = [
        ("broken", "/broken.sls"),
        ("absent", "salt://absent.sls"),
        ("nobody", "/nobody.sls"),
        ("key", "/accept.sls"),
        ("salar/reactor/*", "/broken.sls"),
    ];
    let f = reacting(&rules).await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let mut bus = Stream::open(&f.api, "/bus?tag=salar/reactor/*", None).await;
    for (tag, words) in [
        ("broken", "did you mean local.FUN?"),
        ("absent", "absent.sls is not there"),
        ("nobody", "No host matches"),
        ("key", "no such key of h9"),
    ] {
        say(&agent, tag, json!({ "name": "h9" })).await;
        let event = bus.expect("message").await.data;
        assert_eq!(event["data"]["tag"], tag);
        let error = event["data"]["error"].as_str().expect("a text");
        assert!(error.contains(words), "{tag}: {error}");
    }
}

#[tokio::test]
async fn a_circle_ends() {
    let f = reacting(&[("round", "/round.sls")]).await;
    let agent = Agent::with_vms(&f.socket(), "kvm1", &[]).await;
    let mut bus = Stream::open(&f.api, "/bus?tag=salar/reactor/*", None).await;
    say(&agent, "round", json!({})).await;
    let event = bus.expect("message").await.data;
    let error = event["data"]["error"].as_str().expect("a text");
    assert!(error.contains("the event of another"), "{error}");
}
