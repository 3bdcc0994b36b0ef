//! No event is lost, and each arrives soon.

use super::daemon::Daemon;
use super::{LONG, connected, life, sentence, test_domain, vm};
use hypervisor::{Hint, Hypervisor};
use libvirt_driver::{LibvirtHypervisor, Options};
use model::lifecycle::Request;
use model::plan::VmOp;
use std::time::{Duration, Instant};

const PAIRS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_starts_and_stops_none_is_lost() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let uri = daemon.uri("test:///default");
    let watching = LibvirtHypervisor::open(&uri, Options::default());
    let acting = LibvirtHypervisor::open(&uri, Options::default());
    let mut hints = watching.hints();
    connected(&mut hints).await;
    let xml = test_domain("busy");
    acting
        .perform(&vm("busy", VmOp::Define { xml }))
        .await
        .expect("a definition");

    let actor = tokio::spawn(async move {
        let mut began = Vec::with_capacity(2 * PAIRS);
        for _ in 0..PAIRS {
            for request in [Request::Start, Request::ForceOff] {
                began.push(Instant::now());
                acting
                    .perform(&life("busy", request))
                    .await
                    .expect("a step");
            }
        }
        began
    });
    let mut arrived = Vec::with_capacity(2 * PAIRS);
    while arrived.len() < 2 * PAIRS {
        let next = tokio::time::timeout(LONG, hints.recv()).await;
        let next = next.expect("the next event").expect("the watcher lives");
        assert_ne!(next, Hint::Lost);
        let expected = ["busy started booted", "busy stopped destroyed"][arrived.len() % 2];
        match sentence(&next) {
            Some(heard) if heard.ends_with(expected) => arrived.push(Instant::now()),
            Some(heard) if heard.contains("defined") => {}
            other => panic!("{other:?} instead of {expected}"),
        }
    }
    let began = actor.await.expect("no panic");
    let mut took: Vec<Duration> = arrived
        .iter()
        .zip(&began)
        .map(|(arrived, began)| arrived.saturating_duration_since(*began))
        .collect();
    took.sort();
    let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "call begun -> event received, {} events: median {median:?}, p99 {late:?}",
        took.len()
    );
    assert!(median < Duration::from_millis(100), "{median:?}");
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let uri = daemon.uri("test:///default");
    let options = Options {
        hint_capacity: 4,
        ..Options::default()
    };
    let watching = LibvirtHypervisor::open(&uri, options);
    let acting = LibvirtHypervisor::open(&uri, Options::default());
    let mut hints = watching.hints();
    connected(&mut hints).await;
    // Twenty events for each hint that is read: however late they come, soon there is no room for them.
    let reading = async {
        for round in 0.. {
            for number in 0..20 {
                let name = format!("vm{round}-{number}");
                let xml = test_domain(&name);
                let defined = acting.perform(&vm(&name, VmOp::Define { xml })).await;
                defined.expect("a definition");
            }
            if hints.recv().await.expect("the watcher lives") == Hint::Lost {
                return;
            }
        }
    };
    tokio::time::timeout(LONG, reading)
        .await
        .expect("it is told");
}
