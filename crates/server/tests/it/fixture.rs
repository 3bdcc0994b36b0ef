//! A server of its own for each test, a client of its API, and nothing that outlives the test.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::{Config, Started, Timing};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tree::Roots;

/// Longest wait for anything that should happen.
pub const SOON: Duration = Duration::from_secs(10);

/// A running server. Dropping it is a kill: nothing is closed in order.
pub struct Server {
    pub started: Started,
    runtime: Option<Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A folder, a server in it, and a client that may do everything.
pub struct Fixture {
    pub folder: TempDir,
    pub server: Server,
    pub api: Api,
}

/// Starts a server on a free port of loopback.
pub async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = start(config(folder.path())).await;
    let api = Api::local(folder.path());
    Fixture {
        folder,
        server,
        api,
    }
}

/// The folder `pillar` in the server's is its pillar root.
pub fn config(folder: &Path) -> Config {
    Config {
        pillar_roots: Roots::new([folder.join("pillar")]),
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        listen_agents: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        ..Config::new(folder)
    }
}

/// A server whose clocks run fast; agents may be silent for this long.
pub async fn impatient(silence: Duration) -> Fixture {
    with_timing(Timing {
        silence,
        resend: Duration::from_millis(100),
        heartbeat: Duration::from_millis(50),
        tick: Duration::from_millis(20),
        ..Timing::default()
    })
    .await
}

/// A server with other clocks.
pub async fn with_timing(timing: Timing) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = start_with(config(folder.path()), timing).await;
    let api = Api::local(folder.path());
    Fixture {
        folder,
        server,
        api,
    }
}

/// Starts a server on threads of its own, so that it can be killed.
pub async fn start(config: Config) -> Server {
    start_with(config, Timing::default()).await
}

async fn start_with(config: Config, timing: Timing) -> Server {
    let (started, ready) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.spawn(async move {
        // A server that was killed a moment ago may still hold the store.
        let server = until("the store is free", async || {
            server::start_with(config.clone(), timing).await.ok()
        })
        .await;
        let _ = started.send(server.started().clone());
        server.run_until(std::future::pending()).await;
    });
    Server {
        started: ready.await.expect("the server starts"),
        runtime: Some(runtime),
    }
}

/// Asks again until there is an answer; fails the test when there is none soon.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = tokio::time::Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "not soon enough: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Fixture {
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("agent.sock")
    }

    /// A client signed in as a new user of that role.
    pub async fn user(&self, name: &str, role: &str) -> Api {
        let password = "a long password";
        let body = json!({ "name": name, "password": password, "role": role });
        let (status, answer) = self.api.post("/users", body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let response = self.api.sign_in(name, password).await;
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()["set-cookie"].to_str().expect("text");
        let token = cookie.split(['=', ';']).nth(1).expect("a value").to_owned();
        Api {
            token: Some(token),
            ..self.api.clone()
        }
    }
}

/// A client of the API.
#[derive(Clone)]
pub struct Api {
    pub client: Client,
    pub url: String,
    pub token: Option<String>,
}

impl Api {
    /// With the token that the server leaves for the command line.
    pub fn local(folder: &Path) -> Self {
        let text =
            std::fs::read_to_string(folder.join("client.json")).expect("the server wrote it");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let part = |name: &str| file[name].as_str().expect("text").to_owned();
        Self {
            client: client(None),
            url: part("url"),
            token: Some(part("token")),
        }
    }

    pub fn nobody(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    /// The answer of a GET that must succeed.
    pub async fn read(&self, path: &str) -> Value {
        let (status, value) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// A POST without a body.
    pub async fn act(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path)).await
    }

    pub async fn sign_in(&self, user: &str, password: &str) -> reqwest::Response {
        let request = self.nobody().request(Method::POST, "/session");
        let body = json!({ "user": user, "password": password });
        request
            .json(&body)
            .send()
            .await
            .expect("the server answers")
    }
}

/// A client that trusts `ca` besides nothing.
pub fn client(ca: Option<reqwest::Certificate>) -> Client {
    // Another test of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(SOON * 3)
        .tls_certs_only(ca)
        .build()
        .expect("a client")
}

pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("the server answers");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}
