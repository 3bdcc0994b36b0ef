//! States that declare that a VM, a network or a pool is gone.
//!
//! What is in use stays unless `force` is given, and data stays unless its deletion is asked for. Deleting data comes
//! before removing the definition that leads to it: a run that breaks off is taken up by the next one.

pub(super) mod network;
pub(super) mod pool;
pub(super) mod usage;
pub(super) mod vm;

use crate::changes::Changes;
use crate::planned::{ChunkPlan, Outcome, single};
use crate::{Map, Value};
use model::plan::{Plan, PlannedStep};
use serde_json::json;

/// What is done to something that goes, on its way into `changes`.
#[derive(Debug, Default)]
struct Removal {
    steps: Vec<PlannedStep>,
    notes: Vec<String>,
    stopped: bool,
    deleted: bool,
    undefined: bool,
    /// Names of volumes.
    deleted_volumes: Vec<String>,
}

impl Removal {
    /// Only what is done, under the object's name.
    fn changes(&self, name: &str) -> Map {
        let mut done = Map::new();
        for (key, on) in [
            ("stopped", self.stopped),
            ("deleted", self.deleted),
            ("undefined", self.undefined),
        ] {
            if on {
                done.insert(key.to_owned(), json!(true));
            }
        }
        if !self.deleted_volumes.is_empty() {
            let names = json!(self.deleted_volumes);
            done.insert("deleted_volumes".to_owned(), names);
        }
        single(name, Value::Object(done))
    }

    fn into_plan(self, comment: String, changes: Map) -> ChunkPlan {
        ChunkPlan {
            plan: Plan {
                steps: self.steps,
                pending: Vec::new(),
            },
            notes: self.notes,
            outcome: Outcome::new(comment, Changes::Fixed(changes)),
        }
    }
}

/// There is nothing to do.
fn gone_already(comment: String) -> ChunkPlan {
    Removal::default().into_plan(comment, Map::new())
}
