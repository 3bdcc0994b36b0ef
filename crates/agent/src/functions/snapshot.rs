//! `virt.*` functions for snapshots. Shapes and words of errors: Salt's virt module.

use super::table::{Access, Function};
use super::vm::{find_vm, find_vm_named};
use super::{Arguments, Call, Fault, Return};
use crate::executor::stamp;
use hypervisor::Key;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::plan::{Step, VmOp};
use model::snapshot::{can_snapshot, newer_than, previous, unfit_name};
use model::{Snapshot, Vm};
use serde_json::{Value, json};
use sls::{Map, closest};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.list_snapshots",
        signature: "domain=None",
        doc: "virt.list_snapshots [VM]\n\n{name: snapshots with name, created, running and current, or the text N/A}, of one VM or of all.",
        access: Access::Reads,
        run: |call| Box::pin(list(call)),
    },
    Function {
        name: "virt.snapshot",
        signature: "domain, name=None, suffix=None",
        doc: "virt.snapshot VM [NAME] [suffix=…]\n\nTakes a snapshot; without a name it is named after the VM and the time. Refused where a revert could not bring the VM back whole.",
        access: Access::Changes,
        run: |call| Box::pin(take(call)),
    },
    Function {
        name: "virt.delete_snapshots",
        signature: "name, *names",
        doc: "virt.delete_snapshots VM [SNAPSHOT…]\n\nDeletes the named snapshots, or all. {available, deleted}.",
        access: Access::Changes,
        run: |call| Box::pin(delete(call)),
    },
    Function {
        name: "virt.revert_snapshot",
        signature: "name, vm_snapshot=None, cleanup=False",
        doc: "virt.revert_snapshot VM [SNAPSHOT] [cleanup=True]\n\nGoes back to a snapshot, or to the one before the current one; what came after it is lost. With cleanup=True newer snapshots are deleted.",
        access: Access::Changes,
        run: |call| Box::pin(revert(call)),
    },
];

async fn list(call: Call<'_>) -> Result<Return, Fault> {
    let vms = match call.args.text(0, "domain")? {
        Some(name) => vec![find_vm_named(&call, name).await?],
        None => call.minion.hypervisor.inventory().await?.vms,
    };
    let mut told = Map::new();
    for vm in vms {
        let snapshots = snapshots(&call, &vm).await?;
        told.insert(vm.name, shown(&snapshots));
    }
    Ok(Return::ok(Value::Object(told)))
}

async fn snapshots(call: &Call<'_>, vm: &Vm) -> Result<Vec<Snapshot>, Fault> {
    let mut snapshots = call
        .minion
        .hypervisor
        .snapshots(&Key::Uuid(vm.uuid))
        .await?;
    snapshots.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
    Ok(snapshots)
}

fn shown(snapshots: &[Snapshot]) -> Value {
    if snapshots.is_empty() {
        return json!("N/A");
    }
    let one = |snapshot: &Snapshot| {
        json!({
            "name": snapshot.name,
            "created": local_time(snapshot.created),
            "running": snapshot.state == "running",
            "current": snapshot.current,
        })
    };
    snapshots.iter().map(one).collect()
}

