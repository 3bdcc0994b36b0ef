//! `ipv4_config`, `ipv6_config`: addresses and DHCP.

use crate::StateError;
use crate::args::Field;
use crate::facts::Fact;
use domxml::read::{NodeExt, netmask_prefix};
use domxml::{Element, Place};
use roxmltree::Node;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One `<ip>`. Lists that are not given are left as they are.
#[derive(Debug)]
pub(super) struct IpWant {
    family: &'static str,
    /// The host's own address: the first usable one.
    address: IpAddr,
    prefix: u32,
    ranges: Option<Vec<Element>>,
    hosts: Option<Vec<Element>>,
    bootp: Option<(String, Option<String>)>,
    tftp: Option<String>,
}

impl IpWant {
    pub(super) fn parse(config: &Field, family: &'static str) -> Result<Self, StateError> {
        let dict = config.dict(&["cidr", "dhcp_ranges", "hosts", "bootp", "tftp"])?;
        for key in ["bootp", "tftp"] {
            if let Some(field) = dict.get(key).filter(|_| family == "ipv6") {
                let remedy = "Leave it out, or move it to ipv4_config".to_owned();
                return Err(field.refuse("possible with IPv6 in libvirt", Some(remedy)));
            }
        }
        let cidr = dict.need("cidr")?;
        let (network, prefix) = parse_cidr(&cidr, family)?;
        let ranges = match dict.get("dhcp_ranges") {
            Some(list) => Some(ranges(&list, network, prefix)?),
            None => None,
        };
        let hosts = match dict.get("hosts") {
            Some(hosts) => {
                let entries = hosts.any_dict()?.entries();
                let entries = entries.iter();
                let entries = entries
                    .map(|(ip, item)| host(ip, item, network, prefix))
                    .collect::<Result<Vec<_>, _>>()?;
                refuse_doubles(&hosts, &entries)?;
                Some(entries)
            }
            None => None,
        };
        let bootp = match dict.get("bootp") {
            Some(bootp) => {
                let bootp = bootp.dict(&["file", "server"])?;
                let server = bootp.get("server").map(|s| s.machine()).transpose()?;
                Some((bootp.need("file")?.word()?, server))
            }
            None => None,
        };
        Ok(Self {
            family,
            address: first_usable(network, prefix),
            prefix,
            ranges,
            hosts,
            bootp,
            tftp: dict.get("tftp").map(|t| t.path()).transpose()?,
        })
    }

    pub(super) fn cidr(&self) -> String {
        format!("{}/{}", self.address, self.prefix)
    }

    /// What the definition says of this family; `new_ips` counts the elements that are there or will be.
    pub(super) fn facts(&self, root: Node, new_ips: &mut usize) -> Vec<Fact> {
        let ips = root.children_named("ip");
        let old = ips.iter().position(|ip| family_of(ip) == self.family);
        let index = old.unwrap_or_else(|| {
            *new_ips += 1;
            *new_ips - 1
        });
        let place = || Place::at("").nth("ip", index);
        let mut facts = Vec::new();
        let same = old.is_some_and(|at| address_of(&ips[at]) == Some((self.address, self.prefix)));
        if !same {
            facts.push(Fact::text(place().attr("family"), self.family));
            facts.push(Fact::text(place().attr("address"), self.address));
            facts.push(Fact::Absent(place().attr("netmask")));
            facts.push(Fact::text(place().attr("prefix"), self.prefix));
        }
        let mut list = |name, entries: &Option<Vec<Element>>, key| {
            if let Some(entries) = entries {
                facts.push(Fact::Set {
                    parent: place().child("dhcp"),
                    name,
                    entries: entries.clone(),
                    key,
                });
            }
        };
        list("range", &self.ranges, range_key);
        list("host", &self.hosts, host_key);
        if let Some((file, server)) = &self.bootp {
            let bootp = || place().child("dhcp").child("bootp");
            facts.push(Fact::text(bootp().attr("file"), file));
            if let Some(server) = server {
                facts.push(Fact::text(bootp().attr("server"), server));
            }
        }
        if let Some(tftp) = &self.tftp {
            facts.push(Fact::text(place().child("tftp").attr("root"), tftp));
        }
        facts
    }
}

