//! A host made of values: it carries plans out and writes definitions as libvirt would.

use domxml::read::NodeExt;
use domxml::{Document, Element, Place};
use model::Vm;
use sls::{Map, Value};
use states::{Call, ChunkPlan, HostPath, Observation, StateError, Verdict, predict};

/// A host that offers KVM, and has nothing yet.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) seen: Observation,
}

/// A declared state, read from YAML as an SLS would be.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) fun: &'static str,
    pub(crate) name: String,
    pub(crate) args: Map,
}

/// `virt.FUN` of `name` with arguments in YAML.
pub(crate) fn virt(fun: &'static str, name: &str, yaml: &str) -> State {
    let value = sls::yaml::load(yaml).expect("readable YAML");
    State {
        fun,
        name: name.to_owned(),
        args: value.as_object().cloned().unwrap_or_default(),
    }
}

impl State {
    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            state: "virt",
            fun: self.fun,
            name: &self.name,
            args: &self.args,
        }
    }

    /// The same with another value of one argument.
    pub(crate) fn with(&self, argument: &str, yaml: &str) -> Self {
        let mut changed = self.clone();
        let value: Value = sls::yaml::load(yaml).expect("readable YAML");
        changed.args.insert(argument.to_owned(), value);
        changed
    }
}

pub(crate) const CAPABILITIES: &str = "<capabilities><host><cpu><arch>x86_64</arch></cpu></host>
    <guest><os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest>
    <guest><os_type>hvm</os_type><arch name='aarch64'><domain type='qemu'/></arch></guest></capabilities>";

impl Host {
    pub(crate) fn new() -> Self {
        Self::offering(CAPABILITIES)
    }

    pub(crate) fn offering(capabilities: &str) -> Self {
        let capabilities = domxml::capabilities::read(capabilities).expect("readable");
        Self {
            seen: Observation {
                capabilities: Some(capabilities),
                ..Observation::default()
            },
        }
    }

    /// Reads what a state needs; what was never made is not there.
    pub(crate) fn observe(&mut self, state: &State) -> Result<(), StateError> {
        let needs = states::needs(&state.call(), &self.seen.config)?;
        let seen = &mut self.seen;
        for pool in needs.pools {
            seen.pools.entry(pool).or_default();
        }
        for network in needs.networks {
            seen.networks.entry(network).or_default();
        }
        for vm in needs.vms {
            seen.vms.entry(vm).or_default();
        }
        for volume in needs.volumes {
            seen.volumes.entry(volume).or_default();
        }
        seen.listed_pools.extend(needs.pool_volumes);
        for secret in needs.secrets {
            seen.secrets.entry(secret).or_default();
        }
        for path in needs.texts {
            seen.texts.entry(path).or_default();
        }
        if needs.node_devices {
            seen.node_devices.get_or_insert_default();
        }
        for path in needs.paths {
            seen.paths.entry(path).or_insert(HostPath::Absent);
        }
        if let Some(more) = states::further_needs(&state.call(), seen)? {
            seen.listed_pools.extend(more.pool_volumes);
            for path in more.paths {
                seen.paths.entry(path).or_insert(HostPath::Absent);
            }
        }
        Ok(())
    }

    pub(crate) fn plan(&mut self, state: &State) -> Result<ChunkPlan, StateError> {
        self.observe(state)?;
        states::plan(&state.call(), &self.seen)
    }

    /// Plans and carries out; every definition is then as libvirt would have written it.
    pub(crate) fn apply(&mut self, state: &State) -> Verdict {
        let plan = self.plan(state).expect("a plan");
        predict(&plan, &mut self.seen);
        self.normalise();
        plan.applied(&[])
    }

    pub(crate) fn vm(&mut self, name: &str) -> &mut Vm {
        self.seen
            .vms
            .get_mut(name)
            .and_then(Option::as_mut)
            .expect("the VM is there")
    }

    fn normalise(&mut self) {
        for pool in self.seen.pools.values_mut().flatten() {
            if pool.uuid.is_nil() {
                pool.uuid = uuid(&pool.name);
            }
            pool.xml = pool_as_libvirt(&pool.xml, pool.uuid);
            pool.xml_live = pool
                .xml_live
                .take()
                .map(|xml| pool_as_libvirt(&xml, pool.uuid));
        }
        for network in self.seen.networks.values_mut().flatten() {
            if network.uuid.is_nil() {
                network.uuid = uuid(&network.name);
            }
            network.xml = network_as_libvirt(&network.xml, network.uuid);
            let uuid = network.uuid;
            network.xml_persistent = network
                .xml_persistent
                .take()
                .map(|xml| network_as_libvirt(&xml, uuid));
        }
        for vm in self.seen.vms.values_mut().flatten() {
            if vm.uuid.is_nil() {
                vm.uuid = uuid(&vm.name);
            }
            let uuid = vm.uuid;
            vm.xml_persistent = vm
                .xml_persistent
                .take()
                .map(|xml| domain_as_libvirt(&xml, uuid));
            vm.xml_live = vm
                .xml_live
                .take()
                .map(|xml| running(&domain_as_libvirt(&xml, uuid)));
        }
    }
}

fn uuid(name: &str) -> uuid::Uuid {
    let mut bytes = [7; 16];
    for (index, byte) in name.bytes().enumerate() {
        bytes[index % 16] ^= byte;
    }
    uuid::Uuid::from_bytes(bytes)
}

fn set(document: &mut Document, place: Place, value: &str) {
    document.set(&place, value).expect("possible");
}

/// Sets what is not there yet.
fn default(document: &mut Document, place: Place, value: &str) {
    if document.get(&place).is_none() {
        set(document, place, value);
    }
}

