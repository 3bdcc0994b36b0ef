//! Actions: what was asked of hosts.

use super::Ctx;
use super::error::ApiError;
use super::gate::Identity;
use super::list::{self, ListParams, Pairs};
use crate::app::App;
use crate::render;
use crate::replicas;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use db::{ActionRecord, Cancelled, ListQuery, NewJob, StoreError};
use jiff::{SignedDuration, Timestamp};
use model::{ActionId, HostId, JobId};
use server_api::action::{Accepted, Action};
use server_api::{ErrorBody, List, Role};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

/// How long an action may wait for its turn.
pub const DEADLINE: SignedDuration = SignedDuration::from_hours(24);

/// Largest result that a list carries.
const MAX_LISTED_RESULT_BYTES: usize = 16 * 1024;

/// Longest key of a client.
const MAX_KEY_BYTES: usize = 200;

/// Parameters that only the list of actions has.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters in the OpenAPI document; `read` takes them"
)]
pub struct ActionParams {
    /// Id of a VM: only what was asked of it.
    vm: Option<Uuid>,
    /// Id of a job: only its actions.
    jid: Option<Uuid>,
}

/// Lists actions, newest first. Sort: created, finished, status, user, host.
///
/// Results of more than 16 KiB are left out here; the action itself has them.
#[utoipa::path(
    get, path = "/api/v1/actions", tag = "actions", params(ListParams, ActionParams),
    responses((status = 200, body = List<Action>), (status = 400, body = ErrorBody))
)]
pub async fn list_actions(
    State(ctx): State<Ctx>,
    identity: Identity,
    pairs: Pairs,
) -> Result<Json<List<Action>>, ApiError> {
    let query = list::read::<ActionRecord>(&ctx, &pairs, read_extra).await?;
    let page = ctx.store.list::<ActionRecord>(&query).await?;
    Ok(Json(list::answer(page, &query, |record| {
        brief(record, identity.role)
    })))
}

/// A window stays small whatever its functions have returned.
fn brief(record: &ActionRecord, role: Role) -> Action {
    let mut action = render::action(record, role);
    if record
        .result
        .as_ref()
        .is_some_and(|result| result.len() > MAX_LISTED_RESULT_BYTES)
    {
        action.result = None;
    }
    action
}

fn read_extra(query: &mut ListQuery, name: &str, value: &str) -> Result<bool, ApiError> {
    match name {
        "vm" => query.vm = Some(list::id(name, value)?),
        "jid" => query.job = Some(list::id(name, value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Shows an action.
#[utoipa::path(
    get, path = "/api/v1/actions/{id}", tag = "actions", params(("id" = Uuid, Path)),
    responses((status = 200, body = Action), (status = 404, body = ErrorBody))
)]
pub async fn get_action(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(id): Path<Uuid>,
) -> Result<Json<Action>, ApiError> {
    Ok(Json(render::action(&find(&ctx, id).await?, identity.role)))
}

/// Withdraws an action. One on its way is asked to end, and its agent decides; one whose outcome is not known no longer
/// blocks what waits behind it.
#[utoipa::path(
    post, path = "/api/v1/actions/{id}/cancel", tag = "actions", params(("id" = Uuid, Path)),
    responses(
        (status = 202, body = Accepted),
        (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It has ended"),
    )
)]
pub async fn cancel_action(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    super::runs::may_run(&identity, &find(&ctx, id).await?.action.kind)?;
    match ctx.store.cancel(ActionId(id)).await? {
        None => return Err(ApiError::not_found("action")),
        Some(Cancelled::TooLate(status)) => {
            let message = format!("The action has ended: {}", status.as_str());
            return Err(ApiError::conflict("action_ended", message));
        }
        Some(Cancelled::Asked(_) | Cancelled::Resolved(_) | Cancelled::AtOnce) => {}
    }
    let record = find(&ctx, id).await?;
    replicas::wake(&ctx, [record.host.id]);
    Ok(accepted(StatusCode::ACCEPTED, &record))
}

/// Repeats an action that failed, was cancelled, or whose outcome is not known, as a new action.
#[utoipa::path(
    post, path = "/api/v1/actions/{id}/retry", tag = "actions", params(("id" = Uuid, Path)),
    responses(
        (status = 202, body = Accepted, description = "The new action"),
        (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It has not ended, or has succeeded"),
    )
)]
pub async fn retry_action(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let old = find(&ctx, id).await?;
    super::runs::may_run(&identity, &old.action.kind)?;
    let new = ActionId(Uuid::now_v7());
    let deadline = Timestamp::now() + DEADLINE;
    let host = ctx
        .store
        .retry(ActionId(id), new, &identity.user, deadline)
        .await?;
    ctx.sessions
        .wake(host.ok_or_else(|| ApiError::not_found("action"))?);
    Ok(accepted(StatusCode::ACCEPTED, &find(&ctx, new.0).await?))
}

