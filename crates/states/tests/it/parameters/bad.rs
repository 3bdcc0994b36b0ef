//! Bad input for every parameter: refused with its place and what to write instead, or understood; nothing in between.
//!
//! Whatever is accepted has to fit libvirt's schemas and to be the same on a second run.

use super::*;
use serde_json::json;

/// Values that are wrong nearly everywhere.
fn bad_values() -> Vec<(&'static str, Value)> {
    vec![
        ("[]", json!([])),
        ("[1]", json!([1])),
        ("{}", json!({})),
        ("True", json!(true)),
        ("1.5", json!(1.5)),
        ("-1", json!(-1)),
        ("0", json!(0)),
        ("2^64 - 1", json!(u64::MAX)),
        ("2^64", json!(18_446_744_073_709_551_616_f64)),
        ("''", json!("")),
        ("' '", json!(" ")),
        ("NUL", json!("a\0b")),
        ("bell", json!("a\u{7}b")),
        ("two lines", json!("a\nb")),
        ("markup", json!("<&>\"'")),
        ("20G", json!("20G")),
        ("five thousand x", json!("x".repeat(5000))),
        ("a blank", json!("a b")),
        ("../../etc", json!("../../etc")),
    ]
}

/// Values of which the refusals are kept in the snapshot.
const TOLD: &[&str] = &["[]", "True", "-1", "''", "bell", "20G", "2^64 - 1"];

/// The way to a row's parameter as errors tell it: from its first part on.
fn names_its_place(kind: &Kind, row: &Row, error: &str) -> bool {
    let first = row.path.split(": ").next().unwrap_or_default();
    // What is found out with the host in view names the object instead.
    let named = [
        first,
        "disk ",
        "disks",
        "interfaces",
        "volume ",
        "A volume",
        "Path not found",
        "Missing parameter",
        "pool ",
    ];
    let _ = kind;
    named.iter().any(|start| error.starts_with(start))
}

fn try_all(kind: &Kind, rows: &[Row], expected: &expect_test::ExpectFile) {
    let mut written = Vec::new();
    let mut told = String::new();
    let mut wrong = Vec::new();
    for row in rows {
        writeln!(told, "{}", row.path).expect("a text");
        for (name, value) in bad_values() {
            let mut state = kind.state(row.first);
            describe::set(&mut state.args, row.path, value);
            let mut host = host();
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| settled(&mut host, &state)));
            match result {
                Ok(Ok(plan)) => {
                    let documents = documents(kind, &plan).into_iter();
                    written.extend(documents.map(|(schema, xml)| (schema, xml, row.path, name)));
                    if TOLD.contains(&name) {
                        writeln!(told, "    {name}: accepted").expect("a text");
                    }
                }
                Ok(Err(error)) => {
                    let error = error.to_string();
                    if !names_its_place(kind, row, &error) {
                        wrong.push(format!("{} = {name}: {error}", row.path));
                    }
                    if TOLD.contains(&name) {
                        writeln!(told, "    {name}: {error}").expect("a text");
                    }
                }
                Err(_) => wrong.push(format!(
                    "{} = {name}: it breaks, or a second run differs",
                    row.path
                )),
            }
        }
    }
    wrong.extend(crate::schema::misfits(&written));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    expected.assert_eq(&told);
}

#[test]
fn vms() {
    try_all(&VM, rows::VM, &expect_file!["bad-vm.txt"]);
}

#[test]
fn networks() {
    try_all(&NETWORK, rows::NETWORK, &expect_file!["bad-network.txt"]);
}

#[test]
fn pools() {
    try_all(&POOL, rows::POOL, &expect_file!["bad-pool.txt"]);
}

#[test]
fn volumes() {
    try_all(&VOLUME, rows::VOLUME, &expect_file!["bad-volume.txt"]);
    try_all(&STORED, rows::STORED, &expect_file!["bad-stored.txt"]);
}

