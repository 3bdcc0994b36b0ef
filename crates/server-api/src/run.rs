//! Functions on hosts: what `salar run TARGET FUN …` asks for.

use crate::action::Action;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// A function to call on every host that the target matches.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Which hosts.
    pub target: String,
    /// How to read `target`: `glob` (default), `pcre`, `list`, `grain`, `grain_pcre`, `pillar`, `pillar_pcre`, `pillar_exact`,
    /// `compound`, `nodegroup`, `ipcidr`.
    #[serde(default = "glob")]
    pub target_kind: String,
    /// `module.function`.
    pub fun: String,
    /// Positional arguments.
    #[serde(default)]
    #[schema(value_type = Vec<Value>)]
    pub args: Vec<Value>,
    /// Named arguments; `test: true` plans only.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub kwargs: Map<String, Value>,
}

fn glob() -> String {
    "glob".to_owned()
}

/// A job in a list: what was asked and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobSummary {
    /// Its id.
    pub jid: Uuid,
    /// The function, or `vm.start` and the like.
    pub fun: String,
    /// Which hosts were asked for, or the VM.
    pub target: String,
    /// How the target was read.
    pub target_kind: String,
    /// Who asked.
    pub user: String,
    /// When.
    pub created_at: String,
    /// Its actions, one a host.
    pub actions: u64,
    /// Those that have not ended.
    pub open: u64,
    /// Those that have succeeded; the rest failed, were cancelled, or nobody knows.
    pub succeeded: u64,
}

/// A job: one request, one action on each of its hosts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub jid: Uuid,
    /// The function.
    pub fun: String,
    /// Which hosts were asked for.
    pub target: String,
    /// Its actions, one a host.
    pub actions: Vec<Action>,
}
