//! What agent and server must agree on for a new agent to be let in.
//!
//! Everything hangs on two keys: the one of the server's CA, whose fingerprint an administrator can compare or a token
//! to join carries, and the one of the agent, whose fingerprint an administrator accepts.

use model::Fingerprint;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use uuid::Uuid;

/// The port that agents dial unless told another. Salt's are the two before it.
pub const PORT: u16 = 4507;

/// The name in the certificate that servers show to agents, whatever address they are dialled by: the CA makes
/// certificates for nobody but Salar's servers and agents.
pub const SERVER_NAME: &str = "server.salar.internal";

/// Longest name of a host, as in the DNS.
pub const LONGEST_NAME: usize = 253;

/// What comes before the point in the DER of every P-256 public key. Source: RFC 5480, 2.1.1.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: 4, then both coordinates.
const POINT: usize = 65;

/// The fingerprint of a public key or certificate in DER.
pub fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

/// A token to join: the fingerprint of the CA that the server must show, and the secret that stands for an acceptance.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// The server's CA. The secret is told to nobody else.
    pub ca: Fingerprint,
    /// The secret.
    pub secret: String,
}

/// A text that is no token to join. It is not repeated: it may be most of one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("this is no token to join; take one from: salar key token")]
pub struct BadToken;

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.ca.hex(), self.secret)
    }
}

/// Without the secret.
impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken")
            .field("ca", &self.ca)
            .finish_non_exhaustive()
    }
}

impl FromStr for JoinToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let (ca, secret) = text.trim().split_once('.').ok_or(BadToken)?;
        let usable = secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        match ca.parse() {
            Ok(ca) if usable => Ok(Self {
                ca,
                secret: secret.to_owned(),
            }),
            _ => Err(BadToken),
        }
    }
}

/// The point of a P-256 public key in DER; `None` for any other key.
pub fn p256_point(public_key: &[u8]) -> Option<&[u8]> {
    let point = public_key.strip_prefix(&P256)?;
    (point.len() == POINT && point[0] == 4).then_some(point)
}

/// What the agent signs: that it wants in as this host under this name, with this key, by this CA. No other program
/// signs a text that begins like this.
pub fn statement(host: Uuid, name: &str, public_key: &[u8], ca: &Fingerprint) -> Vec<u8> {
    let mut text = b"salar enrolment 1\n".to_vec();
    text.extend(host.as_bytes());
    text.extend(ca.0);
    for part in [name.as_bytes(), public_key] {
        text.extend((part.len() as u64).to_be_bytes());
        text.extend(part);
    }
    text
}

/// Whether a host may have this name: what a DNS name or a machine's name consists of. It stands in certificates,
/// targets, tags and logs.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_and_never_shown_by_accident() {
        let token = JoinToken {
            ca: fingerprint(b"ca"),
            secret: "5e".repeat(32),
        };
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert!(!format!("{token:?}").contains("5e5e"));
        for bad in [
            "",
            ".",
            "abc.def",
            &token.ca.hex(),
            &format!("{}.5e", token.ca.hex()),
        ] {
            assert_eq!(bad.parse::<JoinToken>(), Err(BadToken), "{bad}");
        }
    }

    #[test]
    fn only_points_of_p256_are_keys() {
        let mut key = P256.to_vec();
        key.push(4);
        key.extend([7; 64]);
        assert_eq!(p256_point(&key).map(<[u8]>::len), Some(65));
        assert_eq!(p256_point(&key[..90]), None);
        assert_eq!(p256_point(&key[1..]), None);
        key[26] = 2;
        assert_eq!(p256_point(&key), None, "a compressed point");
    }

    #[test]
    fn statements_differ_in_every_part() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ca = fingerprint(b"ca");
        let first = statement(a, "kvm1", b"key", &ca);
        for other in [
            statement(b, "kvm1", b"key", &ca),
            statement(a, "kvm", b"1key", &ca),
            statement(a, "kvm1", b"kez", &ca),
            statement(a, "kvm1", b"key", &fingerprint(b"other")),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn names_are_those_of_machines() {
        for good in ["kvm1", "kvm1.example.org", "KVM_1-a"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            ".hidden",
            "-x",
            "a b",
            "a/b",
            "*",
            "é",
            "a\n",
            &"a".repeat(254),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
