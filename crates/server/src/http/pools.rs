//! Storage pools.

use super::Ctx;
use super::error::ApiError;
use super::list::{self, ListParams, Pairs};
use crate::render;
use axum::Json;
use axum::extract::{Path, State};
use db::Stored;
use model::Pool as Record;
use server_api::pool::Pool;
use server_api::{ErrorBody, List};
use uuid::Uuid;

/// Lists storage pools. Sort: name, status, host, capacity.
#[utoipa::path(
    get, path = "/api/v1/pools", tag = "pools", params(ListParams),
    responses((status = 200, body = List<Pool>), (status = 400, body = ErrorBody))
)]
pub async fn list_pools(
    State(ctx): State<Ctx>,
    pairs: Pairs,
) -> Result<Json<List<Pool>>, ApiError> {
    let query = list::read::<Stored<Record>>(&ctx, &pairs, list::no_extra).await?;
    let page = ctx.store.list::<Stored<Record>>(&query).await?;
    Ok(Json(list::answer(page, &query, render::pool)))
}

/// Shows a pool.
#[utoipa::path(
    get, path = "/api/v1/pools/{id}", tag = "pools", params(("id" = Uuid, Path)),
    responses((status = 200, body = Pool), (status = 404, body = ErrorBody))
)]
pub async fn get_pool(
    State(ctx): State<Ctx>,
    Path(id): Path<Uuid>,
) -> Result<Json<Pool>, ApiError> {
    let found = ctx.store.find::<Stored<Record>>(id).await?;
    let found = found.ok_or_else(|| ApiError::not_found("pool"))?;
    Ok(Json(render::pool(&found)))
}
