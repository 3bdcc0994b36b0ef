//! `virt.network_defined` and `virt.network_running`: the declared network.
//! Source: Salt `virt.network_running`; libvirt formatnetwork.

mod dns;
mod ip;

use crate::args::Field;
use crate::facts::{Compare, Fact};
use crate::want::pool::yes_no;
use crate::{Call, StateError};
use domxml::read::NodeExt;
use domxml::{Element, Place};
use ip::IpWant;
use roxmltree::Node;
use std::net::Ipv4Addr;

/// The arguments of both functions, beside those that every virt state takes.
pub(crate) const ARGUMENTS: &[&str] = &[
    "bridge",
    "forward",
    "vport",
    "tag",
    "ipv4_config",
    "ipv6_config",
    "autostart",
    "mtu",
    "domain",
    "nat",
    "interfaces",
    "addresses",
    "physical_function",
    "dns",
];

const FORWARDS: &[&str] = &[
    "nat",
    "route",
    "open",
    "bridge",
    "private",
    "vepa",
    "passthrough",
    "hostdev",
];

const VPORTS: &[&str] = &["802.1Qbg", "802.1Qbh", "openvswitch", "midonet"];

/// A declared network.
#[derive(Debug)]
pub(crate) struct NetworkWant {
    pub(crate) name: String,
    /// `None` is isolated.
    pub(crate) forward: Option<String>,
    pub(crate) autostart: bool,
    /// The bridge that libvirt makes for it.
    pub(crate) bridge: Option<String>,
    facts: Vec<Fact>,
    ips: Vec<IpWant>,
}

impl NetworkWant {
    /// Reads the arguments.
    pub(crate) fn parse(call: &Call) -> Result<Self, StateError> {
        let forward = call.mandatory("forward")?;
        let forward = match forward.value.as_str() {
            None if forward.is_null() => None,
            Some("") => None,
            _ => Some(forward.one_of(FORWARDS)?),
        };
        let mut want = Self {
            name: call.checked_name()?,
            forward,
            autostart: call.flag("autostart", true)?,
            bridge: None,
            facts: Vec::new(),
            ips: Vec::new(),
        };
        want.read_forward(call)?;
        want.read_bridge(call)?;
        want.read_link(call)?;
        if let Some(dns) = call.get("dns") {
            want.facts.extend(dns::facts(&dns)?);
        }
        for (argument, family) in [("ipv4_config", "ipv4"), ("ipv6_config", "ipv6")] {
            if let Some(config) = call.get(argument) {
                let forward = want.forward.as_deref();
                if let Some(mode) = forward.filter(|mode| !Self::is_managed(Some(mode))) {
                    let remedy =
                        "Leave it out: such a network has the addresses of its bridge or card";
                    let expected = format!("possible with forward: {mode}");
                    return Err(config.refuse(expected, Some(remedy.to_owned())));
                }
                want.ips.push(IpWant::parse(&config, family)?);
            }
        }
        Ok(want)
    }

    /// The definition of a network that does not exist yet, without its facts.
    pub(crate) fn skeleton(&self) -> String {
        Element::new("network")
            .child(Element::text("name", &self.name))
            .to_string()
    }

    /// What the definition says; where its addresses are depends on those that are there.
    pub(crate) fn facts(&self, root: Node) -> Vec<Fact> {
        let mut facts = self.facts.clone();
        let mut new_ips = root.children_named("ip").len();
        for ip in &self.ips {
            facts.extend(ip.facts(root, &mut new_ips));
        }
        facts
    }

    /// Its own addresses: `192.168.44.1/24`.
    pub(crate) fn cidrs(&self) -> Vec<String> {
        self.ips.iter().map(IpWant::cidr).collect()
    }

    /// libvirt runs the bridge itself, and so has addresses, DHCP and DNS on it.
    pub(crate) fn is_managed(forward: Option<&str>) -> bool {
        matches!(forward, None | Some("isolated" | "nat" | "route" | "open"))
    }

