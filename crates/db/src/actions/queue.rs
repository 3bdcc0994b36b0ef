//! What users and time do to the queue.

use super::record::{JobRecord, JobSummary, action};
use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::feed;
use crate::list::ListQuery;
use crate::session::changed;
use crate::sql::{Builder, Row, SqlError, Value, micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::{Action, ActionId, ActionKind, ActionStatus, HostId, JobId, Lane, ObjectKind};
use uuid::Uuid;

/// Actions of one job at most; more hosts than that are not managed by one store.
const MAX_ACTIONS_OF_A_JOB: u32 = 10_000;

/// A request to be queued: one job with an action for each of its hosts.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// `vm.start`, or a function.
    pub fun: String,
    /// Which hosts were asked for.
    pub target: String,
    /// How the target is read.
    pub target_kind: String,
    /// Who asks.
    pub user: String,
    /// The client's key and the digest of its request: the same twice is one job.
    pub key: Option<(String, Vec<u8>)>,
    /// Its actions.
    pub actions: Vec<NewAction>,
}

/// Actions of one statement: SQLite takes at most 32,766 parameters.
const ROWS: usize = 100;

/// An action to be queued.
#[derive(Debug, Clone)]
pub struct NewAction {
    /// Its id.
    pub id: ActionId,
    /// Who carries it out.
    pub host: HostId,
    /// The queue it stands in.
    pub lane: Lane,
    /// What is to be done.
    pub kind: ActionKind,
    /// The VM's id in the store.
    pub vm_id: Option<Uuid>,
    /// There is nothing to do: it has succeeded already, with this result (JSON).
    pub done: Option<String>,
    /// When it fails if it still waits.
    pub deadline: Timestamp,
}

/// What became of a request to queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The job; an earlier one when the client's key was known.
    pub job: JobId,
    /// It is an earlier one.
    pub repeated: bool,
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not left the queue and never will.
    AtOnce,
    /// It is on its way: its agent decides. The session of this host has to ask it.
    Asked(HostId),
    /// Its unknown outcome no longer blocks its lane.
    Resolved(HostId),
    /// It had ended.
    TooLate(ActionStatus),
}

impl Store {
    /// Queues a job. When this returns, its actions are on disk.
    ///
    /// # Errors
    /// `KeyReused` when the client's key stands for another request.
    pub async fn insert_job(&self, job: &NewJob) -> Result<Placed, StoreError> {
        const WHAT: &str = "queue a job";
        let mut tx = self.begin(WHAT).await?;
        if let Some((key, digest)) = &job.key
            && !insert_key(&mut tx, job, key, digest).await.during(WHAT)?
        {
            let earlier = find_key(&mut tx, &job.user, key).await.during(WHAT)?;
            return repeated(&earlier, digest);
        }
        insert_job_row(&mut tx, job).await.during(WHAT)?;
        insert_actions(&mut tx, job).await.during(WHAT)?;
        self.commit(tx, WHAT).await?;
        Ok(Placed {
            job: job.id,
            repeated: false,
        })
    }

    /// The job that a client's key stands for.
    ///
    /// # Errors
    /// `KeyReused` when the key stands for another request.
    pub async fn find_keyed(
        &self,
        user: &str,
        key: &str,
        digest: &[u8],
    ) -> Result<Option<JobId>, StoreError> {
        let row = query("select job, digest from client_key where username = $1 and key = $2")
            .bind(user)
            .bind(key)
            .fetch_optional(self)
            .await
            .during("find a client key")?;
        row.map(|row| repeated(&row, digest).map(|placed| placed.job))
            .transpose()
    }

