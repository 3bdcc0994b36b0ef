//! `virt.defined` and `virt.running`: the declared VM.
//! Source: Salt `virt.running`, `virt.update`; libvirt formatdomain.

mod boot;
mod clock;
pub(crate) mod cloud_init;
mod cpu;
mod cputune;
pub(crate) mod disk;
mod graphics;
mod memory;
pub(crate) mod nic;
mod resctrl;
mod serial;

use crate::args::Field;
use crate::facts::Fact;
use crate::want::pool::yes_no;
use crate::{Call, StateError};
use cloud_init::CloudInitWant;
use disk::DiskWant;
use domxml::{Element, Place};
use model::Bytes;
use nic::NicWant;
use roxmltree::Node;

pub(crate) use boot::BootFile;
pub(crate) use graphics::GraphicsWant;

/// The arguments of both functions, beside those that every virt state takes.
pub(crate) const ARGUMENTS: &[&str] = &[
    "cpu",
    "mem",
    "vm_type",
    "disk_profile",
    "disks",
    "nic_profile",
    "interfaces",
    "graphics",
    "seed",
    "install",
    "pub_key",
    "priv_key",
    "os_type",
    "arch",
    "boot",
    "boot_dev",
    "numatune",
    "hypervisor_features",
    "clock",
    "serials",
    "consoles",
    "stop_on_reboot",
    "host_devices",
    "autostart",
    "cloud_init",
];

/// Under which name a definition remembers what its cloud-init drive holds.
pub(crate) const DIGEST: &str = "cloud-init";

/// Only `virt.defined` can leave the running VM alone.
pub(crate) const DEFINED_ONLY: &[&str] = &["live"];

/// A declared VM.
#[derive(Debug)]
pub(crate) struct VmWant {
    pub(crate) name: String,
    /// For a new VM only.
    pub(crate) vm_type: Option<String>,
    /// For a new VM only.
    pub(crate) os_type: Option<String>,
    /// For a new VM only.
    pub(crate) arch: Option<String>,
    /// vCPUs that are to be online.
    pub(crate) vcpus: Option<u32>,
    /// Memory to be given now.
    pub(crate) memory: Option<Bytes>,
    /// Memory is declared well enough for a new VM.
    pub(crate) has_memory: bool,
    /// What the definition says beside its devices.
    pub(crate) facts: Vec<Fact>,
    /// What only a new definition says.
    pub(crate) facts_if_new: Vec<Fact>,
    /// `numatune` and the like, which mean something for QEMU and KVM only.
    pub(crate) qemu_facts: Vec<Fact>,
    /// `None` leaves the disks as they are.
    pub(crate) disks: Option<Vec<DiskWant>>,
    pub(crate) disk_profile: Option<String>,
    /// Data for the guest's first boot, on a drive of its own after the disks.
    pub(crate) cloud_init: Option<CloudInitWant>,
    /// `None` leaves the interfaces as they are.
    pub(crate) nics: Option<Vec<NicWant>>,
    pub(crate) nic_profile: Option<String>,
    /// `None` leaves the graphics as they are.
    pub(crate) graphics: Option<GraphicsWant>,
    /// Serial ports, consoles.
    pub(crate) device_facts: Vec<Fact>,
    /// Devices of the host by libvirt's names; `None` leaves them as they are.
    pub(crate) host_devices: Option<Vec<String>>,
    /// Kernel and initial RAM disk that have to be fetched.
    pub(crate) boot_files: Vec<BootFile>,
    /// `None` leaves the flag as it is.
    pub(crate) autostart: Option<bool>,
    /// Change the running VM too.
    pub(crate) live: bool,
    pub(crate) notes: Vec<String>,
}

