//! Certificates: the ones that were given, or an own CA and a server certificate made of it.

use crate::config::TlsFiles;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// Certificate and key do not go together, or the like.
    #[error("the certificate cannot be used for TLS")]
    Use(#[from] rustls::Error),
}

/// TLS settings from given files, or from the own CA in `folder` for the names of this machine.
///
/// # Errors
/// When a file cannot be used.
pub fn server_config(
    given: Option<&TlsFiles>,
    folder: &Path,
    listen: &[SocketAddr],
) -> Result<Arc<ServerConfig>, TlsError> {
    let files = match given {
        Some(files) => files.clone(),
        None => own(folder, listen)?,
    };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|_| TlsError::Content {
        path: files.key.clone(),
        what: "private key",
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
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

/// The own CA's certificate, for clients to trust.
pub fn ca_path(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

/// Makes the CA once; makes the server's certificate at every start, so that it always names the present addresses.
fn own(folder: &Path, listen: &[SocketAddr]) -> Result<TlsFiles, TlsError> {
    let issuer = issuer(folder)?;
    let key = KeyPair::generate()?;
    let mut names = vec!["localhost".to_owned()];
    names.extend(host_name());
    names.extend(listen.iter().map(|address| address.ip().to_string()));
    names.dedup();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Salar server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // Browsers accept server certificates of at most 398 days.
    set_validity(&mut params, 397);
    let certificate = params.signed_by(&key, &issuer)?;
    let ca = read(&ca_path(folder))?;
    let chain = certificate.pem() + &String::from_utf8_lossy(&ca);
    let files = TlsFiles {
        certificate: folder.join("server.pem"),
        key: folder.join("server-key.pem"),
    };
    write(&files.certificate, chain.as_bytes())?;
    write(&files.key, key.serialize_pem().as_bytes())?;
    Ok(files)
}

fn issuer(folder: &Path) -> Result<Issuer<'static, KeyPair>, TlsError> {
    let key_path = folder.join("ca-key.pem");
    let params = ca_params()?;
    if key_path.exists() {
        let pem = read(&key_path)?;
        let key = KeyPair::from_pem(&String::from_utf8_lossy(&pem))?;
        return Ok(Issuer::new(params, key));
    }
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write(&ca_path(folder), certificate.pem().as_bytes())?;
    write(&key_path, key.serialize_pem().as_bytes())?;
    Ok(Issuer::new(params, key))
}

/// What the own CA says of itself. With its key this is all that signing needs, so the file is never parsed.
fn ca_params() -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Salar CA");
    set_validity(&mut params, 3650);
    Ok(params)
}

/// Makes a certificate valid from yesterday (clocks differ) for `after` days to come.
fn set_validity(params: &mut CertificateParams, after: i64) {
    let day = |offset: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * offset);
        let date = jiff::tz::Offset::UTC.to_datetime(at).date();
        let part = |part: i8| part.unsigned_abs();
        rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    params.not_before = day(-1);
    params.not_after = day(after);
}

/// Name of this machine, if it may stand in a certificate.
pub fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    crate::start::write_private(path, content).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}
