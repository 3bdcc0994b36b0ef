//! Agents of other machines: real agents on fake hypervisors, the real server, the link over TLS, and the command line
//! of an administrator.

use crate::program::{Said, said, salar, until};
use agent::{Agent, Join, Minion, Received, ServerAddress};
use hypervisor::fake::FakeHypervisor;
use serde_json::Value;
use server::{Config, Timing};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tree::{Root, Roots};

/// A server that listens to agents.
pub struct Fleet {
    home: TempDir,
    agents: SocketAddr,
    runtime: Option<Runtime>,
    /// One of other machines would have its own.
    machines: Runtime,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An agent; it ends with the test, or when it is told to.
struct Machine {
    folder: TempDir,
    fake: Arc<FakeHypervisor>,
    stop: CancellationToken,
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn threads() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

impl Fleet {
    /// The folder of the server, and of what a test writes.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where it listens to agents.
    pub fn agents(&self) -> SocketAddr {
        self.agents
    }

    pub fn start(timing: Timing) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let home = TempDir::new().expect("a temporary folder");
        let mut fleet = Self {
            home,
            agents: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            runtime: None,
            machines: threads(),
        };
        fleet.serve(timing);
        fleet
    }

    /// Serves where it served before, if it did.
    fn serve(&mut self, timing: Timing) {
        let config = Config {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            listen_agents: vec![self.agents],
            file_roots: self.roots("salt"),
            pillar_roots: self.roots("pillar"),
            ..Config::new(self.home.path().join("state"))
        };
        let runtime = threads();
        let server = until("the server starts", || {
            // One that was killed a moment ago may still hold the store or the port.
            runtime
                .block_on(server::start_with(config.clone(), timing))
                .ok()
        });
        self.agents = server.started().agents[0];
        runtime.spawn(server.run_until(std::future::pending()));
        self.runtime = Some(runtime);
    }

    /// A folder of base and one of dev.
    fn roots(&self, kind: &str) -> Roots {
        let dir = |env: &str| Root {
            env: env.to_owned(),
            dir: self.home.path().join(format!("{kind}{env}")),
        };
        Roots::given([Root::base(self.home.path().join(kind)), dir("dev")])
    }

    /// As a power cut: nothing is closed in order.
    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    fn machine(&self, name: &str, join: Join) -> Machine {
        let folder = TempDir::new().expect("a temporary folder");
        self.boot(folder, name, join)
    }

    /// Starts an agent in a folder that may have been used before.
    fn boot(&self, folder: TempDir, name: &str, join: Join) -> Machine {
        self.boot_with(folder, Arc::new(FakeHypervisor::new(name)), name, join)
    }

    /// The same, on a hypervisor that may have been there before.
    fn boot_with(
        &self,
        folder: TempDir,
        fake: Arc<FakeHypervisor>,
        name: &str,
        join: Join,
    ) -> Machine {
        let state = folder.path().join("agent");
        let mut minion = Minion::new(name, fake.clone(), "fake:///system", state);
        minion.received = Some(Arc::new(Received::new(&minion.state_dir)));
        let agent = Agent {
            minion: Arc::new(minion),
            server: self.address(),
            join,
            vitals: Arc::default(),
        };
        let stop = CancellationToken::new();
        let until = stop.clone();
        self.machines.spawn(async move {
            agent::run(agent, until).await.expect("the agent can start");
        });
        Machine { folder, fake, stop }
    }

    /// Two addresses, the first of which nobody listens on.
    fn address(&self) -> ServerAddress {
        let text = format!("https://127.0.0.1:1,https://{}", self.agents);
        text.parse().expect("is an address")
    }

    /// Writes a file below the server's home.
    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("a folder");
        std::fs::write(path, text).expect("is written");
    }

    pub fn cli(&self, words: &[&str]) -> Said {
        said(salar(self.home.path(), words).env("SALAR_STATE_DIR", self.home.path().join("state")))
    }

