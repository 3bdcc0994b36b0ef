//! Actions and jobs as rows.

use super::blocks;
use crate::doc::ProgressDoc;
use crate::objects::HostBrief;
use crate::sql::{Row, SqlError, damaged};
use jiff::Timestamp;
use model::lifecycle::Request;
use model::{Action, ActionId, ActionKind, ActionStatus, Freshness, HostId, JobId, Lane, Progress};
use uuid::Uuid;

/// An action with all that is recorded of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRecord {
    /// What is to be done, by whom, and where it is.
    pub action: Action,
    /// Grows by one with every real change.
    pub r#gen: u64,
    /// Who asked.
    pub user: String,
    /// The VM's id in the store.
    pub vm_id: Option<Uuid>,
    /// Who carries it out.
    pub host: HostBrief,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The latest report.
    pub progress: Option<Progress>,
    /// What it returned, JSON.
    pub result: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// How often it has been tried, this time included.
    pub attempt: u32,
    /// Someone has said that its unknown outcome no longer matters.
    pub resolved: bool,
    /// Somebody wants it to end.
    pub cancel_wanted: bool,
    /// The action that keeps it in the queue.
    pub behind: Option<Behind>,
}

/// An action that keeps others waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// `vm.start`, or a function.
    pub fun: String,
    /// The VM's name; empty for functions.
    pub vm_name: String,
    /// Its outcome is not known, and someone has to say what is to become of it.
    pub unknown: bool,
}

/// One request that became one action on each of its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// What was asked for.
    pub fun: String,
    /// Which hosts.
    pub target: String,
    /// How the target is read.
    pub target_kind: String,
    /// Who asked.
    pub user: String,
    /// When.
    pub created_at: Timestamp,
}

/// A job and how far its actions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// The job.
    pub job: JobRecord,
    /// Its actions, one a host.
    pub actions: u64,
    /// Those that have not ended.
    pub open: u64,
    /// Those that have succeeded.
    pub succeeded: u64,
}

/// Columns of an action in a list; `o` is the action.
pub(crate) const COLUMNS: &str = concat!(
    "o.*, case when o.status = 'queued' then
       (select b.status || ' ' || b.fun || ' ' || b.vm_name from action b
        where b.lane = o.lane and ",
    blocks!(),
    " order by b.place, b.ord limit 1) end as behind"
);

/// A record from a row with [`COLUMNS`] and its host.
pub(crate) fn action_record(row: &Row) -> Result<ActionRecord, SqlError> {
    let progress = row.optional_text("progress")?;
    Ok(ActionRecord {
        action: action(row)?,
        r#gen: row.number("gen")?,
        user: row.text("username")?,
        vm_id: row.optional_uuid("vm_id")?,
        host: HostBrief {
            id: HostId(row.uuid("host")?),
            name: row.text("host_name")?,
            freshness: row.word("host_freshness", Freshness::from_word)?,
        },
        created_at: row.at("created_at")?,
        started_at: row.optional_at("started_at")?,
        finished_at: row.optional_at("finished_at")?,
        progress: progress.as_deref().map(read_progress).transpose()?,
        result: row.optional_text("result")?,
        error: row.optional_text("error")?,
        hint: row.optional_text("hint")?,
        attempt: u32::try_from(row.number("attempt")?).unwrap_or(u32::MAX),
        resolved: row.flag("resolved")?,
        cancel_wanted: row.flag("cancel_wanted")?,
        behind: row
            .optional_text("behind")?
            .as_deref()
            .map(read_behind)
            .transpose()?,
    })
}

fn read_progress(text: &str) -> Result<Progress, SqlError> {
    let doc: ProgressDoc = serde_json::from_str(text).map_err(|e| damaged("progress", e))?;
    Ok(doc.into_model())
}

fn read_behind(text: &str) -> Result<Behind, SqlError> {
    // Neither statuses nor functions have spaces in their names.
    let mut words = text.splitn(3, ' ');
    let (Some(status), Some(fun), Some(vm_name)) = (words.next(), words.next(), words.next())
    else {
        return Err(damaged("behind", format!("{text:?} are not three words")));
    };
    Ok(Behind {
        fun: fun.to_owned(),
        vm_name: vm_name.to_owned(),
        unknown: status == ActionStatus::Unknown.as_str(),
    })
}

/// The action itself, from a row of its table.
pub(super) fn action(row: &Row) -> Result<Action, SqlError> {
    Ok(Action {
        id: ActionId(row.uuid("id")?),
        job: JobId(row.uuid("job")?),
        host: HostId(row.uuid("host")?),
        lane: Lane::from_stored(row.text("lane")?),
        kind: kind(row)?,
        status: row.word("status", ActionStatus::from_word)?,
        retry_of: row.optional_uuid("retry_of")?.map(ActionId),
    })
}

fn kind(row: &Row) -> Result<ActionKind, SqlError> {
    let fun = row.text("fun")?;
    if row.text("kind")? != "vm" {
        return Ok(ActionKind::Function {
            fun,
            args: row.text("args")?,
            kwargs: row.text("kwargs")?,
        });
    }
    let request = fun.strip_prefix("vm.").and_then(Request::from_word);
    Ok(ActionKind::Vm {
        vm: row.uuid("vm_uuid")?,
        name: row.text("vm_name")?,
        request: request.ok_or_else(|| damaged("fun", format!("unknown request {fun:?}")))?,
    })
}
