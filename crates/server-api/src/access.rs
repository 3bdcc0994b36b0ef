//! Sign-in, sessions and users.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person types to sign in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// User name.
    pub user: String,
    /// `viewer`, `operator`, `administrator`.
    pub role: String,
    /// When the session ends by itself.
    pub expires_at: Option<String>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// User name.
    pub name: String,
    /// `viewer`, `operator`, `administrator`.
    pub role: String,
    /// When it was made.
    pub created_at: String,
}

/// A new user.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// User name: 1 to 64 of letters, digits, `.`, `-`, `_`, `@`.
    pub name: String,
    /// At least 10 characters.
    pub password: String,
    /// `viewer`, `operator`, `administrator`.
    pub role: String,
}

/// A new password. A user may set their own; an administrator anybody's.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password in force; needed when one sets one's own.
    #[serde(default)]
    pub current: Option<String>,
    /// At least 10 characters.
    pub new: String,
}
