//! `virt.vm_cputime`, `virt.vm_netstats`, `virt.vm_diskstats`: what VMs have used since they started.

use super::table::{Access, Function};
use super::vm::find_vm_named;
use super::{Call, Fault, Return};
use hypervisor::{Key, Reason};
use model::{Counters, Vm};
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.vm_cputime",
        signature: "vm_=None",
        doc: "virt.vm_cputime [VM]\n\n{name: cputime in nanoseconds, and as a share of the host since the start}, of one VM or of all; 0 for one that is off.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let cpus = call.minion.hypervisor.facts().await?.cpus;
                counted(call, Off::Zero, move |vm, counters| {
                    cpu_time(vm, counters, cpus)
                })
                .await
            })
        },
    },
    Function {
        name: "virt.vm_netstats",
        signature: "vm_=None",
        doc: "virt.vm_netstats [VM]\n\n{name: bytes, packets, errors and drops of all interfaces since the start}, of one VM or of all; 0 for one that is off.",
        access: Access::Reads,
        run: |call| Box::pin(counted(call, Off::Zero, |_, counters| net(counters))),
    },
    Function {
        name: "virt.vm_diskstats",
        signature: "vm_=None",
        doc: "virt.vm_diskstats [VM]\n\n{name: requests and bytes of all disks since the start}, of one VM or of all that run.",
        access: Access::Reads,
        run: |call| Box::pin(counted(call, Off::LeftOut, |_, counters| block(counters))),
    },
];

/// What is told of VMs that are off when all are asked for.
#[derive(Clone, Copy, PartialEq)]
enum Off {
    Zero,
    LeftOut,
}

/// One VM that does not answer keeps nobody from the others.
async fn counted(
    call: Call<'_>,
    off: Off,
    tell: impl Fn(&Vm, &Counters) -> Value + Send,
) -> Result<Return, Fault> {
    let named = call.args.text(0, "vm_")?;
    let is_named = named.is_some();
    let vms = match named {
        Some(name) => vec![find_vm_named(&call, name).await?],
        None => call.minion.hypervisor.inventory().await?.vms,
    };
    let mut told = Map::new();
    for vm in &vms {
        if !vm.status.is_active() {
            if is_named || off == Off::Zero {
                told.insert(vm.name.clone(), tell(vm, &Counters::default()));
            }
            continue;
        }
        let counters = match call.minion.hypervisor.counters(&Key::Uuid(vm.uuid)).await {
            Ok(counters) => counters,
            Err(error) if error.reason == Reason::WrongState && is_named => Counters::default(),
            Err(error) if matches!(error.reason, Reason::WrongState | Reason::NotFound) => continue,
            Err(error) if is_named => return Err(error.into()),
            Err(error) => {
                tracing::warn!(vm.name = vm.name, "No counters of VM {}: {error}", vm.name);
                continue;
            }
        };
        told.insert(vm.name.clone(), tell(vm, &counters));
    }
    Ok(Return::ok(told))
}

/// Salt's share: the nanoseconds in units of a hundredth of a second, over the CPUs of host and VM.
fn cpu_time(vm: &Vm, counters: &Counters, host_cpus: u32) -> Value {
    let over = u64::from(host_cpus.max(1)) * u64::from(vm.vcpus.max(1));
    json!({
        "cputime": counters.cpu_time_ns,
        "cputime_percent": counters.cpu_time_ns / 10_000_000 / over,
    })
}

fn net(counters: &Counters) -> Value {
    let net = &counters.net;
    json!({
        "rx_bytes": net.rx_bytes,
        "rx_packets": net.rx_packets,
        "rx_errs": net.rx_errs,
        "rx_drop": net.rx_drop,
        "tx_bytes": net.tx_bytes,
        "tx_packets": net.tx_packets,
        "tx_errs": net.tx_errs,
        "tx_drop": net.tx_drop,
    })
}

fn block(counters: &Counters) -> Value {
    let block = &counters.block;
    json!({
        "rd_req": block.rd_req,
        "rd_bytes": block.rd_bytes,
        "wr_req": block.wr_req,
        "wr_bytes": block.wr_bytes,
        "errs": block.errs,
    })
}
