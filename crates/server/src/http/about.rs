//! The server itself.

use super::{Ctx, openapi_document};
use crate::app::{BUILD, VERSION};
use crate::words::time;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use server_api::about::About;
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
