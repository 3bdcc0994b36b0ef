//! The agent against a server that follows a script: sessions, actions, reports, consoles.

use crate::support::Host;
use crate::web::{Web, image};
use agent::{Agent, Join, ServerAddress, run};
use agent_api::wire::agent_link_server::{AgentLink, AgentLinkServer};
use agent_api::wire::{self, down, up};
use agent_api::{STALE_EPOCH, id};
use hypervisor::{Hint, Hypervisor, Key, Reason};
use model::lifecycle::Request as Life;
use model::plan::{Step, VmOp, VolumeOp};
use model::{ActionKind, VmStatus};
use serde_json::{Value, json};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(10);
const VM: &str =
    "<domain type='qemu'><name>srv01</name><memory>1024</memory><os><type>hvm</type></os></domain>";

type Down = mpsc::Sender<Result<wire::Down, Status>>;
type Attached = (Streaming<wire::Up>, Down);
type Tunnel = (
    Streaming<wire::TunnelChunk>,
    mpsc::Sender<Result<wire::TunnelChunk, Status>>,
);

/// One attached agent, from the server's side.
struct Session {
    up: Streaming<wire::Up>,
    down: Down,
    hello: wire::Hello,
    epoch: u64,
}

/// Hands every session and tunnel to the test.
struct Door {
    sessions: mpsc::Sender<Attached>,
    tunnels: mpsc::Sender<Tunnel>,
}

#[tonic::async_trait]
impl AgentLink for Door {
    type AttachStream = ReceiverStream<Result<wire::Down, Status>>;
    type TunnelStream = ReceiverStream<Result<wire::TunnelChunk, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<wire::Up>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (sender, receiver) = mpsc::channel(64);
        let _ = self.sessions.send((request.into_inner(), sender)).await;
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn tunnel(
        &self,
        request: Request<Streaming<wire::TunnelChunk>>,
    ) -> Result<Response<Self::TunnelStream>, Status> {
        let (sender, receiver) = mpsc::channel(64);
        let _ = self.tunnels.send((request.into_inner(), sender)).await;
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    type GetFilesStream = ReceiverStream<Result<wire::FileChunk, Status>>;

    async fn get_tree(
        &self,
        _: Request<wire::TreeRequest>,
    ) -> Result<Response<wire::Tree>, Status> {
        Err(Status::unimplemented("an older server"))
    }

    async fn get_files(
        &self,
        _: Request<wire::FilesRequest>,
    ) -> Result<Response<Self::GetFilesStream>, Status> {
        Err(Status::unimplemented("an older server"))
    }
}

struct Server {
    path: PathBuf,
    sessions: Mutex<mpsc::Receiver<Attached>>,
    tunnels: Mutex<mpsc::Receiver<Tunnel>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    fn listen(host: &Host) -> Self {
        let path = host.folder.path().join("server.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (sessions, waiting) = mpsc::channel(8);
        let (tunnels, waiting_tunnels) = mpsc::channel(8);
        let service = AgentLinkServer::new(Door { sessions, tunnels });
        let task = tokio::spawn(async move {
            let incoming = UnixListenerStream::new(listener);
            let _ = tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await;
        });
        Self {
            path,
            sessions: Mutex::new(waiting),
            tunnels: Mutex::new(waiting_tunnels),
            task,
        }
    }

    /// The next session, welcomed with an epoch above any before.
    async fn session(&self) -> Session {
        let (mut up, down) = within(self.sessions.lock().await.recv()).await.unwrap();
        let first = within(up.message()).await.unwrap().unwrap();
        let Some(up::Body::Hello(hello)) = first.body else {
            panic!("a Hello, not {first:?}")
        };
        let epoch = hello.highest_epoch + 1;
        let session = Session {
            up,
            down,
            hello,
            epoch,
        };
        session
            .send(down::Body::Welcome(wire::Welcome {
                epoch,
                server_version: "test".to_owned(),
            }))
            .await;
        session
    }
}

impl Session {
    async fn send(&self, body: down::Body) {
        self.down
            .send(Ok(wire::Down { body: Some(body) }))
            .await
            .unwrap();
    }

