//! `virt.*` functions that do once what a state declares: `virt.init`, `virt.update`, `virt.pool_define`…
//!
//! They are the state on an object of that name, so they take what the state takes, plan before they touch, and change
//! an object that is there rather than replace it.

use super::signature::Signature;
use super::states::bring_about;
use super::table::{Access, Function};
use super::vm::find_vm;
use super::{Call, Fault, Return, network, pool};
use hypervisor::Key;
use serde_json::{Value, json};
use sls::Map;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.init",
        signature: "name, cpu, mem, nic='default', interfaces=None, hypervisor=None, start=True, disk='default', disks=None, saltenv='base', seed=True, install=True, pub_key=None, priv_key=None, seed_cmd='seed.apply', graphics=None, os_type=None, arch=None, boot=None, boot_dev=None, numatune=None, hypervisor_features=None, clock=None, serials=None, consoles=None, stop_on_reboot=False, host_devices=None, config=None",
        doc: "virt.init NAME CPU MEM [k=v…]\n\nMakes a new VM, with the disk and interface of the profiles named default unless told otherwise. The arguments are those of the state virt.running.",
        access: Access::Changes,
        run: |call| Box::pin(init(call)),
    },
    Function {
        name: "virt.update",
        signature: "name, cpu=0, mem=0, disk_profile=None, disks=None, nic_profile=None, interfaces=None, graphics=None, live=True, boot=None, numatune=None, test=False, boot_dev=None, hypervisor_features=None, clock=None, serials=None, consoles=None, stop_on_reboot=False, host_devices=None, autostart=None",
        doc: "virt.update NAME [k=v…] [live=False] [test=True]\n\nChanges a VM; what is not given stays. Returns what changed: definition, disk, interface…",
        access: Access::Changes,
        run: |call| Box::pin(update(call)),
    },
    Function {
        name: "virt.network_define",
        signature: "name, bridge, forward, ipv4_config=None, ipv6_config=None, vport=None, tag=None, autostart=True, start=True, mtu=None, domain=None, nat=None, interfaces=None, addresses=None, physical_function=None, dns=None",
        doc: "virt.network_define NAME BRIDGE FORWARD [k=v…]\n\nDefines a network and starts it.",
        access: Access::Changes,
        run: |call| Box::pin(network_define(call)),
    },
    Function {
        name: "virt.network_update",
        signature: "name, bridge, forward, ipv4_config=None, ipv6_config=None, vport=None, tag=None, mtu=None, domain=None, nat=None, interfaces=None, addresses=None, physical_function=None, dns=None, test=False",
        doc: "virt.network_update NAME BRIDGE FORWARD [k=v…] [test=True]\n\nChanges a network. True if something did, or with test=True would, change.",
        access: Access::Changes,
        run: |call| Box::pin(network_update(call)),
    },
    Function {
        name: "virt.pool_define",
        signature: "name, ptype, target=None, permissions=None, source_devices=None, source_dir=None, source_initiator=None, source_adapter=None, source_hosts=None, source_auth=None, source_name=None, source_format=None, transient=False, start=True",
        doc: "virt.pool_define NAME TYPE [target=PATH] [k=v…]\n\nDefines a pool, makes its storage where there is none, and starts it.",
        access: Access::Changes,
        run: |call| Box::pin(pool_define(call)),
    },
    Function {
        name: "virt.pool_update",
        signature: "name, ptype, target=None, permissions=None, source_devices=None, source_dir=None, source_initiator=None, source_adapter=None, source_hosts=None, source_auth=None, source_name=None, source_format=None, test=False",
        doc: "virt.pool_update NAME TYPE [target=PATH] [k=v…] [test=True]\n\nChanges a pool. True if something did, or with test=True would, change.",
        access: Access::Changes,
        run: |call| Box::pin(pool_update(call)),
    },
    Function {
        name: "virt.volume_define",
        signature: "pool, name, size, allocation=0, format=None, type=None, permissions=None, backing_store=None, nocow=False",
        doc: "virt.volume_define POOL NAME MIB [k=v…]\n\nCreates a volume.",
        access: Access::Changes,
        run: |call| Box::pin(volume_define(call)),
    },
];

/// The name and the other arguments. A network may be without bridge, and isolated (`forward` null).
fn bound(call: &Call<'_>, signature: &'static str) -> Result<(String, Map), Fault> {
    let signature = Signature::read(signature);
    let is_mandatory = |name| !matches!(name, "bridge" | "forward");
    for (position, parameter) in signature.parameters.iter().enumerate() {
        let must_be_there = parameter.default.is_none() && is_mandatory(parameter.name);
        if must_be_there && call.args.get(position, parameter.name).is_none() {
            call.args.required(position, parameter.name)?;
        }
    }
    let mut bound = signature.bind(&call.args);
    let name = match bound.shift_remove("name") {
        Some(Value::String(name)) => name,
        other => other.unwrap_or_default().to_string(),
    };
    Ok((name, bound))
}

