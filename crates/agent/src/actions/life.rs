//! Life-cycle requests to one VM.

use crate::journal::Ending;
use hypervisor::{Hypervisor, HypervisorError, Key};
use model::plan::{Step, VmOp};
use model::{ActionStatus, Admit, Request};
use uuid::Uuid;

/// Carries out a life-cycle request: reads, asks the table, acts.
pub(super) async fn carry_out(
    hypervisor: &dyn Hypervisor,
    uuid: Uuid,
    name: &str,
    request: Request,
) -> Ending {
    let vm = match hypervisor.find_vm(&Key::Uuid(uuid)).await {
        Ok(Some(vm)) => vm,
        Ok(None) => {
            return Ending::failed(
                format!("VM {name} is not on this host any more"),
                "reload the list of VMs",
            );
        }
        Err(error) => return failure(&error),
    };
    match vm.admit(request) {
        Ok(Admit::AlreadyThere) => return Ending::succeeded(),
        Ok(Admit::Queue) => {}
        Err(denied) => return Ending::failed(denied.to_string(), ""),
    }
    let step = Step::Vm {
        name: uuid.to_string(),
        op: VmOp::Life(request),
    };
    match hypervisor.perform(&step).await {
        Ok(()) => Ending::succeeded(),
        Err(error) if error.reason.leaves_outcome_unknown() => {
            proven(hypervisor, uuid, request, &error).await
        }
        Err(error) => failure(&error),
    }
}

/// A call broke off: what does the host say?
async fn proven(
    hypervisor: &dyn Hypervisor,
    uuid: Uuid,
    request: Request,
    error: &HypervisorError,
) -> Ending {
    match hypervisor.find_vm(&Key::Uuid(uuid)).await {
        Ok(Some(vm)) if request.is_fulfilled_by(vm.status) => Ending::succeeded(),
        _ => Ending::new(
            ActionStatus::Unknown,
            error.to_string(),
            error.hint().unwrap_or_default(),
        ),
    }
}

fn failure(error: &HypervisorError) -> Ending {
    Ending::failed(error.to_string(), error.hint().unwrap_or_default())
}
