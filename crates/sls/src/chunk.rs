//! What compiling yields: ordered chunks, each one state to bring about.

use std::collections::{BTreeSet, HashMap};

use crate::diagnostic::Location;
use crate::{Map, Value};

/// The function of a module that `watch` and `listen` call.
pub const MOD_WATCH: &str = "mod_watch";

/// A compiled set of state files.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The chunks in the order Salt runs them; every requisite points at an index of this list.
    /// Empty when there was an error: then nothing may run.
    pub chunks: Vec<Chunk>,
    /// High data as `state.show_sls` prints it.
    pub high: Value,
}

/// One state of one name: Salt's low chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// The state module, `virt`.
    pub state: String,
    /// The function, `running`.
    pub fun: String,
    /// The ID it was declared under.
    pub id: String,
    /// What it is about; the ID unless `name` or `names` says otherwise.
    pub name: String,
    /// The SLS in dotted form.
    pub sls: String,
    /// The environment of the SLS.
    pub env: String,
    /// Position asked for: 10000 and up in order of appearance, or what `order` says.
    pub order: i64,
    /// Position within `names`, from 1; 0 without `names`.
    pub name_order: u32,
    /// Whether `order` was written by the author rather than assigned.
    pub order_given: bool,
    /// The arguments of the function, without name, requisites and global arguments.
    pub args: Map,
    /// What it waits for.
    pub requisites: Vec<Requisite>,
    /// Arguments that every state takes.
    pub globals: Globals,
    /// Where it is declared.
    pub at: Location,
}

impl Compiled {
    /// What `state.sls_id` runs: the chunks under this ID and all they need. Empty when there is no such ID.
    ///
    /// Nothing is needed for `listen`, so that it is only heeded among these chunks.
    #[must_use]
    pub fn only(&self, id: &str) -> Compiled {
        let mut wanted: BTreeSet<usize> = BTreeSet::new();
        let mut open: Vec<usize> = self
            .chunks
            .iter()
            .enumerate()
            .filter(|(_, chunk)| chunk.id == id)
            .map(|(at, _)| at)
            .collect();
        while let Some(index) = open.pop() {
            if wanted.insert(index) {
                let requisites = &self.chunks[index].requisites;
                let needed = requisites
                    .iter()
                    .filter(|requisite| requisite.kind != RequisiteKind::Listen);
                open.extend(needed.flat_map(|requisite| &requisite.targets));
            }
        }
        let new_index: HashMap<usize, usize> = wanted.iter().copied().zip(0..).collect();
        let mut chunks: Vec<Chunk> = wanted
            .iter()
            .map(|index| self.chunks[*index].clone())
            .collect();
        for requisite in chunks.iter_mut().flat_map(|chunk| &mut chunk.requisites) {
            let kept = requisite.targets.iter();
            requisite.targets = kept
                .filter_map(|target| new_index.get(target).copied())
                .collect();
        }
        Compiled {
            chunks,
            high: self.high.clone(),
        }
    }
}

impl Chunk {
    /// The key of its result: `virt_|-srv01_|-srv01_|-running`.
    pub fn tag(&self) -> String {
        format!(
            "{}_|-{}_|-{}_|-{}",
            self.state, self.id, self.name, self.fun
        )
    }

    /// What `listen` calls of it after everything else, under a key of its own: `virt_|-listener_srv01_|-srv01_|-mod_watch`.
    #[must_use]
    pub fn listener(&self) -> Chunk {
        Chunk {
            id: format!("listener_{}", self.id),
            fun: MOD_WATCH.to_owned(),
            requisites: Vec::new(),
            ..self.clone()
        }
    }

    /// `virt.running`
    pub fn function(&self) -> String {
        format!("{}.{}", self.state, self.fun)
    }

    /// How requisite comments name it: `vm.srv01`.
    pub fn label(&self) -> String {
        format!("{}.{}", self.sls, self.id)
    }

