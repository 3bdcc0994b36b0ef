//! Hosts.

use super::Ctx;
use super::body::Body;
use super::error::{ApiError, sentence};
use super::gate::Identity;
use super::list::{self, ListParams, Pairs};
use crate::agentless::{self, ScanError, Transport};
use crate::render;
use crate::replicas;
use agent_api::enrolment;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::{Connection, HostRecord, StoreError};
use jiff::Timestamp;
use model::HostId;
use model::uri::Authority;
use server_api::host::{Host, HostKey, NewHost, ShownHost, WhichHost};
use server_api::{ErrorBody, List};
use std::os::unix::fs::PermissionsExt;
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

/// Shows which keys a host shows over ssh, to be compared before it is added.
#[utoipa::path(
    post, path = "/api/v1/host_keys", tag = "hosts", request_body = WhichHost,
    responses(
        (status = 200, body = ShownHost),
        (status = 400, body = ErrorBody),
        (status = 502, body = ErrorBody, description = "The host does not show any"),
    )
)]
pub async fn show_host_keys(
    State(ctx): State<Ctx>,
    Body(which): Body<WhichHost>,
) -> Result<Json<ShownHost>, ApiError> {
    let transport = transport(&ctx, &which.uri)?;
    let keys = match transport {
        Transport::Ssh => agentless::scan(&which.uri).await?,
        _ => Vec::new(),
    };
    let warning = (transport == Transport::Tcp).then(|| {
        "Nothing is encrypted over TCP, and whoever reaches that port commands the host".to_owned()
    });
    Ok(Json(ShownHost {
        name: usual_name(&which.uri),
        ssh: transport == Transport::Ssh,
        keys: keys.iter().map(host_key).collect(),
        warning,
    }))
}

/// Adds a host that has no agent of its own: the server runs one for it. It is listed at once, and its objects as soon as
/// libvirt answers.
#[utoipa::path(
    post, path = "/api/v1/hosts", tag = "hosts", request_body = NewHost,
    responses(
        (status = 201, body = Host),
        (status = 400, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It shows other keys, or a host with an agent has the name"),
        (status = 502, body = ErrorBody, description = "The host does not show any key"),
    )
)]
pub async fn add_host(
    State(ctx): State<Ctx>,
    identity: Identity,
    Body(new): Body<NewHost>,
) -> Result<(StatusCode, Json<Host>), ApiError> {
    let transport = transport(&ctx, &new.uri)?;
    let name = new.name.clone().or_else(|| usual_name(&new.uri));
    let name = name.ok_or_else(|| {
        ApiError::field("name", "A URI without a host gives no name").hint("Give the host a name")
    })?;
    if !enrolment::is_name(&name) {
        let message = "The name of a host has letters, digits, and . - _ only";
        return Err(ApiError::field("name", message));
    }
    let key_file = match transport {
        Transport::Ssh => new.key_file.as_deref().map(readable_key).transpose()?,
        _ => refuse_ssh(&new)?,
    };
    let host_keys = match transport {
        Transport::Ssh => confirmed(&new).await?,
        _ => Vec::new(),
    };
    let connection = Connection {
        uri: new.uri,
        key_file,
        host_keys,
        added_at: Timestamp::now(),
        added_by: identity.user.clone(),
    };
    let id = match ctx.store.add_agentless(&name, &connection).await {
        Err(StoreError::Conflict { why }) => {
            return Err(ApiError::conflict("name_taken", why).hint("See it with: salar host list"));
        }
        added => added?,
    };
    info!(host.name = %name, user = %identity.user, "{name} was added by {}", identity.user);
    replicas::catch_up_agentless(&ctx).await?;
    let added = ctx.store.find::<HostRecord>(id.0).await?;
    let added = added.ok_or_else(|| ApiError::not_found("host"))?;
    Ok((StatusCode::CREATED, Json(render::host(&added))))
}

fn transport(ctx: &Ctx, uri: &str) -> Result<Transport, ApiError> {
    if !ctx.agentless.is_possible() {
        let message = "This server has no program salar-agent to run for other hosts";
        return Err(ApiError::conflict("no_agent_program", message)
            .hint("Put salar-agent beside salar and start the server again"));
    }
    agentless::check(uri)
        .map_err(|bad| ApiError::field("uri", format!("{uri}: {bad}")).hint(bad.hint))
}

