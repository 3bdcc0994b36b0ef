//! Fingerprints of keys and certificates.

use std::fmt::{self, Write};
use std::str::FromStr;
use thiserror::Error;

/// SHA-256 of a public key or certificate in DER. Shown as `0a:1b:…`, as Salt does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no fingerprint: 64 hexadecimal digits, with or without colons between the pairs")]
pub struct BadFingerprint(String);

impl Fingerprint {
    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes any text");
            text
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let bad = || BadFingerprint(text.chars().take(200).collect());
        let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = &digits[2 * index..2 * index + 2];
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_shown() {
        let print = Fingerprint(std::array::from_fn(|at| 8 * at as u8));
        assert!(print.to_string().starts_with("00:08:10:"), "{print}");
        assert_eq!(print.to_string().parse(), Ok(print));
        assert_eq!(print.hex().to_uppercase().parse(), Ok(print));
        for bad in [
            "",
            "2c:70",
            &"zz".repeat(32),
            &"ab".repeat(33),
            &"\u{e9}".repeat(32),
        ] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
