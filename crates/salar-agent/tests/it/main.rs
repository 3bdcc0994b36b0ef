//! The program as a person uses it, on libvirt's test driver.

mod configured;
mod interrupts;
mod settles;

use expect_test::{Expect, expect};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path =
            std::env::temp_dir().join(format!("salar-agent-program-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(path.join("salt")).expect("a folder for the test");
        Self(path)
    }

    fn sls(&self, name: &str, text: &str) {
        std::fs::write(self.0.join("salt").join(name), text).expect("a file for the test");
    }

    /// `call` on the test driver, with this folder's state files.
    fn call(&self, words: &[&str]) -> Output {
        self.run("call", words)
    }

    fn run(&self, subcommand: &str, words: &[&str]) -> Output {
        let mut command = program();
        command.args([
            subcommand,
            "--connect",
            "test:///default",
            "--id",
            "kvm1",
            "--state-dir",
        ]);
        command
            .arg(self.0.join("state"))
            // Not the configuration that this machine may have.
            .arg("--config-dir")
            .arg(&self.0)
            .arg("--file-root")
            .arg(self.0.join("salt"));
        command.args(words).output().expect("the program runs")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_salar-agent"))
}

fn check(output: &Output, status: i32, stdout: Expect, stderr: Expect) {
    stdout.assert_eq(&String::from_utf8_lossy(&output.stdout));
    stderr.assert_eq(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status));
}

#[test]
fn functions_print_as_salt_call_prints() {
    let folder = Folder::new();
    check(
        &folder.call(&["test.ping"]),
        0,
        expect![[r#"
        local:
            True
    "#]],
        expect![""],
    );
    check(
        &folder.call(&["virt.vm_state", "--out", "json"]),
        0,
        expect![[r#"
        {
            "local": {
                "test": "running"
            }
        }
    "#]],
        expect![""],
    );
    check(
        &folder.call(&["virt.list_domain"]),
        1,
        expect![""],
        expect![[r#"
        Error: 'virt.list_domain' is not available.
        Hint: did you mean virt.list_domains?
    "#]],
    );
    check(
        &folder.call(&["virt.start", "srv99"]),
        1,
        expect![""],
        expect![[r#"
        Error: The VM "srv99" is not present
        Hint: virt.list_domains lists the VMs of this host
    "#]],
    );
}

#[test]
fn states_run_and_tell_their_result_by_the_exit_status() {
    let folder = Folder::new();
    folder.sls(
        "pool.sls",
        "pool0:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /tmp/pool0\n",
    );
    // Each process has a test host of its own, so both see it as new.
    for (words, result) in [
        (
            &["state.apply", "pool", "test=True", "--out", "json"][..],
            Value::Null,
        ),
        (
            &["state.apply", "pool", "--out", "json"][..],
            Value::Bool(true),
        ),
    ] {
        let output = folder.call(words);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            printed["local"]["virt_|-pool0_|-pool0_|-pool_defined"]["result"], result,
            "{printed:#}"
        );
    }
    folder.sls(
        "bad.sls",
        "pool0:\n  virt.pool_defined:\n    - ptype: nonsense\n",
    );
    let output = folder.call(&["state.apply", "bad"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("Result: False") && printed.contains("Failed:    1"),
        "{printed}"
    );
}

#[test]
fn a_plan_is_printed_and_its_file_is_held_against_the_host() {
    let folder = Folder::new();
    folder.sls(
        "pool.sls",
        "pool0:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /tmp/pool0\n",
    );
    let run = |command: &str, words: &[&str]| folder.run(command, words);
    let text = run("plan", &["pool"]);
    assert_eq!(text.status.code(), Some(0), "{text:?}");
    let printed = String::from_utf8_lossy(&text.stdout);
    assert!(
        printed.contains("pool0: virt.pool_defined (pool)")
            && printed.contains("+   <name>pool0</name>")
            && printed.contains("Hash: "),
        "{printed}"
    );
    let json = run("plan", &["pool", "--json"]);
    let plan: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let hash = plan["hash"].as_str().expect("a hash");
    assert!(printed.contains(hash), "the same plan twice");

    let file = folder.0.join("plan.json");
    std::fs::write(&file, &json.stdout).expect("written");
    let file = file.display().to_string();
    let applied = run("apply", &["--plan", &file]);
    let printed = String::from_utf8_lossy(&applied.stdout);
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    assert!(printed.contains("Succeeded: 1 (changed=1)"), "{printed}");

    folder.sls(
        "pool.sls",
        "pool0:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /tmp/other\n",
    );
    check(
        &run("apply", &["--plan", &file]),
        1,
        expect![""],
        expect![[r#"
            Error: the plan no longer fits, so nothing was done:
              pool0 (virt.pool_defined): the same steps (Define pool pool0, Make the storage of pool pool0 where it is not there yet, Start pool pool0 with its host), but with other contents
            Hint: make a new plan, and look at it again
        "#]],
    );
    let nothing = run("plan", &["absent"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(
        nothing.stdout.is_empty() && !nothing.stderr.is_empty(),
        "{nothing:?}"
    );
}

#[test]
fn mistakes_in_state_files_are_told_and_nothing_runs() {
    let folder = Folder::new();
    folder.sls("tab.sls", "pool0:\n\tvirt.pool_defined: []\n");
    let output = folder.call(&["state.apply", "tab"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("Data failed to compile:") && printed.contains("tab.sls:2"),
        "{printed}"
    );
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let cases: [&[&str]; 4] = [
        &["call"],
        &["call", "test.ping", "--out", "xml"],
        &["run", "--server", "http://x"],
        &["call", "test.ping", "-l", "loud"],
    ];
    for words in cases {
        let output = program().args(words).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        assert!(
            !output.stderr.is_empty() && output.stdout.is_empty(),
            "{words:?}"
        );
    }
}

#[test]
fn libvirt_that_is_down_is_said_with_the_remedy() {
    let folder = Folder::new();
    let absent = format!(
        "test+unix:///default?socket={}",
        folder.0.join("no.sock").display()
    );
    let mut command = program();
    command
        .args(["call", "--connect", &absent, "--state-dir"])
        .arg(&folder.0)
        .arg("--config-dir")
        .arg(&folder.0)
        .arg("virt.list_domains");
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("Failed to connect socket") && said.contains("systemctl status libvirtd"),
        "{said}"
    );
}

#[test]
fn the_agent_ends_with_its_parent() {
    let folder = Folder::new();
    let mut command = program();
    let server = format!("unix:{}", folder.0.join("absent.sock").display());
    command.args([
        "run",
        "--server",
        &server,
        "--uri",
        "test:///default",
        "--exit-with-parent",
        "--state-dir",
    ]);
    let mut agent = command
        .arg(folder.0.join("agent"))
        .arg("--config-dir")
        .arg(&folder.0)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    drop(agent.stdin.take());
    let status = agent.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
}
