//! A lane: a few threads that make one host's blocking calls, each on a connection of its own.
//!
//! libvirt calls block, and may block for good. So a lane never has more than [`THREADS`] of them under way, its
//! queue is bounded, and a caller waits no longer than its limit. A thread whose caller has left stays with its call:
//! the thread is the permit. When libvirtd hangs, a host costs these few threads and nothing else, and further calls
//! fail at once.
//!
//! ```text
//!  call ──▶ queue ──▶ thread ── opens its connection ──▶ runs the call ──▶ answer
//!   │  Busy: full        │             │                       │
//!   └── limit passed: ───┴─ Busy ──────┴─ Unreachable ─────────┴─ TimedOut
//! ```
//!
//! A connection per thread, because several callers on one connection take turns in libvirt's client and are slower
//! together than one alone; and libvirtd serves only five calls at a time on one connection, keep-alives included.

use crate::connection::{Connector, is_alive};
use crate::failure::{Failure, Result};
use hypervisor::{HypervisorError, Reason};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use virt::connect::Connect;

/// Calls under way at a time.
const THREADS: usize = 4;

/// How long a thread without work keeps its connection open.
const IDLE: Duration = Duration::from_secs(60);

/// A host's lane. Dropping it lets its threads end once they are free.
pub(crate) struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    connector: Arc<Connector>,
    queue_length: usize,
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that have a call, or are closing their connection. The others take what is queued.
    busy: usize,
    /// Threads whose caller has stopped waiting, by what they are doing.
    stuck_opening: usize,
    stuck_calling: usize,
    closed: bool,
}

/// What a thread does with a call and its connection, or with the failure to open one. It leaves the answer to be
/// sent, so that the thread is free before its caller comes with the next call.
type Run = Box<dyn FnOnce(Result<&Connect>) -> Box<dyn FnOnce()> + Send>;

/// A call and how far it has come.
struct Job {
    stage: Arc<Stage>,
    /// Runs the call; given a failure instead of a connection, it answers with that.
    run: Run,
}

/// How far a call has come; caller and thread race for the change from one to the next.
#[derive(Default)]
struct Stage(AtomicU8);

const WAITING: u8 = 0;
const OPENING: u8 = 1;
const CALLING: u8 = 2;
const DONE: u8 = 3;
/// The caller is gone; nothing follows from that.
const DROPPED: u8 = 4;
/// The caller has waited to its limit: the thread counts as stuck until the call comes back.
const OVERDUE: u8 = 5;

/// A sign of life of a call that may take long: it counts as long as it is raised.
#[derive(Clone, Default)]
pub(crate) struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    /// A heartbeat that also counts something, in steps of its own.
    pub(crate) const fn of(counter: Arc<AtomicU64>) -> Self {
        Self(counter)
    }

    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stage {
    /// From `from` to `to`, unless the other side was faster.
    fn advance(&self, from: u8, to: u8) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn is(&self, stage: u8) -> bool {
        self.0.load(Ordering::Acquire) == stage
    }
}