    fn done(&self, words: &[&str]) -> String {
        let said = self.cli(words);
        assert_eq!(said.status, 0, "{words:?}: {said:?}");
        said.out
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(words)).expect("is JSON")
    }

    fn token(&self) -> Join {
        let text = self.done(&["key", "token", "--minutes", "5"]);
        Join {
            token: Some(text.parse().expect("is a token")),
            ca: None,
        }
    }

    /// Waits until a name has a key of this status; its fingerprint.
    fn key(&self, name: &str, status: &str) -> String {
        until(&format!("the key of {name} is {status}"), || {
            let keys = self.json(&["key", "list", status, "--json"]);
            let keys = keys["keys"].as_array().expect("a list").clone();
            let key = keys.into_iter().find(|key| key["name"] == name)?;
            key["fingerprint"].as_str().map(str::to_owned)
        })
    }

    fn host(&self, name: &str, freshness: &str) {
        until(&format!("{name} is {freshness}"), || {
            let hosts = self.json(&["host", "list", "--json"]);
            let hosts = hosts.as_array().expect("a list").clone();
            hosts
                .into_iter()
                .any(|host| host["name"] == name && host["freshness"] == freshness)
                .then_some(())
        });
    }

    fn pings(&self, name: &str) {
        let returned = self.json(&["run", name, "test.ping", "--out", "json"]);
        assert_eq!(returned[name], true, "{returned}");
    }
}

fn certificate(machine: &Machine) -> Option<String> {
    let file = machine.folder.path().join("agent/certificate.json");
    std::fs::read_to_string(file).ok()
}

fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file)
        .expect("is there")
        .permissions()
        .mode();
    mode & 0o077 == 0
}

#[test]
fn a_key_is_accepted_by_hand_and_its_agent_works() {
    let fleet = Fleet::start(Timing::default());
    let machine = fleet.machine("kvm1", Join::default());
    let print = fleet.key("kvm1", "unaccepted");
    assert!(is_private(
        &machine.folder.path().join("agent/agent-key.pem")
    ));
    assert!(fleet.done(&["key", "finger"]).contains(&print));
    assert_eq!(
        fleet.json(&["host", "list", "--json"]),
        serde_json::json!([])
    );
    fleet.done(&["key", "accept", "kvm*"]);
    fleet.host("kvm1", "live");
    fleet.pings("kvm1");

    // Deleted: cut at once, and the key waits like a new one. Accepted again: the same host.
    fleet.done(&["key", "delete", "kvm1"]);
    fleet.host("kvm1", "unreachable");
    assert_eq!(fleet.key("kvm1", "unaccepted"), print);
    fleet.done(&["key", "accept", &print]);
    fleet.host("kvm1", "live");
    assert_eq!(
        fleet
            .json(&["host", "list", "--json"])
            .as_array()
            .map(Vec::len),
        Some(1)
    );

    // Rejected: cut, and it stays out, though it asks.
    fleet.done(&["key", "reject", "kvm1"]);
    fleet.host("kvm1", "unreachable");
    assert_eq!(fleet.key("kvm1", "rejected"), print);
    let nothing = fleet.cli(&["key", "reject", "kvm1"]);
    assert!(
        nothing.err.contains("the key of kvm1 is rejected"),
        "{nothing:?}"
    );
    fleet.done(&["key", "accept", "kvm1"]);
    fleet.key("kvm1", "accepted");
}

#[test]
fn a_token_lets_one_agent_in() {
    let fleet = Fleet::start(Timing::default());
    let token = fleet.token();
    let _first = fleet.machine("kvm1", token.clone());
    fleet.host("kvm1", "live");
    assert_eq!(
        fleet.json(&["key", "tokens", "--json"]),
        serde_json::json!([])
    );
    let _second = fleet.machine("kvm2", token.clone());
    fleet.key("kvm2", "unaccepted");

    // Of another server: its secret is told to nobody here.
    let mut other = token;
    if let Some(token) = &mut other.token {
        token.ca.0[0] ^= 1;
    }
    let stranger = fleet.machine("kvm3", other);
    let _fourth = fleet.machine("kvm4", fleet.token());
    fleet.host("kvm4", "live");
    assert!(!fleet.done(&["key", "list"]).contains("kvm3"));
    assert!(!stranger.folder.path().join("agent/server-ca.der").exists());

    let id = {
        fleet.token();
        let tokens = fleet.json(&["key", "tokens", "--json"]);
        tokens[0]["id"].as_str().expect("an id").to_owned()
    };
    fleet.done(&["key", "revoke-token", &id]);
    assert_eq!(fleet.cli(&["key", "revoke-token", &id]).status, 1);
}

