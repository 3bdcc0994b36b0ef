//! Sign-in and sign-out.

use super::body::Body;
use super::error::ApiError;
use super::gate::{COOKIE, Identity};
use super::{Ctx, Transport};
use crate::access::{Attempt, Token};
use crate::words::time;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use server_api::ErrorBody;
use server_api::access::{Session, SignIn};
use std::net::SocketAddr;
use std::time::Instant;
use tracing::info;

/// How long a session lasts.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// Signs a user in; the answer sets the session cookie.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "access", request_body = SignIn,
    responses(
        (status = 200, body = Session),
        (status = 401, body = ErrorBody, description = "Unknown user or wrong password"),
        (status = 429, body = ErrorBody, description = "Too many wrong tries; see Retry-After"),
    )
)]
pub async fn create_session(
    State(ctx): State<Ctx>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(sign_in): Body<SignIn>,
) -> Result<Response, ApiError> {
    // Longer than any name or password that can be: not worth hashing.
    if sign_in.user.len() > 256 || sign_in.password.len() > 1024 {
        return Err(wrong());
    }
    if let Attempt::Wait(wait) = ctx
        .throttle
        .try_now(&sign_in.user, peer.ip(), Instant::now())
    {
        let message = "Too many wrong tries for this user from this address";
        return Err(
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "slow_down", message)
                .hint("Wait a moment, then try again")
                .retry_after(wait),
        );
    }
    let user = ctx.store.find_user(&sign_in.user).await?;
    let stored = user.as_ref().map(|user| user.password.clone());
    let right = ctx.passwords.verify(sign_in.password, stored).await;
    let Some(user) = user.filter(|_| right) else {
        info!(peer = %peer.ip(), "A sign-in failed");
        return Err(wrong());
    };
    ctx.throttle.forgive(&user.name, peer.ip());
    let token = Token::random();
    let expires_at = Timestamp::now() + LASTS;
    ctx.store
        .insert_session(&Token::hash(token.as_str()), &user.name, expires_at)
        .await?;
    let session = Session {
        user: user.name,
        role: user.role,
        expires_at: Some(time(expires_at)),
    };
    let cookie = cookie(token.as_str(), LASTS.as_secs(), ctx.transport);
    Ok(([(header::SET_COOKIE, cookie)], Json(session)).into_response())
}

/// One answer for an unknown user and a wrong password.
fn wrong() -> ApiError {
    let message = "The user name or the password is wrong";
    ApiError::new(StatusCode::UNAUTHORIZED, "wrong_credentials", message)
}

fn cookie(value: &str, max_age: i64, transport: Transport) -> HeaderValue {
    let secure = match transport {
        Transport::Tls => "; Secure",
        Transport::Plain => "",
    };
    let text =
        format!("{COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("hexadecimal digits and fixed words are valid in a header")
}

/// Says who is signed in.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "access",
    responses((status = 200, body = Session), (status = 401, body = ErrorBody))
)]
pub async fn get_session(identity: Identity) -> Json<Session> {
    Json(Session {
        user: identity.user,
        role: identity.role.as_str().to_owned(),
        expires_at: identity.expires_at.map(time),
    })
}

/// Signs the user out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "access", responses((status = 204, description = "Signed out")))]
pub async fn delete_session(
    State(ctx): State<Ctx>,
    identity: Identity,
) -> Result<Response, ApiError> {
    ctx.store.delete_session(&identity.token_hash).await?;
    let cookie = cookie("", 0, ctx.transport);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
