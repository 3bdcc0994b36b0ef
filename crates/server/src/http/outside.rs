//! Around every request: its id, security headers, bodies of errors, panics, and the guard of plain HTTP.

use super::error::{ApiError, internal};
use super::{Ctx, Transport};
use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::{Instrument, debug, error, info_span};
use uuid::Uuid;

/// A handler answers from the store; longer than this only a slow sender of a body takes. Streams and consoles answer
/// at once and then go on.
const LIMIT: Duration = Duration::from_secs(30);

/// What the page may load: only its own files. Inline styles are PatternFly's.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Security headers of every answer.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// The outermost layer.
pub async fn around(request: Request, next: Next) -> Response {
    let request_id = Uuid::now_v7().simple().to_string();
    let span = info_span!("request", id = %request_id, method = %request.method(), path = request.uri().path());
    let is_api = request.uri().path().starts_with("/api/");
    let began = Instant::now();
    let answer = AssertUnwindSafe(tokio::time::timeout(LIMIT, next.run(request))).catch_unwind();
    let answer = answer.instrument(span.clone()).await;
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => timed_out(),
        Err(_) => {
            error!(request.id = %request_id, "A handler panicked");
            internal().into_response()
        }
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        response = with_error_body(response, &request_id, is_api).await;
    }
    let status = response.status().as_u16();
    let duration_ms = began.elapsed().as_millis();
    debug!(parent: &span, status, duration_ms, "Answered {status} after {duration_ms} ms");
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

fn timed_out() -> Response {
    let message = "The request took longer than 30 seconds";
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "timed_out", message).into_response()
}

/// Writes the one error body: of our own errors, and of those that axum made of a malformed request.
async fn with_error_body(response: Response, request_id: &str, is_api: bool) -> Response {
    let error = match response.extensions().get::<ApiError>() {
        Some(error) => error.clone(),
        None if is_api => foreign_error(response.status(), &response),
        None => return response,
    };
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, 4096).await.unwrap_or_default();
    let mut body = error.body(request_id);
    if parts.extensions.get::<ApiError>().is_none() && !text.is_empty() {
        body.error.message = String::from_utf8_lossy(&text).into_owned();
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    (parts, Json(body)).into_response()
}

fn foreign_error(status: StatusCode, response: &Response) -> ApiError {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = response.headers().get(header::ALLOW);
            let allowed = allowed
                .and_then(|value| value.to_str().ok())
                .unwrap_or("another method");
            ApiError::new(
                status,
                "method_not_allowed",
                format!("This path takes {allowed}"),
            )
        }
        StatusCode::NOT_FOUND => {
            ApiError::new(status, "not_found", "There is nothing at this path")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(status, "too_large", "The body is larger than 1 MiB")
        }
        status if status.is_server_error() => internal(),
        status => ApiError::new(status, "malformed", "The request cannot be read"),
    }
}

/// On plain HTTP only loopback names are served. A page of another origin could otherwise point its own name at
/// 127.0.0.1 and speak to this server as if it were its own (DNS rebinding).
pub async fn guard_host(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    if ctx.transport == Transport::Tls {
        return next.run(request).await;
    }
    let from_header = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = request
        .uri()
        .authority()
        .map(Authority::as_str)
        .or(from_header);
    let name = host.and_then(|host| host.parse::<Authority>().ok());
    let served = name
        .as_ref()
        .is_some_and(|name| is_ours(name.host(), &ctx.allowed_hosts));
    if served {
        return next.run(request).await;
    }
    let message = format!(
        "This server does not answer to the name {:?}",
        host.unwrap_or_default()
    );
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message)
        .hint("Use http://localhost or a loopback address, or name the host in the server's allowed hosts")
        .into_response()
}

fn is_ours(host: &str, allowed: &[String]) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
        || allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_is_an_error_with_an_id() {
        async fn broken() -> &'static str {
            panic!("a bug")
        }
        let service = Router::new()
            .route("/api/v1/x", get(broken))
            .layer(from_fn(around));
        let request = Request::get("/api/v1/x").body(axum::body::Body::empty());
        let response = service.oneshot(request.expect("a request")).await;
        let response = response.expect("is answered");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = response.headers()["x-request-id"].clone();
        let body = to_bytes(response.into_body(), 4096).await.expect("a body");
        let body: server_api::ErrorBody = serde_json::from_slice(&body).expect("the error body");
        assert_eq!(body.error.code, "internal");
        assert_eq!(body.error.request_id, id.to_str().expect("text"));
        assert!(!body.error.message.contains("a bug"));
    }

    #[test]
    fn only_loopback_and_named_hosts_are_ours() {
        let allowed = ["salar.example".to_owned()];
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.8.8",
            "[::1]",
            "salar.example",
        ] {
            assert!(is_ours(host, &allowed), "{host}");
        }
        for host in ["evil.example", "192.0.2.1", "localhost.evil.example", ""] {
            assert!(!is_ours(host, &allowed), "{host}");
        }
    }
}
