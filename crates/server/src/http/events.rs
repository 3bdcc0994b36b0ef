//! The two event streams.

use super::Ctx;
use super::error::{ApiError, internal};
use super::gate::Identity;
use crate::app::{App, BUILD};
use crate::bus::{self, Said};
use crate::feed::{self, Message};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use db::Place;
use futures_util::Stream;
use serde::Deserialize;
use server_api::ErrorBody;
use server_api::event::{BusEvent, Hello};
use sls::glob;
use std::convert::Infallible;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

/// Events on their way into one connection. Full means that the browser reads too slowly; the feed's own backlog then
/// tells it to start anew.
const IN_FLIGHT: usize = 16;

/// Where a stream goes on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResumeParams {
    /// The same as the header Last-Event-ID, for clients that cannot send headers.
    last_event_id: Option<String>,
}

/// Streams changes of all collections as server-sent events: `hello`, `change`, `reset`.
///
/// Event ids are `<epoch>-<rev>`. A client that returns with `Last-Event-ID` gets what it has missed, or `reset` when
/// that is no longer known; it then loads its lists again.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(ResumeParams, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, body = server_api::event::Change, content_type = "text/event-stream"), (status = 401, body = ErrorBody))
)]
pub async fn watch_events(
    State(ctx): State<Ctx>,
    identity: Identity,
    Query(params): Query<ResumeParams>,
    headers: HeaderMap,
) -> Response {
    let last_id = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or(params.last_event_id);
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let watcher = Watcher {
        ctx,
        identity,
        sender,
    };
    tokio::spawn(async move {
        // The browser has gone: nothing is left to tell it.
        let _ = watcher.run(last_id).await;
    });
    answer(ReceiverStream::new(receiver))
}

/// Nothing between the server and the browser may keep or collect events.
fn answer(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The other end of the connection is closed.
struct Closed;

struct Watcher {
    ctx: Ctx,
    identity: Identity,
    sender: mpsc::Sender<Result<Event, Infallible>>,
}

impl Watcher {
    async fn run(&self, last_id: Option<String>) -> Result<(), Closed> {
        // Subscribe first, then read: what happens in between comes twice and not never.
        let mut messages = self.ctx.feed.subscribe();
        let mut position = self.greet(last_id).await?;
        let mut heartbeat = heartbeat(&self.ctx);
        loop {
            tokio::select! {
                () = self.ctx.shutdown.cancelled() => return Ok(()),
                () = self.sender.closed() => return Err(Closed),
                _ = heartbeat.tick() => {
                    if !self.identity.still_holds(&self.ctx).await {
                        return Ok(());
                    }
                    self.send(Event::default().comment("")).await?;
                }
                message = messages.recv() => match message {
                    Ok(message) if message.place <= position => {}
                    Ok(message) if message.gap => position = self.reset().await?,
                    Ok(message) => {
                        position = message.place;
                        self.change(&message).await?;
                    }
                    Err(RecvError::Lagged(_)) => position = self.reset().await?,
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    /// Says hello, then what was missed, or that it is no longer known. The place up to which the client is true.
    async fn greet(&self, last_id: Option<String>) -> Result<Place, Closed> {
        let returns = last_id.is_some();
        let missed = match last_id.and_then(|id| place(&self.ctx, &id)) {
            Some(place) => feed::since(&self.ctx.store, place)
                .await
                .map_err(|_| Closed)?
                .map(|m| (place, m)),
            None => None,
        };
        let Some((place, missed)) = missed else {
            let place = self.now().await?;
            self.hello(place, false).await?;
            return if returns {
                self.reset().await
            } else {
                Ok(place)
            };
        };
        self.hello(place, true).await?;
        if missed.place > place {
            self.change(&missed).await?;
        }
        Ok(missed.place)
    }

    async fn hello(&self, place: Place, resumed: bool) -> Result<(), Closed> {
        let hello = Hello {
            build: BUILD.to_owned(),
            resumed,
        };
        let event = Event::default().event("hello").id(self.id(place));
        self.send(event.json_data(hello).map_err(|_| Closed)?).await
    }

    async fn change(&self, message: &Message) -> Result<(), Closed> {
        let json = message.json(self.identity.role);
        self.send(
            Event::default()
                .event("change")
                .id(self.id(message.place))
                .data(json),
        )
        .await
    }

    async fn reset(&self) -> Result<Place, Closed> {
        let place = self.now().await?;
        // It carries nothing, but browsers drop an event without data. Source: HTML, 9.2.6.
        let event = Event::default().event("reset").id(self.id(place));
        self.send(event.data("{}")).await?;
        Ok(place)
    }

    async fn now(&self) -> Result<Place, Closed> {
        self.ctx
            .store
            .revision()
            .await
            .map(|r| r.place)
            .map_err(|_| Closed)
    }

    fn id(&self, place: Place) -> String {
        self.ctx.store.revision_at(place).to_string()
    }

    async fn send(&self, event: Event) -> Result<(), Closed> {
        self.sender.send(Ok(event)).await.map_err(|_| Closed)
    }
}

/// The place in this store's feed that an event id names.
fn place(app: &App, id: &str) -> Option<Place> {
    let (epoch, place) = id.rsplit_once('-')?;
    (epoch == app.store.feed_epoch()).then(|| place.parse().ok())?
}

/// A comment this often keeps proxies and browsers from giving up; the session is checked at the same time.
fn heartbeat(app: &App) -> tokio::time::Interval {
    let period = app.timing.heartbeat;
    tokio::time::interval_at(tokio::time::Instant::now() + period, period)
}

/// What of the bus is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BusParams {
    /// Shell pattern of tags; everything when absent.
    tag: Option<String>,
}

/// Streams Salt's event bus as server-sent events of the kind `message`. Nothing is kept for those who come later.
#[utoipa::path(
    get, path = "/api/v1/bus", tag = "events", params(BusParams),
    responses((status = 200, body = BusEvent, content_type = "text/event-stream"), (status = 400, body = ErrorBody))
)]
pub async fn watch_bus(
    State(ctx): State<Ctx>,
    identity: Identity,
    Query(params): Query<BusParams>,
) -> Result<Response, ApiError> {
    let tags = params.tag.unwrap_or_else(|| "*".to_owned());
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let events = ctx.bus.subscribe();
    // The first bytes tell the client that it is connected.
    sender
        .send(Ok(Event::default().comment("")))
        .await
        .map_err(|_| internal())?;
    let watcher = Watcher {
        ctx,
        identity,
        sender,
    };
    tokio::spawn(async move {
        let _ = watcher.bus(events, tags).await;
    });
    Ok(answer(ReceiverStream::new(receiver)))
}

impl Watcher {
    async fn bus(&self, mut events: broadcast::Receiver<Said>, tags: String) -> Result<(), Closed> {
        let mut heartbeat = heartbeat(&self.ctx);
        loop {
            tokio::select! {
                () = self.ctx.shutdown.cancelled() => return Ok(()),
                () = self.sender.closed() => return Err(Closed),
                _ = heartbeat.tick() => {
                    if !self.identity.still_holds(&self.ctx).await {
                        return Ok(());
                    }
                    self.send(Event::default().comment("")).await?;
                }
                event = events.recv() => match event {
                    Ok(Said { event, .. }) if glob::matches(&tags, &event.tag) => {
                        let event = bus::shown(&event, self.identity.role);
                        self.send(Event::default().json_data(&*event).map_err(|_| Closed)?).await?;
                    }
                    // The bus is lossy by contract.
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }
}
