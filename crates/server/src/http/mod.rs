//! The public API and the web interface.
//!
//! ```text
//! request ─▶ outside: request id, panics, security headers, error bodies
//!         ─▶ host guard (plain HTTP): no page may point its own name at this machine
//!         ─▶ gate: the role of the endpoint's row in `ENDPOINTS`, the CSRF header
//!         ─▶ handler
//! ```
//! Handlers of the API are collected with their OpenAPI descriptions; [`openapi_document`] is what they say, and the
//! router does not come to be unless it says the same as `ENDPOINTS`.

mod about;
mod actions;
mod assets;
mod body;
mod consoles;
mod error;
mod events;
mod gate;
mod hosts;
mod keys;
mod list;
mod networks;
mod outside;
mod pools;
mod runs;
mod session;
mod users;
mod vms;

pub use runs::queue as queue_run;

use crate::app::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use server_api::{ENDPOINTS, Role};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body of a request; the arguments of a run fit.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How a connection reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP on loopback.
    Plain,
    /// TLS.
    Tls,
}

/// State of all handlers.
#[derive(Clone)]
pub struct Ctx {
    /// The shared parts.
    pub app: Arc<App>,
    /// How requests of this router come.
    pub transport: Transport,
}

impl std::ops::Deref for Ctx {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Salar",
        description = "Virtual machines, storage pools and networks of KVM and Xen hosts. Lists are windows; a change to a \
                   host is answered with an action; errors have one body. Sign in by POST /api/v1/session (a cookie; \
                   requests other than GET then need the header X-Salar-Request: 1) or send a bearer token.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(server_api::event::Hello))
)]
struct Document;

fn api() -> OpenApiRouter<Ctx> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(about::get_about))
        .routes(routes!(about::get_openapi))
        .routes(routes!(about::list_servers))
        .routes(routes!(
            session::create_session,
            session::get_session,
            session::delete_session
        ))
        .routes(routes!(hosts::list_hosts, hosts::add_host))
        .routes(routes!(hosts::show_host_keys))
        .routes(routes!(hosts::get_host, hosts::remove_host))
        .routes(routes!(vms::list_vms))
        .routes(routes!(vms::get_vm))
        .routes(routes!(vms::get_vm_xml))
        .routes(routes!(vms::start_vm))
        .routes(routes!(vms::shutdown_vm))
        .routes(routes!(vms::reboot_vm))
        .routes(routes!(vms::force_off_vm))
        .routes(routes!(vms::save_vm))
        .routes(routes!(vms::reset_vm))
        .routes(routes!(vms::pause_vm))
        .routes(routes!(vms::resume_vm))
        .routes(routes!(consoles::open_vm_console))
        .routes(routes!(consoles::connect_console))
        .routes(routes!(pools::list_pools))
        .routes(routes!(pools::get_pool))
        .routes(routes!(networks::list_networks))
        .routes(routes!(networks::get_network))
        .routes(routes!(actions::list_actions))
        .routes(routes!(actions::get_action))
        .routes(routes!(actions::cancel_action))
        .routes(routes!(actions::retry_action))
        .routes(routes!(runs::list_targets))
        .routes(routes!(runs::create_run))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(runs::cancel_run))
        .routes(routes!(events::watch_events))
        .routes(routes!(events::watch_bus))
        .routes(routes!(keys::list_keys))
        .routes(routes!(keys::accept_key))
        .routes(routes!(keys::reject_key))
        .routes(routes!(keys::delete_key))
        .routes(routes!(keys::list_join_tokens, keys::create_join_token))
        .routes(routes!(keys::delete_join_token))
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::delete_user))
        .routes(routes!(users::set_user_password))
}

/// The whole service for connections of one kind.
///
/// # Panics
/// When a handler has no row in `ENDPOINTS` or a row no handler: the first start and every test show it.
pub fn service(app: Arc<App>, transport: Transport) -> Router {
    let (api, document) = api().split_for_parts();
    let difference = difference(&document);
    assert!(
        difference.is_empty(),
        "handlers and ENDPOINTS differ: {difference:?}"
    );
    let ctx = Ctx { app, transport };
    api.route_layer(middleware::from_fn_with_state(ctx.clone(), gate::gate))
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(
            ctx.clone(),
            outside::guard_host,
        ))
        .layer(middleware::from_fn(outside::around))
        .with_state(ctx)
}

/// The OpenAPI document, with the role that each operation needs.
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    let mut document = api().into_openapi();
    document.info.version = crate::app::VERSION.to_owned();
    for row in ENDPOINTS {
        let Some(item) = document.paths.paths.get_mut(row.path) else {
            continue;
        };
        let operation = match row.method {
            "GET" => &mut item.get,
            "POST" => &mut item.post,
            "PUT" => &mut item.put,
            "DELETE" => &mut item.delete,
            _ => continue,
        };
        if let Some(operation) = operation {
            say_role(operation, row.role);
        }
    }
    document
}

fn say_role(operation: &mut Operation, role: Role) {
    let needs = match role {
        Role::Nobody => "Anybody may call it.".to_owned(),
        role => format!("Needs the role {}.", role.as_str()),
    };
    operation.description = Some(match operation.description.take() {
        Some(text) if !text.is_empty() => format!("{text}\n\n{needs}"),
        _ => needs,
    });
}

/// What only one of the document and `ENDPOINTS` has.
fn difference(document: &utoipa::openapi::OpenApi) -> Vec<(String, String, String)> {
    let mut described = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("DELETE", &item.delete),
        ] {
            if let Some(operation) = operation {
                let id = operation.operation_id.clone().unwrap_or_default();
                described.insert((method.to_owned(), path.clone(), id));
            }
        }
    }
    let row = |row: &server_api::Endpoint| {
        let [method, path, operation] = [row.method, row.path, row.operation].map(str::to_owned);
        (method, path, operation)
    };
    let declared: BTreeSet<_> = ENDPOINTS.iter().map(row).collect();
    described.symmetric_difference(&declared).cloned().collect()
}