    /// A job with its actions, in the order of their hosts' names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_job(
        &self,
        id: JobId,
    ) -> Result<Option<(JobRecord, Vec<super::ActionRecord>)>, StoreError> {
        const WHAT: &str = "read a job";
        let row = query("select * from job where id = $1")
            .bind(id.to_string())
            .fetch_optional(self)
            .await
            .during(WHAT)?;
        let Some(row) = row else { return Ok(None) };
        let query = ListQuery {
            job: Some(id.0),
            sort: crate::list::Sort::parse::<super::ActionRecord>("host"),
            limit: MAX_ACTIONS_OF_A_JOB,
            ..ListQuery::default()
        };
        let page = self.list(&query).await?;
        Ok(Some((job_record(&row).during(WHAT)?, page.items)))
    }

    /// Jobs, the newest first: at most `limit`, only those before the job `before`, or only those with an action that has
    /// not ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_jobs(
        &self,
        before: Option<JobId>,
        only_open: bool,
        limit: u32,
    ) -> Result<Vec<JobSummary>, StoreError> {
        const WHAT: &str = "list the jobs";
        // Ids grow with time.
        let rows = query(
            "select j.*, count(a.id) as actions,
                 count(*) filter (where a.status in ('queued', 'sent', 'accepted', 'running')) as open,
                 count(*) filter (where a.status = 'succeeded') as succeeded
             from (
                 select * from job where (cast($1 as text) is null or id < cast($1 as text)) and (not $2 or exists (
                     select 1 from action where job = job.id
                         and status in ('queued', 'sent', 'accepted', 'running')))
                 order by id desc limit $3
             ) j left join action a on a.job = j.id
             group by j.id, j.fun, j.target, j.target_kind, j.username, j.created_at
             order by j.id desc",
        )
        .bind(before.map(|job| job.to_string()))
        .bind(only_open)
        .bind(limit)
        .fetch_all(self)
        .await
        .during(WHAT)?;
        rows.iter()
            .map(job_summary)
            .collect::<Result<_, _>>()
            .during(WHAT)
    }

    /// Whether a lane has an action that has not ended, or whose unknown outcome blocks it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lane_is_busy(&self, lane: &Lane) -> Result<bool, StoreError> {
        let row = query(
            "select 1 from action where lane = $1 and (status in ('queued', 'sent', 'accepted', 'running')
                or (status = 'unknown' and resolved = 0)) limit 1",
        )
        .bind(lane.as_str())
        .fetch_optional(self)
        .await
        .during("look into a lane")?;
        Ok(row.is_some())
    }

    /// Withdraws an action, asks for its end, or declares its unknown outcome settled. `None` if there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&self, id: ActionId) -> Result<Option<Cancelled>, StoreError> {
        const WHAT: &str = "cancel an action";
        let mut tx = self.begin(WHAT).await?;
        let Some(row) = find_alone(&mut tx, id).await.during(WHAT)? else {
            return Ok(None);
        };
        let action = action(&row).during(WHAT)?;
        let resolved = row.flag("resolved").during(WHAT)?;
        let (set, outcome) = match action.status {
            ActionStatus::Queued => ("status = 'cancelled', finished_at = $2", Cancelled::AtOnce),
            ActionStatus::Sent | ActionStatus::Accepted | ActionStatus::Running => (
                "cancel_wanted = 1, deadline = case when deadline < $2 then $2 else deadline end",
                Cancelled::Asked(action.host),
            ),
            ActionStatus::Unknown if !resolved => (
                "resolved = 1, finished_at = coalesce(finished_at, $2)",
                Cancelled::Resolved(action.host),
            ),
            ended => return Ok(Some(Cancelled::TooLate(ended))),
        };
        // The three texts above are all there are.
        let update = format!("update action set gen = gen + 1, {set} where id = $1 returning gen");
        let row = query(update)
            .bind(id.to_string())
            .bind(micros(Timestamp::now()))
            .fetch_one(&mut tx)
            .await
            .during(WHAT)?;
        let r#gen = row.number("gen").during(WHAT)?;
        changed(&mut tx, ObjectKind::Action, id.0, r#gen)
            .await
            .during(WHAT)?;
        touch_waiting(&mut tx, &action.lane).await.during(WHAT)?;
        self.commit(tx, WHAT).await?;
        Ok(Some(outcome))
    }

    /// Repeats an action as a new one that names it. After an unknown outcome the new one takes the old one's place in
    /// the lane; after a failure it stands at the end. `None` if there is none.
    ///
    /// # Errors
    /// `Conflict` when it has not ended, has succeeded, or is being repeated already.
    pub async fn retry(
        &self,
        id: ActionId,
        new: ActionId,
        user: &str,
        deadline: Timestamp,
    ) -> Result<Option<HostId>, StoreError> {
        const WHAT: &str = "retry an action";
        let mut tx = self.begin(WHAT).await?;
        let Some(row) = find_alone(&mut tx, id).await.during(WHAT)? else {
            return Ok(None);
        };
        let action = action(&row).during(WHAT)?;
        if !matches!(
            action.status,
            ActionStatus::Unknown | ActionStatus::Failed | ActionStatus::Cancelled
        ) {
            return Err(StoreError::Conflict {
                why: "only an action that failed, was cancelled or has an unknown outcome can be retried",
            });
        }
        if has_open_retry(&mut tx, id).await.during(WHAT)? {
            return Err(StoreError::Conflict {
                why: "the action is being retried already",
            });
        }
        insert_retry(&mut tx, &row, new, user, deadline)
            .await
            .during(WHAT)?;
        self.commit(tx, WHAT).await?;
        Ok(Some(action.host))
    }

    /// Fails what has waited past its deadline. Only what never left the queue expires.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, now: Timestamp) -> Result<Vec<ActionId>, StoreError> {
        const WHAT: &str = "expire actions";
        let mut tx = self.begin(WHAT).await?;
        let late =
            query("select distinct host from action where status = 'queued' and deadline <= $1")
                .bind(micros(now))
                .fetch_all(&mut tx)
                .await
                .during(WHAT)?;
        let hosts = late.iter().map(|row| row.uuid("host").map(HostId));
        let hosts: Vec<HostId> = hosts.collect::<Result<_, _>>().during(WHAT)?;
        if hosts.is_empty() {
            return Ok(Vec::new());
        }
        tx.lock_hosts(hosts).await.during(WHAT)?;
        let rows = query(
            "update action set status = 'failed', gen = gen + 1, finished_at = $1, error = $2, hint = $3
             where status = 'queued' and deadline <= $1 returning id, gen, lane",
        )
        .bind(micros(now))
        .bind("It expired: it waited for its turn until its deadline")
        .bind("Check the host and what the action waited for, then retry it")
        .fetch_all(&mut tx)
        .await
        .during(WHAT)?;
        let mut expired = Vec::new();
        for row in rows {
            let id = row.uuid("id").during(WHAT)?;
            let r#gen = row.number("gen").during(WHAT)?;
            changed(&mut tx, ObjectKind::Action, id, r#gen)
                .await
                .during(WHAT)?;
            let lane = Lane::from_stored(row.text("lane").during(WHAT)?);
            touch_waiting(&mut tx, &lane).await.during(WHAT)?;
            expired.push(ActionId(id));
        }
        if !expired.is_empty() {
            self.commit(tx, WHAT).await?;
        }
        Ok(expired)
    }
}

