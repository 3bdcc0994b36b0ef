//! `graphics`: the screen of the VM.

use crate::StateError;
use crate::args::Field;
use crate::facts::{Compare, Fact};
use domxml::{Element, Place};

/// The declared graphical console; `kind` is `None` for `type: none`.
#[derive(Debug)]
pub(crate) struct GraphicsWant {
    pub(crate) kind: Option<String>,
    port: Option<u16>,
    tls_port: Option<u16>,
    listen: Listen,
}

#[derive(Debug)]
enum Listen {
    Address(String),
    /// `none`, `socket`, `network`: no address.
    Kind(String),
}

const KINDS: &[&str] = &[
    "none",
    "vnc",
    "spice",
    "rdp",
    "sdl",
    "desktop",
    "egl-headless",
    "dbus",
];

pub(super) fn parse(graphics: &Field) -> Result<GraphicsWant, StateError> {
    let dict = graphics.dict(&["type", "port", "tls_port", "listen"])?;
    let kind = dict.get("type").map(|f| f.one_of(KINDS)).transpose()?;
    let port = |key| -> Result<Option<u16>, StateError> {
        let Some(field) = dict.get(key) else {
            return Ok(None);
        };
        match u16::try_from(field.number()?) {
            Ok(port) if port > 0 => Ok(Some(port)),
            _ => Err(field.refuse("a port from 1 to 65535", None)),
        }
    };
    let listen = match dict.get("listen") {
        None => Listen::Address("0.0.0.0".to_owned()),
        Some(listen) => {
            let listen = listen.dict(&["type", "address"])?;
            let kinds = ["address", "none", "socket", "network"];
            let kind = listen.get("type").map(|f| f.one_of(&kinds)).transpose()?;
            match kind.as_deref() {
                None | Some("address") => Listen::Address(match listen.get("address") {
                    Some(address) => address.machine()?,
                    None => "0.0.0.0".to_owned(),
                }),
                Some(kind) => Listen::Kind(kind.to_owned()),
            }
        }
    };
    if let (Some(field), Some(kind)) = (dict.get("tls_port"), &kind)
        && kind != "spice"
    {
        let remedy = "Leave it out, or write type: spice".to_owned();
        return Err(field.refuse(format!("possible with {kind}"), Some(remedy)));
    }
    if let (Some(field), Listen::Kind(kind)) = (dict.get("port").or(dict.get("tls_port")), &listen)
        && kind != "network"
    {
        let remedy = "Leave it out, or write listen: {address: …}".to_owned();
        return Err(field.refuse(
            format!("possible with listen: {{type: {kind}}}"),
            Some(remedy),
        ));
    }
    if let (Some(one), Some(other)) = (port("port")?, port("tls_port")?)
        && one == other
    {
        let field = dict.need("tls_port")?;
        let remedy = "Write another port".to_owned();
        return Err(field.refuse("free: it is the port without encryption", Some(remedy)));
    }
    Ok(GraphicsWant {
        kind: kind.filter(|kind| kind != "none"),
        port: port("port")?,
        tls_port: port("tls_port")?,
        listen,
    })
}

impl GraphicsWant {
    /// What the definition says of the screen.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let Some(kind) = &self.kind else {
            return vec![Fact::Set {
                parent: Place::at("devices"),
                name: "graphics",
                entries: Vec::new(),
                key: |node| format!("{:?}", node.range()),
            }];
        };
        let place = || Place::at("devices").keyed("graphics", "type", kind);
        let keep = vec![kind.clone()];
        let mut facts = vec![
            super::only(Place::at("devices"), "graphics", "type", keep),
            Fact::text(place().attr("type"), kind),
        ];
        if !matches!(kind.as_str(), "vnc" | "spice" | "rdp") {
            return facts;
        }
        if let Some(port) = self.port {
            facts.push(Fact::text(place().attr("port"), port));
        }
        if let Some(port) = self.tls_port {
            facts.push(Fact::text(place().attr("tlsPort"), port));
        }
        // Without an address there are no ports.
        let has_ports = !matches!(&self.listen, Listen::Kind(kind) if kind != "network");
        let automatic = self.port.is_none() && self.tls_port.is_none();
        let autoport = place().attr("autoport");
        if has_ports {
            facts.push(match automatic {
                true => Fact::text(autoport, "yes"),
                false => Fact::comparing(autoport, "no", Compare::Default("no")),
            });
        }
        let listen = || place().child("listen");
        match &self.listen {
            Listen::Address(address) => {
                facts.push(Fact::text(place().attr("listen"), address));
                facts.push(Fact::text(listen().attr("type"), "address"));
                facts.push(Fact::text(listen().attr("address"), address));
            }
            Listen::Kind(kind) => {
                facts.push(Fact::Absent(place().attr("listen")));
                facts.push(Fact::text(listen().attr("type"), kind));
                facts.push(Fact::Absent(listen().attr("address")));
            }
        }
        facts
    }

    /// What a new VM with this screen also gets.
    pub(crate) fn companion(&self, domain_type: &str) -> Option<Element> {
        let spice = self.kind.as_deref() == Some("spice");
        (spice && matches!(domain_type, "kvm" | "qemu")).then(|| {
            let target = Element::new("target")
                .attr("type", "virtio")
                .attr("name", "com.redhat.spice.0");
            Element::new("channel")
                .attr("type", "spicevmc")
                .child(target)
        })
    }
}
