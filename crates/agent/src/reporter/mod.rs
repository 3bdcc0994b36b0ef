//! What the host is, told to the server: hints become reads, reads become reports.
//!
//! ```text
//!  libvirt ─ hint ─▶ coalesce ─▶ read that object ─▶ mirror ─ changed? ─▶ Report(seq)
//!  connected, lost, nothing for long ─▶ read everything ─▶ mirror ───────▶ Snapshot(seq)
//! ```
//! A hint is never believed: whatever it says, the object is read. Nothing here changes a host. Reads run beside the
//! loop, so that one slow object delays only itself.

mod bus;
mod coalesce;
mod kept;
mod mirror;
mod read;

use crate::grains::OwnGrains;
use crate::link::jittered;
use crate::minion::Minion;
use crate::vitals::Unconfirmed;
use agent_api::{facts_to_wire, wire, wire::up};
use coalesce::Coalescer;
use hypervisor::{Hint, HintReceiver, Hypervisor, HypervisorError, Reason};
use kept::KeptFacts;
use mirror::{Key, Kind, Mirror};
use model::event::HostEvent;
use read::{Everything, Read};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Everything is read at least this often. Source: delivery guarantees, P5.
const REREAD: Duration = Duration::from_secs(300);
/// And this often on Xen, where libvirt tells of the life of VMs only: of a disk, an interface, memory or vCPUs that
/// somebody else has changed it says nothing.
const REREAD_XEN: Duration = Duration::from_secs(30);
/// Addresses are looked for this often at first, less often the longer none comes.
const ADDRESSES: Duration = Duration::from_secs(2);
const ADDRESSES_LONGEST: Duration = Duration::from_secs(30);
/// How long libvirt takes for what follows the event that a VM goes on from its saved memory.
const SETTLES: Duration = Duration::from_secs(1);
/// A host that does not answer is tried again this soon, then less often.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_LONGEST: Duration = Duration::from_secs(30);

/// What the reporter knows, for the greeting of a session.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Last report sent.
    pub seq: u64,
    /// Of the inventory; empty before the first read.
    pub digest: Vec<u8>,
    /// What the host is; as an earlier process knew it before the first read.
    pub facts: Option<wire::HostFacts>,
    /// Whether libvirt answers.
    pub condition: wire::HostCondition,
}

/// What the link asks of the reporter.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    /// A snapshot; the server holds the inventory of this digest, or none.
    Snapshot {
        /// Empty when it holds none.
        held: Vec<u8>,
    },
}

/// The reporter of one host.
pub struct Reporter {
    hypervisor: Arc<dyn Hypervisor>,
    own_grains: OwnGrains,
    outgoing: mpsc::Sender<up::Body>,
    standing: watch::Sender<Standing>,
    wishes: mpsc::Receiver<Wish>,
    mirror: Mirror,
    coalescer: Coalescer<Key>,
    /// Objects that were read in the middle of something, and when they are read again.
    settling: HashMap<Key, Instant>,
    reads: JoinSet<Read>,
    /// A read of everything is under way; the objects hinted at since it began.
    full: Option<HashSet<Key>>,
    /// Another one is wanted after it.
    full_again: bool,
    /// Everything was read since libvirt was last reached.
    complete: bool,
    /// Everything was read at least once.
    known: bool,
    /// The digest that the server is known to hold.
    server_holds: Option<Vec<u8>>,
    uri: String,
    kept: KeptFacts,
    /// Since when there is news of an object that nobody has begun to read.
    heard: HashMap<Key, Instant>,
    /// The same of those that are being read.
    followed: HashMap<Key, Instant>,
    unconfirmed: Unconfirmed,
    retry: Timer,
    addresses: Timer,
    /// When everything is read even if nothing has been heard.
    reread: Instant,
}

/// A moment, and how long to wait after it the next time.
struct Timer {
    at: Option<Instant>,
    wait: Duration,
    first: Duration,
    longest: Duration,
}

