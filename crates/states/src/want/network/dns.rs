//! `dns`: what the network's name server answers.

use crate::StateError;
use crate::args::Field;
use crate::facts::Fact;
use domxml::read::NodeExt;
use domxml::{Element, Place};
use roxmltree::Node;

pub(super) fn facts(dns: &Field) -> Result<Vec<Fact>, StateError> {
    let dict = dns.dict(&["forwarders", "txt", "hosts", "srvs"])?;
    let mut facts = Vec::new();
    let mut push = |name, entries, key| {
        facts.push(Fact::Set {
            parent: Place::at("dns"),
            name,
            entries,
            key,
        });
    };
    if let Some(list) = dict.get("forwarders") {
        let entries = list
            .list()?
            .iter()
            .map(forwarder)
            .collect::<Result<_, _>>()?;
        push("forwarder", entries, |n| {
            format!("{} {}", n.attr("domain"), n.attr("addr"))
        });
    }
    if let Some(texts) = dict.get("txt") {
        let entries = texts
            .any_dict()?
            .entries()
            .iter()
            .map(|(name, value)| {
                let element = Element::new("txt").attr("name", name);
                Ok(element.attr("value", value.word()?))
            })
            .collect::<Result<_, _>>()?;
        push("txt", entries, |n| {
            format!("{}={}", n.attr("name"), n.attr("value"))
        });
    }
    if let Some(hosts) = dict.get("hosts") {
        let entries = hosts
            .any_dict()?
            .entries()
            .iter()
            .map(|(ip, names)| host(ip, names))
            .collect::<Result<_, _>>()?;
        push("host", entries, host_key);
    }
    if let Some(list) = dict.get("srvs") {
        let entries = list.list()?.iter().map(srv).collect::<Result<_, _>>()?;
        push("srv", entries, srv_key);
    }
    Ok(facts)
}

fn forwarder(item: &Field) -> Result<Element, StateError> {
    let dict = item.dict(&["domain", "addr"])?;
    if dict.get("domain").is_none() && dict.get("addr").is_none() {
        return Err(item.refuse("a forwarder with a domain or an addr", None));
    }
    let domain = dict.get("domain").map(|f| f.dns_name()).transpose()?;
    let address = dict.get("addr").map(|f| f.address()).transpose()?;
    Ok(Element::new("forwarder")
        .attr_opt("domain", domain)
        .attr_opt("addr", address))
}

fn host(ip: &str, names: &Field) -> Result<Element, StateError> {
    let ip = crate::Value::from(ip);
    let address = Field {
        path: names.path.clone(),
        value: &ip,
    };
    let host = Element::new("host").attr("ip", address.address()?);
    let named = names.list()?;
    if named.is_empty() {
        return Err(names.refuse("a list with a name", None));
    }
    named.iter().try_fold(host, |host, name| {
        Ok(host.child(Element::text("hostname", name.dns_name()?)))
    })
}

fn host_key(node: Node) -> String {
    let mut names: Vec<&str> = node
        .children_named("hostname")
        .iter()
        .map(|n| n.text_at(""))
        .collect();
    names.sort_unstable();
    format!("{} {}", node.attr("ip"), names.join(" "))
}

const SRV: &[&str] = &[
    "service", "protocol", "domain", "target", "port", "priority", "weight",
];

fn srv(item: &Field) -> Result<Element, StateError> {
    let dict = item.dict(&[
        "name", "protocol", "target", "port", "priority", "domain", "weight",
    ])?;
    dict.need("name")?;
    dict.need("protocol")?;
    for key in ["port", "priority", "weight"] {
        if let Some(field) = dict.get(key).filter(|_| dict.get("target").is_none()) {
            let remedy = "Add target, the machine that does it".to_owned();
            return Err(field.refuse("possible without target", Some(remedy)));
        }
    }
    SRV.iter().try_fold(Element::new("srv"), |srv, attribute| {
        let key = if *attribute == "service" {
            "name"
        } else {
            attribute
        };
        let value = dict.get(key).map(|f| srv_value(key, &f)).transpose()?;
        Ok(srv.attr_opt(attribute, value))
    })
}

fn srv_value(key: &str, field: &Field) -> Result<String, StateError> {
    match key {
        "protocol" => field.one_of(&["tcp", "udp"]),
        "domain" | "target" => field.dns_name(),
        "port" => Ok(field.number_in(1, 65535)?.to_string()),
        "priority" | "weight" => Ok(field.number_in(0, 65535)?.to_string()),
        _ => field.dns_name(),
    }
}

/// libvirt leaves out numbers that are zero.
fn srv_key(node: Node) -> String {
    let of = |attribute: &&str| match node.attr(attribute) {
        "0" => String::new(),
        value => value.to_owned(),
    };
    SRV.iter().map(of).collect::<Vec<_>>().join(" ")
}
