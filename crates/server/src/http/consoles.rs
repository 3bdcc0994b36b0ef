//! Consoles: a ticket by POST, then a WebSocket whose binary messages are the bytes of the VM's graphics socket.

use super::Ctx;
use super::error::ApiError;
use super::gate::Identity;
use crate::access::Token;
use crate::link::{Tunnel, TunnelError};
use crate::replicas;
use axum::Json;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use db::ConsoleTicket as Ticket;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use model::Freshness;
use server_api::ErrorBody;
use server_api::console::ConsoleTicket;
use std::time::Duration;
use uuid::Uuid;

/// How long a ticket is good.
const TICKET: Duration = Duration::from_secs(30);
/// A ping this often keeps proxies from cutting a quiet console (noVNC and others see 60 to 190 s).
const PING: Duration = Duration::from_secs(30);
/// Tickets at a time; nobody opens that many consoles in half a minute.
const MOST: u64 = 1000;
/// Largest message from a browser: its side of RFB is keys, pointer and pasted text.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// WebSocket close code for "the other side failed". Source: RFC 6455, 7.4.1.
const FAILED: u16 = 1011;

/// Gives a ticket for the graphical console of a VM.
#[utoipa::path(
    post, path = "/api/v1/vms/{id}/console", tag = "consoles", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = ConsoleTicket),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "Not running, or without a console that can be shown"),
        (status = 503, body = ErrorBody, description = "The host cannot be reached"),
    )
)]
pub async fn open_vm_console(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(id): Path<Uuid>,
) -> Result<Json<ConsoleTicket>, ApiError> {
    let vm = super::vms::find(&ctx, id).await?;
    let name = &vm.value.name;
    if vm.host.freshness == Freshness::Unreachable {
        let message = format!(
            "Cannot open the console of {name}: {} cannot be reached",
            vm.host.name
        );
        return Err(
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "host_unreachable", message)
                .hint("Check that salar-agent runs there")
                .retry_after(Duration::from_secs(5)),
        );
    }
    if !vm.value.status.is_active() {
        let message = format!("Cannot open the console of {name}: it is not running");
        return Err(ApiError::conflict("vm_not_running", message).hint("Start it first"));
    }
    if !vm
        .value
        .graphics
        .iter()
        .any(|graphics| graphics.kind == "vnc")
    {
        let message = format!("{name} has no VNC console");
        return Err(ApiError::conflict("no_console", message)
            .hint("Add VNC graphics to the VM and restart it"));
    }
    let (name, now) = (Token::random(), Timestamp::now());
    let ticket = Ticket {
        user: identity.user,
        host: vm.host.id,
        vm: vm.value.uuid,
    };
    let hash = Token::hash(name.as_str());
    let kept = ctx
        .store
        .insert_console_ticket(&hash, &ticket, now, now + TICKET, MOST)
        .await?;
    if !kept {
        let message = "Too many consoles are being opened";
        return Err(
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(TICKET),
        );
    }
    Ok(Json(ConsoleTicket {
        path: format!("/api/v1/consoles/{}", name.as_str()),
        kind: "vnc".to_owned(),
    }))
}

/// Opens the WebSocket of a console: raw RFB in binary messages.
#[utoipa::path(
    get, path = "/api/v1/consoles/{ticket}", tag = "consoles", params(("ticket" = String, Path)),
    responses(
        (status = 101, description = "The connection is a WebSocket now"),
        (status = 404, body = ErrorBody, description = "The ticket is unknown, used, or too old"),
    )
)]
pub async fn connect_console(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    check_origin(&headers)?;
    let taken = ctx
        .store
        .take_console_ticket(&Token::hash(&ticket), &identity.user, Timestamp::now())
        .await?;
    let ticket = taken.ok_or_else(|| {
        let message = "The ticket is unknown, used, or too old";
        ApiError::new(StatusCode::NOT_FOUND, "bad_ticket", message).hint("Open the console again")
    })?;
    let upgrade = upgrade
        .protocols(["binary"])
        .max_message_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| serve(ctx, ticket, socket)))
}

/// Browsers open WebSockets to any origin, so the page's has to be ours.
fn check_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let Some(origin) = text(header::ORIGIN) else {
        return Ok(());
    };
    let theirs = origin.split_once("://").map(|(_, authority)| authority);
    if theirs.is_some() && theirs == text(header::HOST) {
        return Ok(());
    }
    let message = format!("A page of {origin} may not open a console here");
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "wrong_origin",
        message,
    ))
}

async fn serve(ctx: Ctx, ticket: Ticket, mut socket: WebSocket) {
    match replicas::open_tunnel(&ctx, ticket.host, ticket.vm).await {
        Ok(tunnel) => pump(&ctx, socket, tunnel).await,
        Err(error) => {
            let reason = close_reason(&error);
            let frame = CloseFrame {
                code: FAILED,
                reason: reason.into(),
            };
            // The browser may have gone already.
            let _ = socket.send(Message::Close(Some(frame))).await;
        }
    }
}

/// A close reason has at most 123 bytes. Source: RFC 6455, 5.5.
fn close_reason(error: &TunnelError) -> String {
    let mut reason = error.to_string();
    while reason.len() > 123 {
        reason.pop();
    }
    reason
}

/// Carries bytes both ways until one side ends, then ends the other.
async fn pump(ctx: &Ctx, socket: WebSocket, tunnel: Tunnel) {
    let Tunnel { mut from_vm, to_vm } = tunnel;
    let (mut to_browser, mut from_browser) = socket.split();
    let mut ping = tokio::time::interval_at(tokio::time::Instant::now() + PING, PING);
    loop {
        tokio::select! {
            () = ctx.shutdown.cancelled() => break,
            _ = ping.tick() => {
                if to_browser.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
            }
            data = from_vm.next() => match data {
                Some(data) => if to_browser.send(Message::Binary(data.into())).await.is_err() {
                    return;
                },
                None => break,
            },
            message = from_browser.next() => match message {
                Some(Ok(Message::Binary(data))) => if to_vm.send(data.into()).await.is_err() {
                    break;
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {}
            },
        }
    }
    let _ = to_browser.send(Message::Close(None)).await;
}
