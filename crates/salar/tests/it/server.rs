//! A real server without hosts, and the command line against it.

use crate::program::{Server, program, said, said_with_input, salar, until};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use tempfile::TempDir;

#[test]
fn a_first_start_prints_the_password_once_and_a_signal_ends_it() {
    let server = Server::start();
    let password = server.printed("Password").expect("a password");
    assert!(password.len() >= 16, "{password}");
    let (status, home) = server.stop();
    assert_eq!(status, 0);
    let again = Server::start_in(home);
    assert_eq!(again.printed("Password"), None);
}

#[test]
fn a_second_server_on_the_folder_is_told_of_the_first() {
    let server = Server::start();
    let state = server.state_dir();
    let mut second = salar(
        server.home.path(),
        &["serve", "--no-agent", "--listen", "127.0.0.1:0"],
    );
    let second = said(second.arg("--state-dir").arg(&state));
    assert_eq!(second.status, 1);
    assert!(
        second.err.contains("a server already runs on"),
        "{second:?}"
    );
    assert!(second.err.contains(&server.url()), "{second:?}");
    assert!(
        second.err.contains(&format!("process {}", server.pid())),
        "{second:?}"
    );
    assert_eq!(server.cli(&["host", "list"]).status, 0);
}

#[test]
fn a_port_in_use_is_named() {
    let server = Server::start();
    let address = server.url().replace("http://", "");
    let mut second = salar(
        server.home.path(),
        &["serve", "--no-agent", "--listen", &address],
    );
    let second = said(
        second
            .arg("--state-dir")
            .arg(server.home.path().join("other")),
    );
    assert_eq!(second.status, 1);
    assert!(
        second.err.contains(&address) && second.err.contains("in use"),
        "{second:?}"
    );
}