impl VmWant {
    /// Reads the arguments.
    pub(crate) fn parse(call: &Call) -> Result<Self, StateError> {
        let vcpus = call
            .get("cpu")
            .map(|cpu| cpu::read(&cpu))
            .transpose()?
            .unwrap_or_default();
        let memory = call
            .get("mem")
            .map(|mem| memory::read(&mem))
            .transpose()?
            .unwrap_or_default();
        let mut want = Self {
            name: call.checked_name()?,
            vm_type: vm_type(call)?,
            os_type: call
                .get("os_type")
                .map(|f| f.one_of(&["hvm", "xen", "xenpvh", "linux", "exe"]))
                .transpose()?,
            arch: call.get("arch").map(|f| f.word()).transpose()?,
            vcpus: vcpus.online,
            memory: memory.current,
            has_memory: memory.enough,
            facts: memory.facts.into_iter().chain(vcpus.facts).collect(),
            facts_if_new: vcpus.facts_if_new,
            qemu_facts: Vec::new(),
            disks: list(call, "disks", disk::parse)?,
            disk_profile: call.get("disk_profile").map(|f| f.word()).transpose()?,
            cloud_init: None,
            nics: Self::read_nics(call)?,
            nic_profile: call.get("nic_profile").map(|f| f.word()).transpose()?,
            graphics: call
                .get("graphics")
                .map(|g| graphics::parse(&g))
                .transpose()?,
            device_facts: Vec::new(),
            host_devices: None,
            boot_files: Vec::new(),
            autostart: call.get("autostart").map(|f| f.bool()).transpose()?,
            live: call.flag("live", true)?,
            notes: Vec::new(),
        };
        want.read_life(call)?;
        want.read_devices(call)?;
        want.read_cloud_init(call)?;
        want.read_seed(call)?;
        Ok(want)
    }

    /// The interfaces alone; `None` when they are not declared.
    pub(crate) fn read_nics(call: &Call) -> Result<Option<Vec<NicWant>>, StateError> {
        list(call, "interfaces", nic::parse)
    }

    fn read_life(&mut self, call: &Call) -> Result<(), StateError> {
        if let Some(boot) = call.get("boot") {
            let (facts, files) = boot::facts(&boot)?;
            self.facts.extend(facts);
            self.boot_files = files;
        }
        match call.get("boot_dev") {
            Some(devices) => self.facts.push(boot::order(&devices)?),
            None => self.facts_if_new.push(boot::default_order()),
        }
        if let Some(clock) = call.get("clock") {
            self.facts.extend(clock::facts(&clock)?);
        }
        // Enforced although not given, as in Salt: state files rely on the default.
        let on_reboot = if call.flag("stop_on_reboot", false)? {
            "destroy"
        } else {
            "restart"
        };
        self.facts
            .push(Fact::text(Place::at("on_reboot"), on_reboot));
        if let Some(numatune) = call.get("numatune") {
            self.qemu_facts.extend(memory::numatune(&numatune)?);
        }
        if let Some(features) = call.get("hypervisor_features") {
            let dict = features.dict(&["kvm-hint-dedicated"])?;
            if let Some(hint) = dict.get("kvm-hint-dedicated") {
                let value = if hint.bool()? { "on" } else { "off" };
                let place = Place::at("features/kvm/hint-dedicated").attr("state");
                self.qemu_facts.push(Fact::text(place, value));
            }
        }
        Ok(())
    }

    fn read_devices(&mut self, call: &Call) -> Result<(), StateError> {
        for (argument, element) in [("serials", "serial"), ("consoles", "console")] {
            if let Some(list) = call.get(argument) {
                self.device_facts.push(serial::fact(&list, element)?);
            }
        }
        let names = list(call, "host_devices", |field| field.word())?;
        self.host_devices = names.map(|mut names| {
            names.dedup();
            names
        });
        Ok(())
    }

    fn read_cloud_init(&mut self, call: &Call) -> Result<(), StateError> {
        let Some(field) = call.get("cloud_init") else {
            return Ok(());
        };
        if self.disks.is_none() && self.disk_profile.is_none() {
            return Err(StateError::Argument {
                path: "cloud_init".to_owned(),
                found: "a drive".to_owned(),
                expected: "possible without disks: the drive comes after them".to_owned(),
                remedy: Some("Declare disks or disk_profile as well".to_owned()),
            });
        }
        let declared = cloud_init::read(&field, &self.name)?;
        self.facts.push(Fact::Remembered {
            name: DIGEST,
            text: declared.data.digest(),
        });
        self.cloud_init = Some(declared);
        Ok(())
    }

