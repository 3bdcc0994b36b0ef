//! The server's own certificate authority.
//!
//! It makes certificates for the web interface when none was given, for the server that agents dial, and for agents
//! whose keys are accepted. What a certificate may be used for is fixed when it is made: one of an agent cannot play
//! the server, and the other way round.

use crate::tls::{TlsError, read, write};
use agent_api::enrolment::{self, SERVER_NAME, fingerprint};
use model::Fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SignatureAlgorithm,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the CA says it lives, counted from each start: clients keep the certificate of the first.
const CA_LIFE: Duration = DAY.saturating_mul(3650);

/// A CA whose key is a file of the state folder.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

/// How a server shows itself to others.
pub struct ShownToPeers {
    /// Its certificate and the CA's.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// By which they know it.
    pub fingerprint: Fingerprint,
}

/// The point of an agent's public key, which is all that a certificate for it takes.
struct AgentKey<'a>(&'a [u8]);

impl PublicKeyData for AgentKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// The CA's files in a state folder: certificate and key.
pub const FILES: [&str; 2] = ["ca.pem", "ca-key.pem"];

/// The CA's certificate, for clients to trust.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILES[0])
}

impl Ca {
    /// The CA of a state folder, made if there is none.
    ///
    /// # Errors
    /// When its files cannot be used.
    pub fn open(folder: &Path) -> Result<Self, TlsError> {
        // Servers that share the folder may start at the same time.
        let _alone = lock(folder)?;
        let (path, key_path) = (path(folder), folder.join(FILES[1]));
        let params = params()?;
        let key = if key_path.exists() {
            let pem = read(&key_path)?;
            KeyPair::from_pem(&String::from_utf8_lossy(&pem))?
        } else {
            let key = KeyPair::generate()?;
            write(&path, params.self_signed(&key)?.pem().as_bytes())?;
            write(&key_path, key.serialize_pem().as_bytes())?;
            key
        };
        let pem = read(&path)?;
        let der = CertificateDer::from_pem_slice(&pem).map_err(|_| TlsError::Content {
            path,
            what: "certificate",
        })?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem: String::from_utf8_lossy(&pem).into_owned(),
            der,
        })
    }

    /// Its certificate.
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// What people compare and tokens to join carry.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.der)
    }

    /// Chain and key in PEM for a server of the web interface under these names.
    ///
    /// # Errors
    /// A name cannot stand in a certificate.
    pub fn for_web(&self, names: Vec<String>) -> Result<(String, String), TlsError> {
        let key = KeyPair::generate()?;
        // Browsers accept server certificates of at most 398 days, yesterday included.
        let params = leaf(
            names,
            "Salar server",
            ExtendedKeyUsagePurpose::ServerAuth,
            397 * DAY,
        )?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem() + &self.pem, key.serialize_pem()))
    }

    /// Chain and key for the server that agents dial; made at every start and kept nowhere.
    ///
    /// # Errors
    /// The system has no randomness, or the like.
    pub fn for_link(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let key = KeyPair::generate()?;
        let names = vec![SERVER_NAME.to_owned()];
        let params = leaf(
            names,
            "Salar server",
            ExtendedKeyUsagePurpose::ServerAuth,
            CA_LIFE,
        )?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone(), self.der.clone()];
        Ok((chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
    }

    /// Chain and key with which this server shows itself to other servers of its database, and the key's fingerprint;
    /// made at every start and kept nowhere.
    ///
    /// # Errors
    /// As [`for_link`](Self::for_link).
    pub fn for_peers(&self) -> Result<ShownToPeers, TlsError> {
        let key = KeyPair::generate()?;
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        let params = leaf(Vec::new(), "Salar server", usage, CA_LIFE)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ShownToPeers {
            chain: vec![certificate.der().clone(), self.der.clone()],
            fingerprint: fingerprint(&key.subject_public_key_info()),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// Chain in PEM for the agent of the host `name` with this public key (DER).
    ///
    /// # Errors
    /// The key is none that [`enrolment::p256_point`] reads.
    pub fn for_agent(
        &self,
        name: &str,
        public_key: &[u8],
        life: Duration,
    ) -> Result<String, TlsError> {
        let point =
            enrolment::p256_point(public_key).ok_or(rcgen::Error::UnsupportedSignatureAlgorithm)?;
        let params = leaf(Vec::new(), name, ExtendedKeyUsagePurpose::ClientAuth, life)?;
        let certificate = params.signed_by(&AgentKey(point), &self.issuer)?;
        Ok(certificate.pem() + &self.pem)
    }
}

/// Held while the CA is made.
fn lock(folder: &Path) -> Result<File, TlsError> {
    let path = folder.join("ca.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| TlsError::File { path, source })
}

/// What the CA says of itself. With its key this is all that signing needs, so the file is never parsed for it.
fn params() -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Salar CA");
    set_validity(&mut params, CA_LIFE);
    Ok(params)
}

fn leaf(
    names: Vec<String>,
    common_name: &str,
    usage: ExtendedKeyUsagePurpose,
    life: Duration,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, life);
    Ok(params)
}

/// Makes a certificate valid from yesterday, since clocks differ, and for `life` from now.
fn set_validity(params: &mut CertificateParams, life: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    params.not_before = epoch + now.saturating_sub(DAY);
    params.not_after = epoch + now + life;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_the_same_and_signs_for_agents() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Ca::open(folder.path()).expect("is made");
        let again = Ca::open(folder.path()).expect("is read");
        assert_eq!(first.fingerprint(), again.fingerprint());
        let agent = KeyPair::generate().expect("a key");
        let key = agent.subject_public_key_info();
        let chain = again.for_agent("kvm1", &key, DAY).expect("is signed");
        let leaf = CertificateDer::from_pem_slice(chain.as_bytes()).expect("is PEM");
        let parsed = rustls::server::ParsedCertificate::try_from(&leaf).expect("is a certificate");
        assert_eq!(parsed.subject_public_key_info().as_ref(), key);
        assert!(again.for_agent("kvm1", b"no key", DAY).is_err());
        std::fs::write(path(folder.path()), "rubbish").expect("is written");
        assert!(matches!(
            Ca::open(folder.path()),
            Err(TlsError::Content { .. })
        ));
    }
}