fn family_of(ip: &Node) -> &'static str {
    match (ip.attr("family"), ip.attr("address").contains(':')) {
        ("ipv6", _) | ("", true) => "ipv6",
        _ => "ipv4",
    }
}

fn address_of(ip: &Node) -> Option<(IpAddr, u32)> {
    let address = ip.attr("address").parse().ok()?;
    let prefix = match ip.attribute("prefix") {
        Some(prefix) => prefix.parse().ok()?,
        None => netmask_prefix(ip.attribute("netmask")?)?,
    };
    Some((address, prefix))
}

fn range_key(node: Node) -> String {
    format!("{}-{}", node.attr("start"), node.attr("end"))
}

fn host_key(node: Node) -> String {
    let mac = node.attr("mac").to_ascii_lowercase();
    format!(
        "{mac} {} {} {}",
        node.attr("id"),
        node.attr("name"),
        node.attr("ip")
    )
}

/// A network address; set host bits are refused with the address that was probably meant.
fn parse_cidr(field: &Field, family: &str) -> Result<(IpAddr, u32), StateError> {
    let text = field.word()?;
    let form = if family == "ipv4" {
        "192.168.44.0/24"
    } else {
        "fd00:44::/64"
    };
    let expected = format!("a network address such as {form}");
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        Some((address.parse::<IpAddr>().ok()?, prefix.parse::<u32>().ok()?))
    });
    let Some((address, prefix)) = parsed else {
        return Err(field.refuse(expected, None));
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if address.is_ipv4() != (family == "ipv4") || prefix > bits {
        return Err(field.refuse(expected, None));
    }
    let network = masked(address, prefix);
    if network != address {
        let remedy = format!("It has host bits set. Write {network}/{prefix}");
        return Err(field.refuse(expected, Some(remedy)));
    }
    Ok((network, prefix))
}

fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            Ipv4Addr::from(u32::from(a) & mask).into()
        }
        IpAddr::V6(a) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            Ipv6Addr::from(u128::from(a) & mask).into()
        }
    }
}

fn first_usable(network: IpAddr, prefix: u32) -> IpAddr {
    match network {
        IpAddr::V4(a) if prefix < 31 => Ipv4Addr::from(u32::from(a) + 1).into(),
        IpAddr::V6(a) if prefix < 127 => Ipv6Addr::from(u128::from(a) + 1).into(),
        single => single,
    }
}

/// An address of the network.
fn member(field: &Field, network: IpAddr, prefix: u32) -> Result<IpAddr, StateError> {
    let text = field.word()?;
    match text.parse::<IpAddr>() {
        Ok(address)
            if address.is_ipv4() == network.is_ipv4() && masked(address, prefix) == network =>
        {
            Ok(address)
        }
        _ => Err(field.refuse(format!("an address of {network}/{prefix}"), None)),
    }
}

fn ranges(list: &Field, network: IpAddr, prefix: u32) -> Result<Vec<Element>, StateError> {
    let mut taken: Vec<(IpAddr, IpAddr)> = Vec::new();
    let mut elements = Vec::new();
    for item in list.list()? {
        let (start, end) = range(&item, network, prefix)?;
        if let Some((from, to)) = taken.iter().find(|(from, to)| start <= *to && *from <= end) {
            let remedy = "Make them one range, or keep them apart".to_owned();
            return Err(item.refuse(
                format!("free: the range {from} to {to} overlaps it"),
                Some(remedy),
            ));
        }
        taken.push((start, end));
        elements.push(Element::new("range").attr("start", start).attr("end", end));
    }
    Ok(elements)
}