    async fn command(&self, epoch: u64, action: Uuid, kind: &ActionKind) {
        let command = agent_api::command(epoch, action.into(), action.into(), kind);
        self.send(down::Body::Command(command)).await;
    }

    /// The next message that `pick` wants.
    async fn next<T>(&mut self, what: &str, pick: impl Fn(up::Body) -> Option<T>) -> T {
        let found = tokio::time::timeout(LIMIT, async {
            loop {
                let message = self.up.message().await.unwrap().expect("an open stream");
                if let Some(found) = message.body.and_then(&pick) {
                    return found;
                }
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("{what} did not come"))
    }

    async fn action(&mut self, action: Uuid, status: &str) -> wire::ActionReport {
        self.next(status, |body| match body {
            up::Body::Action(report)
                if report.action_id == id(action) && report.status == status =>
            {
                Some(report)
            }
            _ => None,
        })
        .await
    }

    async fn snapshot(&mut self) -> wire::Snapshot {
        self.next("a snapshot", |body| match body {
            up::Body::Snapshot(snapshot) => Some(snapshot),
            _ => None,
        })
        .await
    }

    /// A report that says of the VM what `wanted` looks for.
    async fn vm(&mut self, wanted: impl Fn(&wire::Vm) -> bool) -> (u64, wire::Vm) {
        self.next("a report of the VM", |body| match body {
            up::Body::Report(report) => report
                .vms
                .into_iter()
                .find(&wanted)
                .map(|vm| (report.seq, vm)),
            _ => None,
        })
        .await
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future)
        .await
        .expect("within the limit")
}

/// A running agent; the end of the test ends it.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(host: &Host, server: &Server) -> Self {
        let stop = CancellationToken::new();
        let agent = Agent {
            minion: host.minion.clone(),
            server: ServerAddress::Unix(server.path.clone()),
            join: Join::default(),
            vitals: Arc::default(),
        };
        let until = stop.clone();
        let task = tokio::spawn(async move { run(agent, until).await.unwrap() });
        Self { stop, task }
    }

    async fn end(self) {
        self.stop.cancel();
        within(self.task).await.unwrap();
    }
}

fn life(vm: Uuid, request: Life) -> ActionKind {
    ActionKind::Vm {
        vm,
        name: "srv01".to_owned(),
        request,
    }
}

fn function(fun: &str, args: &Value, kwargs: &Value) -> ActionKind {
    ActionKind::Function {
        fun: fun.to_owned(),
        args: args.to_string(),
        kwargs: kwargs.to_string(),
    }
}

async fn status(host: &Host, vm: Uuid) -> VmStatus {
    host.fake
        .find_vm(&Key::Uuid(vm))
        .await
        .unwrap()
        .unwrap()
        .status
}

#[tokio::test]
async fn an_action_is_started_once_however_often_it_comes() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let action = Uuid::now_v7();
    session
        .command(session.epoch, action, &life(vm, Life::Start))
        .await;
    session.action(action, "accepted").await;
    session.action(action, "running").await;
    session.action(action, "succeeded").await;
    assert_eq!(status(&host, vm).await, VmStatus::Running);

    // Someone stops it; the same command comes again and is answered, not carried out.
    host.fake
        .someone_does(&Step::Vm {
            name: "srv01".to_owned(),
            op: VmOp::Life(Life::ForceOff),
        })
        .unwrap();
    session
        .command(session.epoch, action, &life(vm, Life::Start))
        .await;
    session.action(action, "succeeded").await;
    assert_eq!(status(&host, vm).await, VmStatus::Shutoff);

