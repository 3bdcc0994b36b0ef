//! One file with all that a server keeps, and going on from it.

use crate::agent::{Agent, vm};
use crate::fixture::{Api, Fixture, config, fixture, start};
use model::VmStatus;
use reqwest::StatusCode;
use server::{BackupError, make_backup, restore_backup};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A server with a user and a VM, and a backup of it that was made while it ran.
async fn backed_up() -> (Fixture, PathBuf) {
    let f = fixture().await;
    f.user("olga", "operator").await;
    Agent::with_vms(&f.socket(), "kvm1", &[vm("srv01", VmStatus::Running)]).await;
    let file = f.folder.path().join("backup.tar.gz");
    let made = make_backup(f.folder.path(), &file).await.expect("is made");
    assert!(made.bytes > 0 && made.kept.is_none());
    (f, file)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("is a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("is there").file_name().into_string())
        .collect::<Result<_, _>>()
        .expect("text");
    names.sort();
    names
}

#[tokio::test]
async fn a_server_goes_on_from_a_backup_elsewhere() {
    let (f, file) = backed_up().await;
    let ca = std::fs::read(f.folder.path().join("ca.pem")).expect("a CA");
    // Not in the backup.
    f.user("late", "viewer").await;
    drop(f.server);

    let elsewhere = folder();
    let restored = restore_backup(elsewhere.path(), &file, false).await;
    let restored = restored.expect("is restored");
    assert_eq!(restored.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(restored.kept, None);
    assert_eq!(
        names(elsewhere.path()),
        ["ca-key.pem", "ca.pem", "salar.db", "salar.lock"]
    );
    let server = start(config(elsewhere.path())).await;
    assert!(server.started.first_password.is_none());
    let api = Api::local(elsewhere.path());
    let vms = api.read("/vms").await;
    assert_eq!(vms["items"][0]["name"], "srv01");
    assert_eq!(
        api.sign_in("olga", "a long password").await.status(),
        StatusCode::OK
    );
    assert_eq!(
        api.sign_in("late", "a long password").await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        std::fs::read(elsewhere.path().join("ca.pem")).expect("a CA"),
        ca
    );
}

#[tokio::test]
async fn what_is_there_is_replaced_only_on_request_and_is_kept() {
    let (f, file) = backed_up().await;
    let state = f.folder.path();
    let again = make_backup(state, &file).await;
    assert!(
        matches!(again, Err(BackupError::Exists { .. })),
        "{again:?}"
    );
    let refused = restore_backup(state, &file, false).await;
    assert!(matches!(refused, Err(BackupError::Occupied { .. })));
    let running = restore_backup(state, &file, true).await;
    assert!(
        matches!(
            running,
            Err(BackupError::Store(db::StoreError::InUse { .. }))
        ),
        "{running:?}"
    );
    f.user("late", "viewer").await;
    drop(f.server);
    let restored = crate::fixture::until("the store is free", async || {
        restore_backup(state, &file, true).await.ok()
    })
    .await;
    let kept = restored.kept.expect("something was replaced");
    assert!(names(&kept).contains(&"salar.db".to_owned()));
    assert!(names(state).iter().all(|name| !name.starts_with(".salar-")));
    let _server = start(config(state)).await;
    let late = Api::local(state).sign_in("late", "a long password").await;
    assert_eq!(late.status(), StatusCode::UNAUTHORIZED);
    // The way back.
    let _kept = start(config(&kept)).await;
    let late = Api::local(&kept).sign_in("late", "a long password").await;
    assert_eq!(late.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_file_that_is_not_a_whole_backup_changes_nothing() {
    let (_f, file) = backed_up().await;
    let whole = std::fs::read(&file).expect("reads");
    let target = folder();
    let bad = target.path().join("bad.tar.gz");
    let state = target.path().join("state");
    let mut damaged: Vec<(String, Vec<u8>)> = (0..10)
        .map(|tenth| {
            let cut = whole.len() * tenth / 10;
            (format!("cut at {cut}"), whole[..cut].to_vec())
        })
        .collect();
    damaged.push((
        "its last byte".to_owned(),
        whole[..whole.len() - 1].to_vec(),
    ));
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    damaged.push(("a byte in the middle".to_owned(), flipped));
    for (what, name, kind) in [
        ("a way out", "../evil", tar::EntryType::Regular),
        ("another file", "client.json", tar::EntryType::Regular),
        ("a link", "salar.db", tar::EntryType::Symlink),
        ("no manifest", "ca.pem", tar::EntryType::Regular),
    ] {
        damaged.push((what.to_owned(), archive(name, kind)));
    }
    for (what, bytes) in damaged {
        std::fs::write(&bad, bytes).expect("writes");
        let refused = restore_backup(&state, &bad, false).await;
        assert!(
            matches!(refused, Err(BackupError::Incomplete { .. })),
            "{what}: {refused:?}"
        );
        assert_eq!(names(&state), [""; 0], "{what}");
        assert_eq!(names(target.path()), ["bad.tar.gz", "state"], "{what}");
    }
    let missing = restore_backup(&state, &target.path().join("none"), false).await;
    assert!(matches!(missing, Err(BackupError::File { .. })));
}

/// A compressed archive with one entry.
fn archive(name: &str, kind: tar::EntryType) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let bytes = header.as_gnu_mut().expect("is GNU's").name.as_mut_slice();
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_cksum();
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    archive.append(&header, std::io::empty()).expect("is added");
    let gzip = archive.into_inner().expect("is ended");
    gzip.finish().expect("is compressed")
}
