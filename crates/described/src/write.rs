//! From a host to the files that describe it.

use crate::layout::{
    CAPABILITIES, CONFIG, DEVICES, FORMAT, GRAINS, HOST, LIVE, NETWORKS, PILLAR, POOLS, VMS,
    VOLUMES, XML, file_name,
};
use domxml::{Document, Place};
use hypervisor::{self, Hypervisor, HypervisorError, Reason};
use model::{Network, Pool, Vm, Volume};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is known of a host beside its hypervisor.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Name of the host.
    pub name: String,
    /// URI of its hypervisor.
    pub uri: String,
    /// Grains.
    pub grains: Value,
    /// What it is configured with that its states depend on.
    pub config: Map<String, Value>,
    /// Pillar; `None` leaves it out, as it may hold secrets.
    pub pillar: Option<Value>,
}

/// The files that describe a host, by their paths in the folder.
///
/// # Errors
/// The host cannot be read.
pub async fn files_of(
    host: &dyn Hypervisor,
    facts: &Facts,
) -> Result<BTreeMap<String, String>, HypervisorError> {
    let inventory = host.inventory().await?;
    let versions = host.versions().await?;
    let mut files = BTreeMap::new();
    let mut objects = Map::new();
    let mut paths = Map::new();
    files.insert(CAPABILITIES.to_owned(), host.capabilities_xml().await?);
    files.insert(GRAINS.to_owned(), yaml(&facts.grains));
    if !facts.config.is_empty() {
        files.insert(
            CONFIG.to_owned(),
            yaml(&Value::Object(facts.config.clone())),
        );
    }
    if let Some(pillar) = &facts.pillar {
        files.insert(PILLAR.to_owned(), yaml(pillar));
    }
    for device in devices(host).await? {
        if let Ok(read) = domxml::device::read(&device)
            && read.assignable.is_some()
        {
            let path = format!("{DEVICES}/{}{XML}", file_name(&read.name));
            files.insert(path, device);
        }
    }
    let mut told = Map::new();
    for vm in &inventory.vms {
        write_vm(&mut files, vm);
        told.insert(vm.name.clone(), vm_state(vm));
        let on_host = vm.disks.iter().filter(|disk| disk.source.starts_with('/'));
        paths.extend(on_host.map(|disk| (disk.source.clone(), kind_of_path(&disk.source))));
    }
    objects.insert(VMS.to_owned(), Value::Object(std::mem::take(&mut told)));
    for pool in &inventory.pools {
        write_pool(&mut files, pool);
        told.insert(pool.name.clone(), pool_state(pool));
        if pool.target.starts_with('/') {
            paths.insert(pool.target.clone(), json!("folder"));
        }
        for volume in volumes(host, pool).await? {
            if volume.path.starts_with('/') {
                paths.insert(volume.path.clone(), kind_of_path(&volume.path));
            }
            let path = format!(
                "{VOLUMES}/{}/{}{XML}",
                file_name(&pool.name),
                file_name(&volume.name)
            );
            files.insert(path, volume_xml(&volume));
        }
    }
    objects.insert(POOLS.to_owned(), Value::Object(std::mem::take(&mut told)));
    for network in &inventory.networks {
        write_network(&mut files, network);
        told.insert(network.name.clone(), network_state(network));
    }
    objects.insert(NETWORKS.to_owned(), Value::Object(told));
    let mut host = json!({
        "format": FORMAT,
        "name": facts.name,
        "uri": facts.uri,
        "hypervisor": versions.hypervisor,
        "hypervisor_version": versions.hypervisor_version,
        "libvirt_version": versions.libvirt_version,
        "paths": paths,
    });
    if let Value::Object(host) = &mut host {
        host.extend(objects);
    }
    files.insert(HOST.to_owned(), yaml(&host));
    Ok(files)
}