fn range(item: &Field, network: IpAddr, prefix: u32) -> Result<(IpAddr, IpAddr), StateError> {
    let dict = item.dict(&["start", "end"])?;
    let (first, last) = (dict.need("start")?, dict.need("end")?);
    let start = member(&first, network, prefix)?;
    let end = member(&last, network, prefix)?;
    if end < start {
        return Err(item.refuse("a range: its end lies before its start", None));
    }
    for (field, address) in [(&first, start), (&last, end)] {
        if is_reserved(address, network, prefix) {
            let remedy = "Leave out the first and the last address of the network".to_owned();
            return Err(field.refuse("the address of a machine", Some(remedy)));
        }
    }
    Ok((start, end))
}

/// The address of the network itself, or the one for all of its machines.
fn is_reserved(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    match (address, prefix) {
        (IpAddr::V4(a), ..31) => {
            address == network || u32::from(a) | (u32::MAX << (32 - prefix).min(31)) == u32::MAX
        }
        (IpAddr::V6(_), ..127) => address == network,
        _ => false,
    }
}

fn host(ip: &str, item: &Field, network: IpAddr, prefix: u32) -> Result<Element, StateError> {
    let key = crate::Value::String(ip.to_owned());
    let address = Field {
        path: item.path.clone(),
        value: &key,
    };
    let address = {
        let found = member(&address, network, prefix)?;
        if is_reserved(found, network, prefix) || found == first_usable(network, prefix) {
            let expected = "free: it is the network's own, or that of its host";
            return Err(address.refuse(expected, Some("Take another address".to_owned())));
        }
        found
    };
    let dict = item.dict(&["mac", "name", "id"])?;
    // libvirt knows IPv4 hosts by their address on the link, IPv6 hosts by the identifier (DUID) that they send.
    let (other, remedy) = match address.is_ipv4() {
        true => ("id", "Write mac, or leave id out: it is for IPv6"),
        false => ("mac", "Write id (the DUID) or name: mac is for IPv4"),
    };
    if let Some(field) = dict.get(other) {
        return Err(field.refuse(format!("possible for {address}"), Some(remedy.to_owned())));
    }
    let mac = dict.get("mac").map(|f| f.mac()).transpose()?;
    let id = dict.get("id").map(|f| duid(&f)).transpose()?;
    let name = dict.get("name").map(|f| f.dns_name()).transpose()?;
    if mac.is_none() && id.is_none() && name.is_none() {
        let remedy = match address.is_ipv4() {
            true => "Add mac, the address that asks for it",
            false => "Add id or name",
        };
        return Err(item.refuse("enough to know the machine by", Some(remedy.to_owned())));
    }
    Ok(Element::new("host")
        .attr_opt("mac", mac)
        .attr_opt("id", id)
        .attr_opt("name", name)
        .attr("ip", address))
}

/// The identifier of a DHCP client in IPv6.
fn duid(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    let octet = |part: &str| (1..=2).contains(&part.len()) && u8::from_str_radix(part, 16).is_ok();
    match text.contains(':') && text.split(':').all(octet) {
        true => Ok(text),
        false => Err(field.refuse(
            "a DUID: pairs of hexadecimal digits with colons between them",
            None,
        )),
    }
}

/// Two hosts of one address on the link, name or identifier would get one lease.
fn refuse_doubles(hosts: &Field, entries: &[Element]) -> Result<(), StateError> {
    for key in ["mac", "id", "name", "ip"] {
        let mut taken = std::collections::BTreeSet::new();
        let double = entries
            .iter()
            .filter_map(|host| host.get(key))
            .find(|value| !taken.insert(*value));
        if let Some(value) = double {
            return Err(StateError::Argument {
                path: hosts.path.clone(),
                found: format!("{key} {value:?}"),
                expected: "of one host only".to_owned(),
                remedy: Some("Leave it to one of them".to_owned()),
            });
        }
    }
    Ok(())
}
