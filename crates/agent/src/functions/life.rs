//! `virt.start` and its like: requests to the life of one VM. True when it is, or was already, so.

use super::table::{Access, Function};
use super::vm::find_vm;
use super::{Call, Fault, Return};
use model::plan::{Step, VmOp};
use model::{Admit, Request};

macro_rules! life {
    ($name:literal, $argument:literal, $doc:literal, $request:ident) => {
        Function {
            name: concat!("virt.", $name),
            signature: $argument,
            doc: concat!("virt.", $name, " VM\n\n", $doc),
            access: Access::Changes,
            run: |call| Box::pin(ask(call, Request::$request)),
        }
    };
}

pub(super) const TABLE: &[Function] = &[
    life!(
        "start",
        "name",
        "Boots the VM, or resumes it from a saved memory image.",
        Start
    ),
    life!(
        "shutdown",
        "vm_",
        "Asks the guest to shut down; does not wait for it.",
        Shutdown
    ),
    life!("stop", "name", "Cuts the power of the VM.", ForceOff),
    life!("reboot", "name", "Asks the guest to reboot.", Reboot),
    life!("reset", "vm_", "Presses the reset button.", Reset),
    life!(
        "pause",
        "vm_",
        "Stops executing the VM; its memory stays.",
        Pause
    ),
    life!("resume", "vm_", "Goes on after a pause.", Resume),
];

async fn ask(call: Call<'_>, request: Request) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    match vm.admit(request) {
        Ok(Admit::AlreadyThere) => Ok(Return::ok(true)),
        Ok(Admit::Queue) => {
            let step = Step::Vm {
                name: vm.name,
                op: VmOp::Life(request),
            };
            call.minion.hypervisor.perform(&step).await?;
            Ok(Return::ok(true))
        }
        Err(denied) => Err(Fault::new(format!(
            "cannot {} VM {}: {denied}",
            request.as_str().replace('_', " "),
            vm.name
        ))),
    }
}
