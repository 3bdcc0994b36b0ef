//! "A second run changes nothing", on libvirt itself: its test driver, and QEMU on a host of its own.
//!
//! Every row of the parameter table is applied twice, changed, applied twice again, and its parameter made null. Then
//! rows put together by a seed, on objects that run. The seed is printed; `SALAR_SEED=…` takes another.

#[path = "../../../states/tests/it/parameters/describe.rs"]
#[expect(unreachable_pub, reason = "shared with another test")]
mod describe;
#[path = "../../../states/tests/it/parameters/rows.rs"]
#[expect(unreachable_pub, dead_code, reason = "shared with another test")]
mod rows;

use agent::Minion;
use agent::functions::{Context, call};
use libvirt_driver::{LibvirtHypervisor, Options};
use rows::Row;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tree::Roots;

/// States by their ID: function and arguments.
type States = BTreeMap<String, (&'static str, Map<String, Value>)>;

/// A libvirt with a folder for pools, images and state files, which both go with the test.
struct Host {
    minion: Arc<Minion>,
    folder: PathBuf,
    lab: Option<PathBuf>,
}

impl Host {
    fn new(uri: &str, folder: PathBuf, lab: Option<PathBuf>) -> Self {
        for part in ["salt", "images", "pool", "pool2"] {
            std::fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        for number in 1..3 {
            for kind in ["iso", "k", "i", "fd", "vars"] {
                let file = folder.join(format!("images/{number}.{kind}"));
                std::fs::write(file, vec![0; 1 << 16]).expect("a file");
            }
            let image = folder.join(format!("images/{number}.qcow2"));
            let made = Command::new("qemu-img")
                .args(["create", "-q", "-f", "qcow2"])
                .arg(image)
                .arg("1M")
                .status();
            assert!(
                made.expect("qemu-img runs (Debian package qemu-utils)")
                    .success()
            );
        }
        let hypervisor = Arc::new(LibvirtHypervisor::open(uri, Options::default()));
        let mut minion = Minion::new("kvm1", hypervisor, uri, folder.join("state"));
        minion.files = Roots::new([folder.join("salt")]);
        minion.config = Map::from_iter([("virt".to_owned(), json!({ "images": "pool" }))]);
        Self {
            minion: Arc::new(minion),
            folder,
            lab,
        }
    }

    /// libvirt's test driver in this process.
    fn test_driver() -> Self {
        let folder = std::env::temp_dir().join(format!("salar-settles-{}", uuid::Uuid::new_v4()));
        Self::new("test:///default", folder, None)
    }

    /// QEMU on a host in namespaces of its own; `None` with the reason printed.
    fn qemu() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/test-host");
        let is_root = Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|id| id.stdout == b"0\n");
        let is_there = Path::new("/usr/bin/qemu-system-x86_64").exists();
        if !is_root || !is_there {
            let why = "this needs root and QEMU (Debian package qemu-system-x86)";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("skipped: {why}");
            return None;
        }
        // Short, because the path of a socket ends at 107 bytes.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(format!("/tmp/st-{}-{number}", std::process::id()));
        let lab = folder.join("host");
        std::fs::create_dir_all(&lab).expect("a folder");
        let run = |words: &[&str]| {
            let output = Command::new(&program)
                .arg("--dir")
                .arg(&lab)
                .args(words)
                .output();
            let output = output.expect("the lab runs");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        run(&["up", "--die-with", &std::process::id().to_string()]);
        let uri = run(&["uri"]);
        Some(Self::new(&uri, folder, Some(lab)))
    }

    /// Applies states, or only plans them; results by ID.
    async fn apply(&self, states: &States, test: bool) -> BTreeMap<String, Value> {
        let sls: Map<String, Value> = states
            .iter()
            .map(|(id, (fun, args))| {
                let args: Vec<Value> = args
                    .iter()
                    .map(|(key, value)| json!({ key: value }))
                    .collect();
                (id.clone(), json!({ format!("virt.{fun}"): args }))
            })
            .collect();
        let text = Value::Object(sls).to_string();
        std::fs::write(self.folder.join("salt/x.sls"), text).expect("written");
        let kwargs = Map::from_iter([("test".to_owned(), json!(test))]);
        let returned = call(
            &self.minion,
            "state.apply",
            &[json!("x")],
            &kwargs,
            &Context::quiet(),
        )
        .await
        .unwrap_or_else(|fault| panic!("{fault:?}"));
        let results = returned
            .value
            .as_object()
            .unwrap_or_else(|| panic!("{}", returned.value));
        results
            .values()
            .map(|result| {
                (
                    result["__id__"].as_str().unwrap_or_default().to_owned(),
                    result.clone(),
                )
            })
            .collect()
    }

    /// Applies, and again: the second run finds nothing to do, and plans nothing. Returns what failed, with the reason.
    async fn settle(&self, states: &States, faults: &mut Vec<String>) -> BTreeMap<String, String> {
        let done = self.apply(states, false).await;
        let text = |result: &Value| result["comment"].as_str().unwrap_or_default().to_owned();
        let failed: BTreeMap<String, String> = done
            .iter()
            .filter(|(_, result)| result["result"] != true)
            .map(|(id, result)| (id.clone(), text(result)))
            .collect();
        let mut settled = states.clone();
        settled.retain(|id, _| !failed.contains_key(id));
        if settled.is_empty() {
            return failed;
        }
        for test in [true, false] {
            for (id, result) in self.apply(&settled, test).await {
                if result["result"] != true || result["changes"] != json!({}) {
                    let first = text(&done[&id]);
                    faults.push(format!(
                        "{id}: {:?} after {first:?}: {:#}",
                        states[&id], result
                    ));
                }
            }
        }
        failed
    }

    /// What every row stands on.
    async fn prepare(&self) {
        let folder = |name: &str| json!(self.folder.join(name));
        let of = |pairs: Value| pairs.as_object().cloned().unwrap_or_default();
        let mut states = States::new();
        for pool in ["pool", "pool2"] {
            let args = of(json!({"ptype": "dir", "target": folder(pool)}));
            states.insert(pool.to_owned(), ("pool_running", args));
        }
        let results = self.apply(&states, false).await;
        assert!(
            results.values().all(|result| result["result"] == true),
            "{results:#?}"
        );
        let mut states = States::new();
        for volume in ["base", "base2"] {
            let args = of(json!({"pool": "pool", "size": 1, "format": "qcow2"}));
            states.insert(volume.to_owned(), ("volume_defined", args));
        }
        for network in ["net0", "net1"] {
            let args = of(json!({"bridge": network, "forward": null}));
            states.insert(network.to_owned(), ("network_running", args));
        }
        let results = self.apply(&states, false).await;
        assert!(
            results.values().all(|result| result["result"] == true),
            "{results:#?}"
        );
    }

    /// The arguments as they are meant on this host: its folders, devices that are not there, bridges of their own.
    fn placed(&self, args: &Map<String, Value>, number: usize) -> Map<String, Value> {
        let images = format!("{}/images/", self.folder.display());
        let text = Value::Object(args.clone()).to_string();
        let text = text
            .replace("/images/", &images)
            .replace(
                "\"/target",
                &format!("\"{}/t{number}", self.folder.display()),
            )
            .replace("/dev/vda", "/dev/no-such-disk")
            .replace("\"br7\"", &format!("\"b{number}a\""))
            .replace("\"br8\"", &format!("\"b{number}b\""))
            .replace("10.66.", &format!("10.{}.", 100 + number))
            .replace("fd00:", &format!("fd{:02}:", 10 + number));
        serde_json::from_str(&text).expect("still JSON")
    }

    /// Every row: twice with its first value, twice with its second, twice with null.
    async fn rows(&self, kind: &Kind, rows: &[Row], from: usize, faults: &mut Vec<String>) {
        let mut first = States::new();
        let mut second = States::new();
        let mut null = States::new();
        let mut paths = BTreeMap::new();
        for (number, row) in rows.iter().enumerate() {
            let number = from + number;
            let id = format!("{}{number}", kind.prefix);
            let base = describe::arguments(kind.base);
            let with = |args: Map<String, Value>| {
                let all = base.clone().into_iter().chain(args).collect();
                (kind.fun, self.placed(&all, number))
            };
            first.insert(id.clone(), with(describe::arguments(row.first)));
            second.insert(id.clone(), with(describe::arguments(row.second)));
            let mut without = describe::arguments(row.first);
            describe::set(&mut without, row.path, Value::Null);
            null.insert(id.clone(), with(without));
            paths.insert(id, row.path);
        }
        for (what, states) in [("first", first), ("second", second), ("null", null)] {
            let failed = self.settle(&states, faults).await;
            for (id, why) in failed {
                if !self.may_fail(&why, what) {
                    faults.push(format!(
                        "{} ({what}): {why} {:?}",
                        paths[&id], states[&id].1
                    ));
                }
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(lab) = &self.lab {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/test-host");
            let _ = Command::new(program)
                .arg("--dir")
                .arg(lab)
                .arg("down")
                .output();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Kind {
    prefix: &'static str,
    fun: &'static str,
    base: &'static str,
    rows: &'static [Row],
    /// The function that removes it.
    remove: &'static str,
    /// Two of its rows cannot be there at a time.
    one_by_one: bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        prefix: "rd",
        fun: "defined",
        base: rows::VM_BASE,
        rows: rows::VM,
        remove: "absent",
        one_by_one: false,
    },
    Kind {
        prefix: "rn",
        fun: "network_defined",
        base: rows::NETWORK_BASE,
        rows: rows::NETWORK,
        remove: "network_absent",
        one_by_one: false,
    },
    Kind {
        prefix: "rp",
        fun: "pool_defined",
        base: rows::POOL_BASE,
        rows: rows::POOL,
        remove: "pool_absent",
        one_by_one: true,
    },
    Kind {
        prefix: "rv",
        fun: "volume_defined",
        base: rows::VOLUME_BASE,
        rows: rows::VOLUME,
        remove: "volume_absent",
        one_by_one: false,
    },
    Kind {
        prefix: "rs",
        fun: "volume_present",
        base: "pool: pool",
        rows: rows::STORED,
        remove: "volume_absent",
        one_by_one: false,
    },
];

/// Objects that run at a time.
const DESCRIPTIONS: usize = 6;

impl Kind {
    /// It can be had on a host without hardware of its own.
    fn can_run(&self, row: &Row) -> bool {
        const CANNOT_START: &[&str] = &[
            "cpu: tuning",
            "mem: hugepages",
            "mem: hard_limit",
            "mem: soft_limit",
            "mem: swap_hard_limit",
            "mem: min_guarantee",
            "mem: locked",
            "boot:",
            "numatune",
            "cpu: placement",
            "interfaces: *: type",
            "interfaces: *: bridge",
            "nic_profile",
            "disks: *: image",
            "forward",
            "vport",
            "tag",
            "interfaces",
            "addresses",
            "physical_function",
            "ptype",
            "source",
        ];
        let is_nic = row.path.starts_with("interfaces: *: ") && row.first.contains("network: net0");
        is_nic || !CANNOT_START.iter().any(|start| row.path.starts_with(start))
    }
}

/// What a libvirt of the tests cannot do: its words, and why.
const CANNOT: &[(&str, &str)] = &[
    (
        "not an SR-IOV Virtual Function",
        "the host has no such card",
    ),
    ("unsupported console target type xen", "it is for Xen"),
    ("only supported for KVM", "the tests emulate"),
    (
        "TLS is disabled in qemu.conf",
        "the host of the tests has no certificate",
    ),
    ("'min_guarantee' not supported by QEMU", "it is for ESX"),
    (
        "unable to control COW flag",
        "the host of the tests has no btrfs",
    ),
    (
        "not supported by the connection driver",
        "the test driver fills and grows no volume",
    ),
    (
        "missing backend for pool type",
        "Debian builds no such pool",
    ),
    (
        "is not offered by this host",
        "the test driver has guests of its own",
    ),
    (
        "is not a device of the host",
        "the rows name devices of no real host",
    ),
    ("its SHA-256 is", "the images of the tests are made anew"),
    ("and disk a is to have", "another format is another volume"),
    (
        "A volume with the same name but different",
        "another format is another volume",
    ),
];

impl Host {
    /// A state that is refused before anything is touched, or by a libvirt that cannot.
    fn may_fail(&self, why: &str, what: &str) -> bool {
        let refused = what == "null" && !why.starts_with("cannot ");
        refused || CANNOT.iter().any(|(words, _)| why.contains(words))
    }

    /// What rows say together, on objects that run: applied twice, one of them changed, applied twice again, removed.
    async fn described(
        &self,
        kind: &Kind,
        running: &'static str,
        seed: u64,
        faults: &mut Vec<String>,
    ) -> usize {
        let rows: Vec<&'static Row> = kind.rows.iter().filter(|row| kind.can_run(row)).collect();
        let (mut first, mut second, mut gone) = (States::new(), States::new(), States::new());
        let mut told = BTreeMap::new();
        for number in 0..DESCRIPTIONS {
            let seed = seed.wrapping_mul(1000).wrapping_add(number as u64);
            let described = describe::description(&rows, seed, 4);
            let id = format!("{}r{number}", kind.prefix);
            let with = |args: Map<String, Value>| {
                let all = describe::arguments(kind.base)
                    .into_iter()
                    .chain(args)
                    .collect();
                (running, self.placed(&all, 60 + number))
            };
            first.insert(id.clone(), with(described.first));
            second.insert(id.clone(), with(described.second));
            gone.insert(
                id.clone(),
                (
                    kind.remove,
                    Map::from_iter([("force".to_owned(), json!(true))]),
                ),
            );
            told.insert(
                id,
                format!("{:?}, changed {}", described.rows, described.changed),
            );
        }
        let refused = self.settle(&first, faults).await;
        let is_there = |id: &String| !refused.contains_key(id);
        let ran = first.keys().filter(|id| is_there(id)).count();
        second.retain(|id, _| is_there(id));
        let mut failed = refused.clone();
        if !second.is_empty() {
            failed.extend(self.settle(&second, faults).await);
        }
        if running == "running" {
            second.retain(|id, _| !failed.contains_key(id));
            self.nothing_waits_after_a_start(&second, faults).await;
        }
        for (id, why) in failed {
            // Contradictions between rows, and what a host in a container cannot start.
            let is_fault = why.starts_with("cannot ")
                && !why.starts_with("cannot start ")
                && !self.may_fail(&why, "");
            if is_fault {
                faults.push(format!("{id}: {}: {why}", told[&id]));
            }
        }
        gone.retain(|id, _| is_there(id));
        let removed = self.apply(&gone, false).await;
        assert!(
            removed.values().all(|result| result["result"] == true),
            "{removed:#?}"
        );
        ran
    }

    /// What had to wait for the next start is there once it came.
    async fn nothing_waits_after_a_start(&self, vms: &States, faults: &mut Vec<String>) {
        let off: States = vms
            .keys()
            .map(|id| (id.clone(), ("powered_off", Map::new())))
            .collect();
        if off.is_empty() {
            return;
        }
        self.apply(&off, false).await;
        let started = self.apply(vms, false).await;
        for (id, result) in self.apply(vms, true).await {
            let comment = result["comment"].as_str().unwrap_or_default();
            if started[&id]["result"] == true
                && comment != format!("Domain {id} exists and is running")
            {
                faults.push(format!("{id} after a start: {:?}: {result:#}", vms[&id]));
            }
        }
    }

    /// The test driver shows no definition of a network or pool that runs but the running one, so there they do not run.
    async fn all_described(&self) {
        let seed = std::env::var("SALAR_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(1);
        eprintln!("SALAR_SEED={seed}");
        self.prepare().await;
        let mut faults = Vec::new();
        let functions = match self.lab {
            Some(_) => ["running", "network_running", "pool_running"],
            None => ["running", "network_defined", "pool_defined"],
        };
        for (kind, running) in KINDS.iter().zip(functions) {
            let ran = self.described(kind, running, seed, &mut faults).await;
            eprintln!("{running}: {ran} of {DESCRIPTIONS} ran");
            assert!(ran > 0 || !faults.is_empty(), "nothing of {running} ran");
        }
        assert!(
            faults.is_empty(),
            "SALAR_SEED={seed}\n{}",
            faults.join("\n")
        );
    }

    async fn every_row_settles(&self) {
        self.prepare().await;
        let mut faults = Vec::new();
        for kind in &KINDS {
            match kind.one_by_one {
                false => self.rows(kind, kind.rows, 0, &mut faults).await,
                true => {
                    for (number, row) in kind.rows.iter().enumerate() {
                        self.rows(kind, std::slice::from_ref(row), number, &mut faults)
                            .await;
                        let id = format!("{}{number}", kind.prefix);
                        let result = self
                            .apply(&States::from([(id, (kind.remove, Map::new()))]), false)
                            .await;
                        assert!(
                            result.values().all(|result| result["result"] == true),
                            "{result:#?}"
                        );
                    }
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[tokio::test]
async fn every_parameter_settles_on_the_test_driver() {
    Host::test_driver().every_row_settles().await;
}

#[tokio::test]
async fn every_parameter_settles_on_qemu() {
    if let Some(host) = Host::qemu() {
        host.every_row_settles().await;
    }
}

#[tokio::test]
async fn descriptions_settle_on_the_test_driver() {
    Host::test_driver().all_described().await;
}

#[tokio::test]
async fn descriptions_settle_on_qemu() {
    if let Some(host) = Host::qemu() {
        host.all_described().await;
    }
}
