//! The address for agents of other machines, and what comes to it besides them.

use crate::agent::{Agent, Identity, bytes, vm};
use crate::console;
use crate::fixture::{Fixture, fixture, until, with_timing};
use crate::log;
use agent_api::enrolment::{SERVER_NAME, fingerprint, statement};
use agent_api::wire::agent_link_client::AgentLinkClient;
use agent_api::wire::enrolment_client::EnrolmentClient;
use agent_api::wire::{EnrolAnswer, EnrolRequest, FilesRequest, TreeRequest, TunnelChunk, down};
use hyper_util::rt::TokioIo;
use model::VmStatus;
use rcgen::{CertificateParams, KeyPair, PublicKeyData, SigningKey};
use reqwest::{Method, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use server::Timing;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use uuid::Uuid;

pub type Shown = Option<(Vec<CertificateDer<'static>>, KeyPair)>;

/// Somebody with a key.
pub struct Caller {
    key: KeyPair,
    host: Uuid,
    name: String,
}

impl Caller {
    pub fn new(name: &str) -> Self {
        Self {
            key: KeyPair::generate().expect("a key"),
            host: Uuid::new_v4(),
            name: name.to_owned(),
        }
    }

    fn request(&self, f: &Fixture) -> EnrolRequest {
        let public_key = self.key.subject_public_key_info();
        let said = statement(self.host, &self.name, &public_key, &fingerprint(&ca(f)));
        EnrolRequest {
            protocol: agent_api::PROTOCOL,
            host_id: bytes(self.host),
            name: self.name.clone(),
            signature: self.key.sign(&said).expect("signs"),
            public_key,
            ..EnrolRequest::default()
        }
    }

    pub fn print(&self) -> String {
        fingerprint(&self.key.subject_public_key_info()).hex()
    }

    /// Is accepted; what it may show from then on.
    pub async fn join(&self, f: &Fixture) -> Shown {
        enrol(f, self.request(f)).await.expect("may ask");
        let (status, answer) = f.api.act(&format!("/keys/{}/accept", self.print())).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let answer = enrol(f, self.request(f)).await.expect("may ask");
        assert_eq!(answer.status, "accepted");
        Some((chain(&answer.certificate), self.copy_of_key()))
    }

    fn copy_of_key(&self) -> KeyPair {
        KeyPair::from_pem(&self.key.serialize_pem()).expect("the same key")
    }

    fn identity(&self) -> Identity {
        Identity {
            host: self.host,
            ..Identity::new(&self.name)
        }
    }
}

fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    let chain: Result<_, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    chain.expect("PEM")
}

fn ca(f: &Fixture) -> CertificateDer<'static> {
    let pem = std::fs::read(f.folder.path().join("ca.pem")).expect("the server has a CA");
    CertificateDer::from_pem_slice(&pem).expect("PEM")
}

/// A connection that trusts the server and shows what it has.
async fn connect(f: &Fixture, shown: Shown) -> Result<Channel, tonic::transport::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca(f)).expect("is a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder
                .with_client_auth_cert(chain, key)
                .expect("go together")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (config, address) = (Arc::new(config), f.server.started.agents[0]);
    let connector = tower::service_fn(move |_| {
        let tls = TlsConnector::from(config.clone());
        async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::try_from(SERVER_NAME).map_err(std::io::Error::other)?;
            tls.connect(name, stream).await.map(TokioIo::new)
        }
    });
    Endpoint::from_static("http://agent.invalid")
        .connect_with_connector(connector)
        .await
}

async fn enrol(f: &Fixture, request: EnrolRequest) -> Result<EnrolAnswer, Status> {
    let channel = connect(f, None).await.expect("anybody may connect");
    let answer = EnrolmentClient::new(channel).enrol(request).await;
    answer.map(tonic::Response::into_inner)
}

