//! An agent without a hypervisor: it says and hears what the test wants, over the real link.

use crate::fixture::SOON;
use agent_api::wire::agent_link_client::AgentLinkClient;
use agent_api::wire::{self, Down, TunnelChunk, Up, down, up};
use hyper_util::rt::TokioIo;
use model::vm::Graphics;
use model::{Bytes, Vm, VmStatus};
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};
use uuid::Uuid;

/// What an agent is before it connects.
#[derive(Clone)]
pub struct Identity {
    pub host: Uuid,
    pub name: String,
    pub instance: Uuid,
    pub highest_epoch: u64,
    pub last_seq: u64,
    pub libvirt_up: bool,
    pub running: Vec<Uuid>,
    pub unacknowledged: Vec<wire::ActionReport>,
}

impl Identity {
    pub fn new(name: &str) -> Self {
        Self {
            host: Uuid::new_v4(),
            name: name.to_owned(),
            instance: Uuid::new_v4(),
            highest_epoch: 0,
            last_seq: 0,
            libvirt_up: true,
            running: Vec::new(),
            unacknowledged: Vec::new(),
        }
    }

    fn hello(&self) -> wire::Hello {
        wire::Hello {
            protocol: agent_api::PROTOCOL,
            agent_version: "0.1.0".to_owned(),
            host_id: bytes(self.host),
            instance: bytes(self.instance),
            last_seq: self.last_seq,
            highest_epoch: self.highest_epoch,
            facts: Some(wire::HostFacts {
                name: self.name.clone(),
                uri: "test:///default".to_owned(),
                ..wire::HostFacts::default()
            }),
            condition: Some(wire::HostCondition {
                libvirt_up: self.libvirt_up,
                problem: String::new(),
            }),
            running_actions: self.running.iter().map(|id| bytes(*id)).collect(),
            unacknowledged: self.unacknowledged.clone(),
            inventory_digest: Vec::new(),
        }
    }
}

/// A connected agent.
pub struct Agent {
    pub identity: Identity,
    pub epoch: u64,
    client: AgentLinkClient<Channel>,
    up: mpsc::Sender<Up>,
    down: Streaming<Down>,
}

pub fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub async fn dial(socket: &Path) -> AgentLinkClient<Channel> {
    let path: PathBuf = socket.to_owned();
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://agent.invalid");
    let channel = endpoint
        .connect_with_connector(connector)
        .await
        .expect("the socket is there");
    AgentLinkClient::new(channel)
}

impl Agent {
    /// Connects and is welcomed.
    pub async fn connect(socket: &Path, identity: Identity) -> Self {
        let mut agent = Self::greet(socket, identity).await;
        match agent.hear().await {
            down::Body::Welcome(welcome) => agent.epoch = welcome.epoch,
            other => panic!("not welcomed: {other:?}"),
        }
        agent
    }

    /// Connects and says hello.
    pub async fn greet(socket: &Path, identity: Identity) -> Self {
        let agent = Self::greet_over(dial(socket).await, identity).await;
        agent.expect("attaches")
    }

    /// Says hello over a connection that is open already.
    pub async fn greet_over(
        mut client: AgentLinkClient<Channel>,
        identity: Identity,
    ) -> Result<Self, Status> {
        let (up, messages) = mpsc::channel(64);
        let hello = Up {
            body: Some(up::Body::Hello(identity.hello())),
        };
        up.send(hello).await.expect("there is room");
        let attached = client.attach(ReceiverStream::new(messages)).await?;
        Ok(Self {
            identity,
            epoch: 0,
            client,
            up,
            down: attached.into_inner(),
        })
    }

    /// Connects with these VMs and waits until the server has them.
    pub async fn with_vms(socket: &Path, name: &str, vms: &[Vm]) -> Self {
        let mut agent = Self::connect(socket, Identity::new(name)).await;
        agent.expect_snapshot_wanted().await;
        agent.snapshot(vms).await;
        agent
    }

    pub async fn say(&self, body: up::Body) {
        self.up
            .send(Up { body: Some(body) })
            .await
            .expect("the server listens");
    }

    /// The next message; `None` when the server has ended the session.
    pub async fn next(&mut self) -> Option<down::Body> {
        let message = tokio::time::timeout(SOON, self.down.message()).await;
        let message = message.expect("the server says something soon");
        message.ok().flatten().and_then(|down| down.body)
    }

