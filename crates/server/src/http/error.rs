//! Errors as the API tells them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::StoreError;
use server_api::{ErrorBody, ErrorInfo};
use std::time::Duration;
use tracing::{error, warn};

/// An error with its place in HTTP. The request id is added on the way out.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    field: Option<String>,
    retry_after: Option<Duration>,
}

impl ApiError {
    /// An error without hint or field.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: None,
            field: None,
            retry_after: None,
        }
    }

    /// 400: a parameter or field that cannot be.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "bad_parameter", message);
        error.field = Some(field.to_owned());
        error
    }

    /// 404.
    pub fn not_found(what: &str) -> Self {
        let message = format!("There is no {what} of that id");
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 409.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// What to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// When to try again.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The body, for the request of this id.
    pub fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            error: ErrorInfo {
                code: self.code.to_owned(),
                message: self.message.clone(),
                hint: self.hint.clone(),
                field: self.field.clone(),
                request_id: request_id.to_owned(),
            },
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, ". Hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Only the status and headers; the outermost layer writes the body, because it knows the request id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up: a client that obeys is not refused again.
            let seconds = wait.as_millis().div_ceil(1000);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::KeyReused => Self::conflict(
                "key_reused",
                "This Idempotency-Key stands for another request",
            )
            .hint("Make a new key for each request"),
            StoreError::Exists { ref what } => {
                Self::conflict("exists", format!("There is a {what} already"))
            }
            StoreError::Conflict { why } => Self::conflict("conflict", sentence(why)),
            StoreError::Sql { .. } if error.is_retryable() => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "The store refused a request"
                );
                let message = "The server cannot use its store right now";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", message)
                    .hint("Try again; if it stays, look into the server's log and at the free space of its disk")
                    .retry_after(Duration::from_secs(1))
            }
            other => {
                error!(error = &other as &dyn std::error::Error, "The store failed");
                internal()
            }
        }
    }
}

pub(super) fn sentence(why: &str) -> String {
    let mut chars = why.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// 500: our bug.
pub fn internal() -> ApiError {
    let message = "The server failed on this request";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
        .hint("The server's log tells more under the request id")
}
