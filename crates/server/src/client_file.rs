//! `client.json`: the address and the token with which the command line of the server's own user comes in.
//!
//! Who can read the state folder owns the server anyway. The token stays the same over restarts, so that a command
//! that waits for a job goes on waiting; deleting the file makes a new one at the next start.

use crate::access::Token;
use crate::app::App;
use crate::start::{StartError, write_private};
use crate::tls;
use db::StoreError;
use server_api::Role;
use std::fs;
use std::path::Path;

/// Name of the token, and of whom it stands for.
const LOCAL: &str = "local";
const FILE: &str = "client.json";

/// Writes the file, with the token of the run before if that still stands.
///
/// # Errors
/// When the store or the file cannot be written.
pub async fn write(
    folder: &Path,
    app: &App,
    url: Option<&str>,
    ca: Option<&Path>,
) -> Result<(), StartError> {
    let path = folder.join(FILE);
    let token = match kept(&path, app).await? {
        Some(token) => token,
        None => fresh(folder, app).await?,
    };
    let content = serde_json::json!({ "url": url, "token": token, "ca": ca });
    write_private(&path, content.to_string().as_bytes())
        .map_err(|source| StartError::File { path, source })
}

/// A file that cannot be read, or holds something else, is as good as none.
async fn kept(path: &Path, app: &App) -> Result<Option<String>, StoreError> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let Some(token) = file["token"].as_str() else {
        return Ok(None);
    };
    let found = app.store.find_token(&Token::hash(token)).await?;
    let stands = found.is_some_and(|found| found.user == LOCAL);
    Ok(stands.then(|| token.to_owned()))
}

async fn fresh(folder: &Path, app: &App) -> Result<String, StoreError> {
    // Each server of a database has one of its own.
    let name = match app.store.is_shared() {
        true => format!(
            "{LOCAL} to {} of {}",
            folder.display(),
            tls::host_name().unwrap_or_default()
        ),
        false => LOCAL.to_owned(),
    };
    let token = Token::random();
    let hash = Token::hash(token.as_str());
    let role = Role::Administrator.as_str();
    app.store.replace_token(&name, &hash, LOCAL, role).await?;
    Ok(token.as_str().to_owned())
}