#[test]
fn a_name_and_a_host_belong_to_one_key() {
    let fleet = Fleet::start(Timing::default());
    let first = fleet.machine("kvm1", fleet.token());
    fleet.host("kvm1", "live");
    let _second = fleet.machine("kvm1", fleet.token());
    let print = fleet.key("kvm1", "denied");
    let refused = fleet.cli(&["key", "accept", &print]);
    assert!(
        refused.status == 1 && refused.err.contains("another key has this host or name"),
        "{refused:?}"
    );
    fleet.pings("kvm1");

    // The copy of a machine has its key, too; it is known by the name that was accepted.
    let copy = TempDir::new().expect("a temporary folder");
    std::fs::create_dir(copy.path().join("agent")).expect("is made");
    for file in ["agent-key.pem", "host_id"] {
        let from = first.folder.path().join("agent").join(file);
        std::fs::copy(from, copy.path().join("agent").join(file)).expect("is copied");
    }
    let _copy = fleet.boot(copy, "kvm9", Join::default());
    let _other = fleet.machine("kvm2", fleet.token());
    fleet.host("kvm2", "live");
    assert!(!fleet.done(&["key", "list"]).contains("kvm9"));
}

#[test]
fn agents_come_back_to_a_server_that_was_killed() {
    let mut fleet = Fleet::start(Timing::default());
    let names = ["kvm1", "kvm2", "kvm3"];
    let _machines = names.map(|name| fleet.machine(name, fleet.token()));
    for name in names {
        fleet.host(name, "live");
    }
    fleet.kill();
    fleet.serve(Timing::default());
    for name in names {
        fleet.host(name, "live");
    }
    // One after the other, and all in the end: a job for each.
    let out = fleet.done(&["run", "*", "test.ping", "--batch", "1", "--out", "txt"]);
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, names.map(|name| format!("{name}: True")));
    let jobs = fleet.json(&["job", "list", "--json"]);
    let jobs = jobs.as_array().expect("a list");
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        assert_eq!((&job["actions"], &job["succeeded"]), (&1.into(), &1.into()));
        let jid = job["jid"].as_str().expect("a jid");
        let shown = fleet.json(&["job", "show", jid, "--out", "json"]);
        assert_eq!(shown[job["target"].as_str().expect("a name")], true);
    }
    assert_eq!(fleet.done(&["job", "list", "--open"]).lines().count(), 1);
    // Grains are of the store; they are there before and after.
    let words = [
        "run",
        "-C",
        "G@id:kvm[12] and not kvm2",
        "test.ping",
        "--out",
        "json",
    ];
    assert_eq!(fleet.json(&words), serde_json::json!({ "kvm1": true }));
    for name in names {
        fleet.pings(name);
    }
}

#[test]
fn certificates_are_renewed_before_they_end() {
    let short = Timing {
        certificate: Duration::from_secs(3),
        ..Timing::default()
    };
    let mut fleet = Fleet::start(short);
    let machine = fleet.machine("kvm1", fleet.token());
    fleet.host("kvm1", "live");
    let mut seen = vec![until("a certificate", || certificate(&machine))];
    while seen.len() < 3 {
        let next = until("the next certificate", || {
            certificate(&machine).filter(|now| Some(now) != seen.last())
        });
        seen.push(next);
    }
    fleet.pings("kvm1");

    // One that ended while the server was away is no harm either.
    fleet.kill();
    std::thread::sleep(Duration::from_secs(4));
    fleet.serve(short);
    fleet.host("kvm1", "live");
}