impl Timer {
    const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            at: None,
            wait: first,
            first,
            longest,
        }
    }

    /// Plans the next moment, unless one is planned.
    fn set(&mut self, now: Instant) {
        if self.at.is_none() {
            self.at = Some(now + self.wait);
            self.wait = (self.wait * 2).min(self.longest);
        }
    }

    fn reset(&mut self) {
        (self.at, self.wait) = (None, self.first);
    }

    fn take_due(&mut self, now: Instant) -> bool {
        self.at.take_if(|at| *at <= now).is_some()
    }
}

impl Reporter {
    /// A reporter that has read nothing yet. It answers the wishes sent through the returned sender.
    pub fn new(
        minion: &Minion,
        outgoing: mpsc::Sender<up::Body>,
        unconfirmed: Unconfirmed,
    ) -> (Self, watch::Receiver<Standing>, mpsc::Sender<Wish>) {
        let kept = KeptFacts::new(&minion.state_dir);
        let (standing, receiver) = watch::channel(Standing {
            facts: Some(kept.read(&minion.id, &minion.uri)),
            condition: wire::HostCondition {
                libvirt_up: false,
                problem: "libvirt has not been reached yet".to_owned(),
            },
            ..Standing::default()
        });
        // One wish is enough: they all mean the same.
        let (sender, wishes) = mpsc::channel(1);
        let reporter = Self {
            hypervisor: minion.hypervisor.clone(),
            own_grains: minion.own_grains.clone(),
            outgoing,
            standing,
            wishes,
            mirror: Mirror::default(),
            coalescer: Coalescer::new(),
            settling: HashMap::new(),
            reads: JoinSet::new(),
            full: None,
            full_again: false,
            complete: false,
            known: false,
            kept,
            heard: HashMap::new(),
            followed: HashMap::new(),
            unconfirmed,
            server_holds: None,
            uri: minion.uri.clone(),
            retry: Timer::new(RETRY, RETRY_LONGEST),
            addresses: Timer::new(ADDRESSES, ADDRESSES_LONGEST),
            reread: Instant::now() + REREAD,
        };
        (reporter, receiver, sender)
    }

    /// Reports until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut hints: HintReceiver = self.hypervisor.hints();
        loop {
            let due = self.next_due();
            // Cancel safety: receiving, joining and ticking lose nothing when another branch wins.
            tokio::select! {
                () = stop.cancelled() => return,
                hint = hints.recv() => match hint {
                    Some(hint) => self.hinted(hint),
                    None => return tracing::error!("The hypervisor's driver has ended its hints; reports end"),
                },
                Some(wish) = self.wishes.recv() => self.wish(wish),
                Some(read) = self.reads.join_next() => match read {
                    Ok(read) => self.finished(read),
                    Err(error) => tracing::error!("A read failed inside the agent: {error}"),
                },
                () = sleep_until(due), if due.is_some() => {}
            }
            self.follow_due(Instant::now());
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let timers = [self.retry.at, self.addresses.at, Some(self.reread)];
        let timers = timers.into_iter().flatten();
        let settling = self.settling.values().copied();
        timers
            .chain(settling)
            .chain(self.coalescer.next_due())
            .min()
    }

    fn follow_due(&mut self, now: Instant) {
        for (key, _) in self.settling.extract_if(|_, at| *at <= now) {
            self.coalescer.hint(key, now);
        }
        for key in self.coalescer.take_due(now) {
            if let Some(since) = self.heard.remove(&key) {
                self.followed.insert(key, since);
            }
            self.reads.spawn(read::one(self.hypervisor.clone(), key));
        }
        if self.retry.take_due(now) | (self.reread <= now) {
            self.read_everything();
            self.plan_reread();
        }
        if self.addresses.take_due(now) && self.mirror.lacks_addresses() {
            self.reads.spawn(read::addresses(self.hypervisor.clone()));
        }
    }