    // Also after a reconnect, and after a restart; the result is told until it is acknowledged.
    drop(session);
    let session = server.session().await;
    assert_eq!(session.hello.unacknowledged.len(), 1);
    drop(session);
    agent.end().await;
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    assert_eq!(session.hello.unacknowledged[0].action_id, id(action));
    session
        .command(session.epoch, action, &life(vm, Life::Start))
        .await;
    session.action(action, "succeeded").await;
    assert_eq!(status(&host, vm).await, VmStatus::Shutoff);
    session
        .send(down::Body::ResultAck(wire::ResultAck {
            action_id: id(action),
        }))
        .await;
    // Answered in order, so the acknowledgement has been taken in.
    let ping = Uuid::now_v7();
    session
        .command(
            session.epoch,
            ping,
            &function("test.ping", &json!([]), &json!({})),
        )
        .await;
    session.action(ping, "succeeded").await;
    drop(session);
    let session = server.session().await;
    let left: Vec<&[u8]> = session
        .hello
        .unacknowledged
        .iter()
        .map(|report| report.action_id.as_slice())
        .collect();
    assert_eq!(left, [id(ping).as_slice()]);
    assert_eq!(host.fake.performed().len(), 1);
    agent.end().await;
}

#[tokio::test]
async fn a_command_of_another_epoch_is_refused() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    for epoch in [session.epoch - 1, session.epoch + 1] {
        let action = Uuid::now_v7();
        session.command(epoch, action, &life(vm, Life::Start)).await;
        let refusal = session.next("a refusal", |body| match body {
            up::Body::Action(report) if report.action_id == id(action) => Some(report.refusal),
            _ => None,
        });
        assert_eq!(refusal.await, STALE_EPOCH);
    }
    assert_eq!(host.fake.performed(), []);
    let first = session.epoch;
    drop(session);
    let session = server.session().await;
    assert_eq!(
        session.hello.highest_epoch, first,
        "the epoch was stored before anything was obeyed"
    );
    agent.end().await;
}

#[tokio::test]
async fn a_session_of_an_old_epoch_is_not_obeyed() {
    let host = Host::new();
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let session = server.session().await;
    let epoch = session.epoch;
    drop(session);
    let (mut up, down) = within(server.sessions.lock().await.recv()).await.unwrap();
    within(up.message()).await.unwrap().unwrap();
    let welcome = down::Body::Welcome(wire::Welcome {
        epoch,
        server_version: String::new(),
    });
    down.send(Ok(wire::Down {
        body: Some(welcome),
    }))
    .await
    .unwrap();
    // The agent hangs up and dials again.
    assert_eq!(server.session().await.hello.highest_epoch, epoch);
    agent.end().await;
}

#[tokio::test]
async fn what_others_do_is_reported_in_order() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let snapshot = session.snapshot().await;
    assert_eq!(snapshot.vms.len(), 1);
    assert_eq!(snapshot.vms[0].status, "shutoff");

    host.fake.start_vm("srv01");
    let (seq, _) = session.vm(|vm| vm.status == "running").await;
    assert!(seq > snapshot.seq);
    host.fake
        .someone_does(&Step::Vm {
            name: "srv01".to_owned(),
            op: VmOp::Life(Life::ForceOff),
        })
        .unwrap();
    let event = session.next("an event", |body| match body {
        up::Body::Event(event) if event.data_json.contains("destroyed") => Some(event),
        _ => None,
    });
    assert_eq!(
        event.await.tag,
        "salt/engines/libvirt_events/fake/system/domain/lifecycle"
    );
    let (later, _) = session.vm(|vm| vm.status == "shutoff").await;
    assert!(later > seq);
    host.fake.remove_vm("srv01");
    let gone = session.next("that it is gone", |body| match body {
        up::Body::Report(report) => report.gone.into_iter().next(),
        _ => None,
    });
    assert_eq!(gone.await.uuid, id(vm));
    agent.end().await;
}

#[tokio::test]
async fn a_snapshot_is_only_sent_whole_when_it_differs() {
    let host = Host::new();
    host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let first = session.snapshot().await;
    assert!(!first.unchanged && !first.digest.is_empty());
    session
        .send(down::Body::SnapshotWanted(wire::SnapshotWanted {
            digest: first.digest.clone(),
        }))
        .await;
    let same = session.snapshot().await;
    assert!(same.unchanged && same.vms.is_empty() && same.digest == first.digest);
    session
        .send(down::Body::SnapshotWanted(wire::SnapshotWanted {
            digest: vec![1; 32],
        }))
        .await;
    let whole = session.snapshot().await;
    assert!(!whole.unchanged && whole.vms.len() == 1);
    drop(session);
    let session = server.session().await;
    assert_eq!(session.hello.inventory_digest, first.digest);
    agent.end().await;
}

