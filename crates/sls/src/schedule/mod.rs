//! Which chunk may run when: the part of an executor that decides.
//!
//! Pure: the executor asks [`Schedule::next`] what to do, does it, and reports with
//! [`Schedule::finished`] until [`Schedule::is_done`]. Chunks that do not depend on one another are given out
//! together.
//!
//! Beside requisites four things keep Salt's order, since files rely on it without saying so:
//! - a chunk whose arguments contain the ID or name of an earlier chunk of the same module waits for it
//!   (a VM for the network that it names); this orders, it does not make one fail with the other;
//! - chunks of the same module and name run one after the other, also where one's name is a pattern that fits the other's;
//! - an `order` that was written down holds: everything before it is finished first;
//! - a `failhard` chunk waits for all before it, and all after it wait for it.
//!
//! ```text
//!            needs a dry run of its prereq targets
//! waiting ────────────────> probing ─┐
//!    │ └─────────────────────────────┴──> running ──> finished
//!    └──> skipped (counts as finished)
//! ```

mod gate;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Value;
use crate::chunk::{Chunk, Compiled, RequisiteKind};
use crate::glob;
use gate::Gate;

/// What the executor is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Run this chunk now (in test mode: plan it), then call [`Schedule::finished`].
    Run(usize),
    /// Find out what this chunk would change, change nothing, then call [`Schedule::probed`].
    /// Asked for the targets of `prereq`, whose own turn comes later.
    Probe(usize),
    /// Do not run this chunk; this is its result. Nothing needs to be reported back.
    Skip {
        /// The chunk.
        idx: usize,
        /// `False` where a requisite failed, `True` where there was simply nothing to do.
        result: Option<bool>,
        /// Salt's sentence.
        comment: String,
    },
}

/// How a chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// `True`, `False`, or `None` for "would change".
    pub result: Option<bool>,
    /// Whether it changed (or would change) anything.
    pub changed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Running,
    Finished(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    NotAsked,
    Asked,
    Done(Outcome),
}

/// The state of one run.
#[derive(Debug)]
pub struct Schedule {
    chunks: Vec<Chunk>,
    /// For each chunk, those that must be finished before it starts.
    after: Vec<BTreeSet<usize>>,
    /// The other way round: for each chunk, those that wait for it.
    before: Vec<Vec<usize>>,
    /// For each chunk, how many of those before it are not finished.
    missing: Vec<usize>,
    /// By stage, the waiting chunks that no other keeps from starting: the only ones to look at.
    ready: BTreeMap<usize, BTreeSet<usize>>,
    /// By stage, how many chunks are not finished.
    unfinished: BTreeMap<usize, usize>,
    /// For each chunk, its stage: all of the stages before must be finished.
    stages: Vec<usize>,
    /// For each chunk, those that have it as a `prereq`: it runs only if they succeed.
    prerequired: Vec<Vec<usize>>,
    phases: Vec<Phase>,
    probes: Vec<Probe>,
    test: bool,
    stopped: bool,
}

impl Schedule {
    /// Prepares a run. `test` says that nothing will be changed, in which case `failhard` does not stop it.
    pub fn new(compiled: &Compiled, test: bool) -> Self {
        let mut chunks = compiled.chunks.clone();
        let count = chunks.len();
        for requisite in chunks.iter_mut().flat_map(|chunk| &mut chunk.requisites) {
            requisite.targets.retain(|target| *target < count);
        }
        let after = dependencies(&chunks);
        let stages = stages(&chunks);
        let prerequired = prerequired(&chunks);
        let mut before = vec![Vec::new(); count];
        for (idx, after) in after.iter().enumerate() {
            for earlier in after {
                before[*earlier].push(idx);
            }
        }
        let missing: Vec<usize> = after.iter().map(BTreeSet::len).collect();
        let (mut ready, mut unfinished) = (BTreeMap::new(), BTreeMap::new());
        for (idx, stage) in stages.iter().enumerate() {
            *unfinished.entry(*stage).or_default() += 1;
            if missing[idx] == 0 {
                let of_stage: &mut BTreeSet<usize> = ready.entry(*stage).or_default();
                of_stage.insert(idx);
            }
        }
        Schedule {
            chunks,
            after,
            before,
            missing,
            ready,
            unfinished,
            stages,
            prerequired,
            phases: vec![Phase::Waiting; count],
            probes: vec![Probe::NotAsked; count],
            test,
            stopped: false,
        }
    }

