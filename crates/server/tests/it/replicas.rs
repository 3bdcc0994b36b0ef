//! Several servers on one database: whatever is asked of one reaches what is with another.

use crate::actions::id;
use crate::agent::{Agent, Identity, bytes, vm};
use crate::console;
use crate::door::{Caller, welcome};
use crate::fixture::{Api, Fixture, SOON, config, start, until};
use crate::stream::Stream;
use agent_api::wire::{self, down, up};
use futures_util::StreamExt;
use model::VmStatus;
use private_postgres::Server as Postgres;
use reqwest::StatusCode;
use serde_json::json;
use server::{Config, Database, DatabaseTls, StartError};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

/// Servers that share a database and a CA.
struct Fleet {
    postgres: Postgres,
    ca: TempDir,
    servers: Vec<Fixture>,
}

impl Fleet {
    async fn new(servers: usize) -> Self {
        let mut fleet = Self {
            postgres: Postgres::start(),
            ca: tempfile::tempdir().expect("a folder"),
            servers: Vec::new(),
        };
        for _ in 0..servers {
            fleet.add().await;
        }
        fleet
    }

    fn config(&self, folder: &Path) -> Config {
        let ca = std::fs::canonicalize(self.ca.path()).expect("is there");
        shared(&self.postgres, folder, &ca)
    }

    async fn add(&mut self) {
        let folder = tempfile::tempdir().expect("a folder");
        let server = start(self.config(folder.path())).await;
        let api = Api::local(folder.path());
        // What joins an agent looks for it there.
        let _ = std::fs::copy(self.ca.path().join("ca.pem"), folder.path().join("ca.pem"));
        self.servers.push(Fixture {
            folder,
            server,
            api,
        });
    }
}

fn shared(postgres: &Postgres, folder: &Path, ca: &Path) -> Config {
    Config {
        database: Some(Database {
            url: postgres.url().to_owned(),
            tls: DatabaseTls::Off,
        }),
        ca_dir: Some(ca.to_owned()),
        ..config(folder)
    }
}

fn start_path() -> String {
    format!("/vms/{}/start", vm("srv01", VmStatus::Shutoff).uuid)
}