/// `2026-11-26 18:04:05`, in the host's time zone.
fn local_time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "unknown".to_owned(),
        |at| {
            at.to_zoned_datetime(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

async fn take(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm_named(&call, call.args.required(0, "domain")?).await?;
    let suffix = call.args.text(2, "suffix")?;
    let base = match call.args.text(1, "name")? {
        Some(name) => name,
        None => format!("{}-{}", vm.name, stamp()),
    };
    let name = match suffix {
        Some(suffix) => format!("{base}-{suffix}"),
        None => base,
    };
    if let Some(why) = unfit_name(&name) {
        return Err(Fault::new(format!(
            "virt.snapshot: {name:?} is no name for a snapshot: it is {why}"
        ))
        .hint("write letters, digits, dots, dashes and underscores"));
    }
    can_snapshot(&vm).map_err(|why| {
        Fault::new(format!("cannot take a snapshot of VM {}: {why}", vm.name)).hint(why.remedy())
    })?;
    let taken = VmOp::TakeSnapshot {
        name: name.clone(),
        dated: false,
    };
    perform(&call, &vm, taken).await?;
    Ok(Return::ok(json!({ "name": name })))
}

async fn delete(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    let have = snapshots(&call, &vm).await?;
    let named = named(&call.args)?;
    for name in &named {
        find(&vm, &have, name)?;
    }
    // The newest first, so that none loses the one it stands on before it goes itself.
    let gone = have
        .iter()
        .rev()
        .filter(|known| named.is_empty() || named.contains(&known.name));
    let mut deleted = Vec::new();
    for snapshot in gone {
        let op = VmOp::DeleteSnapshot {
            snapshot: snapshot.name.clone(),
        };
        perform(&call, &vm, op).await?;
        deleted.push(snapshot.name.clone());
    }
    let left = snapshots(&call, &vm).await?;
    Ok(Return::ok(json!({
        "available": { vm.name: shown(&left) },
        "deleted": if deleted.is_empty() { json!("N/A") } else { json!(deleted) },
    })))
}

/// The snapshots named behind the VM.
fn named(args: &Arguments) -> Result<Vec<String>, Fault> {
    let rest = 1..args.positional().len().max(1);
    let names = rest.map(|position| args.text(position, ""));
    names.filter_map(Result::transpose).collect()
}

async fn revert(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    let have = snapshots(&call, &vm).await?;
    let target = target(&vm, &have, call.args.text(1, "vm_snapshot")?.as_deref())?;
    let op = VmOp::RevertTo {
        snapshot: target.name.clone(),
    };
    perform(&call, &vm, op).await?;
    let cleanup = call.args.get(2, "cleanup") == Some(&Value::Bool(true));
    let newer = match cleanup {
        true => newer_than(&have, target),
        false => Vec::new(),
    };
    let mut deleted = Vec::new();
    for snapshot in newer {
        let op = VmOp::DeleteSnapshot {
            snapshot: snapshot.name.clone(),
        };
        perform(&call, &vm, op).await?;
        deleted.push(snapshot.name.clone());
    }
    Ok(Return::ok(json!({
        "reverted": target.name,
        "deleted": if deleted.is_empty() { json!("N/A") } else { json!(deleted) },
    })))
}

/// The snapshot to go back to, with Salt's refusals.
fn target<'a>(vm: &Vm, have: &'a [Snapshot], wanted: Option<&str>) -> Result<&'a Snapshot, Fault> {
    if have.is_empty() {
        return Err(Fault::new("No snapshots found")
            .hint(format!("take one first: virt.snapshot {}", vm.name)));
    }
    let Some(wanted) = wanted else {
        return previous(have).ok_or_else(|| {
            Fault::new("Cannot revert to itself: only one snapshot is available.").hint(format!(
                "the state virt.reverted with snapshot: {} goes back to it",
                have[0].name
            ))
        });
    };
    let found = find(vm, have, wanted)?;
    if found.current {
        return Err(
            Fault::new("Cannot revert to the currently running snapshot.").hint(format!(
                "the state virt.reverted with snapshot: {wanted} goes back to it"
            )),
        );
    }
    Ok(found)
}

fn find<'a>(vm: &Vm, have: &'a [Snapshot], wanted: &str) -> Result<&'a Snapshot, Fault> {
    let found = have.iter().find(|snapshot| snapshot.name == wanted);
    found.ok_or_else(|| {
        let fault = Fault::new(format!("Snapshot \"{wanted}\" not found"));
        match closest(wanted, have.iter().map(|known| known.name.as_str())) {
            Some(close) => fault.hint(format!("did you mean {close}?")),
            None => fault.hint(format!(
                "see what there is: virt.list_snapshots {}",
                vm.name
            )),
        }
    })
}

async fn perform(call: &Call<'_>, vm: &Vm, op: VmOp) -> Result<(), Fault> {
    let name = vm.name.clone();
    call.minion
        .hypervisor
        .perform(&Step::Vm { name, op })
        .await?;
    Ok(())
}