    /// Everything that can be decided now. A decision is given once; an empty list means that something
    /// running has to finish first, or that the run [`is_done`](Self::is_done).
    #[expect(
        clippy::should_implement_trait,
        reason = "not an iterator: empty does not mean the end"
    )]
    pub fn next(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        // Skipping a chunk may free others, so go round until nothing moves.
        loop {
            let given = decisions.len();
            // The first stage that is not finished.
            let stage = self.unfinished.keys().next().copied().unwrap_or(0);
            let open = self.ready.range(..=stage).flat_map(|(_, ready)| ready);
            let mut open: Vec<usize> = open.copied().collect();
            open.sort_unstable();
            for idx in open {
                self.decide(idx, &mut decisions);
            }
            if decisions.len() == given {
                return decisions;
            }
        }
    }

    fn decide(&mut self, idx: usize, decisions: &mut Vec<Decision>) {
        if self.stopped || self.phases[idx] != Phase::Waiting {
            return;
        }
        match gate::check(self, idx) {
            Gate::Open => {
                self.phases[idx] = Phase::Running;
                self.no_longer_ready(idx);
                decisions.push(Decision::Run(idx));
            }
            Gate::NeedsProbe(targets) => {
                for target in targets {
                    if self.probes[target] == Probe::NotAsked {
                        self.probes[target] = Probe::Asked;
                        decisions.push(Decision::Probe(target));
                    }
                }
            }
            Gate::Closed { result, comment } => {
                self.finish(
                    idx,
                    Outcome {
                        result,
                        changed: false,
                    },
                );
                decisions.push(Decision::Skip {
                    idx,
                    result,
                    comment,
                });
            }
        }
    }

    /// Reports the end of a chunk that was run.
    pub fn finished(&mut self, idx: usize, outcome: Outcome) {
        if idx < self.chunks.len() {
            self.finish(idx, outcome);
        }
    }

    /// Reports what a chunk would do.
    pub fn probed(&mut self, idx: usize, outcome: Outcome) {
        if let Some(probe) = self.probes.get_mut(idx) {
            *probe = Probe::Done(outcome);
        }
    }

    fn no_longer_ready(&mut self, idx: usize) {
        let stage = self.stages[idx];
        if let Some(ready) = self.ready.get_mut(&stage)
            && ready.remove(&idx)
            && ready.is_empty()
        {
            self.ready.remove(&stage);
        }
    }

    fn finish(&mut self, idx: usize, outcome: Outcome) {
        if let Phase::Finished(_) = self.phases[idx] {
            return;
        }
        self.phases[idx] = Phase::Finished(outcome);
        self.no_longer_ready(idx);
        if let Some(left) = self.unfinished.get_mut(&self.stages[idx]) {
            *left -= 1;
            if *left == 0 {
                self.unfinished.remove(&self.stages[idx]);
            }
        }
        for later in std::mem::take(&mut self.before[idx]) {
            self.missing[later] -= 1;
            if self.missing[later] == 0 && self.phases[later] == Phase::Waiting {
                self.ready
                    .entry(self.stages[later])
                    .or_default()
                    .insert(later);
            }
        }
        if outcome.result == Some(false) && self.chunks[idx].globals.failhard && !self.test {
            self.stopped = true;
        }
    }

    /// Whether nothing is running and nothing more will be given out. After a `failhard` stop there may be
    /// chunks that never had a result; they do not appear in the output.
    pub fn is_done(&self) -> bool {
        let running = self.phases.contains(&Phase::Running) || self.probes.contains(&Probe::Asked);
        let waiting = self.phases.contains(&Phase::Waiting);
        !running && (self.stopped || !waiting)
    }

    /// Whether a `failhard` state failed.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The chunks that `idx` watches and that had changes.
    pub fn changed_watches(&self, idx: usize) -> Vec<usize> {
        self.changed(idx, |kind| {
            matches!(kind, RequisiteKind::Watch | RequisiteKind::WatchAny)
        })
    }

    /// The chunks whose `mod_watch` is to be called now that all have run, since one that they listen to had changes;
    /// also after a `failhard` stop. As in Salt, each comes where its `listen` or the other's `listen_in` is written.
    pub fn listeners(&self) -> Vec<usize> {
        let mut listeners: Vec<(usize, usize)> = Vec::new();
        for (idx, chunk) in self.chunks.iter().enumerate() {
            let changed = self.changed(idx, |kind| kind == RequisiteKind::Listen);
            let first = changed.first().copied();
            let says_so = chunk.globals.given.contains_key("listen");
            listeners.extend(first.map(|first| (if says_so { idx } else { first }, idx)));
        }
        listeners.sort_unstable();
        listeners.into_iter().map(|(_, idx)| idx).collect()
    }

    /// The targets of these kinds that had changes.
    fn changed(&self, idx: usize, is_meant: fn(RequisiteKind) -> bool) -> Vec<usize> {
        let requisites = self
            .chunks
            .get(idx)
            .map_or(&[][..], |chunk| &chunk.requisites);
        let meant = requisites
            .iter()
            .filter(|requisite| is_meant(requisite.kind));
        let has_changed = |target: &usize| matches!(self.phases[*target], Phase::Finished(outcome) if outcome.changed);
        meant
            .flat_map(|requisite| requisite.targets.iter().copied())
            .filter(has_changed)
            .collect()
    }

    /// The chunks that `idx` waits for before it starts, written orders aside.
    pub fn waits_for(&self, idx: usize) -> impl Iterator<Item = usize> + '_ {
        self.after.get(idx).into_iter().flatten().copied()
    }
}

