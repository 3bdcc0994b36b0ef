//! The watcher: holds the connection that events come through, and brings it back when it is lost.
//!
//! ```text
//!  open + subscribe ──▶ Connected ──▶ wait ── closed ──▶ Disconnected ─┐
//!    ▲      │ fails or takes too long: Disconnected, once              │
//!    └──────┴────────────────── pause, a little longer each time ◀─────┘
//! ```
//!
//! Subscribing comes before `Connected`, so whoever reads everything at `Connected` misses nothing.

use crate::connection::{Connector, is_alive};
use crate::failure::{Failure, Result};
use crate::ffi::{Closing, Sink, Subscription};
use hypervisor::{Hint, HintReceiver, HintSender, Reason, hint_channel};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use virt::connect::Connect;

/// First pause before a new attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause. A libvirtd that comes back has to be fully known again within 5 s.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often a connection is looked at that has said nothing. It need not be often: libvirt tells when one closes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A running watcher. Dropping it ends its thread and its connection.
pub(crate) struct Watcher {
    hints: Arc<HintSender>,
    stopped: Arc<AtomicBool>,
    thread: Option<Thread>,
}

impl Watcher {
    /// Starts watching. The receiver hears `Connected` or `Disconnected` first.
    pub(crate) fn start(
        connector: Arc<Connector>,
        open_limit: Duration,
        hint_capacity: usize,
    ) -> (Self, HintReceiver) {
        let (hints, receiver) = hint_channel(hint_capacity);
        let hints = Arc::new(hints);
        let stopped = Arc::new(AtomicBool::new(false));
        let watch = Watch {
            connector,
            open_limit,
            hints: Arc::clone(&hints),
            stopped: Arc::clone(&stopped),
        };
        let own = Arc::clone(&hints);
        let spawned = thread::Builder::new()
            .name("libvirt-watch".into())
            .spawn(move || watch.run());
        let thread = match spawned {
            Ok(handle) => Some(handle.thread().clone()),
            Err(error) => {
                let reason = format!("the system gives no thread: {error}");
                hints.send(Hint::Disconnected { reason });
                None
            }
        };
        let watcher = Self {
            hints: own,
            stopped,
            thread,
        };
        (watcher, receiver)
    }

    /// Passes a hint on that no event of libvirt's gives.
    pub(crate) fn tell(&self, hint: Hint) {
        self.hints.send(hint);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

/// What the watcher's thread knows.
struct Watch {
    connector: Arc<Connector>,
    open_limit: Duration,
    hints: Arc<HintSender>,
    stopped: Arc<AtomicBool>,
}

/// An open connection with its callbacks.
struct Session {
    /// Before the connection, so that it is dropped first.
    _subscription: Subscription,
    connect: Connect,
    closing: Arc<Closing>,
}

/// Where the opening thread leaves what it got.
type Slot = Arc<Mutex<Option<Result<Session>>>>;

impl Watch {
    fn run(&self) {
        let mut pause = FIRST_PAUSE;
        let mut told = None;
        while !self.is_over() {
            match self.open(&mut told) {
                Some(Ok(session)) => {
                    self.hints.send(Hint::Connected);
                    (pause, told) = (FIRST_PAUSE, None);
                    let reason = self.wait(&session);
                    self.connector.note_loss();
                    self.tell_down(&mut told, reason);
                }
                Some(Err(failure)) => self.tell_down(&mut told, failure.message),
                None => return,
            }
            self.sleep(jittered(pause));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Opens a connection and subscribes, on a thread that may hang without us. `None`: it is over.
    fn open(&self, told: &mut Option<String>) -> Option<Result<Session>> {
        let slot = Slot::default();
        let watcher = thread::current();
        let (filled, connector, hints) = (
            Arc::clone(&slot),
            Arc::clone(&self.connector),
            Arc::clone(&self.hints),
        );
        let spawned = thread::Builder::new()
            .name("libvirt-open".into())
            .spawn(move || {
                let opened = open_session(&connector, hints, watcher.clone());
                *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
                // Gone before the watcher looks, or the session would be dropped on whichever thread is later.
                drop(filled);
                watcher.unpark();
            });
        if let Err(error) = spawned {
            let message = format!("the system gives no thread: {error}");
            return Some(Err(Failure::new(Reason::Unreachable, message)));
        }
        let started = Instant::now();
        loop {
            if self.is_over() {
                return None;
            }
            let opened = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if opened.is_some() {
                return opened;
            }
            let left = self.open_limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                let limit = self.open_limit;
                let reason = format!("libvirtd accepts no connection within {limit:?}");
                self.tell_down(told, reason);
                thread::park();
            } else {
                thread::park_timeout(left);
            }
        }
    }

    /// Waits until the connection has closed and returns why.
    fn wait(&self, session: &Session) -> String {
        loop {
            if let Some(reason) = session.closing.reason() {
                return reason.to_owned();
            }
            if self.is_over() {
                return String::new();
            }
            if !is_alive(&session.connect) {
                return "the connection to libvirtd is dead".to_owned();
            }
            thread::park_timeout(LOOK_AGAIN);
        }
    }

    /// Says that the host is gone, and again when the reason is another: why it does not come back is often not why it
    /// went.
    fn tell_down(&self, told: &mut Option<String>, reason: String) {
        if told.as_ref() == Some(&reason) || self.is_over() {
            return;
        }
        tracing::warn!(uri = self.connector.uri, reason, "No connection to libvirt");
        *told = Some(reason.clone());
        self.hints.send(Hint::Disconnected { reason });
    }

    fn sleep(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }

    fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Acquire) || self.hints.is_closed()
    }
}

fn open_session(connector: &Connector, hints: Arc<HintSender>, watcher: Thread) -> Result<Session> {
    let connect = connector.open()?;
    let closing = Arc::new(Closing::new(watcher));
    let sink = Arc::new(Sink::new(hints));
    let subscription = Subscription::new(&connect, &sink, &closing)?;
    Ok(Session {
        _subscription: subscription,
        connect,
        closing,
    })
}

/// Up to a fifth longer, so that many agents do not come back to one host in step.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 200;
    pause + pause * u32::try_from(random).unwrap_or(0) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_at_most_a_fifth_longer() {
        for _ in 0..100 {
            let pause = jittered(LONGEST_PAUSE);
            assert!(pause >= LONGEST_PAUSE && pause < LONGEST_PAUSE * 6 / 5);
        }
    }

    #[test]
    fn a_host_that_is_not_there_is_told_once_and_the_thread_ends_with_its_owner() {
        let uri = "test+unix:///default?socket=/nonexistent/libvirt-sock";
        let connector = Arc::new(Connector::new(uri, &crate::Options::default()));
        let (watcher, mut hints) = Watcher::start(connector, Duration::from_secs(5), 8);
        let first = hints.blocking_recv();
        assert!(
            matches!(first, Some(Hint::Disconnected { reason }) if reason.contains("nonexistent"))
        );
        drop(watcher);
        assert_eq!(hints.blocking_recv(), None);
    }
}
