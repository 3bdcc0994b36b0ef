//! The lane's promises, on the in-process test driver with calls that block as long as a test wants.

use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(30);

fn lane(queue_length: usize) -> Arc<Lane> {
    let connector = Arc::new(Connector::new(
        "test:///default",
        &crate::Options::default(),
    ));
    Arc::new(Lane::new("test", connector, queue_length))
}

/// A call that goes on until its sender is dropped.
fn blocker() -> (
    Sender<()>,
    impl FnOnce(&Connect) -> Result<()> + Send + 'static,
) {
    let (hold, held): (Sender<()>, Receiver<()>) = channel();
    let call = move |_: &Connect| {
        let _ = held.recv();
        Ok(())
    };
    (hold, call)
}

/// Starts calls that block, one after the other: the first take a thread each, the others wait in the queue.
async fn occupy(
    lane: &Arc<Lane>,
    count: usize,
) -> Vec<(Sender<()>, tokio::task::JoinHandle<bool>)> {
    let mut calls = Vec::new();
    for number in 1..=count {
        let (hold, call) = blocker();
        let theirs = Arc::clone(lane);
        let task = tokio::spawn(async move { theirs.call("block", LONG, call).await.is_ok() });
        calls.push((hold, task));
        let settled = || {
            let queue = lane.shared.lock();
            queue.threads == number.min(THREADS)
                && queue.busy == queue.threads
                && queue.jobs.len() == number.saturating_sub(THREADS)
        };
        let waiting = async {
            while !settled() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, waiting).await.expect("settled");
    }
    calls
}

#[tokio::test]
async fn a_call_answers_and_its_thread_serves_the_next() {
    let lane = lane(8);
    for _ in 0..20 {
        let uri = lane.call("ask", LONG, |connect| Ok(connect.uri()?)).await;
        assert_eq!(uri.expect("an answer"), "test:///default");
    }
    assert_eq!(lane.threads(), 1, "one caller, one thread, one connection");
}

#[tokio::test]
async fn a_hung_host_costs_its_few_threads_and_further_calls_fail_at_once() {
    let lane = lane(8);
    // Connections first, so that the limit below meets the call and not the opening.
    for (hold, task) in occupy(&lane, THREADS).await {
        drop(hold);
        assert!(task.await.expect("no panic"));
    }
    let mut holds = Vec::new();
    for _ in 0..THREADS {
        let (hold, call) = blocker();
        let error = lane.call("block", SHORT, call).await.expect_err("a limit");
        assert_eq!(error.reason, Reason::TimedOut);
        holds.push(hold);
    }
    let started = std::time::Instant::now();
    let error = lane.call("ask", LONG, |_| Ok(())).await.expect_err("busy");
    assert_eq!(error.reason, Reason::Busy);
    assert!(started.elapsed() < LONG / 2);
    assert_eq!(lane.threads(), THREADS);

    drop(holds);
    while lane.call("ask", LONG, |_| Ok(())).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(lane.threads(), THREADS);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let lane = lane(1);
    let calls = occupy(&lane, THREADS + 1).await;
    let error = lane.call("ask", LONG, |_| Ok(())).await.expect_err("busy");
    assert_eq!(error.reason, Reason::Busy);
    for (hold, task) in calls {
        drop(hold);
        assert!(task.await.expect("no panic"));
    }
}

#[tokio::test]
async fn a_call_that_waits_is_taken_back_and_never_runs() {
    let lane = lane(8);
    let calls = occupy(&lane, THREADS).await;
    let (ran, has_run) = channel();
    let late = lane
        .call("late", SHORT, move |_| Ok(ran.send(()).is_ok()))
        .await;
    assert_eq!(late.expect_err("no thread").reason, Reason::Busy);
    for (hold, task) in calls {
        drop(hold);
        assert!(task.await.expect("no panic"));
    }
    assert!(has_run.recv().is_err(), "it was dropped unrun");
}

#[tokio::test]
async fn a_call_whose_heart_beats_may_take_longer_than_its_limit() {
    let lane = lane(8);
    let heart = Heartbeat::default();
    let beating = heart.clone();
    let call = move |_: &Connect| {
        for _ in 0..20 {
            thread::sleep(SHORT / 3);
            beating.beat();
        }
        Ok("done")
    };
    let answer = lane.call_while("work", SHORT * 5, &heart, call).await;
    assert_eq!(answer, Ok("done"));
}

#[tokio::test]
async fn a_panic_in_a_call_fails_that_call_only() {
    let lane = lane(8);
    let panics = |_: &Connect| -> Result<()> { panic!("told to") };
    let error = lane.call("ask", LONG, panics).await.expect_err("a panic");
    assert_eq!(error.reason, Reason::Refused);
    assert_eq!(lane.call("ask", LONG, |_| Ok(1)).await, Ok(1));
}

#[tokio::test]
async fn an_unreachable_host_is_told_with_libvirts_words() {
    let uri = "test+unix:///default?socket=/nonexistent/libvirt-sock";
    let lane = Lane::new(
        "test",
        Arc::new(Connector::new(uri, &crate::Options::default())),
        8,
    );
    let error = lane
        .call("ask", LONG, |_| Ok(()))
        .await
        .expect_err("no host");
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(
        error.message.contains("/nonexistent/libvirt-sock"),
        "{error}"
    );
}
