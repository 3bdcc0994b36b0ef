//! `virt.running`, `virt.defined` on VMs that are there, and what is refused.

use crate::host::{Host, shown, summary, virt};
use crate::origin::{applied, srv01};
use domxml::{Document, Place};
use expect_test::{Expect, expect};
use model::VmStatus;
use model::plan::{Step, VmOp, VolumeOp};
use states::Refusal;

/// Plan and result of one state on the host of the example, and that a second apply has nothing to do.
fn check(state: &crate::host::State, expected: &Expect) {
    let mut host = applied();
    let plan = host.plan(state).expect("a plan");
    expected.assert_eq(&format!(
        "{}\n{}",
        summary(&plan),
        shown(&plan.applied(&[]))
    ));
    host.apply(state);
    let again = host.plan(state).expect("a plan");
    assert!(again.plan.is_empty(), "a second apply: {}", summary(&again));
    assert!(again.tested().changes.is_empty());
}

#[test]
fn less_memory_reaches_the_running_vm_and_its_maximum_waits() {
    check(
        &srv01().with("mem", "512"),
        &expect![[r#"
            Update the definition of VM srv01: memory, currentMemory [next boot]
            Give VM srv01 512.0 MiB of memory while it runs [live]
            waits: memory: 1.0 GiB now, 512.0 MiB at the next start
            Some(true) Domain srv01 updated
            Waits for the next start: memory: 1.0 GiB now, 512.0 MiB at the next start
            {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"attached":[],"detached":[]},"mem":true}}"#]],
    );
}

#[test]
fn more_than_the_running_maximum_waits_for_the_next_start() {
    check(
        &srv01().with("mem", "2g").with("cpu", "2"),
        &expect![[r#"
            Update the definition of VM srv01: memory, currentMemory, vcpu [next boot]
            waits: memory: 1.0 GiB now, 2.0 GiB at the next start
            waits: currentMemory: 1.0 GiB now, 2.0 GiB at the next start
            waits: vcpu: 1 now, 2 at the next start
            Some(true) Domain srv01 updated
            Waits for the next start: memory: 1.0 GiB now, 2.0 GiB at the next start; currentMemory: 1.0 GiB now, 2.0 GiB at the next start; vcpu: 1 now, 2 at the next start
            {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"attached":[],"detached":[]}}}"#]],
    );
}

#[test]
fn vcpus_below_the_running_maximum_are_plugged_at_once() {
    let mut host = applied();
    let four = srv01().with("cpu", "{maximum: 4, current: 2}");
    host.apply(&four);
    // As if restarted.
    let vm = host.vm("srv01");
    vm.xml_live = vm.xml_persistent.clone();
    let plan = host
        .plan(&srv01().with("cpu", "{maximum: 4, current: 3}"))
        .expect("a plan");
    expect![[r#"
        Update the definition of VM srv01: vcpu@current [live]
        Give VM srv01 3 vCPUs while it runs [live]
        Some(true) Domain srv01 updated
        {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"attached":[],"detached":[]},"cpu":true}}"#]].assert_eq(&format!("{}\n{}", summary(&plan), shown(&plan.applied(&[]))));
    let refused = [Refusal {
        step: 1,
        reason: "vcpu hotplug is off".to_owned(),
    }];
    assert!(plan.tolerates(1) && !plan.tolerates(0));
    expect![[r#"
        Some(true) Domain srv01 updated with live update(s) failures
        {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"attached":[],"detached":[]},"cpu":false,"errors":["vcpu hotplug is off"]}}"#]].assert_eq(&shown(&plan.applied(&refused)));
}