    fn hinted(&mut self, hint: Hint) {
        match hint {
            Hint::Event(event) => self.event(&event),
            Hint::Changed(vm) => self.look_at((Kind::Vm, vm)),
            Hint::Connected | Hint::Lost => self.read_everything(),
            Hint::Disconnected { reason } => self.down(&reason),
        }
    }

    fn event(&mut self, event: &HostEvent) {
        // Lossy by contract: the inventory does not depend on it.
        let _ = self
            .outgoing
            .try_send(up::Body::Event(bus::message(&self.uri, event)));
        let kind = match event.class {
            "domain" => Kind::Vm,
            "pool" => Kind::Pool,
            "network" => Kind::Network,
            _ => return,
        };
        let Some(uuid) = event.object.uuid else {
            return self.read_everything();
        };
        self.look_at((kind, uuid));
    }

    fn look_at(&mut self, key: Key) {
        if let Some(newer) = &mut self.full {
            newer.insert(key);
        }
        if key.0 == Kind::Vm {
            self.addresses.reset();
        }
        let now = Instant::now();
        self.heard.entry(key).or_insert(now);
        self.coalescer.hint(key, now);
    }

    /// When everything is read again if nothing else asks for it.
    fn plan_reread(&mut self) {
        let standing = self.standing.borrow();
        let facts = standing.facts.as_ref();
        let wait = match facts.is_some_and(|facts| facts.hypervisor == "Xen") {
            true => REREAD_XEN,
            false => REREAD,
        };
        // Not all hosts of a fleet that was started at once.
        self.reread = Instant::now() + jittered(wait);
    }

    fn read_everything(&mut self) {
        if self.full.is_some() {
            self.full_again = true;
            return;
        }
        self.full = Some(HashSet::new());
        let (hypervisor, own) = (self.hypervisor.clone(), self.own_grains.clone());
        self.reads.spawn(read::everything(hypervisor, own));
    }

    fn finished(&mut self, read: Read) {
        match read {
            Read::One(key, found) => {
                self.coalescer.done(key);
                self.one(key, found);
            }
            Read::Addresses(Ok(leases)) => {
                let changed = self.mirror.set_leases(leases);
                self.report_objects(&changed);
                self.plan_addresses();
            }
            Read::Addresses(Err(error)) => {
                tracing::debug!("No addresses this time: {error}");
                self.plan_addresses();
            }
            Read::Everything(read) => {
                let newer = self.full.take().unwrap_or_default();
                match read {
                    Ok(everything) => self.everything(*everything, &newer),
                    Err(error) => self.unreadable(&error, true),
                }
                if std::mem::take(&mut self.full_again) {
                    self.read_everything();
                }
            }
        }
    }

    fn one(&mut self, key: Key, found: Result<Option<mirror::Object>, HypervisorError>) {
        if let Some(newer) = &mut self.full {
            newer.insert(key);
        }
        let since = self.followed.remove(&key);
        let unsettled = matches!(&found, Ok(Some(object)) if object.is_unsettled());
        let changed = match found {
            Ok(Some(object)) => self.mirror.set(key, object),
            Ok(None) => self.mirror.remove(key),
            Err(error) => return self.unreadable(&error, false),
        };
        if changed {
            if let Some(since) = since {
                let seq = self.standing.borrow().seq + 1;
                self.unconfirmed.sent(seq, since);
            }
            self.report_objects(&[key]);
        }
        if changed && unsettled {
            self.settling.insert(key, Instant::now() + SETTLES);
        }
        self.plan_addresses();
    }

