//! A host written as files, and plans made from them: the very plans that the host itself makes.

use super::support::{Host, by_id};
use agent::Minion;
use agent::functions::{Context, call};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// Writes the host into a folder, and reads it back as a host of its own with the same state files.
async fn described(host: &Host, folder: &Path) -> Arc<Minion> {
    let files = host
        .call("host.describe pillar=True")
        .await
        .expect("described");
    let files = files.value.as_object().expect("files").clone();
    let pairs = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str().expect("text")));
    described::save(folder, pairs).expect("written");
    let read = described::read(folder).expect("readable");
    let mut minion = Minion::described(read, folder.join("unused"));
    minion.files = host.minion.files.clone();
    Arc::new(minion)
}

async fn applied(host: &Host) {
    let returned = host.call("state.apply first").await.expect("results");
    assert!(returned.ok, "{:#}", returned.value);
}

async fn plan(minion: &Arc<Minion>, mods: &str) -> Value {
    let asked = Map::from_iter([("mods".to_owned(), json!([mods]))]);
    let returned = call(minion, "state.plan", &[], &asked, &Context::quiet()).await;
    returned.expect("a plan").value
}

const MORE: &str = "
net0:
  virt.network_running:
    - bridge: net0-br
    - forward: nat
    - ipv4_config: {cidr: 192.168.44.0/24, dhcp_ranges: [{start: 192.168.44.10, end: 192.168.44.99}]}
srv01:
  virt.running:
    - mem: 2048
    - disks:
      - {name: system, pool: pool0, size: 20}
      - {name: more, pool: pool0, size: 30}
srv02:
  virt.running:
    - cpu: 2
    - mem: {{ 512 if grains['kernel'] == 'Linux' else 1 }}
    - interfaces: [{name: eth0, network: net0}]
gone:
  virt.absent: []
";

const FIRST: &str = "
pool0:
  virt.pool_running: [ptype: dir, target: /vms]
net0:
  virt.network_running: [bridge: net0-br, forward: nat, ipv4_config: {cidr: 192.168.44.0/24}]
srv01:
  virt.running:
    - mem: 1024
    - disks: [{name: system, pool: pool0, size: 10}]
    - require: [{virt: pool0}, {virt: net0}]
gone:
  virt.defined: [mem: 64]
";

#[tokio::test]
async fn a_described_host_is_planned_for_as_the_host_itself() {
    let host = Host::new();
    host.fake.add_folder("/vms");
    host.folder.write("salt/first.sls", FIRST);
    host.folder.write("salt/more.sls", MORE);
    let folder = host.folder.path().join("described");

    let empty = described(&host, &folder).await;
    let (there, here) = (
        plan(&host.minion, "first").await,
        plan(&empty, "first").await,
    );
    assert_eq!(there["hash"], here["hash"], "{there:#}\n{here:#}");

    applied(&host).await;
    let made = described(&host, &folder).await;
    for mods in ["first", "more"] {
        let (there, here) = (plan(&host.minion, mods).await, plan(&made, mods).await);
        assert_eq!(there["hash"], here["hash"], "{there:#}\n{here:#}");
        assert_eq!(there["states"], here["states"]);
        assert_eq!(there["uri"], here["uri"]);
    }
    let states = plan(&made, "more").await["states"].clone();
    let state = |id: &str| {
        let states = states.as_array().expect("states").clone();
        states
            .into_iter()
            .find(|state| state["id"] == id)
            .expect("planned")
    };
    let calls = |id: &str| -> Vec<String> {
        let steps = state(id)["steps"].as_array().expect("steps").clone();
        steps
            .iter()
            .map(|step| step["call"].as_str().expect("a call").to_owned())
            .collect()
    };
    assert_eq!(calls("srv02"), ["virDomainDefineXML", "virDomainCreate"]);
    assert_eq!(calls("gone"), ["virDomainUndefineFlags"]);
    assert!(
        state("srv02")["xml"]
            .as_str()
            .is_some_and(|xml| xml.contains("<name>srv02</name>"))
    );
    let devices = state("srv01")["devices"].clone();
    assert_eq!(devices[0]["change"], "attach");
    assert!(
        devices[0]["xml"]
            .as_str()
            .is_some_and(|xml| xml.contains("vdb"))
    );
}

