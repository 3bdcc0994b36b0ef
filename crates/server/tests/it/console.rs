//! Consoles, from the ticket to the bytes.

use crate::agent::{Agent, vm};
use crate::fixture::{Api, Fixture, SOON, fixture};
use agent_api::wire::{self, TunnelChunk, down, up};
use futures_util::{SinkExt, StreamExt};
use model::VmStatus;
use reqwest::StatusCode;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub async fn ticket(f: &Fixture) -> String {
    let (status, ticket) = f
        .api
        .act(&format!(
            "/vms/{}/console",
            vm("srv01", VmStatus::Running).uuid
        ))
        .await;
    assert_eq!(status, StatusCode::OK, "{ticket}");
    assert_eq!(ticket["kind"], "vnc");
    ticket["path"].as_str().expect("a path").to_owned()
}

pub async fn connect(api: &Api, path: &str, origin: Option<&str>) -> Result<Socket, Error> {
    let url = format!("{}{path}", api.url.replace("http://", "ws://"));
    let mut request = url.into_client_request().expect("a URL");
    let headers = request.headers_mut();
    let token = api.token.clone().unwrap_or_default();
    headers.insert(
        "authorization",
        format!("Bearer {token}").parse().expect("text"),
    );
    headers.insert("sec-websocket-protocol", "binary".parse().expect("text"));
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().expect("text"));
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// An agent opens the tunnel of that id: bytes flow both ways, and its end ends the socket.
pub async fn carries_bytes(agent: &mut Agent, id: &[u8], socket: &mut Socket) {
    let (vm_says, mut vm_hears) = agent.tunnel(id).await;
    let chunk = |data: &[u8]| TunnelChunk {
        tunnel_id: Vec::new(),
        data: data.to_vec(),
    };
    vm_says
        .send(chunk(b"RFB 003.008\n"))
        .await
        .expect("there is room");
    let heard = tokio::time::timeout(SOON, socket.next())
        .await
        .expect("soon")
        .expect("a message");
    assert_eq!(
        heard.expect("a message").into_data().as_ref(),
        b"RFB 003.008\n"
    );
    socket
        .send(Message::binary(b"hello vm".to_vec()))
        .await
        .expect("is sent");
    let heard = tokio::time::timeout(SOON, vm_hears.message())
        .await
        .expect("soon");
    assert_eq!(heard.expect("a chunk").expect("a chunk").data, b"hello vm");
    drop(vm_says);
    let end = tokio::time::timeout(SOON, socket.next())
        .await
        .expect("soon");
    assert!(matches!(end, None | Some(Ok(Message::Close(_)))), "{end:?}");
}

fn refused(result: Result<Socket, Error>) -> StatusCode {
    match result {
        Err(Error::Http(response)) => response.status(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn bytes_flow_both_ways_and_the_end_is_an_end() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    let path = ticket(&f).await;
    let mut socket = connect(&f.api, &path, Some(&f.api.url))
        .await
        .expect("connects");
    let down::Body::OpenTunnel(open) = agent.hear().await else {
        panic!("a tunnel is asked for")
    };
    assert_eq!(
        open.vm_uuid,
        crate::agent::bytes(vm("srv01", VmStatus::Running).uuid)
    );
    carries_bytes(&mut agent, &open.tunnel_id, &mut socket).await;
}

#[tokio::test]
async fn a_ticket_is_good_once_and_for_its_user_only() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    let path = ticket(&f).await;
    let olga = f.user("olga", "operator").await;
    assert_eq!(
        refused(connect(&olga, &path, None).await),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        refused(connect(&f.api, &path, Some("http://evil.example")).await),
        StatusCode::FORBIDDEN
    );
    let _socket = connect(&f.api, &path, None).await.expect("connects");
    assert!(matches!(agent.hear().await, down::Body::OpenTunnel(_)));
    assert_eq!(
        refused(connect(&f.api, &path, None).await),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_console_that_does_not_open_says_why() {
    let f = fixture().await;
    let mut agent = Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    let path = ticket(&f).await;
    let mut socket = connect(&f.api, &path, None).await.expect("connects");
    let down::Body::OpenTunnel(open) = agent.hear().await else {
        panic!("a tunnel is asked for")
    };
    let failed = wire::TunnelFailed {
        tunnel_id: open.tunnel_id,
        error: "srv01 has stopped".to_owned(),
    };
    agent.say(up::Body::TunnelFailed(failed)).await;
    let end = tokio::time::timeout(SOON, socket.next())
        .await
        .expect("soon");
    match end {
        Some(Ok(Message::Close(Some(frame)))) => {
            assert_eq!(frame.reason.as_str(), "srv01 has stopped")
        }
        other => panic!("no reason: {other:?}"),
    }
}

#[tokio::test]
async fn a_vm_that_is_off_has_no_console() {
    let f = fixture().await;
    let off = vm("srv02", VmStatus::Shutoff);
    let _agent = Agent::with_vms(&f.socket(), "kvm1", std::slice::from_ref(&off)).await;
    let (status, refused) = f.api.act(&format!("/vms/{}/console", off.uuid)).await;
    assert_eq!(
        (status, refused["error"]["code"].as_str()),
        (StatusCode::CONFLICT, Some("vm_not_running"))
    );
}
