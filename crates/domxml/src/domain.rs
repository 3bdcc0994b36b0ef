//! Domain XML: what the model holds of a VM, and what a running VM still waits for.

mod pending;

pub use pending::{Pending, differs, is_pending};

use crate::device::HostDevice;
use crate::read::{KIB, NodeExt, XmlError, parse, uuid_of};
use model::vm::{Disk, Graphics, Nic};
use model::{Bytes, Vm};
use roxmltree::Node;
use uuid::Uuid;

/// What is read of a domain's XML; the other fields of a [`model::Vm`] come from libvirt's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Absent in a definition that libvirt has not seen yet.
    pub uuid: Option<Uuid>,
    /// libvirt's name.
    pub name: String,
    /// `kvm`, `qemu`, `xen`, `test`…
    pub domain_type: String,
    /// Running id; `None` in a persistent definition.
    pub id: Option<u32>,
    /// `hvm`, `xen`, `exe`…; empty when not told.
    pub os_type: String,
    /// `x86_64`…; empty when not told.
    pub arch: String,
    /// vCPUs that are online: `vcpu@current`, or all.
    pub vcpus: u32,
    /// vCPUs at most.
    pub vcpus_max: u32,
    /// `<currentMemory>`, or `<memory>` without it.
    pub memory: Bytes,
    /// `<memory>`.
    pub memory_max: Bytes,
    /// `<title>`.
    pub title: String,
    /// `<description>`.
    pub description: String,
    /// Disks, CD-ROM drives and floppies in XML order.
    pub disks: Vec<Disk>,
    /// Network interfaces in XML order; their addresses are not in the XML.
    pub nics: Vec<Nic>,
    /// Graphical consoles.
    pub graphics: Vec<Graphics>,
    /// Devices of the host that it is given: those that can be told apart.
    pub host_devices: Vec<HostDevice>,
}

impl Domain {
    /// Tells a VM what the definition says of it.
    pub fn tell(self, vm: &mut Vm) {
        vm.domain_type = self.domain_type;
        vm.os_type = self.os_type;
        vm.arch = self.arch;
        vm.vcpus = self.vcpus;
        vm.vcpus_max = self.vcpus_max;
        vm.memory = self.memory;
        vm.memory_max = self.memory_max;
        vm.title = self.title;
        vm.description = self.description;
        vm.disks = self.disks;
        vm.nics = self.nics;
        vm.graphics = self.graphics;
    }
}

/// Reads the live or the persistent XML of a domain.
///
/// # Errors
/// The text is not a domain, or has no name.
pub fn read(xml: &str) -> Result<Domain, XmlError> {
    let doc = parse("domain", "domain", xml)?;
    let root = doc.root_element();
    let name = root.text_at("name");
    if name.is_empty() {
        return Err(XmlError::Missing {
            what: "domain",
            missing: "<name>",
        });
    }
    let vcpus_max = root.text_at("vcpu").parse().unwrap_or(1);
    let memory_max = root.size_at("memory", KIB).unwrap_or_default();
    Ok(Domain {
        uuid: uuid_of(&root),
        name: name.to_owned(),
        domain_type: root.attr("type").to_owned(),
        id: root.attr("id").parse().ok(),
        os_type: root.text_at("os/type").to_owned(),
        arch: root.attr_at("os/type", "arch").to_owned(),
        vcpus: root.attr_at("vcpu", "current").parse().unwrap_or(vcpus_max),
        vcpus_max,
        memory: root.size_at("currentMemory", KIB).unwrap_or(memory_max),
        memory_max,
        title: root.text_at("title").to_owned(),
        description: root.text_at("description").to_owned(),
        disks: devices(&root, "disk").iter().map(read_disk).collect(),
        nics: devices(&root, "interface").iter().map(read_nic).collect(),
        graphics: devices(&root, "graphics")
            .iter()
            .map(read_graphics)
            .collect(),
        host_devices: devices(&root, "hostdev")
            .iter()
            .filter_map(|node| HostDevice::of_definition(*node))
            .collect(),
    })
}

fn devices<'a, 'input>(root: &Node<'a, 'input>, class: &str) -> Vec<Node<'a, 'input>> {
    root.child("devices")
        .map(|devices| devices.children_named(class))
        .unwrap_or_default()
}

/// Reads one `<disk>` element.
pub fn read_disk(disk: &Node) -> Disk {
    let device = match disk.attr("device") {
        "" => "disk",
        device => device,
    };
    let pool = disk.attr_at("source", "pool");
    Disk {
        target: disk.attr_at("target", "dev").to_owned(),
        bus: disk.attr_at("target", "bus").to_owned(),
        device: device.to_owned(),
        source: disk_source(disk),
        pool: (!pool.is_empty()).then(|| pool.to_owned()),
        format: disk.attr_at("driver", "type").to_owned(),
        read_only: disk.child("readonly").is_some(),
    }
}

/// A path, `pool/volume`, or `protocol:name`; empty for an empty drive.
fn disk_source(disk: &Node) -> String {
    let Some(source) = disk.child("source") else {
        return String::new();
    };
    match disk.attr("type") {
        "volume" => format!("{}/{}", source.attr("pool"), source.attr("volume")),
        "network" => format!("{}:{}", source.attr("protocol"), source.attr("name")),
        _ => ["file", "dev", "dir", "path", "name"]
            .iter()
            .find_map(|key| source.attribute(*key))
            .unwrap_or("")
            .to_owned(),
    }
}

/// Reads one `<interface>` element.
///
/// An interface that was defined on a network counts as `network`, whatever libvirt has turned it into at start.
pub fn read_nic(nic: &Node) -> Nic {
    let source = nic.child("source");
    let of = |key: &str| source.and_then(|s| s.attribute(key)).unwrap_or("");
    let network = of("network");
    let (kind, source) = if network.is_empty() {
        let by_kind = match nic.attr("type") {
            "bridge" => of("bridge"),
            "direct" | "ethernet" | "vdpa" => of("dev"),
            "vhostuser" => of("path"),
            _ => of("name"),
        };
        (nic.attr("type"), by_kind)
    } else {
        ("network", network)
    };
    let target = nic.attr_at("target", "dev");
    Nic {
        mac: nic.attr_at("mac", "address").to_ascii_lowercase(),
        kind: kind.to_owned(),
        source: source.to_owned(),
        model: nic.attr_at("model", "type").to_owned(),
        target: (!target.is_empty()).then(|| target.to_owned()),
        addresses: Vec::new(),
    }
}

/// Reads one `<graphics>` element.
pub fn read_graphics(graphics: &Node) -> Graphics {
    let listen = match graphics.attr_at("listen", "address") {
        "" => graphics.attr("listen"),
        address => address,
    };
    Graphics {
        kind: graphics.attr("type").to_owned(),
        port: graphics.attr("port").parse().ok().filter(|port| *port != 0),
        listen: listen.to_owned(),
    }
}

#[cfg(test)]
mod tests;
