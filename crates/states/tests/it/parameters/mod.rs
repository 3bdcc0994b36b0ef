//! Every parameter of every state that describes something: what it becomes in libvirt's XML, what a change of it does to
//! an object that runs, and that a second run has nothing to do.
//!
//! The rows are in [`rows`]; what their plans look like is in the `.txt` files beside it (`UPDATE_EXPECT=1` writes them
//! anew: read the difference). A parameter that the parsers know and that has no row fails the tests.

mod bad;
pub(crate) mod describe;
mod paths;
pub(crate) mod rows;

use crate::host::{Host, State, summary, virt};
use domxml::read::NodeExt;
use expect_test::expect_file;
use model::VmStatus;
use model::plan::{Consequence, NetworkOp, PoolOp, SecretOp, Step, VmOp, VolumeOp};
use rows::Row;
use serde_json::Value;
use sls::Catalog;
use states::updating::{self, Attribute, Effect, Object};
use states::{ChunkPlan, StateError};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

/// A kind of object with its rows.
pub(crate) struct Kind {
    pub(crate) fun: &'static str,
    pub(crate) base: &'static str,
    pub(crate) rows: &'static [&'static [Row]],
    object: Option<Object>,
    schema: &'static str,
}

pub(crate) const VM: Kind = Kind {
    fun: "running",
    base: rows::VM_BASE,
    rows: &[rows::VM],
    object: Some(Object::Vm),
    schema: "domain",
};

pub(crate) const NETWORK: Kind = Kind {
    fun: "network_running",
    base: rows::NETWORK_BASE,
    rows: &[rows::NETWORK],
    object: Some(Object::Network),
    schema: "network",
};

pub(crate) const POOL: Kind = Kind {
    fun: "pool_running",
    base: rows::POOL_BASE,
    rows: &[rows::POOL],
    object: Some(Object::Pool),
    schema: "storagepool",
};

pub(crate) const VOLUME: Kind = Kind {
    fun: "volume_defined",
    base: rows::VOLUME_BASE,
    rows: &[rows::VOLUME],
    object: None,
    schema: "storagevol",
};

pub(crate) const STORED: Kind = Kind {
    fun: "volume_present",
    base: "pool: pool",
    rows: &[rows::VOLUME, rows::STORED],
    object: None,
    schema: "storagevol",
};

pub(crate) const KINDS: [&Kind; 5] = [&VM, &NETWORK, &POOL, &VOLUME, &STORED];

/// What describes nothing of an object, and so has no row.
const NO_ATTRIBUTES: &[(&str, &str)] = &[
    ("name", "which object it is"),
    ("pool", "where a volume is"),
    ("connection", "where it is"),
    ("username", "for the connection"),
    ("password", "for the connection"),
    ("live", "how it is changed"),
    ("seed", "nothing is put into disks"),
    ("install", "nothing is put into disks"),
    ("pub_key", "nothing is put into disks"),
    ("priv_key", "nothing is put into disks"),
    ("consoles: *: target_port", "libvirt numbers consoles"),
    ("disks: *: hostname_property", "refused: bhyve only"),
    ("disks: *: sparse_volume", "refused: bhyve only"),
    ("ipv4_config: hosts: *: id", "refused: for IPv6"),
    ("ipv6_config: hosts: *: mac", "refused: for IPv4"),
    ("ipv6_config: bootp", "refused: for IPv4"),
    ("ipv6_config: tftp", "refused: for IPv4"),
];

/// What has a row and is no attribute: it stands for others.
const STANDS_FOR_OTHERS: &[&str] = &["disk_profile", "nic_profile"];

impl Kind {
    pub(crate) fn all_rows(&self) -> impl Iterator<Item = &'static Row> {
        self.rows.iter().copied().flatten()
    }

    /// A state of `x` with the arguments over those of every row.
    pub(crate) fn state(&self, args: &str) -> State {
        let mut state = virt(self.fun, "x", self.base);
        // The rows of volumes without an image have a size.
        if self.fun == "volume_present" && !args.contains("image") {
            state.args.insert("size".to_owned(), Value::from(10));
        }
        for (key, value) in describe::arguments(args) {
            state.args.insert(key, value);
        }
        state
    }

    fn attribute(&self, row: &Row) -> Option<&'static Attribute> {
        let all = updating::attributes(self.object?).iter();
        let all: Vec<&Attribute> = all.filter(|a| a.parameter == row.path).collect();
        let own = all.iter().find(|a| a.place == row.place);
        own.or(all.first()).copied()
    }
}

/// A host with pools, images and networks for the rows.
pub(crate) fn host() -> Host {
    static HOST: std::sync::LazyLock<Host> = std::sync::LazyLock::new(new_host);
    HOST.clone()
}

