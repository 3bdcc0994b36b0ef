//! What became of an action that an earlier process of this agent began and did not end.
//!
//! A state run lives in the agent's process: when that ended, the run ended too, short of its last step. This is a
//! failure and no riddle, and as applying states again is always right, it need not block the runs behind it.

use crate::journal::{Ending, StoredKind};
use crate::link::{Backoff, random};
use hypervisor::{Hypervisor, Key};
use model::ActionStatus;

/// Compares with the hypervisor, as soon as it answers. What it cannot prove is `unknown`.
pub(crate) async fn find_out(hypervisor: &dyn Hypervisor, kind: &StoredKind) -> Ending {
    const CRASHED: &str = "the agent stopped while it carried this out";
    let unknown = |hint: &str| Ending::new(ActionStatus::Unknown, CRASHED, hint);
    let Some((vm, request)) = kind.vm_request() else {
        return match kind.is_state_run() {
            true => Ending::failed(
                CRASHED,
                "apply it again: what it has done already is left as it is",
            ),
            false => unknown("look at the host, then run the function again if needed"),
        };
    };
    let mut backoff = Backoff::new();
    loop {
        match hypervisor.find_vm(&Key::Uuid(vm)).await {
            Ok(Some(vm)) if vm.has_fulfilled(request) => return Ending::succeeded(),
            Ok(_) => return unknown("look at the VM, then ask again if needed"),
            Err(error) if error.is_retryable() => tokio::time::sleep(backoff.wait(random())).await,
            Err(_) => return unknown("look at the VM, then ask again if needed"),
        }
    }
}
