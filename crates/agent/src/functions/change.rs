//! `virt.*` functions that change the definition of one VM, or remove it.

use super::file::host_is_here;
use super::table::{Access, Function};
use super::vm::find_vm;
use super::{Arguments, Call, Fault, Return};
use domxml::{Document, Place};
use model::plan::{Step, VmOp};
use model::{Bytes, Capability, Vm};
use serde_json::Value;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.set_autostart",
        signature: "vm_, state='on'",
        doc: "virt.set_autostart VM [on|off]\n\nStarts the VM with its host, or not. False for any other word.",
        access: Access::Changes,
        run: |call| Box::pin(set_autostart(call)),
    },
    Function {
        name: "virt.setmem",
        signature: "vm_, memory, config=False",
        doc: "virt.setmem VM MIB\n\nMemory of a VM that is off. False while it is not.",
        access: Access::Changes,
        run: |call| Box::pin(set_memory(call)),
    },
    Function {
        name: "virt.setvcpus",
        signature: "vm_, vcpus, config=False",
        doc: "virt.setvcpus VM COUNT\n\nvCPUs of a VM that is off. False while it is not.",
        access: Access::Changes,
        run: |call| Box::pin(set_vcpus(call)),
    },
    Function {
        name: "virt.undefine",
        signature: "vm_",
        doc: "virt.undefine VM\n\nRemoves the definition; disks stay.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let vm = find_vm(&call).await?;
                change(&call, vm.name, VmOp::Undefine).await
            })
        },
    },
    Function {
        name: "virt.define_xml_str",
        signature: "xml",
        doc: "virt.define_xml_str XML\n\nDefines a VM by its XML, or replaces the definition of the one of that name.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let xml = call.args.required(0, "xml")?;
                define(&call, xml).await
            })
        },
    },
    Function {
        name: "virt.create_xml_str",
        signature: "xml",
        doc: "virt.create_xml_str XML\n\nStarts a transient VM by its XML: nothing of it is left when it is off.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let xml = call.args.required(0, "xml")?;
                create(&call, xml).await
            })
        },
    },
    Function {
        name: "virt.create_xml_path",
        signature: "path",
        doc: "virt.create_xml_path PATH\n\nStarts a transient VM by the XML in a file of the host. False when the file cannot be read.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                match readable(&call).await? {
                    Some(xml) => create(&call, xml).await,
                    None => Ok(Return::ok(false)),
                }
            })
        },
    },
    Function {
        name: "virt.ctrl_alt_del",
        signature: "vm_",
        doc: "virt.ctrl_alt_del VM\n\nPresses Ctrl-Alt-Del on the keyboard of the running VM.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let vm = find_vm(&call).await?;
                if let Some(lack) = vm.guest().lacks(Capability::SendKeys) {
                    return Err(Fault::new(format!(
                        "cannot press keys of VM {}: {lack}",
                        vm.name
                    )));
                }
                let codes = CTRL_ALT_DEL.to_vec();
                change(&call, vm.name, VmOp::SendKeys { codes }).await
            })
        },
    },
    Function {
        name: "virt.define_xml_path",
        signature: "path",
        doc: "virt.define_xml_path PATH\n\nDefines a VM by the XML in a file of the host. False when the file cannot be read.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                match readable(&call).await? {
                    Some(xml) => define(&call, xml).await,
                    None => Ok(Return::ok(false)),
                }
            })
        },
    },
];

/// Linux key codes. Source: Salt `virt.ctrl_alt_del`.
const CTRL_ALT_DEL: [u32; 3] = [29, 56, 111];

/// The text of the file that the first argument names; `None`, as Salt has it, when it cannot be read.
async fn readable(call: &Call<'_>) -> Result<Option<String>, Fault> {
    let path = call.args.required(0, "path")?;
    host_is_here(call)?;
    match tokio::fs::read_to_string(&path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            tracing::warn!("Cannot read {path}: {error}");
            Ok(None)
        }
    }
}

/// What `state` of a `…set_autostart` means: `on` and `off`, which YAML turns into booleans. `None` for anything else.
pub(super) fn switch(args: &Arguments) -> Option<bool> {
    match args.get(1, "state") {
        None => Some(true),
        Some(Value::Bool(on)) => Some(*on),
        Some(Value::String(word)) => match word.as_str() {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        },
        Some(_) => None,
    }
}

async fn change(call: &Call<'_>, name: String, op: VmOp) -> Result<Return, Fault> {
    call.minion
        .hypervisor
        .perform(&Step::Vm { name, op })
        .await?;
    Ok(Return::ok(true))
}

async fn set_autostart(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    match switch(&call.args) {
        Some(on) => change(&call, vm.name, VmOp::Autostart(on)).await,
        None => Ok(Return::ok(false)),
    }
}

async fn set_memory(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    let size = Bytes::from_mib(count(&call, "memory")?);
    let kib = size.kib().to_string();
    redefine(&call, vm, |document| {
        for place in ["memory", "currentMemory"].map(Place::at) {
            document.set(&place.clone().attr("unit"), "KiB")?;
            document.set(&place, &kib)?;
        }
        Ok(())
    })
    .await
}

async fn set_vcpus(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    let vcpus = count(&call, "vcpus")?.to_string();
    redefine(&call, vm, |document| {
        document.remove(&Place::at("vcpu").attr("current"))?;
        document.set(&Place::at("vcpu"), &vcpus)
    })
    .await
}

/// The second argument, a whole number from 1.
fn count(call: &Call<'_>, name: &str) -> Result<u64, Fault> {
    let given = call.args.required(1, name)?;
    let count = given
        .parse()
        .ok()
        .filter(|count| (1..1 << 32).contains(count));
    count.ok_or_else(|| {
        let fun = call.fun;
        Fault::new(format!(
            "{fun}: the argument '{name}' is {given}, not a whole number from 1"
        ))
    })
}

/// Writes the edited definition of a VM that is off. Source: Salt, which returns False for any other.
async fn redefine(
    call: &Call<'_>,
    vm: Vm,
    edit: impl FnOnce(&mut Document) -> Result<(), domxml::EditError>,
) -> Result<Return, Fault> {
    if vm.status.salt_word() != "shutdown" {
        return Ok(Return::ok(false));
    }
    let unreadable = |error| {
        Fault::new(format!(
            "cannot edit the definition of VM {}: {error}",
            vm.name
        ))
    };
    let xml = vm.xml_persistent.as_deref().unwrap_or_default();
    let mut document = Document::new(xml).map_err(unreadable)?;
    edit(&mut document).map_err(unreadable)?;
    let xml = document.into_string();
    change(call, vm.name, VmOp::Define { xml }).await
}

async fn define(call: &Call<'_>, xml: String) -> Result<Return, Fault> {
    let read = domxml::domain::read(&xml)
        .map_err(|error| Fault::new(format!("cannot define a VM: {error}")))?;
    change(call, read.name, VmOp::Define { xml }).await
}

async fn create(call: &Call<'_>, xml: String) -> Result<Return, Fault> {
    let read = domxml::domain::read(&xml)
        .map_err(|error| Fault::new(format!("cannot start a VM: {error}")))?;
    change(call, read.name, VmOp::CreateTransient { xml }).await
}
