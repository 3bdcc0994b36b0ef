//! Keys of agents of other machines, and tokens that let one join.

use super::Ctx;
use super::body::Body;
use super::error::ApiError;
use super::gate::Identity;
use crate::access::Token;
use crate::replicas;
use crate::words::time;
use agent_api::enrolment;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::{JoinToken, KeyRecord, KeyStatus, StoreError};
use jiff::{SignedDuration, Timestamp};
use model::Fingerprint;
use server_api::ErrorBody;
use server_api::key::{CreatedJoinToken, JoinToken as ShownToken, Key, Keys, NewJoinToken};

/// How long a token can be used unless told otherwise, and at most, in minutes.
const MINUTES: u32 = 60;
const MOST_MINUTES: u32 = 7 * 24 * 60;
/// Digits of a token's hash that name it.
const ID_DIGITS: usize = 16;

fn shown(key: KeyRecord) -> Key {
    Key {
        fingerprint: key.fingerprint.to_string(),
        name: key.name,
        status: key.status.as_str().to_owned(),
        address: key.address,
        seen_at: time(key.seen_at),
        decided_at: key.decided_at.map(time),
        decided_by: key.decided_by,
    }
}

/// Lists the keys that agents have shown.
#[utoipa::path(get, path = "/api/v1/keys", tag = "access", responses((status = 200, body = Keys)))]
pub async fn list_keys(State(ctx): State<Ctx>) -> Result<Json<Keys>, ApiError> {
    let keys = ctx.store.list_keys().await?;
    let ca = ctx.ca.as_ref().map(|ca| ca.fingerprint().to_string());
    let keys = keys.into_iter().map(shown).collect();
    Ok(Json(Keys {
        ca,
        port: ctx.agent_port,
        keys,
    }))
}

/// Accepts a key: its agent is one of ours from now on.
#[utoipa::path(
    post, path = "/api/v1/keys/{fingerprint}/accept", tag = "access",
    params(("fingerprint" = String, Path, description = "64 hexadecimal digits, with or without colons")),
    responses(
        (status = 200, body = Key),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "Another key has the host or the name"),
    )
)]
pub async fn accept_key(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(fingerprint): Path<String>,
) -> Result<Json<Key>, ApiError> {
    let key = decide(&ctx, &identity, &fingerprint, KeyStatus::Accepted).await?;
    ctx.bus.key_decided(&key.name, "accept");
    Ok(Json(shown(key)))
}

/// Rejects a key; what its agent has open is cut.
#[utoipa::path(
    post, path = "/api/v1/keys/{fingerprint}/reject", tag = "access",
    params(("fingerprint" = String, Path, description = "64 hexadecimal digits, with or without colons")),
    responses(
        (status = 200, body = Key),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "Another key has the host or the name"),
    )
)]
pub async fn reject_key(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(fingerprint): Path<String>,
) -> Result<Json<Key>, ApiError> {
    let key = decide(&ctx, &identity, &fingerprint, KeyStatus::Rejected).await?;
    replicas::revoke(&ctx, &key.fingerprint);
    ctx.bus.key_decided(&key.name, "reject");
    Ok(Json(shown(key)))
}

/// Forgets a key; what its agent has open is cut. An agent that shows it again waits like a new one.
#[utoipa::path(
    delete, path = "/api/v1/keys/{fingerprint}", tag = "access",
    params(("fingerprint" = String, Path, description = "64 hexadecimal digits, with or without colons")),
    responses((status = 204, description = "Forgotten"), (status = 404, body = ErrorBody))
)]
pub async fn delete_key(
    State(ctx): State<Ctx>,
    Path(fingerprint): Path<String>,
) -> Result<StatusCode, ApiError> {
    let fingerprint = read(&fingerprint)?;
    let key = ctx.store.delete_key(&fingerprint).await?;
    let key = key.ok_or_else(no_such_key)?;
    replicas::revoke(&ctx, &fingerprint);
    ctx.bus.key_decided(&key.name, "delete");
    Ok(StatusCode::NO_CONTENT)
}