fn new_host() -> Host {
    let mut host = Host::offering(
        "<capabilities><host><cpu><arch>x86_64</arch></cpu></host>
        <guest><os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest>
        <guest><os_type>hvm</os_type><arch name='aarch64'><domain type='qemu'/></arch></guest></capabilities>",
    );
    host.seen.config = states::Config::read(|key| (key == "virt:images").then(|| "pool".into()));
    for pool in ["pool", "pool2"] {
        let target = format!("{{ptype: dir, target: /{pool}}}");
        host.apply(&virt("pool_running", pool, &target));
    }
    for volume in ["base", "base2"] {
        let volume = virt(
            "volume_defined",
            volume,
            "{pool: pool, size: 1, format: qcow2}",
        );
        host.apply(&volume);
    }
    let devices = [
        "<device><name>pci_0000_00_04_0</name><capability type='pci'><domain>0</domain><bus>0</bus><slot>4</slot><function>0</function></capability></device>",
        "<device><name>usb_1_2</name><capability type='usb_device'><product id='0x0002'/><vendor id='0x1d6b'/></capability></device>",
        "<device><name>net_eth0</name><capability type='net'/></device>",
    ];
    let devices = devices.map(|xml| domxml::device::read(xml).expect("a device"));
    host.seen.node_devices = Some(devices.into());
    for number in 1..3 {
        for kind in ["qcow2", "iso", "k", "i", "fd", "vars"] {
            let path = format!("/images/{number}.{kind}");
            host.seen.paths.insert(path, states::HostPath::File);
        }
    }
    host
}

/// The definition that a plan writes, and what else a row can be about.
fn value_at(plan: &ChunkPlan, place: &str) -> String {
    let there = plan
        .plan
        .steps
        .iter()
        .find_map(|planned| match (&planned.step, place) {
            (
                Step::Vm {
                    op: VmOp::Autostart(on),
                    ..
                },
                "autostart",
            )
            | (
                Step::Network {
                    op: NetworkOp::Autostart(on),
                    ..
                },
                "autostart",
            )
            | (
                Step::Pool {
                    op: PoolOp::Autostart(on),
                    ..
                },
                "autostart",
            ) => Some(paths::python(*on)),
            (
                Step::Volume {
                    op: VolumeOp::Write { .. },
                    ..
                },
                "written",
            )
            | (
                Step::Secret {
                    op: SecretOp::SetValue { .. },
                    ..
                },
                "written",
            )
            | (
                Step::Pool {
                    op: PoolOp::CreateTransient { .. },
                    ..
                },
                "transient",
            ) => Some(paths::python(true)),
            (
                Step::Volume {
                    op: VolumeOp::CreateFromImage { image, .. },
                    ..
                },
                "image:location",
            ) => Some(image.location.clone()),
            (
                Step::Volume {
                    op: VolumeOp::CreateFromImage { image, .. },
                    ..
                },
                "image:checksum",
            ) => image.checksum.clone(),
            (
                Step::Volume {
                    op: VolumeOp::Create { xml },
                    ..
                },
                _,
            ) => paths::value(xml, place.strip_prefix("volume:")?),
            _ => None,
        });
    let special = ["autostart", "written", "transient"].contains(&place) || place.contains(':');
    match there {
        Some(value) => value,
        None if special && !place.contains("[") => "-".to_owned(),
        None => definition(plan)
            .and_then(|xml| paths::value(&xml, place))
            .unwrap_or_else(|| "-".to_owned()),
    }
}

fn definition(plan: &ChunkPlan) -> Option<String> {
    plan.plan
        .steps
        .iter()
        .find_map(|planned| Some(planned.diff.as_ref()?.after.clone()))
}

/// What is written for libvirt, with the schema it has to fit.
fn documents(kind: &Kind, plan: &ChunkPlan) -> Vec<(&'static str, String)> {
    let steps = plan.plan.steps.iter();
    steps
        .filter_map(|planned| match &planned.step {
            Step::Volume {
                op: VolumeOp::Create { xml },
                ..
            } => Some(("storagevol", xml.clone())),
            _ => Some((kind.schema, planned.diff.as_ref()?.after.clone())),
        })
        .collect()
}

/// Whether what waits is about a place.
fn waits_for(plan: &ChunkPlan, place: &str) -> bool {
    plan.plan.pending.iter().any(|waiting| {
        let subject = waiting.split(": ").next().unwrap_or_default();
        let device = subject.contains(' ') || ["cloud-init", "type"].contains(&subject);
        let boundary = |rest: &str| rest.is_empty() || rest.starts_with(['/', '@', '[']);
        device || place.strip_prefix(subject).is_some_and(boundary)
    })
}

