//! A run that is asked to stop, and what a terminal shows meanwhile.

use super::{Folder, program};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a loaded machine.
const LONG: Duration = Duration::from_secs(60);

/// A web server that sends the first quarter of an image, tells that it has, and then nothing more.
fn stalling_server() -> (String, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/guest.qcow2", listener.local_addr().expect("it"));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n";
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&[b'Q'; 262_144]);
            if tell.send(stream).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name])
        .arg(child.id().to_string())
        .status();
    assert!(sent.expect("kill is there").success());
}

fn ended(mut child: Child) -> Output {
    let began = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(began.elapsed() < LONG, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().expect("what it said")
}

/// A network that is quickly there, a volume that never is, and a network that waits for it.
fn three_states(folder: &Folder, url: &str) {
    folder.sls(
        "slow.sls",
        &format!(
            "before:\n  virt.network_defined:\n    - bridge: br7\n    - forward: null\n    - autostart: False\n\
             slow:\n  virt.volume_present:\n    - pool: default-pool\n    - image: {url}\n    - require: [{{virt: before}}]\n\
             after:\n  virt.network_defined:\n    - bridge: br8\n    - forward: null\n    - require: [{{virt: slow}}]\n"
        ),
    );
}

#[test]
fn a_signal_ends_the_run_after_its_step_and_what_was_done_is_told() {
    let (url, told) = stalling_server();
    for name in ["TERM", "INT"] {
        let folder = Folder::new();
        three_states(&folder, &url);
        let mut command = program();
        command.args([
            "call",
            "--connect",
            "test:///default",
            "--id",
            "kvm1",
            "--out",
            "json",
        ]);
        command.arg("--state-dir").arg(folder.0.join("state"));
        command.arg("--config-dir").arg(&folder.0);
        command.arg("--file-root").arg(folder.0.join("salt"));
        command
            .args(["state.apply", "slow"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().expect("the program runs");
        let stalled = told.recv_timeout(LONG).expect("it downloads");
        signal(&child, name);
        let output = ended(child);
        drop(stalled);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("Stopping after the current step"), "{said}");
        assert!(!said.contains('\u{1b}'), "nothing of a terminal: {said}");
        let results: serde_json::Value = serde_json::from_slice(&output.stdout).expect("results");
        let of = |id: &str| {
            let all = results["local"]
                .as_object()
                .expect("results by key")
                .values();
            all.clone().find(|result| result["__id__"] == id).cloned()
        };
        assert_eq!(of("before").expect("it ran")["result"], true, "{name}");
        let slow = of("slow").expect("it was stopped");
        assert_eq!(slow["result"], false);
        let comment = slow["comment"].to_string();
        assert!(comment.contains("was cancelled"), "{comment}");
        assert!(of("after").is_none(), "{name}: {results}");
    }
}

/// `script` gives the program a terminal.
#[test]
fn a_terminal_shows_the_state_that_runs_with_percent_and_is_left_clean() {
    let (url, told) = stalling_server();
    let folder = Folder::new();
    three_states(&folder, &url);
    let line = format!(
        "exec {} call --connect test:///default --id kvm1 --no-color --state-dir {} --file-root {} state.apply slow",
        env!("CARGO_BIN_EXE_salar-agent"),
        folder.0.join("state").display(),
        folder.0.join("salt").display()
    );
    let recording = folder.0.join("terminal");
    let mut command = Command::new("script");
    command
        .args(["-q", "-f", "-e", "-c", &line])
        .arg(&recording);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command
        .spawn()
        .expect("script is there (Debian package bsdutils)");
    let stalled = told.recv_timeout(LONG).expect("it downloads");
    let shown =
        || String::from_utf8_lossy(&std::fs::read(&recording).unwrap_or_default()).into_owned();
    let began = Instant::now();
    let expected =
        "slow (virt.volume_present): 25 %: Downloading guest.qcow2: 256.0 KiB of 1.0 MiB";
    while !shown().contains(expected) {
        assert!(began.elapsed() < LONG, "the terminal does not show it");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Ctrl-C goes to whoever runs in that terminal.
    let inner = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()));
    let inner = inner.expect("script has a child").trim().to_owned();
    assert!(
        Command::new("kill")
            .args(["-s", "INT", &inner])
            .status()
            .expect("kill")
            .success()
    );
    ended(child);
    drop(stalled);
    let shown = shown();
    // The last line of progress is taken away before the results are printed.
    let results = shown.rfind("Summary for local").expect("a summary");
    let progress = shown.rfind("Downloading guest.qcow2").expect("progress");
    let cleared = shown[progress..results].contains("\r\u{1b}[J");
    assert!(cleared, "{:?}", &shown[progress..]);
}
