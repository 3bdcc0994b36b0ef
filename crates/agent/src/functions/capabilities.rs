//! `virt.*` functions that tell what the host could have, from libvirt's documents. Shapes: Salt's virt module.

use super::table::{Access, Function};
use super::{Arguments, Call, Fault, Return};
use domxml::read::{NodeExt, parse};
use hypervisor::Document;
use roxmltree::Node;
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.capabilities",
        signature: "",
        doc: "virt.capabilities\n\n{host, guests}: the host's CPU, NUMA cells, caches, security models, and the kinds of guests.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let xml = call.minion.hypervisor.capabilities_xml().await?;
                let doc = read("capabilities", &xml)?;
                Ok(Return::ok(capabilities(doc.root_element())))
            })
        },
    },
    Function {
        name: "virt.domain_capabilities",
        signature: "emulator=None, arch=None, machine=None, domain=None",
        doc: "virt.domain_capabilities [emulator=…] [arch=…] [machine=…] [domain=…]\n\nWhat VMs of one kind can have; libvirt chooses what is not given.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let text = |position, name| call.args.text(position, name);
                let which = Document::DomainCapabilities {
                    emulator: text(0, "emulator")?,
                    arch: text(1, "arch")?,
                    machine: text(2, "machine")?,
                    domain_type: text(3, "domain")?,
                };
                Ok(Return::ok(of_domain(&call, &which).await?))
            })
        },
    },
    Function {
        name: "virt.all_capabilities",
        signature: "",
        doc: "virt.all_capabilities\n\n{host, domains}: the host, and what VMs of each architecture and kind can have.",
        access: Access::Reads,
        run: |call| Box::pin(all(call)),
    },
    Function {
        name: "virt.cpu_baseline",
        signature: "full=False, migratable=False, out='libvirt'",
        doc: "virt.cpu_baseline [full=True] [migratable=True] [out=salt]\n\nThe CPU that stands for the host's: XML, or with out=salt {model, vendor, features}.",
        access: Access::Reads,
        run: |call| Box::pin(baseline(call)),
    },
    Function {
        name: "virt.pool_capabilities",
        signature: "",
        doc: "virt.pool_capabilities\n\n{computed, pool_types}: which kinds of storage pools there can be, with their formats.",
        access: Access::Reads,
        run: |call| Box::pin(pools(call)),
    },
    Function {
        name: "virt.node_devices",
        signature: "",
        doc: "virt.node_devices\n\nPCI and USB devices and network cards of the host.",
        access: Access::Reads,
        run: |call| Box::pin(devices(call)),
    },
];

fn read<'x>(root: &'static str, xml: &'x str) -> Result<roxmltree::Document<'x>, Fault> {
    parse(root, root, xml)
        .map_err(|error| Fault::new(format!("cannot read what libvirt tells: {error}")))
}

fn number(text: &str) -> Value {
    text.parse::<i64>()
        .map_or(Value::Null, |number| json!(number))
}

/// `4 KiB`.
fn sized(node: &Node, size: &str) -> String {
    format!("{size} {}", node.attr("unit"))
}

fn capabilities(root: Node) -> Value {
    let guests: Vec<Value> = root.children_named("guest").iter().map(guest).collect();
    json!({ "host": root.child("host").map(host), "guests": guests })
}

