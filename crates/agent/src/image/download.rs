//! A download that goes on where it stopped.
//!
//! A part is resumed with `Range` and `If-Range`, so that a server whose file has changed sends the whole of the new
//! one. An attempt that gets further than any before resets the count of attempts: a slow line with cuts arrives, a
//! server that always stops at the same byte does not keep us for ever.

use super::cache::{CacheFiles, Meta};
use super::error::ImageError;
use super::ftp;
use crate::progress::{Meter, ProgressSink};
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, StatusCode};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How often and how fast a broken download is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Attempts without getting any further, the first one counted.
    pub attempts: u32,
    /// Wait before the second attempt; doubled for each one after.
    pub first_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_millis(500),
        }
    }
}

/// What a download came to.
pub(super) enum Fetched {
    /// The cached image is still the one the server has.
    NotModified,
    /// The part is whole.
    Whole(Meta),
}

/// One address on its way into its part file.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) url: &'a str,
    pub(super) files: &'a CacheFiles,
    pub(super) policy: RetryPolicy,
    pub(super) progress: &'a ProgressSink,
}

/// Why one attempt ended early.
pub(super) enum Stop {
    /// Trying again makes sense.
    Again {
        why: String,
        got: u64,
        total: Option<u64>,
    },
    /// It does not.
    For(ImageError),
}

impl From<ImageError> for Stop {
    fn from(error: ImageError) -> Self {
        Self::For(error)
    }
}

impl Download<'_> {
    /// Fetches until the part is whole, or nothing helps.
    ///
    /// # Errors
    /// The server refuses, or no attempt gets any further.
    pub(super) async fn run(&self) -> Result<Fetched, ImageError> {
        let (mut furthest, mut fruitless) = (0, 0);
        let mut wait = self.policy.first_wait;
        loop {
            let (why, got, total) = match self.attempt().await {
                Ok(fetched) => return Ok(fetched),
                Err(Stop::For(error)) => return Err(error),
                Err(Stop::Again { why, got, total }) => (why, got, total),
            };
            if got > furthest {
                (furthest, fruitless, wait) = (got, 0, self.policy.first_wait);
            }
            fruitless += 1;
            if fruitless >= self.policy.attempts {
                return Err(self.gave_up(why, got, total, fruitless));
            }
            tracing::warn!(
                attempt = fruitless,
                "Download of {} broke off after {got} bytes: {why}",
                self.url
            );
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    fn gave_up(&self, why: String, got: u64, total: Option<u64>, attempts: u32) -> ImageError {
        let location = self.url.to_owned();
        match total {
            Some(total) if got > 0 && got < total => ImageError::Truncated {
                location,
                got,
                total,
                attempts,
            },
            _ => ImageError::Connection {
                location,
                why,
                attempts,
            },
        }
    }

    async fn attempt(&self) -> Result<Fetched, Stop> {
        let part = self.files.part_meta();
        let length = part_length(self.files).await;
        if self.url.starts_with("ftp:") {
            let part = part.map(|meta| (meta, length));
            let meter = |done, total| self.meter(done, total);
            return ftp::attempt(self.url, self.files, part, meter).await;
        }
        let resume = part
            .as_ref()
            .filter(|_| length > 0)
            .and_then(|meta| meta.range_validator());
        let mut request = self.client.get(self.url);
        if let Some(validator) = resume {
            request = request
                .header(header::RANGE, format!("bytes={length}-"))
                .header(header::IF_RANGE, validator);
        } else if let Some(cached) = self.files.image_meta() {
            if let Some(etag) = cached.etag {
                request = request.header(header::IF_NONE_MATCH, etag);
            } else if let Some(at) = cached.last_modified {
                request = request.header(header::IF_MODIFIED_SINCE, at);
            }
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.broken(&error, length, None))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(Fetched::NotModified),
            StatusCode::OK => self.receive(response, 0, None).await,
            StatusCode::PARTIAL_CONTENT
                if resume.is_some() && range_start(response.headers()) == Some(length) =>
            {
                self.receive(response, length, part).await
            }
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT if resume.is_some() => {
                self.files.drop_part();
                Err(Stop::Again {
                    why: "the server cannot go on where the part ends".to_owned(),
                    got: 0,
                    total: None,
                })
            }
            status => Err(self.refused(status, length)),
        }
    }

    /// Writes the body behind the first `from` bytes of the part.
    async fn receive(
        &self,
        mut response: Response,
        from: u64,
        part: Option<Meta>,
    ) -> Result<Fetched, Stop> {
        let total = response
            .content_length()
            .map(|rest| rest.saturating_add(from));
        let meta = part.unwrap_or_else(|| described(self.url, response.headers(), total));
        self.files.write_part_meta(&meta)?;
        let path = self.files.part();
        let mut file = self.files.open_part(from).await?;
        let mut done = from;
        let mut meter = self.meter(done, total.unwrap_or(0));
        let broke = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    if let Err(error) = file.write_all(&bytes).await {
                        // On a full disk the part would be in everybody's way.
                        self.files.drop_part();
                        return Err(ImageError::file("write", &path)(error).into());
                    }
                    done += bytes.len() as u64;
                    meter.at(done);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        file.sync_all()
            .await
            .map_err(ImageError::file("write", &path))?;
        match broke {
            Some(error) => Err(self.broken(&error, done, total)),
            None if total.is_some_and(|total| done != total) => Err(Stop::Again {
                why: "the connection ended early".to_owned(),
                got: done,
                total,
            }),
            None => Ok(Fetched::Whole(Meta {
                total: Some(done),
                ..meta
            })),
        }
    }

    fn meter(&self, done: u64, total: u64) -> Meter {
        let step = format!("Downloading {}", short_name(self.url));
        Meter::new(step, done, total, self.progress.clone())
    }

    fn broken(&self, error: &reqwest::Error, got: u64, total: Option<u64>) -> Stop {
        let why = chain(error);
        if error.is_redirect() || error.is_builder() {
            return Stop::For(ImageError::Connection {
                location: self.url.to_owned(),
                why,
                attempts: 1,
            });
        }
        Stop::Again { why, got, total }
    }

    fn refused(&self, status: StatusCode, got: u64) -> Stop {
        let passing = status.is_server_error()
            || matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
            );
        if passing {
            return Stop::Again {
                why: format!("the server answers {status}"),
                got,
                total: None,
            };
        }
        Stop::For(ImageError::Status {
            location: self.url.to_owned(),
            status: status.to_string(),
        })
    }
}

async fn part_length(files: &CacheFiles) -> u64 {
    tokio::fs::metadata(files.part())
        .await
        .map_or(0, |meta| meta.len())
}

fn described(url: &str, headers: &HeaderMap, total: Option<u64>) -> Meta {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
            .map(str::to_owned)
    };
    Meta {
        url: url.to_owned(),
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED),
        total,
        sha256: None,
    }
}

/// The first byte of `Content-Range: bytes 100-199/200`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    value
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

/// The last part of an address, for people.
pub(super) fn short_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or(url)
}

/// An error with its causes. Addresses are left out: the caller names its own.
fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    if texts.is_empty() {
        error.to_string()
    } else {
        texts.join(": ")
    }
}
