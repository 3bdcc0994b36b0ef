//! Functions on hosts.

use super::Ctx;
use super::actions::{DEADLINE, announce, client_key};
use super::body::Body;
use super::error::{ApiError, internal};
use super::gate::Identity;
use crate::app::App;
use crate::render;
use crate::replicas;
use crate::target::Target;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use db::{ActionRecord, HostRecord, JobRecord, NewAction, NewJob};
use jiff::Timestamp;
use model::{ActionId, ActionKind, JobId, Lane};
use serde::Deserialize;
use serde_json::Value;
use server_api::run::{Job, JobSummary, RunRequest};
use server_api::{ErrorBody, Role};
use std::sync::Arc;
use utoipa::IntoParams;
use uuid::Uuid;

/// Most jobs of a list.
const MAX_JOBS: u32 = 500;
/// Longest target.
const MAX_TARGET_BYTES: usize = 4096;

/// A target.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TargetParams {
    /// Which hosts.
    target: String,
    /// How to read `target`: `glob` (default), `pcre`, `list`, `grain`, `grain_pcre`, `pillar`, `pillar_pcre`, `pillar_exact`,
    /// `compound`, `nodegroup`, `ipcidr`. What asks the pillar is for administrators.
    target_kind: Option<String>,
}

/// Names of the hosts that a target matches.
#[utoipa::path(
    get, path = "/api/v1/targets", tag = "runs", params(TargetParams),
    responses(
        (status = 200, body = Vec<String>),
        (status = 400, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "`not_allowed`: the pillar is for administrators"),
        (status = 404, body = ErrorBody, description = "`no_host_matched`: the target matches no host"),
        (status = 409, body = ErrorBody, description = "`pillar_failed`: the pillar of a host does not render"),
    )
)]
pub async fn list_targets(
    State(ctx): State<Ctx>,
    identity: Identity,
    Query(params): Query<TargetParams>,
) -> Result<Json<Vec<String>>, ApiError> {
    let kind = params.target_kind.as_deref().unwrap_or("glob");
    let hosts = targets(&ctx.app, identity.role, kind, &params.target).await?;
    Ok(Json(
        hosts.into_iter().map(|host| host.facts.name).collect(),
    ))
}

/// Calls a function on every host that the target matches.
#[utoipa::path(
    post, path = "/api/v1/runs", tag = "runs", request_body = RunRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 hours is one job")),
    responses(
        (status = 202, body = Job),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "`no_host_matched`: the target matches no host; nothing was queued"),
        (status = 409, body = ErrorBody, description = "`pillar_failed`: the pillar of a host does not render; nothing was queued"),
    )
)]
pub async fn create_run(
    State(ctx): State<Ctx>,
    identity: Identity,
    headers: HeaderMap,
    Body(run): Body<RunRequest>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let request = serde_json::to_string(&run).unwrap_or_default();
    let key = client_key(&headers, &request)?;
    let by = (identity.user.as_str(), identity.role);
    let job = queue(&ctx.app, by, &run, key).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(find(&ctx, job, identity.role).await?),
    ))
}

/// Queues a function for every host that the target matches, on behalf of a user with this role.
///
/// # Errors
/// The function or the target cannot be, no host matches, or the store fails. Nothing was queued then.
pub async fn queue(
    app: &Arc<App>,
    (user, role): (&str, Role),
    run: &RunRequest,
    key: Option<(String, Vec<u8>)>,
) -> Result<JobId, ApiError> {
    check_fun(&run.fun)?;
    let hosts = targets(app, role, &run.target_kind, &run.target).await?;
    let job = NewJob {
        id: JobId(Uuid::now_v7()),
        fun: run.fun.clone(),
        target: run.target.clone(),
        target_kind: run.target_kind.clone(),
        user: user.to_owned(),
        key,
        actions: hosts.iter().map(|host| action(host, run)).collect(),
    };
    let placed = app.store.insert_job(&job).await?;
    if !placed.repeated {
        announce(app, placed.job, hosts.iter().map(|host| host.id)).await?;
    }
    Ok(placed.job)
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JobParams {
    /// Only jobs that were asked before this one.
    before: Option<Uuid>,
    /// Only jobs with an action that has not ended.
    #[serde(default)]
    open: bool,
    /// At most so many, 1 to 500; 50 when not given.
    limit: Option<u32>,
}

/// Lists jobs, the newest first.
#[utoipa::path(
    get, path = "/api/v1/runs", tag = "runs", params(JobParams),
    responses((status = 200, body = Vec<JobSummary>), (status = 400, body = ErrorBody))
)]
pub async fn list_runs(
    State(ctx): State<Ctx>,
    params: Result<Query<JobParams>, QueryRejection>,
) -> Result<Json<Vec<JobSummary>>, ApiError> {
    let Query(params) = params.map_err(|error| ApiError::field("query", error.body_text()))?;
    let limit = params.limit.unwrap_or(50);
    if !(1..=MAX_JOBS).contains(&limit) {
        let message = format!("limit is a number from 1 to {MAX_JOBS}");
        return Err(ApiError::field("limit", message));
    }
    let before = params.before.map(JobId);
    let jobs = ctx.store.list_jobs(before, params.open, limit).await?;
    Ok(Json(jobs.into_iter().map(render::job).collect()))
}

