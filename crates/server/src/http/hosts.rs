//! Hosts.

use super::Ctx;
use super::error::ApiError;
use super::list::{self, ListParams, Pairs};
use crate::render;
use axum::Json;
use axum::extract::{Path, State};
use db::HostRecord;
use server_api::host::Host;
use server_api::{ErrorBody, List};
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
