//! Getting an image as a checked file: from the cache, from the web, or from the host's own disk.

use super::cache::{self, CacheFiles, Meta};
use super::download::{Download, Fetched, RetryPolicy};
use super::error::ImageError;
use super::format::{HEADER_BYTES, ImageInfo, inspect};
use crate::progress::ProgressSink;
use crate::state_dir::Lock;
use model::Bytes;
use model::plan::ImageSource;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A server that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
const REDIRECTS: usize = 5;
/// Chunks of one run that want the same image share one look at the server.
const SHARED: Duration = Duration::from_secs(60);

/// An image that was found, checked and can be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub info: ImageInfo,
    /// Size of the file.
    pub size: Bytes,
}

/// The images of a host.
#[derive(Debug)]
pub struct ImageStore {
    dir: PathBuf,
    policy: RetryPolicy,
    client: OnceLock<reqwest::Client>,
    /// One lock for each address, with when it was last known to be fresh.
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
}

type Lane = tokio::sync::Mutex<Option<Instant>>;

enum Location<'a> {
    Web(&'a str),
    File(&'a Path),
}

impl ImageStore {
    /// The store in `dir`, which is made when it is first needed.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self::with_policy(dir, RetryPolicy::default())
    }

    /// The same, with another patience.
    pub fn with_policy(dir: impl Into<PathBuf>, policy: RetryPolicy) -> Self {
        Self {
            dir: dir.into(),
            policy,
            client: OnceLock::new(),
            lanes: Mutex::default(),
        }
    }

    /// Gets the image and checks that it has the `format` and the checksum that are wanted.
    ///
    /// # Errors
    /// It cannot be had, or is not what was asked for. Nothing half-made is left, but for a part that the next call
    /// goes on with.
    pub async fn fetch(
        &self,
        source: &ImageSource,
        format: &str,
        progress: &ProgressSink,
    ) -> Result<Image, ImageError> {
        let wanted = source
            .checksum
            .as_deref()
            .map(|text| checksum(&source.location, text))
            .transpose()?;
        let path = match location(&source.location)? {
            Location::Web(url) => self.fetch_web(url, wanted.as_deref(), progress).await?,
            Location::File(path) => {
                let path = path.to_owned();
                if let Some(wanted) = wanted {
                    let found = sha256(&path).await?;
                    compare(&source.location, found, &wanted)?;
                }
                path
            }
        };
        let format = format.to_owned();
        let location = source.location.clone();
        blocking(move || examine(path, &format, location)).await
    }

    async fn fetch_web(
        &self,
        url: &str,
        wanted: Option<&str>,
        progress: &ProgressSink,
    ) -> Result<PathBuf, ImageError> {
        crate::state_dir::make(&self.dir).map_err(ImageError::file("create", &self.dir))?;
        let files = CacheFiles::new(&self.dir, url);
        let lane = self.lane(url);
        let mut fresh_at = lane.lock().await;
        let _lock = lock_between_processes(&files.lock()).await?;

        let cached = files.image_meta();
        let known = cached.as_ref().and_then(|meta| meta.sha256.as_deref());
        let recent = fresh_at.is_some_and(|at| at.elapsed() < SHARED) && cached.is_some();
        // A checksum names the content: no server needs to be asked.
        if !(recent || wanted.is_some() && wanted == known) {
            self.refresh(url, &files, progress).await?;
        }
        if let Some(wanted) = wanted {
            check_cached(url, &files, wanted).await?;
        }
        *fresh_at = Some(Instant::now());
        files.touch();
        Ok(files.image())
    }

    async fn refresh(
        &self,
        url: &str,
        files: &CacheFiles,
        progress: &ProgressSink,
    ) -> Result<(), ImageError> {
        let client = self.client(url)?;
        let policy = self.policy;
        let download = Download {
            client: &client,
            url,
            files,
            policy,
            progress,
        };
        if let Fetched::Whole(meta) = download.run().await? {
            files.promote(&meta)?;
            cache::sweep(&self.dir, SystemTime::now());
        }
        Ok(())
    }

    fn lane(&self, url: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(url.to_owned()).or_default().clone()
    }

    /// The HTTP client, made when it is first needed: reading the system's certificates takes time.
    fn client(&self, url: &str) -> Result<reqwest::Client, ImageError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        // Somebody else may have installed a provider; either one will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let built = builder().build().or_else(|error| {
            // Without any certificate authority on the host, plain HTTP still works.
            if url.starts_with("https:") {
                Err(error)
            } else {
                builder().tls_certs_only([]).build()
            }
        });
        let client = built.map_err(|error| ImageError::Connection {
            location: url.to_owned(),
            why: format!("no certificate authorities on this host ({error}); install the package ca-certificates"),
            attempts: 1,
        })?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}

