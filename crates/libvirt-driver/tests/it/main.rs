//! The driver against libvirt itself: the test driver in this process, and private libvirtds that the tests start,
//! kill, stop and end.
//!
//! A missing libvirtd fails these tests where the variable `CI` is set, and skips them with a printed reason elsewhere.

mod daemon;
mod events;
mod in_process;
mod qemu;
mod restarts;

use hypervisor::{Hint, HintReceiver, Hypervisor, Key};
use model::Vm;
use model::lifecycle::Request;
use model::plan::{Step, VmOp};
use std::time::Duration;

/// Longer than anything here takes on a loaded machine.
const LONG: Duration = Duration::from_secs(30);

/// Waits for a hint that `accept` takes.
async fn hint<T>(hints: &mut HintReceiver, mut accept: impl FnMut(Hint) -> Option<T>) -> T {
    let waiting = async {
        loop {
            let hint = hints.recv().await.expect("the watcher lives");
            if let Some(found) = accept(hint) {
                return found;
            }
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect("a hint")
}

async fn connected(hints: &mut HintReceiver) {
    hint(hints, |hint| (hint == Hint::Connected).then_some(())).await;
}

/// `class/kind name event detail` of an event.
fn sentence(hint: &Hint) -> Option<String> {
    let Hint::Event(event) = hint else {
        return None;
    };
    let words: Vec<_> = event.fields.iter().map(|(_, word)| word.as_str()).collect();
    let (class, kind, name) = (event.class, event.kind, &event.object.name);
    Some(format!("{class}/{kind} {name} {}", words.join(" ")))
}

fn vm(name: &str, op: VmOp) -> Step {
    Step::Vm {
        name: name.to_owned(),
        op,
    }
}

fn life(name: &str, request: Request) -> Step {
    vm(name, VmOp::Life(request))
}

async fn get_vm(host: &dyn Hypervisor, name: &str) -> Vm {
    let found = host.find_vm(&Key::Name(name.to_owned())).await;
    found.expect("a read").expect("the VM is there")
}

/// A small guest of the test driver.
fn test_domain(name: &str) -> String {
    format!(
        "<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>\
         <os><type>hvm</type></os></domain>"
    )
}
