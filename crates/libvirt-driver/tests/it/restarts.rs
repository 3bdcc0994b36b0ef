//! What happens when libvirtd is killed, comes back, or hangs.

use super::daemon::Daemon;
use super::{LONG, connected, hint, life, test_domain, vm};
use hypervisor::{Hint, Hypervisor, Reason};
use libvirt_driver::{LibvirtHypervisor, Options};
use model::lifecycle::Request;
use model::plan::VmOp;
use std::time::{Duration, Instant};

/// Impatient, so that a hang is noticed within a test's time.
fn impatient() -> Options {
    Options {
        open_limit: Duration::from_secs(1),
        read_limit: Duration::from_secs(1),
        change_limit: Duration::from_secs(1),
        keep_alive_secs: 1,
        ..Options::default()
    }
}

#[tokio::test]
async fn after_a_kill_everything_is_known_again_within_five_seconds() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    let host = LibvirtHypervisor::open(&daemon.uri("test:///default"), Options::default());
    let mut hints = host.hints();
    connected(&mut hints).await;
    assert!(!host.inventory().await.expect("an inventory").vms.is_empty());

    daemon.kill();
    let reason = hint(&mut hints, |hint| match hint {
        Hint::Disconnected { reason } => Some(reason),
        _ => None,
    });
    assert!(reason.await.contains("libvirtd"), "words for people");
    let error = host.inventory().await.expect_err("nobody there");
    assert_eq!(error.reason, Reason::Unreachable);

    daemon.start_again();
    let started = Instant::now();
    connected(&mut hints).await;
    let inventory = host.inventory().await.expect("an inventory");
    let took = started.elapsed();
    println!("libvirtd is back -> everything read: {took:?}");
    assert!(inventory.vms.iter().any(|vm| vm.name == "test"));
    assert!(took < Duration::from_secs(5), "{took:?}");

    // The lane that was not used in between finds its way too, and events flow.
    let xml = test_domain("afterwards");
    host.perform(&vm("afterwards", VmOp::Define { xml }))
        .await
        .expect("a definition");
    let heard = hint(&mut hints, |hint| super::sentence(&hint)).await;
    assert_eq!(heard, "domain/lifecycle afterwards defined added");
}

#[tokio::test]
async fn a_hung_libvirtd_delays_nothing_but_its_own_host() {
    let (Some(hung), Some(well)) = (Daemon::start(), Daemon::start()) else {
        return;
    };
    let host = LibvirtHypervisor::open(&hung.uri("test:///default"), impatient());
    let other = LibvirtHypervisor::open(&well.uri("test:///default"), Options::default());
    let mut hints = host.hints();
    connected(&mut hints).await;
    host.inventory().await.expect("an inventory");
    other.inventory().await.expect("an inventory");

    hung.stop();
    let threads_before = threads();
    let mut worst = Duration::ZERO;
    let mut reasons = Vec::new();
    for _ in 0..20 {
        let (answer, took) = tokio::join!(host.vm_names(), async {
            let started = Instant::now();
            other.inventory().await.expect("the other host answers");
            started.elapsed()
        });
        worst = worst.max(took);
        reasons.push(answer.expect_err("it hangs").reason);
    }
    println!("hung host: {reasons:?}; the other one answered within {worst:?}");
    assert!(worst < Duration::from_secs(1), "{worst:?}");
    assert!(reasons.contains(&Reason::TimedOut) || reasons.contains(&Reason::Unreachable));
    assert!(
        threads() <= threads_before + 6,
        "{threads_before} -> {}",
        threads()
    );
    hint(&mut hints, |hint| {
        matches!(hint, Hint::Disconnected { .. }).then_some(())
    })
    .await;

    hung.resume();
    connected(&mut hints).await;
    let again = async {
        while host.inventory().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, again)
        .await
        .expect("it answers again");
}

#[tokio::test]
async fn a_host_that_hangs_from_the_start_is_told_as_down() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.stop();
    let host = LibvirtHypervisor::open(&daemon.uri("test:///default"), impatient());
    let mut hints = host.hints();
    let first = tokio::time::timeout(LONG, hints.recv())
        .await
        .expect("an answer");
    assert!(
        matches!(first, Some(Hint::Disconnected { .. })),
        "{first:?}"
    );
    let error = host
        .perform(&life("test", Request::Pause))
        .await
        .expect_err("hung");
    assert_eq!(error.reason, Reason::Unreachable, "{error}");
    let started = Instant::now();
    let error = host
        .perform(&life("test", Request::Pause))
        .await
        .expect_err("hung");
    assert_eq!(error.reason, Reason::Unreachable, "{error}");
    assert!(started.elapsed() < Duration::from_millis(500), "at once");
    daemon.resume();
    connected(&mut hints).await;
}

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
