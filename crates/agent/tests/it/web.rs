//! A web server for a test: one file, with the habits and the bad habits of real servers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A qcow2 image of 300 KB with a disk of 64 MiB.
pub fn image() -> Vec<u8> {
    let mut bytes = vec![0; 300_000];
    bytes[..4].copy_from_slice(b"QFI\xfb");
    bytes[4..8].copy_from_slice(&3_u32.to_be_bytes());
    bytes[24..32].copy_from_slice(&(64_u64 << 20).to_be_bytes());
    for (index, byte) in bytes.iter_mut().enumerate().skip(512) {
        *byte = (index % 251) as u8;
    }
    bytes
}

#[derive(Debug, Clone)]
pub struct Request {
    pub headers: HashMap<String, String>,
}

/// What the server has and how it behaves; changed while it runs.
#[derive(Debug, Clone)]
pub struct Site {
    pub status: u16,
    pub body: Vec<u8>,
    pub etag: Option<&'static str>,
    /// Understands `Range`.
    pub ranges: bool,
    /// For so many answers: closes the connection after this many bytes of the body.
    pub cuts: (usize, usize),
    /// No answer before so many requests have come.
    pub together: usize,
    /// The status of every answer after those.
    pub after_cuts: Option<u16>,
    pub location: Option<String>,
}

pub struct Web {
    pub url: String,
    site: Arc<Mutex<Site>>,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Web {
    pub async fn serve(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/images/guest.qcow2",
            listener.local_addr().unwrap()
        );
        let site = Site {
            status: 200,
            body,
            etag: Some("\"one\""),
            ranges: true,
            cuts: (0, 0),
            after_cuts: None,
            together: 0,
            location: None,
        };
        let (site, requests) = (Arc::new(Mutex::new(site)), Arc::new(Mutex::new(Vec::new())));
        let (their_site, their_requests) = (site.clone(), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, their_site.clone(), their_requests.clone()));
            }
        });
        Self {
            url,
            site,
            requests,
            task,
        }
    }

    pub fn set(&self, change: impl FnOnce(&mut Site)) {
        change(&mut self.site.lock().unwrap());
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, site: Arc<Mutex<Site>>, requests: Arc<Mutex<Vec<Request>>>) {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read_exact(&mut byte).await.is_err() {
            return;
        }
        text.extend(byte);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let headers: HashMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    requests.lock().unwrap().push(Request {
        headers: headers.clone(),
    });
    while requests.lock().unwrap().len() < site.lock().unwrap().together {
        tokio::task::yield_now().await;
    }
    let (head, body) = respond(&mut site.lock().unwrap(), &headers);
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

fn respond(site: &mut Site, headers: &HashMap<String, String>) -> (String, Vec<u8>) {
    let header = |name: &str| headers.get(name).map(String::as_str);
    let mut status = site.status;
    let mut extra = String::new();
    if let Some(etag) = site.etag {
        extra.push_str(&format!("ETag: {etag}\r\n"));
    }
    if let Some(location) = &site.location {
        extra.push_str(&format!("Location: {location}\r\n"));
    }
    let mut body = site.body.clone();
    if site.etag.is_some() && header("if-none-match") == site.etag {
        return (
            format!("HTTP/1.1 304 Not Modified\r\n{extra}Connection: close\r\n\r\n"),
            Vec::new(),
        );
    }
    let from =
        header("range").filter(|_| status == 200 && site.ranges && header("if-range") == site.etag);
    if let Some(from) = from.and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    }) {
        status = 206;
        extra.push_str(&format!(
            "Content-Range: bytes {from}-{}/{}\r\n",
            body.len() - 1,
            body.len()
        ));
        body.drain(..from);
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if site.cuts.0 > 0 {
        site.cuts.0 -= 1;
        body.truncate(site.cuts.1);
        if let Some(status) = site.after_cuts.filter(|_| site.cuts.0 == 0) {
            site.status = status;
        }
    }
    (head, body)
}