/// A slip of the pen in each key that is not the author's own.
#[test]
fn a_misspelt_key_is_named_with_the_right_one() {
    for kind in KINDS {
        for row in kind.all_rows() {
            let parts: Vec<&str> = row.path.split(": ").collect();
            let (key, parents) = parts.split_last().expect("a path");
            if *key == "*" || parents.is_empty() || keys_at(kind, row, parents).is_empty() {
                continue;
            }
            let mut state = kind.state(row.first);
            let misspelt = format!("{}{key}", &key[..1]);
            describe::set(
                &mut state.args,
                &[parents, &[&misspelt]].concat().join(": "),
                json!(1),
            );
            let error = host().plan(&state).expect_err(row.path).to_string();
            let wanted = format!("there is no key {misspelt} here. Did you mean {key}?");
            assert!(error.ends_with(&wanted), "{}: {error}", row.path);
        }
    }
}

/// What cannot be together: with one another, or with what the host has.
#[test]
fn contradictions_are_refused_before_anything_is_touched() {
    let mut host = host();
    for state in [
        virt(
            "network_running",
            "taken",
            "{bridge: br9, forward: nat, ipv4_config: {cidr: 10.20.0.0/16}}",
        ),
        virt(
            "running",
            "other",
            "{mem: 64, interfaces: [{name: a, network: net0, mac: '52:54:00:00:00:77'}]}",
        ),
        virt(
            "defined",
            "off",
            "{mem: 64, interfaces: [{name: a, network: net0, mac: '52:54:00:00:00:78'}]}",
        ),
    ] {
        host.apply(&state);
    }
    let mut said = Vec::new();
    for (kind, args) in CONTRADICTIONS {
        let state = kind.state(args);
        let error = host.clone().plan(&state).expect_err(args);
        said.push(format!("{args}\n    {error}\n"));
    }
    expect_file!["contradictions.txt"].assert_eq(&said.concat());
}