fn host(host: Node) -> Value {
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    let uuid = host.text_at("uuid");
    if !uuid.is_empty() {
        put("uuid", json!(uuid));
    }
    put("cpu", host.child("cpu").map_or(json!({}), cpu));
    let management = host.child("power_management");
    let kinds = management.into_iter().flat_map(elements);
    let kinds: Vec<&str> = kinds.map(|node| node.tag_name().name()).collect();
    put("power_management", json!(kinds));
    if let Some(migration) = host.child("migration_features") {
        let transports = migration.find("uri_transports");
        let transports = transports.map(|node| node.children_named("uri_transport"));
        let transports: Vec<&str> = transports
            .unwrap_or_default()
            .iter()
            .map(|node| node.text_at(""))
            .collect();
        let live = migration.child("live").is_some();
        put("migration", json!({"live": live, "transports": transports}));
    }
    if let Some(cells) = host.find("topology/cells") {
        let cells: Vec<Value> = cells.children_named("cell").iter().map(cell).collect();
        put("topology", json!({ "cells": cells }));
    }
    if let Some(cache) = host.child("cache") {
        let banks: Vec<Value> = cache.children_named("bank").iter().map(bank).collect();
        put("cache", json!({ "banks": banks }));
    }
    let models: Vec<Value> = host
        .children_named("secmodel")
        .iter()
        .map(security)
        .collect();
    put("security", json!(models));
    Value::Object(told)
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn cpu(cpu: Node) -> Value {
    let text = |path| match cpu.text_at(path) {
        "" => Value::Null,
        text => json!(text),
    };
    let features: Vec<&str> = cpu
        .children_named("feature")
        .iter()
        .map(|f| f.attr("name"))
        .collect();
    let pages: Vec<Value> = cpu
        .children_named("pages")
        .iter()
        .map(|page| json!({ "size": sized(page, page.attr("size")) }))
        .collect();
    let mut told = json!({
        "arch": text("arch"),
        "model": text("model"),
        "vendor": text("vendor"),
        "features": features,
        "pages": pages,
    });
    if let Some(microcode) = cpu.child("microcode") {
        told["microcode"] = json!(microcode.attr("version"));
    }
    if let Some(topology) = cpu.child("topology") {
        for key in ["sockets", "cores", "threads"] {
            told[key] = number(topology.attr(key));
        }
    }
    told
}

fn cell(cell: &Node) -> Value {
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    put("id", number(cell.attr("id")));
    if let Some(memory) = cell.child("memory") {
        put("memory", json!(sized(&memory, memory.text_at(""))));
    }
    let pages: Vec<Value> = cell
        .children_named("pages")
        .iter()
        .map(|page| json!({"size": sized(page, page.attr("size")), "available": number(page.text_at(""))}))
        .collect();
    put("pages", json!(pages));
    if let Some(distances) = cell.child("distances") {
        let distances: Map<String, Value> = distances
            .children_named("sibling")
            .iter()
            .map(|sibling| (sibling.attr("id").to_owned(), number(sibling.attr("value"))))
            .collect();
        put("distances", Value::Object(distances));
    }
    if let Some(cpus) = cell.child("cpus") {
        let cpus: Vec<Value> = cpus
            .children_named("cpu")
            .iter()
            .map(|cpu| {
                let mut told = Map::new();
                for key in ["id", "socket_id", "core_id"] {
                    if !cpu.attr(key).is_empty() {
                        told.insert(key.to_owned(), number(cpu.attr(key)));
                    }
                }
                if !cpu.attr("siblings").is_empty() {
                    told.insert("siblings".to_owned(), json!(cpu.attr("siblings")));
                }
                Value::Object(told)
            })
            .collect();
        put("cpus", json!(cpus));
    }
    Value::Object(told)
}

fn bank(bank: &Node) -> Value {
    let mut told = json!({
        "id": number(bank.attr("id")),
        "level": number(bank.attr("level")),
        "type": bank.attr("type"),
        "size": sized(bank, bank.attr("size")),
        "cpus": bank.attr("cpus"),
    });
    let controls: Vec<Value> = bank
        .children_named("control")
        .iter()
        .map(|control| {
            json!({
                "granularity": sized(control, control.attr("granularity")),
                "type": control.attr("type"),
                "maxAllocs": number(control.attr("maxAllocs")),
            })
        })
        .collect();
    if !controls.is_empty() {
        told["controls"] = json!(controls);
    }
    told
}

fn security(model: &Node) -> Value {
    let labels: Vec<Value> = model
        .children_named("baselabel")
        .iter()
        .map(|label| json!({"type": label.attr("type"), "label": label.text_at("")}))
        .collect();
    json!({"model": model.text_at("model"), "doi": model.text_at("doi"), "baselabels": labels})
}

/// Machines by name, with the other names each has.
fn machines(node: Node) -> Map<String, Value> {
    let mut machines = Map::new();
    for machine in node.children_named("machine") {
        let (name, canonical) = (machine.text_at(""), machine.attr("canonical"));
        let own = if canonical.is_empty() {
            name
        } else {
            canonical
        };
        let entry = machines
            .entry(own.to_owned())
            .or_insert_with(|| json!({"alternate_names": []}));
        if canonical.is_empty() {
            if !machine.attr("maxCpus").is_empty() {
                entry["maxcpus"] = number(machine.attr("maxCpus"));
            }
        } else if let Some(names) = entry["alternate_names"].as_array_mut() {
            names.push(json!(name));
        }
    }
    machines
}

fn guest(guest: &Node) -> Value {
    let mut told = json!({ "os_type": guest.text_at("os_type") });
    if let Some(arch) = guest.child("arch") {
        let domains: Map<String, Value> = arch
            .children_named("domain")
            .iter()
            .map(|domain| {
                let emulator = domain.text_at("emulator");
                let emulator = if emulator.is_empty() {
                    Value::Null
                } else {
                    json!(emulator)
                };
                let entry = json!({"emulator": emulator, "machines": machines(*domain)});
                (domain.attr("type").to_owned(), entry)
            })
            .collect();
        told["arch"] = json!({
            "name": arch.attr("name"),
            "machines": machines(arch),
            "domains": domains,
            "wordsize": number(arch.text_at("wordsize")),
        });
        let emulator = arch.text_at("emulator");
        if !emulator.is_empty() {
            told["arch"]["emulator"] = json!(emulator);
        }
    }
    told["features"] = guest.child("features").map_or(json!({}), |features| {
        let entry = |node: Node| {
            let toggle = node.attr("toggle") == "yes";
            let default = match node.attr("default") {
                "" => true,
                word => word == "on",
            };
            let entry = json!({"toggle": toggle, "default": default});
            (node.tag_name().name().to_owned(), entry)
        };
        Value::Object(elements(features).map(entry).collect())
    });
    told
}

async fn of_domain(call: &Call<'_>, which: &Document) -> Result<Value, Fault> {
    let told = call.minion.hypervisor.documents(which).await?;
    let xml = told.into_iter().next().unwrap_or_default();
    let doc = read("domainCapabilities", &xml)?;
    Ok(domain_capabilities(doc.root_element()))
}

fn domain_capabilities(root: Node) -> Value {
    let mut told = json!({
        "emulator": root.text_at("path"),
        "domain": root.text_at("domain"),
        "machine": root.text_at("machine"),
        "arch": root.text_at("arch"),
    });
    if let Some(vcpu) = root.child("vcpu") {
        told["max_vcpus"] = number(vcpu.attr("max"));
    }
    if let Some(threads) = root.child("iothreads") {
        told["iothreads"] = json!(threads.attr("supported") == "yes");
    }
    if let Some(os) = root.child("os") {
        told["os"] = json!({});
        if let Some(loader) = os.child("loader") {
            told["os"]["loader"] = Value::Object(enums(loader));
            let values = loader.children_named("value");
            if !values.is_empty() {
                let values: Vec<&str> = values.iter().map(|value| value.text_at("")).collect();
                told["os"]["loader"]["values"] = json!(values);
            }
        }
    }
    if let Some(cpu) = root.child("cpu") {
        told["cpu"] = modes(cpu);
    }
    told["devices"] = json!({});
    if let Some(devices) = root.child("devices") {
        let supported = elements(devices).filter(|node| node.attr("supported") == "yes");
        for device in supported {
            told["devices"][device.tag_name().name()] = Value::Object(enums(device));
        }
    }
    if let Some(features) = root.child("features") {
        told["features"] = json!({});
        for feature in elements(features).filter(|node| node.attr("supported") == "yes") {
            told["features"][feature.tag_name().name()] = Value::Object(enums(feature));
        }
    }
    told
}

/// `<enum name='type'><value>…`: the values by name.
fn enums(node: Node) -> Map<String, Value> {
    let values = |list: &Node| -> Vec<String> {
        let values = list.children_named("value");
        values
            .iter()
            .map(|value| value.text_at("").to_owned())
            .collect()
    };
    node.children_named("enum")
        .iter()
        .map(|list| (list.attr("name").to_owned(), json!(values(list))))
        .collect()
}

fn modes(cpu: Node) -> Value {
    let mut told = Map::new();
    for mode in cpu.children_named("mode") {
        if mode.attr("supported") != "yes" {
            continue;
        }
        let entry = match mode.attr("name") {
            "host-passthrough" | "maximum" => continue,
            "custom" => {
                let models: Map<String, Value> = mode
                    .children_named("model")
                    .iter()
                    .map(|model| (model.text_at("").to_owned(), json!(model.attr("usable"))))
                    .collect();
                json!({ "models": models })
            }
            _ => {
                let mut entry = Map::new();
                if let Some(model) = mode.child("model") {
                    let model =
                        json!({"name": model.text_at(""), "fallback": model.attr("fallback")});
                    entry.insert("model".to_owned(), model);
                }
                if !mode.text_at("vendor").is_empty() {
                    entry.insert("vendor".to_owned(), json!(mode.text_at("vendor")));
                }
                let features: Map<String, Value> = mode
                    .children_named("feature")
                    .iter()
                    .map(|feature| {
                        (
                            feature.attr("name").to_owned(),
                            json!(feature.attr("policy")),
                        )
                    })
                    .collect();
                if !features.is_empty() {
                    entry.insert("features".to_owned(), Value::Object(features));
                }
                Value::Object(entry)
            }
        };
        told.insert(mode.attr("name").to_owned(), entry);
    }
    Value::Object(told)
}

async fn all(call: Call<'_>) -> Result<Return, Fault> {
    let xml = call.minion.hypervisor.capabilities_xml().await?;
    let told = {
        let doc = read("capabilities", &xml)?;
        capabilities(doc.root_element())
    };
    let mut domains = Vec::new();
    for guest in told["guests"].as_array().into_iter().flatten() {
        let arch = &guest["arch"];
        for domain_type in arch["domains"].as_object().into_iter().flat_map(Map::keys) {
            let emulator = &arch["domains"][domain_type]["emulator"];
            let emulator = emulator.as_str().or(arch["emulator"].as_str());
            let which = Document::DomainCapabilities {
                emulator: emulator.map(str::to_owned),
                arch: arch["name"].as_str().map(str::to_owned),
                machine: None,
                domain_type: Some(domain_type.clone()),
            };
            domains.push(of_domain(&call, &which).await?);
        }
    }
    Ok(Return::ok(json!({"host": told, "domains": domains})))
}

/// A flag by position or name.
fn flag(args: &Arguments, position: usize, name: &str) -> bool {
    args.get(position, name) == Some(&Value::Bool(true))
}

async fn baseline(call: Call<'_>) -> Result<Return, Fault> {
    let capabilities = call.minion.hypervisor.capabilities_xml().await?;
    let cpu = {
        let doc = read("capabilities", &capabilities)?;
        let cpu = doc.root_element().find("host/cpu");
        cpu.map(|cpu| capabilities[cpu.range()].to_owned())
    };
    let cpu = cpu.ok_or_else(|| Fault::new("libvirt tells nothing of the host's CPU"))?;
    let which = Document::BaselineCpu {
        cpus: vec![cpu],
        expand: flag(&call.args, 0, "full"),
        migratable: flag(&call.args, 1, "migratable"),
    };
    let told = call.minion.hypervisor.documents(&which).await?;
    let xml = told.into_iter().next().unwrap_or_default();
    match call.args.text(2, "out")?.as_deref() {
        None | Some("libvirt") => Ok(Return::ok(xml)),
        Some("salt") => {
            let doc = read("cpu", &xml)?;
            let root = doc.root_element();
            let features = root.children_named("feature");
            let features: Vec<&str> = features.iter().map(|f| f.attr("name")).collect();
            Ok(Return::ok(json!({
                "model": root.text_at("model"),
                "vendor": root.text_at("vendor"),
                "features": features,
            })))
        }
        Some(other) => Err(Fault::new(format!(
            "virt.cpu_baseline: the argument 'out' is {other:?}, not libvirt or salt"
        ))),
    }
}

async fn pools(call: Call<'_>) -> Result<Return, Fault> {
    let told = call
        .minion
        .hypervisor
        .documents(&Document::PoolCapabilities)
        .await?;
    let xml = told.into_iter().next().unwrap_or_default();
    let doc = read("storagepoolCapabilities", &xml)?;
    let options = |pool: &Node, name: &str| {
        pool.child(name).map(|options| {
            let mut told = Map::new();
            let default = options.attr_at("defaultFormat", "type");
            if !default.is_empty() {
                told.insert("default_format".to_owned(), json!(default));
            }
            told.extend(enums(options));
            Value::Object(told)
        })
    };
    let kinds: Vec<Value> = doc
        .root_element()
        .children_named("pool")
        .iter()
        .map(|pool| {
            let mut told = json!({
                "name": pool.attr("type"),
                "supported": pool.attr("supported") == "yes",
            });
            let parts = [("pool", "poolOptions"), ("volume", "volOptions")];
            let parts: Map<String, Value> = parts
                .iter()
                .filter_map(|(key, name)| Some(((*key).to_owned(), options(pool, name)?)))
                .collect();
            if !parts.is_empty() {
                told["options"] = Value::Object(parts);
            }
            told
        })
        .collect();
    // Never guessed: libvirt itself told them.
    Ok(Return::ok(json!({"computed": false, "pool_types": kinds})))
}

async fn devices(call: Call<'_>) -> Result<Return, Fault> {
    let documents = call
        .minion
        .hypervisor
        .documents(&Document::NodeDevices)
        .await?;
    let mut told = Vec::new();
    for xml in &documents {
        // One that libvirt describes in a way we cannot read keeps nobody from the others.
        if let Ok(doc) = read("device", xml) {
            told.extend(device(doc.root_element()));
        }
    }
    Ok(Return::ok(told))
}

/// PCI and USB devices and network cards; `None` for the many others.
fn device(root: Node) -> Option<Value> {
    let capability = root.child("capability")?;
    let kind = capability.attr("type");
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    put("caps", json!(kind));
    put("name", json!(root.text_at("name")));
    match kind {
        "net" => {
            if capability.text_at("interface") == "lo" || capability.child("capability").is_none() {
                return None;
            }
            put("address", json!(capability.text_at("address")));
            put("device name", json!(capability.text_at("interface")));
            put("state", json!(capability.attr_at("link", "state")));
        }
        "pci" | "usb_device" => {
            for (key, name) in [("vendor", "vendor"), ("product", "product")] {
                let id = capability.attr_at(name, "id");
                put(&format!("{key}_id"), json!(id));
                let text = capability.text_at(name);
                if !text.is_empty() {
                    put(key, json!(text));
                }
            }
            if kind == "pci" {
                put("address", json!(pci_address(&capability)));
                put("PCI class", json!(capability.text_at("class")));
                for (key, name) in [
                    ("virtual functions", "virt_functions"),
                    ("physical function", "phys_function"),
                ] {
                    let of = capability.children_named("capability");
                    let Some(found) = of.iter().find(|node| node.attr("type") == name) else {
                        continue;
                    };
                    let addresses: Vec<String> = found
                        .children_named("address")
                        .iter()
                        .map(attribute_address)
                        .collect();
                    if name == "virt_functions" {
                        put(key, json!(addresses));
                    } else if let Some(address) = addresses.first() {
                        put(key, json!(address));
                    }
                }
            } else {
                let part = |name| {
                    number(capability.text_at(name))
                        .as_i64()
                        .unwrap_or_default()
                };
                put(
                    "address",
                    json!(format!("{:03}:{:03}", part("bus"), part("device"))),
                );
            }
        }
        _ => return None,
    }
    Some(Value::Object(told))
}

/// `0000:00:04.0`
fn pci_address(pci: &Node) -> String {
    let part = |name| number(pci.text_at(name)).as_i64().unwrap_or_default();
    format!(
        "{:04x}:{:02x}:{:02x}.{}",
        part("domain"),
        part("bus"),
        part("slot"),
        part("function")
    )
}

/// The same, from the attributes of an `<address>`.
fn attribute_address(address: &Node) -> String {
    let part = |name| {
        let text = address.attr(name).trim_start_matches("0x");
        i64::from_str_radix(text, 16).unwrap_or_default()
    };
    format!(
        "{:04x}:{:02x}:{:02x}.{}",
        part("domain"),
        part("bus"),
        part("slot"),
        part("function")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T>(root: &'static str, xml: &str, tell: fn(Node) -> T) -> T {
        tell(read(root, xml).expect("readable").root_element())
    }

    #[test]
    fn a_host_is_told_as_salt_tells_it() {
        let xml = "<capabilities><host><uuid>u</uuid><cpu><arch>x86_64</arch><model>kvm64</model><vendor>AMD</vendor>
             <microcode version='7'/><topology sockets='1' dies='1' cores='2' threads='1'/><feature name='vme'/>
             <pages unit='KiB' size='4'/></cpu><power_management><suspend_mem/></power_management>
             <migration_features><live/><uri_transports><uri_transport>tcp</uri_transport></uri_transports></migration_features>
             <topology><cells num='1'><cell id='0'><memory unit='KiB'>100</memory><pages unit='KiB' size='4'>25</pages>
               <distances><sibling id='0' value='10'/></distances><cpus num='1'><cpu id='0' socket_id='0' core_id='0' siblings='0'/></cpus></cell></cells></topology>
             <cache><bank id='0' level='3' type='both' size='32' unit='MiB' cpus='0-1'/></cache>
             <secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>+0:+0</baselabel></secmodel></host>
             <guest><os_type>hvm</os_type><arch name='x86_64'><wordsize>64</wordsize><emulator>/q</emulator>
               <machine maxCpus='255'>pc-1</machine><machine canonical='pc-1' maxCpus='255'>pc</machine>
               <domain type='qemu'/></arch><features><acpi default='on' toggle='yes'/><pae/></features></guest></capabilities>";
        assert_eq!(
            told("capabilities", xml, capabilities),
            json!({
                "host": {
                    "uuid": "u",
                    "cpu": {"arch": "x86_64", "model": "kvm64", "vendor": "AMD", "features": ["vme"], "pages": [{"size": "4 KiB"}],
                            "microcode": "7", "sockets": 1, "cores": 2, "threads": 1},
                    "power_management": ["suspend_mem"],
                    "migration": {"live": true, "transports": ["tcp"]},
                    "topology": {"cells": [{"id": 0, "memory": "100 KiB", "pages": [{"size": "4 KiB", "available": 25}], "distances": {"0": 10},
                                            "cpus": [{"id": 0, "socket_id": 0, "core_id": 0, "siblings": "0"}]}]},
                    "cache": {"banks": [{"id": 0, "level": 3, "type": "both", "size": "32 MiB", "cpus": "0-1"}]},
                    "security": [{"model": "dac", "doi": "0", "baselabels": [{"type": "kvm", "label": "+0:+0"}]}],
                },
                "guests": [{
                    "os_type": "hvm",
                    "arch": {"name": "x86_64", "wordsize": 64, "emulator": "/q", "machines": {"pc-1": {"alternate_names": ["pc"], "maxcpus": 255}},
                             "domains": {"qemu": {"emulator": null, "machines": {}}}},
                    "features": {"acpi": {"toggle": true, "default": true}, "pae": {"toggle": false, "default": true}},
                }],
            })
        );
    }

    #[test]
    fn devices_are_told_by_their_kind() {
        let pci = "<device><name>pci_0000_00_04_0</name><capability type='pci'><class>0x020000</class><domain>0</domain><bus>0</bus><slot>4</slot>
             <function>0</function><product id='0x1041'>card</product><vendor id='0x1af4'/>
             <capability type='virt_functions'><address domain='0x0000' bus='0x01' slot='0x10' function='0x1'/></capability></capability></device>";
        assert_eq!(
            told("device", pci, device),
            Some(json!({
                "caps": "pci", "name": "pci_0000_00_04_0", "vendor_id": "0x1af4", "product_id": "0x1041", "product": "card",
                "address": "0000:00:04.0", "PCI class": "0x020000", "virtual functions": ["0000:01:10.1"],
            }))
        );
        let usb = "<device><name>usb_1_2</name><capability type='usb_device'><bus>1</bus><device>2</device><product id='0x0002'/>
             <vendor id='0x1d6b'>Linux</vendor></capability></device>";
        assert_eq!(
            told("device", usb, device),
            Some(
                json!({"caps": "usb_device", "name": "usb_1_2", "vendor_id": "0x1d6b", "vendor": "Linux", "product_id": "0x0002", "address": "001:002"})
            )
        );
        let block = "<device><name>block_vda</name><capability type='storage'/></device>";
        assert_eq!(told("device", block, device), None);
    }
}
