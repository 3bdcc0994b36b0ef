//! Plans for a described host, as a pipeline makes them: the example in `examples/pipeline`.

use super::program::{program, said, salar};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pipeline")
}

/// `salar plan --against` the example's host, with state files of our own.
fn plan(home: &Path, words: &[&str]) -> super::program::Said {
    let host = example().join("host");
    let mut all = vec![
        "plan",
        "--against",
        host.to_str().expect("a path"),
        "--file-root",
    ];
    all.push(home.to_str().expect("a path"));
    all.extend(words);
    said(&mut salar(home, &all))
}

#[test]
fn the_pipeline_of_the_example_is_green() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let none: [&str; 0] = [];
    let mut check = program(&example().join("check"), home.path(), &none);
    let said = said(check.env("SALAR", env!("CARGO_BIN_EXE_salar")));
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
    for line in [
        "  4. Give VM web01 192.0 MiB of memory while it runs [live]",
        "  4. Start VM web02 [live]",
        "Plan for kvm1.example: 11 steps, 1 of 4 states with nothing to do",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
}

#[test]
fn a_plan_that_interrupts_stops_the_pipeline() {
    let home = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(
        home.path().join("stop.sls"),
        "web01:\n  virt.powered_off: []\n",
    )
    .expect("written");
    let json = plan(home.path(), &["--json", "stop"]);
    assert_eq!(json.status, 0, "{}", json.err);
    let plan: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(plan["consequence"], "downtime");
    let step = &plan["states"][0]["steps"][0];
    assert_eq!(
        (&step["call"], &step["do"]),
        (&"virDomainDestroy".into(), &"force off VM web01".into())
    );
}

#[test]
fn faults_of_state_files_and_of_states_are_told() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let wrong = "a:\n  virt.runing: []\nb:\n  virt.network_running: [brigde: x]\n";
    std::fs::write(home.path().join("wrong.sls"), wrong).expect("written");
    let said = plan(home.path(), &["wrong"]);
    assert_eq!((said.status, said.out.as_str()), (1, ""));
    assert!(
        said.err.contains("virt.runing") && said.err.contains("brigde"),
        "{}",
        said.err
    );

    let fails = "web03:\n  virt.running:\n    - mem: 64\n    - disks: [{name: a, pool: nowhere, size: 1}]\n";
    std::fs::write(home.path().join("fails.sls"), fails).expect("written");
    let said = plan(home.path(), &["fails"]);
    assert_eq!(said.status, 1);
    assert!(
        said.out.contains("Fails: ") && said.out.contains("nowhere"),
        "{}",
        said.out
    );

    let said = plan(home.path(), &["nothing"]);
    assert!(
        said.err.contains("No matching sls found for 'nothing'"),
        "{}",
        said.err
    );
}

#[test]
fn a_host_is_described_or_of_the_server_not_both() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let both = plan(home.path(), &["--host", "kvm1", "web"]);
    assert_eq!(both.status, 2, "{}", both.err);
    let help = said(&mut salar(home.path(), &["plan", "--help"]));
    assert_eq!(help.status, 0);
    for option in [
        "--against <DIR>",
        "--host <HOST>",
        "salar-agent plan --help",
    ] {
        assert!(help.out.contains(option), "{option}\n{}", help.out);
    }
}
