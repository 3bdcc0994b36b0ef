//! Devices of the host that a guest can be given: as libvirt lists them, and as a definition names them.
//! Source: libvirt formatnode, formatdomain "Host device assignment".

use crate::build::Element;
use crate::read::{NodeExt, XmlError, parse};
use roxmltree::Node;
use std::fmt;

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDevice {
    /// libvirt's name of it: `pci_0000_00_04_0`, `usb_1_2`.
    pub name: String,
    /// Its first capability: `pci`, `usb_device`, `net`, `storage`…
    pub kind: String,
    /// What a guest would be given; `None` for what cannot be given.
    pub assignable: Option<HostDevice>,
}

/// How a definition names a device of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostDevice {
    /// By its place on the bus.
    Pci {
        /// PCI domain.
        domain: u32,
        /// Bus.
        bus: u32,
        /// Slot.
        slot: u32,
        /// Function.
        function: u32,
    },
    /// By what it is: another port does not matter.
    Usb {
        /// Vendor.
        vendor: u32,
        /// Product.
        product: u32,
    },
}

/// `pci 0000:00:04.0`, `usb 1d6b:0002`.
impl fmt::Display for HostDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci {
                domain,
                bus,
                slot,
                function,
            } => write!(f, "pci {domain:04x}:{bus:02x}:{slot:02x}.{function}"),
            Self::Usb { vendor, product } => write!(f, "usb {vendor:04x}:{product:04x}"),
        }
    }
}

impl HostDevice {
    /// The device that a `<hostdev>` of a definition names; `None` for kinds other than PCI and USB.
    pub fn of_definition(hostdev: Node) -> Option<Self> {
        let source = hostdev.child("source")?;
        match hostdev.attr("type") {
            "pci" => {
                let address = source.child("address")?;
                let part = |name| number(address.attr(name));
                Some(Self::Pci {
                    domain: part("domain").unwrap_or_default(),
                    bus: part("bus")?,
                    slot: part("slot")?,
                    function: part("function").unwrap_or_default(),
                })
            }
            "usb" => Some(Self::Usb {
                vendor: number(source.attr_at("vendor", "id"))?,
                product: number(source.attr_at("product", "id"))?,
            }),
            _ => None,
        }
    }

    /// The `<hostdev>` that gives it to a guest. libvirt takes it from its driver at the start, and gives it back.
    pub fn element(self) -> Element {
        let hostdev = |kind| {
            Element::new("hostdev")
                .attr("mode", "subsystem")
                .attr("type", kind)
                .attr("managed", "yes")
        };
        let source = Element::new("source");
        match self {
            Self::Pci {
                domain,
                bus,
                slot,
                function,
            } => {
                let address = Element::new("address")
                    .attr("domain", format!("0x{domain:04x}"))
                    .attr("bus", format!("0x{bus:02x}"))
                    .attr("slot", format!("0x{slot:02x}"))
                    .attr("function", format!("0x{function:x}"));
                hostdev("pci").child(source.child(address))
            }
            Self::Usb { vendor, product } => {
                let id = |name, id| Element::new(name).attr("id", format!("0x{id:04x}"));
                let source = source
                    .child(id("vendor", vendor))
                    .child(id("product", product));
                hostdev("usb").child(source)
            }
        }
    }
}

/// Decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Reads a `<device>`.
///
/// # Errors
/// The text is no such XML.
pub fn read(xml: &str) -> Result<NodeDevice, XmlError> {
    let doc = parse("device", "device", xml)?;
    let root = doc.root_element();
    let capability = root.child("capability");
    let kind = capability.map(|node| node.attr("type").to_owned());
    Ok(NodeDevice {
        name: root.text_at("name").to_owned(),
        kind: kind.unwrap_or_default(),
        assignable: capability.and_then(assignable),
    })
}

fn assignable(capability: Node) -> Option<HostDevice> {
    let part = |name| number(capability.text_at(name));
    match capability.attr("type") {
        "pci" => Some(HostDevice::Pci {
            domain: part("domain")?,
            bus: part("bus")?,
            slot: part("slot")?,
            function: part("function")?,
        }),
        "usb_device" => Some(HostDevice::Usb {
            vendor: number(capability.attr_at("vendor", "id"))?,
            product: number(capability.attr_at("product", "id"))?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_of_the_host_is_found_again_in_a_definition() {
        let pci = "<device><name>pci_0000_3b_00_1</name><capability type='pci'><domain>0</domain><bus>59</bus><slot>0</slot>
            <function>1</function></capability></device>";
        let usb = "<device><name>usb_1_2</name><capability type='usb_device'><bus>1</bus><device>2</device>
            <product id='0x0002'/><vendor id='0x1d6b'>Linux</vendor></capability></device>";
        for (xml, shown) in [(pci, "pci 0000:3b:00.1"), (usb, "usb 1d6b:0002")] {
            let device = read(xml).expect("a device").assignable.expect("assignable");
            assert_eq!(device.to_string(), shown);
            let element = device.element().to_xml(0);
            let doc = roxmltree::Document::parse(&element).expect("well-formed");
            let again = HostDevice::of_definition(doc.root_element());
            assert_eq!(again, Some(device), "{element}");
        }
    }

    #[test]
    fn what_cannot_be_given_has_a_kind_all_the_same() {
        let net = "<device><name>net_eth0</name><capability type='net'/></device>";
        let read = read(net).expect("a device");
        assert_eq!((read.kind.as_str(), read.assignable), ("net", None));
        let mediated = "<hostdev type='mdev'><source><address uuid='x'/></source></hostdev>";
        let doc = roxmltree::Document::parse(mediated).expect("well-formed");
        assert_eq!(HostDevice::of_definition(doc.root_element()), None);
    }
}