    fn everything(&mut self, read: Everything, newer: &HashSet<Key>) {
        self.retry.reset();
        self.uri.clone_from(&read.facts.uri);
        self.mirror.set_leases(read.leases);
        self.mirror.replace(&read.inventory, newer);
        self.complete = true;
        self.known = true;
        let facts = Some(facts_to_wire(&read.facts));
        let condition = wire::HostCondition {
            libvirt_up: true,
            problem: String::new(),
        };
        let news = self.standing.send_if_modified(|standing| {
            let news = standing.facts != facts || standing.condition != condition;
            (standing.facts, standing.condition) = (facts, condition);
            news
        });
        self.plan_reread();
        // Before the condition: a server that waits for a snapshot takes no report.
        self.snapshot();
        if news {
            self.report_condition();
            let facts = self.standing.borrow().facts.clone();
            self.kept.write(facts.as_ref());
        }
        self.plan_addresses();
    }

    fn report_condition(&mut self) {
        let (condition, facts) = {
            let standing = self.standing.borrow();
            (standing.condition.clone(), standing.facts.clone())
        };
        self.report(wire::Report {
            condition: Some(condition),
            facts,
            ..wire::Report::default()
        });
    }

    /// A read failed: everything is read again soon. One VM that does not answer says nothing about its host.
    fn unreadable(&mut self, error: &HypervisorError, whole_host: bool) {
        if error.reason == Reason::Unreachable || whole_host && error.is_retryable() {
            self.down(&error.message);
        } else {
            tracing::warn!("A read failed, everything will be read again: {error}");
        }
        self.retry.set(Instant::now());
    }

    fn down(&mut self, reason: &str) {
        self.complete = false;
        let hint = hypervisor::reach(reason);
        // ssh takes several lines.
        let reason = reason.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        let condition = wire::HostCondition {
            libvirt_up: false,
            problem: format!("{reason}. Hint: {hint}"),
        };
        if self.standing.borrow().condition == condition {
            return;
        }
        tracing::warn!("libvirt cannot be reached: {reason}");
        self.standing
            .send_modify(|standing| standing.condition = condition.clone());
        self.report_condition();
    }

    fn wish(&mut self, wish: Wish) {
        let Wish::Snapshot { held } = wish;
        self.server_holds = Some(held);
        // Without libvirt, what was last known is the answer, and the condition says how old it may be.
        if self.known {
            self.snapshot();
            self.report_condition();
        }
    }

    /// Sends everything, or that nothing has changed since the server last had everything.
    fn snapshot(&mut self) {
        let digest = self.mirror.digest();
        let unchanged = self.server_holds.as_ref() == Some(&digest);
        let mut snapshot = match unchanged {
            true => wire::Snapshot {
                digest: digest.clone(),
                unchanged,
                ..wire::Snapshot::default()
            },
            false => self.mirror.snapshot(),
        };
        snapshot.seq = self.standing.borrow().seq;
        snapshot.facts.clone_from(&self.standing.borrow().facts);
        self.standing
            .send_modify(|standing| standing.digest.clone_from(&digest));
        let sent = self.outgoing.try_send(up::Body::Snapshot(snapshot)).is_ok();
        self.server_holds = sent.then_some(digest);
        if !sent {
            // Nobody takes messages now; the five-minute read or the next greeting comes back to it.
            self.retry.set(Instant::now());
        }
    }

    fn report_objects(&mut self, keys: &[Key]) {
        if keys.is_empty() {
            return;
        }
        let mut report = wire::Report::default();
        for key in keys {
            self.mirror.add_to(*key, &mut report);
        }
        self.server_holds = None;
        self.report(report);
    }

    /// Sends a report with the next number. A report that cannot be sent leaves a gap; everything is read and sent
    /// again soon.
    fn report(&mut self, mut report: wire::Report) {
        let digest = if self.complete {
            self.mirror.digest()
        } else {
            Vec::new()
        };
        self.standing.send_modify(|standing| {
            standing.seq += 1;
            standing.digest = digest;
            report.seq = standing.seq;
        });
        if self.outgoing.try_send(up::Body::Report(report)).is_err() {
            self.retry.set(Instant::now());
        }
    }

    fn plan_addresses(&mut self) {
        if self.addresses.at.is_none() && self.complete && self.mirror.lacks_addresses() {
            self.addresses.set(Instant::now());
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
