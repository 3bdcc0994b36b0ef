//! `network.*`: the host's interfaces, addresses and routes, for templates and conditions.
//!
//! The names are Salt's and have nothing to do with virtual networks (`virt.network_…`). Read by `ip`, as Salt does.
//! Source: Salt 3008, `salt.modules.network`.

use super::file::host_is_here;
use super::table::{Access, Function};
use super::{Call, Fault, Return};
use crate::grains;
use serde_json::{Value, json};
use sls::matcher::in_network;
use sls::{Map, glob};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Stdio;

pub(super) const TABLE: &[Function] = &[
    reads(
        "network.calc_net",
        "ip_addr, netmask=None",
        "network.calc_net ADDRESS [NETMASK]\n\nThe network of an address: 10.0.0.0/8.",
    ),
    reads(
        "network.convert_cidr",
        "cidr",
        "network.convert_cidr NETWORK\n\n{network, netmask, broadcast} of an IPv4 network.",
    ),
    reads(
        "network.default_route",
        "family=None",
        "network.default_route [inet or inet6]\n\nThe default routes.",
    ),
    reads(
        "network.get_fqdn",
        "",
        "network.get_fqdn\n\nThe host's name, with its domain where one is known.",
    ),
    reads(
        "network.get_hostname",
        "",
        "network.get_hostname\n\nThe host's name as its kernel has it.",
    ),
    reads(
        "network.get_route",
        "ip",
        "network.get_route ADDRESS\n\n{destination, gateway, interface, source} of what is sent there.",
    ),
    reads(
        "network.hw_addr",
        "iface",
        "network.hw_addr INTERFACE\n\nMAC address of an interface.",
    ),
    reads(
        "network.hwaddr",
        "iface",
        "network.hwaddr INTERFACE\n\nThe same as network.hw_addr.",
    ),
    reads(
        "network.in_subnet",
        "cidr",
        "network.in_subnet NETWORK\n\nWhether the host has an address in this network.",
    ),
    reads(
        "network.interface",
        "iface",
        "network.interface INTERFACE\n\nIPv4 addresses of an interface.",
    ),
    reads(
        "network.interface_ip",
        "iface",
        "network.interface_ip INTERFACE\n\nThe first IPv4 address of an interface, or an empty text.",
    ),
    reads(
        "network.interfaces",
        "",
        "network.interfaces\n\n{name: up, hwaddr, inet, inet6} of the host's interfaces.",
    ),
    reads(
        "network.ip_addrs",
        "interface=None, include_loopback=False, cidr=None, type=None",
        "network.ip_addrs [INTERFACE] [cidr=NETWORK] [type=public or private]\n\nThe host's IPv4 addresses.",
    ),
    reads(
        "network.ip_addrs6",
        "interface=None, include_loopback=False, cidr=None",
        "network.ip_addrs6 [INTERFACE] [cidr=NETWORK]\n\nThe host's IPv6 addresses.",
    ),
    reads(
        "network.ip_in_subnet",
        "ip_addr, cidr",
        "network.ip_in_subnet ADDRESS NETWORK\n\nWhether the address is in this network.",
    ),
    reads(
        "network.ipaddrs",
        "interface=None, include_loopback=False, cidr=None, type=None",
        "network.ipaddrs [INTERFACE]\n\nThe same as network.ip_addrs.",
    ),
    reads(
        "network.ipaddrs6",
        "interface=None, include_loopback=False, cidr=None",
        "network.ipaddrs6 [INTERFACE]\n\nThe same as network.ip_addrs6.",
    ),
    reads(
        "network.is_loopback",
        "ip_addr",
        "network.is_loopback ADDRESS\n\nWhether this is an address of the loopback interface.",
    ),
    reads(
        "network.is_private",
        "ip_addr",
        "network.is_private ADDRESS\n\nWhether this is an address of a private network.",
    ),
    reads(
        "network.subnets",
        "interfaces=None",
        "network.subnets [INTERFACE]\n\nThe host's IPv4 networks.",
    ),
    reads(
        "network.subnets6",
        "",
        "network.subnets6\n\nThe host's IPv6 networks.",
    ),
];

