//! Network XML: what the model holds of a virtual network.

use crate::read::{NodeExt, XmlError, cidr_of, parse, uuid_of};
use uuid::Uuid;

/// What is read of a network's XML; the other fields of a [`model::Network`] come from libvirt's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Absent in a definition that libvirt has not seen yet.
    pub uuid: Option<Uuid>,
    /// libvirt's name.
    pub name: String,
    /// Bridge device on the host; empty when the kind has none.
    pub bridge: String,
    /// `nat`, `route`, `bridge`…; `isolated` when there is no `<forward>`.
    pub forward: String,
    /// Addresses of the network, `192.168.44.1/24`.
    pub cidrs: Vec<String>,
    /// It hands out addresses.
    pub dhcp: bool,
}

/// Reads the live or the persistent XML of a network.
///
/// # Errors
/// The text is not a network, or has no name.
pub fn read(xml: &str) -> Result<Network, XmlError> {
    let doc = parse("network", "network", xml)?;
    let root = doc.root_element();
    let name = root.text_at("name");
    if name.is_empty() {
        return Err(XmlError::Missing {
            what: "network",
            missing: "<name>",
        });
    }
    let ips = root.children_named("ip");
    Ok(Network {
        uuid: uuid_of(&root),
        name: name.to_owned(),
        bridge: root.attr_at("bridge", "name").to_owned(),
        forward: match root.child("forward") {
            None => "isolated".to_owned(),
            // libvirt's default mode of a `<forward>` without one.
            Some(forward) => forward.attribute("mode").unwrap_or("nat").to_owned(),
        },
        cidrs: ips.iter().filter_map(cidr_of).collect(),
        dhcp: ips
            .iter()
            .any(|ip| ip.find("dhcp/range").is_some() || ip.find("dhcp/host").is_some()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nat_network_is_read() {
        let network = read(
            "<network connections='1'><name>net0</name><uuid>d0e9964e-0000-4000-8000-000000000001</uuid>
               <forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>
               <bridge name='net0-br' stp='on' delay='0'/><mac address='52:54:00:00:00:01'/>
               <ip address='192.168.44.1' netmask='255.255.255.0'>
                 <dhcp><range start='192.168.44.10' end='192.168.44.25'/></dhcp></ip>
               <ip family='ipv6' address='fd00::1' prefix='64'/></network>",
        )
        .expect("a network");
        assert_eq!(network.forward, "nat");
        assert_eq!(network.bridge, "net0-br");
        assert_eq!(network.cidrs, ["192.168.44.1/24", "fd00::1/64"]);
        assert!(network.dhcp && network.uuid.is_some());
    }

    #[test]
    fn no_forward_is_isolated_and_another_document_is_refused() {
        let isolated = read("<network><name>x</name></network>").expect("a network");
        assert_eq!(
            (isolated.forward.as_str(), isolated.dhcp),
            ("isolated", false)
        );
        assert!(matches!(read("<pool/>"), Err(XmlError::WrongRoot { .. })));
        assert!(matches!(read("<network/>"), Err(XmlError::Missing { .. })));
        assert!(matches!(read("<network>"), Err(XmlError::Malformed { .. })));
    }
}