/// Takes no proxy from the environment: what a host downloads through is not a matter of who started the agent.
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("salar/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
        .no_proxy()
}

fn location(text: &str) -> Result<Location<'_>, ImageError> {
    let refuse = |why| ImageError::Location {
        location: text.to_owned(),
        why,
    };
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https" | "ftp") => Ok(Location::Web(text)),
        Some("file") => Err(refuse(
            "a file of the host is given by its absolute path, without file://",
        )),
        Some(_) => Err(refuse(
            "only http, https and ftp addresses can be downloaded",
        )),
        None if Path::new(text).is_absolute() => Ok(Location::File(Path::new(text))),
        None => Err(refuse("it is neither an address nor an absolute path")),
    }
}

/// Reads `sha256=…`, `sha256:…` or bare digits into lower-case digits.
fn checksum(location: &str, text: &str) -> Result<String, ImageError> {
    let digits = text
        .strip_prefix("sha256=")
        .or_else(|| text.strip_prefix("sha256:"))
        .unwrap_or(text)
        .trim();
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(digits.to_ascii_lowercase());
    }
    let why = format!("{text:?} is not a SHA-256 checksum");
    Err(ImageError::BadChecksum {
        location: location.to_owned(),
        why,
    })
}

async fn check_cached(url: &str, files: &CacheFiles, wanted: &str) -> Result<(), ImageError> {
    let meta = files.image_meta().unwrap_or_default();
    let found = match meta.sha256.clone() {
        Some(found) => found,
        None => sha256(&files.image()).await?,
    };
    if found != wanted {
        files.drop_image();
        return compare(url, found, wanted);
    }
    files.write_image_meta(&Meta {
        url: url.to_owned(),
        sha256: Some(found),
        ..meta
    })
}

fn compare(location: &str, found: String, wanted: &str) -> Result<(), ImageError> {
    if found == wanted {
        return Ok(());
    }
    Err(ImageError::Checksum {
        location: location.to_owned(),
        found,
        wanted: wanted.to_owned(),
    })
}

/// SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// It cannot be read.
pub(crate) async fn sha256_of(path: &str) -> Result<String, ImageError> {
    sha256(Path::new(path)).await
}

async fn sha256(path: &Path) -> Result<String, ImageError> {
    let path = path.to_owned();
    blocking(move || cache::file_sha256(&path)).await
}

/// Looks at the first bytes of the file.
fn examine(path: PathBuf, format: &str, location: String) -> Result<Image, ImageError> {
    let open = || -> std::io::Result<(Vec<u8>, u64)> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        file.take(HEADER_BYTES as u64).read_to_end(&mut header)?;
        Ok((header, size))
    };
    let (header, size) = open().map_err(ImageError::file("read", &path))?;
    match inspect(&header, size, format) {
        Ok(info) => Ok(Image {
            path,
            info,
            size: Bytes(size),
        }),
        Err(why) => Err(ImageError::NotAnImage { location, why }),
    }
}

/// Waits until no other process works on the address. The lock ends with the file, also when its owner is killed.
async fn lock_between_processes(path: &Path) -> Result<Lock, ImageError> {
    const LOOK_AGAIN: Duration = Duration::from_millis(200);
    let mut file = File::create(path).map_err(ImageError::file("create", path))?;
    loop {
        file = match Lock::take(file) {
            Ok(lock) => return Ok(lock),
            Err((file, None)) => file,
            Err((_, Some(error))) => return Err(ImageError::file("lock", path)(error)),
        };
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down and polls nobody any more.
        Err(_) => std::future::pending().await,
    }
}
