//! Virtual networks.

use super::Ctx;
use super::error::ApiError;
use super::list::{self, ListParams, Pairs};
use crate::render;
use axum::Json;
use axum::extract::{Path, State};
use db::{NetworkInUse, Stored};
use server_api::network::Network;
use server_api::{ErrorBody, List};
use uuid::Uuid;

/// Lists virtual networks. Sort: name, status, host, nics.
#[utoipa::path(
    get, path = "/api/v1/networks", tag = "networks", params(ListParams),
    responses((status = 200, body = List<Network>), (status = 400, body = ErrorBody))
)]
pub async fn list_networks(
    State(ctx): State<Ctx>,
    pairs: Pairs,
) -> Result<Json<List<Network>>, ApiError> {
    let query = list::read::<Stored<NetworkInUse>>(&ctx, &pairs, list::no_extra).await?;
    let page = ctx.store.list::<Stored<NetworkInUse>>(&query).await?;
    Ok(Json(list::answer(page, &query, render::network)))
}

/// Shows a network.
#[utoipa::path(
    get, path = "/api/v1/networks/{id}", tag = "networks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Network), (status = 404, body = ErrorBody))
)]
pub async fn get_network(
    State(ctx): State<Ctx>,
    Path(id): Path<Uuid>,
) -> Result<Json<Network>, ApiError> {
    let found = ctx.store.find::<Stored<NetworkInUse>>(id).await?;
    let found = found.ok_or_else(|| ApiError::not_found("network"))?;
    Ok(Json(render::network(&found)))
}
