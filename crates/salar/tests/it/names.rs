//! Handing over, and the names of Salt's commands.

use crate::program::{program, said, salar};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with `salar` and a `salar-agent` that prints its arguments.
fn package() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let salar = folder.path().join("salar");
    let built = Path::new(env!("CARGO_BIN_EXE_salar"));
    if fs::hard_link(built, &salar).is_err() {
        fs::copy(built, &salar).expect("copied");
    }
    let agent = folder.path().join("salar-agent");
    fs::write(&agent, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n").expect("written");
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).expect("set");
    (folder, salar)
}

#[test]
fn call_and_agent_hand_over_with_every_argument() {
    let (folder, salar) = package();
    let call = said(&mut program(
        &salar,
        folder.path(),
        &["call", "--out", "json", "state.apply", "a b", "--help"],
    ));
    assert_eq!(
        (call.status, call.out.as_str()),
        (7, "<call><--out><json><state.apply><a b><--help>")
    );
    let agent = said(&mut program(
        &salar,
        folder.path(),
        &["agent", "--server", "https://hv"],
    ));
    assert_eq!(
        (agent.status, agent.out.as_str()),
        (7, "<run><--server><https://hv>")
    );
}

#[test]
fn a_link_called_salt_call_hands_over_too() {
    let (folder, salar) = package();
    let elsewhere = TempDir::new().expect("a temporary folder");
    let link = elsewhere.path().join("salt-call");
    symlink(salar, &link).expect("linked");
    let call = said(&mut program(
        &link,
        folder.path(),
        &["--local", "test.ping"],
    ));
    assert_eq!(
        (call.status, call.out.as_str()),
        (7, "<call><--local><test.ping>")
    );
}

#[test]
fn a_missing_agent_is_named() {
    let (folder, salar) = package();
    fs::remove_file(folder.path().join("salar-agent")).expect("removed");
    for words in [
        &["call", "test.ping"][..],
        &["serve", "--state-dir", "state"],
    ] {
        let said = said(program(&salar, folder.path(), words).current_dir(folder.path()));
        assert_eq!(said.status, 1, "{said:?}");
        assert!(
            said.err.contains("cannot find salar-agent") && said.err.contains("Hint: "),
            "{said:?}"
        );
    }
    assert!(!folder.path().join("state").exists());
}

#[test]
fn unserved_options_of_salt_say_why() {
    let (folder, salar) = package();
    let salt = folder.path().join("salt");
    symlink(&salar, &salt).expect("linked");
    let subset = said(&mut program(
        &salt,
        folder.path(),
        &["--subset", "2", "*", "test.ping"],
    ));
    assert_eq!(subset.status, 2);
    assert!(
        subset.err.contains("--subset is not in this version"),
        "{subset:?}"
    );
}

#[test]
fn wrong_usage_ends_with_2_and_version_is_printed() {
    let home = TempDir::new().expect("a temporary folder");
    for words in [
        &[][..],
        &["fly"],
        &["run", "*"],
        &["vm", "start"],
        &["action", "show", "1"],
    ] {
        assert_eq!(said(&mut salar(home.path(), words)).status, 2, "{words:?}");
    }
    let version = said(&mut salar(home.path(), &["version"]));
    assert_eq!(
        version.out,
        format!("salar {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn without_a_server_the_way_out_is_named() {
    let home = TempDir::new().expect("a temporary folder");
    let state = home.path().join("none");
    let said = said(salar(home.path(), &["vm", "list"]).env("SALAR_STATE_DIR", &state));
    assert_eq!(said.status, 1);
    assert!(
        said.err.contains("no server runs on this machine"),
        "{said:?}"
    );
    assert!(
        said.err.contains("Hint: ") && said.err.contains("salar login"),
        "{said:?}"
    );
}
