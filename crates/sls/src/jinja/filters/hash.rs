//! Digests, Base64 and names made from them.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use minijinja::value::Value;
use minijinja::{Environment, Error};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use uuid::Uuid;

use super::super::mutable::invalid;

/// The name space of Salt's `uuid` filter. Source: Salt, `GLOBAL_UUID`.
const SALT: Uuid = Uuid::from_u128(0x9163_3ebf_1c86_5e33_935a_2806_1f4b_480e);

pub(super) fn add(env: &mut Environment<'static>) {
    for kind in ["md5", "sha1", "sha256", "sha512"] {
        env.add_filter(kind, move |value: &Value| digest(kind, &bytes(value)));
    }
    env.add_filter(
        "hmac",
        |value: &Value, secret: String, challenge: String| {
            base64_encode(&signature(&secret, &bytes(value))) == challenge
        },
    );
    env.add_filter("hmac_compute", |value: &Value, secret: String| {
        hexadecimal(&signature(&secret, &bytes(value)))
    });
    env.add_filter("base64_encode", |value: &Value| {
        base64_encode(&bytes(value))
    });
    env.add_filter("base64_decode", |text: String| base64_decode(&text));
    env.add_filter("uuid", |value: &Value| {
        Uuid::new_v5(&SALT, &bytes(value)).to_string()
    });
}

/// What a value is made of: the bytes themselves, or its text in UTF-8.
fn bytes(value: &Value) -> Vec<u8> {
    match value.as_bytes() {
        Some(bytes) => bytes.to_vec(),
        None => value.to_string().into_bytes(),
    }
}

/// The digest of a kind that Python's hashlib names, in hexadecimal digits.
pub(super) fn digest(kind: &str, bytes: &[u8]) -> Result<String, Error> {
    Ok(match kind {
        "md5" => hexadecimal(&Md5::digest(bytes)),
        "sha1" => hexadecimal(&Sha1::digest(bytes)),
        "sha224" => hexadecimal(&Sha224::digest(bytes)),
        "sha256" => hexadecimal(&Sha256::digest(bytes)),
        "sha384" => hexadecimal(&Sha384::digest(bytes)),
        "sha512" => hexadecimal(&Sha512::digest(bytes)),
        _ => {
            return Err(invalid(format!(
                "'{kind}' is no known hash; these are: md5, sha1, sha224, sha256, sha384, sha512"
            )));
        }
    })
}

fn signature(secret: &str, message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mac = mac.expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn base64_encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) as usize & 63;
            out.push(if at <= chunk.len() {
                char::from(ALPHABET[index])
            } else {
                '='
            });
        }
    }
    out
}

fn base64_decode(text: &str) -> Result<String, Error> {
    let wrong = || invalid("the text is not Base64 of UTF-8");
    let mut bytes = Vec::new();
    let (mut group, mut bits) = (0_u32, 0_u32);
    for c in text
        .bytes()
        .filter(|c| !c.is_ascii_whitespace() && *c != b'=')
    {
        let index = ALPHABET
            .iter()
            .position(|known| *known == c)
            .ok_or_else(wrong)?;
        group = (group << 6 | u32::try_from(index).map_err(|_| wrong())?) & 0xFF_FFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(group >> bits & 0xFF).map_err(|_| wrong())?);
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}