    /// The flat dictionary that `state.show_low_sls` prints.
    pub fn low(&self) -> Value {
        let mut low = Map::new();
        let texts = [
            ("state", &self.state),
            ("name", &self.name),
            ("__sls__", &self.sls),
            ("__env__", &self.env),
            ("__id__", &self.id),
        ];
        for (key, text) in texts {
            low.insert(key.to_owned(), Value::String(text.clone()));
        }
        low.extend(self.args.clone());
        low.extend(self.globals.given.clone());
        let order = match self.name_order {
            0 => Value::from(self.order),
            #[expect(clippy::cast_precision_loss, reason = "orders are small")]
            position => Value::from(self.order as f64 + f64::from(position) / 10000.0),
        };
        low.insert("order".to_owned(), order);
        low.insert("fun".to_owned(), Value::String(self.fun.clone()));
        Value::Object(low)
    }
}

/// A dependency on other chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requisite {
    /// Which kind.
    pub kind: RequisiteKind,
    /// Indices into [`Compiled::chunks`], without repetition. Empty only for an SLS that is in the run but
    /// holds no states.
    pub targets: Vec<usize>,
}

/// The kinds of dependency. The `_in` forms are turned round by the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequisiteKind {
    /// All targets must not have failed.
    Require,
    /// One target must not have failed.
    RequireAny,
    /// As `Require`; after a target's change a state that changes nothing itself has its module's `mod_watch` called.
    Watch,
    /// As `RequireAny`, with `mod_watch`.
    WatchAny,
    /// Runs when a target succeeded with changes.
    Onchanges,
    /// The same for one of several targets.
    OnchangesAny,
    /// Runs when a target failed.
    Onfail,
    /// The same.
    OnfailAny,
    /// Runs when every target failed.
    OnfailAll,
    /// Runs before the target, when a dry run of the target shows changes.
    Prereq,
    /// Calls `mod_watch` after everything else; no effect on the order.
    Listen,
}

impl RequisiteKind {
    const ALL: [(RequisiteKind, &'static str); 11] = [
        (RequisiteKind::Require, "require"),
        (RequisiteKind::RequireAny, "require_any"),
        (RequisiteKind::Watch, "watch"),
        (RequisiteKind::WatchAny, "watch_any"),
        (RequisiteKind::Onchanges, "onchanges"),
        (RequisiteKind::OnchangesAny, "onchanges_any"),
        (RequisiteKind::Onfail, "onfail"),
        (RequisiteKind::OnfailAny, "onfail_any"),
        (RequisiteKind::OnfailAll, "onfail_all"),
        (RequisiteKind::Prereq, "prereq"),
        (RequisiteKind::Listen, "listen"),
    ];

    /// The word used in state files.
    pub fn keyword(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("require", |(_, word)| word)
    }

    /// The kind a word stands for; `_in` forms are none.
    pub fn from_keyword(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }
}

/// Arguments that any state takes beside those of its function.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Globals {
    /// Stop the run when this state fails.
    pub failhard: bool,
    /// Commands or functions that must succeed for the state to run.
    pub onlyif: Option<Value>,
    /// Commands or functions that must fail for the state to run.
    pub unless: Option<Value>,
    /// Paths; the state does not run when all exist.
    pub creates: Vec<String>,
    /// Commands that replace the result after running.
    pub check_cmd: Option<Value>,
    /// Run again until it succeeds.
    pub retry: Option<Retry>,
    /// Send an event with the result: `true` or a tag suffix.
    pub fire_event: Option<Value>,
    /// Run beside the others. Independent chunks run in parallel here anyway.
    pub parallel: bool,
    /// Every global argument and requisite as it was written, `order` left out.
    pub given: Map,
}

/// How often to try again. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Runs in all, the first one counted.
    pub attempts: u32,
    /// The result to wait for.
    pub until: bool,
    /// Wait between two runs.
    pub interval_secs: u64,
    /// Upper bound of a random addition to the wait.
    pub splay_secs: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 2,
            until: true,
            interval_secs: 30,
            splay_secs: 0,
        }
    }
}