const fn reads(name: &'static str, signature: &'static str, doc: &'static str) -> Function {
    Function {
        name,
        signature,
        doc,
        access: Access::Reads,
        run: |call| Box::pin(async move { answer(&call).await.map(Return::ok) }),
    }
}

async fn answer(call: &Call<'_>) -> Result<Value, Fault> {
    match call.fun {
        "network.is_private" => return Ok(json!(is_private(address(call, 0, "ip_addr")?))),
        "network.is_loopback" => return Ok(json!(address(call, 0, "ip_addr")?.is_loopback())),
        "network.ip_in_subnet" => {
            let (network, prefix) = network(call, 1, "cidr")?;
            let own = address(call, 0, "ip_addr")?;
            return Ok(json!(in_network(own, network, prefix)));
        }
        "network.calc_net" => return calc_net(call),
        "network.convert_cidr" => return convert_cidr(call),
        _ => host_is_here(call)?,
    }
    match call.fun {
        "network.get_hostname" => {
            let name = tokio::fs::read_to_string("/proc/sys/kernel/hostname").await;
            let name =
                name.map_err(|error| Fault::new(format!("cannot read the host's name: {error}")))?;
            Ok(json!(name.trim()))
        }
        "network.get_fqdn" => Ok(json!(grains::host_name())),
        "network.default_route" => default_route(call).await,
        "network.get_route" => get_route(call).await,
        _ => {
            let all = interfaces(&ip(call, &["address", "show"]).await?);
            of_interfaces(call, all)
        }
    }
}

fn of_interfaces(call: &Call<'_>, all: Map) -> Result<Value, Fault> {
    match call.fun {
        "network.interfaces" => Ok(Value::Object(all)),
        "network.hw_addr" | "network.hwaddr" => Ok(one(call, &all)?["hwaddr"].clone()),
        "network.interface" => Ok(one(call, &all)?["inet"].clone()),
        "network.interface_ip" => {
            let first = &one(call, &all)?["inet"][0]["address"];
            Ok(json!(first.as_str().unwrap_or_default()))
        }
        "network.in_subnet" => {
            let (network, prefix) = network(call, 0, "cidr")?;
            let own = addresses(&all, "inet")
                .into_iter()
                .chain(addresses(&all, "inet6"));
            Ok(json!(
                own.into_iter()
                    .any(|(own, _)| in_network(own, network, prefix))
            ))
        }
        "network.subnets" | "network.subnets6" => {
            let family = if call.fun.ends_with('6') {
                "inet6"
            } else {
                "inet"
            };
            let chosen = chosen(call, &all, "interfaces")?;
            let mut networks: Vec<(IpAddr, u8)> = addresses(&chosen, family)
                .into_iter()
                .filter(|(own, _)| !own.is_loopback())
                .map(|(own, prefix)| (masked(own, prefix), prefix))
                .collect();
            networks.sort_unstable();
            networks.dedup();
            let written = networks
                .iter()
                .map(|(own, prefix)| format!("{own}/{prefix}"));
            Ok(written.map(Value::String).collect())
        }
        "network.ip_addrs" | "network.ipaddrs" => ip_addrs(call, &all, "inet"),
        _ => ip_addrs(call, &all, "inet6"),
    }
}

fn ip_addrs(call: &Call<'_>, all: &Map, family: &str) -> Result<Value, Fault> {
    let chosen = chosen(call, all, "interface")?;
    let loopback = matches!(
        call.args.get(1, "include_loopback"),
        Some(Value::Bool(true))
    );
    let within = match call.args.get(2, "cidr") {
        Some(_) => Some(network(call, 2, "cidr")?),
        None => None,
    };
    let kind = call.args.text(3, "type")?;
    let is_wanted = |own: &IpAddr| match (within, kind.as_deref()) {
        (Some((network, prefix)), _) => in_network(*own, network, prefix),
        (None, Some("public")) => !is_private(*own),
        (None, Some("private")) => is_private(*own),
        _ => true,
    };
    let mut own: Vec<IpAddr> = addresses(&chosen, family)
        .into_iter()
        .map(|(own, _)| own)
        .filter(|own| (loopback || !own.is_loopback()) && is_wanted(own))
        .collect();
    own.sort_unstable();
    own.dedup();
    Ok(own.iter().map(|own| json!(own.to_string())).collect())
}

