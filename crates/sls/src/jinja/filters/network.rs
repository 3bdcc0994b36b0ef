//! Filters on IP addresses and networks, and Base64.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::super::mutable::{invalid, list};

/// Addresses `network_hosts` may list.
const HOSTS_LIMIT: u128 = 65_536;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("ipaddr", |value: Value| only(&value, |_| true));
    env.add_filter("ipv4", |value: Value| {
        only(&value, |address| address.is_ipv4())
    });
    env.add_filter("ipv6", |value: Value| {
        only(&value, |address| address.is_ipv6())
    });
    env.add_filter("is_ip", |text: String| parse(&text).is_some());
    env.add_filter("is_ipv4", |text: String| {
        host(&text).parse::<Ipv4Addr>().is_ok()
    });
    env.add_filter("is_ipv6", |text: String| {
        host(&text).parse::<Ipv6Addr>().is_ok()
    });
    env.add_filter("ipwrap", |text: String| match text.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{text}]"),
        Err(_) => text,
    });
    env.add_filter("ip_host", ip_host);
    env.add_filter("network_size", |text: String| {
        Network::parse(&text).map(|network| network.size())
    });
    env.add_filter("network_hosts", network_hosts);
    env.add_filter("base64_encode", |text: String| {
        base64_encode(text.as_bytes())
    });
    env.add_filter("base64_decode", |text: String| base64_decode(&text));
}

/// The address without its prefix length.
fn host(text: &str) -> &str {
    text.split_once('/').map_or(text, |(address, _)| address)
}

/// An address, perhaps with a prefix length that fits it.
fn parse(text: &str) -> Option<IpAddr> {
    let address: IpAddr = host(text).parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let fits = |prefix: &str| prefix.parse::<u32>().is_ok_and(|prefix| prefix <= bits);
    text.split_once('/')
        .is_none_or(|(_, prefix)| fits(prefix))
        .then_some(address)
}

/// The value if it is such an address, those of a list that are, else none.
fn only(value: &Value, wanted: fn(IpAddr) -> bool) -> Result<Value, Error> {
    let keep = |value: &Value| value.as_str().and_then(parse).is_some_and(wanted);
    if value.kind() == ValueKind::Seq {
        return Ok(list(value.try_iter()?.filter(keep)));
    }
    Ok(if keep(value) {
        value.clone()
    } else {
        Value::from(())
    })
}

/// `192.168.0.12/24` stays, an address without a prefix gets the one of a single host.
fn ip_host(text: String) -> Value {
    match (parse(&text), text.contains('/')) {
        (None, _) => Value::from(()),
        (Some(_), true) => Value::from(text),
        (Some(address), false) => Value::from(format!(
            "{text}/{}",
            if address.is_ipv4() { 32 } else { 128 }
        )),
    }
}

/// A network by its first address and the number of bits left for hosts.
struct Network {
    first: u128,
    host_bits: u32,
    v4: bool,
}

impl Network {
    fn parse(text: &str) -> Result<Self, Error> {
        let address = parse(text).ok_or_else(|| invalid(format!("'{text}' is no network")))?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = text
            .split_once('/')
            .and_then(|(_, prefix)| prefix.parse().ok())
            .unwrap_or(bits);
        let number = match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        let host_bits = bits - prefix;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Ok(Network {
            first: number & mask,
            host_bits,
            v4: address.is_ipv4(),
        })
    }

    /// The number of addresses; the whole of IPv6 is one too many for it and saturates.
    fn size(&self) -> u128 {
        1_u128.checked_shl(self.host_bits).unwrap_or(u128::MAX)
    }

    fn address(&self, offset: u128) -> String {
        let number = self.first + offset;
        match u32::try_from(number) {
            Ok(number) if self.v4 => Ipv4Addr::from(number).to_string(),
            _ => Ipv6Addr::from(number).to_string(),
        }
    }
}

/// The addresses between network and broadcast address; all of a network of one or two.
fn network_hosts(text: String) -> Result<Value, Error> {
    let network = Network::parse(&text)?;
    let size = network.size();
    if size > HOSTS_LIMIT {
        return Err(invalid(format!(
            "'{text}' has more than {HOSTS_LIMIT} addresses"
        )));
    }
    let range = if size <= 2 { 0..size } else { 1..size - 1 };
    Ok(list(
        range.map(|offset| Value::from(network.address(offset))),
    ))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_encode(bytes: &[u8]) -> String {
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