async fn decide(
    ctx: &Ctx,
    identity: &Identity,
    fingerprint: &str,
    status: KeyStatus,
) -> Result<KeyRecord, ApiError> {
    let fingerprint = read(fingerprint)?;
    let decided = ctx
        .store
        .decide_key(&fingerprint, status, &identity.user)
        .await;
    match decided {
        Err(StoreError::Conflict { why }) => {
            Err(ApiError::conflict("name_taken", why).hint("See both with: salar key list"))
        }
        decided => decided?.ok_or_else(no_such_key),
    }
}

fn read(fingerprint: &str) -> Result<Fingerprint, ApiError> {
    fingerprint
        .parse()
        .map_err(|error: model::BadFingerprint| ApiError::field("fingerprint", error.to_string()))
}

fn no_such_key() -> ApiError {
    let message = "There is no key of that fingerprint";
    ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
        .hint("An agent shows its key when it is started with --server https://…")
}

/// Lists the tokens to join that can still be used.
#[utoipa::path(get, path = "/api/v1/join_tokens", tag = "access", responses((status = 200, body = Vec<ShownToken>)))]
pub async fn list_join_tokens(State(ctx): State<Ctx>) -> Result<Json<Vec<ShownToken>>, ApiError> {
    let tokens = ctx.store.list_join_tokens(Timestamp::now()).await?;
    let tokens = tokens.into_iter().map(|token| ShownToken {
        id: id(&token.hash),
        created_by: token.user,
        created_at: time(token.created_at),
        expires_at: time(token.expires_at),
    });
    Ok(Json(tokens.collect()))
}

/// Makes a token that lets one agent join without being accepted by hand.
#[utoipa::path(
    post, path = "/api/v1/join_tokens", tag = "access", request_body = NewJoinToken,
    responses(
        (status = 201, body = CreatedJoinToken),
        (status = 400, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "The server does not listen to agents of other machines"),
    )
)]
pub async fn create_join_token(
    State(ctx): State<Ctx>,
    identity: Identity,
    Body(wanted): Body<NewJoinToken>,
) -> Result<(StatusCode, Json<CreatedJoinToken>), ApiError> {
    let minutes = wanted.minutes.unwrap_or(MINUTES);
    if !(1..=MOST_MINUTES).contains(&minutes) {
        let message = format!("A token can be used for 1 to {MOST_MINUTES} minutes");
        return Err(ApiError::field("minutes", message));
    }
    let Some(ca) = &ctx.ca else {
        let message = "This server does not listen to agents of other machines";
        return Err(ApiError::conflict("no_agents", message)
            .hint("Start it with --listen-agents ADDRESS:PORT"));
    };
    let secret = Token::random();
    let token = enrolment::JoinToken {
        ca: ca.fingerprint(),
        secret: secret.as_str().to_owned(),
    };
    let created_at = Timestamp::now();
    let kept = JoinToken {
        hash: Token::hash(&token.secret),
        user: identity.user,
        created_at,
        expires_at: created_at + SignedDuration::from_mins(minutes.into()),
    };
    ctx.store.insert_join_token(&kept).await?;
    let created = CreatedJoinToken {
        token: token.to_string(),
        id: id(&kept.hash),
        expires_at: time(kept.expires_at),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Makes a token to join worthless.
#[utoipa::path(
    delete, path = "/api/v1/join_tokens/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 204, description = "Worthless now"), (status = 404, body = ErrorBody))
)]
pub async fn delete_join_token(
    State(ctx): State<Ctx>,
    Path(wanted): Path<String>,
) -> Result<StatusCode, ApiError> {
    let tokens = ctx.store.list_join_tokens(Timestamp::now()).await?;
    let found = tokens.into_iter().find(|token| id(&token.hash) == wanted);
    let token = found.ok_or_else(|| ApiError::not_found("token to join"))?;
    match ctx.store.delete_join_token(&token.hash).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("token to join")),
    }
}

fn id(hash: &[u8]) -> String {
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.chars().take(ID_DIGITS).collect()
}