/// Plans and applies, checks that nothing is left to do, and tells what was planned.
fn settled(host: &mut Host, state: &State) -> Result<ChunkPlan, StateError> {
    let plan = host.plan(state)?;
    host.apply(state);
    let again = host.plan(state).expect("planned once, planned twice");
    assert!(again.plan.is_empty(), "{state:?}\n{}", summary(&again));
    assert!(again.applied(&[]).changes.is_empty(), "{state:?}");
    Ok(plan)
}

/// As after its next start.
fn restart(host: &mut Host) {
    for vm in host.seen.vms.values_mut().flatten() {
        vm.xml_live = vm.xml_live.as_ref().and(vm.xml_persistent.clone());
    }
    for pool in host.seen.pools.values_mut().flatten() {
        pool.xml_live = pool.xml_live.as_ref().map(|_| pool.xml.clone());
    }
    for network in host.seen.networks.values_mut().flatten() {
        if let Some(xml) = &network.xml_persistent {
            network.xml = xml.clone();
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// One row: created, changed, made null. What it is in XML, and what is planned.
fn tell(kind: &Kind, row: &Row, written: &mut Vec<(&'static str, String)>) -> String {
    let mut told = format!("{}\n", row.path);
    let mut host = host();
    let first = kind.state(row.first);
    let created =
        settled(&mut host, &first).unwrap_or_else(|error| panic!("{}: {error}", row.path));
    assert!(
        created.plan.pending.is_empty(),
        "{}: {:?}",
        row.path,
        created.plan.pending
    );
    assert_eq!(
        value_at(&created, row.place),
        row.values.0,
        "{} at {}",
        row.path,
        row.place
    );
    written.extend(documents(kind, &created));
    writeln!(
        told,
        "  {} = {}, then {}",
        row.place, row.values.0, row.values.1
    )
    .expect("a text");

    let mut off = host.clone();
    let second = kind.state(row.second);
    let effect = kind.attribute(row).map(|attribute| attribute.effect);
    match settled(&mut host, &second) {
        Ok(plan) => {
            check_change(kind, row, &plan, effect, written);
            told.push_str(&indented(&summary(&plan)));
            restart(&mut host);
            let later = host.plan(&second).expect("a plan");
            let grows = row.path.ends_with("size") && kind.fun == "running";
            assert!(
                later.plan.pending.is_empty() || grows,
                "{}: {:?}",
                row.path,
                later.plan.pending
            );
        }
        Err(error) => {
            assert!(
                matches!(effect, Some(Effect::OnlyNew) | None),
                "{}: {error}",
                row.path
            );
            told.push_str(&indented(&format!("refused: {error}")));
        }
    }
    turn_off(&mut off);
    if let Ok(plan) = off.plan(&second) {
        let starts =
            |summary: &str| summary.starts_with("Start ") && !summary.ends_with("with its host");
        let others = plan.plan.steps.iter().filter(|step| !starts(&step.summary));
        let worst = others
            .map(|step| step.consequence)
            .max()
            .unwrap_or(Consequence::None);
        assert_eq!(worst, Consequence::None, "{}: {}", row.path, summary(&plan));
        assert!(
            plan.plan.pending.is_empty(),
            "{}: {:?}",
            row.path,
            plan.plan.pending
        );
    }
    told.push_str(&tell_null(kind, row, &first, written));
    told
}

fn turn_off(host: &mut Host) {
    for vm in host.seen.vms.values_mut().flatten() {
        (vm.xml_live, vm.status) = (None, VmStatus::Shutoff);
    }
    for pool in host
        .seen
        .pools
        .values_mut()
        .flatten()
        .filter(|pool| pool.name == "x")
    {
        (pool.xml_live, pool.active) = (None, false);
    }
    for network in host.seen.networks.values_mut().flatten() {
        (network.xml_persistent, network.active) = (None, false);
    }
}

fn check_change(
    kind: &Kind,
    row: &Row,
    plan: &ChunkPlan,
    effect: Option<Effect>,
    written: &mut Vec<(&'static str, String)>,
) {
    let said = || format!("{}: {:?}\n{}", row.path, effect, summary(plan));
    if definition(plan).is_some() || row.values.1 != "-" {
        let after = value_at(plan, row.place);
        let live_only = definition(plan).is_none() && after == "-";
        assert!(
            after == row.values.1 || live_only,
            "{after} at {}: {}",
            row.place,
            said()
        );
    }
    assert!(
        plan.plan.consequence() <= Consequence::NextBoot,
        "{}",
        said()
    );
    let waits = waits_for(plan, row.place);
    match effect {
        Some(Effect::Live) => assert!(!waits, "{}", said()),
        Some(Effect::NextStart | Effect::Stopping) => {
            assert!(waits, "{}", said());
            let defines = plan.plan.steps.iter().find(|step| step.diff.is_some());
            assert!(
                defines.is_none_or(|step| step.consequence == Consequence::NextBoot),
                "{}",
                said()
            );
        }
        Some(Effect::OnlyNew) => assert!(plan.plan.is_empty() && !waits, "{}", said()),
        None => {}
    }
    written.extend(documents(kind, plan));
}

/// The first value made null on an object that has it.
fn tell_null(
    kind: &Kind,
    row: &Row,
    first: &State,
    written: &mut Vec<(&'static str, String)>,
) -> String {
    let mut without = first.clone();
    let mut host = host();
    host.apply(first);
    describe::set(&mut without.args, row.path, Value::Null);
    match settled(&mut host, &without) {
        Err(error) => indented(&format!("null: {error}")),
        Ok(plan) if plan.plan.is_empty() => indented("null: left as it is"),
        Ok(plan) => {
            written.extend(documents(kind, &plan));
            indented(&format!("null: {}", summary(&plan).replace('\n', "; ")))
        }
    }
}

/// Every row, also after one that fails.
fn check(kind: &Kind, rows: &[Row], expected: &expect_test::ExpectFile) {
    let mut written = Vec::new();
    let mut told = String::new();
    let mut failed = Vec::new();
    for row in rows {
        let one = AssertUnwindSafe(|| tell(kind, row, &mut written));
        match std::panic::catch_unwind(one) {
            Ok(text) => told.push_str(&text),
            Err(_) => failed.push(row.path),
        }
    }
    assert!(failed.is_empty(), "rows that fail: {failed:#?}");
    crate::schema::validate_all(&written);
    expected.assert_eq(&told);
}

#[test]
fn vms() {
    check(&VM, rows::VM, &expect_file!["vm.txt"]);
}

#[test]
fn networks() {
    check(&NETWORK, rows::NETWORK, &expect_file!["network.txt"]);
}

#[test]
fn pools() {
    check(&POOL, rows::POOL, &expect_file!["pool.txt"]);
}

#[test]
fn volumes() {
    check(&VOLUME, rows::VOLUME, &expect_file!["volume.txt"]);
    check(&STORED, rows::STORED, &expect_file!["stored.txt"]);
}

/// The keys that a dictionary at a path of the row may have, from what the parser says of one that it does not know.
fn keys_at(kind: &Kind, row: &Row, prefix: &[&str]) -> Vec<String> {
    let mut state = kind.state(row.first);
    let path = [prefix, &["zqzqzqzq"]].concat().join(": ");
    describe::set(&mut state.args, &path, Value::from(1));
    let error = match host().plan(&state) {
        // Its keys are the author's to choose.
        Ok(_) => return Vec::new(),
        Err(error) => error.to_string(),
    };
    let Some((_, keys)) = error.split_once("The keys are ") else {
        return Vec::new();
    };
    assert!(error.contains("there is no key zqzqzqzq here"), "{error}");
    keys.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_parameter_has_a_row() {
    let mut missing = BTreeSet::new();
    for kind in KINDS {
        let rows: Vec<&Row> = kind.all_rows().collect();
        let has_row = |path: &str| {
            let inside = format!("{path}: ");
            NO_ATTRIBUTES.iter().any(|(known, _)| *known == path)
                || rows
                    .iter()
                    .any(|row| row.path == path || row.path.starts_with(&inside))
        };
        let mut known: BTreeSet<String> = BTreeSet::new();
        known.extend(
            states::catalog()
                .arguments("virt", kind.fun)
                .expect("it takes arguments"),
        );
        for row in &rows {
            let parts: Vec<&str> = row.path.split(": ").collect();
            for depth in 1..parts.len() {
                let prefix = &parts[..depth];
                if parts[depth] == "*" {
                    continue;
                }
                let inside = keys_at(kind, row, prefix).into_iter();
                known.extend(inside.map(|key| format!("{}: {key}", prefix.join(": "))));
            }
        }
        missing.extend(
            known
                .into_iter()
                .filter(|path| !has_row(path))
                .map(|path| (kind.fun, path)),
        );
    }
    assert!(missing.is_empty(), "parameters without a row: {missing:#?}");
}

#[test]
fn the_table_of_effects_and_the_rows_are_about_the_same() {
    for kind in [&VM, &NETWORK, &POOL] {
        let object = kind.object.expect("a kind of the table");
        let rows: BTreeSet<&str> = kind.all_rows().map(|row| row.path).collect();
        let rows: BTreeSet<&str> = rows
            .into_iter()
            .filter(|path| !STANDS_FOR_OTHERS.contains(path))
            .collect();
        let refused = |path: &str| {
            NO_ATTRIBUTES
                .iter()
                .any(|(known, _)| path.starts_with(known))
        };
        let table = updating::attributes(object)
            .iter()
            .map(|attribute| attribute.parameter);
        let table: BTreeSet<&str> = table.filter(|path| !refused(path)).collect();
        assert_eq!(rows, table);
    }
}