    fn read_forward(&mut self, call: &Call) -> Result<(), StateError> {
        let forward = Place::at("forward");
        let Some(mode) = &self.forward else {
            if let Some(nat) = call.get("nat") {
                let remedy = "Leave it out, or write forward: nat".to_owned();
                return Err(nat.refuse("possible in an isolated network", Some(remedy)));
            }
            self.facts.push(Fact::Absent(forward));
            return Ok(());
        };
        self.facts
            .push(Fact::text(forward.clone().attr("mode"), mode));
        if mode == "hostdev" {
            self.facts.push(Fact::text(forward.attr("managed"), "yes"));
        }
        if mode != "nat" {
            self.facts.push(Fact::Absent(Place::at("forward/nat")));
        }
        if let Some(nat) = call.get("nat") {
            if mode != "nat" {
                let remedy = "Leave it out, or write forward: nat".to_owned();
                return Err(nat.refuse(format!("possible with forward: {mode}"), Some(remedy)));
            }
            self.read_nat(&nat)?;
        }
        if let Some(interfaces) = call.get("interfaces") {
            let names = interfaces.text()?;
            let entries = names.split_whitespace().map(|name| {
                let name = crate::Value::from(name);
                let field = Field {
                    path: interfaces.path.clone(),
                    value: &name,
                };
                Ok(Element::new("interface").attr("dev", field.device_name()?))
            });
            let entries = entries.collect::<Result<_, StateError>>()?;
            self.push_forward("interface", entries, |n| n.attr("dev").to_owned());
        }
        if let Some(addresses) = call.get("addresses") {
            let text = addresses.text()?;
            let entries = text.split_whitespace();
            let entries = entries.map(|one| pci_address(&addresses, one));
            self.push_forward("address", entries.collect::<Result<_, _>>()?, pci_key);
        }
        if let Some(function) = call.get("physical_function") {
            let place = Place::at("forward/pf").attr("dev");
            self.facts.push(Fact::text(place, function.device_name()?));
        }
        Ok(())
    }

    fn push_forward(&mut self, name: &'static str, entries: Vec<Element>, key: fn(Node) -> String) {
        self.facts.push(Fact::Set {
            parent: Place::at("forward"),
            name,
            entries,
            key,
        });
    }

    fn read_nat(&mut self, nat: &Field) -> Result<(), StateError> {
        let dict = nat.dict(&["address", "port"])?;
        for part in ["address", "port"] {
            let Some(range) = dict.get(part) else {
                continue;
            };
            let dict = range.dict(&["start", "end"])?;
            let (start, end) = (dict.need("start")?, dict.need("end")?);
            let ordered = match part {
                "port" => start.number_in(1, 65535)? <= end.number_in(1, 65535)?,
                _ => ipv4(&start)? <= ipv4(&end)?,
            };
            if !ordered {
                return Err(range.refuse("a range: its end lies before its start", None));
            }
            for (field, key, default) in [(start, "start", "1024"), (end, "end", "65535")] {
                let place = Place::at("forward/nat").child(part_name(part)).attr(key);
                // libvirt writes these ports into any NAT network that states none.
                let compare = match part {
                    "port" => Compare::Default(default),
                    _ => Compare::Text,
                };
                self.facts
                    .push(Fact::comparing(place, field.word()?, compare));
            }
        }
        Ok(())
    }

    fn read_bridge(&mut self, call: &Call) -> Result<(), StateError> {
        let forward = self.forward.as_deref();
        let has_bridge = Self::is_managed(forward) || forward == Some("bridge");
        let Some(bridge) = call.args.get("bridge") else {
            return if has_bridge {
                Err(call.missing("bridge"))
            } else {
                Ok(())
            };
        };
        if bridge.is_null() || bridge == "" || !has_bridge {
            return Ok(());
        }
        let field = Field {
            path: "bridge".to_owned(),
            value: bridge,
        };
        let name = field.device_name()?;
        self.bridge = Some(name.clone());
        let place = Place::at("bridge").attr("name");
        self.facts.push(Fact::text(place, name));
        Ok(())
    }

    fn read_link(&mut self, call: &Call) -> Result<(), StateError> {
        if let Some(mtu) = call.get("mtu") {
            let place = Place::at("mtu").attr("size");
            self.facts
                .push(Fact::text(place, mtu.number_in(68, 65535)?));
        }
        if let Some(domain) = call.get("domain") {
            let dict = domain.dict(&["name", "localOnly"])?;
            let place = || Place::at("domain");
            let name = dict.need("name")?.dns_name()?;
            self.facts.push(Fact::text(place().attr("name"), name));
            if let Some(local) = dict.get("localOnly") {
                let place = place().attr("localOnly");
                let value = yes_no(local.bool()?);
                self.facts
                    .push(Fact::comparing(place, value, Compare::Default("no")));
            }
        }
        if let Some(vport) = call.get("vport") {
            self.read_vport(&vport)?;
        }
        if let Some(tag) = call.get("tag") {
            self.read_vlan(&tag)?;
        }
        Ok(())
    }