fn job_record(row: &Row) -> Result<JobRecord, SqlError> {
    Ok(JobRecord {
        id: JobId(row.uuid("id")?),
        fun: row.text("fun")?,
        target: row.text("target")?,
        target_kind: row.text("target_kind")?,
        user: row.text("username")?,
        created_at: row.at("created_at")?,
    })
}

fn job_summary(row: &Row) -> Result<JobSummary, SqlError> {
    Ok(JobSummary {
        job: job_record(row)?,
        actions: row.number("actions")?,
        open: row.number("open")?,
        succeeded: row.number("succeeded")?,
    })
}

async fn find_key(tx: &mut Tx, user: &str, key: &str) -> Result<Row, SqlError> {
    query("select job, digest from client_key where username = $1 and key = $2")
        .bind(user)
        .bind(key)
        .fetch_one(&mut *tx)
        .await
}

fn repeated(row: &Row, digest: &[u8]) -> Result<Placed, StoreError> {
    const WHAT: &str = "read a client key";
    let known = row.blob("digest").during(WHAT)?;
    if known != digest {
        return Err(StoreError::KeyReused);
    }
    Ok(Placed {
        job: JobId(row.uuid("job").during(WHAT)?),
        repeated: true,
    })
}

/// False if the key stands for a request already.
async fn insert_key(tx: &mut Tx, job: &NewJob, key: &str, digest: &[u8]) -> Result<bool, SqlError> {
    let written = query(
        "insert into client_key (username, key, job, digest, created_at) values ($1, $2, $3, $4, $5)
         on conflict (username, key) do nothing",
    )
    .bind(&job.user)
    .bind(key)
    .bind(job.id.to_string())
    .bind(digest)
    .bind(micros(Timestamp::now()))
    .execute(&mut *tx)
    .await?;
    Ok(written > 0)
}

