//! A reader of server-sent events.

use crate::fixture::{Api, SOON};
use reqwest::Method;
use serde_json::Value;

/// An event as a browser gets it.
#[derive(Debug)]
pub struct Event {
    pub kind: String,
    pub id: String,
    pub data: Value,
}

pub struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    /// Opens a stream, going on after `last_id`.
    pub async fn open(api: &Api, path: &str, last_id: Option<&str>) -> Self {
        let mut request = api.request(Method::GET, path);
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; `None` when the stream has ended. Comments are skipped.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                if let Some(event) = event {
                    return Some(event);
                }
                continue;
            }
            let chunk = tokio::time::timeout(SOON, self.response.chunk()).await;
            let chunk = chunk.expect("the server says something soon").ok()??;
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    pub async fn expect(&mut self, kind: &str) -> Event {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.kind, kind, "{event:?}");
        event
    }

    /// The next row of an object that `wanted` accepts.
    pub async fn row(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.expect("change").await;
            let objects = event.data["objects"].as_array().expect("a list").clone();
            if let Some(found) = objects.into_iter().find(&wanted) {
                return found;
            }
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let mut event = Event {
        kind: "message".to_owned(),
        id: String::new(),
        data: Value::Null,
    };
    let mut data = None;
    for line in block.lines() {
        let (field, value) = line.split_once(':')?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event.kind = value.to_owned(),
            "id" => event.id = value.to_owned(),
            "data" => data = Some(value.to_owned()),
            _ => {}
        }
    }
    event.data = serde_json::from_str(&data?).unwrap_or_default();
    Some(event)
}
