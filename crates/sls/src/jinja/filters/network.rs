//! Filters on IP addresses, networks and MAC addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::super::mutable::{dict, invalid, list, pairs_of};
use super::named;

/// Addresses `network_hosts` may list.
const HOSTS_LIMIT: u128 = 65_536;

pub(super) fn add(env: &mut Environment<'static>) {
    for (name, versions) in [("ipaddr", &[4, 6][..]), ("ipv4", &[4]), ("ipv6", &[6])] {
        let filter = move |value: Value, options: Option<String>| only(&value, versions, options);
        named::add(env, name, &["options"], filter);
    }
    env.add_filter("is_ip", |text: String| parse(&text).is_some());
    env.add_filter("is_ipv4", |text: String| {
        host(&text).parse::<Ipv4Addr>().is_ok()
    });
    env.add_filter("is_ipv6", |text: String| {
        host(&text).parse::<Ipv6Addr>().is_ok()
    });
    env.add_filter("ipwrap", |value: Value| -> Result<Value, Error> {
        match value.kind() {
            ValueKind::Seq => Ok(list(value.try_iter()?.map(|item| wrap(&item)))),
            _ => Ok(wrap(&value)),
        }
    });
    env.add_filter("ip_host", ip_host);
    env.add_filter("network_size", |text: String| {
        Network::parse(&text).map(|network| network.size())
    });
    env.add_filter("network_hosts", network_hosts);
    env.add_filter("filter_by_networks", filter_by_networks);
    env.add_filter("mac_str_to_bytes", mac_bytes);
}

/// The address without its prefix length.
fn host(text: &str) -> &str {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    // The interface of a link-local address, `fe80::1%eth0`, is no part of it.
    address
        .split_once('%')
        .map_or(address, |(address, _)| address)
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

/// An IPv6 address in brackets, anything else as it is.
fn wrap(value: &Value) -> Value {
    match value.as_str().map(str::parse::<Ipv6Addr>) {
        Some(Ok(address)) => Value::from(format!("[{address}]")),
        _ => value.clone(),
    }
}

/// The value if it is an address of one of the versions and has one of the properties, those of a list that are (one
/// version after the other), else none.
fn only(value: &Value, versions: &[u8], options: Option<String>) -> Result<Value, Error> {
    let options = options.as_deref().map(Property::parse_all).transpose()?;
    let is_wanted = |address: IpAddr| {
        let has = |options: &Vec<Property>| options.iter().any(|one| one.holds(address));
        options.as_ref().is_none_or(has)
    };
    let keep = |value: &Value, version: u8| {
        let address = value.as_str().and_then(parse);
        address.is_some_and(|a| a.is_ipv4() == (version == 4) && is_wanted(a))
    };
    if value.kind() == ValueKind::Seq {
        let items: Vec<Value> = value.try_iter()?.collect();
        let kept = versions.iter().flat_map(|version| {
            let of_version = items.iter().filter(|item| keep(item, *version));
            of_version.cloned().collect::<Vec<_>>()
        });
        return Ok(list(kept));
    }
    Ok(if versions.iter().any(|version| keep(value, *version)) {
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

/// What the `options` of the filters ask for. Source: Salt, `_ip_options`; Python, `ipaddress`.
#[derive(Clone, Copy)]
enum Property {
    Global,
    LinkLocal,
    Loopback,
    Multicast,
    Private,
    Reserved,
    SiteLocal,
    Unspecified,
}

impl Property {
    fn parse_all(words: &str) -> Result<Vec<Self>, Error> {
        let parse = |word: &str| match word.trim() {
            "global" | "public" => Ok(Self::Global),
            "link-local" => Ok(Self::LinkLocal),
            "loopback" => Ok(Self::Loopback),
            "multicast" => Ok(Self::Multicast),
            "private" => Ok(Self::Private),
            "reserved" => Ok(Self::Reserved),
            "site-local" => Ok(Self::SiteLocal),
            "unspecified" => Ok(Self::Unspecified),
            other => Err(invalid(format!(
                "'{other}' is no property of addresses; these are: global, link-local, loopback, multicast, private, \
                 public, reserved, site-local, unspecified"
            ))),
        };
        words.split(',').map(parse).collect()
    }

    fn holds(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Global, address) => !Self::Private.holds(address) && !address.is_multicast(),
            (Self::Loopback, address) => address.is_loopback(),
            (Self::Multicast, address) => address.is_multicast(),
            (Self::Unspecified, address) => address.is_unspecified(),
            (Self::LinkLocal, IpAddr::V4(a)) => a.is_link_local(),
            (Self::LinkLocal, IpAddr::V6(a)) => a.is_unicast_link_local(),
            (Self::Private, IpAddr::V4(a)) => {
                a.is_private()
                    || a.is_loopback()
                    || a.is_link_local()
                    || a.is_documentation()
                    || a.octets()[0] == 0
                    || a.octets()[0] >= 240
            }
            (Self::Private, IpAddr::V6(a)) => {
                a.is_unique_local()
                    || a.is_loopback()
                    || a.is_unspecified()
                    || a.is_unicast_link_local()
                    || a.segments()[..2] == [0x2001, 0xdb8]
            }
            (Self::Reserved, IpAddr::V4(a)) => a.octets()[0] >= 240,
            (Self::Reserved, IpAddr::V6(_)) | (Self::SiteLocal, IpAddr::V4(_)) => false,
            (Self::SiteLocal, IpAddr::V6(a)) => a.segments()[0] & 0xffc0 == 0xfec0,
        }
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

    fn contains(&self, address: IpAddr) -> bool {
        let number = match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        self.v4 == address.is_ipv4()
            && number >= self.first
            && number - self.first <= self.size().saturating_sub(1)
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

/// The addresses that lie in one of the networks, of a list or of each list in a dictionary.
fn filter_by_networks(value: Value, networks: Value) -> Result<Value, Error> {
    if networks.is_none() {
        return Ok(value);
    }
    let parsed = networks
        .try_iter()?
        .map(|text| Network::parse(&text.to_string()));
    let networks = parsed.collect::<Result<Vec<_>, _>>()?;
    let filter = |addresses: &Value| -> Result<Value, Error> {
        let mut inside = Vec::new();
        for text in addresses.try_iter()? {
            let address = parse(&text.to_string())
                .ok_or_else(|| invalid(format!("'{text}' is no address")))?;
            let hits = networks.iter().filter(|network| network.contains(address));
            inside.extend(hits.map(|_| text.clone()));
        }
        Ok(list(inside))
    };
    if value.kind() != ValueKind::Map {
        return filter(&value);
    }
    let of_each = pairs_of(&value)?
        .into_iter()
        .map(|(name, addresses)| Ok((name, filter(&addresses)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(dict(of_each))
}

/// `52:54:00:12:34:56`, with any separator or none, as six bytes.
fn mac_bytes(text: String) -> Result<Value, Error> {
    let wrong = || invalid(format!("'{text}' is no MAC address"));
    let digits: String = match (text.len(), text.chars().nth(2)) {
        (12, _) => text.clone(),
        (17, Some(separator)) => text.replace(separator, ""),
        _ => return Err(wrong()),
    };
    if digits.len() != 12 {
        return Err(wrong());
    }
    let number = u64::from_str_radix(&digits, 16).map_err(|_| wrong())?;
    Ok(Value::from_bytes(number.to_be_bytes()[2..].to_vec()))
}