    fn read_vport(&mut self, vport: &Field) -> Result<(), StateError> {
        let kind = Place::at("virtualport").attr("type");
        if !vport.value.is_object() {
            self.facts.push(Fact::text(kind, vport.one_of(VPORTS)?));
            return Ok(());
        }
        let dict = vport.dict(&["type", "parameters"])?;
        self.facts
            .push(Fact::text(kind, dict.need("type")?.one_of(VPORTS)?));
        let Some(parameters) = dict.get("parameters") else {
            return Ok(());
        };
        const KNOWN: &[&str] = &[
            "managerid",
            "typeid",
            "typeidversion",
            "instanceid",
            "interfaceid",
            "profileid",
        ];
        let parameters = parameters.dict(KNOWN)?;
        for key in KNOWN {
            if let Some(field) = parameters.get(key) {
                let place = Place::at("virtualport/parameters").attr(key);
                self.facts
                    .push(Fact::text(place, vport_value(key, &field)?));
            }
        }
        Ok(())
    }

    fn read_vlan(&mut self, tag: &Field) -> Result<(), StateError> {
        let mut entries = Vec::new();
        if tag.value.is_object() {
            let dict = tag.dict(&["trunk", "tags"])?;
            if let Some(trunk) = dict.get("trunk") {
                let place = Place::at("vlan").attr("trunk");
                let value = yes_no(trunk.bool()?);
                self.facts
                    .push(Fact::comparing(place, value, Compare::Default("no")));
            }
            for item in dict.need("tags")?.list()? {
                let item = item.dict(&["id", "nativeMode"])?;
                let mode = match item.get("nativeMode") {
                    Some(mode) => Some(mode.one_of(&["tagged", "untagged"])?),
                    None => None,
                };
                entries.push(vlan_tag(&item.need("id")?)?.attr_opt("nativeMode", mode));
            }
        } else {
            entries.push(vlan_tag(tag)?);
        }
        self.facts.push(Fact::Set {
            parent: Place::at("vlan"),
            name: "tag",
            entries,
            key: |n| format!("{} {}", n.attr("id"), n.attr("nativeMode")),
        });
        Ok(())
    }
}

/// Source: libvirt formatnetwork, "virtualport".
fn vport_value(key: &str, field: &Field) -> Result<String, StateError> {
    const MAX_PROFILE: usize = 39;
    match key {
        "managerid" | "typeidversion" => Ok(field.number_in(0, 255)?.to_string()),
        "typeid" => Ok(field.number_in(0, 0xff_ffff)?.to_string()),
        "profileid" => match field.word()? {
            name if name.len() <= MAX_PROFILE => Ok(name),
            _ => Err(field.refuse(format!("a text of at most {MAX_PROFILE} characters"), None)),
        },
        _ => field.uuid(),
    }
}

fn ipv4(field: &Field) -> Result<Ipv4Addr, StateError> {
    let parsed = field.word()?.parse();
    parsed.map_err(|_| field.refuse("an IPv4 address such as 10.0.0.1", None))
}

fn part_name(part: &str) -> &'static str {
    if part == "port" { "port" } else { "address" }
}

fn vlan_tag(field: &Field) -> Result<Element, StateError> {
    match field.number()? {
        id @ 0..=4095 => Ok(Element::new("tag").attr("id", id)),
        _ => Err(field.refuse("a VLAN tag from 0 to 4095", None)),
    }
}

/// `0000:04:00.1` as libvirt writes it.
fn pci_address(field: &Field, text: &str) -> Result<Element, StateError> {
    let parse = || {
        let (rest, function) = text.rsplit_once('.')?;
        let mut parts = rest.split(':');
        let (domain, bus, slot) = (parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str| u32::from_str_radix(part, 16).ok();
        Some((hex(domain)?, hex(bus)?, hex(slot)?, hex(function)?))
    };
    let (domain, bus, slot, function) = parse()
        .ok_or_else(|| field.refuse("a list of PCI addresses such as 0000:04:00.1", None))?;
    Ok(Element::new("address")
        .attr("type", "pci")
        .attr("domain", format!("0x{domain:04x}"))
        .attr("bus", format!("0x{bus:02x}"))
        .attr("slot", format!("0x{slot:02x}"))
        .attr("function", format!("0x{function:x}")))
}

fn pci_key(node: Node) -> String {
    ["domain", "bus", "slot", "function"]
        .map(|part| node.attr(part).to_owned())
        .join(":")
}
