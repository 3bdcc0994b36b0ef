//! Channels to a server: over a socket of this machine, or over TLS.

use super::address::Replica;
use agent_api::enrolment::{SERVER_NAME, fingerprint};
use hyper_util::rt::TokioIo;
use model::Fingerprint;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// A server that says nothing for so long is gone. Source: delivery guarantees, three missed heartbeats.
const ALIVE_EVERY: Duration = Duration::from_secs(5);
const GONE_AFTER: Duration = Duration::from_secs(10);

fn endpoint() -> Endpoint {
    // The name is for the HTTP/2 header only.
    Endpoint::from_static("http://salar.local")
        .connect_timeout(GONE_AFTER)
        .http2_keep_alive_interval(ALIVE_EVERY)
        .keep_alive_timeout(GONE_AFTER)
        .keep_alive_while_idle(true)
}

/// Opens a channel over a socket of this machine.
pub(super) async fn unix(path: &Path) -> Result<Channel, tonic::transport::Error> {
    let path = path.to_owned();
    let connector = tower::service_fn(move |_: Uri| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    endpoint().connect_with_connector(connector).await
}

/// Opens a channel over TLS.
pub(super) async fn tls(
    replica: &Replica,
    config: Arc<ClientConfig>,
) -> Result<Channel, tonic::transport::Error> {
    let address = replica.to_dial();
    let connector = tower::service_fn(move |_: Uri| {
        let (address, tls) = (address.clone(), TlsConnector::from(config.clone()));
        async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::try_from(SERVER_NAME).map_err(std::io::Error::other)?;
            tls.connect(name, stream).await.map(TokioIo::new)
        }
    });
    endpoint().connect_with_connector(connector).await
}

/// How the agent shows itself to a server that passes `check`: with a certificate, or without one to enrol.
pub(super) fn config(
    check: Arc<ServerCheck>,
    shown: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(check);
    let mut config = match shown {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Checks that a server is one of the CA of that fingerprint; without one, of whichever CA it shows, as Salt does at the
/// first contact.
#[derive(Debug)]
pub(super) struct ServerCheck {
    expected: Option<Fingerprint>,
    met: Mutex<Option<CertificateDer<'static>>>,
}

impl ServerCheck {
    pub(super) fn new(expected: Option<Fingerprint>) -> Arc<Self> {
        Arc::new(Self {
            expected,
            met: Mutex::default(),
        })
    }

    /// The CA of the server that was met, once a handshake has passed.
    pub(super) fn met(&self) -> Option<CertificateDer<'static>> {
        self.met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The CA that the server has to prove.
    fn trusted(&self, shown: &[CertificateDer<'_>]) -> Result<CertificateDer<'static>, Error> {
        let last = shown
            .last()
            .ok_or_else(|| Error::General("the server does not show its CA".to_owned()))?;
        let found = fingerprint(last);
        match self.expected {
            Some(wanted) if wanted != found => Err(Error::General(format!(
                "this is another server: its CA has the fingerprint {found}, expected was {wanted}"
            ))),
            _ => Ok(last.clone().into_owned()),
        }
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ca = self.trusted(intermediates)?;
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(ca);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
