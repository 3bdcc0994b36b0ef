//! What holds for any declaration: applied, nothing is left to do; changed and applied, neither; and no text breaks XML.

use crate::host::{Host, State, summary, virt};
use crate::parameters::describe::description;
use crate::parameters::rows::Row;
use crate::parameters::{self, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};

/// An argument that may be left out.
fn maybe(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Option<Value>> {
    prop::option::of(value)
}

fn state(fun: &'static str, arguments: Vec<(&str, Option<Value>)>) -> State {
    let mut state = virt(fun, "x", "{}");
    for (key, value) in arguments {
        if let Some(value) = value {
            state.args.insert(key.to_owned(), value);
        }
    }
    state
}

/// Any text an author may write where a text is due.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.-]{1,8}",
        "[<>&'\"\\]\\[!/ -]{0,6}x",
        "\\PC{0,6}y",
        "[\n\t ]{0,2}z[\u{1}\n]?"
    ]
}

fn any_cpu() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..9u32).prop_map(|n| json!(n)),
        (1..5u32, prop::option::of(text()), prop::bool::ANY).prop_map(
            |(current, model, feature)| {
                let mut cpu = json!({ "maximum": 4, "current": current, "cpuset": "0-3,^2" });
                if let Some(model) = model {
                    cpu["model"] = json!({ "name": model, "fallback": "forbid" });
                }
                if feature {
                    cpu["features"] = json!({ "vmx": "require", model_key(current): "disable" });
                }
                cpu
            }
        ),
    ]
}

fn model_key(n: u32) -> String {
    format!("f{n}")
}

fn any_disks() -> impl Strategy<Value = Value> {
    let disk = (prop::sample::select(vec!["a", "b", "c", "d"]), 0..4u32, 1..5u32).prop_map(|(name, kind, size)| match kind {
        0 => json!({ "name": name, "device": "cdrom", "source_file": format!("/iso/{size}.iso") }),
        1 => json!({ "name": name, "device": "cdrom", "source_file": null }),
        2 => json!({ "name": name, "pool": "pool", "size": size, "model": "scsi", "io": "threads" }),
        _ => json!({ "name": name, "pool": "pool", "size": size * 100 }),
    });
    prop::collection::vec(disk, 0..4).prop_map(|mut disks| {
        disks.dedup_by(|a, b| a["name"] == b["name"]);
        disks.sort_by_key(|disk| disk["name"].to_string());
        disks.dedup_by(|a, b| a["name"] == b["name"]);
        json!(disks)
    })
}

fn any_nics() -> impl Strategy<Value = Value> {
    let nic = (0..4u8, prop::bool::ANY, prop::bool::ANY).prop_map(|(n, network, mac)| {
        let mut nic = json!({ "name": format!("eth{n}") });
        nic[if network { "network" } else { "bridge" }] = json!(format!("n{}", n % 2));
        if mac {
            nic["mac"] = json!(format!("52:54:00:AA:00:{n:02X}"));
        }
        nic
    });
    prop::collection::vec(nic, 0..4).prop_map(|mut nics| {
        nics.sort_by_key(|nic| nic["name"].to_string());
        nics.dedup_by(|a, b| a["name"] == b["name"]);
        json!(nics)
    })
}

pub(crate) fn any_vm() -> impl Strategy<Value = State> {
    let graphics = prop::sample::select(vec![
        json!({ "type": "vnc" }),
        json!({ "type": "none" }),
        json!({ "type": "spice", "port": 5901 }),
        json!({ "type": "vnc", "listen": { "address": "127.0.0.1" } }),
    ]);
    let clock = prop::sample::select(vec![
        json!({ "utc": false }),
        json!({ "timezone": "Europe/Paris" }),
        json!({ "timers": { "hpet": { "present": false } } }),
    ]);
    (
        prop_oneof![
            Just(json!(512)),
            Just(json!("1.5g")),
            Just(json!({ "boot": "1g", "current": 512 }))
        ],
        maybe(any_cpu()),
        maybe(any_disks()),
        maybe(any_nics()),
        maybe(graphics),
        maybe(clock),
        maybe(prop::bool::ANY.prop_map(Value::Bool)),
        maybe(prop::sample::select(vec![json!("hd"), json!("network hd")])),
    )
        .prop_map(
            |(mem, cpu, disks, nics, graphics, clock, autostart, boot)| {
                state(
                    "running",
                    vec![
                        ("mem", Some(mem)),
                        ("cpu", cpu),
                        ("disks", disks),
                        ("interfaces", nics),
                        ("graphics", graphics),
                        ("clock", clock),
                        ("autostart", autostart),
                        ("boot_dev", boot),
                    ],
                )
            },
        )
}

