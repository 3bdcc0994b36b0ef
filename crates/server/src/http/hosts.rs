//! Hosts.

use super::Ctx;
use super::error::ApiError;
use super::gate::Identity;
use super::list::{self, ListParams, Pairs};
use crate::render;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::{HostRecord, StoreError};
use model::HostId;
use server_api::host::Host;
use server_api::{ErrorBody, List};
use tracing::info;
use uuid::Uuid;

/// Lists hosts. `status` filters by freshness; sort: name, freshness, vms, last_seen.
#[utoipa::path(
    get, path = "/api/v1/hosts", tag = "hosts", params(ListParams),
    responses((status = 200, body = List<Host>), (status = 400, body = ErrorBody))
)]
pub async fn list_hosts(
    State(ctx): State<Ctx>,
    pairs: Pairs,
) -> Result<Json<List<Host>>, ApiError> {
    let query = list::read::<HostRecord>(&ctx, &pairs, list::no_extra).await?;
    let page = ctx.store.list::<HostRecord>(&query).await?;
    Ok(Json(list::answer(page, &query, render::host)))
}

/// Shows a host.
#[utoipa::path(
    get, path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Host), (status = 404, body = ErrorBody))
)]
pub async fn get_host(
    State(ctx): State<Ctx>,
    Path(id): Path<Uuid>,
) -> Result<Json<Host>, ApiError> {
    let found = ctx.store.find::<HostRecord>(id).await?;
    let host = found.ok_or_else(|| ApiError::not_found("host"))?;
    Ok(Json(render::host(&host)))
}

/// Removes a host with everything on it, and forgets the key of its agent. What waits for it fails; its actions stay in
/// the history. An agent that shows itself again waits like a new one.
#[utoipa::path(
    delete, path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "Its agent is connected"),
    )
)]
pub async fn remove_host(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let removed = match ctx.store.remove_host(HostId(id)).await {
        Err(StoreError::Conflict { why }) => {
            return Err(ApiError::conflict("host_connected", why)
                .hint("A host whose agent runs would be back at once"));
        }
        removed => removed?.ok_or_else(|| ApiError::not_found("host"))?,
    };
    info!(host.name = %removed.name, user = %identity.user, "{} was removed by {}", removed.name, identity.user);
    if let Some(key) = removed.key {
        ctx.keys.revoke(&key.fingerprint);
        ctx.bus.key_decided(&key.name, "delete");
    }
    Ok(StatusCode::NO_CONTENT)
}
