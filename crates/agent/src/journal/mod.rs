//! What this agent was asked and what became of it, on disk.
//!
//! ```text
//!  accepted ──(the action runs)──▶ finished ──(the server has it)──▶ acknowledged ──7 days──▶ forgotten
//! ```
//! `accepted` is on disk before the first call to the hypervisor and `finished` before the first report, so an id is
//! started at most once however often the agent, the server or the line between them fails. Deliberately knows
//! nothing of what an action does.

pub(crate) mod file;
mod record;
#[cfg(test)]
mod tests;

pub use record::{Ending, StoredKind};

use file::LogFile;
use model::{ActionId, ActionKind};
use record::Record;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long an acknowledged action is remembered.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);
/// The file is rewritten when it is longer than this and mostly history.
const COMPACT_BYTES: u64 = 1024 * 1024;

/// What is known of an action id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Accepted, not ended as far as the journal knows.
    Unfinished,
    /// Ended like this.
    Finished(Ending),
}

/// The answer to "may this id be started?"
#[derive(Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is new and stands in the journal.
    New,
    /// It was started before.
    Known(Known),
}

/// The journal of one agent. Clones share it; its calls block on the disk, so they run off the async threads.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    file: LogFile,
    entries: BTreeMap<ActionId, Entry>,
    /// Records in the file, history included.
    written: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    kind: StoredKind,
    accepted_at: u64,
    ending: Option<(u64, Ending)>,
    acknowledged_at: Option<u64>,
}

impl Journal {
    /// Opens or makes the journal. A record torn by a crash at its end is cut off.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (file, records) = LogFile::open(path)?;
        let mut inner = Inner {
            file,
            entries: BTreeMap::new(),
            written: records.len(),
        };
        for record in records {
            inner.apply(record);
        }
        inner.forget(seconds(SystemTime::now()));
        inner.compact_if_worth()?;
        Ok(Self {
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    /// Writes that `id` is about to be started, unless it has been. On disk when this returns `New`.
    ///
    /// # Errors
    /// The disk refuses: the action must not be started.
    pub async fn accept(&self, id: ActionId, kind: &ActionKind) -> io::Result<Acceptance> {
        let kind = StoredKind::from(kind);
        self.blocking(move |inner| {
            if let Some(known) = inner.known(id) {
                return Ok(Acceptance::Known(known));
            }
            let at = seconds(SystemTime::now());
            inner.write(Record::Accepted { id: id.0, at, kind })?;
            Ok(Acceptance::New)
        })
        .await
    }

    /// Writes how `id` ended. On disk when this returns.
    ///
    /// # Errors
    /// The disk refuses. The ending is remembered in memory and may be reported; after a crash it is found out anew.
    pub async fn finish(&self, id: ActionId, ending: Ending) -> io::Result<()> {
        self.blocking(move |inner| {
            let at = seconds(SystemTime::now());
            inner.write(Record::Finished {
                id: id.0,
                at,
                ending,
            })
        })
        .await
    }

    /// The server has the result of `id`.
    ///
    /// # Errors
    /// The disk refuses; the result will be repeated once more, which harms nobody.
    pub async fn acknowledge(&self, id: ActionId) -> io::Result<()> {
        self.blocking(move |inner| {
            let open = inner
                .entries
                .get(&id)
                .is_some_and(|e| e.ending.is_some() && e.acknowledged_at.is_none());
            if !open {
                return Ok(());
            }
            let at = seconds(SystemTime::now());
            inner.write(Record::Acknowledged { id: id.0, at })?;
            inner.forget(at);
            inner.compact_if_worth()
        })
        .await
    }

    /// What is known of `id`.
    pub fn find(&self, id: ActionId) -> Option<Known> {
        self.lock().known(id)
    }

    /// Actions without an ending, oldest first.
    pub fn unfinished(&self) -> Vec<(ActionId, StoredKind)> {
        let inner = self.lock();
        let open = inner
            .entries
            .iter()
            .filter(|(_, entry)| entry.ending.is_none());
        open.map(|(id, entry)| (*id, entry.kind.clone())).collect()
    }

    /// Endings that the server has not acknowledged, oldest first.
    pub fn unacknowledged(&self) -> Vec<(ActionId, Ending)> {
        let inner = self.lock();
        let waiting = inner
            .entries
            .iter()
            .filter(|(_, entry)| entry.acknowledged_at.is_none());
        waiting
            .filter_map(|(id, entry)| Some((*id, entry.ending.as_ref()?.1.clone())))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let journal = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&mut journal.lock())).await;
        done.unwrap_or_else(|_| Err(io::Error::other("the agent is shutting down")))
    }
}

impl Inner {
    fn known(&self, id: ActionId) -> Option<Known> {
        let entry = self.entries.get(&id)?;
        Some(
            entry
                .ending
                .as_ref()
                .map_or(Known::Unfinished, |(_, ending)| {
                    Known::Finished(ending.clone())
                }),
        )
    }

    /// To disk, then to memory; an ending that the disk refuses is still remembered in memory.
    fn write(&mut self, record: Record) -> io::Result<()> {
        let written = self.file.append(&record);
        let starts = matches!(record, Record::Accepted { .. });
        if written.is_ok() || !starts {
            self.apply(record);
            self.written += 1;
        }
        written
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Accepted { id, at, kind } => {
                let entry = Entry {
                    kind,
                    accepted_at: at,
                    ending: None,
                    acknowledged_at: None,
                };
                self.entries.entry(ActionId(id)).or_insert(entry);
            }
            Record::Finished { id, at, ending } => {
                if let Some(entry) = self.entries.get_mut(&ActionId(id)) {
                    entry.ending.get_or_insert((at, ending));
                }
            }
            Record::Acknowledged { id, at } => {
                if let Some(entry) = self.entries.get_mut(&ActionId(id)) {
                    entry.acknowledged_at.get_or_insert(at);
                }
            }
        }
    }

    fn forget(&mut self, now: u64) {
        let kept = |entry: &Entry| {
            entry
                .acknowledged_at
                .is_none_or(|at| now.saturating_sub(at) < KEEP.as_secs())
        };
        self.entries.retain(|_, entry| kept(entry));
    }

    fn compact_if_worth(&mut self) -> io::Result<()> {
        let live = self.records();
        if self.file.len() < COMPACT_BYTES || self.written < live.len() * 2 {
            return Ok(());
        }
        self.file.replace(&live)?;
        self.written = live.len();
        Ok(())
    }

    fn records(&self) -> Vec<Record> {
        self.entries
            .iter()
            .flat_map(|(id, entry)| entry.records(*id))
            .collect()
    }
}

impl Entry {
    fn records(&self, id: ActionId) -> impl Iterator<Item = Record> {
        let id = id.0;
        let accepted = Record::Accepted {
            id,
            at: self.accepted_at,
            kind: self.kind.clone(),
        };
        let finished = self
            .ending
            .clone()
            .map(|(at, ending)| Record::Finished { id, at, ending });
        let acknowledged = self
            .acknowledged_at
            .map(|at| Record::Acknowledged { id, at });
        [Some(accepted), finished, acknowledged]
            .into_iter()
            .flatten()
    }
}

/// Seconds since 1970. Only ages are computed from it, so a clock that jumps costs memory, not correctness.
fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs())
}
