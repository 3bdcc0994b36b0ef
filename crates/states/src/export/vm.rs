//! VMs.

use super::{Candidate, Declared, candidate};
use crate::planners::vm::kernel::is_grub;
use crate::planners::vm::network_volume_of;
use crate::{Map, Observation, Value};
use domxml::device::HostDevice;
use domxml::read::{KIB, NodeExt, parse};
use domxml::tuning::{MEMORY, SCHEDULER};
use model::vm::Disk;
use model::{Bytes, Vm, VmStatus};
use roxmltree::Node;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn declare(vm: &Vm, seen: &Observation, ids: &mut BTreeSet<String>) -> Declared {
    let fun = match vm.status {
        VmStatus::Running => "running",
        _ => "defined",
    };
    let xml = vm.xml_persistent.as_ref().or(vm.xml_live.as_ref());
    let doc = xml.map(|xml| parse("domain", "domain", xml));
    let Some(Ok(doc)) = doc else {
        return super::declare(ids, (fun, &vm.name), Map::new(), Vec::new(), seen);
    };
    let root = doc.root_element();
    let mut must = Map::new();
    must.insert("vm_type".to_owned(), json!(root.attr("type")));
    must.insert("seed".to_owned(), json!(false));
    let destroys = root.text_at("on_reboot") == "destroy";
    must.insert("stop_on_reboot".to_owned(), json!(destroys));
    let mut state = super::declare(ids, (fun, &vm.name), must, candidates(vm, root, seen), seen);
    let given = state.args.contains_key("host_devices");
    state.notes.extend(unspoken(root, given));
    state
}

fn candidates(vm: &Vm, root: Node, seen: &Observation) -> Vec<Candidate> {
    let count = cpu(root);
    let mut all = vec![candidate("cpu", count.clone(), "the vCPUs")];
    let more = processor(root);
    if !more.is_empty() {
        let mut whole = match count {
            Value::Object(count) => count,
            number => Map::from_iter([("maximum".to_owned(), number)]),
        };
        whole.extend(more);
        let about = "the CPU's model, features and tuning";
        all.push(candidate("cpu", Value::Object(whole), about));
    }
    if let Some(memory) = memory(root) {
        all.push(candidate("mem", memory.clone(), "the memory"));
        let limits = limits(root);
        if !limits.is_empty() {
            let mut whole = match memory {
                Value::Object(memory) => memory,
                size => Map::from_iter([
                    ("boot".to_owned(), size.clone()),
                    ("current".to_owned(), size),
                ]),
            };
            whole.extend(limits);
            all.push(candidate(
                "mem",
                Value::Object(whole),
                "the limits of memory",
            ));
        }
    }
    let os = root.child("os");
    let kind = root.text_at("os/type");
    if !matches!(kind, "" | "hvm") {
        // libvirt reads a paravirtual guest of Xen back as linux.
        let kind = match (root.attr("type"), kind) {
            ("xen", "linux") => "xen",
            (_, kind) => kind,
        };
        all.push(candidate("os_type", json!(kind), "the guest type"));
    }
    let arch = root.attr_at("os/type", "arch");
    if !matches!(arch, "" | "x86_64") {
        all.push(candidate("arch", json!(arch), "the architecture"));
    }
    if let Some(os) = os {
        let boot = boot(os);
        if !boot.is_empty() {
            all.push(candidate("boot", Value::Object(boot), "how it boots"));
        }
        let devices = os.children_named("boot");
        let devices: Vec<&str> = devices.iter().map(|device| device.attr("dev")).collect();
        if !devices.is_empty() {
            let value = json!(devices.join(" "));
            all.push(candidate("boot_dev", value, "the boot order"));
        }
    }
    if let Some(clock) = root.child("clock") {
        all.push(candidate("clock", self::clock(clock), "the clock"));
    }
    let disks = vm.disks.iter().map(|disk| self::disk(disk, root, seen));
    let disks: Vec<Value> = disks.collect();
    all.push(candidate("disks", json!(disks), "the disks"));
    if let Some(interfaces) = interfaces(vm) {
        all.push(candidate("interfaces", interfaces, "the interfaces"));
    }
    let devices = root.child("devices");
    if let Some(graphics) = devices.and_then(|devices| devices.child("graphics")) {
        all.push(candidate(
            "graphics",
            self::graphics(graphics),
            "the console",
        ));
    }
    for (argument, name) in [("serials", "serial"), ("consoles", "console")] {
        let nodes = devices
            .map(|devices| devices.children_named(name))
            .unwrap_or_default();
        if !nodes.is_empty() {
            let ports: Vec<Value> = nodes.iter().map(|node| port(*node)).collect();
            all.push(candidate(argument, json!(ports), argument));
        }
    }
    if let Some(given) = host_devices(root, seen) {
        all.push(candidate("host_devices", given, "devices of the host"));
    }
    all.push(candidate("autostart", json!(vm.autostart), "autostart"));
    all
}

