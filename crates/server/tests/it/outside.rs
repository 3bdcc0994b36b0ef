//! What surrounds the API: headers, hosts, TLS, the page.

use crate::agent::Agent;
use crate::fixture::{Api, SOON, client, config, fixture, start};
use crate::stream::Stream;
use reqwest::{Certificate, Method, StatusCode};
use server::Config;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_an_id() {
    let f = fixture().await;
    for path in ["/about", "/nothing/here", "/vms"] {
        let response = f
            .api
            .nobody()
            .request(Method::GET, path)
            .send()
            .await
            .expect("answers");
        let headers = response.headers();
        assert!(
            headers["content-security-policy"]
                .to_str()
                .expect("text")
                .contains("default-src 'self'")
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn errors_have_one_body_whoever_makes_them() {
    let f = fixture().await;
    let request = |method, path| f.api.request(method, path);
    let too_large = vec![b'x'; 2 * 1024 * 1024];
    for (request, status, code) in [
        (
            request(Method::GET, "/nothing"),
            StatusCode::NOT_FOUND,
            "not_found",
        ),
        (
            request(Method::PATCH, "/vms"),
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
        ),
        (
            request(Method::GET, "/vms/not-a-uuid"),
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
        (
            request(Method::POST, "/users").body("{"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "malformed",
        ),
        (
            request(Method::POST, "/users")
                .header("content-type", "application/json")
                .body(too_large),
            StatusCode::PAYLOAD_TOO_LARGE,
            "malformed",
        ),
    ] {
        let (got, answer) = crate::fixture::answer(request).await;
        assert_eq!(
            (got, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{answer}"
        );
        assert!(
            answer["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
        assert!(answer["error"]["request_id"].is_string());
    }
}

/// DNS rebinding: a page of evil.example that points its name at 127.0.0.1 gets nothing.
#[tokio::test]
async fn other_names_are_not_served_on_loopback() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        allowed_hosts: vec!["salar.test".to_owned()],
        ..config(folder.path())
    };
    let _server = start(config).await;
    let api = Api::local(folder.path());
    for (name, status) in [
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("salar.test", StatusCode::OK),
        ("localhost:8080", StatusCode::OK),
    ] {
        let request = api.request(Method::GET, "/about").header("host", name);
        assert_eq!(crate::fixture::answer(request).await.0, status, "{name}");
    }
}

#[tokio::test]
async fn tls_is_served_where_it_must_be_and_plain_http_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        listen: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))],
        ..config(folder.path())
    };
    let server = start(config.clone()).await;
    let url = &server.started.urls[0];
    let port = url.rsplit(':').next().expect("a port");
    assert!(url.starts_with("https://"), "{url}");
    let mut plain = TcpStream::connect(format!("127.0.0.1:{port}"))
        .await
        .expect("connects");
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("is sent");
    let mut answer = String::new();
    plain
        .read_to_string(&mut answer)
        .await
        .expect("is answered");
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("HTTPS only"),
        "{answer}"
    );
    let ca = std::fs::read(server.started.ca.clone().expect("an own CA")).expect("is readable");
    let trusting = client(Some(Certificate::from_pem(&ca).expect("a certificate")));
    let about = |client: reqwest::Client| async move {
        client
            .get(format!("https://localhost:{port}/api/v1/about"))
            .send()
            .await
    };
    assert_eq!(
        about(trusting.clone()).await.expect("answers").status(),
        StatusCode::OK
    );
    assert!(
        about(client(None)).await.is_err(),
        "without the CA there is no trust"
    );
    drop(server);
    let again = start(config).await;
    let port = again.started.urls[0]
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let response = trusting
        .get(format!("https://localhost:{port}/api/v1/about"))
        .send()
        .await;
    assert_eq!(response.expect("the CA is kept").status(), StatusCode::OK);
    let local = crate::fixture::Api::local(folder.path()).url;
    assert_eq!(local, format!("https://localhost:{port}"));
}

#[tokio::test]
async fn the_page_is_served_for_every_path_that_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let web = tempfile::tempdir().expect("a folder");
    std::fs::write(web.path().join("index.html"), "<!doctype html>the page").expect("is written");
    let config = Config {
        web_dir: Some(web.path().to_owned()),
        ..config(folder.path())
    };
    let _server = start(config).await;
    let api = Api::local(folder.path());
    let get = async |path: &str| {
        let response = api
            .client
            .get(format!("{}{path}", api.url))
            .send()
            .await
            .expect("answers");
        (response.status(), response.text().await.expect("a body"))
    };
    for path in ["/", "/vms", "/vms/some-id", "/index.html"] {
        assert_eq!(
            get(path).await,
            (StatusCode::OK, "<!doctype html>the page".to_owned()),
            "{path}"
        );
    }
    assert_eq!(get("/assets/gone.js").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("/api/v1/gone").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_document_is_served() {
    let f = fixture().await;
    let document = f.api.nobody().read("/openapi.json").await;
    assert_eq!(
        document["paths"]["/api/v1/vms/{id}/start"]["post"]["operationId"],
        "start_vm"
    );
}

#[tokio::test]
async fn private_files_are_private_wherever_they_are() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let shared = tempfile::tempdir().expect("a folder");
    let open = Permissions::from_mode(0o755);
    set_permissions(shared.path(), open).expect("is set");
    let own = shared.path().join("own");
    for folder in [shared.path(), own.as_path()] {
        let _server = start(config(folder)).await;
        for name in ["client.json", "agent.sock", "salar.db", "salar.db-wal"] {
            let meta = metadata(folder.join(name)).expect("is there");
            assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    let mode = |path| metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(
        mode(shared.path()),
        0o755,
        "a folder that was there keeps its mode"
    );
    assert_eq!(mode(own.as_path()), 0o700);
}

/// A stop with an agent and a browser connected takes no longer than the farewell, and leaves the store free.
#[tokio::test]
async fn a_stop_is_quick_and_complete() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server::start(config(folder.path())).await.expect("starts");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run_until(async {
        // The sender says it, or is gone: both mean to stop.
        let _ = stopped.await;
    }));
    let api = Api::local(folder.path());
    let mut agent = Agent::with_vms(&folder.path().join("agent.sock"), "kvm1", &[]).await;
    let mut stream = Stream::open(&api, "/events", None).await;
    stream.expect("hello").await;
    stop.send(()).expect("the server runs");
    while stream.next().await.is_some() {}
    assert!(agent.next().await.is_none());
    drop(agent);
    tokio::time::timeout(SOON, running)
        .await
        .expect("soon")
        .expect("ends well");
    drop(start(config(folder.path())).await);
}
