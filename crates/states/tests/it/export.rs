//! What is there, written as SLS: read again and planned on the same host, it changes nothing.

use crate::host::{Host, State, summary, virt};
use crate::origin::applied;
use crate::properties::{any_network, any_pool, any_vm};
use expect_test::expect;
use model::{Inventory, Vm, VmStatus};
use proptest::prelude::*;
use states::Exportable;

/// What the host has.
fn exportable(host: &Host) -> Exportable {
    let seen = &host.seen;
    Exportable {
        inventory: Inventory {
            vms: seen.vms.values().flatten().cloned().collect(),
            pools: seen.pools.values().flatten().cloned().collect(),
            networks: seen.networks.values().flatten().cloned().collect(),
        },
        volumes: seen
            .volumes
            .iter()
            .filter_map(|(key, volume)| Some((key.clone(), volume.clone()?)))
            .collect(),
        devices: seen.node_devices.clone().unwrap_or_default(),
    }
}

/// The states of an exported file.
fn read(sls: &str) -> Vec<State> {
    let value = sls::yaml::load(sls).unwrap_or_else(|error| panic!("{error}\n{sls}"));
    let Some(ids) = value.as_object() else {
        return Vec::new();
    };
    ids.iter()
        .map(|(id, body)| {
            let (fun, list) = body
                .as_object()
                .and_then(|body| body.iter().next())
                .expect("a function");
            let mut state = virt("running", id, "{}");
            state.fun = known(fun);
            for argument in list.as_array().expect("a list") {
                for (key, value) in argument.as_object().expect("an argument") {
                    match (key.as_str(), value.as_str()) {
                        ("name", Some(name)) => name.clone_into(&mut state.name),
                        ("require", _) => {}
                        _ => drop(state.args.insert(key.clone(), value.clone())),
                    }
                }
            }
            state
        })
        .collect()
}

fn known(fun: &str) -> &'static str {
    [
        "running",
        "defined",
        "pool_running",
        "pool_defined",
        "network_running",
        "network_defined",
    ]
    .into_iter()
    .find(|known| fun == format!("virt.{known}"))
    .expect("a virt state")
}

fn changes_nothing(host: &mut Host, sls: &str) -> Result<(), TestCaseError> {
    for state in read(sls) {
        let plan = host.plan(&state).expect("a plan");
        prop_assert!(plan.plan.is_empty(), "{}\n{sls}", summary(&plan));
        prop_assert!(plan.plan.pending.is_empty(), "{}\n{sls}", summary(&plan));
    }
    Ok(())
}