/// What must be finished before each chunk. Every edge points to an earlier index, so there is no circle.
fn dependencies(chunks: &[Chunk]) -> Vec<BTreeSet<usize>> {
    let mut after = vec![BTreeSet::new(); chunks.len()];
    // Earlier chunks by module and by what they are called.
    let mut about: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    let mut patterns = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        for requisite in &chunk.requisites {
            for target in requisite.targets.iter().copied() {
                match requisite.kind {
                    RequisiteKind::Listen => {}
                    RequisiteKind::Prereq => {
                        after[target].insert(index);
                    }
                    _ => {
                        after[index].insert(target);
                    }
                }
            }
        }
        after[index].extend(
            about
                .get(&(chunk.state.as_str(), chunk.name.as_str()))
                .into_iter()
                .flatten(),
        );
        for value in chunk.args.values() {
            mentioned(value, &mut |word| {
                after[index].extend(
                    about
                        .get(&(chunk.state.as_str(), word))
                        .into_iter()
                        .flatten(),
                );
            });
        }
        after[index].extend(same_by_pattern(&chunks[..index], chunk, &patterns));
        if glob::is_pattern(&chunk.name) {
            patterns.push(index);
        }
        for word in BTreeSet::from([chunk.name.as_str(), chunk.id.as_str()]) {
            about
                .entry((chunk.state.as_str(), word))
                .or_default()
                .push(index);
        }
    }
    after
}

/// The earlier chunks of the same module that a pattern joins with this one: its name's, or that of one in `patterns`.
/// Two patterns may always mean the same.
fn same_by_pattern(earlier: &[Chunk], chunk: &Chunk, patterns: &[usize]) -> Vec<usize> {
    let same = |index: &usize| {
        let other = &earlier[*index];
        other.state == chunk.state
            && (glob::matches(&chunk.name, &other.name)
                || glob::matches(&other.name, &chunk.name)
                || glob::is_pattern(&chunk.name) && glob::is_pattern(&other.name))
    };
    if glob::is_pattern(&chunk.name) {
        (0..earlier.len()).filter(same).collect()
    } else {
        patterns.iter().copied().filter(same).collect()
    }
}

/// Calls `found` with every text in a value.
fn mentioned<'v>(value: &'v Value, found: &mut impl FnMut(&'v str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, found)),
        Value::Object(map) => map.values().for_each(|value| mentioned(value, found)),
        _ => {}
    }
}

/// Neighbours with the same written `order`, or without any, form a stage; stages run one after the other. A `failhard`
/// chunk is a stage of its own: should it fail, all before it have run and none after it has begun.
fn stages(chunks: &[Chunk]) -> Vec<usize> {
    let written = |chunk: &Chunk| chunk.order_given.then_some(chunk.order);
    let mut stage = 0;
    let mut stages = Vec::with_capacity(chunks.len());
    for (index, chunk) in chunks.iter().enumerate() {
        let alone = |chunk: &Chunk| chunk.globals.failhard;
        if index > 0
            && (written(chunk) != written(&chunks[index - 1])
                || alone(chunk)
                || alone(&chunks[index - 1]))
        {
            stage += 1;
        }
        stages.push(stage);
    }
    stages
}

/// For each chunk, those that name it in `prereq`.
fn prerequired(chunks: &[Chunk]) -> Vec<Vec<usize>> {
    let mut prerequired = vec![Vec::new(); chunks.len()];
    for (index, chunk) in chunks.iter().enumerate() {
        let prereqs = chunk
            .requisites
            .iter()
            .filter(|requisite| requisite.kind == RequisiteKind::Prereq);
        for target in prereqs.flat_map(|requisite| &requisite.targets) {
            if let Some(list) = prerequired.get_mut(*target) {
                list.push(index);
            }
        }
    }
    prerequired
}
