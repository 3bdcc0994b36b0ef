//! `virt.*` functions that read VMs and the host. Shapes: Salt's virt module, section by section.

use super::table::{Access, Function};
use super::{Call, Fault, Return};
use domxml::read::{NodeExt, parse};
use hypervisor::Key;
use model::Vm;
use model::vm::Nic;
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.list_domains",
        signature: "",
        doc: "virt.list_domains\n\nNames of all VMs, running ones first.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move { Ok(Return::ok(call.minion.hypervisor.vm_names().await?)) })
        },
    },
    Function {
        name: "virt.list_active_vms",
        signature: "",
        doc: "virt.list_active_vms\n\nNames of the VMs that are not off.",
        access: Access::Reads,
        run: |call| Box::pin(list_by_activity(call, true)),
    },
    Function {
        name: "virt.list_inactive_vms",
        signature: "",
        doc: "virt.list_inactive_vms\n\nNames of the VMs that are off.",
        access: Access::Reads,
        run: |call| Box::pin(list_by_activity(call, false)),
    },
    Function {
        name: "virt.vm_state",
        signature: "vm_=None",
        doc: "virt.vm_state [VM]\n\n{name: running, paused, shutdown, crashed or unknown}, of one VM or of all.",
        access: Access::Reads,
        run: |call| Box::pin(of_vms(call, |vm| json!(vm.status.salt_word()))),
    },
    Function {
        name: "virt.vm_info",
        signature: "vm_=None",
        doc: "virt.vm_info [VM]\n\n{name: vCPUs, memory in KiB, disks, interfaces, console, state…}, of one VM or of all.",
        access: Access::Reads,
        run: |call| Box::pin(vm_info(call)),
    },
    Function {
        name: "virt.get_xml",
        signature: "vm_",
        doc: "virt.get_xml VM\n\nThe VM's XML: the running definition, or the one of the next start while it is off.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let vm = find_vm(&call).await?;
                Ok(Return::ok(
                    vm.xml_live.or(vm.xml_persistent).unwrap_or_default(),
                ))
            })
        },
    },
    Function {
        name: "virt.get_disks",
        signature: "vm_",
        doc: "virt.get_disks VM\n\n{target: where its bytes are, format, sizes in bytes}.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let vm = find_vm(&call).await?;
                Ok(Return::ok(disks(&call, &vm).await?))
            })
        },
    },
    Function {
        name: "virt.get_nics",
        signature: "vm_",
        doc: "virt.get_nics VM\n\n{MAC address: kind, source, model, device on the host}.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(nics(&find_vm(&call).await?))) }),
    },
    Function {
        name: "virt.get_macs",
        signature: "vm_",
        doc: "virt.get_macs VM\n\nMAC addresses of the VM.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let vm = find_vm(&call).await?;
                Ok(Return::ok(
                    vm.nics.into_iter().map(|nic| nic.mac).collect::<Vec<_>>(),
                ))
            })
        },
    },
    Function {
        name: "virt.get_graphics",
        signature: "vm_",
        doc: "virt.get_graphics VM\n\nThe VM's graphical console.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(graphics(&find_vm(&call).await?))) }),
    },
    Function {
        name: "virt.get_loader",
        signature: "vm_",
        doc: "virt.get_loader VM\n\nThe VM's firmware: its path, or the text None, and what else is said of it.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(loader(&find_vm(&call).await?))) }),
    },
];

/// The VM that the first argument names.
pub(super) async fn find_vm(call: &Call<'_>) -> Result<Vm, Fault> {
    let name = call
        .args
        .text(0, "vm_")?
        .map_or_else(|| call.args.required(0, "name"), Ok)?;
    find_vm_named(call, name).await
}

/// The VM of this name.
pub(super) async fn find_vm_named(call: &Call<'_>, name: String) -> Result<Vm, Fault> {
    let hypervisor = &call.minion.hypervisor;
    if let Some(vm) = hypervisor.find_vm(&Key::Name(name.clone())).await? {
        return Ok(vm);
    }
    if hypervisor.vm_names().await?.is_empty() {
        return Err(Fault::new("No virtual machines found."));
    }
    Err(Fault::new(format!("The VM \"{name}\" is not present"))
        .hint("virt.list_domains lists the VMs of this host"))
}

async fn all_vms(call: &Call<'_>) -> Result<Vec<Vm>, Fault> {
    if call.args.get(0, "vm_").is_some() {
        return Ok(vec![find_vm(call).await?]);
    }
    Ok(call.minion.hypervisor.inventory().await?.vms)
}

async fn of_vms(call: Call<'_>, tell: fn(&Vm) -> Value) -> Result<Return, Fault> {
    let vms = all_vms(&call).await?;
    Ok(Return::ok(
        vms.iter()
            .map(|vm| (vm.name.clone(), tell(vm)))
            .collect::<Map<_, _>>(),
    ))
}

async fn list_by_activity(call: Call<'_>, active: bool) -> Result<Return, Fault> {
    let vms = call.minion.hypervisor.inventory().await?.vms;
    let names: Vec<String> = vms
        .into_iter()
        .filter(|vm| vm.status.is_active() == active)
        .map(|vm| vm.name)
        .collect();
    Ok(Return::ok(names))
}

async fn vm_info(call: Call<'_>) -> Result<Return, Fault> {
    let vms = all_vms(&call).await?;
    Ok(Return::ok(vm_infos(&call, &vms).await?))
}

