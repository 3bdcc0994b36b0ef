//! TLS settings: of the web interface, with the certificate that was given or one of the own CA, and of the link.

use crate::ca::{Ca, ShownToPeers};
use crate::config::TlsFiles;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Why there is no TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no usable {what}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// An address that others reach has none.
    #[error("there is no certificate for {address}")]
    NoCertificate {
        /// Which.
        address: SocketAddr,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// The own CA is no CA.
    #[error("the own CA cannot be used to check agents")]
    Verify(#[from] VerifierBuilderError),
    /// Certificate and key do not go together, or the like.
    #[error("the certificate cannot be used for TLS")]
    Use(#[from] rustls::Error),
}

/// For the web interface, from certificate and key.
///
/// # Errors
/// When a file cannot be used.
pub fn for_web(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|_| TlsError::Content {
        path: files.key.clone(),
        what: "private key",
    })?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// For agents: they may show a certificate of the own CA, and any other is refused. Whether they must is for whoever
/// they call.
///
/// # Errors
/// When no certificate can be made.
pub fn for_link(ca: &Ca) -> Result<Arc<ServerConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()?;
    let (chain, key) = ca.for_link()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed connection would not look at the certificate's end again.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// For calls to the address for agents of another server with the same CA.
///
/// # Errors
/// When the certificate cannot be used.
pub fn for_peers(ca: &Ca, shown: ShownToPeers) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone())?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(shown.chain, shown.key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| TlsError::Content {
            path: path.to_owned(),
            what: "certificate",
        })
}

/// A certificate of the own CA for the web interface, made at every start, so that it always names the present
/// addresses.
///
/// # Errors
/// When a file cannot be written.
pub fn own(ca: &Ca, folder: &Path, listen: &[SocketAddr]) -> Result<TlsFiles, TlsError> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host_name());
    names.extend(listen.iter().map(|address| address.ip().to_string()));
    names.dedup();
    let (chain, key) = ca.for_web(names)?;
    let files = TlsFiles {
        certificate: folder.join("server.pem"),
        key: folder.join("server-key.pem"),
    };
    write(&files.certificate, chain.as_bytes())?;
    write(&files.key, key.as_bytes())?;
    Ok(files)
}

/// Name of this machine, if it may stand in a certificate.
pub fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    crate::start::write_private(path, content).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}