async fn insert_job_row(tx: &mut Tx, job: &NewJob) -> Result<(), SqlError> {
    query(
        "insert into job (id, fun, target, target_kind, username, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(job.id.to_string())
    .bind(&job.fun)
    .bind(&job.target)
    .bind(&job.target_kind)
    .bind(&job.user)
    .bind(micros(Timestamp::now()))
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Puts the actions of a job at the ends of their lanes.
async fn insert_actions(tx: &mut Tx, job: &NewJob) -> Result<(), SqlError> {
    let now = micros(Timestamp::now());
    for actions in job.actions.chunks(ROWS) {
        let mut sql = Builder::new(
            "insert into action (id, job, host, lane, kind, vm_id, vm_uuid, vm_name, fun, args, kwargs,
                 status, gen, username, created_at, started_at, finished_at, deadline, result, search) ",
        );
        sql.push_rows(actions.iter().map(|new| action_values(job, new, now)));
        sql.build().execute(&mut *tx).await?;
    }
    // Each has the last place of its lane.
    query("update action set place = ord where job = $1")
        .bind(job.id.to_string())
        .execute(&mut *tx)
        .await?;
    let lines: Vec<_> = job
        .actions
        .iter()
        .map(|new| (ObjectKind::Action, new.id.0, 1))
        .collect();
    feed::append_all(tx, &lines).await
}

/// The values of a new action's row.
fn action_values(job: &NewJob, new: &NewAction, now: i64) -> [Value; 20] {
    let (kind, vm_uuid, vm_name, args, kwargs) = match &new.kind {
        ActionKind::Vm { vm, name, .. } => ("vm", Some(vm.to_string()), name.as_str(), "", ""),
        ActionKind::Function { args, kwargs, .. } => {
            ("function", None, "", args.as_str(), kwargs.as_str())
        }
    };
    let finished = new.done.as_ref().map(|_| now);
    let status = match new.done {
        Some(_) => ActionStatus::Succeeded,
        None => ActionStatus::Queued,
    };
    // Without the arguments: who may not read them must not find them either.
    let search = format!("{}\n{vm_name}\n{}", fun(&new.kind), job.user).to_lowercase();
    [
        new.id.to_string().into(),
        job.id.to_string().into(),
        new.host.to_string().into(),
        new.lane.as_str().into(),
        kind.into(),
        new.vm_id.map(|id| id.to_string()).into(),
        vm_uuid.into(),
        vm_name.into(),
        fun(&new.kind).into(),
        args.into(),
        kwargs.into(),
        status.as_str().into(),
        1_i64.into(),
        (&job.user).into(),
        now.into(),
        finished.into(),
        finished.into(),
        micros(new.deadline).into(),
        new.done.as_deref().into(),
        search.into(),
    ]
}

/// Gives a new action the last place of its lane.
async fn stand_last(tx: &mut Tx, id: ActionId) -> Result<(), SqlError> {
    query("update action set place = ord where id = $1")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// `vm.start`, or the function.
pub(super) fn fun(kind: &ActionKind) -> String {
    match kind {
        ActionKind::Vm { request, .. } => format!("vm.{}", request.as_str()),
        ActionKind::Function { fun, .. } => fun.clone(),
    }
}

/// The action, with nobody else writing anything of its host's queue.
async fn find_alone(tx: &mut Tx, id: ActionId) -> Result<Option<Row>, SqlError> {
    let Some(row) = find(tx, id).await? else {
        return Ok(None);
    };
    tx.lock_hosts([HostId(row.uuid("host")?)]).await?;
    find(tx, id).await
}

pub(super) async fn find(tx: &mut Tx, id: ActionId) -> Result<Option<Row>, SqlError> {
    query("select * from action where id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *tx)
        .await
}

async fn has_open_retry(tx: &mut Tx, id: ActionId) -> Result<bool, SqlError> {
    let row = query(
        "select 1 from action where retry_of = $1 and status in ('queued', 'sent', 'accepted', 'running')",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.is_some())
}

/// Copies an action into a new one that names it.
pub(super) async fn insert_retry(
    tx: &mut Tx,
    old: &Row,
    new: ActionId,
    user: &str,
    deadline: Timestamp,
) -> Result<(), SqlError> {
    query(
        "insert into action (id, job, host, lane, place, kind, vm_id, vm_uuid, vm_name, fun, args, kwargs,
             status, attempt, gen, username, created_at, deadline, retry_of, search)
         select $2, job, host, lane, place, kind, vm_id, vm_uuid, vm_name, fun, args, kwargs,
             'queued', attempt + 1, 1, $3, $4, $5, id, search
         from action where id = $1",
    )
    .bind(old.text("id")?)
    .bind(new.to_string())
    .bind(user)
    .bind(micros(Timestamp::now()))
    .bind(micros(deadline))
    .execute(&mut *tx)
    .await?;
    let keeps_place =
        old.text("status")? == ActionStatus::Unknown.as_str() && !old.flag("resolved")?;
    if !keeps_place {
        stand_last(tx, new).await?;
    }
    changed(tx, ObjectKind::Action, new.0, 1).await
}

/// What waits in a lane shows whom it waits for, and that has changed.
pub(super) async fn touch_waiting(tx: &mut Tx, lane: &Lane) -> Result<(), SqlError> {
    let rows = query(
        "update action set gen = gen + 1 where lane = $1 and status = 'queued' returning id, gen",
    )
    .bind(lane.as_str())
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        changed(tx, ObjectKind::Action, row.uuid("id")?, row.number("gen")?).await?;
    }
    Ok(())
}

/// What comes with a status.
#[derive(Default)]
pub(super) struct StatusNews<'a> {
    /// Why it failed, and what to do about it.
    pub(super) error: Option<(&'a str, &'a str)>,
    /// It runs, or has run.
    pub(super) begun: bool,
    /// How far, JSON.
    pub(super) progress: Option<String>,
    /// What it returned, JSON.
    pub(super) result: Option<&'a str>,
}

/// Writes the fields that a change of status brings, adds one to the generation and tells the feed.
pub(super) async fn set_status(
    tx: &mut Tx,
    action: &Action,
    status: ActionStatus,
    news: StatusNews<'_>,
) -> Result<(), SqlError> {
    let now = micros(Timestamp::now());
    let row = query(
        "update action set status = $2, gen = gen + 1, finished_at = coalesce($3, finished_at),
             error = coalesce($4, error), hint = coalesce($5, hint),
             started_at = coalesce(started_at, $6), progress = coalesce($7, progress),
             result = coalesce($8, result)
         where id = $1 returning gen",
    )
    .bind(action.id.to_string())
    .bind(status.as_str())
    .bind(status.is_final().then_some(now))
    .bind(news.error.map(|(message, _)| message))
    .bind(news.error.map(|(_, hint)| hint))
    .bind(news.begun.then_some(now))
    .bind(news.progress)
    .bind(news.result)
    .fetch_one(&mut *tx)
    .await?;
    changed(tx, ObjectKind::Action, action.id.0, row.number("gen")?).await
}