#[test]
fn a_second_disk_is_made_defined_and_plugged() {
    let disks = "[{name: system, format: qcow2, image: 'https://mirror.example/x.qcow2', pool: pool0, size: 122880},
                  {name: data, pool: pool0, size: 1024}]";
    check(
        &srv01().with("disks", disks),
        &expect![[r#"
            Create volume srv01_data in pool pool0 of 1.0 GiB [none]
            Update the definition of VM srv01: devices [live]
            Plug disk vdb into VM srv01 while it runs [live]
            Some(true) Domain srv01 updated
            {"srv01":{"definition":true,"disk":{"attached":["<disk type='volume' device='disk'>\n  <driver name='qemu' type='qcow2' cache='none' io='native'/>\n  <source pool='pool0' volume='srv01_data'/>\n  <target dev='vdb' bus='virtio'/>\n</disk>"]},"interface":{"attached":[],"detached":[]}}}"#]],
    );
}

#[test]
fn a_disk_that_is_no_longer_declared_is_unplugged_and_kept() {
    check(
        &srv01().with("disks", "[]"),
        &expect![[r#"
            Update the definition of VM srv01: devices [live]
            Unplug disk vda from VM srv01 while it runs [live]
            Some(true) Domain srv01 updated
            {"srv01":{"definition":true,"disk":{"detached":["<disk type='volume' device='disk'>\n      <driver name='qemu' type='qcow2' cache='none' io='native'/>\n      <source pool='pool0' volume='srv01_system' index='1'/>\n      <target dev='vda' bus='virtio'/>\n      <address type='pci'/>\n      <alias name='virtio-disk0'/>\n    </disk>"]},"interface":{"attached":[],"detached":[]}}}"#]],
    );
}

#[test]
fn a_bigger_disk_waits_until_the_vm_is_off() {
    let bigger = srv01().with(
        "disks",
        "[{name: system, format: qcow2, image: 'https://mirror.example/x.qcow2', pool: pool0, size: 200000}]",
    );
    check(
        &bigger,
        &expect![[r#"
        waits: disk system: 120.0 GiB now, grows to 195.3 GiB when the VM is off
        Some(true) Domain srv01 exists and is running
        Waits for the next start: disk system: 120.0 GiB now, grows to 195.3 GiB when the VM is off
        {}"#]],
    );
    let mut host = applied();
    host.vm("srv01").status = VmStatus::Shutoff;
    host.vm("srv01").xml_live = None;
    let plan = host.plan(&bigger).expect("a plan");
    expect![[r#"
        Grow volume srv01_system of pool pool0 from 120.0 GiB to 195.3 GiB [none]
        Start VM srv01 [live]"#]]
    .assert_eq(&summary(&plan));
}

#[test]
fn an_interface_moves_to_another_network_while_the_vm_runs() {
    let moved = "[{name: eth0, type: network, source: net1, mac: '2A:C3:A7:A6:01:04'}]";
    check(
        &srv01().with("interfaces", moved),
        &expect![[r#"
            Update the definition of VM srv01: devices [live]
            Move interface 2a:c3:a7:a6:01:04 of VM srv01 to network net1 [live]
            Some(true) Domain srv01 updated
            {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"updated":["<interface type='network'>\n      <mac address='2a:c3:a7:a6:01:04'/>\n      <source network='net1'/>\n      <model type='virtio'/>\n      <target dev='vnet0'/>\n    </interface>"]}}}"#]],
    );
}

#[test]
fn a_new_interface_has_one_address_in_both_definitions() {
    let two = "[{name: eth0, network: net0, mac: '2A:C3:A7:A6:01:04'}, {name: eth1, bridge: br0}]";
    check(
        &srv01().with("interfaces", two),
        &expect![[r#"
            Update the definition of VM srv01: devices [live]
            Plug interface 52:54:00:b9:32:28 into VM srv01 while it runs [live]
            Some(true) Domain srv01 updated
            {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"attached":["<interface type='bridge'>\n  <mac address='52:54:00:b9:32:28'/>\n  <source bridge='br0'/>\n  <model type='virtio'/>\n</interface>"]}}}"#]],
    );
}

#[test]
fn a_medium_is_changed_and_ejected() {
    let with = |source: &str| {
        let drive = format!("[{{name: iso, device: cdrom, source_file: {source}}}]");
        srv01().with("disks", &drive)
    };
    let mut host = applied();
    host.apply(&with("null"));
    let vm = host.vm("srv01");
    vm.xml_live = vm.xml_persistent.clone();
    host.seen
        .paths
        .insert("/iso/a.iso".to_owned(), states::HostPath::File);
    let plan = host.plan(&with("/iso/a.iso")).expect("a plan");
    expect![[r#"
        Update the definition of VM srv01: devices [live]
        Change the medium of disk hda of VM srv01 [live]
        Some(true) Domain srv01 updated
        {"srv01":{"definition":true,"disk":{"updated":["<disk type='file' device='cdrom'>\n      <driver name='qemu' cache='none' io='native'/>\n      <target dev='hda' bus='ide'/>\n      <readonly/>\n      <address type='pci'/>\n      <source file='/iso/a.iso'/>\n    </disk>"]},"interface":{"attached":[],"detached":[]}}}"#]].assert_eq(&format!("{}\n{}", summary(&plan), shown(&plan.applied(&[]))));
    host.apply(&with("/iso/a.iso"));
    assert_eq!(host.vm("srv01").disks[0].source, "/iso/a.iso");
    host.apply(&with("null"));
    assert_eq!(host.vm("srv01").disks[0].source, "");
    assert!(host.plan(&with("null")).expect("a plan").plan.is_empty());
}

#[test]
fn a_stopped_vm_is_started_and_a_paused_one_resumed() {
    let mut host = applied();
    host.vm("srv01").status = VmStatus::Shutoff;
    let plan = host.plan(&srv01()).expect("a plan");
    expect![[r#"
        Start VM srv01 [live]
        None Domain srv01 started
        {"srv01":{"started":true}}"#]]
    .assert_eq(&format!("{}\n{}", summary(&plan), shown(&plan.tested())));
    host.vm("srv01").status = VmStatus::Paused;
    let plan = host.plan(&srv01()).expect("a plan");
    expect![[r#"
        Resume VM srv01 [live]
        Some(true) Domain srv01 resumed
        {"srv01":{"resumed":true}}"#]]
    .assert_eq(&format!(
        "{}\n{}",
        summary(&plan),
        shown(&plan.applied(&[]))
    ));
    host.vm("srv01").status = VmStatus::Migrating;
    expect!["VM srv01 cannot be started: The VM is migrating. Try again when it has come to rest"]
        .assert_eq(&host.plan(&srv01()).expect_err("migrating").to_string());
}

#[test]
fn unknown_xml_survives_a_change_of_memory_and_vcpus() {
    let mut host = applied();
    let vm = host.vm("srv01");
    let strange = "<metadata><app:x xmlns:app='urn:app' a=\"1\"><!-- kept --></app:x></metadata>\n  <future mode='x'/>\n";
    let xml = vm
        .xml_persistent
        .clone()
        .expect("defined")
        .replace("<vcpu", &format!("{strange}  <vcpu"));
    vm.xml_persistent = Some(xml.clone());
    let plan = host
        .plan(&srv01().with("mem", "2048").with("cpu", "2"))
        .expect("a plan");
    let Step::Vm {
        op: VmOp::Define { xml: new },
        ..
    } = &plan.plan.steps[0].step
    else {
        panic!("the first step defines");
    };
    let expected = xml
        .replace(">1048576</", ">2097152</")
        .replace(">1</vcpu>", ">2</vcpu>");
    assert_eq!(*new, expected);
}

#[test]
fn a_definition_edited_behind_our_back_is_kept_where_nothing_is_declared() {
    let mut host = applied();
    let vm = host.vm("srv01");
    let mut xml = Document::new(vm.xml_persistent.clone().expect("defined")).expect("well-formed");
    xml.set(&Place::at("cputune/shares"), "2048")
        .expect("possible");
    xml.set(&Place::at("description"), "by hand")
        .expect("possible");
    vm.xml_persistent = Some(xml.into_string());
    assert!(host.plan(&srv01()).expect("a plan").plan.is_empty());
}

#[test]
fn autostart_is_applied_reported_and_else_left_alone() {
    let on = srv01().with("autostart", "True");
    check(
        &on,
        &expect![[r#"
            Start VM srv01 with its host [none]
            Some(true) Domain srv01 updated
            {"srv01":{"autostart":true}}"#]],
    );
    let mut host = applied();
    host.apply(&on);
    assert!(host.vm("srv01").autostart);
    assert!(host.plan(&srv01()).expect("a plan").plan.is_empty());
}

#[test]
fn everything_the_tables_of_salt_list_is_written_once() {
    let state = virt(
        "defined",
        "big",
        "{mem: {boot: 1g, current: 512m, max: 4g, slots: 4, hard_limit: 5g, hugepages: [{size: 2048k, nodeset: '0'}], locked: True, source: memfd, access: shared},
          cpu: {maximum: 4, current: 2, placement: static, cpuset: '0-3,^2', mode: custom, match: exact, check: partial,
                model: {name: Skylake-Client, fallback: forbid}, vendor: Intel, topology: {sockets: 1, cores: 2, threads: 2},
                cache: {level: 3, mode: emulate}, features: {vmx: require, avx: disable},
                vcpus: {0: {enabled: True, hotpluggable: False, order: 1}, 1: {enabled: True, hotpluggable: True, order: 2}},
                numa: {0: {cpus: '0-3', memory: 1g, memAccess: shared, discard: True}}, iothreads: 2,
                tuning: {shares: 2048, quota: -1, vcpupin: {0: '0-1', 1: '2'}, emulatorpin: '1-3', iothreadpin: {1: '0'},
                         vcpusched: [{scheduler: fifo, priority: 1, vcpus: '0'}], emulatorsched: {scheduler: rr, priority: 2},
                         cachetune: {'0-1': {0: {level: 3, type: both, size: 3072}, 1: {level: 3, type: both, size: 3 MiB}, monitor: {1: 3}}},
                         memorytune: {'2-3': {0: 60}}}},
          numatune: {memory: {mode: strict, nodeset: '0'}, memnodes: {0: {mode: strict, nodeset: '0'}}},
          hypervisor_features: {kvm-hint-dedicated: True}, clock: {timezone: Europe/Paris, timers: {rtc: {tickpolicy: catchup, slew: 4, threshold: 12, limit: 10000}, hpet: {present: False}}},
          boot: {efi: True}, boot_dev: 'network hd', stop_on_reboot: True,
          serials: [{type: tcp, port: 24000, protocol: raw}], consoles: [{type: pty, target_type: virtio}],
          graphics: {type: spice, port: 5901, tls_port: 5902, listen: {address: 127.0.0.1}}}",
    );
    let mut host = Host::new();
    let plan = host.plan(&state).expect("a plan");
    let xml = &plan.plan.steps[0]
        .diff
        .as_ref()
        .expect("a definition")
        .after;
    crate::schema::validate("domain", xml);
    expect![[r#"
        <domain type='kvm'>
          <name>big</name>
          <maxMemory unit='KiB' slots='4'>4194304</maxMemory>
          <memory unit='KiB'>1048576</memory>
          <currentMemory unit='KiB'>524288</currentMemory>
          <memtune>
            <hard_limit unit='KiB'>5242880</hard_limit>
          </memtune>
          <memoryBacking>
            <hugepages>
              <page size='2048' unit='KiB' nodeset='0'/>
            </hugepages>
            <locked/>
            <source type='memfd'/>
            <access mode='shared'/>
          </memoryBacking>
          <vcpu current='2' placement='static' cpuset='0-3,^2'>4</vcpu>
          <vcpus>
            <vcpu id='0' enabled='yes' hotpluggable='no' order='1'/>
            <vcpu id='1' enabled='yes' hotpluggable='yes' order='2'/>
          </vcpus>
          <iothreads>2</iothreads>
          <cputune>
            <shares>2048</shares>
            <quota>-1</quota>
            <vcpupin vcpu='0' cpuset='0-1'/>
            <vcpupin vcpu='1' cpuset='2'/>
            <emulatorpin cpuset='1-3'/>
            <iothreadpin iothread='1' cpuset='0'/>
            <vcpusched vcpus='0' scheduler='fifo' priority='1'/>
            <emulatorsched scheduler='rr' priority='2'/>
            <cachetune vcpus='0-1'>
              <cache id='0' level='3' type='both' size='3072' unit='KiB'/>
              <cache id='1' level='3' type='both' size='3072' unit='KiB'/>
              <monitor level='3' vcpus='1'/>
            </cachetune>
            <memorytune vcpus='2-3'>
              <node id='0' bandwidth='60'/>
            </memorytune>
          </cputune>
          <numatune>
            <memory mode='strict' nodeset='0'/>
            <memnode cellid='0' mode='strict' nodeset='0'/>
          </numatune>
          <os firmware='efi'>
            <type arch='x86_64'>hvm</type>
            <boot dev='network'/>
            <boot dev='hd'/>
          </os>
          <features>
            <acpi/>
            <apic/>
            <pae/>
            <kvm>
              <hint-dedicated state='on'/>
            </kvm>
          </features>
          <cpu check='partial'>
            <model fallback='forbid'>Skylake-Client</model>
            <vendor>Intel</vendor>
            <topology sockets='1' cores='2' threads='2'/>
            <cache level='3' mode='emulate'/>
            <feature name='vmx' policy='require'/>
            <feature name='avx' policy='disable'/>
            <numa>
              <cell id='0' cpus='0-3' memory='1048576' discard='yes' memAccess='shared'/>
            </numa>
          </cpu>
          <clock offset='timezone' timezone='Europe/Paris'>
            <timer name='rtc' tickpolicy='catchup'>
              <catchup slew='4' threshold='12' limit='10000'/>
            </timer>
            <timer name='hpet' present='no'/>
          </clock>
          <on_reboot>destroy</on_reboot>
          <devices>
            <serial type='tcp'>
              <source mode='bind' host='0.0.0.0' service='24000'/>
              <protocol type='raw'/>
            </serial>
            <console type='pty'>
              <target type='virtio' port='0'/>
            </console>
            <channel type='unix'>
              <target type='virtio' name='org.qemu.guest_agent.0'/>
            </channel>
            <channel type='spicevmc'>
              <target type='virtio' name='com.redhat.spice.0'/>
            </channel>
            <graphics type='spice' port='5901' tlsPort='5902' listen='127.0.0.1'>
              <listen type='address' address='127.0.0.1'/>
            </graphics>
          </devices>
        </domain>
    "#]]
    .assert_eq(xml);
    host.apply(&state);
    assert!(host.plan(&state).expect("a plan").plan.is_empty());
}

#[test]
fn lists_of_keyed_entries_are_authoritative_and_null_removes() {
    let state = |cpu: &str| virt("defined", "v", "{mem: 512}").with("cpu", cpu);
    let mut host = Host::new();
    host.apply(&state(
        "{maximum: 2, cpuset: '0-3', mode: host-model, features: {vmx: require, avx: disable}}",
    ));
    host.apply(&state(
        "{maximum: 2, cpuset: null, features: {vmx: optional}}",
    ));
    let xml = host.vm("v").xml_persistent.clone().expect("defined");
    assert!(!xml.contains("avx") && !xml.contains("cpuset"), "{xml}");
    assert!(
        xml.contains("<feature name='vmx' policy='optional'/>"),
        "{xml}"
    );
}

#[test]
fn shares_of_caches_are_compared_by_what_they_mean() {
    let tuned = |caches: &str| virt("defined", "v", "{mem: 512}").with("cpu", caches);
    let declared = tuned(
        "{maximum: 4, tuning: {cachetune: {'0-1': {0: {level: 3, type: both, size: 4096}, monitor: {'0,1': 3}}}}}",
    );
    let mut host = Host::new();
    host.apply(&declared);
    let xml = &mut host.vm("v").xml_persistent;
    // As libvirt writes it back.
    *xml = xml.take().map(|xml| {
        xml.replace("size='4096' unit='KiB'", "size='4' unit='MiB'")
            .replace("0,1", "0-1")
    });
    assert!(host.plan(&declared).expect("a plan").plan.is_empty());
    host.apply(&tuned("{maximum: 4, tuning: {cachetune: {}}}"));
    assert!(
        !host
            .vm("v")
            .xml_persistent
            .clone()
            .expect("defined")
            .contains("cachetune")
    );
    expect!["cpu: tuning: memorytune: 0: a: \"a\" is not the number of a cache or of a memory node of the host"].assert_eq(
        &host
            .plan(&tuned("{maximum: 4, tuning: {memorytune: {0: {a: 60}}}}"))
            .expect_err("no number")
            .to_string(),
    );
}

#[test]
fn the_host_decides_what_a_new_vm_is() {
    let kind = |capabilities: &str, yaml: &str| {
        let mut host = Host::offering(capabilities);
        let plan = host.plan(&virt("defined", "v", yaml))?;
        let xml = plan.plan.steps[0]
            .diff
            .as_ref()
            .expect("a definition")
            .after
            .clone();
        Ok::<_, states::StateError>(domxml::domain::read(&xml).expect("readable"))
    };
    let emulated = crate::host::CAPABILITIES.replace("<domain type='kvm'/>", "");
    assert_eq!(
        kind(crate::host::CAPABILITIES, "mem: 1")
            .expect("a plan")
            .domain_type,
        "kvm"
    );
    assert_eq!(
        kind(&emulated, "mem: 1").expect("a plan").domain_type,
        "qemu"
    );
    let xen = "<capabilities><guest><os_type>xen</os_type><arch name='x86_64'><domain type='xen'/></arch></guest>
        <guest><os_type>hvm</os_type><arch name='x86_64'><domain type='xen'/></arch></guest></capabilities>";
    let domain = kind(xen, "{mem: 1, interfaces: [{name: e}]}").expect("a plan");
    assert_eq!(
        (domain.domain_type.as_str(), domain.os_type.as_str()),
        ("xen", "hvm")
    );
    assert_eq!(domain.nics[0].model, "");
    let error = kind(&emulated, "{mem: 1, vm_type: kvm}").expect_err("no KVM");
    expect![[r#"vm_type: "kvm" is not offered by this host. It offers qemu; leave vm_type out to take the best"#]].assert_eq(&error.to_string());
}

#[test]
fn profiles_come_first_and_defaults_last() {
    let config = |key: &str| match key {
        "virt:disk" => sls::yaml::load(
            "{web: [{system: {size: 4096, pool: pool0}}, {data: {size: 10, pool: pool0}}]}",
        )
        .ok(),
        "virt:nic" => sls::yaml::load("{lan: {eth0: {network: net0, model: e1000}}}").ok(),
        _ => None,
    };
    let mut host = applied();
    host.seen.config = states::Config::read(config);
    for disk in ["w_system", "w_data"] {
        host.seen
            .volumes
            .insert(("pool0".to_owned(), disk.to_owned()), None);
    }
    let state = virt(
        "defined",
        "w",
        "{mem: 512, disk_profile: web, disks: [{name: data, size: 20}], nic_profile: lan, interfaces: [{name: eth0, mac: '52:54:00:00:00:09'}]}",
    );
    let plan = host.plan(&state).expect("a plan");
    let xml = &plan
        .plan
        .steps
        .last()
        .expect("steps")
        .diff
        .as_ref()
        .expect("a definition")
        .after;
    let domain = domxml::domain::read(xml).expect("readable");
    assert_eq!(domain.disks.len(), 2);
    assert_eq!(
        (
            domain.nics[0].source.as_str(),
            domain.nics[0].model.as_str()
        ),
        ("net0", "e1000")
    );
    expect![[r#"
        Create volume w_system in pool pool0 of 4.0 GiB [none]
        Create volume w_data in pool pool0 of 20.0 MiB [none]
        Define VM w [none]"#]]
    .assert_eq(&summary(&plan));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_touched() {
    let mut host = applied();
    let mut said = Vec::new();
    let mut refuse = |name: &str, yaml: &str| {
        let error = host.plan(&virt("running", name, yaml)).expect_err(yaml);
        said.push(error.to_string());
    };
    refuse("<script>", "mem: 1");
    refuse(&"x".repeat(300), "mem: 1");
    refuse("v", "cpu: 1");
    refuse("v", "{mem: 1h}");
    refuse("v", "{mem: 1, cpu: many}");
    refuse("v", "{mem: 1, cpu: {modell: x}}");
    refuse("v", "{mem: 1, disks: [{name: a, size: 20G, pool: pool0}]}");
    refuse("v", "{mem: 1, disks: [{name: a, size: 20, pool: pool1}]}");
    refuse("v", "{mem: 1, disks: [{name: a, pool: pool0}]}");
    refuse(
        "v",
        "{mem: 1, disks: [{name: a, image: x.qcow2, pool: pool0}]}",
    );
    refuse("v", "{mem: 1, disks: [{name: a, size: 1}]}");
    refuse("v", "{mem: 1, disks: [{size: 1}]}");
    refuse("v", "{mem: 1, disks: [{name: a, source_file: /no/such}]}");
    refuse(
        "v",
        "{mem: 1, interfaces: [{name: e, mac: '01:00:00:00:00:00'}]}",
    );
    refuse(
        "v",
        "{mem: 1, interfaces: [{name: e, type: direct, source: em1}]}",
    );
    refuse("v", "{mem: 1, graphics: {type: vcn}}");
    refuse("v", "{mem: 1, boot: {kernel: /k}}");
    refuse("v", "{mem: 1, boot: {kernel: 'file://hv2/k', initrd: /i}}");
    refuse("v", "{mem: 1, boot: {kernel: /k, initrd: 'file:///a%20b'}}");
    refuse("v", "{mem: 1, boot_dev: floppy}");
    refuse("v", "{mem: 1, host_devices: [pci_0000_00_1f_6]}");
    refuse("v", "{mem: 1, autostart: 'yes'}");
    expect![[r#"
        name: "<script>" is not a usable name. The name "<script>" has the character '<', which a name cannot have
        name: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… is not a usable name. The name has 300 bytes, at most 200 are possible
        mem: nothing is not enough for a new VM. Add mem in MiB, for example mem: 1024
        mem: "1h" is not a size: invalid number or unit. Write a number of MiB (1024) or a number with a unit (1g, 512MiB)
        cpu: "many" is not a whole number
        cpu: there is no key modell here. Did you mean model?
        disks: a: size: "20G" is not a size in MiB (a whole number without unit). Write 20480, which is 20G in MiB
        disk a: there is no pool pool1 on the host. Declare it with virt.pool_running and require it, or write a folder with a slash
        Unable to create new disk a, please specify disk size and/or disk image argument. Write size: in MiB
        disks: a: image: "x.qcow2" is not an image: a URL (http://, https://, ftp://), a salt:// file or an absolute path on the host
        disk a of v has no pool, and /srv/salt-images is the folder of no active pool. Give the disk a pool, or set virt:images to the name of one
        disks: item 1: {"size":1} is not complete without name. Add name
        disks: a: source_file: "/no/such" is not there on the host
        interfaces: e: mac: "01:00:00:00:00:00" is not the address of an interface. It is a multicast address. Make the first pair even, as in 52:54:00:12:34:56
        interfaces: e: type: "direct" is not bridge or network. Define a network with forward: bridge, vepa or hostdev, and write network: NAME
        graphics: type: "vcn" is not one of none, vnc, spice, rdp, sdl, desktop, egl-headless, dbus. Did you mean vnc?
        boot: {"kernel":"/k"} is not possible: Invalid boot parameters,It has to follow this combination: [(kernel, initrd) or/and cmdline] or/and [(loader, nvram) or efi]
        boot: kernel: "file://hv2/k" is not a path on the host. Write an absolute path
        boot: initrd: "file:///a%20b" is not a path on the host. Write an absolute path
        boot_dev: "floppy" is not a list of hd, fd, cdrom, network with blanks between them
        host_devices: "pci_0000_00_1f_6" is not a device of the host: Failed to get host devices. virt.node_devices lists them
        autostart: "yes" is not a boolean (True or False). Write True, without quotes"#]].assert_eq(&said.join("\n"));
}

#[test]
fn action_states_report_each_vm_and_name_the_nearest() {
    let mut host = applied();
    let mut other = host.vm("srv01").clone();
    other.name = "srv02".to_owned();
    other.status = VmStatus::Paused;
    host.seen.vms.insert("srv02".to_owned(), Some(other));
    host.seen.vm_names.push("srv02".to_owned());
    let mut said = Vec::new();
    for (fun, name) in [
        ("stopped", "srv*"),
        ("powered_off", "srv0?"),
        ("unpowered", "srv02"),
        ("stopped", "srv02"),
        ("rebooted", "srv1"),
    ] {
        said.push(match host.plan(&virt(fun, name, "{}")) {
            Ok(plan) => {
                plan.notes
                    .iter()
                    .map(|note| format!("note: {note}\n"))
                    .collect::<String>()
                    + &shown(&plan.applied(&[]))
            }
            Err(error) => error.to_string(),
        });
    }
    expect![[r#"
        Some(true) Machine has been shut down
        {"stopped":[{"domain":"srv01","shutdown":true}]}
        Some(true) Machine has been powered off
        {"unpowered":[{"domain":"srv01","stop":true},{"domain":"srv02","stop":true}]}
        note: virt.unpowered is deprecated: write virt.powered_off
        Some(true) Machine has been powered off
        {"unpowered":[{"domain":"srv02","stop":true}]}
        Some(false) No changes had happened
        {"ignored":[{"domain":"srv02","issue":"The VM is paused and cannot react; resume it first or force it off"}]}
        No changes had happened: there is no VM srv1 on this host. Did you mean srv01?"#]].assert_eq(&said.join("\n"));
}

#[test]
fn a_volume_is_defined_once() {
    let mut host = applied();
    let state = virt(
        "volume_defined",
        "data",
        "{pool: pool0, size: 10, format: qcow2}",
    );
    let plan = host.plan(&state).expect("a plan");
    if let Step::Volume {
        op: VolumeOp::Create { xml },
        ..
    } = &plan.plan.steps[0].step
    {
        crate::schema::validate("storagevol", xml);
    }
    expect![[r#"
        Create volume data of 10.0 MiB in pool pool0 [none]
        None Volume data would be defined in pool pool0
        {"pool0/data":{"old":"","new":"defined"}}
        Some(true) Volume data defined in pool pool0
        {"pool0/data":{"old":"","new":"defined"}}"#]]
    .assert_eq(&format!(
        "{}\n{}\n{}",
        summary(&plan),
        shown(&plan.tested()),
        shown(&plan.applied(&[]))
    ));
    host.apply(&state);
    let again = |state: &crate::host::State| {
        host.clone()
            .plan(state)
            .map(|plan| shown(&plan.applied(&[])))
    };
    assert_eq!(
        again(&state).expect("a plan"),
        "Some(true) volume is existing\n{}"
    );
    let bigger = again(&state.with("size", "20")).expect("a plan");
    assert_eq!(
        bigger,
        "Some(true) The capacity of the volume is different, but no resize performed\n{}"
    );
    assert!(again(&state.with("format", "raw")).is_err());
}

#[test]
fn a_volume_that_is_there_says_its_format() {
    let mut host = applied();
    for (name, format) in [("v_old", "raw"), ("debian.iso", "iso")] {
        let volume = virt(
            "volume_defined",
            name,
            &format!("{{pool: pool0, size: 10, format: {format}}}"),
        );
        host.apply(&volume);
    }
    let disks = "{mem: 1, disks: [{name: old, pool: pool0}, {name: iso, device: cdrom, pool: pool0, source_file: debian.iso}]}";
    let plan = host.plan(&virt("defined", "v", disks)).expect("a plan");
    let xml = &plan.plan.steps[0]
        .diff
        .as_ref()
        .expect("a definition")
        .after;
    assert_eq!(xml.matches("type='raw'").count(), 2, "{xml}");
    let other = disks.replace("name: old,", "name: old, format: qcow2,");
    expect!["volume v_old of pool pool0 is there with format raw, and disk old is to have qcow2. Write format: raw, or delete the volume if nobody needs it"].assert_eq(
        &host
            .plan(&virt("defined", "v", &other))
            .expect_err("another format")
            .to_string(),
    );
}

#[test]
fn a_state_for_another_hypervisor_is_not_carried_out_here() {
    let mut host = applied();
    let state = srv01()
        .with("connection", "xen:///system")
        .with("password", "secret");
    expect![[r#"
        note: connection: the agent's own connection is used
        note: password: not used, the agent signs in to the hypervisor by itself"#]]
    .assert_eq(&summary(&host.plan(&state).expect("a plan")));
    host.seen.config = states::Config::default().connected_to("qemu:///system");
    expect![[r#"connection: "xen:///system" is not the hypervisor that is managed here, qemu:///system. Run an agent for that hypervisor, and apply the state to its host"#]].assert_eq(&host.plan(&state).expect_err("another host").to_string());
}

#[test]
fn credentials_of_an_image_are_not_shown() {
    let mut host = applied();
    let disks = "{mem: 1, disks: [{name: a, pool: pool0, image: 'https://me:secret@mirror.example/x@y.qcow2'}]}";
    let plan = host.plan(&virt("defined", "v", disks)).expect("a plan");
    assert_eq!(
        plan.plan.steps[0].summary,
        "Create volume v_a in pool pool0 from https://mirror.example/x@y.qcow2"
    );
}

#[test]
fn states_that_pretend_say_what_salt_says() {
    let pretend = |fun: &str| {
        let args = sls::Map::new();
        let call = states::Call {
            state: "test",
            fun,
            name: "x",
            args: &args,
        };
        let plan = states::plan(&call, &states::Observation::default()).expect("a plan");
        format!("{} | {}", shown(&plan.applied(&[])), shown(&plan.tested())).replace('\n', " ")
    };
    let said: Vec<String> = [
        "nop",
        "succeed_with_changes",
        "fail_without_changes",
        "fail_with_changes",
    ]
    .map(pretend)
    .into();
    expect![[r#"
        Some(true) Success! {} | Some(true) Success! {}
        Some(true) Success! {"testing":{"old":"Unchanged","new":"Something pretended to change"}} | None If we weren't testing, this would be successful with changes {"testing":{"old":"Unchanged","new":"Something pretended to change"}}
        Some(false) Failure! {} | Some(false) If we weren't testing, this would be a failure! {}
        Some(false) Failure! {"testing":{"old":"Unchanged","new":"Something pretended to change"}} | None If we weren't testing, this would be failed with changes {"testing":{"old":"Unchanged","new":"Something pretended to change"}}"#]].assert_eq(&said.join("\n"));
}

#[test]
fn a_misspelt_function_is_told_the_closest_one() {
    let args = sls::Map::new();
    let call = states::Call {
        state: "virt",
        fun: "runing",
        name: "x",
        args: &args,
    };
    let unknown = states::needs(&call, &states::Config::default()).expect_err("unknown");
    expect!["State 'virt.runing' was not found; the closest is 'virt.running'"]
        .assert_eq(&unknown.to_string());
}

#[test]
fn xen_gets_files_and_block_devices_instead_of_volumes() {
    let xen = "<capabilities><guest><os_type>hvm</os_type><arch name='x86_64'><domain type='xen'/></arch></guest></capabilities>";
    let mut host = Host::offering(xen);
    host.apply(&virt(
        "pool_running",
        "files",
        "{ptype: dir, target: /images}",
    ));
    host.apply(&virt(
        "pool_running",
        "vg",
        "{ptype: logical, target: /dev/vg, source: {name: vg}}",
    ));
    host.seen
        .paths
        .insert("/dev/sdz".to_owned(), states::HostPath::BlockDevice);
    let disks = "{mem: 512, disks: [{name: a, pool: files, size: 10}, {name: b, pool: vg, size: 10}, {name: c, source_file: /dev/sdz}]}";
    let state = virt("defined", "x", disks);
    let plan = host.plan(&state).expect("a plan");
    let xml = plan
        .plan
        .steps
        .iter()
        .find_map(|step| step.diff.clone())
        .expect("a definition")
        .after;
    crate::schema::validate("domain", &xml);
    for step in &plan.plan.steps {
        if let Step::Volume {
            op: VolumeOp::Create { xml },
            ..
        } = &step.step
        {
            crate::schema::validate("storagevol", xml);
        }
    }
    let devices = &xml[xml.find("<devices>").expect("devices")..];
    expect![[r#"
        <devices>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2'/>
              <source file='/images/x_a'/>
              <target dev='xvda' bus='xen'/>
            </disk>
            <disk type='block' device='disk'>
              <driver name='phy' type='raw'/>
              <source dev='/dev/vg/x_b'/>
              <target dev='xvdb' bus='xen'/>
            </disk>
            <disk type='block' device='disk'>
              <driver name='phy' type='raw'/>
              <source dev='/dev/sdz'/>
              <target dev='xvdc' bus='xen'/>
            </disk>
          </devices>
        </domain>
    "#]]
    .assert_eq(devices);
    host.apply(&state);
    assert!(host.plan(&state).expect("a plan").plan.is_empty());
}

#[test]
fn a_transient_vm_is_defined_and_undone_by_undefining() {
    let mut host = applied();
    let vm = host.vm("srv01");
    vm.persistent = false;
    vm.xml_persistent = None;
    let plan = host.plan(&srv01()).expect("a plan");
    assert_eq!(
        summary(&plan),
        "Update the definition of VM srv01: it gets one that lasts [live]"
    );
    let undefine = Step::Vm {
        name: "srv01".to_owned(),
        op: VmOp::Undefine,
    };
    assert_eq!(
        plan.plan.steps[0].undo,
        model::plan::Undo::By(Box::new(undefine))
    );
}

#[test]
fn more_vcpus_do_not_come_online_by_themselves() {
    let state = |cpu: &str| virt("defined", "v", "{mem: 512}").with("cpu", cpu);
    let mut host = Host::new();
    host.apply(&state("1"));
    host.apply(&state("{maximum: 4, current: 1}"));
    assert_eq!((host.vm("v").vcpus, host.vm("v").vcpus_max), (1, 4));
}

#[test]
fn what_is_resolved_at_the_start_does_not_wait_for_ever() {
    let state = |mode: &str| {
        virt("running", "v", "{mem: {boot: 512, current: 256}}").with(
            "cpu",
            &format!("{{mode: {mode}, features: {{aes: require}}, check: partial}}"),
        )
    };
    let mut host = Host::new();
    host.apply(&state("host-model"));
    let vm = host.vm("v");
    let mut live = Document::new(vm.xml_live.clone().expect("it runs")).expect("well-formed");
    for (place, value) in [
        (Place::at("cpu").attr("mode"), "custom"),
        (Place::at("cpu").attr("check"), "full"),
        (Place::at("cpu/model"), "EPYC"),
        (
            Place::at("cpu")
                .keyed("feature", "name", "x2apic")
                .attr("policy"),
            "require",
        ),
        (Place::at("currentMemory"), "524288"),
    ] {
        live.set(&place, value).expect("possible");
    }
    vm.xml_live = Some(live.into_string());
    let plan = host.plan(&state("host-model")).expect("a plan").plan;
    assert_eq!((plan.steps, plan.pending), (vec![], vec![]));
    let changed = host.plan(&state("maximum")).expect("a plan");
    expect![[r#"
        Update the definition of VM v: cpu@mode [next boot]
        waits: cpu@mode: custom now, maximum at the next start"#]]
    .assert_eq(&summary(&changed));
}

#[test]
fn disks_stand_on_an_image_that_is_fetched_once() {
    let vm = |name: &str| {
        let disks = "[{name: system, pool: pool0, overlay_image: True, size: 200000, image: 'https://u:secret@mirror.example/leap.qcow2?x=1'}]";
        virt("defined", name, "{mem: 64}").with("disks", disks)
    };
    let mut host = applied();
    let plan = host.plan(&vm("web1")).expect("a plan");
    expect![[r#"
        Create volume base-544b29733ecb-leap.qcow2 in pool pool0 from https://mirror.example/leap.qcow2?x=1 [none]
        Create volume web1_system in pool pool0 of 195.3 GiB [none]
        Define VM web1 [none]"#]].assert_eq(&summary(&plan));
    let Step::Volume {
        op: VolumeOp::Create { xml },
        ..
    } = &plan.plan.steps[1].step
    else {
        panic!("not a volume: {:?}", plan.plan.steps[1]);
    };
    expect![[r#"
        <volume>
          <name>web1_system</name>
          <capacity unit='KiB'>204800000</capacity>
          <allocation unit='KiB'>0</allocation>
          <target>
            <format type='qcow2'/>
          </target>
          <backingStore>
            <path>/vms/base-544b29733ecb-leap.qcow2</path>
            <format type='qcow2'/>
          </backingStore>
        </volume>
    "#]]
    .assert_eq(xml);
    host.apply(&vm("web1"));
    assert!(host.plan(&vm("web1")).expect("a plan").plan.is_empty());
    let second = host.plan(&vm("web2")).expect("a plan");
    expect![[r#"
        Create volume web2_system in pool pool0 of 195.3 GiB [none]
        Define VM web2 [none]"#]]
    .assert_eq(&summary(&second));
}

#[test]
fn an_overlay_needs_an_image_and_files() {
    let refused = |disk: &str, pool: &str| {
        let mut host = applied();
        if !pool.is_empty() {
            host.apply(&virt("pool_running", "vg", pool));
        }
        let disks = format!("[{{name: a, size: 10, overlay_image: True, {disk}}}]");
        let state = virt("defined", "web", "{mem: 64}").with("disks", &disks);
        host.plan(&state).expect_err("refused").to_string()
    };
    let image = "image: 'http://x/y.qcow2'";
    expect![[r#"
        disks: a: overlay_image: True is not possible without an image. Write the image that the disk stands on: image: …
        disks: a: overlay_image: True is not possible with format raw. Write format: qcow2, which can stand on another image
        disks: a: {"name":"a","size":10,"overlay_image":true,"pool":"pool0","… is not possible: Using a template image with a backing store is not possible, choose either of them.
        disks: a: overlay_image: "True" is not possible in pool vg of kind logical: its volumes are no files"#]].assert_eq(
        &[
            refused("pool: pool0", ""),
            refused(&format!("pool: pool0, format: raw, {image}"), ""),
            refused(
                &format!("pool: pool0, {image}, backing_store_path: /a, backing_store_format: raw"),
                "",
            ),
            refused(
                &format!("pool: vg, {image}"),
                "{ptype: logical, target: /dev/vg, source: {name: vg}}",
            ),
        ]
        .join("\n"),
    );
}