#[tokio::test]
async fn nothing_is_done_to_a_described_host() {
    let host = Host::new();
    host.folder.write("salt/first.sls", FIRST);
    let minion = described(&host, &host.folder.path().join("described")).await;
    let asked = Map::from_iter([("mods".to_owned(), json!(["first"]))]);
    let returned = call(&minion, "state.apply", &[], &asked, &Context::quiet()).await;
    let returned = returned.expect("results");
    assert!(!returned.ok);
    let comment = by_id(&returned.value)["net0"]["comment"].clone();
    assert!(
        comment
            .as_str()
            .is_some_and(|text| text.contains("the host is only described")),
        "{comment}"
    );
}

/// What stands in the folder is somebody else's.
#[tokio::test]
async fn a_folder_that_describes_no_host_is_refused_with_the_file() {
    let host = Host::new();
    host.folder.write("salt/first.sls", FIRST);
    host.fake.add_folder("/vms");
    applied(&host).await;
    let folder = host.folder.path().join("described");
    let broken = [
        ("host.yaml", "", "format: 1 is missing"),
        ("host.yaml", "format: 9", "form 9"),
        ("host.yaml", "[1]", "write a dictionary"),
        (
            "host.yaml",
            "format: 1\nvms: {srv01: {status: flying}}",
            "there is no status flying",
        ),
        ("host.yaml", "format: 1\nvms: {nobody: {}}", "nobody.xml"),
        (
            "host.yaml",
            "format: 1\npaths: {/a: socket}",
            "write file, folder or block",
        ),
        ("grains.yaml", "a: [", "grains.yaml"),
        ("vms/srv01.xml", "<domain", "srv01.xml"),
        (
            "vms/srv01.live.xml",
            "<domain><name>other</name></domain>",
            "defines other",
        ),
        (
            "pools/pool0.live.xml",
            "<network/>",
            "begins with <network>",
        ),
        ("networks/net0.live.xml", "", "net0.live.xml"),
        (
            "volumes/pool0/srv01_system.xml",
            "<volume",
            "srv01_system.xml",
        ),
    ];
    for (file, text, expected) in broken {
        described(&host, &folder).await;
        std::fs::write(folder.join(file), text).expect("written");
        let error = described::read(&folder).expect_err(file).to_string();
        assert!(error.contains(expected), "{file}: {error}");
    }
    described(&host, &folder).await;
    std::fs::remove_file(folder.join("capabilities.xml")).expect("removed");
    let error = described::read(&folder).expect_err("missing").to_string();
    assert!(error.contains("capabilities.xml"), "{error}");

    let occupied = host.folder.path().join("salt");
    let error = described::save(&occupied, [("host.yaml", "")]).expect_err("occupied");
    assert!(error.to_string().contains("is not empty"), "{error}");
    for path in ["../x", "/etc/x", "", "vms/../../x"] {
        let error = described::save(&folder, [(path, "")]).expect_err(path);
        assert!(
            error.to_string().contains("which no description has"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_exported_changes_nothing() {
    let host = Host::new();
    host.fake.add_folder("/vms");
    host.folder.write("salt/first.sls", FIRST);
    applied(&host).await;
    let sls = host.call("virt.export").await.expect("exported").value;
    host.folder
        .write("salt/exported.sls", sls.as_str().expect("a text"));
    let plan = plan(&host.minion, "exported").await;
    let states = plan["states"].as_array().expect("states");
    assert_eq!(states.len(), 4, "{sls}");
    for state in states {
        assert_eq!(
            (&state["result"], &state["steps"]),
            (&json!(true), &json!([])),
            "{state:#}\n{sls}"
        );
    }
    let error = host
        .call("virt.export srv01 srv99")
        .await
        .expect_err("unknown");
    assert_eq!(error.message, "The VM \"srv99\" is not present");
}
