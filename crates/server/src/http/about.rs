//! The server itself.

use super::error::ApiError;
use super::{Ctx, openapi_document};
use crate::app::{BUILD, VERSION};
use crate::words::time;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use db::Replica;
use server_api::about::{About, Server};
use std::sync::LazyLock;

/// Says which server this is.
#[utoipa::path(get, path = "/api/v1/about", tag = "about", responses((status = 200, body = About)))]
pub async fn get_about(State(ctx): State<Ctx>) -> Json<About> {
    Json(About {
        product: "Salar".to_owned(),
        version: VERSION.to_owned(),
        build: BUILD.to_owned(),
        started_at: time(ctx.started_at),
    })
}

/// Lists the servers that share the database, this one among them.
#[utoipa::path(get, path = "/api/v1/servers", tag = "about", responses((status = 200, body = Vec<Server>)))]
pub async fn list_servers(State(ctx): State<Ctx>) -> Result<Json<Vec<Server>>, ApiError> {
    let hosts = ctx.store.hosts_by_server().await?;
    let servers = ctx.store.list_replicas().await?.into_iter();
    let shown = |replica: Replica| Server {
        hosts: hosts.get(&replica.id).copied().unwrap_or(0),
        answers: replica.id == ctx.replicas.id(),
        id: replica.id,
        url: replica.url,
        agents: replica.agents,
    };
    Ok(Json(servers.map(shown).collect()))
}

/// Gives the description of this API.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "about",
    responses((status = 200, description = "An OpenAPI 3.1 document", content_type = "application/json"))
)]
pub async fn get_openapi() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        openapi_document()
            .to_json()
            .expect("the document is made of structs with text keys")
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCUMENT.as_str(),
    )
        .into_response()
}
