//! Networks.

use super::{Candidate, Declared, candidate};
use crate::{Map, Observation, Value};
use domxml::read::{NodeExt, parse};
use model::Network;
use roxmltree::Node;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub(super) fn declare(
    network: &Network,
    seen: &Observation,
    ids: &mut BTreeSet<String>,
) -> Declared {
    let fun = match network.active {
        true => "network_running",
        false => "network_defined",
    };
    let xml = network.xml_persistent.as_ref().unwrap_or(&network.xml);
    let Ok(doc) = parse("network", "network", xml) else {
        return super::declare(ids, (fun, &network.name), Map::new(), Vec::new(), seen);
    };
    let (mut must, candidates) = arguments(doc.root_element());
    must.insert("autostart".to_owned(), json!(network.autostart));
    super::declare(ids, (fun, &network.name), must, candidates, seen)
}

fn arguments(root: Node) -> (Map, Vec<Candidate>) {
    let text = |value: &str| match value {
        "" => Value::Null,
        value => json!(value),
    };
    let forward = root
        .child("forward")
        .map(|forward| match forward.attr("mode") {
            "" => "nat",
            mode => mode,
        });
    let mut must = Map::new();
    must.insert("bridge".to_owned(), text(root.attr_at("bridge", "name")));
    must.insert("forward".to_owned(), text(forward.unwrap_or_default()));
    let mut candidates = Vec::new();
    for (argument, family, about) in [
        ("ipv4_config", "ipv4", "the IPv4 network"),
        ("ipv6_config", "ipv6", "the IPv6 network"),
    ] {
        let of_family = |ip: &Node| match ip.attr("family") {
            "" => family == "ipv4",
            given => given == family,
        };
        let ips = root.children_named("ip");
        if let Some(config) = ips.iter().find(|ip| of_family(ip)).and_then(ip_config) {
            candidates.push(candidate(argument, config, about));
        }
    }
    let mtu = root.attr_at("mtu", "size");
    if let Ok(size) = mtu.parse::<u64>() {
        candidates.push(candidate("mtu", json!(size), "the MTU"));
    }
    if let Some(domain) = root.child("domain") {
        let mut value = json!({ "name": domain.attr("name") });
        if domain.attr("localOnly") == "yes" {
            value["localOnly"] = json!(true);
        }
        candidates.push(candidate("domain", value, "the DNS domain"));
    }
    if let Some(nat) = root.find("forward/nat") {
        candidates.push(candidate("nat", self::nat(&nat), "the NAT range"));
    }
    if let Some(dns) = root.child("dns").map(|dns| self::dns(&dns))
        && dns.as_object().is_some_and(|dns| !dns.is_empty())
    {
        candidates.push(candidate("dns", dns, "the DNS entries"));
    }
    if let Some(forward) = root.child("forward") {
        let devices = forward.children_named("interface");
        let devices: Vec<&str> = devices.iter().map(|device| device.attr("dev")).collect();
        if !devices.is_empty() {
            let value = json!(devices.join(" "));
            candidates.push(candidate("interfaces", value, "the interfaces"));
        }
        let function = forward.attr_at("pf", "dev");
        if !function.is_empty() {
            let value = json!(function);
            candidates.push(candidate(
                "physical_function",
                value,
                "the physical function",
            ));
        }
    }
    (must, candidates)
}

/// `ipv4_config` or `ipv6_config`; `None` when the address is no network.
fn ip_config(ip: &Node) -> Option<Value> {
    let address = ip.attr("address");
    let prefix: u32 = match (ip.attr("prefix"), ip.attr("netmask")) {
        ("", "") => return None,
        ("", mask) => u32::from(mask.parse::<Ipv4Addr>().ok()?).leading_ones(),
        (prefix, _) => prefix.parse().ok()?,
    };
    let network = network_of(address, prefix)?;
    let mut config = json!({ "cidr": format!("{network}/{prefix}") });
    let mut put = |key: &str, value: Value| config[key] = value;
    if let Some(dhcp) = ip.child("dhcp") {
        let ranges: Vec<Value> = dhcp
            .children_named("range")
            .iter()
            .map(|range| json!({"start": range.attr("start"), "end": range.attr("end")}))
            .collect();
        if !ranges.is_empty() {
            put("dhcp_ranges", json!(ranges));
        }
        let hosts: Map = dhcp
            .children_named("host")
            .iter()
            .map(|host| {
                let keys = ["mac", "name", "id"];
                let given = keys.iter().filter(|key| !host.attr(key).is_empty());
                let entry: Map = given
                    .map(|key| ((*key).to_owned(), json!(host.attr(key))))
                    .collect();
                (host.attr("ip").to_owned(), Value::Object(entry))
            })
            .collect();
        if !hosts.is_empty() {
            put("hosts", Value::Object(hosts));
        }
        if let Some(bootp) = dhcp.child("bootp") {
            let mut entry = json!({ "file": bootp.attr("file") });
            if !bootp.attr("server").is_empty() {
                entry["server"] = json!(bootp.attr("server"));
            }
            put("bootp", entry);
        }
    }
    let tftp = ip.attr_at("tftp", "root");
    if !tftp.is_empty() {
        put("tftp", json!(tftp));
    }
    Some(config)
}

