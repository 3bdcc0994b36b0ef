//! Users.

use super::Ctx;
use super::body::Body;
use super::error::ApiError;
use super::gate::Identity;
use crate::words::time;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::UserRecord;
use jiff::Timestamp;
use server_api::access::{NewPassword, NewUser, User};
use server_api::{ErrorBody, Role};

/// Shortest password.
const MIN_PASSWORD: usize = 10;
/// Longest; beyond it only the hash function would be kept busy.
const MAX_PASSWORD_BYTES: usize = 1024;

fn shown(user: UserRecord) -> User {
    User {
        name: user.name,
        role: user.role,
        created_at: time(user.created_at),
    }
}

/// Lists all users.
#[utoipa::path(get, path = "/api/v1/users", tag = "access", responses((status = 200, body = Vec<User>)))]
pub async fn list_users(State(ctx): State<Ctx>) -> Result<Json<Vec<User>>, ApiError> {
    let users = ctx.store.list_users().await?;
    Ok(Json(users.into_iter().map(shown).collect()))
}

/// Adds a user.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "access", request_body = NewUser,
    responses(
        (status = 201, body = User),
        (status = 400, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "The name is taken"),
    )
)]
pub async fn create_user(
    State(ctx): State<Ctx>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    check_name(&new.name)?;
    check_password("password", &new.password)?;
    let role = Role::from_word(&new.role).ok_or_else(|| {
        let message = format!(
            "role {:?} is none of viewer, operator, administrator",
            new.role
        );
        ApiError::field("role", message)
    })?;
    let user = UserRecord {
        name: new.name,
        password: ctx.passwords.hash(new.password).await,
        role: role.as_str().to_owned(),
        created_at: Timestamp::now(),
    };
    ctx.store.insert_user(&user).await?;
    Ok((StatusCode::CREATED, Json(shown(user))))
}

/// Deletes a user and ends their sessions. The last administrator stays.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", tag = "access", params(("name" = String, Path)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "The last administrator"),
    )
)]
pub async fn delete_user(
    State(ctx): State<Ctx>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let administrator = Role::Administrator.as_str();
    if !ctx.store.delete_user(&name, administrator).await? {
        return Err(no_such_user());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a password and ends the user's other sessions. One's own takes the current password, another's the role administrator.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/password", tag = "access", params(("name" = String, Path)),
    request_body = NewPassword,
    responses(
        (status = 204, description = "Set"),
        (status = 400, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody),
    )
)]
pub async fn set_user_password(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(name): Path<String>,
    Body(wanted): Body<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let own = identity.user == name;
    if !own && identity.role < Role::Administrator {
        let message = "Only an administrator sets the password of somebody else";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message));
    }
    check_password("new", &wanted.new)?;
    let user = ctx.store.find_user(&name).await?.ok_or_else(no_such_user)?;
    if own {
        let current = wanted.current.unwrap_or_default();
        if !ctx.passwords.verify(current, Some(user.password)).await {
            return Err(ApiError::field("current", "The current password is wrong"));
        }
    }
    let hash = ctx.passwords.hash(wanted.new).await;
    let keep = own.then_some(identity.token_hash.as_slice());
    ctx.store.set_password(&name, &hash, keep).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_user() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is no user of that name",
    )
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    let message = "A user name has 1 to 64 of letters, digits, and . - _ @";
    Err(ApiError::field("name", message))
}

fn check_password(field: &str, password: &str) -> Result<(), ApiError> {
    if password.chars().count() < MIN_PASSWORD {
        let message = format!("A password has at least {MIN_PASSWORD} characters");
        return Err(ApiError::field(field, message));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        let message = format!("A password has at most {MAX_PASSWORD_BYTES} bytes");
        return Err(ApiError::field(field, message));
    }
    Ok(())
}