fn yaml(value: &Value) -> String {
    let mut text = sls::yaml::print_block(value);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The volumes of a pool; a pool that stopped since it was read has none.
async fn volumes(host: &dyn Hypervisor, pool: &Pool) -> Result<Vec<Volume>, HypervisorError> {
    if !pool.active {
        return Ok(Vec::new());
    }
    match host.list_volumes(&pool.name).await {
        Err(error) if matches!(error.reason, Reason::NotFound | Reason::WrongState) => {
            Ok(Vec::new())
        }
        volumes => volumes,
    }
}

/// The host's devices; none where the hypervisor lists none.
async fn devices(host: &dyn Hypervisor) -> Result<Vec<String>, HypervisorError> {
    match host.documents(&hypervisor::Document::NodeDevices).await {
        Err(error) if error.reason == Reason::Unsupported => Ok(Vec::new()),
        devices => devices,
    }
}

/// What lies there is told from its name: the files of another machine are out of reach.
fn kind_of_path(path: &str) -> Value {
    json!(if path.starts_with("/dev/") {
        "block"
    } else {
        "file"
    })
}

fn vm_state(vm: &Vm) -> Value {
    json!({
        "status": vm.status.as_str(),
        "autostart": vm.autostart,
        "managed_save": vm.has_managed_save,
    })
}

fn pool_state(pool: &Pool) -> Value {
    json!({"active": pool.active, "autostart": pool.autostart, "persistent": pool.persistent})
}

fn network_state(network: &Network) -> Value {
    json!({"active": network.active, "autostart": network.autostart, "persistent": network.persistent})
}

fn write_vm(files: &mut BTreeMap<String, String>, vm: &Vm) {
    let name = file_name(&vm.name);
    let definitions = [(&vm.xml_persistent, XML), (&vm.xml_live, LIVE)];
    for (xml, end) in definitions {
        if let Some(xml) = xml {
            files.insert(format!("{VMS}/{name}{end}"), without_secrets(xml));
        }
    }
}

fn write_pool(files: &mut BTreeMap<String, String>, pool: &Pool) {
    let name = file_name(&pool.name);
    files.insert(format!("{POOLS}/{name}{XML}"), pool.xml.clone());
    if let Some(live) = &pool.xml_live {
        files.insert(format!("{POOLS}/{name}{LIVE}"), live.clone());
    }
}

fn write_network(files: &mut BTreeMap<String, String>, network: &Network) {
    let name = file_name(&network.name);
    let (definition, live) = match (&network.xml_persistent, network.active) {
        (Some(persistent), _) => (persistent, Some(&network.xml)),
        (None, true) => (&network.xml, Some(&network.xml)),
        (None, false) => (&network.xml, None),
    };
    files.insert(format!("{NETWORKS}/{name}{XML}"), definition.clone());
    if let Some(live) = live {
        files.insert(format!("{NETWORKS}/{name}{LIVE}"), live.clone());
    }
}

/// Passwords of consoles are not shown by libvirt unless asked for; this is for hypervisors that show them all the same.
fn without_secrets(xml: &str) -> String {
    let Ok(mut document) = Document::new(xml) else {
        return xml.to_owned();
    };
    let password = Place::at("devices").nth("graphics", 0).attr("passwd");
    match document.get(&password) {
        Some(_) if document.remove(&password).is_ok() => document.into_string(),
        _ => xml.to_owned(),
    }
}

fn volume_xml(volume: &Volume) -> String {
    use domxml::Element;
    let size = |name, bytes: model::Bytes| Element::text(name, bytes.0).attr("unit", "bytes");
    let mut target = Element::new("target");
    if !volume.path.is_empty() {
        target = target.child(Element::text("path", &volume.path));
    }
    if !volume.format.is_empty() {
        target = target.child(Element::new("format").attr("type", &volume.format));
    }
    let backing = volume
        .backing
        .iter()
        .map(|path| Element::new("backingStore").child(Element::text("path", path)));
    Element::new("volume")
        .child(Element::text("name", &volume.name))
        .child(Element::text("key", &volume.key))
        .child(size("capacity", volume.capacity))
        .child(size("allocation", volume.allocation))
        .child(target)
        .children(backing)
        .to_xml(0)
}
