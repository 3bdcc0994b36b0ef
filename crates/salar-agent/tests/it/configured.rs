//! A host that is configured as a minion of Salt is.

use crate::{Folder, program};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

/// A configuration with two environments, each with a state of its own.
fn configured() -> Folder {
    let folder = Folder::new();
    let at = folder.0.display();
    let minion = format!(
        "id: kvm7\n\
         grains:\n  role: web\n\
         file_client: local\n\
         file_roots:\n  base: [{at}/salt]\n  dev: [{at}/dev]\n\
         pillar_roots:\n  base: [{at}/pillar]\n  dev: [{at}/pillar-dev]\n"
    );
    let virt = "virt:\n  connection:\n    uri: test:///default\n  images: /configured\n";
    let pool = |name: &str| {
        format!(
            "{{{{ pillar['pool'] }}}}-{name}:\n  virt.pool_defined: [ptype: dir, target: /tmp/{name}]\n"
        )
    };
    let assigned = |sls: &str| {
        format!(
            "base:\n  'G@role:web':\n    - match: compound\n    - {sls}\ndev:\n  'kvm7': [{sls}]\n"
        )
    };
    for (name, text) in [
        ("conf/minion", minion.as_str()),
        ("conf/minion.d/virt.conf", virt),
        ("conf/grains", "rack: 4\nrole: other\n"),
        ("salt/top.sls", &assigned("pool")),
        ("salt/pool.sls", &pool("base")),
        ("dev/pool.sls", &pool("dev")),
        ("dev/top.sls", "dev:\n  'kvm7': [pool]\n"),
        (
            "pillar/top.sls",
            "base:\n  '*': [names]\ndev:\n  '*': [names]\n",
        ),
        ("pillar/names.sls", "pool: first\n"),
        ("pillar-dev/names.sls", "pool: second\n"),
        ("pillar-dev/top.sls", "dev:\n  '*': [names]\n"),
    ] {
        write(&folder.0.join(name), text);
    }
    folder
}

fn write(path: &Path, text: &str) {
    let parent = path.parent().expect("it is in the folder");
    std::fs::create_dir_all(parent).expect("a folder for the test");
    std::fs::write(path, text).expect("a file for the test");
}

fn call(folder: &Folder, words: &[&str]) -> Output {
    let mut command = program();
    command.args(["call", "--out", "json", "--config-dir"]);
    command.arg(folder.0.join("conf")).arg("--state-dir");
    command.arg(folder.0.join("state")).args(words);
    command.output().expect("the program runs")
}

fn returned(folder: &Folder, words: &[&str]) -> Value {
    let output = call(folder, words);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    let mut printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    printed["local"].take()
}

/// The names of the states that ran, with their results.
fn ran(folder: &Folder, words: &[&str]) -> Vec<(String, Value)> {
    let results = returned(folder, words);
    let results = results.as_object().expect("results").values();
    results
        .map(|result| {
            let name = result["name"].as_str().expect("a name");
            (name.to_owned(), result["result"].clone())
        })
        .collect()
}

#[test]
fn the_configuration_of_a_minion_is_followed() {
    let folder = configured();
    for (words, expected) in [
        (&["grains.get", "id"][..], json!("kvm7")),
        (&["grains.get", "role"][..], json!("web")),
        (&["grains.get", "rack"][..], json!(4)),
        (&["config.get", "virt:images"][..], json!("/configured")),
        (&["virt.list_active_vms"][..], json!(["test"])),
        (&["pillar.get", "pool"][..], json!("second")),
        (
            &["pillar.get", "pool", "pillarenv=base"][..],
            json!("first"),
        ),
    ] {
        assert_eq!(returned(&folder, words), expected, "{words:?}");
    }
    write(&folder.0.join("conf/minion.d/test.conf"), "test: True\n");
    let tested = ran(&folder, &["state.apply", "pool"]);
    assert_eq!(tested, [("second-base".to_owned(), Value::Null)]);
    let done = ran(&folder, &["state.apply", "pool", "test=False"]);
    assert_eq!(done, [("second-base".to_owned(), json!(true))]);
}

#[test]
fn each_environment_has_its_own_states_and_pillar() {
    let folder = configured();
    let names = |words: &[&str]| -> Vec<String> {
        ran(&folder, words)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(names(&["state.apply", "pool"]), ["second-base"]);
    assert_eq!(
        names(&["state.apply", "pool", "saltenv=dev"]),
        ["second-dev"]
    );
    assert_eq!(
        names(&["state.apply", "pool", "saltenv=dev", "pillarenv=base"]),
        ["first-dev"]
    );
    // The top file of base says for both.
    assert_eq!(names(&["state.apply"]), ["second-base", "second-dev"]);
    assert_eq!(names(&["state.apply", "saltenv=dev"]), ["second-dev"]);
    write(&folder.0.join("conf/minion.d/env.conf"), "saltenv: dev\n");
    assert_eq!(names(&["state.apply"]), ["second-dev"]);
    assert_eq!(names(&["state.apply", "saltenv=base"]), ["second-base"]);

    let absent = call(&folder, &["state.apply", "pool", "saltenv=prod"]);
    assert_eq!(absent.status.code(), Some(1));
    let told = String::from_utf8_lossy(&absent.stdout);
    assert!(
        told.contains("No matching salt environment for environment 'prod' found")
            && told.contains("base, dev"),
        "{told}"
    );
}

#[test]
fn a_configuration_that_cannot_be_stops_everything() {
    let folder = configured();
    write(&folder.0.join("conf/minion.d/virt.conf"), "virt: [\n");
    let output = call(&folder, &["test.ping"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("conf/minion.d/virt.conf: ") && told.contains("Hint: "),
        "{told}"
    );
    assert!(output.stdout.is_empty());

    let mut absent = program();
    absent.args(["plan", "pool", "--config-dir", "/absent/folder"]);
    let output = absent.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("cannot read the configuration /absent/folder"),
        "{told}"
    );
}