    /// Seeding is declined: a guest is prepared by its image or by cloud-init.
    fn read_seed(&mut self, call: &Call) -> Result<(), StateError> {
        let seeds = call.flag("seed", true)?;
        call.flag("install", true)?;
        let has_image = self.disks.iter().flatten().any(|disk| disk.image.is_some());
        let asked = call.args.get("seed").is_some() || call.get("pub_key").is_some();
        if seeds && has_image && asked {
            self.notes.push(
                "seed: no minion is put into the disk; prepare the guest with cloud-init, and say seed: False"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The definition of a VM that does not exist yet, without its facts and devices.
    pub(crate) fn skeleton(&self, domain_type: &str, os_type: &str, arch: &str) -> String {
        let is_pc = matches!(arch, "x86_64" | "i686");
        let features = ["acpi", "apic", "pae"].into_iter().map(Element::new);
        let guest_agent = matches!(domain_type, "kvm" | "qemu").then(|| {
            let target = Element::new("target")
                .attr("type", "virtio")
                .attr("name", "org.qemu.guest_agent.0");
            Element::new("channel").attr("type", "unix").child(target)
        });
        let os = Element::text("type", os_type).attr("arch", arch);
        Element::new("domain")
            .attr("type", domain_type)
            .child(Element::text("name", &self.name))
            .child(Element::new("os").child(os))
            .children(is_pc.then(|| Element::new("features").children(features)))
            .child(Element::new("devices").children(guest_agent))
            .to_string()
    }
}

/// A list argument read item by item; `None` when it is not given.
fn list<T>(
    call: &Call,
    argument: &str,
    parse: impl Fn(&Field) -> Result<T, StateError>,
) -> Result<Option<Vec<T>>, StateError> {
    call.get(argument)
        .map(|field| field.list()?.iter().map(parse).collect())
        .transpose()
}

fn vm_type(call: &Call) -> Result<Option<String>, StateError> {
    let Some(field) = call.get("vm_type") else {
        return Ok(None);
    };
    let known = ["kvm", "qemu", "xen", "test", "vmware", "esxi", "bhyve"];
    let kind = field.one_of(&known)?;
    if matches!(kind.as_str(), "vmware" | "esxi" | "bhyve") {
        return Err(field.not_in_this_version("KVM, QEMU and Xen are"));
    }
    Ok(Some(kind))
}

/// What a row of one of Salt's tables becomes: set, or removed when it is null.
pub(crate) fn row(
    dict: &crate::args::Dict,
    key: &str,
    place: Place,
    read: impl Fn(&Field) -> Result<String, StateError>,
) -> Result<Option<Fact>, StateError> {
    match dict.given(key) {
        None => Ok(None),
        Some(field) if field.is_null() => Ok(Some(Fact::Absent(place))),
        Some(field) => Ok(Some(Fact::text(place, read(&field)?))),
    }
}

/// A boolean row.
pub(crate) fn yes_no_row(field: &Field) -> Result<String, StateError> {
    Ok(yes_no(field.bool()?).to_owned())
}

/// Keys of the entries of a list, for facts that take out the others.
pub(crate) fn only(
    parent: Place,
    name: &'static str,
    key: &'static str,
    keep: Vec<String>,
) -> Fact {
    Fact::Only {
        parent,
        name,
        key,
        keep,
    }
}

/// An attribute as a key.
pub(crate) fn attribute_key(node: Node, names: &[&str]) -> String {
    use domxml::read::NodeExt;
    names
        .iter()
        .map(|name| node.attr(name))
        .collect::<Vec<_>>()
        .join(" ")
}
