//! The client against a listener that answers what a test has written down.

use client::{Client, ClientError, Credential, FeedEvent, ListQuery, Trust};
use server_api::access::SignIn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Listens and gives each connection the next answer, then closes it. Ends with the requests it was sent.
async fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !is_complete(&request) {
                let mut piece = [0; 4096];
                let n = socket.read(&mut piece).await.expect("readable");
                assert!(n > 0, "the request ended early");
                request.extend_from_slice(&piece[..n]);
            }
            socket.write_all(answer.as_bytes()).await.expect("writable");
            requests.push(String::from_utf8(request).expect("text"));
        }
        requests
    });
    (url, requests)
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    body.len() >= length.unwrap_or(0)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

fn stream(events: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}"
    )
}

fn client(url: &str) -> Client {
    Client::new(url, Credential::Token("secret".into()), &Trust::System).expect("loopback")
}

fn network(name: &str) -> String {
    format!(
        r#"{{"id":"00000000-0000-0000-0000-000000000001","gen":1,"name":"{name}","host":{{"id":
        "00000000-0000-0000-0000-000000000002","name":"kvm1","freshness":"live"}},"forward":"nat","status":"active",
        "autostart":true,"persistent":true,"bridge":"virbr0","cidrs":[],"dhcp":false,"nic_count":0,"observed_at":""}}"#
    )
}

#[tokio::test]
async fn a_list_is_read_window_by_window() {
    let window = |name: &str, next: &str| {
        let items = network(name);
        let body = format!(r#"{{"items":[{items}],"total":2,"offset":0,{next}"revision":"1-1"}}"#);
        answer("200 OK", "", &body)
    };
    let (url, requests) = server(vec![window("a", r#""next_page":"1","#), window("b", "")]).await;
    let query = ListQuery {
        host: Some("kvm 1".into()),
        ..ListQuery::default()
    };
    let names: Vec<_> = client(&url)
        .networks(&query)
        .await
        .expect("a list")
        .into_iter()
        .map(|n| n.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    let requests = requests.await.expect("served");
    assert!(
        requests[0].starts_with("GET /api/v1/networks?host=kvm+1&offset=0&limit=200 HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(requests[0].contains("authorization: Bearer secret\r\n"));
    assert!(requests[1].contains("offset=1&"), "{}", requests[1]);
}

#[tokio::test]
async fn a_refusal_keeps_the_servers_words() {
    let body = r#"{"error":{"code":"vm_migrating","message":"srv01 is migrating","hint":"wait","request_id":"7"}}"#;
    let (url, _) = server(vec![answer("409 Conflict", "", body)]).await;
    let error = client(&url).about().await.expect_err("refused");
    assert_eq!(error.to_string(), "srv01 is migrating");
    assert_eq!(error.hint().as_deref(), Some("wait"));
    assert_eq!(error.code(), Some("vm_migrating"));
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn another_program_is_recognised() {
    let (url, _) = server(vec![answer("502 Bad Gateway", "", "<html>")]).await;
    let error = client(&url).about().await.expect_err("refused");
    assert!(
        matches!(error, ClientError::NotOurs { status: 502, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_absent_server_is_named_with_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = client(&url).about().await.expect_err("nobody listens");
    assert_eq!(
        error.to_string(),
        format!("cannot reach the server at {url}: Connection refused (os error 111)")
    );
    assert!(error.is_retryable() && error.hint().expect("a hint").contains("salar serve"));
}

#[tokio::test]
async fn signing_in_keeps_the_cookie() {
    let session = r#"{"user":"admin","role":"administrator","expires_at":null}"#;
    let (url, requests) = server(vec![
        answer(
            "200 OK",
            "set-cookie: salar=abc; HttpOnly; Path=/\r\n",
            session,
        ),
        answer("200 OK", "", session),
    ])
    .await;
    let nobody = Client::new(&url, Credential::None, &Trust::System).expect("loopback");
    let sign_in = SignIn {
        user: "admin".into(),
        password: "correct horse".into(),
    };
    let (session, credential) = nobody.sign_in(&sign_in).await.expect("signed in");
    assert_eq!(session.user, "admin");
    assert!(credential == Credential::Session("salar=abc".into()));
    let requests = requests.await.expect("served");
    assert!(
        requests[0].contains("x-salar-request: 1\r\n") && !requests[0].contains("authorization")
    );
    assert!(requests[1].contains("cookie: salar=abc\r\n"));
}

#[tokio::test]
async fn the_feed_resumes_where_it_was_cut() {
    let hello = |resumed| {
        format!("event: hello\nid: 3-7\ndata: {{\"build\":\"b\",\"resumed\":{resumed}}}\n\n")
    };
    let change = "event: change\nid: 3-8\ndata: {\"objects\":[]}\n\n";
    let (url, requests) = server(vec![
        stream(&format!("{}{change}event: chan", hello(false))),
        stream(&format!(
            ": keep\n\nevent: novel\ndata: 1\n\n{}event: reset\n\n",
            hello(true)
        )),
    ])
    .await;
    let mut feed = client(&url).feed().await.expect("connected");
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(match feed.next().await.expect("an event") {
            FeedEvent::Hello(hello) => format!("hello {}", hello.resumed),
            FeedEvent::Change(change) => format!("change {}", change.objects.len()),
            FeedEvent::Reset => "reset".to_owned(),
        });
    }
    assert_eq!(seen, ["hello false", "change 0", "hello true", "reset"]);
    let requests = requests.await.expect("served");
    assert!(!requests[0].contains("last-event-id"));
    assert!(
        requests[1].contains("last-event-id: 3-8\r\n"),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn a_feed_that_is_refused_ends() {
    let body = r#"{"error":{"code":"not_signed_in","message":"sign in first","request_id":"1"}}"#;
    let (url, _) = server(vec![stream(""), answer("401 Unauthorized", "", body)]).await;
    let mut feed = client(&url).feed().await.expect("connected");
    let error = feed.next().await.expect_err("the session has ended");
    assert_eq!(error.code(), Some("not_signed_in"));
}