#[tokio::test]
async fn what_is_asked_of_one_server_reaches_the_agent_of_another_at_once() {
    let fleet = Fleet::new(2).await;
    let [a, b] = &fleet.servers[..] else {
        panic!("two servers")
    };
    let mut agent = Agent::with_vms(&a.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    // Whoever has signed in at one may go on with the other.
    let ann = a.user("ann", "operator").await;
    let ann = Api {
        url: b.api.url.clone(),
        ..ann
    };
    let mut stream = Stream::open(&ann, "/events", None).await;
    stream.expect("hello").await;
    let mut bus = Stream::open(&ann, "/bus?tag=salt/job/*/ret/*", None).await;
    let asked = std::time::Instant::now();
    let (status, accepted) = ann.act(&start_path()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    let (command, _) = agent.command().await;
    assert_eq!(command, id(&accepted));
    // Unasked it looks every five seconds.
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    agent.report(&[vm("srv01", VmStatus::Running)]).await;
    agent.tell(command, "succeeded").await;
    agent.expect_result_ack(command).await;
    let row = stream
        .row(|row| row["id"] == command.to_string() && row["row"]["status"] == "succeeded")
        .await;
    assert_eq!(row["row"]["user"], "ann");
    let event = bus.next().await.expect("the bus goes on");
    assert_eq!(event.data["data"]["success"], true, "{event:?}");
    assert_eq!(event.data["data"]["id"], "kvm1");
}

#[tokio::test]
async fn a_browser_goes_on_with_another_server_where_it_was() {
    let fleet = Fleet::new(2).await;
    let [a, b] = &fleet.servers[..] else {
        panic!("two servers")
    };
    let mut agent = Agent::with_vms(&a.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    let mut stream = Stream::open(&a.api, "/events", None).await;
    let hello = stream.expect("hello").await;
    drop(stream);
    agent.report(&[vm("srv01", VmStatus::Paused)]).await;
    agent.expect_report_ack(agent.identity.last_seq).await;
    let mut stream = Stream::open(&b.api, "/events", Some(&hello.id)).await;
    let again = stream.expect("hello").await;
    assert_eq!(again.data["resumed"], true);
    stream.row(|row| row["row"]["status"] == "paused").await;
}

#[tokio::test]
async fn a_console_comes_from_the_server_that_has_the_agent() {
    let fleet = Fleet::new(2).await;
    let [a, b] = &fleet.servers[..] else {
        panic!("two servers")
    };
    let mut agent = Agent::with_vms(&a.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    // Each knows the other within its next look.
    let path = console::ticket(b).await;
    let mut socket = console::connect(&b.api, &path, None)
        .await
        .expect("connects");
    let down::Body::OpenTunnel(open) = agent.hear().await else {
        panic!("a tunnel is asked for")
    };
    console::carries_bytes(&mut agent, &open.tunnel_id, &mut socket).await;

    // A ticket of one server opens with the other, once.
    let path = console::ticket(a).await;
    let mut socket = console::connect(&b.api, &path, None)
        .await
        .expect("connects");
    let down::Body::OpenTunnel(open) = agent.hear().await else {
        panic!("a tunnel is asked for")
    };
    let failed = wire::TunnelFailed {
        tunnel_id: open.tunnel_id,
        error: "the VM has no display".to_owned(),
    };
    agent.say(up::Body::TunnelFailed(failed)).await;
    let end = tokio::time::timeout(SOON, socket.next())
        .await
        .expect("soon");
    let Some(Ok(Message::Close(Some(frame)))) = end else {
        panic!("{end:?}")
    };
    assert_eq!(frame.reason.as_str(), "the VM has no display");
}

#[tokio::test]
async fn a_key_that_is_rejected_with_one_server_ends_its_session_with_another() {
    let fleet = Fleet::new(2).await;
    let [a, b] = &fleet.servers[..] else {
        panic!("two servers")
    };
    let caller = Caller::new("kvm1");
    let shown = caller.join(a).await;
    let mut agent = welcome(a, shown, &caller).await;
    let path = format!("/keys/{}/reject", caller.print());
    let (status, answer) = b.api.act(&path).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(agent.next().await.is_none(), "the stream is cut");
}

#[tokio::test]
async fn when_a_server_is_killed_its_agents_go_on_with_another() {
    let mut fleet = Fleet::new(2).await;
    let vms = [vm("srv01", VmStatus::Shutoff)];
    let mut agent = Agent::with_vms(&fleet.servers[0].socket(), "kvm1", &vms).await;
    let b = &fleet.servers[1];
    let (_, accepted) = b.api.act(&start_path()).await;
    let (command, _) = agent.command().await;
    assert_eq!(command, id(&accepted));
    let api = b.api.clone();
    let socket = b.socket();
    drop(fleet.servers.remove(0));
    // Its word that it is there lasts a quarter of a minute.
    let unreachable = async || {
        let hosts = api.read("/hosts").await;
        hosts["items"][0]["freshness"] == "unreachable"
    };
    let end = std::time::Instant::now() + Duration::from_secs(40);
    while !unreachable().await {
        assert!(
            std::time::Instant::now() < end,
            "the host still counts as live"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // The same agent, with the other server: what was sent and not confirmed comes again, under the same id.
    let identity = Identity {
        highest_epoch: agent.epoch,
        ..agent.identity.clone()
    };
    let old = agent.epoch;
    let mut agent = Agent::connect(&socket, identity).await;
    assert!(agent.epoch > old);
    let (again, sent) = agent.command().await;
    assert_eq!((again, sent.epoch), (command, agent.epoch));
    assert_eq!(sent.action_id, bytes(command));
    agent.tell(command, "succeeded").await;
    agent.expect_result_ack(command).await;
    let hosts = api.read("/hosts").await;
    assert_eq!(hosts["items"][0]["freshness"], "live");
}

#[tokio::test]
async fn without_its_database_a_server_refuses_and_then_goes_on() {
    let mut fleet = Fleet::new(1).await;
    fleet.postgres.crash();
    let api = fleet.servers[0].api.clone();
    let (status, answer) = api.get("/vms").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    fleet.postgres.run();
    until("the server goes on", async || {
        (api.get("/vms").await.0 == StatusCode::OK).then_some(())
    })
    .await;
    let _agent = Agent::with_vms(&fleet.servers[0].socket(), "kvm1", &[]).await;
}

#[tokio::test]
async fn a_server_with_another_ca_does_not_start() {
    let fleet = Fleet::new(1).await;
    let folder = tempfile::tempdir().expect("a folder");
    let other = shared(&fleet.postgres, folder.path(), folder.path());
    let refused = server::start(other).await.err();
    assert!(matches!(refused, Some(StartError::OtherCa { .. })));
    // It has left no trace: the next with the right one starts.
    let folder = tempfile::tempdir().expect("a folder");
    server::start(fleet.config(folder.path()))
        .await
        .expect("starts");
}

#[tokio::test]
async fn a_word_that_is_lost_is_made_up_for() {
    let fleet = Fleet::new(2).await;
    let [a, b] = &fleet.servers[..] else {
        panic!("two servers")
    };
    let mut agent = Agent::with_vms(&a.socket(), "kvm1", &[vm("srv01", VmStatus::Shutoff)]).await;
    // Nobody hears anything any more: the connections that listen are cut off, again and again.
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'
               or query like '%pg_notify%' and pid <> pg_backend_pid()";
    let (client, connection) = tokio_postgres::connect(fleet.postgres.url(), tokio_postgres::NoTls)
        .await
        .expect("connects");
    tokio::spawn(connection);
    let cutting = tokio::spawn(async move {
        loop {
            let _ = client.execute(cut, &[]).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let (_, accepted) = b.api.act(&start_path()).await;
    let command = tokio::time::timeout(SOON * 2, agent.command()).await;
    let (command, _) = command.expect("it looks by itself");
    assert_eq!(command, id(&accepted));
    cutting.abort();
    let (status, _) = b.api.post("/users", json!({})).await;
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
}
