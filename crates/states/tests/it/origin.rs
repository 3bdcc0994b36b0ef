//! The worked example: a pool, a network and a VM; applied, planned, applied again.

use crate::host::{Host, State, shown, summary, virt};
use expect_test::expect;
use states::{catalog, predict};

pub(crate) fn pool0() -> State {
    virt(
        "pool_running",
        "pool0",
        "{ptype: netfs, target: /vms, source: {dir: /srv/vms, hosts: [mirror.tf.local], format: nfs}, autostart: True}",
    )
}

pub(crate) fn net0() -> State {
    virt(
        "network_running",
        "net0",
        "{bridge: net0-br, forward: nat, ipv4_config: {cidr: 192.168.44.0/24, dhcp_ranges: [{start: 192.168.44.10, end: 192.168.44.25}]}, autostart: True}",
    )
}

pub(crate) fn srv01() -> State {
    virt(
        "running",
        "srv01",
        "{cpu: 1, mem: 1024,
          disks: [{name: system, model: virtio, format: qcow2, image: 'https://mirror.example/x.qcow2', pool: pool0, size: 122880}],
          interfaces: [{name: eth0, type: network, source: net0, mac: '2A:C3:A7:A6:01:04'}],
          graphics: {type: vnc}, seed: False}",
    )
}

/// A host on which the example has been applied.
pub(crate) fn applied() -> Host {
    let mut host = Host::new();
    for state in [pool0(), net0(), srv01()] {
        host.apply(&state);
    }
    host
}

#[test]
fn the_first_apply_makes_everything() {
    let mut host = Host::new();
    let verdicts: Vec<String> = [pool0(), net0(), srv01()]
        .iter()
        .map(|s| shown(&host.apply(s)))
        .collect();
    expect![[r#"
        Some(true) Pool pool0 defined, marked for autostart, started
        {"pool0":"Pool defined, marked for autostart, started"}
        Some(true) Network net0 defined, marked for autostart and started
        {"net0":"Network defined, marked for autostart and started"}
        Some(true) Domain srv01 defined and started
        {"srv01":{"definition":true,"started":true}}"#]]
    .assert_eq(&verdicts.join("\n"));
}

#[test]
fn the_second_apply_changes_nothing() {
    let mut host = applied();
    let mut comments = Vec::new();
    for state in [pool0(), net0(), srv01()] {
        let plan = host.plan(&state).expect("a plan");
        assert_eq!(summary(&plan), "");
        assert_eq!(plan.applied(&[]), plan.tested());
        assert!(plan.tested().changes.is_empty());
        comments.push(plan.tested().comment);
    }
    assert_eq!(
        comments,
        [
            "Pool pool0 already running",
            "Network net0 unchanged and is running",
            "Domain srv01 exists and is running"
        ]
    );
}

#[test]
fn a_dry_run_on_an_empty_host_plans_all_three() {
    let mut host = Host::new();
    let mut plans = Vec::new();
    for state in [pool0(), net0(), srv01()] {
        let plan = host
            .plan(&state)
            .expect("later states see what earlier ones would have made");
        assert_eq!(plan.tested().result, None);
        predict(&plan, &mut host.seen);
        plans.push(summary(&plan));
    }
    expect![[r#"
        Define pool pool0 [none]
        Make the storage of pool pool0 where it is not there yet [none]
        Start pool pool0 with its host [none]
        Start pool pool0 [live]
        Define network net0 [none]
        Start network net0 with its host [none]
        Start network net0 [live]
        Create volume srv01_system in pool pool0 from https://mirror.example/x.qcow2 [none]
        Define VM srv01 [none]
        Start VM srv01 [live]"#]]
    .assert_eq(&plans.join("\n"));
}

#[test]
fn the_xml_is_what_libvirt_is_handed() {
    let mut host = Host::new();
    let mut xml = Vec::new();
    for state in [pool0(), net0(), srv01()] {
        let plan = host.plan(&state).expect("a plan");
        xml.extend(
            plan.plan
                .steps
                .iter()
                .filter_map(|s| s.diff.clone())
                .map(|d| d.after),
        );
        predict(&plan, &mut host.seen);
    }
    expect![[r#"
        <pool type='netfs'>
          <name>pool0</name>
          <source>
            <host name='mirror.tf.local'/>
            <dir path='/srv/vms'/>
            <format type='nfs'/>
          </source>
          <target>
            <path>/vms</path>
          </target>
        </pool>
        <network>
          <name>net0</name>
          <forward mode='nat'/>
          <bridge name='net0-br'/>
          <ip family='ipv4' address='192.168.44.1' prefix='24'>
            <dhcp>
              <range start='192.168.44.10' end='192.168.44.25'/>
            </dhcp>
          </ip>
        </network>
        <domain type='kvm'>
          <name>srv01</name>
          <memory unit='KiB'>1048576</memory>
          <currentMemory unit='KiB'>1048576</currentMemory>
          <vcpu>1</vcpu>
          <os>
            <type arch='x86_64'>hvm</type>
            <boot dev='hd'/>
          </os>
          <features>
            <acpi/>
            <apic/>
            <pae/>
          </features>
          <on_reboot>restart</on_reboot>
          <devices>
            <disk type='volume' device='disk'>
              <driver name='qemu' type='qcow2' cache='none' io='native'/>
              <source pool='pool0' volume='srv01_system'/>
              <target dev='vda' bus='virtio'/>
            </disk>
            <interface type='network'>
              <mac address='2a:c3:a7:a6:01:04'/>
              <source network='net0'/>
              <model type='virtio'/>
            </interface>
            <channel type='unix'>
              <target type='virtio' name='org.qemu.guest_agent.0'/>
            </channel>
            <graphics type='vnc' autoport='yes' listen='0.0.0.0'>
              <listen type='address' address='0.0.0.0'/>
            </graphics>
          </devices>
        </domain>
    "#]]
    .assert_eq(&xml.join(""));
}

#[test]
fn the_example_compiles_against_the_catalog() {
    use sls::Catalog;
    let catalog = catalog();
    let functions = catalog.functions("virt").expect("the module");
    for state in [pool0(), net0(), srv01()] {
        assert!(functions.iter().any(|fun| fun == state.fun));
        let arguments = catalog.arguments("virt", state.fun).expect("the function");
        assert!(state.args.keys().all(|key| arguments.contains(key)));
    }
}