#[test]
fn lists_of_an_empty_server_have_a_header_and_are_json_when_asked() {
    let server = Server::start();
    for (kind, header) in [
        ("vm", "NAME"),
        ("pool", "NAME"),
        ("network", "NAME"),
        ("host", "NAME"),
        ("action", "ID"),
    ] {
        let list = server.cli(&[kind, "list"]);
        assert_eq!(list.status, 0, "{list:?}");
        assert!(
            list.out.starts_with(header) && list.out.lines().count() == 1,
            "{list:?}"
        );
        let json = server.cli(&[kind, "list", "--json"]);
        assert_eq!((json.status, json.out.as_str()), (0, "[]\n"), "{json:?}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let server = Server::start();
    let start = server.cli(&["vm", "start", "srv01"]);
    assert_eq!(start.status, 1);
    assert!(
        start.err.starts_with("Error: there is no VM srv01\nHint: "),
        "{start:?}"
    );
    let action = server.cli(&["action", "show", "00000000-0000-0000-0000-000000000001"]);
    assert_eq!(action.status, 1);
    assert!(action.err.starts_with("Error: "), "{action:?}");
    let status = server.cli(&["vm", "list", "--status", "flying"]);
    assert!(
        status.status == 1 && status.err.contains("flying"),
        "{status:?}"
    );
}

#[test]
fn a_target_that_matches_no_host_ends_with_2() {
    let server = Server::start();
    let run = server.cli(&["run", "kvm*", "test.ping"]);
    assert_eq!(run.status, 2);
    assert!(
        run.err.starts_with("Error: ") && run.err.contains("kvm*"),
        "{run:?}"
    );

    let salt = server.home.path().join("salt");
    symlink(env!("CARGO_BIN_EXE_salar"), &salt).expect("linked");
    let mut command = program(&salt, server.home.path(), &["-E", "kvm.", "test.ping"]);
    let run = said(command.env("SALAR_STATE_DIR", server.state_dir()));
    assert_eq!(run.status, 2);
    assert!(
        run.err
            .contains("No minions matched the target. No command was sent, no jid was assigned."),
        "{run:?}"
    );
    assert!(run.err.contains("ERROR: No return received"), "{run:?}");
}

#[test]
fn a_user_signs_in_and_out_and_may_only_what_the_role_allows() {
    let server = Server::start();
    let (home, url) = (server.home.path(), server.url());
    let own = |words: &[&str]| salar(home, words);

    let add = ["user", "add", "eve", "--role", "viewer", "--password-stdin"];
    let added = said_with_input(
        own(&add).env("SALAR_STATE_DIR", server.state_dir()),
        "correct horse",
    );
    assert_eq!(added.status, 0, "{added:?}");
    let list = server.cli(&["user", "list"]);
    assert!(
        list.out
            .lines()
            .any(|line| line.starts_with("eve ") && line.contains("viewer")),
        "{list:?}"
    );

    let login = ["login", &url, "--user", "eve", "--password-stdin"];
    let wrong = said_with_input(&mut own(&login), "wrong horse!");
    assert_eq!(wrong.status, 1, "{wrong:?}");
    let right = said_with_input(&mut own(&login), "correct horse");
    assert_eq!(right.status, 0, "{right:?}");
    let kept = home.join(".local/state/salar/session.json");
    assert_eq!(
        std::fs::metadata(&kept).expect("kept").permissions().mode() & 0o777,
        0o600
    );

    assert_eq!(said(&mut own(&["vm", "list"])).status, 0);
    let denied = said(&mut own(&["user", "list"]));
    assert_eq!(denied.status, 1, "{denied:?}");
    assert!(denied.err.contains("eve is viewer"), "{denied:?}");

    assert_eq!(server.cli(&["user", "delete", "eve"]).status, 0);
    let ended = said(&mut own(&["vm", "list"]));
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.err.contains("salar login"), "{ended:?}");
    assert_eq!(said(&mut own(&["logout"])).status, 0);
    assert!(!kept.exists());
}

#[test]
fn a_server_that_has_gone_is_named_with_the_cause() {
    let server = Server::start();
    let url = server.url();
    let token = server.home.path().join("token");
    std::fs::write(&token, "anything\n").expect("written");
    let (_, home) = server.stop();
    let token = token.to_str().expect("text");
    let list = said(&mut salar(
        home.path(),
        &["vm", "list", "--server", &url, "--token-file", token],
    ));
    assert_eq!(list.status, 1);
    assert!(
        list.err
            .contains(&format!("cannot reach the server at {url}")),
        "{list:?}"
    );
    assert!(list.err.contains("Hint: is it running?"), "{list:?}");
}

#[test]
fn an_idle_server_is_small() {
    let server = Server::start();
    assert_eq!(server.cli(&["vm", "list"]).status, 0);
    let of = |name: &str| -> u64 {
        let status = format!("/proc/{}/status", server.pid());
        let status = std::fs::read_to_string(status).expect("Linux");
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .expect("there");
        line.split_whitespace()
            .nth(1)
            .expect("a number")
            .parse()
            .expect("a number")
    };
    // Without the pages of the program itself, which is many times larger when built for debugging.
    // At its start the server prepares for sign-ins, which takes 46 MiB for a moment.
    until("the server is small", || {
        (of("RssAnon:") / 1024 < 40).then_some(())
    });
    assert!(of("Threads:") < 20, "{}", of("Threads:"));
}

#[test]
fn tls_is_trusted_by_the_servers_own_authority_or_by_fingerprint() {
    let home = TempDir::new().expect("a temporary folder");
    let server = Server::listen_in(home, "0.0.0.0:0");
    let url = server.url();
    assert!(url.starts_with("https://"), "{url}");
    // The file that the server leaves names its authority.
    assert_eq!(server.cli(&["vm", "list"]).status, 0);

    let login = |trust: &[&str]| {
        let words = [&["login", &url, "--password-stdin"][..], trust].concat();
        said_with_input(&mut salar(server.home.path(), &words), "not the password")
    };
    let stranger = login(&[]);
    assert!(
        stranger.err.contains("cannot trust the server") && stranger.err.contains("--ca-file"),
        "{stranger:?}"
    );

    let other = login(&["--fingerprint", &"00".repeat(32)]);
    let shown = other
        .err
        .split("has the fingerprint ")
        .nth(1)
        .expect("it is named");
    let fingerprint = shown.split(',').next().expect("a text");
    let right = login(&["--fingerprint", fingerprint]);
    assert!(right.err.contains("password is wrong"), "{right:?}");
    let authority = server.state_dir().join("ca.pem");
    let right = login(&["--ca-file", authority.to_str().expect("text")]);
    assert!(right.err.contains("password is wrong"), "{right:?}");
}

#[test]
fn a_backup_is_made_from_a_running_server_and_restored_into_a_stopped_one() {
    let server = Server::start();
    let file = server.home.path().join("salar.backup");
    let file = file.to_str().expect("text").to_owned();
    let made = server.cli(&["backup", &file]);
    assert_eq!(made.status, 0, "{made:?}");
    assert!(made.out.starts_with(&format!("Wrote {file} (")), "{made:?}");
    let again = server.cli(&["backup", &file]);
    assert!(
        again.status == 1 && again.err.contains("exists"),
        "{again:?}"
    );

    let add = ["user", "add", "eve", "--role", "viewer", "--password-stdin"];
    let mut command = salar(server.home.path(), &add);
    command.env("SALAR_STATE_DIR", server.state_dir());
    let added = said_with_input(&mut command, "a long password");
    assert_eq!(added.status, 0, "{added:?}");

    let running = server.cli(&["restore", &file, "--replace"]);
    assert!(
        running.status == 1 && running.err.contains("a server already runs on"),
        "{running:?}"
    );
    let (_, home) = server.stop();
    let state = home.path().join("state");
    let restore = |words: &[&str]| {
        let mut command = salar(home.path(), &["restore", &file]);
        said(command.args(words).env("SALAR_STATE_DIR", &state))
    };
    let occupied = restore(&[]);
    assert!(
        occupied.status == 1 && occupied.err.contains("--replace"),
        "{occupied:?}"
    );
    let restored = restore(&["--replace"]);
    assert_eq!(restored.status, 0, "{restored:?}");
    assert!(
        restored.out.contains("What it replaces is in "),
        "{restored:?}"
    );

    let server = Server::start_in(home);
    let users = server.cli(&["user", "list"]);
    assert!(
        users.out.contains("admin") && !users.out.contains("eve"),
        "{users:?}"
    );
}