/// What comes of saying hello; the code of a refusal in either form.
async fn attach(f: &Fixture, shown: Shown, identity: Identity) -> Result<Agent, String> {
    let channel = connect(f, shown).await.map_err(|error| error.to_string())?;
    let mut agent = Agent::greet_over(AgentLinkClient::new(channel), identity)
        .await
        .map_err(|status| format!("{:?}", status.code()))?;
    match agent.next().await {
        Some(down::Body::Welcome(welcome)) => {
            agent.epoch = welcome.epoch;
            Ok(agent)
        }
        Some(down::Body::Refused(refused)) => Err(refused.code),
        other => Err(format!("{other:?}")),
    }
}

/// A session of a caller's own host, which is asked for what it has.
pub async fn welcome(f: &Fixture, shown: Shown, caller: &Caller) -> Agent {
    let agent = attach(f, shown, caller.identity()).await;
    let mut agent = agent.expect("is welcome");
    agent.expect_snapshot_wanted().await;
    agent
}

async fn hosts(f: &Fixture) -> Vec<Value> {
    let hosts = f.api.read("/hosts").await;
    hosts["items"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn only_the_owner_of_a_key_shows_it() {
    let f = fixture().await;
    let caller = Caller::new("kvm1");
    let good = caller.request(&f);
    let other_key = Caller::new("kvm1");
    let refused = [
        (
            "another's signature",
            Code::Unauthenticated,
            EnrolRequest {
                signature: other_key.request(&f).signature,
                ..good.clone()
            },
        ),
        (
            "another's key",
            Code::Unauthenticated,
            EnrolRequest {
                public_key: other_key.request(&f).public_key,
                ..good.clone()
            },
        ),
        (
            "another name than was signed for",
            Code::Unauthenticated,
            EnrolRequest {
                name: "kvm2".to_owned(),
                ..good.clone()
            },
        ),
        (
            "another host than was signed for",
            Code::Unauthenticated,
            EnrolRequest {
                host_id: bytes(Uuid::new_v4()),
                ..good.clone()
            },
        ),
        (
            "no name",
            Code::InvalidArgument,
            EnrolRequest {
                name: "../x".to_owned(),
                ..good.clone()
            },
        ),
        (
            "no host",
            Code::InvalidArgument,
            EnrolRequest {
                host_id: vec![1],
                ..good.clone()
            },
        ),
        (
            "no key",
            Code::InvalidArgument,
            EnrolRequest {
                public_key: vec![0x30; 91],
                ..good.clone()
            },
        ),
        (
            "another protocol",
            Code::FailedPrecondition,
            EnrolRequest {
                protocol: 9,
                ..good.clone()
            },
        ),
        (
            "more than a request",
            Code::OutOfRange,
            EnrolRequest {
                token: "x".repeat(20_000),
                ..good.clone()
            },
        ),
    ];
    for (what, code, request) in refused {
        let status = enrol(&f, request).await.expect_err(what);
        assert_eq!(status.code(), code, "{what}: {status:?}");
    }
    assert_eq!(f.api.read("/keys").await["keys"], json!([]));
    assert_eq!(enrol(&f, good).await.expect("may ask").status, "unaccepted");
    let key = f.api.read("/keys").await["keys"][0].clone();
    assert_eq!(
        (&key["name"], &key["address"]),
        (&json!("kvm1"), &json!("127.0.0.1"))
    );
}

#[tokio::test]
async fn nothing_opens_without_an_accepted_key() {
    let f = fixture().await;
    let caller = Caller::new("kvm1");
    let none = attach(&f, None, caller.identity()).await.err();
    assert_eq!(none.as_deref(), Some("Unauthenticated"));
    let mut client = AgentLinkClient::new(connect(&f, None).await.expect("connects"));
    let (_sender, chunks) = tokio::sync::mpsc::channel::<TunnelChunk>(1);
    let tunnel = client.tunnel(ReceiverStream::new(chunks)).await;
    assert_eq!(tunnel.expect_err("refused").code(), Code::Unauthenticated);

    // Of another CA, and one that the agent has made itself: the handshake fails.
    let own = CertificateParams::new(Vec::new()).expect("parameters");
    let own = own.self_signed(&caller.key).expect("signs itself");
    let shown = Some((vec![own.der().clone()], caller.copy_of_key()));
    assert!(attach(&f, shown, caller.identity()).await.is_err());

    assert_eq!(hosts(&f).await.len(), 0);

    let shown = caller.join(&f).await;
    let agent = attach(&f, shown, caller.identity())
        .await
        .expect("is welcome");
    assert_eq!(agent.epoch, 1);
    assert_eq!(hosts(&f).await.len(), 1);
}

#[tokio::test]
async fn a_key_opens_its_own_host_under_its_own_name() {
    let f = fixture().await;
    let (first, second) = (Caller::new("kvm1"), Caller::new("kvm2"));
    let (shown, other) = (first.join(&f).await, second.join(&f).await);
    let mut agent = welcome(&f, shown, &first).await;
    agent.snapshot(&[vm("srv01", VmStatus::Running)]).await;

    let as_first = Identity {
        host: first.host,
        ..second.identity()
    };
    let refused = attach(&f, other, as_first).await.err();
    assert_eq!(refused.as_deref(), Some("NOT_ACCEPTED"));

    let renamed = Identity {
        name: "kvm1".to_owned(),
        ..second.identity()
    };
    let shown = second.join(&f).await;
    let _second = attach(&f, shown, renamed).await.expect("is welcome");
    let mut names: Vec<_> = hosts(&f)
        .await
        .iter()
        .map(|host| host["name"].to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["\"kvm1\"", "\"kvm2\""]);
    // The first one's session goes on.
    agent.report(&[vm("srv01", VmStatus::Shutoff)]).await;
    agent.expect_report_ack(2).await;
}

#[tokio::test]
async fn a_key_that_is_rejected_or_deleted_ends_what_is_open() {
    let f = fixture().await;
    for (method, path) in [(Method::POST, "/reject"), (Method::DELETE, "")] {
        let caller = Caller::new(if path.is_empty() { "kvm2" } else { "kvm1" });
        let shown = caller.join(&f).await;
        let open = Some((
            shown.as_ref().expect("a certificate").0.clone(),
            caller.copy_of_key(),
        ));
        let mut agent = welcome(&f, shown, &caller).await;
        let path = format!("/keys/{}{path}", caller.print());
        let answer = f.api.request(method, &path).send().await.expect("answers");
        assert!(answer.status().is_success());
        assert!(agent.next().await.is_none(), "the session goes on");
        // The certificate is still in time; it opens nothing.
        let again = attach(&f, open, caller.identity()).await.err();
        assert_eq!(again.as_deref(), Some("PermissionDenied"));
        until("the host is unreachable", async || {
            let hosts = hosts(&f).await;
            let host = hosts
                .iter()
                .find(|host| host["name"] == caller.name.as_str())?;
            (host["freshness"] == "unreachable").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_refused() {
    let f = with_timing(Timing {
        certificate: Duration::from_secs(1),
        ..Timing::default()
    })
    .await;
    let caller = Caller::new("kvm1");
    let Some((chain, _)) = caller.join(&f).await else {
        unreachable!("it has one");
    };
    until("it is refused", async || {
        let shown = Some((chain.clone(), caller.copy_of_key()));
        attach(&f, shown, caller.identity()).await.err()
    })
    .await;
    let shown = caller.join(&f).await;
    attach(&f, shown, caller.identity())
        .await
        .expect("the next one is good");
}

#[tokio::test]
async fn every_refusal_is_logged_with_who_and_why_and_no_secret() {
    log::keep();
    let f = fixture().await;
    let logged = async |words: &str| {
        until(words, async || log::said().contains(words).then_some(())).await;
    };
    let (first, second) = (Caller::new("kvm1"), Caller::new("kvm2"));
    let stranger = Caller::new("kvm3");

    attach(&f, None, stranger.identity())
        .await
        .err()
        .expect("no certificate");
    logged("called the link without a certificate").await;

    let own = CertificateParams::new(Vec::new()).expect("parameters");
    let own = own.self_signed(&stranger.key).expect("signs itself");
    let shown = Some((vec![own.der().clone()], stranger.copy_of_key()));
    attach(&f, shown, stranger.identity())
        .await
        .err()
        .expect("another CA");
    logged("Refused a connection of 127.0.0.1").await;

    first.join(&f).await;
    let shown = second.join(&f).await;
    let again = shown
        .as_ref()
        .map(|(chain, _)| (chain.clone(), second.copy_of_key()));
    let as_first = Identity {
        host: first.host,
        ..second.identity()
    };
    attach(&f, shown, as_first)
        .await
        .err()
        .expect("another's host");
    let print: model::Fingerprint = second.print().parse().expect("is one");
    logged(&format!("Refused a session of kvm2 with the key {print}")).await;
    logged(&format!("the agent's key is not for host {}", first.host)).await;

    let path = format!("/keys/{}/reject", second.print());
    assert_eq!(f.api.act(&path).await.0, StatusCode::OK);
    attach(&f, again, second.identity())
        .await
        .err()
        .expect("rejected");
    logged(&format!("Refused the rejected key {print}")).await;

    // A token that is worth nothing is told of, and not told.
    let mut request = stranger.request(&f);
    request.token = "sj1_0123456789abcdefghij0123456789abcdefghij".to_owned();
    let _ = enrol(&f, request).await;
    logged("a token").await;
    let said = log::said();
    for secret in [
        "0123456789abcdefghij",
        "PRIVATE KEY",
        f.api.token.as_deref().expect("there is one"),
    ] {
        assert!(!said.contains(secret), "the log holds {secret}");
    }
}

#[tokio::test]
async fn a_console_is_opened_by_its_own_host_only() {
    let f = fixture().await;
    let (first, second) = (Caller::new("kvm1"), Caller::new("kvm2"));
    let (shown, other) = (first.join(&f).await, second.join(&f).await);
    let mut agent = welcome(&f, shown, &first).await;
    let vms = [vm("srv01", VmStatus::Running)];
    agent.snapshot(&vms).await;
    let path = console::ticket(&f).await;
    let _socket = console::connect(&f.api, &path, None)
        .await
        .expect("connects");
    let tunnel = loop {
        match agent.hear().await {
            down::Body::OpenTunnel(open) => break open.tunnel_id,
            down::Body::ReportAck(_) => {}
            other => panic!("no tunnel but {other:?}"),
        }
    };
    let mut thief = AgentLinkClient::new(connect(&f, other).await.expect("connects"));
    let (sender, chunks) = tokio::sync::mpsc::channel(1);
    let first_chunk = TunnelChunk {
        tunnel_id: tunnel.clone(),
        data: Vec::new(),
    };
    sender.send(first_chunk).await.expect("there is room");
    let stolen = thief.tunnel(ReceiverStream::new(chunks)).await;
    assert_eq!(stolen.expect_err("refused").code(), Code::NotFound);
    // Its own still may.
    let _open = agent.tunnel(&tunnel).await;
}

#[tokio::test]
async fn rubbish_and_silence_keep_nobody_out() {
    let f = fixture().await;
    let address = f.server.started.agents[0];
    // More than there is room for, and they stay.
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(address).await.expect("connects"));
    }
    let mut rubbish = TcpStream::connect(address).await.expect("connects");
    rubbish
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("writes");
    let mut answer = Vec::new();
    // An alert of TLS, or nothing; then the end.
    let _ = rubbish.read_to_end(&mut answer).await;
    assert!(answer.len() < 100, "{answer:?}");
    // They come from the same address, so that they get the time that an agent would need.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let caller = Caller::new("kvm1");
    let shown = caller.join(&f).await;
    attach(&f, shown, caller.identity())
        .await
        .expect("is welcome");
    // The oldest of them has made room.
    let oldest = silent[0].read(&mut [0]).await;
    assert!(matches!(oldest, Ok(0) | Err(_)), "{oldest:?}");
    let open = silent.iter().filter(|stream| is_open(stream)).count();
    assert!(open > 200, "{open} of {} are open", silent.len());
}

/// Nothing has come over the stream, and no end of it.
fn is_open(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn an_address_shows_so_many_new_keys() {
    let f = fixture().await;
    let channel = connect(&f, None).await.expect("anybody may connect");
    let mut client = EnrolmentClient::new(channel);
    let mut caller = Caller::new("kvm");
    let mut refused = None;
    for n in 0..=300 {
        caller.name = format!("kvm{n}");
        refused = client.enrol(caller.request(&f)).await.err();
        assert_eq!(refused.is_some(), n == 300, "{n}: {refused:?}");
    }
    let code = refused.map(|status| status.code());
    assert_eq!(code, Some(Code::ResourceExhausted));
    // Who is known is still answered.
    caller.name = "kvm299".to_owned();
    let answer = client.enrol(caller.request(&f)).await.expect("is answered");
    assert_eq!(answer.into_inner().status, "unaccepted");
}

#[tokio::test]
async fn tokens_are_made_within_limits() {
    let f = fixture().await;
    for (minutes, wanted) in [(0, 400), (10_081, 400), (1, 201), (10_080, 201)] {
        let (status, answer) = f
            .api
            .post("/join_tokens", json!({ "minutes": minutes }))
            .await;
        assert_eq!(status.as_u16(), wanted, "{minutes}: {answer}");
    }
    let (_, answer) = f.api.post("/join_tokens", json!({})).await;
    let secret = answer["token"]
        .as_str()
        .expect("a token")
        .split_once('.')
        .expect("two parts")
        .1;
    let listed = f.api.read("/join_tokens").await;
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    assert!(!listed.to_string().contains(secret));
    let store = std::fs::read(f.folder.path().join("salar.db")).unwrap_or_default();
    assert!(
        !store
            .windows(secret.len())
            .any(|part| part == secret.as_bytes())
    );
}

#[tokio::test]
async fn state_files_are_for_accepted_keys_and_by_checksum_only() {
    let f = fixture().await;
    let caller = Caller::new("kvm1");
    let request = || TreeRequest::default();
    let mut stranger = AgentLinkClient::new(connect(&f, None).await.expect("connects"));
    let refused = stranger.get_tree(request()).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let refused = stranger.get_files(FilesRequest::default()).await;
    assert_eq!(refused.expect_err("refused").code(), Code::Unauthenticated);

    let shown = caller.join(&f).await;
    let channel = connect(&f, shown).await.expect("connects");
    let mut client = AgentLinkClient::new(channel.clone());
    // Which host it is is not known before its first session.
    let early = client.get_tree(request()).await.expect_err("refused");
    assert_eq!(early.code(), Code::FailedPrecondition);
    let _agent = Agent::greet_over(AgentLinkClient::new(channel), caller.identity())
        .await
        .expect("attaches");
    let tree = until("the host is known", async || {
        client.clone().get_tree(request()).await.ok()
    })
    .await
    .into_inner();
    assert_eq!((tree.files.len(), tree.pillar_json.as_str()), (0, "{}"));

    let wanted = [
        (vec![vec![7; 32]], Code::Aborted),
        (vec![b"../../etc/passwd".to_vec()], Code::InvalidArgument),
        (vec![vec![7; 32]; 1001], Code::InvalidArgument),
    ];
    for (sha256, code) in wanted {
        let answer = client.get_files(FilesRequest { sha256 }).await;
        let mut chunks = answer.expect("begins").into_inner();
        let refused = chunks.message().await.expect_err("refused");
        assert_eq!(refused.code(), code);
    }
    // Rejected: nothing more.
    let path = format!("/keys/{}/reject", caller.print());
    assert_eq!(f.api.act(&path).await.0, StatusCode::OK);
    let refused = client.get_tree(request()).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
}
