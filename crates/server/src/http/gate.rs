//! The one place where it is decided who may call what.

use super::Ctx;
use super::error::ApiError;
use crate::access::Token;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use db::ApiToken;
use jiff::Timestamp;
use server_api::{ENDPOINTS, Role};

/// Name of the session cookie.
pub const COOKIE: &str = "salar_session";

/// Header that scripts of our own page add to requests that change something. Other origins cannot send it without
/// asking first, and the server never allows them.
pub const CSRF_HEADER: &str = "x-salar-request";

/// Who is asking.
#[derive(Debug, Clone)]
pub struct Identity {
    /// User name.
    pub user: String,
    /// What they may.
    pub role: Role,
    /// When the session ends by itself; `None` for tokens of programs.
    pub expires_at: Option<Timestamp>,
    /// Hash of the token they showed.
    pub token_hash: Vec<u8>,
    /// They showed it as a cookie, which browsers add to requests of any origin.
    by_cookie: bool,
}

impl Identity {
    /// Whether the token still stands for the same role.
    pub async fn still_holds(&self, ctx: &Ctx) -> bool {
        let found = lookup(ctx, &self.token_hash, self.by_cookie).await;
        matches!(found, Ok(Some(token)) if Role::from_word(&token.role) == Some(self.role))
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(not_signed_in)
    }
}

/// Lets a request through if its endpoint's row in `ENDPOINTS` does.
pub async fn gate(
    State(ctx): State<Ctx>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(
        &ctx,
        path.as_str(),
        request.method().clone(),
        request.headers().clone(),
    )
    .await
    {
        Ok(identity) => {
            if let Some(identity) = identity {
                request.extensions_mut().insert(identity);
            }
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn admit(
    ctx: &Ctx,
    path: &str,
    method: Method,
    headers: HeaderMap,
) -> Result<Option<Identity>, ApiError> {
    let needed = needed_role(&method, path);
    let identity = identify(ctx, &headers).await?;
    if needed == Role::Nobody {
        return Ok(identity);
    }
    let identity = identity.ok_or_else(not_signed_in)?;
    if identity.role < needed {
        let (user, role) = (&identity.user, identity.role.as_str());
        let message = format!("{user} is {role}; this needs the role {}", needed.as_str());
        return Err(ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message)
            .hint("Ask an administrator for the role"));
    }
    let is_safe = matches!(method, Method::GET | Method::HEAD);
    if identity.by_cookie && !is_safe && !headers.contains_key(CSRF_HEADER) {
        let message = "A request with a session cookie that changes something needs the header X-Salar-Request";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", message)
            .hint("Add the header X-Salar-Request: 1, or use a bearer token"));
    }
    Ok(Some(identity))
}

/// The router is made of the rows, so a path without one cannot match; if it ever did, nobody may call it.
fn needed_role(method: &Method, path: &str) -> Role {
    let method = if *method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    let of_path = || ENDPOINTS.iter().filter(|row| row.path == path);
    match of_path().find(|row| row.method == method) {
        Some(row) => row.role,
        // The router answers a wrong method itself, to those who may call the path at all.
        None => of_path()
            .map(|row| row.role)
            .max()
            .unwrap_or(Role::Administrator),
    }
}

fn not_signed_in() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "not_signed_in",
        "You are not signed in",
    )
    .hint("Sign in, or send a bearer token")
}

async fn identify(ctx: &Ctx, headers: &HeaderMap) -> Result<Option<Identity>, ApiError> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let (shown, by_cookie) = match (bearer, cookie(headers)) {
        (Some(token), _) => (token.trim(), false),
        (None, Some(token)) => (token, true),
        (None, None) => return Ok(None),
    };
    let token_hash = Token::hash(shown);
    let Some(token) = lookup(ctx, &token_hash, by_cookie).await? else {
        return Ok(None);
    };
    Ok(Role::from_word(&token.role).map(|role| Identity {
        user: token.user,
        role,
        expires_at: token.expires_at,
        token_hash,
        by_cookie,
    }))
}

/// Sessions come as cookie or bearer, tokens of programs as bearer only.
async fn lookup(ctx: &Ctx, hash: &[u8], by_cookie: bool) -> Result<Option<ApiToken>, ApiError> {
    if let Some(session) = ctx.store.find_session(hash, Timestamp::now()).await? {
        return Ok(Some(session));
    }
    if by_cookie {
        return Ok(None);
    }
    Ok(ctx.store.find_token(hash).await?)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
