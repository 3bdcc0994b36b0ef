//! Listening: plain HTTP on loopback, TLS everywhere else.

use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use futures_util::future::BoxFuture;
use hyper_util::rt::TokioTimer;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// How long the headers of a request may take.
const HEADERS: Duration = Duration::from_secs(15);

/// First byte of a TLS handshake. Source: RFC 8446, 5.1, content type `handshake`.
const HANDSHAKE: u8 = 0x16;

/// Said to whoever speaks plain HTTP to a TLS port.
const HTTPS_ONLY: &str = "This address speaks HTTPS only. Use https:// instead of http://\n";

/// Whether an address is served without TLS.
pub fn is_plain(address: SocketAddr, has_certificate: bool) -> bool {
    address.ip().is_loopback() && !has_certificate
}

/// Binds an address.
///
/// # Errors
/// When it cannot be had.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Sets what every listener has in common.
pub fn limits<A>(server: &mut axum_server::Server<SocketAddr, A>) {
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS);
    server
        .http_builder()
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(200);
}

/// TLS that tells plain HTTP what it did wrong.
#[derive(Clone)]
pub struct TlsOnly(RustlsAcceptor);

impl TlsOnly {
    /// With these settings.
    pub fn new(config: std::sync::Arc<rustls::ServerConfig>) -> Self {
        Self(RustlsAcceptor::new(RustlsConfig::from_config(config)))
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for TlsOnly {
    type Stream = <RustlsAcceptor as Accept<TcpStream, S>>::Stream;
    type Service = <RustlsAcceptor as Accept<TcpStream, S>>::Service;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, mut stream: TcpStream, service: S) -> Self::Future {
        let tls = self.0.clone();
        Box::pin(async move {
            let mut first = [0];
            let peeked = tokio::time::timeout(HEADERS, stream.peek(&mut first)).await??;
            if peeked == 1 && first[0] != HANDSHAKE {
                let answer = format!(
                    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n{HTTPS_ONLY}",
                    HTTPS_ONLY.len()
                );
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await?;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "plain HTTP on a TLS address",
                ));
            }
            tls.accept(stream, service).await
        })
    }
}