/// What `virt.vm_info` tells of each VM.
pub(super) async fn vm_infos(call: &Call<'_>, vms: &[Vm]) -> Result<Map<String, Value>, Fault> {
    let mut infos = Map::new();
    for vm in vms {
        let on = |event: &str| definition_text(vm, event);
        let info = json!({
            "cpu": vm.vcpus,
            "cputime": cpu_time(call, vm).await,
            "disks": disks(call, vm).await?,
            "graphics": graphics(vm),
            "nics": nics(vm),
            "uuid": vm.uuid.to_string(),
            "loader": loader(vm),
            "on_crash": on("on_crash"),
            "on_reboot": on("on_reboot"),
            "on_poweroff": on("on_poweroff"),
            "maxMem": vm.memory_max.kib(),
            "mem": vm.memory.kib(),
            "state": vm.status.salt_word(),
        });
        infos.insert(vm.name.clone(), info);
    }
    Ok(infos)
}

/// Nanoseconds since the start; 0 while it is off, and where the hypervisor does not tell.
async fn cpu_time(call: &Call<'_>, vm: &Vm) -> u64 {
    if !vm.status.is_active() {
        return 0;
    }
    let counters = call.minion.hypervisor.counters(&Key::Uuid(vm.uuid)).await;
    counters.map_or(0, |counters| counters.cpu_time_ns)
}

/// The path and the attributes of `<loader>`.
fn loader(vm: &Vm) -> Value {
    let mut told = Map::new();
    told.insert("path".to_owned(), json!("None"));
    if let Ok(doc) = parse("domain", "domain", definition(vm))
        && let Some(loader) = doc.root_element().find("os/loader")
    {
        told.insert("path".to_owned(), json!(loader.text_at("")));
        let attributes = loader.attributes();
        told.extend(attributes.map(|a| (a.name().to_owned(), json!(a.value()))));
    }
    Value::Object(told)
}

/// The running definition, or the one of the next start while it is off.
fn definition(vm: &Vm) -> &str {
    let live = vm.xml_live.as_deref();
    live.or(vm.xml_persistent.as_deref()).unwrap_or_default()
}

fn definition_text(vm: &Vm, path: &str) -> String {
    parse("domain", "domain", definition(vm))
        .map(|doc| doc.root_element().text_at(path).to_owned())
        .unwrap_or_default()
}

async fn disks(call: &Call<'_>, vm: &Vm) -> Result<Map<String, Value>, Fault> {
    let mut disks = Map::new();
    for disk in vm.disks.iter().filter(|disk| !disk.source.is_empty()) {
        let mut facts = Map::new();
        facts.insert("file".to_owned(), json!(disk.source));
        facts.insert("type".to_owned(), json!(disk.device));
        facts.insert("file format".to_owned(), json!(disk.format));
        let volume = disk
            .pool
            .as_deref()
            .and_then(|pool| Some((pool, disk.source.strip_prefix(pool)?.strip_prefix('/')?)));
        if let Some((pool, name)) = volume
            && let Some(volume) = call.minion.hypervisor.find_volume(pool, name).await?
        {
            facts.insert("virtual size".to_owned(), json!(volume.capacity.0));
            facts.insert("disk size".to_owned(), json!(volume.allocation.0));
            if let Some(backing) = volume.backing {
                facts.insert("backing file".to_owned(), json!({ "file": backing }));
            }
        }
        disks.insert(disk.target.clone(), Value::Object(facts));
    }
    Ok(disks)
}

fn nics(vm: &Vm) -> Map<String, Value> {
    let source = |nic: &Nic| {
        if nic.source.is_empty() {
            json!({})
        } else {
            json!({ nic.kind.as_str(): nic.source })
        }
    };
    let addresses = bus_addresses(vm);
    let tell = |nic: &Nic| {
        let mut told = json!({"type": nic.kind, "mac": nic.mac, "model": nic.model, "source": source(nic), "target": nic.target, "addresses": nic.addresses});
        if let Some(address) = addresses.get(&nic.mac) {
            told["address"] = address.clone();
        }
        told
    };
    vm.nics
        .iter()
        .map(|nic| (nic.mac.clone(), tell(nic)))
        .collect()
}

/// Where interfaces sit in the guest, by MAC address: the attributes of `<address>`.
fn bus_addresses(vm: &Vm) -> Map<String, Value> {
    let xml = vm.xml_persistent.as_deref().or(vm.xml_live.as_deref());
    let Ok(doc) = parse("domain", "domain", xml.unwrap_or_default()) else {
        return Map::new();
    };
    let devices = doc.root_element().child("devices");
    let nics = devices.map(|devices| devices.children_named("interface"));
    nics.unwrap_or_default()
        .iter()
        .filter_map(|nic| {
            let attributes = nic.child("address")?.attributes();
            let address: Map<String, Value> = attributes
                .map(|a| (a.name().to_owned(), json!(a.value())))
                .collect();
            Some((
                nic.attr_at("mac", "address").to_ascii_lowercase(),
                Value::Object(address),
            ))
        })
        .collect()
}

/// The attributes of the first `<graphics>`; absent ones are the text `None`, as in Salt.
fn graphics(vm: &Vm) -> Value {
    let names = ["type", "port", "listen", "autoport", "keymap"];
    let mut told: Map<String, Value> = names
        .map(|name| (name.to_owned(), json!("None")))
        .into_iter()
        .collect();
    if let Ok(doc) = parse("domain", "domain", definition(vm))
        && let Some(graphics) = doc.root_element().find("devices/graphics")
    {
        let attributes = graphics.attributes().filter(|a| a.name() != "passwd");
        told.extend(attributes.map(|a| (a.name().to_owned(), json!(a.value()))));
    }
    Value::Object(told)
}
