//! What libvirt would refuse in a definition, or quietly make something else of: values that contradict one another.
//!
//! It looks at the definition as it will be, since half of a contradiction may have been there before.
//! Source: libvirt formatdomain, and what its QEMU driver says.

use crate::StateError;
use crate::facts::{cpuset, nearly};
use domxml::read::{KIB, NodeExt, XmlError, parse, size};
use model::Bytes;
use roxmltree::Node;
use std::collections::BTreeSet;

/// Refuses a new definition for a contradiction that the old one does not have.
pub(super) fn check(vm: &str, old: Option<&str>, new: &str) -> Result<(), StateError> {
    let find = |xml: &str| -> Result<Vec<StateError>, XmlError> {
        let doc = parse("domain", "domain", xml)?;
        Ok(contradictions(doc.root_element()))
    };
    let bad = |error| StateError::definition(super::object(vm), error);
    let known = old.map(find).transpose().map_err(bad)?.unwrap_or_default();
    let new = find(new).map_err(bad)?;
    match new.into_iter().find(|problem| !known.contains(problem)) {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// What the VM is to boot from and does not have. libvirt takes that, and the firmware goes on to the next.
pub(super) fn nothing_to_boot_from(xml: &str) -> Vec<String> {
    let Ok(doc) = parse("domain", "domain", xml) else {
        return Vec::new();
    };
    let root = doc.root_element();
    let devices = |name| {
        root.child("devices")
            .map(|d| d.children_named(name))
            .unwrap_or_default()
    };
    let disk = |kinds: &[&str]| {
        devices("disk")
            .iter()
            .any(|disk| kinds.contains(&disk.attr("device")))
    };
    let order = root
        .child("os")
        .map(|os| os.children_named("boot"))
        .unwrap_or_default();
    let absent = order.iter().filter_map(|boot| match boot.attr("dev") {
        "hd" if !disk(&["disk", "lun", ""]) => Some(("hd", "disk")),
        "cdrom" if !disk(&["cdrom"]) => Some(("cdrom", "CD drive")),
        "fd" if !disk(&["floppy"]) => Some(("fd", "floppy drive")),
        "network" if devices("interface").is_empty() => Some(("network", "interface")),
        _ => None,
    });
    absent
        .map(|(word, what)| format!("boot_dev: {word} is in the order, and the VM has no {what}"))
        .collect()
}

fn contradictions(root: Node) -> Vec<StateError> {
    let mut found = Found(Vec::new());
    let vcpus = root.text_at("vcpu").parse().unwrap_or(1);
    found.vcpus(root, vcpus);
    found.topology(root, vcpus);
    found.cpu_model(root);
    found.numa(root, vcpus);
    found.memory(root);
    found.tuning(root, vcpus);
    found.firmware(root);
    found.disks(root);
    found.nics(root);
    found.serials(root);
    found.0.extend(super::lacking::lacking(root));
    found.0
}

struct Found(Vec<StateError>);

impl Found {
    fn add(
        &mut self,
        path: &str,
        found: impl ToString,
        expected: impl ToString,
        remedy: impl ToString,
    ) {
        self.0.push(StateError::Argument {
            path: path.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
            remedy: Some(remedy.to_string()),
        });
    }

    fn vcpus(&mut self, root: Node, vcpus: u32) {
        let current = root.attr_at("vcpu", "current").parse().unwrap_or(vcpus);
        if current > vcpus {
            self.add(
                "cpu: current",
                current,
                format!("possible with a maximum of {vcpus}"),
                format!("Write maximum: {current} or more, or a smaller current"),
            );
        }
        if root.attr_at("vcpu", "placement") == "auto" && !root.attr_at("vcpu", "cpuset").is_empty()
        {
            let remedy = "Leave cpuset out (cpuset: null), or write placement: static";
            self.add(
                "cpu: cpuset",
                root.attr_at("vcpu", "cpuset"),
                "possible with placement: auto",
                remedy,
            );
        }
        let each = root
            .child("vcpus")
            .map(|v| v.children_named("vcpu"))
            .unwrap_or_default();
        for vcpu in &each {
            let id = vcpu.attr("id");
            let path = format!("cpu: vcpus: {id}");
            if id.parse::<u32>().is_ok_and(|id| id >= vcpus) {
                self.add(
                    &path,
                    id,
                    format!("the number of one of {vcpus} vCPUs, counted from 0"),
                    "Raise maximum, or leave it out",
                );
            }
            if vcpu.attr("enabled").is_empty() {
                self.add(
                    &path,
                    "it",
                    "complete without enabled",
                    "Add enabled: True or False",
                );
            }
            if id == "0" && (vcpu.attr("enabled") == "no" || vcpu.attr("hotpluggable") == "yes") {
                self.add(
                    &path,
                    "the first vCPU",
                    "possible to switch off",
                    "Write enabled: True and hotpluggable: False",
                );
            }
        }
        let ordered = each
            .iter()
            .filter(|vcpu| !vcpu.attr("order").is_empty())
            .count();
        if ordered > 0 && ordered < each.len() {
            self.add(
                "cpu: vcpus",
                "order",
                "given for some only",
                "Give order to each vCPU, or to none",
            );
        }
        let online = each
            .iter()
            .filter(|vcpu| vcpu.attr("enabled") == "yes")
            .count();
        if !each.is_empty() && online != current as usize {
            let remedy = format!("Write current: {online}, or enable others");
            self.add(
                "cpu: vcpus",
                format!("{online} enabled"),
                format!("{current}, which are to be online"),
                remedy,
            );
        }
    }

    fn topology(&mut self, root: Node, vcpus: u32) {
        let Some(topology) = root.find("cpu/topology") else {
            return;
        };
        let mut product: u64 = 1;
        for key in ["sockets", "dies", "cores", "threads"] {
            match topology.attr(key).parse::<u64>() {
                Ok(count) => product = product.saturating_mul(count),
                Err(_) if key == "dies" => {}
                Err(_) => {
                    self.add(
                        "cpu: topology",
                        "it",
                        format!("complete without {key}"),
                        format!("Add {key}"),
                    );
                    return;
                }
            }
        }
        if product != u64::from(vcpus) {
            let remedy = format!("Write maximum: {product}, or a topology of {vcpus} vCPUs");
            self.add(
                "cpu: topology",
                format!("{product} vCPUs (sockets × dies × cores × threads)"),
                format!("the maximum of {vcpus}"),
                remedy,
            );
        }
    }

    fn cpu_model(&mut self, root: Node) {
        let Some(cpu) = root.child("cpu") else { return };
        if cpu
            .child("cache")
            .is_some_and(|cache| cache.attr("mode").is_empty())
        {
            self.add(
                "cpu: cache",
                "it",
                "complete without mode",
                "Add mode: emulate, passthrough or disable",
            );
        }
        if let Some(cache) = cpu
            .child("cache")
            .filter(|c| c.attr("mode") == "emulate" && c.attr("level") != "3")
        {
            let level = match cache.attr("level") {
                "" => "nothing",
                level => level,
            };
            self.add(
                "cpu: cache: level",
                level,
                "possible with mode: emulate",
                "Write level: 3",
            );
        }
        let is_custom = matches!(cpu.attr("mode"), "" | "custom");
        if !is_custom || !cpu.text_at("model").is_empty() {
            return;
        }
        let remedy = "Add model: {name: …}, or write mode: host-model";
        for (key, there) in [
            ("match", !matches!(cpu.attr("match"), "" | "exact")),
            ("vendor", cpu.child("vendor").is_some()),
            ("features", cpu.child("feature").is_some()),
        ] {
            if there {
                self.add(
                    &format!("cpu: {key}"),
                    "it",
                    "possible without a model",
                    remedy,
                );
            }
        }
    }

    fn numa(&mut self, root: Node, vcpus: u32) {
        let cells = root
            .find("cpu/numa")
            .map(|n| n.children_named("cell"))
            .unwrap_or_default();
        let ids: BTreeSet<String> = cells
            .iter()
            .map(|cell| cell.attr("id").to_owned())
            .collect();
        let expected: BTreeSet<String> = (0..cells.len()).map(|id| id.to_string()).collect();
        if ids != expected {
            let ids = ids.iter().cloned().collect::<Vec<_>>().join(", ");
            self.add(
                "cpu: numa",
                format!("cells {ids}"),
                "numbered from 0 without a gap",
                "Number the cells 0, 1, 2…",
            );
        }
        let mut sum = Bytes(0);
        let mut taken = BTreeSet::new();
        for cell in &cells {
            let path = format!("cpu: numa: {}", cell.attr("id"));
            for cpu in cpuset(cell.attr("cpus")).unwrap_or_default() {
                if cpu >= vcpus {
                    self.add(
                        &format!("{path}: cpus"),
                        cpu,
                        format!("one of {vcpus} vCPUs, counted from 0"),
                        "Raise cpu: maximum, or give the cell other vCPUs",
                    );
                }
                if !taken.insert(cpu) {
                    self.add(
                        &format!("{path}: cpus"),
                        cpu,
                        "in this cell only",
                        "Give each vCPU to one cell",
                    );
                }
            }
            match size(cell.attr("memory"), cell.attribute("unit"), KIB) {
                Some(bytes) => sum.0 = sum.0.saturating_add(bytes.0),
                None => self.add(&path, "it", "complete without memory", "Add memory"),
            }
            let siblings = cell.child("distances").map(|d| d.children_named("sibling"));
            for sibling in siblings.unwrap_or_default() {
                self.cell(&format!("{path}: distances"), sibling.attr("id"), &ids);
            }
        }
        let plugged = root
            .child("devices")
            .map(|d| d.children_named("memory"))
            .unwrap_or_default();
        for memory in plugged {
            sum.0 = sum
                .0
                .saturating_add(memory.size_at("target/size", KIB).unwrap_or_default().0);
        }
        let total = root.size_at("memory", KIB).unwrap_or_default();
        if !cells.is_empty() && !nearly(sum, total) && sum.0 > 0 {
            let remedy = format!(
                "Write {} for mem, or other sizes for the cells: libvirt would take their sum",
                sum.0.div_ceil(1 << 20)
            );
            self.add(
                "cpu: numa",
                format!("{sum} in all cells"),
                format!("the memory of the VM, {total}"),
                remedy,
            );
        }
        let nodes = root
            .child("numatune")
            .map(|n| n.children_named("memnode"))
            .unwrap_or_default();
        for node in nodes {
            let path = format!("numatune: memnodes: {}", node.attr("cellid"));
            self.cell("numatune: memnodes", node.attr("cellid"), &ids);
            for key in ["mode", "nodeset"] {
                if node.attr(key).is_empty() {
                    self.add(
                        &path,
                        "it",
                        format!("complete without {key}"),
                        format!("Add {key}"),
                    );
                }
            }
        }
        if let Some(memory) = root.find("numatune/memory")
            && memory.attr("nodeset").is_empty()
            && memory.attr("placement") != "auto"
            && root.attr_at("vcpu", "placement") != "auto"
        {
            self.add(
                "numatune: memory",
                "it",
                "complete without nodeset",
                "Add nodeset, the memory nodes of the host",
            );
        }
        let pages = root
            .find("memoryBacking/hugepages")
            .map(|h| h.children_named("page"));
        for page in pages
            .unwrap_or_default()
            .iter()
            .filter(|page| !page.attr("nodeset").is_empty())
        {
            // A VM without cells is one node, 0.
            let alone = cells.is_empty() && page.attr("nodeset") == "0";
            for id in cpuset(page.attr("nodeset"))
                .unwrap_or_default()
                .iter()
                .filter(|_| !alone)
            {
                self.cell("mem: hugepages: nodeset", &id.to_string(), &ids);
            }
        }
    }

    fn cell(&mut self, path: &str, id: &str, cells: &BTreeSet<String>) {
        if !cells.contains(id) {
            let remedy = match cells.is_empty() {
                true => {
                    "Declare the cells of the VM: cpu: {numa: {0: {cpus: …, memory: …}}}".to_owned()
                }
                false => format!(
                    "It has {}",
                    cells.iter().cloned().collect::<Vec<_>>().join(", ")
                ),
            };
            self.add(path, id, "the number of a NUMA cell of the VM", remedy);
        }
    }

    fn memory(&mut self, root: Node) {
        let of = |path: &str| root.size_at(path, KIB);
        let boot = of("memory").unwrap_or_default();
        if let Some(current) = of("currentMemory").filter(|now| *now > boot && !nearly(*now, boot))
        {
            self.add(
                "mem: current",
                current,
                format!("possible with {boot} at boot"),
                "Raise boot, or lower current",
            );
        }
        let slots = root.attr_at("maxMemory", "slots");
        match of("maxMemory") {
            Some(max) if max < boot => {
                self.add(
                    "mem: max",
                    max,
                    format!("possible with {boot} at boot"),
                    "Raise max, or lower boot",
                );
            }
            Some(_) if slots.is_empty() => self.add(
                "mem: max",
                "it",
                "complete without slots",
                "Add slots: how many modules of memory may be plugged in",
            ),
            None if root.child("maxMemory").is_some() => self.add(
                "mem: slots",
                slots,
                "possible without max",
                "Add max, or write slots: null",
            ),
            _ => {}
        }
        let (hard, swap) = (of("memtune/hard_limit"), of("memtune/swap_hard_limit"));
        if let (Some(hard), Some(swap)) = (hard, swap)
            && swap < hard
        {
            self.add(
                "mem: swap_hard_limit",
                swap,
                format!("at least the hard_limit, {hard}"),
                "Raise it: memory and swap together count",
            );
        }
    }

    fn tuning(&mut self, root: Node, vcpus: u32) {
        let Some(tuning) = root.child("cputune") else {
            return;
        };
        let threads = root.text_at("iothreads").parse().unwrap_or(0);
        for pin in tuning.children_named("vcpupin") {
            self.numbered("cpu: tuning: vcpupin", pin.attr("vcpu"), 0, vcpus, "vCPUs");
        }
        for pin in tuning.children_named("iothreadpin") {
            self.numbered(
                "cpu: tuning: iothreadpin",
                pin.attr("iothread"),
                1,
                threads,
                "I/O threads",
            );
        }
        for (name, members, first, count, what) in [
            ("vcpusched", "vcpus", 0, vcpus, "vCPUs"),
            ("iothreadsched", "iothreads", 1, threads, "I/O threads"),
            ("emulatorsched", "", 0, 0, ""),
        ] {
            let path = format!("cpu: tuning: {name}");
            let mut taken = BTreeSet::new();
            for scheduler in tuning.children_named(name) {
                let ids = cpuset(scheduler.attr(members)).unwrap_or_default();
                for id in ids {
                    self.numbered(&path, &id.to_string(), first, count, what);
                    if !taken.insert(id) {
                        self.add(&path, id, "in one item only", "Give each one scheduler");
                    }
                }
                let kind = scheduler.attr("scheduler");
                match (kind, scheduler.attr("priority").parse::<u32>()) {
                    ("", _) => self.add(
                        &path,
                        "it",
                        "complete without scheduler",
                        "Add scheduler: batch, idle, fifo or rr",
                    ),
                    ("fifo" | "rr", Err(_)) => self.add(
                        &path,
                        "it",
                        format!("complete without priority: {kind} is a real-time scheduler"),
                        "Add priority: 1 to 99",
                    ),
                    ("fifo" | "rr", Ok(priority)) if !(1..=99).contains(&priority) => {
                        self.add(
                            &format!("{path}: priority"),
                            priority,
                            "a number from 1 to 99",
                            "Write one of these",
                        );
                    }
                    ("batch" | "idle", Ok(priority)) => {
                        self.add(
                            &format!("{path}: priority"),
                            priority,
                            format!("possible with {kind}"),
                            "Leave it out, or take fifo or rr",
                        );
                    }
                    _ => {}
                }
            }
        }
    }

    fn numbered(&mut self, path: &str, id: &str, first: u32, count: u32, what: &str) {
        let there = id
            .parse::<u32>()
            .is_ok_and(|id| id >= first && id - first < count);
        if !there {
            let remedy = match (what, count) {
                ("I/O threads", 0) => "Add cpu: {iothreads: 1} or more".to_owned(),
                _ => format!(
                    "Write a number from {first} to {}, or declare more of them",
                    first + count.max(1) - 1
                ),
            };
            self.add(
                path,
                id,
                format!("the number of one of {count} {what}, counted from {first}"),
                remedy,
            );
        }
    }

    fn firmware(&mut self, root: Node) {
        let Some(os) = root.child("os") else { return };
        let has_loader = !os.text_at("loader").is_empty() || os.attribute("firmware").is_some();
        if os.child("nvram").is_some() && !has_loader {
            self.add(
                "boot: nvram",
                "it",
                "possible without loader",
                "Add loader, or leave both out (null)",
            );
        }
    }

    fn disks(&mut self, root: Node) {
        let threads = root.text_at("iothreads").parse().unwrap_or(0);
        let disks = root
            .child("devices")
            .map(|d| d.children_named("disk"))
            .unwrap_or_default();
        for disk in disks {
            let thread = disk.attr_at("driver", "iothread");
            let target = disk.attr_at("target", "dev");
            let path = format!("disks: {target}: iothread_id");
            if thread.is_empty() {
                continue;
            }
            self.numbered(&path, thread, 1, threads, "I/O threads");
            let bus = disk.attr_at("target", "bus");
            if bus != "virtio" {
                self.add(
                    &path,
                    thread,
                    format!("possible for a disk on {bus}"),
                    "Write model: virtio, or leave iothread_id out",
                );
            }
        }
    }

    fn nics(&mut self, root: Node) {
        let mut macs = BTreeSet::new();
        let nics = root
            .child("devices")
            .map(|d| d.children_named("interface"))
            .unwrap_or_default();
        for nic in nics {
            let mac = nic.attr_at("mac", "address").to_ascii_lowercase();
            if !mac.is_empty() && !macs.insert(mac.clone()) {
                self.add(
                    "interfaces: mac",
                    mac,
                    "the address of one interface only",
                    "Give each interface its own, or leave mac out",
                );
            }
        }
    }

    fn serials(&mut self, root: Node) {
        for (element, argument) in [("serial", "serials"), ("console", "consoles")] {
            let mut taken = BTreeSet::new();
            let devices = root
                .child("devices")
                .map(|d| d.children_named(element))
                .unwrap_or_default();
            for device in devices {
                let (kind, port) = (
                    device.attr_at("target", "type"),
                    device.attr_at("target", "port"),
                );
                if !port.is_empty() && !taken.insert((kind, port)) {
                    self.add(
                        &format!("{argument}: target_port"),
                        port,
                        "free: another item has it",
                        "Write another number, or leave target_port out",
                    );
                }
                let lacks = match device.attr("type") {
                    "file" | "dev" | "pipe" | "unix" => device.attr_at("source", "path").is_empty(),
                    _ => false,
                };
                if lacks {
                    let kind = device.attr("type");
                    self.add(
                        &format!("{argument}: path"),
                        "nothing",
                        format!("enough for type: {kind}"),
                        "Add path, an absolute path on the host",
                    );
                }
            }
        }
    }
}
