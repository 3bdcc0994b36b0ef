//! What a session does to the queue of its host.

use super::blocks;
use super::queue::{StatusNews, find, insert_retry, set_status, touch_waiting};
use super::record::action;
use crate::doc::{ProgressDoc, json};
use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::feed;
use crate::session::{SessionKey, changed, fence};
use crate::sql::{Row, SqlError, int, micros, query};
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use model::{Action, ActionId, ActionStatus, HostId, Lane, ObjectKind, Progress};
use uuid::Uuid;

/// How often an idempotent action is tried by itself before its unknown outcome waits for a person.
pub const MAX_ATTEMPTS: u64 = 3;

/// How long an automatic retry may wait for its turn.
const RETRY_DEADLINE: SignedDuration = SignedDuration::from_hours(24);

/// What an agent says of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Which one.
    pub id: ActionId,
    /// Where it is.
    pub status: ActionStatus,
    /// How far.
    pub progress: Option<Progress>,
    /// What it returned, JSON.
    pub result: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What the queue wants of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// Something is queued.
    pub dispatch: bool,
    /// Something on its way is to end.
    pub cancels: bool,
}

/// What became of a report on an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the store.
    Changed,
    /// It said nothing new, or too late.
    Nothing,
    /// The action ended: the next of its lane may go.
    Ended,
    /// The store did not know the action (it has lost its last commits) and has made a record of it.
    Recovered,
    /// The action belongs to another host.
    Foreign,
}