#[tokio::test]
async fn libvirt_that_goes_and_comes_back_is_told_and_read_again() {
    let host = Host::new();
    host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    session.snapshot().await;
    host.fake.set_reachable(false);
    let condition = |up: bool| {
        move |body| match body {
            up::Body::Report(wire::Report {
                condition: Some(condition),
                ..
            }) if condition.libvirt_up == up => Some(condition),
            _ => None,
        }
    };
    let down = session.next("that libvirt is gone", condition(false)).await;
    assert!(
        down.problem.contains("Failed to connect socket")
            && down.problem.contains("systemctl status libvirtd"),
        "{}",
        down.problem
    );
    // Nobody hears this.
    host.fake.start_vm("srv01");
    host.fake.set_reachable(true);
    assert_eq!(session.snapshot().await.vms[0].status, "running");
    session.next("that libvirt is back", condition(true)).await;
    agent.end().await;
}

#[tokio::test]
async fn addresses_follow_the_leases() {
    let host = Host::new();
    host.fake.add_network("<network><name>net0</name><bridge name='br0'/><ip address='192.168.44.1' prefix='24'/></network>");
    host.fake.add_vm(
        "<domain type='qemu'><name>srv01</name><memory>1024</memory><os><type>hvm</type></os><devices><interface type='network'><mac address='2a:c3:a7:a6:01:04'/><source network='net0'/></interface></devices></domain>",
    );
    host.fake.start_vm("srv01");
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    assert_eq!(session.snapshot().await.vms[0].nics[0].addresses, [""; 0]);
    host.fake.set_addresses(vec![(
        "2a:c3:a7:a6:01:04".to_owned(),
        "192.168.44.10".to_owned(),
    )]);
    let (_, vm) = session
        .vm(|vm| vm.nics[0].addresses == ["192.168.44.10"])
        .await;
    assert_eq!(vm.name, "srv01");
    agent.end().await;
}

#[tokio::test]
async fn a_function_returns_its_value_or_its_error() {
    let host = Host::new();
    host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let action = Uuid::now_v7();
    session
        .command(
            session.epoch,
            action,
            &function("virt.vm_state", &json!(["srv01"]), &json!({})),
        )
        .await;
    assert_eq!(
        session.action(action, "succeeded").await.result_json,
        r#"{"srv01":"shutdown"}"#
    );
    let action = Uuid::now_v7();
    session
        .command(
            session.epoch,
            action,
            &function("virt.vm_stat", &json!([]), &json!({})),
        )
        .await;
    let report = session.action(action, "failed").await;
    assert_eq!(
        (report.error.as_str(), report.hint.as_str()),
        (
            "'virt.vm_stat' is not available.",
            "did you mean virt.vm_state?"
        )
    );
    agent.end().await;
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_by_the_agent_too() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let action = Uuid::now_v7();
    session
        .command(session.epoch, action, &life(vm, Life::Reboot))
        .await;
    assert_eq!(
        session.action(action, "failed").await.error,
        "The VM is not running"
    );
    let action = Uuid::now_v7();
    session
        .command(session.epoch, action, &life(Uuid::new_v4(), Life::Start))
        .await;
    assert_eq!(
        session.action(action, "failed").await.error,
        "VM srv01 is not on this host any more"
    );
    agent.end().await;
}

#[tokio::test]
async fn an_outcome_nobody_can_prove_is_unknown() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    host.fake.fail_next(|_| true, Reason::TimedOut, "no answer");
    let action = Uuid::now_v7();
    session
        .command(session.epoch, action, &life(vm, Life::Start))
        .await;
    assert!(
        session
            .action(action, "unknown")
            .await
            .error
            .contains("no answer")
    );
    agent.end().await;
}

#[tokio::test]
async fn what_the_hypervisor_says_nothing_of_is_read_when_the_driver_hints_at_it() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    assert!(!session.snapshot().await.vms[0].autostart);
    // As in libvirt, no event tells of it.
    let step = Step::Vm {
        name: "srv01".to_owned(),
        op: VmOp::Autostart(true),
    };
    host.fake.someone_does(&step).unwrap();
    host.fake.tell(Hint::Changed(vm));
    session.vm(|vm| vm.autostart).await;
    agent.end().await;
}

