//! The two event streams of the API, typed.

use crate::stream::EventStream;
use crate::{Client, ClientError};
use serde::de::DeserializeOwned;
use server_api::event::{BusEvent, Change, Hello};

/// What the change feed says.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedEvent {
    /// A connection stands. Unless it resumes an earlier one, whatever was loaded before may be old.
    Hello(Hello),
    /// Objects changed.
    Change(Change),
    /// Changes were missed: load again.
    Reset,
}

/// The feed of changes (`GET /api/v1/events`).
pub struct Feed(EventStream);

/// Salt's event bus (`GET /api/v1/bus`). What happens while the connection is lost is not seen.
pub struct Bus(EventStream);

impl Client {
    /// Connects to the feed of changes. What changes after this call returns is in the feed.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn feed(&self) -> Result<Feed, ClientError> {
        let mut stream = EventStream::new(self.clone(), "events", Vec::new());
        stream.connect().await?;
        Ok(Feed(stream))
    }

    /// Connects to the event bus; `tag` is a glob.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn bus(&self, tag: Option<&str>) -> Result<Bus, ClientError> {
        let query = tag.map(|tag| ("tag", tag.to_owned())).into_iter().collect();
        let mut stream = EventStream::new(self.clone(), "bus", query);
        stream.connect().await?;
        Ok(Bus(stream))
    }
}

impl Feed {
    /// The next event; reconnects by itself.
    ///
    /// # Errors
    /// The server refuses: the sign-in has ended, say.
    ///
    /// # Cancel safety
    /// No event is lost when this is dropped half-way.
    pub async fn next(&mut self) -> Result<FeedEvent, ClientError> {
        loop {
            let event = self.0.next().await?;
            let known = match event.kind.as_str() {
                "hello" => read(&event.data).map(FeedEvent::Hello),
                // A change that cannot be read is a change nevertheless.
                "change" => Some(read(&event.data).map_or(FeedEvent::Reset, FeedEvent::Change)),
                "reset" => Some(FeedEvent::Reset),
                _ => None,
            };
            if let Some(event) = known {
                return Ok(event);
            }
        }
    }
}

impl Bus {
    /// The next event; reconnects by itself.
    ///
    /// # Errors
    /// The server refuses: the sign-in has ended, say.
    ///
    /// # Cancel safety
    /// No received event is lost when this is dropped half-way.
    pub async fn next(&mut self) -> Result<BusEvent, ClientError> {
        loop {
            let event = self.0.next().await?;
            if event.kind == "message"
                && let Some(event) = read(&event.data)
            {
                return Ok(event);
            }
        }
    }
}

fn read<T: DeserializeOwned>(data: &str) -> Option<T> {
    serde_json::from_str(data).ok()
}