impl Store {
    /// Takes the heads of all free lanes of a host: `queued` becomes `sent`. Requests to VMs stay queued unless `live`,
    /// because libvirt would have to answer.
    ///
    /// # Errors
    /// `LostSession` when the session is over.
    pub async fn dispatch(&self, key: SessionKey, live: bool) -> Result<Vec<Action>, StoreError> {
        const WHAT: &str = "dispatch actions";
        let mut tx = self.begin(WHAT).await?;
        fence(&mut tx, key).await?;
        let rows = query(concat!(
            "update action set status = 'sent', epoch = $2, gen = gen + 1 where id in (
                 select o.id from action o
                 where o.host = $1 and o.status = 'queued' and (o.kind <> 'vm' or $3)
                   and not exists (select 1 from action b where b.lane = o.lane and ",
            blocks!(),
            "))
             returning *"
        ))
        .bind(key.host.to_string())
        .bind(int(key.epoch))
        .bind(live)
        .fetch_all(&mut tx)
        .await
        .during(WHAT)?;
        let mut rows: Vec<(u64, Row)> = rows
            .into_iter()
            .map(|row| Ok((row.number("ord")?, row)))
            .collect::<Result<_, SqlError>>()
            .during(WHAT)?;
        // An update tells its rows in no order.
        rows.sort_by_key(|(ord, _)| *ord);
        let mut sent = Vec::with_capacity(rows.len());
        let mut lines = Vec::with_capacity(rows.len());
        for (_, row) in &rows {
            let action = action(row).during(WHAT)?;
            let r#gen = row.number("gen").during(WHAT)?;
            lines.push((ObjectKind::Action, action.id.0, r#gen));
            sent.push(action);
        }
        feed::append_all(&mut tx, &lines).await.during(WHAT)?;
        if !sent.is_empty() {
            self.commit(tx, WHAT).await?;
        }
        Ok(sent)
    }

    /// At the start of a session: what an earlier one sent and the agent has not confirmed, to be sent again. What the
    /// agent had confirmed and no longer knows has an unknown outcome.
    ///
    /// # Errors
    /// `LostSession` when the session is over.
    pub async fn resume_actions(
        &self,
        key: SessionKey,
        known_to_agent: &[ActionId],
    ) -> Result<Vec<Action>, StoreError> {
        const WHAT: &str = "go on with the actions of a host";
        let mut tx = self.begin(WHAT).await?;
        fence(&mut tx, key).await?;
        let rows = query(
            "select * from action where host = $1 and status in ('sent', 'accepted', 'running') order by ord",
        )
        .bind(key.host.to_string())
        .fetch_all(&mut tx)
        .await
        .during(WHAT)?;
        let mut again = Vec::new();
        for row in &rows {
            let action = action(row).during(WHAT)?;
            if action.status == ActionStatus::Sent {
                again.push(action);
            } else if !known_to_agent.contains(&action.id) {
                lose(&mut tx, row, &action).await.during(WHAT)?;
            }
        }
        query("update action set epoch = $2 where host = $1 and status = 'sent'")
            .bind(key.host.to_string())
            .bind(int(key.epoch))
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        self.commit(tx, WHAT).await?;
        Ok(again)
    }

    /// Records what the agent says of an action. Results are taken from any later session too.
    ///
    /// # Errors
    /// `LostSession` when the session is over.
    pub async fn record_outcome(
        &self,
        key: SessionKey,
        outcome: &Outcome,
    ) -> Result<Recorded, StoreError> {
        const WHAT: &str = "record the state of an action";
        let mut tx = self.begin(WHAT).await?;
        fence(&mut tx, key).await?;
        let row = find_in_lane(&mut tx, outcome.id).await.during(WHAT)?;
        let recorded = match &row {
            None => recover(&mut tx, key, outcome).await.during(WHAT)?,
            Some(row) => {
                let action = action(row).during(WHAT)?;
                if action.host != key.host {
                    return Ok(Recorded::Foreign);
                }
                take(&mut tx, row, &action, outcome).await.during(WHAT)?
            }
        };
        if recorded != Recorded::Nothing {
            self.commit(tx, WHAT).await?;
        }
        Ok(recorded)
    }

    /// Whether actions of a host wait for their turn, and whether somebody wants to end some that are on their way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wants_of(&self, host: HostId) -> Result<Wants, StoreError> {
        const WHAT: &str = "look for waiting actions";
        let row = query(
            "select exists (select 1 from action where host = $1 and status = 'queued') as queued,
                 exists (select 1 from action where host = $1 and cancel_wanted = 1
                         and status in ('sent', 'accepted', 'running')) as cancels",
        )
        .bind(host.to_string())
        .fetch_one(self)
        .await
        .during(WHAT)?;
        Ok(Wants {
            dispatch: row.flag("queued").during(WHAT)?,
            cancels: row.flag("cancels").during(WHAT)?,
        })
    }

    /// Actions of a host on their way that somebody wants to end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wanted_cancels(&self, key: SessionKey) -> Result<Vec<ActionId>, StoreError> {
        const WHAT: &str = "list the actions to be cancelled";
        let rows = query(
            "select id from action
             where host = $1 and cancel_wanted = 1 and status in ('sent', 'accepted', 'running')",
        )
        .bind(key.host.to_string())
        .fetch_all(self)
        .await
        .during(WHAT)?;
        let ids = rows.iter().map(|row| row.uuid("id").map(ActionId));
        ids.collect::<Result<_, _>>().during(WHAT)
    }
}

/// The action with whether it is `alone`: nothing in its lane waits or blocks.
async fn find_in_lane(tx: &mut Tx, id: ActionId) -> Result<Option<Row>, SqlError> {
    query(
        "select o.*, not exists (select 1 from action b where b.lane = o.lane and b.id <> o.id
                 and (b.status = 'queued' or b.status = 'unknown' and b.resolved = 0)) as alone
         from action o where o.id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *tx)
    .await
}

async fn take(
    tx: &mut Tx,
    row: &Row,
    action: &Action,
    outcome: &Outcome,
) -> Result<Recorded, SqlError> {
    if !action.status.may_become(outcome.status) || says_nothing_new(row, action, outcome)? {
        return Ok(Recorded::Nothing);
    }
    let error = outcome
        .error
        .as_deref()
        .map(|error| (error, outcome.hint.as_deref().unwrap_or_default()));
    let news = StatusNews {
        error,
        begun: matches!(outcome.status, ActionStatus::Running) || outcome.status.is_final(),
        progress: outcome.progress.as_ref().map(|p| json(&ProgressDoc::of(p))),
        result: outcome.result.as_deref(),
    };
    set_status(tx, action, outcome.status, news).await?;
    if !outcome.status.is_final() {
        return Ok(Recorded::Changed);
    }
    if outcome.status != ActionStatus::Unknown && row.flag("alone")? {
        return Ok(Recorded::Ended);
    }
    match outcome.status {
        ActionStatus::Unknown => retry_by_itself(tx, row, action).await?,
        _ => settle_unknown(tx, row).await?,
    }
    touch_waiting(tx, &action.lane).await?;
    Ok(Recorded::Ended)
}