pub(crate) fn any_network() -> impl Strategy<Value = State> {
    let ip = (1..4u8, prop::collection::btree_set(2..9u8, 0..3), prop::bool::ANY).prop_map(|(net, hosts, range)| {
        let mut config = json!({ "cidr": format!("10.0.{net}.0/24") });
        if range {
            config["dhcp_ranges"] = json!([{ "start": format!("10.0.{net}.10"), "end": format!("10.0.{net}.{}", 20 + net) }]);
        }
        for host in hosts {
            config["hosts"][format!("10.0.{net}.{host}")] = json!({ "mac": format!("52:54:00:00:00:{host:02x}") });
        }
        config
    });
    let dns = (text(), prop::collection::vec("[a-z]{1,4}", 1..3)).prop_map(
        |(value, names)| json!({ "txt": { "a": value }, "hosts": { "10.0.0.1": names } }),
    );
    (
        prop::sample::select(vec![
            json!("nat"),
            json!("route"),
            json!("bridge"),
            Value::Null,
        ]),
        maybe(ip),
        maybe(dns),
        maybe((500..1500u32).prop_map(|mtu| json!(mtu))),
        prop::bool::ANY,
    )
        .prop_map(|(forward, ip, dns, mtu, autostart)| {
            let managed = forward != "bridge";
            state(
                "network_running",
                vec![
                    ("bridge", Some(json!("br7"))),
                    ("forward", Some(forward)),
                    ("ipv4_config", ip.filter(|_| managed)),
                    ("dns", dns.filter(|_| managed)),
                    ("mtu", mtu),
                    ("autostart", Some(json!(autostart))),
                ],
            )
        })
}

pub(crate) fn any_pool() -> impl Strategy<Value = State> {
    let source = (text(), prop::collection::btree_set("[a-z]{1,5}", 1..3)).prop_map(
        |(dir, hosts)| json!({ "dir": format!("/{dir}"), "hosts": hosts, "format": "nfs" }),
    );
    (
        prop::sample::select(vec!["dir", "netfs"]),
        text(),
        maybe(source),
        maybe(Just(json!({ "mode": "0770", "owner": 7 }))),
        prop::bool::ANY,
    )
        .prop_map(|(kind, target, source, permissions, autostart)| {
            state(
                "pool_running",
                vec![
                    ("ptype", Some(json!(kind))),
                    ("target", Some(json!(format!("/{target}")))),
                    ("source", source),
                    ("permissions", permissions),
                    ("autostart", Some(json!(autostart))),
                ],
            )
        })
}

/// A host with a pool for the disks and some media.
pub(crate) fn host() -> Host {
    let mut host = Host::new();
    host.apply(&virt("pool_running", "pool", "{ptype: dir, target: /pool}"));
    for size in 1..5 {
        host.seen
            .paths
            .insert(format!("/iso/{size}.iso"), states::HostPath::File);
    }
    host
}