fn cpu(root: Node) -> Value {
    let maximum: u64 = root.text_at("vcpu").parse().unwrap_or(1);
    let mut told = Map::new();
    for key in ["current", "placement", "cpuset"] {
        let value = root.attr_at("vcpu", key);
        if value.is_empty() || (key, value) == ("placement", "static") {
            continue;
        }
        let value = value
            .parse::<u64>()
            .map_or_else(|_| json!(value), |n| json!(n));
        told.insert(key.to_owned(), value);
    }
    if let Some(topology) = root.find("cpu/topology") {
        let keys = ["sockets", "dies", "cores", "threads"];
        let parts: Map = keys
            .iter()
            .filter_map(|key| {
                Some((
                    (*key).to_owned(),
                    json!(topology.attr(key).parse::<u64>().ok()?),
                ))
            })
            .collect();
        told.insert("topology".to_owned(), Value::Object(parts));
    }
    for key in ["mode", "match", "check"] {
        let value = root.attr_at("cpu", key);
        if !value.is_empty() {
            told.insert(key.to_owned(), json!(value));
        }
    }
    if told.is_empty() {
        return json!(maximum);
    }
    told.shift_insert(0, "maximum".to_owned(), json!(maximum));
    Value::Object(told)
}

/// What else the definition says of the CPU: model, features, threads, tuning.
fn processor(root: Node) -> Map {
    let mut told = Map::new();
    if let Some(model) = root.find("cpu/model") {
        let mut entry = Map::new();
        if !model.text_at("").is_empty() {
            entry.insert("name".to_owned(), json!(model.text_at("")));
        }
        for key in ["fallback", "vendor_id"] {
            if !model.attr(key).is_empty() {
                entry.insert(key.to_owned(), json!(model.attr(key)));
            }
        }
        told.insert("model".to_owned(), Value::Object(entry));
    }
    if !root.text_at("cpu/vendor").is_empty() {
        told.insert("vendor".to_owned(), json!(root.text_at("cpu/vendor")));
    }
    let features = root.child("cpu").map(|cpu| cpu.children_named("feature"));
    let features: Map = features
        .unwrap_or_default()
        .iter()
        .map(|feature| {
            (
                feature.attr("name").to_owned(),
                json!(feature.attr("policy")),
            )
        })
        .collect();
    if !features.is_empty() {
        told.insert("features".to_owned(), Value::Object(features));
    }
    if let Ok(threads) = root.text_at("iothreads").parse::<u64>() {
        told.insert("iothreads".to_owned(), json!(threads));
    }
    let tuning = root.child("cputune").map(tuning).unwrap_or_default();
    if !tuning.is_empty() {
        told.insert("tuning".to_owned(), Value::Object(tuning));
    }
    told
}

fn tuning(node: Node) -> Map {
    let mut told = Map::new();
    for (_, place) in SCHEDULER {
        let key = place.rsplit('/').next().unwrap_or_default();
        if let Ok(number) = node.text_at(key).parse::<i64>() {
            told.insert(key.to_owned(), json!(number));
        }
    }
    let emulator = node.attr_at("emulatorpin", "cpuset");
    if !emulator.is_empty() {
        told.insert("emulatorpin".to_owned(), json!(emulator));
    }
    for (name, key) in [("vcpupin", "vcpu"), ("iothreadpin", "iothread")] {
        let pins = node.children_named(name);
        let pins: Map = pins
            .iter()
            .map(|pin| (pin.attr(key).to_owned(), json!(pin.attr("cpuset"))))
            .collect();
        if !pins.is_empty() {
            told.insert(name.to_owned(), Value::Object(pins));
        }
    }
    told
}

fn limits(root: Node) -> Map {
    let limits = MEMORY.iter().filter_map(|(key, place)| {
        let size = root.size_at(place, KIB)?;
        Some(((*key).to_owned(), json!(format!("{}KiB", size.kib()))))
    });
    limits.collect()
}