#[tokio::test]
async fn memory_is_saved_and_the_next_start_goes_on_from_it() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    host.fake.start_vm("srv01");
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    for (request, saved) in [(Life::Save, true), (Life::Save, true), (Life::Start, false)] {
        let action = Uuid::now_v7();
        let epoch = session.epoch;
        session.command(epoch, action, &life(vm, request)).await;
        session.action(action, "succeeded").await;
        let found = host.fake.find_vm(&Key::Uuid(vm)).await.unwrap().unwrap();
        assert_eq!(found.has_managed_save, saved);
        assert_eq!(found.status.is_active(), !saved);
    }
    let lives = host.fake.performed();
    assert_eq!(
        lives.len(),
        2,
        "what is saved is not saved again: {lives:?}"
    );
    agent.end().await;
}

#[tokio::test]
async fn an_action_cut_by_a_crash_is_compared_with_the_host() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    host.fake.start_vm("srv01");
    let [proven, open, run, fun] = [(); 4].map(|()| Uuid::now_v7());
    std::fs::create_dir_all(&host.minion.state_dir).unwrap();
    let journal = agent::journal::Journal::open(&host.minion.state_dir.join("journal")).unwrap();
    journal
        .accept(proven.into(), &life(vm, Life::Start))
        .await
        .unwrap();
    journal
        .accept(open.into(), &life(vm, Life::ForceOff))
        .await
        .unwrap();
    journal
        .accept(run.into(), &function("state.apply", &json!([]), &json!({})))
        .await
        .unwrap();
    journal
        .accept(
            fun.into(),
            &function("virt.reset", &json!(["srv01"]), &json!({})),
        )
        .await
        .unwrap();
    drop(journal);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut ended = std::collections::HashMap::new();
    let mut session = server.session().await;
    for action in [proven, open, run, fun] {
        let hello = &session.hello;
        let told = hello.running_actions.contains(&id(action))
            || hello
                .unacknowledged
                .iter()
                .any(|report| report.action_id == id(action));
        assert!(told, "what is in neither list counts as lost");
    }
    for report in std::mem::take(&mut session.hello.unacknowledged) {
        ended.insert(report.action_id, report.status);
    }
    while ended.len() < 4 {
        let report = session.next("a result", |body| match body {
            up::Body::Action(report) => Some(report),
            _ => None,
        });
        let report = report.await;
        ended.insert(report.action_id, report.status);
    }
    assert_eq!(ended[&id(proven)], "succeeded");
    assert_eq!(ended[&id(open)], "unknown");
    assert_eq!(ended[&id(run)], "failed");
    assert_eq!(ended[&id(fun)], "unknown");
    assert_eq!(host.fake.performed(), [], "nothing was started again");
    agent.end().await;
}

#[tokio::test]
async fn a_cancel_that_overtakes_its_command_keeps_it_from_starting() {
    let host = Host::new();
    let vm = host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let action = Uuid::now_v7();
    session
        .send(down::Body::Cancel(wire::Cancel {
            epoch: session.epoch,
            action_id: id(action),
        }))
        .await;
    session.action(action, "cancelled").await;
    session
        .command(session.epoch, action, &life(vm, Life::Start))
        .await;
    session.action(action, "cancelled").await;
    assert_eq!(status(&host, vm).await, VmStatus::Shutoff);
    agent.end().await;
}

