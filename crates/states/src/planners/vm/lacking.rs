//! What a definition holds and its kind of guest cannot have. libvirt's Xen driver takes most of it, starts the VM and
//! leaves it out, so nobody would be told.

use crate::StateError;
use domxml::read::NodeExt;
use model::{Capability, GuestKind};
use roxmltree::Node;

/// Everything in the definition that guests of its kind lack.
pub(super) fn lacking(root: Node) -> Vec<StateError> {
    let mut found = Found {
        kind: GuestKind::of(root.attr("type"), root.text_at("os/type")),
        lacks: Vec::new(),
    };
    found.processor(root);
    found.memory(root);
    found.devices(root);
    found.lacks
}

struct Found {
    kind: GuestKind,
    lacks: Vec<StateError>,
}

impl Found {
    /// Notes that `found` is there under `path`, if that takes something that the guest lacks.
    fn has(&mut self, path: impl Into<String>, found: &str, takes: Capability) {
        let Some(lack) = self.kind.lacks(takes) else {
            return;
        };
        self.lacks.push(StateError::Argument {
            path: path.into(),
            found: found.to_owned(),
            expected: format!("possible on {}: {}", lack.kind, lack.reason),
            remedy: Some("Leave it out for this host".to_owned()),
        });
    }

    /// Notes each child of an element.
    fn children(&mut self, of: Option<Node>, path: &str, but: &str, takes: Capability) {
        let children = of.into_iter().flat_map(|node| node.children());
        for child in children.filter(Node::is_element) {
            let name = child.tag_name().name();
            if name != but {
                self.has(format!("{path}: {name}"), "it", takes);
            }
        }
    }

    fn processor(&mut self, root: Node) {
        if root.child("iothreads").is_some() {
            self.has("cpu: iothreads", "it", Capability::IoThreads);
        }
        let tuning = root.child("cputune");
        self.children(tuning, "cpu: tuning", "vcpupin", Capability::CpuShares);
        let mode = root.attr_at("cpu", "mode");
        match mode {
            "host-passthrough" => self.has("cpu: mode", mode, Capability::HostCpu),
            "host-model" | "maximum" => self.has("cpu: mode", mode, Capability::NamedCpu),
            _ => {}
        }
        let model = root.text_at("cpu/model");
        if !model.is_empty() {
            self.has("cpu: model", model, Capability::NamedCpu);
        }
    }

    fn memory(&mut self, root: Node) {
        let limits = root.child("memtune");
        self.children(limits, "mem", "", Capability::MemoryLimits);
        let backing = root.child("memoryBacking");
        self.children(backing, "mem", "", Capability::MemoryBacking);
        if root.child("numatune").is_some() {
            self.has("numatune", "it", Capability::NumaTuning);
        }
    }

    fn devices(&mut self, root: Node) {
        let os = root.child("os");
        if os.is_some_and(|os| os.attribute("firmware").is_some()) {
            self.has("boot: efi", "True", Capability::Firmware);
        }
        if os.is_some_and(|os| os.child("loader").is_some()) {
            self.has("boot: loader", "it", Capability::Firmware);
        }
        let devices = |name| {
            root.child("devices")
                .map(|devices| devices.children_named(name))
                .unwrap_or_default()
        };
        for disk in devices("disk") {
            let path = format!("disks: {}", disk.attr_at("target", "dev"));
            let bus = disk.attr_at("target", "bus");
            match bus {
                "virtio" => self.has(format!("{path}: model"), bus, Capability::VirtioDevices),
                "" | "xen" => {}
                _ => self.has(format!("{path}: model"), bus, Capability::EmulatedDisk),
            }
            if !disk.attr_at("driver", "iothread").is_empty() {
                self.has(format!("{path}: iothread_id"), "it", Capability::IoThreads);
            }
        }
        for nic in devices("interface") {
            let path = format!("interfaces: {}", nic.attr_at("mac", "address"));
            let model = nic.attr_at("model", "type");
            match model {
                "virtio" => self.has(format!("{path}: model"), model, Capability::VirtioDevices),
                "" | "netfront" => {}
                _ => self.has(format!("{path}: model"), model, Capability::EmulatedNic),
            }
            if nic.attr("type") == "direct" {
                self.has(format!("{path}: type"), "direct", Capability::DirectNic);
            }
        }
        for given in devices("hostdev") {
            let kind = given.attr("type");
            self.has("host_devices", kind, Capability::HostDevices);
        }
        if !devices("serial").is_empty() {
            self.has("serials", "it", Capability::SerialPorts);
        }
        let screens = devices("graphics");
        if screens.iter().any(|screen| screen.attr("type") == "spice") {
            self.has("graphics: type", "spice", Capability::Spice);
        }
    }
}