#[test]
fn the_example_is_written_as_one_would_write_it() {
    let mut host = applied();
    let sls = states::export(&["srv01".to_owned()], &exportable(&host)).expect("it is there");
    expect![[r#"
        pool0:
          virt.pool_running:
          - ptype: netfs
          - autostart: true
          - target: /vms
          - source:
              dir: /srv/vms
              hosts:
              - mirror.tf.local
              format: nfs
          - permissions:
              mode: '0755'
              owner: 0
              group: 0

        net0:
          virt.network_running:
          - bridge: net0-br
          - forward: nat
          - autostart: true
          - ipv4_config:
              cidr: 192.168.44.0/24
              dhcp_ranges:
              - start: 192.168.44.10
                end: 192.168.44.25
          - nat:
              port:
                start: 1024
                end: 65535

        srv01:
          virt.running:
          - vm_type: kvm
          - seed: false
          - stop_on_reboot: false
          - cpu:
              maximum: 1
              mode: custom
          - mem: 1024
          - boot_dev: hd
          - disks:
            - name: vda
              model: virtio
              format: qcow2
              pool: pool0
              source_file: srv01_system
          - interfaces:
            - name: eth0
              type: network
              source: net0
              mac: 2a:c3:a7:a6:01:04
              model: virtio
          - graphics:
              type: vnc
              listen:
                type: address
                address: 0.0.0.0
          - autostart: false
          - require:
            - virt: pool0
            - virt: net0
    "#]]
    .assert_eq(&sls);
    changes_nothing(&mut host, &sls).expect("nothing");
}

#[test]
fn names_that_no_vm_has_are_told() {
    let host = applied();
    let names = ["srv01".to_owned(), "srv02".to_owned()];
    assert_eq!(
        states::export(&names, &exportable(&host)),
        Err(vec!["srv02".to_owned()])
    );
    assert_eq!(
        states::export(&[], &Exportable::default()),
        Ok(String::new())
    );
}

#[test]
fn what_has_no_words_is_kept_and_said() {
    let mut host = applied();
    host.apply(&virt(
        "network_running",
        "srv01",
        "{bridge: br9, forward: null}",
    ));
    let vm = host.vm("srv01");
    vm.status = VmStatus::Shutoff;
    vm.xml_live = None;
    let xml = vm.xml_persistent.take().expect("a definition");
    vm.xml_persistent = Some(xml.replace(
        "</devices>",
        "<tpm model='tpm-tis'/><interface type='user'><mac address='52:54:00:00:00:07'/></interface></devices>",
    ));
    let read =
        domxml::domain::read(vm.xml_persistent.as_deref().expect("just set")).expect("a domain");
    read.tell(vm);
    let sls = states::export(&[], &exportable(&host)).expect("an SLS");
    let wanted: Vec<&str> = sls
        .lines()
        .filter(|line| line.starts_with('#') || !line.starts_with(' '))
        .collect();
    expect![[r#"
        pool0:

        net0:

        srv01:

        # srv01: kept in the definition, not declared here: tpm
        srv01-vm:"#]]
    .assert_eq(&wanted.join("\n"));
    changes_nothing(&mut host, &sls).expect("nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_applied_is_exported(vm in any_vm(), network in any_network(), pool in any_pool()) {
        let mut host = crate::properties::host();
        for state in [&network, &pool, &vm] {
            if host.plan(state).is_ok() {
                host.apply(state);
            }
        }
        let sls = states::export(&[], &exportable(&host)).expect("no name, no unknown name");
        changes_nothing(&mut host, &sls)?;
    }
}

/// Domains as libvirt itself wrote them in its own test suite; `SALAR_LIBVIRT_CORPUS` names the folder.
#[test]
fn domains_that_libvirt_wrote_are_exported() {
    let Some(folder) = std::env::var_os("SALAR_LIBVIRT_CORPUS") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "SALAR_LIBVIRT_CORPUS names no folder; run scripts/fetch-libvirt-corpus"
        );
        return;
    };
    let folder = std::path::Path::new(&folder).join("tests/qemuxml2xmloutdata");
    let (mut quiet, mut loud) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).expect("the suite's folder") {
        let path = entry.expect("readable").path();
        let xml = std::fs::read_to_string(&path).expect("readable UTF-8");
        let Ok(read) = domxml::domain::read(&xml) else {
            continue;
        };
        let name = read.name.clone();
        let mut vm = Vm {
            status: VmStatus::Shutoff,
            persistent: true,
            ..Vm::named(read.uuid.unwrap_or_default(), name.clone())
        };
        read.tell(&mut vm);
        vm.xml_persistent = Some(xml);
        let host = Exportable {
            inventory: Inventory {
                vms: vec![vm],
                ..Inventory::default()
            },
            ..Exportable::default()
        };
        let sls = states::export(&[name], &host).expect("it is there");
        match sls
            .lines()
            .find(|line| line.contains("applying this changes something"))
        {
            None => quiet += 1,
            Some(line) => loud.push(format!("{}: {line}", path.display())),
        }
    }
    println!(
        "{quiet} domains exported, {} of macOS's hypervisor",
        loud.len()
    );
    // libvirt 9.0 has 424 here; fewer than this means that the folder is not the suite.
    assert!(quiet > 400, "only {quiet} domains in {}", folder.display());
    loud.retain(|line| !line.contains("hvf"));
    assert!(loud.is_empty(), "{}", loud.join("\n"));
}

#[test]
fn what_a_vm_is_given_by_its_host_is_written_too() {
    let mut host = Host::new();
    let usb = "<device><name>usb_1_2</name><capability type='usb_device'><product id='0x0002'/><vendor id='0x1d6b'/></capability></device>";
    host.seen.node_devices = Some(vec![domxml::device::read(usb).expect("a device")]);
    host.apply(&virt(
        "pool_running",
        "ceph",
        "{ptype: rbd, source: {hosts: [mon1], name: vms}}",
    ));
    host.apply(&virt(
        "running",
        "v",
        "{cpu: {maximum: 2, iothreads: 1, tuning: {shares: 512, vcpupin: {0: '0-1'}}}, mem: {boot: 512, current: 512, hard_limit: 1g}, \
         host_devices: [usb_1_2], disks: [{name: system, pool: ceph, size: 10}]}",
    ));
    let sls = states::export(&["v".to_owned()], &exportable(&host)).expect("a file");
    for part in [
        "shares: 512",
        "0-1",
        "iothreads: 1",
        "hard_limit: 1048576KiB",
        "- usb_1_2",
        "source_file: v_system",
    ] {
        assert!(sls.contains(part), "{part} in\n{sls}");
    }
    assert!(!sls.contains("hostdev"), "{sls}");
    changes_nothing(&mut host, &sls).expect("nothing to do");

    // With its disks it goes from the pool that it was in.
    let gone = host
        .plan(&virt("absent", "v", "{force: True, delete_disks: True}"))
        .expect("a plan");
    let steps = summary(&gone);
    assert!(
        steps.contains("Delete volume v_system of pool ceph"),
        "{steps}"
    );
    let pool = host
        .plan(&virt("pool_absent", "ceph", "{}"))
        .expect_err("in use");
    assert!(
        pool.to_string()
            .contains("VM v is running with disks in pool ceph"),
        "{pool}"
    );
}