/// The host of the URI.
fn usual_name(uri: &str) -> Option<String> {
    let host = Authority::of(uri).host;
    (!host.is_empty()).then(|| host.replace(':', "-"))
}

fn host_key(key: &agentless::HostKey) -> HostKey {
    HostKey {
        kind: key.kind().to_owned(),
        fingerprint: key.fingerprint.clone(),
    }
}

/// What only ssh has any use for.
fn refuse_ssh(new: &NewHost) -> Result<Option<String>, ApiError> {
    for (field, given) in [
        ("key_file", new.key_file.is_some()),
        ("host_keys", !new.host_keys.is_empty()),
    ] {
        if given {
            let message = format!("{} does not go over ssh, so there is no key to it", new.uri);
            return Err(ApiError::field(field, message));
        }
    }
    Ok(None)
}

/// A file with a private key that ssh will take.
fn readable_key(path: &str) -> Result<String, ApiError> {
    let refuse = |why: String| ApiError::field("key_file", format!("{path}: {why}"));
    if !std::path::Path::new(path).is_absolute() {
        return Err(refuse("it is no absolute path".to_owned())
            .hint("The file is one of the server: /root/.ssh/id_ed25519"));
    }
    let file = std::fs::File::open(path).and_then(|file| file.metadata());
    let file = file.map_err(|error| {
        refuse(error.to_string())
            .hint("The file is one of the server, and it has to be allowed to read it")
    })?;
    if !file.is_file() {
        return Err(refuse("it is no file".to_owned()));
    }
    if file.permissions().mode() & 0o077 != 0 {
        return Err(
            refuse("others may read it, and ssh takes no such key".to_owned())
                .hint(format!("chmod 600 {path}")),
        );
    }
    Ok(path.to_owned())
}

/// Those of the keys that the host shows now which were confirmed.
async fn confirmed(new: &NewHost) -> Result<Vec<String>, ApiError> {
    if new.host_keys.is_empty() {
        let message =
            "A host that is reached over ssh needs a key of it that somebody has confirmed";
        return Err(ApiError::field("host_keys", message)
            .hint("Compare those of POST /api/v1/host_keys with what the host itself says: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub"));
    }
    let shown = agentless::scan(&new.uri).await?;
    let lines: Vec<String> = shown
        .iter()
        .filter(|key| new.host_keys.contains(&key.fingerprint))
        .map(|key| key.line.clone())
        .collect();
    if lines.is_empty() {
        let prints: Vec<&str> = shown.iter().map(|key| key.fingerprint.as_str()).collect();
        let message = format!(
            "The host shows other keys than the confirmed: {}",
            prints.join(", ")
        );
        return Err(ApiError::conflict("host_key_differs", message)
            .hint("Ask on the host itself which are its own; somebody may stand in between"));
    }
    Ok(lines)
}

impl From<ScanError> for ApiError {
    fn from(error: ScanError) -> Self {
        let (code, hint) = match &error {
            ScanError::NoProgram { .. } => ("no_ssh", "Install OpenSSH's client on the server"),
            ScanError::NoKeys { .. } => (
                "no_host_key",
                "Check the name and port, and that its ssh can be reached from the server",
            ),
        };
        Self::new(StatusCode::BAD_GATEWAY, code, sentence(&error.to_string())).hint(hint)
    }
}

/// Removes a host with everything on it, and forgets the key of its agent. What waits for it fails; its actions stay in
/// the history. An agent that shows itself again waits like a new one; of a host without one, the server's ends.
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
    let removed = match ctx.agentless.remove(&ctx.store, HostId(id)).await {
        Err(StoreError::Conflict { why }) => {
            return Err(ApiError::conflict("host_connected", why)
                .hint("A host whose agent runs would be back at once"));
        }
        removed => removed?.ok_or_else(|| ApiError::not_found("host"))?,
    };
    info!(host.name = %removed.name, user = %identity.user, "{} was removed by {}", removed.name, identity.user);
    if let Some(key) = removed.key {
        replicas::revoke(&ctx, &key.fingerprint);
        ctx.bus.key_decided(&key.name, "delete");
    }
    // Its folder goes, too.
    replicas::catch_up_agentless(&ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}
