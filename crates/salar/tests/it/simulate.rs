//! `salar simulate` against a server: hosts that join, live, and are what the store says they are.

use crate::fleet::Fleet;
use crate::program::until;
use serde_json::Value;
use server::Timing;
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ends with the test.
struct Simulation(Child);

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_store_is_what_a_simulated_fleet_is() {
    let fleet = Fleet::start(Timing::default());
    let report = fleet.home().join("report.json");
    let child = Command::new(env!("CARGO_BIN_EXE_salar"))
        .args(["simulate", "--hosts", "12", "--vms", "60", "--seconds", "4"])
        .args(["--events-per-second", "100", "--outages-per-minute", "60"])
        .args(["--server", &format!("https://{}", fleet.agents())])
        .arg("--report")
        .arg(&report)
        .arg("--state-dir")
        .arg(fleet.home().join("simulated"))
        .stdout(Stdio::null())
        .spawn();
    let _simulation = Simulation(child.expect("starts"));
    let told: Value = until("the fleet has lived", || {
        // Keys show up one after the other.
        fleet.cli(&["key", "accept", "sim-*"]);
        std::thread::sleep(Duration::from_millis(200));
        serde_json::from_str(&std::fs::read_to_string(&report).ok()?).ok()
    });
    assert!(told["events"].as_u64() >= Some(390), "{}", told["events"]);
    assert!(told["changes_confirmed"].as_u64() >= Some(100), "{told}");
    assert!(told["outages"].as_u64() >= Some(3), "{}", told["outages"]);

    let row = |vm: &Value, host: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(host), text(&vm["name"]), text(&vm["status"]))
    };
    let vms = |value: &Value, host: fn(&Value) -> &Value| -> BTreeSet<_> {
        let vms = value.as_array().into_iter().flatten();
        vms.map(|vm| row(vm, host(vm))).collect()
    };
    let wanted = vms(&told["vms"], |vm| &vm["host"]);
    assert_eq!(wanted.len(), 60);
    let mut stored = BTreeSet::new();
    until("the store has what the fleet has", || {
        let list = fleet.json(&["vm", "list", "--json"]);
        stored = vms(&list, |vm| &vm["host"]["name"]);
        (stored == wanted).then_some(())
    });
    let hosts = fleet.json(&[
        "run",
        "-G",
        "site:north",
        "test.ping",
        "-s",
        "--out",
        "json",
    ]);
    assert_eq!(
        hosts.as_object().map(serde_json::Map::len),
        Some(6),
        "{hosts}"
    );
}
