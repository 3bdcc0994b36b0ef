//! Random secrets. The store keeps only their hashes: who reads the store cannot sign in with what it finds.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// 256 random bits, shown once to whoever carries them.
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Panics
    /// When the system has no randomness, without which nothing here is safe.
    pub fn random() -> Self {
        let mut text = String::with_capacity(64);
        for byte in random_bytes::<32>() {
            write!(text, "{byte:02x}").expect("a String takes any text");
        }
        Self(text)
    }

    /// What its bearer shows.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the store keeps of a token.
    pub fn hash(shown: &str) -> Vec<u8> {
        Sha256::digest(shown.as_bytes()).to_vec()
    }
}

/// A password of 100 random bits in four groups, without characters that look alike.
pub fn one_time_password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::with_capacity(23);
    for (index, byte) in random_bytes::<20>().into_iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_long() {
        let (a, b) = (Token::random(), Token::random());
        assert_ne!(a.as_str(), b.as_str());
        assert_eq!(a.as_str().len(), 64);
        assert_ne!(Token::hash(a.as_str()), Token::hash(b.as_str()));
        let password = one_time_password();
        assert_eq!(password.len(), 23);
        assert_ne!(password, one_time_password());
    }
}