/// Withdraws the actions of a job that have not begun, and asks the hosts of the others to end them. Those whose
/// outcome is not known stay so.
#[utoipa::path(
    post, path = "/api/v1/runs/{jid}/cancel", tag = "runs", params(("jid" = Uuid, Path)),
    responses(
        (status = 202, body = Job),
        (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "`job_ended`: all its actions have ended"),
    )
)]
pub async fn cancel_run(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(jid): Path<Uuid>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let found = ctx.store.find_job(JobId(jid)).await?;
    let (_, actions) = found.ok_or_else(|| ApiError::not_found("job"))?;
    for record in &actions {
        may_run(&identity, &record.action.kind)?;
    }
    let open = |record: &&ActionRecord| !record.action.status.is_final();
    let mut asked = 0;
    for record in actions.iter().filter(open) {
        // One that has ended meanwhile needs no cancelling.
        let _ = ctx.store.cancel(record.action.id).await?;
        asked += 1;
    }
    replicas::wake(&ctx, actions.iter().map(|record| record.host.id));
    if asked == 0 {
        let message = "All actions of the job have ended";
        return Err(ApiError::conflict("job_ended", message));
    }
    let job = find(&ctx, JobId(jid), identity.role).await?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// Shows a job with its actions.
#[utoipa::path(
    get, path = "/api/v1/runs/{jid}", tag = "runs", params(("jid" = Uuid, Path)),
    responses((status = 200, body = Job), (status = 404, body = ErrorBody))
)]
pub async fn get_run(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(jid): Path<Uuid>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(find(&ctx, JobId(jid), identity.role).await?))
}

/// Whether a user may ask for this: requests to VMs as operator, any function as administrator only.
///
/// # Errors
/// 403 when not.
pub fn may_run(identity: &Identity, kind: &ActionKind) -> Result<(), ApiError> {
    match kind {
        ActionKind::Function { .. } if identity.role < Role::Administrator => {
            let message = "Functions on hosts need the role administrator";
            Err(ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message))
        }
        ActionKind::Function { .. } | ActionKind::Vm { .. } => Ok(()),
    }
}

async fn find(ctx: &Ctx, id: JobId, role: Role) -> Result<Job, ApiError> {
    let found = ctx.store.find_job(id).await?;
    let (job, actions) = found.ok_or_else(|| ApiError::not_found("job"))?;
    Ok(shown(job, &actions, role))
}

fn shown(job: JobRecord, actions: &[ActionRecord], role: Role) -> Job {
    Job {
        jid: job.id.0,
        fun: job.fun,
        target: job.target,
        actions: actions
            .iter()
            .map(|action| render::action(action, role))
            .collect(),
    }
}

async fn targets(
    app: &Arc<App>,
    role: Role,
    kind: &str,
    target: &str,
) -> Result<Vec<HostRecord>, ApiError> {
    if target.len() > MAX_TARGET_BYTES {
        let message = format!("A target has at most {MAX_TARGET_BYTES} bytes");
        return Err(ApiError::field("target", message));
    }
    let read = Target::parse(kind, target, &app.nodegroups)
        .map_err(|error| ApiError::field(error.field(), error.to_string()))?;
    let mut hosts = app.store.all_hosts().await?;
    if read.asks_pillar() {
        hosts = by_pillar(app, role, read, hosts).await?;
    } else {
        hosts.retain(|host| read.matches(host, Value::Null));
    }
    if hosts.is_empty() {
        let message = format!("No host matches the target {target:?}; nothing was queued");
        return Err(
            ApiError::new(StatusCode::NOT_FOUND, "no_host_matched", message)
                .hint("List the hosts: salar host list"),
        );
    }
    Ok(hosts)
}

/// The hosts whose pillar fits. One that does not render stands neither for yes nor for no.
async fn by_pillar(
    app: &Arc<App>,
    role: Role,
    target: Target,
    hosts: Vec<HostRecord>,
) -> Result<Vec<HostRecord>, ApiError> {
    // Who may aim by a password can guess it.
    if role < Role::Administrator {
        let message = "Targets by pillar need the role administrator";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message));
    }
    let app = app.clone();
    let find = move || {
        let mut meant = Vec::new();
        for host in hosts {
            let (pillar, faults) = app.tree.pillar_of(&host);
            if let Some(fault) = faults.iter().find(|fault| fault.is_error()) {
                let (name, why) = (&host.facts.name, fault.text());
                let message = format!("The pillar of {name} does not render: {why}");
                return Err(ApiError::conflict("pillar_failed", message).hint(
                    "Mend the file under the pillar roots of the server; nothing was queued",
                ));
            }
            if target.matches(&host, pillar) {
                meant.push(host);
            }
        }
        Ok(meant)
    };
    tokio::task::spawn_blocking(find)
        .await
        .unwrap_or_else(|_| Err(internal()))
}

fn action(host: &HostRecord, run: &RunRequest) -> NewAction {
    let id = ActionId(Uuid::now_v7());
    NewAction {
        id,
        host: host.id,
        lane: lane(host, id, &run.fun),
        kind: ActionKind::Function {
            fun: run.fun.clone(),
            args: Value::from(run.args.clone()).to_string(),
            kwargs: Value::from(run.kwargs.clone()).to_string(),
        },
        vm_id: None,
        done: None,
        deadline: Timestamp::now() + DEADLINE,
    }
}

/// One state run at a time on a host, as in Salt; everything else beside each other, also what only looks at states.
fn lane(host: &HostRecord, id: ActionId, fun: &str) -> Lane {
    let looks = |fun: &str| {
        matches!(fun, "running" | "sls_exists" | "id_exists") || fun.starts_with("show_")
    };
    match fun.strip_prefix("state.") {
        Some(fun) if !looks(fun) => Lane::states(host.id),
        _ => Lane::alone(id),
    }
}

fn check_fun(fun: &str) -> Result<(), ApiError> {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let fits = fun.len() <= 100
        && fun
            .split_once('.')
            .is_some_and(|(module, function)| word(module) && word(function));
    if fits {
        return Ok(());
    }
    let message =
        format!("{fun:?} is not a function; write module.function, for example test.ping");
    Err(ApiError::field("fun", message))
}