fn pool_as_libvirt(xml: &str, uuid: uuid::Uuid) -> String {
    let mut pool = Document::new(xml).expect("well-formed");
    default(&mut pool, Place::at("uuid"), &uuid.to_string());
    default(&mut pool, Place::at("capacity"), "0");
    let nowhere = ["iscsi-direct", "rbd", "sheepdog", "gluster"];
    let kind = pool.get(&Place::at("").attr("type")).unwrap_or_default();
    if nowhere.contains(&kind.as_str()) {
        return pool.into_string();
    }
    let permissions = || Place::at("target/permissions");
    default(&mut pool, permissions().child("mode"), "0755");
    default(&mut pool, permissions().child("owner"), "0");
    default(&mut pool, permissions().child("group"), "0");
    pool.into_string()
}

fn network_as_libvirt(xml: &str, uuid: uuid::Uuid) -> String {
    let mut network = Document::new(xml).expect("well-formed");
    default(&mut network, Place::at("uuid"), &uuid.to_string());
    if network.get(&Place::at("forward").attr("mode")).as_deref() == Some("nat") {
        default(
            &mut network,
            Place::at("forward/nat/port").attr("start"),
            "1024",
        );
        default(
            &mut network,
            Place::at("forward/nat/port").attr("end"),
            "65535",
        );
    }
    let forward = network.get(&Place::at("forward").attr("mode"));
    if matches!(forward.as_deref(), None | Some("nat" | "route" | "open")) {
        default(&mut network, Place::at("bridge").attr("name"), "virbr7");
        default(&mut network, Place::at("bridge").attr("stp"), "on");
        default(&mut network, Place::at("bridge").attr("delay"), "0");
        default(
            &mut network,
            Place::at("mac").attr("address"),
            "52:54:00:11:22:33",
        );
    }
    network.into_string()
}

fn domain_as_libvirt(xml: &str, uuid: uuid::Uuid) -> String {
    let mut domain = Document::new(xml).expect("well-formed");
    default(&mut domain, Place::at("uuid"), &uuid.to_string());
    default(&mut domain, Place::at("vcpu"), "1");
    default(&mut domain, Place::at("vcpu").attr("placement"), "static");
    default(
        &mut domain,
        Place::at("os/type").attr("machine"),
        "pc-i440fx-7.2",
    );
    default(&mut domain, Place::at("cpu").attr("mode"), "custom");
    default(&mut domain, Place::at("on_poweroff"), "destroy");
    default(
        &mut domain,
        Place::at("devices/emulator"),
        "/usr/bin/qemu-system-x86_64",
    );
    default(
        &mut domain,
        Place::at("devices/video/model").attr("type"),
        "cirrus",
    );
    let count = |class| {
        domain.read(|root| {
            root.child("devices")
                .map_or(0, |d| d.children_named(class).len())
        })
    };
    let (disks, nics) = (count("disk"), count("interface"));
    let device = |class, index| Place::at("devices").nth(class, index);
    for disk in 0..disks {
        default(
            &mut domain,
            device("disk", disk).child("address").attr("type"),
            "pci",
        );
    }
    for nic in 0..nics {
        let mac = format!("52:54:00:00:00:{nic:02x}");
        default(
            &mut domain,
            device("interface", nic).child("mac").attr("address"),
            &mac,
        );
        let place = device("interface", nic).child("mac").attr("address");
        let mac = domain.get(&place).unwrap_or_default().to_ascii_lowercase();
        set(&mut domain, place, &mac);
    }
    domain.into_string()
}

/// What libvirt adds to a running domain.
fn running(xml: &str) -> String {
    let mut domain = Document::new(xml).expect("well-formed");
    set(&mut domain, Place::at("").attr("id"), "3");
    let count = |class| {
        domain.read(|root| {
            root.child("devices")
                .map_or(0, |d| d.children_named(class).len())
        })
    };
    let (disks, nics) = (count("disk"), count("interface"));
    for disk in 0..disks {
        let place = Place::at("devices").nth("disk", disk);
        if domain.get(&place.clone().child("source")).is_some() {
            set(
                &mut domain,
                place.clone().child("source").attr("index"),
                &(disk + 1).to_string(),
            );
        }
        set(
            &mut domain,
            place.child("alias").attr("name"),
            &format!("virtio-disk{disk}"),
        );
    }
    for nic in 0..nics {
        let place = Place::at("devices").nth("interface", nic);
        set(
            &mut domain,
            place.child("target").attr("dev"),
            &format!("vnet{nic}"),
        );
    }
    let autoport = Place::at("devices/graphics").attr("autoport");
    if domain.get(&autoport).as_deref() == Some("yes") {
        set(
            &mut domain,
            Place::at("devices/graphics").attr("port"),
            "5900",
        );
    }
    if domain.get(&Place::at("seclabel")).is_none() {
        let label = Element::new("seclabel")
            .attr("type", "dynamic")
            .attr("model", "dac");
        domain.insert(&Place::at(""), &label).expect("possible");
    }
    domain.into_string()
}

/// Steps, consequences and what waits, one a line.
pub(crate) fn summary(plan: &ChunkPlan) -> String {
    let steps = plan
        .plan
        .steps
        .iter()
        .map(|s| format!("{} [{}]", s.summary, s.consequence));
    let waits = plan.plan.pending.iter().map(|p| format!("waits: {p}"));
    let notes = plan.notes.iter().map(|n| format!("note: {n}"));
    steps
        .chain(waits)
        .chain(notes)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The result on a few lines.
pub(crate) fn shown(verdict: &Verdict) -> String {
    let changes = Value::Object(verdict.changes.clone());
    format!("{:?} {}\n{changes}", verdict.result, verdict.comment)
}