/// What was in the queue of a backup has been done since: it is done once, and its result is the true one.
#[test]
fn an_action_of_a_backup_is_not_done_again() {
    let mut fleet = Fleet::start(Timing::default());
    let mut machine = fleet.machine("kvm1", fleet.token());
    fleet.host("kvm1", "live");
    fleet.done(&[
        "run",
        "kvm1",
        "virt.pool_define",
        "pool1",
        "dir",
        "target=/vms",
    ]);
    machine.stop.cancel();
    fleet.host("kvm1", "unreachable");
    let stop = ["run", "kvm1", "virt.pool_stop", "pool1"];
    let jid = fleet.done(&[&stop[..], &["--async"]].concat());
    let jid = jid.trim();
    let file = fleet.home.path().join("backup.tar.gz");
    let file = file.to_str().expect("text").to_owned();
    fleet.done(&["backup", &file]);

    let folder = std::mem::replace(
        &mut machine.folder,
        TempDir::new().expect("a temporary folder"),
    );
    let fake = machine.fake.clone();
    let _machine = fleet.boot_with(folder, fake, "kvm1", Join::default());
    let show = ["job", "show", jid, "--wait", "--out", "json"];
    assert_eq!(fleet.json(&show)["kvm1"], true);
    // It would fail now.
    assert_eq!(fleet.cli(&stop).status, 1);

    fleet.kill();
    until("the server is gone", || {
        let restored = fleet.cli(&["restore", &file, "--replace"]);
        (restored.status == 0).then_some(())
    });
    fleet.serve(Timing::default());
    fleet.host("kvm1", "live");
    assert_eq!(fleet.json(&show)["kvm1"], true);
}

