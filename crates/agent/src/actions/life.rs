//! Life-cycle requests to one VM.

use crate::journal::Ending;
use crate::link::{Backoff, random};
use hypervisor::{Hypervisor, HypervisorError, Key};
use model::plan::{Step, VmOp};
use model::{ActionStatus, Admit, Request};
use std::time::Duration;
use tokio::time::Instant;
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

/// So long libvirt is asked for what has become of a call that broke off.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call broke off: what does the host say, once it answers again?
async fn proven(
    hypervisor: &dyn Hypervisor,
    uuid: Uuid,
    request: Request,
    error: &HypervisorError,
) -> Ending {
    let until = Instant::now() + PATIENCE;
    let mut backoff = Backoff::new();
    loop {
        match hypervisor.find_vm(&Key::Uuid(uuid)).await {
            Ok(Some(vm)) if vm.has_fulfilled(request) => return Ending::succeeded(),
            Err(again) if again.is_retryable() && Instant::now() < until => {
                tokio::time::sleep(backoff.wait(random())).await;
            }
            _ => {
                return Ending::new(
                    ActionStatus::Unknown,
                    error.to_string(),
                    error.hint().unwrap_or_default(),
                );
            }
        }
    }
}

fn failure(error: &HypervisorError) -> Ending {
    Ending::failed(error.to_string(), error.hint().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hypervisor::Reason;
    use hypervisor::fake::FakeHypervisor;

    const XML: &str = "<domain type='qemu'><name>srv01</name><memory>1024</memory><os><type>hvm</type></os></domain>";

    fn broken() -> HypervisorError {
        HypervisorError {
            what: "start VM srv01".to_owned(),
            reason: Reason::Unreachable,
            message: "the connection broke".to_owned(),
            libvirt: None,
        }
    }

    #[tokio::test]
    async fn a_call_that_broke_off_is_looked_up_once_libvirt_is_back() {
        let fake = FakeHypervisor::new("kvm1");
        let vm = fake.add_vm(XML);
        fake.set_reachable(false);
        let back = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            fake.start_vm("srv01");
            fake.set_reachable(true);
        };
        let error = broken();
        let looked_up = proven(&fake, vm, Request::Start, &error);
        let (ending, ()) = tokio::join!(looked_up, back);
        assert_eq!(ending, Ending::succeeded());
    }

    #[tokio::test(start_paused = true)]
    async fn what_libvirt_never_tells_is_unknown_in_the_end() {
        let fake = FakeHypervisor::new("kvm1");
        let vm = fake.add_vm(XML);
        fake.set_reachable(false);
        let error = broken();
        let ending = proven(&fake, vm, Request::Start, &error).await;
        let unknown = Ending::new(
            ActionStatus::Unknown,
            error.to_string(),
            error.hint().unwrap_or_default(),
        );
        assert_eq!(ending, unknown);
    }
}
