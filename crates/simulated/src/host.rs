//! Hosts, as their agents see them.

use hypervisor::fake::FakeHypervisor;
use model::{Bytes, HostFacts};
use serde_json::{Map, Value, json};

/// Every tenth host is one of Xen.
const XEN_EVERY: usize = 10;
const CPUS: u32 = 64;
const MEMORY: Bytes = Bytes(512 << 30);
/// Events that wait for a slow agent. A fleet at its fastest tells a host a few in a second.
const HINTS: usize = 4096;

/// A host of the fleet.
#[derive(Clone)]
pub struct Host {
    /// `sim-001`…
    pub name: String,
    /// What runs on it.
    pub hypervisor: FakeHypervisor,
    /// What is different from the machine that the simulation runs on.
    pub grains: Map<String, Value>,
    /// Runs Xen guests.
    pub(crate) is_xen: bool,
}

impl Host {
    /// The host with this number, from 0, without VMs.
    pub(crate) fn new(number: usize) -> Self {
        let name = format!("sim-{:03}", number + 1);
        let is_xen = number % XEN_EVERY == XEN_EVERY - 1;
        let hypervisor = FakeHypervisor::new(&name).with_hint_capacity(HINTS);
        hypervisor.set_facts(facts(&name, is_xen));
        hypervisor.set_capabilities_xml(&capabilities(is_xen));
        hypervisor.add_pool(&pool("default", "/var/lib/libvirt/images"));
        hypervisor.add_pool(&pool("fast", "/srv/fast"));
        hypervisor.add_network(
            "<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>\
             <ip address='192.168.122.1' netmask='255.255.255.0'/></network>",
        );
        let site = ["north", "south"][number % 2];
        let grains = json!({
            "num_cpus": CPUS,
            "mem_total": MEMORY.mib(),
            "host": name,
            "nodename": name,
            "fqdn": format!("{name}.{site}.example"),
            "site": site,
            "rack": format!("r{:02}", number / 20 + 1),
            "ipv4": [format!("10.{}.{}.1", number / 250, number % 250)],
            "ipv6": [],
        });
        let Value::Object(grains) = grains else {
            unreachable!("an object was written")
        };
        Self {
            name,
            hypervisor,
            grains,
            is_xen,
        }
    }
}

fn facts(name: &str, is_xen: bool) -> HostFacts {
    let (hypervisor, version, domain_type) = match is_xen {
        true => ("Xen", "4.17.5", "xen"),
        false => ("QEMU", "7.2.22", "kvm"),
    };
    HostFacts {
        name: name.to_owned(),
        uri: "simulated:///system".to_owned(),
        hypervisor: hypervisor.to_owned(),
        hypervisor_version: version.to_owned(),
        libvirt_version: "9.0.0".to_owned(),
        cpus: CPUS,
        cpu_model: "EPYC".to_owned(),
        arch: "x86_64".to_owned(),
        memory: MEMORY,
        accelerated: true,
        domain_types: vec![domain_type.to_owned()],
        grains: String::new(),
    }
}

fn capabilities(is_xen: bool) -> String {
    let (os_type, emulator, machine, domain) = match is_xen {
        true => (
            "xen",
            "/usr/lib/xen-4.17/bin/qemu-system-i386",
            "xenpv",
            "xen",
        ),
        false => ("hvm", "/usr/bin/qemu-system-x86_64", "q35", "kvm"),
    };
    format!(
        "<capabilities>
  <host><cpu><arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor></cpu></host>
  <guest>
    <os_type>{os_type}</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <emulator>{emulator}</emulator>
      <machine maxCpus='255'>{machine}</machine>
      <domain type='{domain}'/>
    </arch>
    <features><acpi default='on' toggle='yes'/><apic default='on' toggle='no'/></features>
  </guest>
</capabilities>
"
    )
}

fn pool(name: &str, target: &str) -> String {
    format!("<pool type='dir'><name>{name}</name><target><path>{target}</path></target></pool>")
}