impl Lane {
    pub(crate) fn new(name: &'static str, connector: Arc<Connector>, queue_length: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                name,
                connector,
                queue_length,
                queue: Mutex::default(),
                work: Condvar::new(),
            }),
        }
    }

    /// Makes a call on one of the lane's threads.
    ///
    /// # Errors
    /// `Busy`: nothing was tried. `Unreachable`: there is no connection, or it broke during the call. `TimedOut`:
    /// we stopped waiting, libvirt may still be working. Else what the call says.
    ///
    /// # Cancel safety
    /// Dropping the future takes back a call that still waits; one that is under way goes on.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        what: &str,
        limit: Duration,
        call: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, HypervisorError> {
        self.call_while(what, limit, &Heartbeat::default(), call)
            .await
    }

    /// Like [`call`](Self::call), for a call that may take as long as it likes while its heart beats: `limit` is the
    /// longest time without a beat.
    pub(crate) async fn call_while<T: Send + 'static>(
        &self,
        what: &str,
        limit: Duration,
        heart: &Heartbeat,
        call: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, HypervisorError> {
        let (answer, mut answered) = oneshot::channel();
        let stage = Arc::new(Stage::default());
        let job = Job {
            stage: Arc::clone(&stage),
            run: Box::new(move |connect| {
                let result = connect.and_then(|connect| {
                    call(connect).map_err(|failure| failure.over(is_alive(connect)))
                });
                // Nobody may be there to hear it.
                Box::new(move || drop(answer.send(result)))
            }),
        };
        self.shared
            .submit(job)
            .map_err(|failure| failure.of(what))?;
        let mut waiting = Waiting {
            shared: &self.shared,
            stage,
            answered: false,
        };
        loop {
            let beats = heart.count();
            match tokio::time::timeout(limit, &mut answered).await {
                Ok(answer) => {
                    waiting.answered = true;
                    let panicked = || Failure::new(Reason::Refused, "the call ended in a panic");
                    let result = answer.unwrap_or_else(|_| Err(panicked()));
                    return result.map_err(|failure| failure.of(what));
                }
                Err(_) if heart.count() != beats => {}
                Err(_) => {
                    let failure = waiting.abandon(OVERDUE).unwrap_or(timed_out);
                    return Err(failure(limit).of(what));
                }
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        self.shared.lock().threads
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

fn timed_out(limit: Duration) -> Failure {
    let message =
        format!("no answer from libvirtd within {limit:?}; it may still be working on it");
    Failure::new(Reason::TimedOut, message)
}

fn no_connection(limit: Duration) -> Failure {
    let message = format!("libvirtd accepts no connection within {limit:?}");
    Failure::new(Reason::Unreachable, message)
}

fn no_thread(limit: Duration) -> Failure {
    let message = format!("all calls under way took longer than {limit:?}");
    Failure::new(Reason::Busy, message)
}

/// A caller that waits. Dropped early, it takes its call back or leaves the thread to it.
struct Waiting<'a> {
    shared: &'a Shared,
    stage: Arc<Stage>,
    answered: bool,
}

impl Waiting<'_> {
    /// Stops waiting, and says what that means; `None` when the call has just come back.
    fn abandon(&self, how: u8) -> Option<fn(Duration) -> Failure> {
        let mut queue = self.shared.lock();
        if self.stage.advance(WAITING, how) {
            queue.jobs.retain(|job| !job.stage.is(how));
            return Some(no_thread);
        }
        if self.stage.advance(OPENING, how) {
            queue.stuck_opening += usize::from(how == OVERDUE);
            return Some(no_connection);
        }
        if self.stage.advance(CALLING, how) {
            queue.stuck_calling += usize::from(how == OVERDUE);
            return Some(timed_out);
        }
        None
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.abandon(DROPPED);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a call and sees to it that a thread will take it.
    fn submit(self: &Arc<Self>, job: Job) -> Result<()> {
        let mut queue = self.lock();
        if let Some(failure) = queue.refusal(self.queue_length) {
            return Err(failure);
        }
        let stage = Arc::clone(&job.stage);
        queue.jobs.push_back(job);
        if queue.threads - queue.busy >= queue.jobs.len() || queue.threads == THREADS {
            self.work.notify_one();
            return Ok(());
        }
        queue.threads += 1;
        drop(queue);
        let shared = Arc::clone(self);
        let spawned = thread::Builder::new()
            .name(format!("libvirt-{}", self.name))
            .spawn(move || shared.work());
        let Err(error) = spawned else {
            return Ok(());
        };
        let mut queue = self.lock();
        queue.threads -= 1;
        if queue.threads > 0 {
            // The others will come to it.
            return Ok(());
        }
        queue.jobs.retain(|job| !Arc::ptr_eq(&job.stage, &stage));
        let message = format!("the system gives no thread: {error}");
        Err(Failure::new(Reason::Busy, message))
    }

    /// A thread's life: take a call, connect if need be, run it; end after a while without work.
    fn work(&self) {
        let mut connection = None;
        loop {
            while let Some(job) = self.next() {
                let answer = self.run(job, &mut connection);
                self.lock().busy -= 1;
                if let Some(answer) = answer {
                    answer();
                }
            }
            // Closing may block like any other call, so the thread counts until it is done.
            drop(connection.take());
            let mut queue = self.lock();
            queue.busy -= 1;
            if queue.jobs.is_empty() {
                queue.threads -= 1;
                return;
            }
        }
    }

    /// Runs a call, unless its caller is gone.
    fn run(&self, job: Job, connection: &mut Option<Connect>) -> Option<Box<dyn FnOnce()>> {
        if !job.stage.advance(WAITING, OPENING) {
            return None;
        }
        let opened = self.connect(connection);
        self.leave(&job.stage, OPENING, CALLING);
        if !job.stage.is(CALLING) {
            return None;
        }
        let answer = catch_unwind(AssertUnwindSafe(|| (job.run)(opened)));
        self.leave(&job.stage, CALLING, DONE);
        if answer.is_err() {
            tracing::error!(lane = self.name, "A libvirt call ended in a panic");
        }
        answer.ok()
    }

    /// Moves on, or notes that the thread of an abandoned call is free again.
    fn leave(&self, stage: &Stage, from: u8, to: u8) {
        if stage.advance(from, to) || !stage.is(OVERDUE) {
            return;
        }
        let mut queue = self.lock();
        match from {
            OPENING => queue.stuck_opening = queue.stuck_opening.saturating_sub(1),
            _ => queue.stuck_calling = queue.stuck_calling.saturating_sub(1),
        }
    }

    /// The thread's connection, opened again if it has died.
    fn connect<'a>(&self, connection: &'a mut Option<Connect>) -> Result<&'a Connect> {
        if !connection.as_ref().is_some_and(is_alive) {
            // Closing comes first: a dead connection must not stay open beside its successor.
            if connection.take().is_some() {
                self.connector.note_loss();
            }
            *connection = Some(self.connector.open()?);
        }
        Ok(connection.as_ref().expect("it was just opened"))
    }

    /// The next call, or `None` when the thread should end. The thread counts as busy from here on either way.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        let mut idle_for_long = false;
        loop {
            let job = queue.jobs.pop_front();
            if job.is_some() || queue.closed || idle_for_long {
                queue.busy += 1;
                return job;
            }
            let (woken, wait) = self
                .work
                .wait_timeout(queue, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            idle_for_long = wait.timed_out();
        }
    }
}

impl Queue {
    /// Why a call is not even queued.
    fn refusal(&self, length: usize) -> Option<Failure> {
        if self.stuck_opening > 0 {
            let message = "libvirtd accepts no connection; an earlier attempt still waits for it";
            return Some(Failure::new(Reason::Unreachable, message));
        }
        if self.stuck_calling >= THREADS {
            let message = "libvirtd does not answer; all calls under way are past their limits";
            return Some(Failure::new(Reason::Busy, message));
        }
        if self.jobs.len() >= length {
            let message = format!("{length} calls already wait for this host");
            return Some(Failure::new(Reason::Busy, message));
        }
        None
    }
}

#[cfg(test)]
mod tests;