/// Applies one after the other; after each, nothing is left to do and nothing is said to change.
fn applied_twice_is_applied_once(states: &[State]) -> Result<(), TestCaseError> {
    let mut host = host();
    for state in states {
        let plan = match host.plan(state) {
            Ok(plan) => plan,
            // Control characters are refused, and then nothing has been touched.
            Err(states::StateError::Argument { .. }) => continue,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        for diff in plan.plan.steps.iter().filter_map(|step| step.diff.as_ref()) {
            prop_assert!(
                domxml::Document::new(diff.after.as_str()).is_ok(),
                "{}",
                diff.after
            );
        }
        let would_change = plan.tested().result.is_none();
        prop_assert_eq!(would_change, !plan.plan.is_empty());
        host.apply(state);
        let again = host.plan(state).expect("planned once, planned twice");
        prop_assert!(again.plan.is_empty(), "{state:?}\n{}", summary(&again));
        prop_assert!(again.applied(&[]).changes.is_empty());
    }
    Ok(())
}

/// Rows of every parameter put together at random: applied, applied again, one of them changed, and applied twice again.
fn described_twice_is_described_once(kind: &Kind, seed: u64) -> Result<(), TestCaseError> {
    let rows: Vec<&'static Row> = kind.all_rows().collect();
    let described = description(&rows, seed, 6);
    let mut host = parameters::host();
    for args in [&described.first, &described.second, &described.first] {
        let mut state = kind.state("{}");
        state.args.extend(args.clone());
        let plan = match host.plan(&state) {
            Ok(plan) => plan,
            // Parameters that contradict one another, and what only a new object can be.
            Err(states::StateError::Argument { .. } | states::StateError::Host { .. }) => continue,
            Err(error) => return Err(TestCaseError::fail(format!("{described:?}: {error}"))),
        };
        let what = format!("{:?}, changed {}", described.rows, described.changed);
        for diff in plan.plan.steps.iter().filter_map(|step| step.diff.as_ref()) {
            prop_assert!(domxml::Document::new(diff.after.as_str()).is_ok());
        }
        host.apply(&state);
        let again = host.plan(&state).expect("planned once, planned twice");
        prop_assert!(
            again.plan.is_empty(),
            "{what}\n{state:?}\n{}",
            summary(&again)
        );
        prop_assert!(again.applied(&[]).changes.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn vms(first in any_vm(), second in any_vm()) {
        applied_twice_is_applied_once(&[first, second])?;
    }

    #[test]
    fn networks(first in any_network(), second in any_network()) {
        applied_twice_is_applied_once(&[first, second])?;
    }

    #[test]
    fn pools(first in any_pool(), second in any_pool()) {
        applied_twice_is_applied_once(&[first, second])?;
    }

    #[test]
    fn described_vms(seed in any::<u64>()) {
        described_twice_is_described_once(&parameters::VM, seed)?;
    }

    #[test]
    fn described_networks(seed in any::<u64>()) {
        described_twice_is_described_once(&parameters::NETWORK, seed)?;
    }

    #[test]
    fn described_pools(seed in any::<u64>()) {
        described_twice_is_described_once(&parameters::POOL, seed)?;
    }

    #[test]
    fn described_volumes(seed in any::<u64>()) {
        described_twice_is_described_once(&parameters::VOLUME, seed)?;
        described_twice_is_described_once(&parameters::STORED, seed)?;
    }

    #[test]
    fn any_value_anywhere_is_planned_or_refused_and_never_breaks(
        fun in prop::sample::select(vec!["running", "network_running", "pool_running", "volume_defined"]),
        name in text(),
        argument in prop::sample::select(vec![
            "mem", "cpu", "disks", "interfaces", "graphics", "boot", "boot_dev", "clock", "serials", "numatune", "vm_type",
            "bridge", "forward", "ipv4_config", "dns", "tag", "vport", "nat", "addresses", "ptype", "target", "source",
            "permissions", "size", "pool", "autostart",
        ]),
        value in prop_oneof![
            text().prop_map(Value::String),
            any::<i64>().prop_map(|n| json!(n)),
            Just(json!([])), Just(json!({})), Just(json!([{}])), Just(json!({ "type": [] })), Just(json!(1.5)), Just(json!(true)),
            text().prop_map(|t| json!([{ "name": t }])),
        ],
    ) {
        let mut declared = virt(fun, &name, "{mem: 512, bridge: b, forward: nat, ptype: dir, target: /t, pool: pool, size: 1}");
        declared.args.insert(argument.to_owned(), value);
        let mut host = host();
        match host.plan(&declared) {
            Ok(plan) => {
                for diff in plan.plan.steps.iter().filter_map(|step| step.diff.as_ref()) {
                    prop_assert!(domxml::Document::new(diff.after.as_str()).is_ok(), "{}", diff.after);
                }
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