/// The interfaces that the argument names: a name, several with commas between, a list, or shell patterns of them.
fn chosen(call: &Call<'_>, all: &Map, argument: &str) -> Result<Map, Fault> {
    let patterns: Vec<String> = match call.args.get(0, argument) {
        None => return Ok(all.clone()),
        Some(Value::String(names)) => names
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect(),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        Some(other) => {
            return Err(Fault::new(format!(
                "{}: {other} names no interface",
                call.fun
            )));
        }
    };
    let is_meant = |name: &String| patterns.iter().any(|pattern| glob::matches(pattern, name));
    let meant = all.iter().filter(|(name, _)| is_meant(name));
    Ok(meant
        .map(|(name, about)| (name.clone(), about.clone()))
        .collect())
}

fn one<'a>(call: &Call<'_>, all: &'a Map) -> Result<&'a Value, Fault> {
    let name = call.args.required(0, "iface")?;
    all.get(&name).ok_or_else(|| {
        let there: Vec<&str> = all.keys().map(String::as_str).collect();
        Fault::new(format!(
            "Interface \"{name}\" not in available interfaces: {}",
            there.join(", ")
        ))
    })
}

/// Addresses of a family with the lengths of their prefixes.
fn addresses(all: &Map, family: &str) -> Vec<(IpAddr, u8)> {
    let listed = all
        .values()
        .filter_map(|about| about[family].as_array())
        .flatten();
    listed
        .filter_map(|one| {
            let own: IpAddr = one["address"].as_str()?.parse().ok()?;
            let prefix = match own {
                IpAddr::V4(_) => {
                    u32::from(one["netmask"].as_str()?.parse::<Ipv4Addr>().ok()?).count_ones()
                }
                IpAddr::V6(_) => one["prefixlen"].as_str()?.parse().ok()?,
            };
            Some((own, u8::try_from(prefix).ok()?))
        })
        .collect()
}

/// What `ip -json` says, read as JSON.
async fn ip(call: &Call<'_>, words: &[&str]) -> Result<Value, Fault> {
    let mut command = tokio::process::Command::new("ip");
    command
        .arg("-json")
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let failed = |why: String| {
        Fault::new(format!(
            "{}: cannot run 'ip {}': {why}",
            call.fun,
            words.join(" ")
        ))
        .hint("install iproute2 on the host")
    };
    let said = command
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !said.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&said.stderr).trim().to_owned(),
        ));
    }
    if said.stdout.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!([]));
    }
    serde_json::from_slice(&said.stdout).map_err(|error| failed(error.to_string()))
}

/// Salt's form of `ip -json address show`.
fn interfaces(links: &Value) -> Map {
    let mut all = Map::new();
    for link in links.as_array().into_iter().flatten() {
        let up = link["flags"]
            .as_array()
            .is_some_and(|flags| flags.contains(&json!("UP")));
        let mut about = Map::new();
        about.insert("up".to_owned(), json!(up));
        if let Some(parent) = link["link"].as_str() {
            about.insert("parent".to_owned(), json!(parent));
        }
        if let Some(mac) = link["address"].as_str() {
            about.insert("hwaddr".to_owned(), json!(mac));
        }
        for own in link["addr_info"].as_array().into_iter().flatten() {
            let (family, told) = match own["family"].as_str() {
                Some("inet") => (
                    "inet",
                    json!({
                        "address": own["local"],
                        "netmask": netmask(own["prefixlen"].as_u64().unwrap_or(32)).to_string(),
                        "broadcast": own["broadcast"],
                        "label": own["label"],
                    }),
                ),
                Some("inet6") => (
                    "inet6",
                    json!({
                        "address": own["local"],
                        "prefixlen": own["prefixlen"].to_string(),
                        "scope": own["scope"],
                    }),
                ),
                _ => continue,
            };
            let list = about.entry(family).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(told);
            }
        }
        if let Some(name) = link["ifname"].as_str() {
            all.insert(name.to_owned(), Value::Object(about));
        }
    }
    all
}

