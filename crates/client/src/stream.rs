//! An event stream that reconnects.

use crate::sse::{Parser, ServerEvent};
use crate::{Client, ClientError, http};
use futures_util::stream::{BoxStream, StreamExt as _};
use reqwest::Method;
use std::collections::VecDeque;
use std::time::Duration;

/// The server says something at least this often, if only a comment.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

type Body = BoxStream<'static, reqwest::Result<Vec<u8>>>;

/// One endpoint of server-sent events.
pub(crate) struct EventStream {
    client: Client,
    path: &'static str,
    query: Vec<(&'static str, String)>,
    body: Option<Body>,
    parser: Parser,
    ready: VecDeque<ServerEvent>,
    last_id: Option<String>,
    pause: Duration,
}

impl EventStream {
    pub(crate) fn new(
        client: Client,
        path: &'static str,
        query: Vec<(&'static str, String)>,
    ) -> Self {
        Self {
            client,
            path,
            query,
            body: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            last_id: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Connects unless connected.
    ///
    /// # Errors
    /// The server refuses or cannot be reached; here nothing is tried again.
    pub(crate) async fn connect(&mut self) -> Result<(), ClientError> {
        if self.body.is_some() {
            return Ok(());
        }
        let mut request = self.client.request(Method::GET, &[self.path], &self.query);
        if let Some(id) = &self.last_id {
            request = request.header("Last-Event-ID", id);
        }
        let what = http::describe(&Method::GET, &[self.path]);
        let sent = tokio::time::timeout(SILENCE_LIMIT, request.send()).await;
        let response = match sent {
            Ok(answer) => answer.map_err(|error| self.client.lost(&what, &error))?,
            Err(_) => {
                return Err(ClientError::TimedOut {
                    url: self.client.url().to_owned(),
                    what,
                });
            }
        };
        let response = self.client.accept(&what, response).await?;
        self.parser = Parser::default();
        self.body = Some(
            response
                .bytes_stream()
                .map(|piece| piece.map(|b| b.to_vec()))
                .boxed(),
        );
        Ok(())
    }

    /// The next event. A lost connection is made again for as long as it takes, with growing pauses.
    ///
    /// # Errors
    /// The server refuses, or what answers is none.
    ///
    /// # Cancel safety
    /// Dropped half-way, no event is lost: what was received is kept in `self`.
    pub(crate) async fn next(&mut self) -> Result<ServerEvent, ClientError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last_id.clone_from(&event.id);
                return Ok(event);
            }
            match self.connect().await {
                Ok(()) => self.receive().await,
                Err(error) if error.is_retryable() => {
                    tokio::time::sleep(self.pause).await;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads one piece of the body; gives the connection up when there is none.
    async fn receive(&mut self) {
        let Some(body) = &mut self.body else { return };
        let piece = tokio::time::timeout(SILENCE_LIMIT, body.next()).await;
        let events = match piece {
            Ok(Some(Ok(piece))) => self.parser.push(&piece).ok(),
            Ok(Some(Err(_)) | None) | Err(_) => None,
        };
        match events {
            Some(events) => {
                self.pause = FIRST_PAUSE;
                self.ready.extend(events);
            }
            None => {
                self.body = None;
                tokio::time::sleep(self.pause).await;
            }
        }
    }
}