    pub async fn hear(&mut self) -> down::Body {
        self.next().await.expect("the session goes on")
    }

    pub async fn expect_snapshot_wanted(&mut self) {
        match self.hear().await {
            down::Body::SnapshotWanted(_) => {}
            other => panic!("no snapshot wanted but {other:?}"),
        }
    }

    /// The next command; acknowledgements before it are skipped.
    pub async fn command(&mut self) -> (Uuid, wire::Command) {
        loop {
            match self.hear().await {
                down::Body::Command(command) => {
                    let id = Uuid::from_slice(&command.action_id).expect("a UUID");
                    return (id, command);
                }
                down::Body::ReportAck(_) | down::Body::ResultAck(_) => {}
                other => panic!("no command but {other:?}"),
            }
        }
    }

    pub async fn expect_result_ack(&mut self, id: Uuid) {
        loop {
            match self.hear().await {
                down::Body::ResultAck(ack) => {
                    assert_eq!(ack.action_id, bytes(id));
                    return;
                }
                down::Body::ReportAck(_) => {}
                other => panic!("no acknowledgement but {other:?}"),
            }
        }
    }

    /// Sends a snapshot and waits until it is in the store.
    pub async fn snapshot(&mut self, vms: &[Vm]) {
        self.identity.last_seq += 1;
        self.say(up::Body::Snapshot(wire::Snapshot {
            seq: self.identity.last_seq,
            digest: vec![1],
            unchanged: false,
            vms: vms.iter().map(agent_api::vm_to_wire).collect(),
            ..wire::Snapshot::default()
        }))
        .await;
        self.expect_report_ack(self.identity.last_seq).await;
    }

    /// Sends a report without waiting.
    pub async fn report(&mut self, vms: &[Vm]) {
        self.identity.last_seq += 1;
        self.report_as(self.identity.last_seq, vms).await;
    }

    pub async fn report_as(&mut self, seq: u64, vms: &[Vm]) {
        self.say(up::Body::Report(wire::Report {
            seq,
            vms: vms.iter().map(agent_api::vm_to_wire).collect(),
            ..wire::Report::default()
        }))
        .await;
    }

    pub async fn expect_report_ack(&mut self, seq: u64) {
        match self.hear().await {
            down::Body::ReportAck(ack) => assert_eq!(ack.seq, seq),
            other => panic!("no acknowledgement but {other:?}"),
        }
    }

    pub async fn tell(&self, id: Uuid, status: &str) {
        self.say(up::Body::Action(outcome(id, status))).await;
    }

    /// Calls back for a console; what the test sends and what arrives.
    pub async fn tunnel(
        &mut self,
        id: &[u8],
    ) -> (mpsc::Sender<TunnelChunk>, Streaming<TunnelChunk>) {
        let (sender, chunks) = mpsc::channel(8);
        let first = TunnelChunk {
            tunnel_id: id.to_vec(),
            data: Vec::new(),
        };
        sender.send(first).await.expect("there is room");
        let opened = self
            .client
            .tunnel(ReceiverStream::new(chunks))
            .await
            .expect("opens");
        (sender, opened.into_inner())
    }
}

pub fn outcome(id: Uuid, status: &str) -> wire::ActionReport {
    wire::ActionReport {
        action_id: bytes(id),
        status: status.to_owned(),
        ..wire::ActionReport::default()
    }
}

pub fn vm(name: &str, status: VmStatus) -> Vm {
    Vm {
        uuid: Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()),
        name: name.to_owned(),
        domain_id: None,
        status,
        status_reason: String::new(),
        domain_type: "test".to_owned(),
        os_type: "hvm".to_owned(),
        arch: "x86_64".to_owned(),
        vcpus: 1,
        vcpus_max: 1,
        memory: Bytes::from_mib(512),
        memory_max: Bytes::from_mib(512),
        autostart: false,
        persistent: true,
        has_managed_save: false,
        pending_changes: false,
        title: String::new(),
        description: String::new(),
        disks: Vec::new(),
        nics: Vec::new(),
        graphics: vec![Graphics {
            kind: "vnc".to_owned(),
            port: None,
            listen: String::new(),
        }],
        xml_persistent: Some("<domain/>".to_owned()),
        xml_live: None,
    }
}