async fn default_route(call: &Call<'_>) -> Result<Value, Fault> {
    let family = call.args.text(0, "family")?;
    let families: &[(&str, &str)] = match family.as_deref() {
        None => &[("-4", "inet"), ("-6", "inet6")],
        Some("inet") => &[("-4", "inet")],
        Some("inet6") => &[("-6", "inet6")],
        Some(other) => return Err(Fault::new(format!("Invalid address family {other}"))),
    };
    let mut routes = Vec::new();
    for (option, family) in families {
        let listed = ip(call, &[option, "route", "show", "default"]).await?;
        routes.extend(
            listed
                .as_array()
                .into_iter()
                .flatten()
                .map(|route| route_of(route, family)),
        );
    }
    Ok(Value::Array(routes))
}

fn route_of(route: &Value, family: &str) -> Value {
    let (destination, netmask, none) = match family {
        "inet" => ("0.0.0.0", "0.0.0.0", "0.0.0.0"),
        _ => ("::/0", "", "::"),
    };
    let gateway = route["gateway"].as_str();
    json!({
        "addr_family": family,
        "destination": destination,
        "gateway": gateway.unwrap_or(none),
        "netmask": netmask,
        "flags": if gateway.is_some() { "UG" } else { "U" },
        "interface": route["dev"],
    })
}

async fn get_route(call: &Call<'_>) -> Result<Value, Fault> {
    let to = address(call, 0, "ip")?.to_string();
    let routes = ip(call, &["route", "get", &to]).await?;
    let route = &routes[0];
    Ok(json!({
        "destination": to,
        "gateway": route["gateway"],
        "interface": route["dev"],
        "source": route["prefsrc"],
    }))
}

fn calc_net(call: &Call<'_>) -> Result<Value, Fault> {
    let (own, prefix) = match call.args.text(1, "netmask")? {
        None => network(call, 0, "ip_addr")?,
        Some(mask) => {
            let bits = mask.parse::<Ipv4Addr>().ok().map(u32::from);
            let prefix = bits.filter(|bits| bits.leading_ones() == bits.count_ones());
            let prefix = prefix
                .ok_or_else(|| Fault::new(format!("{}: '{mask}' is no netmask", call.fun)))?;
            (address(call, 0, "ip_addr")?, prefix.leading_ones())
        }
    };
    let prefix = u8::try_from(prefix).unwrap_or(u8::MAX);
    Ok(json!(format!("{}/{prefix}", masked(own, prefix))))
}

fn convert_cidr(call: &Call<'_>) -> Result<Value, Fault> {
    let (own, prefix) = network(call, 0, "cidr")?;
    let prefix = u8::try_from(prefix).unwrap_or(u8::MAX);
    let first = masked(own, prefix);
    let (mask, last) = match first {
        IpAddr::V4(first) => {
            let mask = u32::from(netmask(u64::from(prefix)));
            (
                IpAddr::V4(mask.into()),
                IpAddr::V4((u32::from(first) | !mask).into()),
            )
        }
        IpAddr::V6(first) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            (
                IpAddr::V6(mask.into()),
                IpAddr::V6((u128::from(first) | !mask).into()),
            )
        }
    };
    Ok(json!({
        "network": first.to_string(),
        "netmask": mask.to_string(),
        "broadcast": last.to_string(),
    }))
}

fn address(call: &Call<'_>, position: usize, name: &str) -> Result<IpAddr, Fault> {
    let text = call.args.required(position, name)?;
    text.parse()
        .map_err(|_| Fault::new(format!("{}: '{text}' is no IP address", call.fun)))
}