/// The names of the devices that the VM is given; `None` when it has none, or one that the host does not list.
fn host_devices(root: Node, seen: &Observation) -> Option<Value> {
    let devices = root.child("devices")?.children_named("hostdev");
    let known = seen.node_devices.as_deref().unwrap_or_default();
    let name = |device: HostDevice| {
        let found = known.iter().find(|known| known.assignable == Some(device));
        found.map(|found| found.name.clone())
    };
    let names: Option<Vec<String>> = devices
        .iter()
        .filter_map(|node| HostDevice::of_definition(*node))
        .map(name)
        .collect();
    names
        .filter(|names| !names.is_empty())
        .map(|names| json!(names))
}

/// MiB where that is exact, else a dictionary.
fn memory(root: Node) -> Option<Value> {
    let boot = root.size_at("memory", KIB)?;
    let current = root.size_at("currentMemory", KIB).unwrap_or(boot);
    let size = |bytes: Bytes| match bytes.0 % (1 << 20) {
        0 => json!(bytes.0 >> 20),
        _ => json!(format!("{}KiB", bytes.kib())),
    };
    if boot == current && root.child("maxMemory").is_none() {
        return Some(size(boot));
    }
    let mut told = json!({"boot": size(boot), "current": size(current)});
    if let Some(most) = root.size_at("maxMemory", KIB) {
        told["max"] = size(most);
        if let Ok(slots) = root.attr_at("maxMemory", "slots").parse::<u64>() {
            told["slots"] = json!(slots);
        }
    }
    Some(told)
}

fn boot(os: Node) -> Map {
    let mut told = Map::new();
    for key in ["kernel", "initrd", "cmdline", "loader"] {
        let value = os.text_at(key);
        // GRUB as a guest's kernel is chosen anew on each host.
        let is_chosen = key == "kernel" && is_grub(value);
        if !value.is_empty() && !is_chosen {
            told.insert(key.to_owned(), json!(value));
        }
    }
    let nvram = os.attr_at("nvram", "template");
    if !nvram.is_empty() {
        told.insert("nvram".to_owned(), json!(nvram));
    }
    if os.attr("firmware") == "efi" {
        told = Map::from_iter([("efi".to_owned(), json!(true))]);
    }
    told
}

fn clock(clock: Node) -> Value {
    let mut told = Map::new();
    match clock.attr("offset") {
        "timezone" => drop(told.insert("timezone".to_owned(), json!(clock.attr("timezone")))),
        offset => drop(told.insert("utc".to_owned(), json!(offset != "localtime"))),
    }
    let adjustment = clock.attr("adjustment");
    if !adjustment.is_empty() {
        told.insert("adjustment".to_owned(), json!(adjustment));
    }
    let timers: Map = clock
        .children_named("timer")
        .iter()
        .map(|timer| {
            let mut entry = Map::new();
            for key in ["track", "tickpolicy", "frequency", "mode"] {
                let value = timer.attr(key);
                if !value.is_empty() {
                    entry.insert(key.to_owned(), json!(value));
                }
            }
            if !timer.attr("present").is_empty() {
                entry.insert("present".to_owned(), json!(timer.attr("present") == "yes"));
            }
            for key in ["slew", "threshold", "limit"] {
                if let Ok(number) = timer.attr_at("catchup", key).parse::<u64>() {
                    entry.insert(key.to_owned(), json!(number));
                }
            }
            (timer.attr("name").to_owned(), Value::Object(entry))
        })
        .collect();
    if !timers.is_empty() {
        told.insert("timers".to_owned(), Value::Object(timers));
    }
    Value::Object(told)
}

fn disk(disk: &Disk, root: Node, seen: &Observation) -> Value {
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    put("name", json!(disk.target));
    if disk.device != "disk" {
        put("device", json!(disk.device));
    }
    if !disk.bus.is_empty() {
        put("model", json!(disk.bus));
    }
    if !disk.format.is_empty() {
        put("format", json!(disk.format));
    }
    let volume = disk.pool.as_ref().and_then(|pool| {
        let name = disk.source.strip_prefix(pool)?.strip_prefix('/')?;
        Some((pool, name))
    });
    let volume = volume.or_else(|| {
        let mut pools = seen.pools.values().flatten();
        pools.find_map(|pool| Some((&pool.name, network_volume_of(pool, &disk.source)?)))
    });
    match volume {
        Some((pool, name)) => {
            put("pool", json!(pool));
            put("source_file", json!(name));
        }
        None if disk.source.is_empty() => put("source_file", Value::Null),
        None => put(
            "source_file",
            json!(network_source(disk, root).unwrap_or(disk.source.clone())),
        ),
    }
    let nodes = root
        .child("devices")
        .map(|devices| devices.children_named("disk"));
    let nodes = nodes.unwrap_or_default();
    let node = nodes
        .iter()
        .find(|node| node.attr_at("target", "dev") == disk.target);
    if let Some(node) = node {
        let io = node.attr_at("driver", "io");
        if !matches!(io, "" | "native") {
            put("io", json!(io));
        }
        if let Ok(thread) = node.attr_at("driver", "iothread").parse::<u64>() {
            put("iothread_id", json!(thread));
        }
    }
    Value::Object(told)
}