#[rustfmt::skip]
const CONTRADICTIONS: &[(&Kind, &str)] = &[
    (&VM, "cpu: {maximum: 2, current: 4}"),
    (&VM, "cpu: {maximum: 4, topology: {sockets: 1, cores: 2, threads: 1}}"),
    (&VM, "cpu: {maximum: 4, topology: {sockets: 2, cores: 2}}"),
    (&VM, "cpu: {placement: auto, cpuset: '0-1'}"),
    (&VM, "cpu: {maximum: 2, vcpus: {0: {enabled: True}, 5: {enabled: True}}}"),
    (&VM, "cpu: {maximum: 2, vcpus: {0: {enabled: False}, 1: {enabled: True}}}"),
    (&VM, "cpu: {maximum: 2, vcpus: {0: {enabled: True}, 1: {enabled: False}}}"),
    (&VM, "cpu: {vcpus: {first: {enabled: True}}}"),
    (&VM, "cpu: {features: {vmx: require}}"),
    (&VM, "cpu: {vendor: Intel}"),
    (&VM, "cpu: {maximum: 2, numa: {0: {cpus: '0-3', memory: 512}}}"),
    (&VM, "cpu: {maximum: 2, numa: {0: {cpus: '0-1', memory: 256}}}"),
    (&VM, "cpu: {maximum: 2, numa: {0: {cpus: '0-1', memory: 256}, 1: {cpus: '1', memory: 256}}}"),
    (&VM, "cpu: {maximum: 2, numa: {1: {cpus: '0-1', memory: 512}}}"),
    (&VM, "cpu: {maximum: 2, numa: {0: {cpus: '0-1', memory: 512, distances: {3: 20}}}}"),
    (&VM, "cpu: {maximum: 2, numa: {0: {cpus: '0-1'}}}"),
    (&VM, "cpu: {tuning: {vcpupin: {3: '0'}}}"),
    (&VM, "cpu: {tuning: {iothreadpin: {1: '0'}}}"),
    (&VM, "cpu: {tuning: {vcpusched: [{scheduler: fifo, vcpus: '0'}]}}"),
    (&VM, "cpu: {tuning: {vcpusched: [{scheduler: batch, vcpus: '0'}, {scheduler: idle, vcpus: '0'}]}}"),
    (&VM, "cpu: {tuning: {vcpusched: [{scheduler: batch, priority: 3, vcpus: '0'}]}}"),
    (&VM, "cpu: {iothreads: 1, tuning: {iothreadsched: [{scheduler: idle, iothreads: '2'}]}}"),
    (&VM, "cpu: {tuning: {emulatorsched: [{scheduler: idle}]}}"),
    (&VM, "mem: {boot: 512, current: 1g}"),
    (&VM, "mem: {boot: 512, max: 256, slots: 1}"),
    (&VM, "mem: {boot: 512, max: 1024}"),
    (&VM, "mem: {boot: 512, slots: 2}"),
    (&VM, "mem: {boot: 512, hard_limit: 2g, swap_hard_limit: 1g}"),
    (&VM, "mem: {boot: 512, hugepages: [{size: 2m, nodeset: '0-1'}]}"),
    (&VM, "mem: {boot: null}"),
    (&VM, "numatune: {memnodes: {0: {mode: strict, nodeset: '0'}}}"),
    (&VM, "numatune: {memory: {mode: strict}}"),
    (&VM, "clock: {timezone: Europe/Paris, adjustment: 3}"),
    (&VM, "boot: {kernel: /images/1.k}"),
    (&VM, "boot: {loader: null, nvram: /images/1.vars}"),
    (&VM, "cpu: {match: strict}"),
    (&VM, "disks: [{name: a, source_file: null}]"),
    (&VM, "graphics: {type: vnc, port: 5901, listen: {type: none}}"),
    (&VM, "boot: {efi: True, loader: /images/1.fd}"),
    (&VM, "disks: [{name: a, size: 1, pool: pool}, {name: a, size: 2, pool: pool}]"),
    (&VM, "disks: [{name: a, size: 1, pool: pool, iothread_id: 1}]"),
    (&VM, "{cpu: {iothreads: 1}, disks: [{name: a, size: 1, pool: pool, iothread_id: 2}]}"),
    (&VM, "{cpu: {iothreads: 1}, disks: [{name: a, size: 1, pool: pool, model: scsi, iothread_id: 1}]}"),
    (&VM, "{disks: [{name: cidata, size: 1, pool: pool}], cloud_init: {}}"),
    (&VM, "disks: [{name: a, size: 20G, pool: pool}]"),
    (&VM, "disks: [{name: a, size: 1, pool: pol}]"),
    (&VM, "disks: [{name: a, pool: pool, image: /images/1.qcow2, backing_store_path: base, backing_store_format: qcow2}]"),
    (&VM, "disk_profile: defalt"),
    (&VM, "nic_profile: lan"),
    (&VM, "interfaces: [{name: a, network: net0, mac: '52:54:00:00:00:01'}, {name: b, network: net1, mac: '52:54:00:00:00:01'}]"),
    (&VM, "interfaces: [{name: a, network: net0}, {name: a, network: net1}]"),
    (&VM, "interfaces: [{name: a, network: net0, bridge: br0}]"),
    (&VM, "interfaces: [{name: a, type: network}]"),
    (&VM, "interfaces: [{name: a, network: net0, mac: '52:54:00:00:00:77'}]"),
    (&VM, "graphics: {type: vnc, tls_port: 5901}"),
    (&VM, "graphics: {type: spice, port: 5901, tls_port: 5901}"),
    (&VM, "serials: [{type: file}]"),
    (&VM, "serials: [{type: pty, target_port: 0}, {type: pty, target_port: 0}]"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.7/24}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, dhcp_ranges: [{start: 10.66.2.10, end: 10.66.2.20}]}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, dhcp_ranges: [{start: 10.66.1.20, end: 10.66.1.10}]}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, dhcp_ranges: [{start: 10.66.1.10, end: 10.66.1.20}, {start: 10.66.1.15, end: 10.66.1.30}]}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, dhcp_ranges: [{start: 10.66.1.0, end: 10.66.1.255}]}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, hosts: {10.66.2.50: {mac: '52:54:00:00:00:01'}}}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, hosts: {10.66.1.50: {mac: '52:54:00:00:00:01'}, 10.66.1.51: {mac: '52:54:00:00:00:01'}}}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, hosts: {10.66.1.50: {name: a, mac: '52:54:00:00:00:01'}, 10.66.1.51: {name: a, mac: '52:54:00:00:00:02'}}}"),
    (&NETWORK, "ipv4_config: {cidr: 10.66.1.0/24, hosts: {10.66.1.50: {id: '01:02'}}}"),
    (&NETWORK, "ipv6_config: {cidr: 'fd00:66::/64', hosts: {'fd00:66::50': {mac: '52:54:00:00:00:01'}}}"),
    (&NETWORK, "ipv6_config: {cidr: 'fd00:66::/64', tftp: /srv/tftp}"),
    (&NETWORK, "ipv4_config: {cidr: 10.20.7.0/24}"),
    (&NETWORK, "bridge: br9"),
    (&NETWORK, "bridge: a-name-that-is-far-too-long"),
    (&NETWORK, "{forward: bridge, bridge: br7, ipv4_config: {cidr: 10.66.1.0/24}}"),
    (&NETWORK, "{forward: route, nat: {port: {start: 1, end: 2}}}"),
    (&NETWORK, "{forward: nat, nat: {port: {start: 3000, end: 2000}}}"),
    (&NETWORK, "{forward: nat, nat: {address: {start: 10.0.0.9, end: 10.0.0.1}}}"),
    (&NETWORK, "{forward: nat, nat: {port: {start: 1, end: 2}}}"),
    (&NETWORK, "nat: {port: {start: 1, end: 2}}"),
    (&NETWORK, "tag: 4096"),
    (&NETWORK, "dns: {srvs: [{name: ldap, protocol: tcp, port: 389}]}"),
    (&NETWORK, "dns: {hosts: {nowhere: [a]}}"),
    (&POOL, "target: relative"),
    (&POOL, "target: /pool/"),
    (&POOL, "permissions: {mode: rwx}"),
    (&POOL, "permissions: {owner: root}"),
    (&POOL, "ptype: zsf"),
    (&VOLUME, "size: 20G"),
    (&VOLUME, "{size: 1, allocation: 2}"),
    (&STORED, "{image: /images/1.qcow2, nocow: True}"),
];