/// A repeated stage without new progress.
fn says_nothing_new(row: &Row, action: &Action, outcome: &Outcome) -> Result<bool, SqlError> {
    let progress = outcome.progress.as_ref().map(|p| json(&ProgressDoc::of(p)));
    let same_progress = progress.is_none() || progress == row.optional_text("progress")?;
    Ok(action.status == outcome.status && same_progress)
}

/// A proven end settles every unknown outcome in its place of the lane: those that it has repeated.
async fn settle_unknown(tx: &mut Tx, row: &Row) -> Result<(), SqlError> {
    let rows = query(
        "update action set resolved = 1, gen = gen + 1
         where lane = $1 and place = $2 and status = 'unknown' and resolved = 0 returning id, gen",
    )
    .bind(row.text("lane")?)
    .bind(int(row.number("place")?))
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        changed(tx, ObjectKind::Action, row.uuid("id")?, row.number("gen")?).await?;
    }
    Ok(())
}

async fn retry_by_itself(tx: &mut Tx, row: &Row, action: &Action) -> Result<(), SqlError> {
    if !action.kind.is_idempotent() || row.number("attempt")? >= MAX_ATTEMPTS {
        return Ok(());
    }
    // The row was read before its end was written; what a retry copies is the same.
    let current = find(tx, action.id).await?;
    let Some(current) = current else {
        return Ok(());
    };
    let new = ActionId(Uuid::now_v7());
    let user = row.text("username")?;
    insert_retry(tx, &current, new, &user, Timestamp::now() + RETRY_DEADLINE).await
}

async fn lose(tx: &mut Tx, row: &Row, action: &Action) -> Result<(), SqlError> {
    let error = "The agent no longer knows the action: its journal was lost";
    let hint = "Look at the VM, then retry the action or cancel it";
    let news = StatusNews {
        error: Some((error, hint)),
        ..StatusNews::default()
    };
    set_status(tx, action, ActionStatus::Unknown, news).await?;
    retry_by_itself(tx, row, action).await?;
    touch_waiting(tx, &action.lane).await
}

async fn recover(tx: &mut Tx, key: SessionKey, outcome: &Outcome) -> Result<Recorded, SqlError> {
    let now = micros(Timestamp::now());
    let id = outcome.id.to_string();
    query(
        "insert into job (id, fun, target, target_kind, username, created_at)
         values ($1, 'recovered', '', 'list', 'recovered', $2) on conflict (id) do nothing",
    )
    .bind(&id)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    query(
        "insert into action (id, job, host, lane, kind, fun, args, kwargs, status, gen, username, created_at,
             finished_at, deadline, result, error, hint, epoch, search)
         values ($1, $1, $2, $3, 'function', 'recovered', '[]', '{}', $4, 1, 'recovered', $5, $6, $5, $7, $8,
             $9, $10, 'recovered')",
    )
    .bind(&id)
    .bind(key.host.to_string())
    .bind(Lane::alone(outcome.id).as_str())
    .bind(outcome.status.as_str())
    .bind(now)
    .bind(outcome.status.is_final().then_some(now))
    .bind(outcome.result.as_deref())
    .bind(outcome.error.as_deref())
    .bind(outcome.hint.as_deref())
    .bind(int(key.epoch))
    .execute(&mut *tx)
    .await?;
    changed(tx, ObjectKind::Action, outcome.id.0, 1).await?;
    Ok(Recorded::Recovered)
}
