//! Actions: durable requests to hosts. The web interface calls them tasks.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// An action and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Action {
    /// Its id.
    pub id: Uuid,
    /// See [`crate::vm::Vm::gen`].
    pub r#gen: u64,
    /// The request it is part of.
    pub jid: Uuid,
    /// `queued`, `sent`, `accepted`, `running`, `succeeded`, `failed`, `cancelled`, `unknown`.
    pub status: String,
    /// `vm.start`, `vm.force_off`… or the function: `state.apply`.
    pub kind: String,
    /// A sentence: `Start srv01`, `state.apply vm`.
    pub summary: String,
    /// Host that carries it out.
    pub host_id: Uuid,
    /// Its name.
    pub host: String,
    /// VM it is about.
    pub vm_id: Option<Uuid>,
    /// Who asked.
    pub user: String,
    /// When it was accepted.
    pub created_at: String,
    /// When the agent began.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// The latest report.
    pub progress: Option<Progress>,
    /// What it waits for, in words: `Waits for kvm-07 to come back`, `Waits for “Shut down srv01”`.
    pub waits_for: Option<String>,
    /// What a function returned, or what a failed one left; absent until it ends, for viewers, and in lists when it
    /// is longer than 16 KiB.
    #[schema(value_type = Value, nullable)]
    pub result: Option<Value>,
    /// Why it failed.
    pub error: Option<ActionError>,
    /// The action whose unknown outcome it repeats.
    pub retry_of: Option<Uuid>,
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionError {
    /// Cause, one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How far an action is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The step by name.
    pub step: String,
    /// Done, in bytes or items.
    pub done: u64,
    /// Total; absent when not known.
    pub total: Option<u64>,
    /// Bytes per second; absent when not measured.
    pub rate: Option<u64>,
}

/// Answer to a request that became an action.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// The action; poll it or watch the event stream.
    pub action: Action,
}