fn signature_of(call: &Call<'_>) -> &'static str {
    super::find(call.fun).map_or("", |function| function.signature)
}

/// Takes a boolean out of the arguments.
fn take(arguments: &mut Map, name: &str, default: bool) -> Result<bool, Fault> {
    match arguments.shift_remove(name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(other) => Err(Fault::new(format!(
            "the argument '{name}' is {other}, not True or False"
        ))),
    }
}

async fn init(call: Call<'_>) -> Result<Return, Fault> {
    let (name, mut arguments) = bound(&call, signature_of(&call))?;
    let key = Key::Name(name.clone());
    if let Some(vm) = call.minion.hypervisor.find_vm(&key).await? {
        return Err(Fault::new(format!(
            "operation failed: domain '{name}' already exists with uuid {}",
            vm.uuid
        ))
        .hint("virt.update changes a VM that is there"));
    }
    for own in ["saltenv", "seed_cmd", "config"] {
        arguments.shift_remove(own);
    }
    for (own, state) in [("nic", "nic_profile"), ("disk", "disk_profile")] {
        let profile = arguments.shift_remove(own);
        // Null is no profile; only what is not given at all is the profile named default.
        if !is_null(&call, own) {
            let profile = profile.unwrap_or_else(|| json!("default"));
            arguments.insert(state.to_owned(), profile);
        }
    }
    if let Some(kind) = arguments.shift_remove("hypervisor") {
        arguments.insert("vm_type".to_owned(), kind);
    }
    let fun = match take(&mut arguments, "start", true)? {
        true => "running",
        false => "defined",
    };
    bring_about(&call, fun, &name, arguments, false).await?;
    Ok(Return::ok(true))
}

fn is_null(call: &Call<'_>, argument: &str) -> bool {
    call.args
        .all_named()
        .any(|(name, value)| name == argument && value.is_null())
}

async fn update(call: Call<'_>) -> Result<Return, Fault> {
    let (_, mut arguments) = bound(&call, signature_of(&call))?;
    let name = find_vm(&call).await?.name;
    let test = take(&mut arguments, "test", false)?;
    // Salt's defaults of 0 mean to leave it alone.
    arguments.retain(|key, value| !(matches!(key.as_str(), "cpu" | "mem") && *value == json!(0)));
    let mut changes = bring_about(&call, "defined", &name, arguments, test).await?;
    Ok(Return::ok(changes.shift_remove(&name).unwrap_or_else(
        || {
            json!({
                "definition": false,
                "disk": {"attached": [], "detached": [], "updated": []},
                "interface": {"attached": [], "detached": []},
            })
        },
    )))
}

async fn network_define(call: Call<'_>) -> Result<Return, Fault> {
    let (name, mut arguments) = bound(&call, signature_of(&call))?;
    let start = take(&mut arguments, "start", true)?;
    let autostart = take(&mut arguments, "autostart", true)?;
    arguments.insert("autostart".to_owned(), json!(autostart));
    // Source: Salt, where autostart starts it as well.
    let fun = match start || autostart {
        true => "network_running",
        false => "network_defined",
    };
    bring_about(&call, fun, &name, with_forward(arguments), false).await?;
    Ok(Return::ok(true))
}

async fn network_update(call: Call<'_>) -> Result<Return, Fault> {
    let (name, mut arguments) = bound(&call, signature_of(&call))?;
    let there = network::find_network(&call).await?;
    let test = take(&mut arguments, "test", false)?;
    arguments.insert("autostart".to_owned(), json!(there.autostart));
    let arguments = with_forward(arguments);
    let changes = bring_about(&call, "network_defined", &name, arguments, test).await?;
    Ok(Return::ok(!changes.is_empty()))
}

/// `forward` null is an isolated network, and has to be said to the state.
fn with_forward(mut arguments: Map) -> Map {
    arguments.entry("forward").or_insert(Value::Null);
    arguments
}

async fn pool_define(call: Call<'_>) -> Result<Return, Fault> {
    let (name, mut arguments) = bound(&call, signature_of(&call))?;
    let key = Key::Name(name.clone());
    let there = call.minion.hypervisor.find_pool(&key).await?;
    let fun = match take(&mut arguments, "start", true)? {
        true => "pool_running",
        false => "pool_defined",
    };
    let mut arguments = with_source(arguments);
    arguments.insert(
        "autostart".to_owned(),
        json!(there.is_some_and(|pool| pool.autostart)),
    );
    bring_about(&call, fun, &name, arguments, false).await?;
    Ok(Return::ok(true))
}

async fn pool_update(call: Call<'_>) -> Result<Return, Fault> {
    let (name, mut arguments) = bound(&call, signature_of(&call))?;
    let there = pool::find_pool(&call).await?;
    let test = take(&mut arguments, "test", false)?;
    let mut arguments = with_source(arguments);
    arguments.insert("autostart".to_owned(), json!(there.autostart));
    let changes = bring_about(&call, "pool_defined", &name, arguments, test).await?;
    Ok(Return::ok(!changes.is_empty()))
}

/// `source_dir` and its like, as the dictionary that the state takes.
fn with_source(arguments: Map) -> Map {
    let mut source = Map::new();
    let mut others = Map::new();
    for (key, value) in arguments {
        match key.strip_prefix("source_") {
            Some(part) => drop(source.insert(part.to_owned(), value)),
            None => drop(others.insert(key, value)),
        }
    }
    if !source.is_empty() {
        others.insert("source".to_owned(), Value::Object(source));
    }
    others
}

async fn volume_define(call: Call<'_>) -> Result<Return, Fault> {
    let (name, arguments) = bound(&call, signature_of(&call))?;
    bring_about(&call, "volume_defined", &name, arguments, false).await?;
    Ok(Return::ok(true))
}
