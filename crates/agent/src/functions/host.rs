//! `virt.*` functions about the host itself.

use super::table::{Access, Function};
use super::vm::vm_infos;
use super::{Call, Fault, Return};
use crate::compile::{self, Extra};
use crate::executor::config_of;
use domxml::read::{NodeExt, parse};
use model::VmStatus;
use serde_json::{Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.node_info",
        signature: "",
        doc: "virt.node_info\n\nCPUs, their arrangement, and memory (MiB) of the host.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(node_info(&call).await?)) }),
    },
    Function {
        name: "virt.freemem",
        signature: "",
        doc: "virt.freemem\n\nMemory (MiB) that no running VM has, less 256 for the host.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(free(&call).await?.1)) }),
    },
    Function {
        name: "virt.freecpu",
        signature: "",
        doc: "virt.freecpu\n\nCPUs of the host less the vCPUs of running VMs; less than zero where more were given.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(free(&call).await?.0)) }),
    },
    Function {
        name: "virt.full_info",
        signature: "",
        doc: "virt.full_info\n\n{freecpu, freemem, node_info, vm_info}.",
        access: Access::Reads,
        run: |call| Box::pin(full_info(call)),
    },
    Function {
        name: "virt.get_hypervisor",
        signature: "",
        doc: "virt.get_hypervisor\n\nkvm, qemu, xen…: the best kind of guest this host offers.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let facts = call.minion.hypervisor.facts().await?;
                let best = facts.domain_types.into_iter().next();
                Ok(Return::ok(best.map_or(Value::Null, Value::String)))
            })
        },
    },
    Function {
        name: "virt.get_profiles",
        signature: "hypervisor=None",
        doc: "virt.get_profiles [HYPERVISOR]\n\n{disk, nic}: the profiles of the configuration and the built-in ones, with what the hypervisor adds.",
        access: Access::Reads,
        run: |call| Box::pin(profiles(call)),
    },
    Function {
        name: "virt.is_hyper",
        signature: "",
        doc: "virt.is_hyper\n\nTrue: libvirt answers, and offers at least one kind of guest.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let facts = call.minion.hypervisor.facts().await;
                Ok(Return::ok(
                    facts.is_ok_and(|facts| !facts.domain_types.is_empty()),
                ))
            })
        },
    },
    Function {
        name: "virt.virt_type",
        signature: "",
        doc: "virt.virt_type\n\nWhat this host itself is: the grain virtual.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let grains = crate::grains::read(call.minion).await;
                Ok(Return::ok(grains["virtual"].clone()))
            })
        },
    },
];

/// Salt's shape.
async fn node_info(call: &Call<'_>) -> Result<Value, Fault> {
    let facts = call.minion.hypervisor.facts().await?;
    let xml = call.minion.hypervisor.capabilities_xml().await?;
    let doc = parse("capabilities", "capabilities", &xml)
        .map_err(|error| Fault::new(format!("cannot read the host's capabilities: {error}")))?;
    let host = doc.root_element();
    let number = |path: &str, name: &str| host.attr_at(path, name).parse::<u64>().ok();
    let of_cpu = |name: &str| number("host/cpu/topology", name).unwrap_or(1);
    let clock = call.minion.hypervisor.clock_mhz().await?;
    Ok(json!({
        "cpucores": of_cpu("cores"),
        "cpumhz": clock,
        "cpumodel": facts.arch,
        "cpus": facts.cpus,
        "cputhreads": of_cpu("threads"),
        "numanodes": number("host/topology/cells", "num").unwrap_or(1),
        "phymemory": facts.memory.mib(),
        "sockets": of_cpu("sockets"),
    }))
}

/// CPUs, and MiB of memory, that running VMs leave. Source: Salt `virt.freemem`, which keeps 256 MiB for the host.
async fn free(call: &Call<'_>) -> Result<(i64, i64), Fault> {
    const RESERVED_MIB: i64 = 256;
    let facts = call.minion.hypervisor.facts().await?;
    let vms = call.minion.hypervisor.inventory().await?.vms;
    let running = || {
        vms.iter()
            .filter(|vm| vm.status != VmStatus::Shutoff && vm.domain_id.is_some())
    };
    let vcpus: i64 = running().map(|vm| i64::from(vm.vcpus)).sum();
    let mib = |size: model::Bytes| i64::try_from(size.mib()).unwrap_or(i64::MAX);
    let used: i64 = running().map(|vm| mib(vm.memory)).sum();
    Ok((
        i64::from(facts.cpus) - vcpus,
        mib(facts.memory) - RESERVED_MIB - used,
    ))
}

async fn full_info(call: Call<'_>) -> Result<Return, Fault> {
    let (freecpu, freemem) = free(&call).await?;
    let node_info = node_info(&call).await?;
    let vms = call.minion.hypervisor.inventory().await?.vms;
    let vm_info = vm_infos(&call, &vms).await?;
    Ok(Return::ok(json!({
        "freecpu": freecpu,
        "freemem": freemem,
        "node_info": node_info,
        "vm_info": vm_info,
    })))
}

async fn profiles(call: Call<'_>) -> Result<Return, Fault> {
    let hypervisor = match call.args.text(0, "hypervisor")? {
        Some(named) => named,
        None => {
            let facts = call.minion.hypervisor.facts().await?;
            facts.domain_types.into_iter().next().unwrap_or_default()
        }
    };
    let target = compile::target(call.minion, Extra::default()).await?;
    Ok(Return::ok(states::profiles(
        &config_of(&target),
        &hypervisor,
    )))
}