#[tokio::test]
async fn a_console_is_carried_both_ways_and_ends_cleanly() {
    let host = Host::new();
    let vm = host.fake.add_vm(
        "<domain type='qemu'><name>srv01</name><memory>1024</memory><os><type>hvm</type></os><devices><graphics type='vnc' autoport='yes'/></devices></domain>",
    );
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let open = |tunnel: Uuid, epoch: u64| {
        down::Body::OpenTunnel(wire::OpenTunnel {
            epoch,
            tunnel_id: id(tunnel),
            vm_uuid: id(vm),
        })
    };
    let failed = |body| match body {
        up::Body::TunnelFailed(failed) => Some(failed),
        _ => None,
    };
    let tunnel = Uuid::new_v4();
    session.send(open(tunnel, session.epoch)).await;
    let refusal = session.next("a refusal", failed).await;
    assert_eq!(refusal.tunnel_id, id(tunnel));
    assert!(!refusal.error.is_empty());

    host.fake.start_vm("srv01");
    session.send(open(tunnel, session.epoch)).await;
    let (mut chunks, back) = within(server.tunnels.lock().await.recv()).await.unwrap();
    let first = within(chunks.message()).await.unwrap().unwrap();
    assert_eq!((first.tunnel_id, first.data.len()), (id(tunnel), 0));
    let greeting = within(chunks.message()).await.unwrap().unwrap();
    assert!(greeting.data.starts_with(b"RFB "), "{:?}", greeting.data);
    drop(back);
    while let Ok(Some(_)) = within(chunks.message()).await {}
    agent.end().await;
}

#[tokio::test]
async fn a_second_agent_in_the_same_folder_is_refused() {
    let host = Host::new();
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let session = server.session().await;
    let second = Agent {
        minion: host.minion.clone(),
        server: ServerAddress::Unix(server.path.clone()),
        join: Join::default(),
        vitals: Arc::default(),
    };
    let error = run(second, CancellationToken::new()).await.unwrap_err();
    assert!(
        error.to_string().contains("another agent already uses"),
        "{error}"
    );
    drop(session);
    agent.end().await;
}

#[tokio::test]
async fn a_host_whose_libvirt_is_down_says_who_it_is() {
    let host = Host::new();
    host.fake.add_vm(VM);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    assert_eq!(session.hello.facts.as_ref().unwrap().name, "kvm1.tf.local");
    let report = session.next("the facts", |body| match body {
        up::Body::Report(report) => report.facts,
        _ => None,
    });
    assert_eq!(report.await.cpus, 4);
    agent.end().await;

    host.fake.set_reachable(false);
    let agent = Running::start(&host, &server);
    let session = server.session().await;
    let facts = session.hello.facts.clone().unwrap();
    assert_eq!((facts.name.as_str(), facts.cpus), ("kvm1.tf.local", 4));
    assert!(!session.hello.condition.as_ref().unwrap().libvirt_up);
    agent.end().await;
}

#[tokio::test]
async fn an_agent_that_is_told_to_end_stops_its_states_cleanly() {
    let web = Web::serve(image()).await;
    web.set(|site| site.together = usize::MAX);
    let host = Host::new().with_origin(&web.url);
    let server = Server::listen(&host);
    let agent = Running::start(&host, &server);
    let mut session = server.session().await;
    let action = Uuid::now_v7();
    let apply = function("state.apply", &json!(["vm"]), &json!({}));
    session.command(session.epoch, action, &apply).await;
    let progress = |body| match body {
        up::Body::Action(report) => report.progress,
        _ => None,
    };
    web.set(|site| site.together = 0);
    session.next("progress", progress).await;
    session.action(action, "succeeded").await;

    web.set(|site| (site.together, site.etag) = (usize::MAX, None));
    host.fake.remove_vm("srv01");
    let remove = Step::Volume {
        pool: "pool0".to_owned(),
        name: "srv01_system".to_owned(),
        op: VolumeOp::Delete,
    };
    host.fake.someone_does(&remove).unwrap();
    let sls = std::fs::read_to_string(host.folder.path().join("salt/vm.sls")).unwrap();
    host.folder
        .write("salt/vm.sls", &sls.replace("guest.qcow2", "other.qcow2"));
    let asked = web.requests().len();
    let action = Uuid::now_v7();
    session.command(session.epoch, action, &apply).await;
    session.action(action, "running").await;
    within(async {
        while web.requests().len() == asked {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(session);
    agent.end().await;
    assert!(host.fake.inventory().await.unwrap().vms.is_empty());

    let agent = Running::start(&host, &server);
    let mut left = Vec::new();
    while left.is_empty() {
        // A session that the ending agent had opened may stand before.
        left = server.session().await.hello.unacknowledged;
        left.retain(|report| report.action_id == id(action));
    }
    assert_eq!(left[0].status, "cancelled");
    agent.end().await;
}