#[test]
fn an_address_that_a_stopped_vm_has_is_said() {
    let mut host = host();
    let of = |name: &str| {
        virt(
            "defined",
            name,
            "{mem: 64, interfaces: [{name: a, network: net0, mac: '52:54:00:00:00:78'}]}",
        )
    };
    host.apply(&of("off"));
    let notes = host.plan(&of("x")).expect("a plan").notes;
    expect_test::expect!["interfaces: VM off has the address 52:54:00:00:00:78 too; they must not run in one network at a time"].assert_eq(&notes.join("\n"));
}

#[test]
fn a_name_that_cannot_be_is_refused_for_every_kind() {
    let long = "x".repeat(300);
    for kind in KINDS {
        for name in ["", " ", "a\0b", "a\nb", "a/b", "..", "<x>", &long] {
            let mut state = kind.state(kind.all_rows().next().expect("rows").first);
            name.clone_into(&mut state.name);
            let error = host().plan(&state).expect_err(name).to_string();
            assert!(
                error.starts_with("name: "),
                "{} {name:?}: {error}",
                kind.fun
            );
        }
    }
}

#[test]
fn what_a_vm_cannot_boot_from_is_said() {
    let notes = |args: &str| {
        host()
            .plan(&VM.state(args))
            .expect("a plan")
            .notes
            .join("\n")
    };
    expect_test::expect![[r#"
        boot_dev: network is in the order, and the VM has no interface
        boot_dev: hd is in the order, and the VM has no disk"#]]
    .assert_eq(&notes("boot_dev: network hd"));
    let has_all = "{boot_dev: network hd, disks: [{name: a, size: 1, pool: pool}], interfaces: [{name: e, network: net0}]}";
    assert_eq!(notes(has_all), "");
    assert_eq!(notes("{}"), "");
}