/// The address with its host bits cleared.
fn network_of(address: &str, prefix: u32) -> Option<std::net::IpAddr> {
    match address.parse().ok()? {
        std::net::IpAddr::V4(address) => {
            let mask = u32::MAX
                .checked_shl(32_u32.checked_sub(prefix)?)
                .unwrap_or(0);
            Some(Ipv4Addr::from(u32::from(address) & mask).into())
        }
        std::net::IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128_u32.checked_sub(prefix)?)
                .unwrap_or(0);
            Some(std::net::Ipv6Addr::from(u128::from(address) & mask).into())
        }
    }
}

fn nat(nat: &Node) -> Value {
    let range = |node: Node| json!({"start": node.attr("start"), "end": node.attr("end")});
    let mut value = Map::new();
    if let Some(address) = nat.child("address") {
        value.insert("address".to_owned(), range(address));
    }
    if let Some(port) = nat.child("port") {
        let number = |key: &str| port.attr(key).parse::<u64>().unwrap_or_default();
        let ports = json!({"start": number("start"), "end": number("end")});
        value.insert("port".to_owned(), ports);
    }
    Value::Object(value)
}

fn dns(dns: &Node) -> Value {
    let attributes = |node: &Node, keys: &[&str]| -> Value {
        let given = keys.iter().filter(|key| !node.attr(key).is_empty());
        given
            .map(|key| ((*key).to_owned(), json!(node.attr(key))))
            .collect::<Map>()
            .into()
    };
    let list = |name: &str, keys: &[&str]| -> Vec<Value> {
        let nodes = dns.children_named(name);
        nodes.iter().map(|node| attributes(node, keys)).collect()
    };
    let mut value = Map::new();
    let forwarders = list("forwarder", &["domain", "addr"]);
    if !forwarders.is_empty() {
        value.insert("forwarders".to_owned(), json!(forwarders));
    }
    let texts: Map = dns
        .children_named("txt")
        .iter()
        .map(|txt| (txt.attr("name").to_owned(), json!(txt.attr("value"))))
        .collect();
    if !texts.is_empty() {
        value.insert("txt".to_owned(), Value::Object(texts));
    }
    let hosts: Map = dns
        .children_named("host")
        .iter()
        .map(|host| {
            let names = host.children_named("hostname");
            let names: Vec<&str> = names.iter().map(|name| name.text_at("")).collect();
            (host.attr("ip").to_owned(), json!(names))
        })
        .collect();
    if !hosts.is_empty() {
        value.insert("hosts".to_owned(), Value::Object(hosts));
    }
    let keys = [
        "service", "protocol", "domain", "target", "port", "priority", "weight",
    ];
    let records: Vec<Value> = list("srv", &keys)
        .into_iter()
        .map(|mut record| {
            if let Value::Object(map) = &mut record {
                if let Some(service) = map.shift_remove("service") {
                    map.shift_insert(0, "name".to_owned(), service);
                }
                for key in ["port", "priority", "weight"] {
                    let number = map.get(key).and_then(Value::as_str);
                    if let Some(number) = number.and_then(|text| text.parse::<u64>().ok()) {
                        map.insert(key.to_owned(), json!(number));
                    }
                }
            }
            record
        })
        .collect();
    if !records.is_empty() {
        value.insert("srvs".to_owned(), json!(records));
    }
    Value::Object(value)
}