/// All that is below a folder, as one text.
fn content_below(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("is a folder") {
        let path = entry.expect("is there").path();
        if path.is_dir() {
            text.push_str(&content_below(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}

#[test]
fn other_environments_come_from_the_server_too() {
    let fleet = Fleet::start(Timing::default());
    let pool = |path: &str| {
        format!(
            "pool1:\n  virt.pool_running:\n    - ptype: dir\n    - target: {path}/{{{{ pillar.get('who', 'nobody') }}}}\n"
        )
    };
    fleet.write("salt/web.sls", pool("/base"));
    fleet.write("saltdev/web.sls", pool("/dev"));
    fleet.write("saltdev/only.sls", "pool1:\n  virt.pool_absent: []\n");
    fleet.write("pillar/top.sls", "base:\n  '*': [who]\n");
    fleet.write("pillar/who.sls", "who: base-pillar\n");
    fleet.write("pillardev/top.sls", "dev:\n  '*': [more]\n");
    fleet.write("pillardev/more.sls", "more: dev-pillar\nsecret: of-dev\n");
    let machine = fleet.machine("kvm1", fleet.token());
    fleet.host("kvm1", "live");
    let target = || {
        let xml = fleet.json(&["run", "kvm1", "virt.pool_get_xml", "pool1", "--out", "json"]);
        let xml = xml.to_string();
        let at = xml.find("<path>").expect("has a path");
        xml[at + 6..].split('<').next().expect("ends").to_owned()
    };

    // Without a word on it the pillar is that of all environments.
    let all = fleet.json(&["run", "kvm1", "pillar.items", "--out", "json"]);
    assert_eq!(
        all["kvm1"],
        serde_json::json!({ "who": "base-pillar", "more": "dev-pillar", "secret": "of-dev" })
    );
    fleet.done(&["run", "kvm1", "state.apply", "web"]);
    assert_eq!(target(), "/base/base-pillar");
    let only = fleet.cli(&["run", "kvm1", "state.apply", "only"]);
    assert!(only.out.contains("No matching sls found"), "{only:?}");

    // An edit in one environment counts at once, too.
    fleet.done(&["run", "kvm1", "state.apply", "only", "saltenv=dev"]);
    fleet.write("saltdev/web.sls", pool("/newer"));
    fleet.done(&[
        "run",
        "kvm1",
        "state.apply",
        "web",
        "saltenv=dev",
        "pillarenv=dev",
    ]);
    assert_eq!(target(), "/newer/nobody");
    let none = fleet.cli(&["run", "kvm1", "state.apply", "web", "saltenv=prod"]);
    assert!(none.status != 0 && none.out.contains("prod"), "{none:?}");

    // What was rendered for one call is not kept as the host's pillar.
    let kept = Received::new(&machine.folder.path().join("agent"));
    let (pillar, _) = kept.pillar().expect("a pillar");
    assert_eq!(pillar["who"], "base-pillar");
    assert_eq!(kept.roots().dirs("dev").len(), 1);
}

#[test]
fn state_files_and_pillar_come_from_the_server_and_no_host_sees_another_s_pillar() {
    let mut fleet = Fleet::start(Timing::default());
    fleet.write(
        "pillar/top.sls",
        "base:\n  kvm1: [one]\n  'G@id:kvm2': [two]\n",
    );
    fleet.write(
        "pillar/one.sls",
        "where: /{{ grains['id'] }}\nsecret: only-for-kvm1\n",
    );
    fleet.write("pillar/two.sls", "where: /two\nsecret: only-for-kvm2\n");
    fleet.write("salt/web/map.jinja", "{% set name = 'pool1' %}");
    fleet.write(
        "salt/web/init.sls",
        "{% from 'web/map.jinja' import name %}\n{{ name }}:\n  virt.pool_running:\n    - ptype: dir\n    - target: {{ pillar['where'] }}\n",
    );
    let (first, second) = (
        fleet.machine("kvm1", fleet.token()),
        fleet.machine("kvm2", fleet.token()),
    );
    for name in ["kvm1", "kvm2"] {
        fleet.host(name, "live");
    }
    let secrets = fleet.json(&["run", "*", "pillar.get", "secret", "-s", "--out", "json"]);
    assert_eq!(
        secrets,
        serde_json::json!({ "kvm1": "only-for-kvm1", "kvm2": "only-for-kvm2" })
    );
    fleet.done(&["run", "*", "state.apply", "web"]);
    let pools = fleet.json(&["run", "kvm1", "virt.pool_get_xml", "pool1", "--out", "json"]);
    assert!(pools.to_string().contains("/kvm1"), "{pools}");
    for (machine, own, other) in [
        (&first, "only-for-kvm1", "only-for-kvm2"),
        (&second, "only-for-kvm2", "only-for-kvm1"),
    ] {
        let all = content_below(&machine.folder.path().join("agent/tree"));
        assert!(all.contains(own) && !all.contains(other), "{all}");
        assert!(!all.contains("G@id"), "pillar files stay on the server");
    }

    // An edit counts at once, and what is gone is gone.
    fleet.write("salt/web/init.sls", "pool1:\n  virt.pool_absent: []\n");
    fleet.done(&["run", "kvm1", "state.apply", "web"]);
    let gone = fleet.cli(&["run", "kvm1", "virt.pool_get_xml", "pool1"]);
    assert_eq!(gone.status, 1, "{gone:?}");
    std::fs::remove_dir_all(fleet.home.path().join("salt/web")).expect("is removed");
    let missing = fleet.cli(&["run", "kvm1", "state.apply", "web"]);
    assert!(missing.out.contains("No matching sls found"), "{missing:?}");

    // A pillar that does not render stops states; the rest of it is not used by accident.
    fleet.write("salt/web/init.sls", "pool1:\n  virt.pool_absent: []\n");
    fleet.write("pillar/one.sls", "where: {{ salt['test.ping']() }}\n");
    let broken = fleet.cli(&["run", "kvm1", "state.apply", "web"]);
    assert!(
        broken.out.contains("Pillar failed to render") && broken.out.contains("test.ping"),
        "{broken:?}"
    );
    fleet.write("pillar/one.sls", "where: /one\n");

    // Large files are fetched when a state asks for them, by the hosts that do.
    fleet.write("salt/images/base.raw", vec![7; 3 * 1024 * 1024 + 5]);
    fleet.write(
        "salt/image.sls",
        "pool2:\n  virt.pool_running:\n    - ptype: dir\n    - target: /two\nvm1:\n  virt.defined:\n    - cpu: 1\n    - mem: 64\n    - disks:\n      - name: system\n        image: salt://images/base.raw\n        format: raw\n        pool: pool2\n",
    );
    let plan = fleet.cli(&["run", "kvm1", "state.apply", "image", "test=True"]);
    assert!(!plan.out.contains("cannot get"), "{plan:?}");
    let image = |machine: &Machine| {
        let path = "agent/tree/current/base/images/base.raw";
        std::fs::metadata(machine.folder.path().join(path)).map(|meta| meta.len())
    };
    assert_eq!(image(&first).ok(), Some(3 * 1024 * 1024 + 5), "{plan:?}");
    assert!(image(&second).is_err());

    // What was received outlives the server.
    fleet.kill();
    let kept = Received::new(&first.folder.path().join("agent"));
    assert!(kept.is_there());
    let (pillar, errors) = kept.pillar().expect("a pillar");
    assert_eq!((&pillar["where"], errors.len()), (&"/one".into(), 0));
}