async fn find(ctx: &Ctx, id: Uuid) -> Result<ActionRecord, ApiError> {
    let found = ctx.store.find::<ActionRecord>(id).await?;
    found.ok_or_else(|| ApiError::not_found("action"))
}

/// Whoever may ask for an action sees all of it.
fn accepted(status: StatusCode, record: &ActionRecord) -> (StatusCode, Json<Accepted>) {
    let action = render::action(record, Role::Operator);
    (status, Json(Accepted { action }))
}

/// The client's key and a digest of what it asks for.
///
/// # Errors
/// When the key is empty or too long.
pub fn client_key(
    headers: &HeaderMap,
    request: &str,
) -> Result<Option<(String, Vec<u8>)>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        let message = format!("Idempotency-Key has 1 to {MAX_KEY_BYTES} visible characters");
        return Err(ApiError::field("Idempotency-Key", message));
    }
    let digest = Sha256::digest(request.as_bytes()).to_vec();
    Ok(Some((key.to_owned(), digest)))
}

/// Queues a job of one action and answers with it: 202 when it waits, 200 when there was nothing to do.
///
/// # Errors
/// When the key stands for another request, or the store fails.
pub async fn queue_answer(
    ctx: &Ctx,
    job: &NewJob,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let placed = ctx.store.insert_job(job).await?;
    let record = first_action(ctx, placed.job).await?;
    if !placed.repeated {
        announce(ctx, placed.job, std::iter::once(record.host.id)).await?;
    }
    let status = if record.action.status.is_final() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(accepted(status, &record))
}

/// Answers a request whose key is known with its action, and any other with `refusal`.
///
/// # Errors
/// `refusal`, or that the key stands for another request.
pub async fn repeat(
    ctx: &Ctx,
    identity: &Identity,
    key: Option<(String, Vec<u8>)>,
    refusal: ApiError,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let Some((key, digest)) = key else {
        return Err(refusal);
    };
    match ctx.store.find_keyed(&identity.user, &key, &digest).await? {
        Some(job) => Ok(accepted(StatusCode::OK, &first_action(ctx, job).await?)),
        None => Err(refusal),
    }
}

async fn first_action(ctx: &Ctx, job: JobId) -> Result<ActionRecord, ApiError> {
    let found = ctx.store.find_job(job).await?;
    let first = found.and_then(|(_, actions)| actions.into_iter().next());
    first.ok_or_else(|| ApiError::not_found("action"))
}

/// Tells the bus and the sessions of the hosts that a job was queued.
///
/// # Errors
/// When the store fails.
pub async fn announce(
    app: &App,
    job: JobId,
    hosts: impl Iterator<Item = HostId>,
) -> Result<(), StoreError> {
    replicas::wake(app, hosts);
    if let Some((job, actions)) = app.store.find_job(job).await? {
        app.bus.job_new(&job, &actions);
    }
    Ok(())
}