/// An address, perhaps with the length of its prefix behind a slash.
fn network(call: &Call<'_>, position: usize, name: &str) -> Result<(IpAddr, u32), Fault> {
    let text = call.args.required(position, name)?;
    let (own, prefix) = text
        .split_once('/')
        .map_or((&*text, None), |(own, prefix)| (own, Some(prefix)));
    let read = own.parse::<IpAddr>().ok().and_then(|own| {
        let bits = if own.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok());
        Some((own, prefix.filter(|prefix| *prefix <= bits)?))
    });
    read.ok_or_else(|| {
        Fault::new(format!("{}: '{text}' is no IP network", call.fun))
            .hint("write it as 192.168.44.0/24")
    })
}

fn netmask(prefix: u64) -> Ipv4Addr {
    let shift = 32_u64.saturating_sub(prefix);
    let shift = u32::try_from(shift).unwrap_or(0);
    u32::MAX.checked_shl(shift).unwrap_or(0).into()
}

/// The first address of the network.
fn masked(own: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match own {
        IpAddr::V4(own) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(prefix))
                .unwrap_or(0);
            IpAddr::V4((u32::from(own) & mask).into())
        }
        IpAddr::V6(own) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(prefix))
                .unwrap_or(0);
            IpAddr::V6((u128::from(own) & mask).into())
        }
    }
}

/// Source: the registries of special addresses, RFC 6890.
fn is_private(own: IpAddr) -> bool {
    const NETWORKS: &[(Ipv4Addr, u32)] = &[
        (Ipv4Addr::new(0, 0, 0, 0), 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 29),
        (Ipv4Addr::new(192, 0, 0, 170), 31),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    const NETWORKS6: &[(Ipv6Addr, u32)] = &[
        (Ipv6Addr::LOCALHOST, 128),
        (Ipv6Addr::UNSPECIFIED, 128),
        (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    ];
    let within4 =
        |(network, prefix): &(Ipv4Addr, u32)| in_network(own, IpAddr::V4(*network), *prefix);
    let within6 =
        |(network, prefix): &(Ipv6Addr, u32)| in_network(own, IpAddr::V6(*network), *prefix);
    NETWORKS.iter().any(within4) || NETWORKS6.iter().any(within6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_told_as_salt_tells_them() {
        let links = json!([
            {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "address": "00:00:00:00:00:00", "addr_info": [
                {"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host", "label": "lo"}
            ]},
            {"ifname": "vlan7", "link": "eth0", "flags": [], "address": "02:fc:00:00:00:01", "addr_info": [
                {"family": "inet", "local": "192.0.2.2", "prefixlen": 24, "broadcast": "192.0.2.255", "label": "eth0"},
                {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}
            ]}
        ]);
        let all = interfaces(&links);
        assert_eq!(
            all["vlan7"],
            json!({
                "up": false,
                "parent": "eth0",
                "hwaddr": "02:fc:00:00:00:01",
                "inet": [{"address": "192.0.2.2", "netmask": "255.255.255.0", "broadcast": "192.0.2.255", "label": "eth0"}],
                "inet6": [{"address": "fe80::1", "prefixlen": "64", "scope": "link"}],
            })
        );
        assert_eq!(all["lo"]["inet"][0]["broadcast"], json!(null));
        let with_prefixes = [
            ("127.0.0.1".parse().expect("an address"), 8),
            ("192.0.2.2".parse().expect("an address"), 24),
        ];
        assert_eq!(addresses(&all, "inet"), with_prefixes);
    }

    #[test]
    fn networks_are_masked() {
        for (own, prefix, first) in [
            ("192.0.2.77", 24, "192.0.2.0"),
            ("192.0.2.77", 32, "192.0.2.77"),
            ("192.0.2.77", 0, "0.0.0.0"),
            ("fd00:1::2", 64, "fd00:1::"),
            ("fd00:1::2", 0, "::"),
        ] {
            assert_eq!(
                masked(own.parse().expect("an address"), prefix).to_string(),
                first
            );
        }
        for (own, private) in [
            ("10.1.2.3", true),
            ("172.32.0.1", false),
            ("8.8.8.8", false),
            ("fd00::1", true),
        ] {
            assert_eq!(
                is_private(own.parse().expect("an address")),
                private,
                "{own}"
            );
        }
    }
}