/// The URL of a disk that is fetched over the network.
fn network_source(disk: &Disk, root: Node) -> Option<String> {
    let nodes = root.child("devices")?.children_named("disk");
    let node = nodes.iter().find(|node| {
        node.attr_at("target", "dev") == disk.target && node.attr("type") == "network"
    })?;
    let protocol = node.attr_at("source", "protocol");
    if !matches!(protocol, "http" | "https" | "ftp" | "ftps" | "tftp") {
        return None;
    }
    let host = node.find("source/host")?;
    let port = match host.attr("port") {
        "" => String::new(),
        port => format!(":{port}"),
    };
    let query = match node.attr_at("source", "query") {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let name = node.attr_at("source", "name").trim_start_matches('/');
    Some(format!(
        "{protocol}://{}{port}/{name}{query}",
        host.attr("name")
    ))
}

/// `None` when one of them is of a kind that the language does not have.
fn interfaces(vm: &Vm) -> Option<Value> {
    let known = |kind: &str| matches!(kind, "network" | "bridge");
    if !vm.nics.iter().all(|nic| known(&nic.kind)) {
        return None;
    }
    let tell = |(index, nic): (usize, &model::vm::Nic)| {
        let mut told = json!({
            "name": format!("eth{index}"),
            "type": nic.kind,
            "source": nic.source,
        });
        if !nic.mac.is_empty() {
            told["mac"] = json!(nic.mac);
        }
        if !nic.model.is_empty() {
            told["model"] = json!(nic.model);
        }
        told
    };
    Some(vm.nics.iter().enumerate().map(tell).collect())
}

fn graphics(node: Node) -> Value {
    let mut told = json!({ "type": node.attr("type") });
    for (key, attribute) in [("port", "port"), ("tls_port", "tlsPort")] {
        if let Ok(port) = node.attr(attribute).parse::<u16>()
            && node.attr("autoport") != "yes"
        {
            told[key] = json!(port);
        }
    }
    if let Some(listen) = node.child("listen") {
        let mut entry = json!({ "type": listen.attr("type") });
        if !listen.attr("address").is_empty() {
            entry["address"] = json!(listen.attr("address"));
        }
        told["listen"] = entry;
    }
    told
}

fn port(node: Node) -> Value {
    let mut told = json!({ "type": node.attr("type") });
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            let number = value.parse::<u64>().ok().filter(|_| key.ends_with("port"));
            told[key] = number.map_or_else(|| json!(value), |number| json!(number));
        }
    };
    put("path", node.attr_at("source", "path"));
    put("host", node.attr_at("source", "host"));
    put("port", node.attr_at("source", "service"));
    put("protocol", node.attr_at("protocol", "type"));
    put("target_type", node.attr_at("target", "type"));
    put("target_port", node.attr_at("target", "port"));
    told
}

/// Devices that the language has no words for; they stay in the definition.
fn unspoken(root: Node, given: bool) -> Option<String> {
    const KNOWN: [&str; 14] = [
        "emulator",
        "disk",
        "controller",
        "interface",
        "graphics",
        "serial",
        "console",
        "input",
        "video",
        "memballoon",
        "channel",
        "audio",
        "rng",
        "watchdog",
    ];
    let devices = root.child("devices")?;
    let mut kinds: Vec<&str> = devices
        .children()
        .filter(Node::is_element)
        .map(|node| node.tag_name().name())
        .filter(|name| !(KNOWN.contains(name) || given && *name == "hostdev"))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    (!kinds.is_empty()).then(|| {
        format!(
            "kept in the definition, not declared here: {}",
            kinds.join(", ")
        )
    })
}
