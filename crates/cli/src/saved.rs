//! Sign-in data in files: what `salar login` keeps, and what a server leaves for its own machine.

use crate::Failure;
use client::{Credential, Trust};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// An address and what is needed to speak to it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// Address of the server.
    pub(crate) url: String,
    /// A token; the server's own file has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// A session's cookie; a sign-in has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// Certificate authority, PEM.
    #[serde(default, rename = "ca", skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    /// SHA-256 of the server's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fingerprint: Option<String>,
}

impl Saved {
    pub(crate) fn credential(&self) -> Credential {
        match (&self.token, &self.session) {
            (Some(token), _) => Credential::Token(token.clone()),
            (None, Some(cookie)) => Credential::Session(cookie.clone()),
            (None, None) => Credential::None,
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        match (&self.fingerprint, &self.ca_file) {
            (Some(fingerprint), _) => Trust::Fingerprint(fingerprint.clone()),
            (None, Some(path)) => Trust::Authority(path.clone()),
            (None, None) => Trust::System,
        }
    }

    /// Reads `path`; `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(
                    Failure::new(format!("may not read {}: {error}", path.display()))
                        .hint("run the command as root, or sign in as a user: salar login URL"),
                );
            }
            Err(error) => {
                return Err(Failure::new(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        };
        // The parser's message names a place, never the content: the file holds a secret.
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Failure::new(format!("{} is damaged at {place}", path.display()))
                .hint("remove it, then start the server again or sign in again")
        })
    }

    /// Writes `path` so that only its owner can read it, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot write {}: {error}", path.display()))
        };
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let fresh = path.with_extension(format!("new.{}", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let result = options
            .open(&fresh)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .and_then(|()| std::fs::rename(&fresh, path));
        result.map_err(|error| {
            // Nothing half-written stays; the first error is the one to tell.
            let _ = std::fs::remove_file(&fresh);
            failed(error)
        })
    }
}

/// Where a sign-in is kept: `$XDG_STATE_HOME/salar/session.json`, by default below `~/.local/state`.
pub(crate) fn session_file() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("salar/session.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_sign_in_is_kept_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/session.json");
        assert!(Saved::read(&path).expect("no error").is_none());
        let saved = Saved {
            url: "https://hv".into(),
            token: None,
            session: Some("a=b".into()),
            ca_file: None,
            fingerprint: Some("ab".into()),
        };
        saved.write(&path).expect("written");
        saved.write(&path).expect("written over");
        let mode = std::fs::metadata(&path)
            .expect("exists")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let back = Saved::read(&path).expect("readable").expect("exists");
        assert!(back.credential() == Credential::Session("a=b".into()));
        assert_eq!(back.trust(), Trust::Fingerprint("ab".into()));
        assert_eq!(
            std::fs::read_dir(folder.path().join("deep"))
                .expect("listed")
                .count(),
            1
        );
    }

    #[test]
    fn a_damaged_file_is_named_without_its_content() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "{\"url\": \"x\",\n \"token\": secret").expect("written");
        let failure = Saved::read(file.path())
            .map(|_| ())
            .expect_err("damaged")
            .to_string();
        assert!(
            failure.contains("line 2") && !failure.contains("secret"),
            "{failure}"
        );
    }
}
