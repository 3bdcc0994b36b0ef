//! VMs, networks and pools that are to go: in use they stay, data stays unless asked for, and a second run is silent.

use crate::host::{Host, State, shown, summary, virt};
use crate::origin::applied;
use domxml::{Document, Place};
use expect_test::{Expect, expect};
use model::VmStatus;
use model::plan::{Step, VmOp};

/// The plan and its results, and after it nothing is left to do.
fn check(host: &mut Host, state: &State, expected: &Expect) {
    let plan = host.plan(state).expect("a plan");
    expected.assert_eq(&format!(
        "{}\n{}\n{}",
        summary(&plan),
        shown(&plan.tested()),
        shown(&plan.applied(&[]))
    ));
    host.apply(state);
    let again = host.plan(state).expect("a plan");
    assert!(again.plan.is_empty(), "a second apply: {}", summary(&again));
    assert!(again.applied(&[]).changes.is_empty());
}

fn refusal(host: &mut Host, state: &State) -> String {
    host.plan(state).expect_err("refused").to_string()
}

/// A VM of the same host with the disk and the network of `srv01`, off.
fn twin(host: &mut Host) {
    let mut other = host.vm("srv01").clone();
    other.name = "srv02".to_owned();
    other.status = VmStatus::Shutoff;
    other.xml_live = None;
    host.seen.vms.insert("srv02".to_owned(), Some(other));
}

#[test]
fn a_running_vm_goes_only_by_force_and_its_disks_stay() {
    let mut host = applied();
    let gone = virt("absent", "srv01", "{}");
    expect!["VM srv01 is running and is not removed. Shut it down first (virt.stopped), or write force: True to cut its power"]
        .assert_eq(&refusal(&mut host, &gone));
    let forced = gone.with("force", "True");
    check(
        &mut host,
        &forced,
        &expect![[r#"
        Cut the power of VM srv01 [downtime]
        Remove the definition of VM srv01 [none]
        None Domain srv01 removed; its disks stay: pool0/srv01_system
        {"srv01":{"stopped":true,"undefined":true}}
        Some(true) Domain srv01 removed; its disks stay: pool0/srv01_system
        {"srv01":{"stopped":true,"undefined":true}}"#]],
    );
    assert!(host.seen.volumes[&("pool0".to_owned(), "srv01_system".to_owned())].is_some());
    expect![[r#"
        Some(true) Domain srv01 is absent
        {}"#]]
    .assert_eq(&shown(&host.plan(&forced).expect("a plan").applied(&[])));
}

#[test]
fn disks_are_deleted_when_asked_with_their_size_and_what_is_lost() {
    let mut host = applied();
    host.seen
        .paths
        .insert("/iso/x.iso".to_owned(), states::HostPath::File);
    let disks = "[{name: system, pool: pool0, size: 122880, format: qcow2}, {name: cd, device: cdrom, source_file: /iso/x.iso}]";
    host.apply(&crate::origin::srv01().with("disks", disks));
    check(
        &mut host,
        &virt("absent", "srv01", "{force: True, delete_disks: True}"),
        &expect![[r#"
            Cut the power of VM srv01 [downtime]
            Delete volume srv01_system of pool pool0 (120.0 GiB) with its data [loss of data]
            Remove the definition of VM srv01 [none]
            None Domain srv01 removed
            {"srv01":{"stopped":true,"undefined":true,"deleted_volumes":["srv01_system"]}}
            Some(true) Domain srv01 removed
            {"srv01":{"stopped":true,"undefined":true,"deleted_volumes":["srv01_system"]}}"#]],
    );
    assert_eq!(
        host.seen.volumes[&("pool0".to_owned(), "srv01_system".to_owned())],
        None
    );
}

#[test]
fn what_somebody_else_needs_is_kept_and_named() {
    let state = virt("absent", "srv01", "{force: True, delete_disks: True}");
    let mut shared = applied();
    twin(&mut shared);
    let mut said = vec![summary(&shared.plan(&state).expect("a plan"))];

    let mut backing = applied();
    let overlay = virt(
        "volume_defined",
        "overlay",
        "{pool: pool0, size: 10, format: qcow2, backing_store: {path: /vms/srv01_system, format: qcow2}}",
    );
    backing.apply(&overlay);
    said.push(summary(&backing.plan(&state).expect("a plan")));

    let mut elsewhere = applied();
    elsewhere
        .seen
        .paths
        .insert("/data/x.raw".to_owned(), states::HostPath::File);
    let disks = "[{name: x, source_file: /data/x.raw, format: raw}]";
    elsewhere.apply(&crate::origin::srv01().with("disks", disks));
    said.push(summary(&elsewhere.plan(&state).expect("a plan")));

    let mut stopped = applied();
    if let Some(Some(pool)) = stopped.seen.pools.get_mut("pool0") {
        pool.active = false;
    }
    said.push(refusal(&mut stopped, &state));
    expect![[r#"
        Cut the power of VM srv01 [downtime]
        Remove the definition of VM srv01 [none]
        note: disk vda stays: VM srv02 has it as well
        --
        Cut the power of VM srv01 [downtime]
        Remove the definition of VM srv01 [none]
        note: disk vda stays: volume overlay of pool pool0 stands on it
        --
        Cut the power of VM srv01 [downtime]
        Remove the definition of VM srv01 [none]
        note: disk vda stays: /data/x.raw is in no active pool
        --
        pool pool0 of disk vda is not active, so its volume cannot be deleted. Start the pool first (salar pool start pool0), or leave delete_disks out"#]].assert_eq(&said.join("\n--\n"));
}

#[test]
fn saved_memory_is_not_thrown_away_unasked() {
    let mut host = applied();
    let vm = host.vm("srv01");
    vm.status = VmStatus::Shutoff;
    vm.xml_live = None;
    vm.has_managed_save = true;
    let mut said = vec![refusal(&mut host, &virt("absent", "srv01", "{}"))];
    let all = host
        .plan(&virt("absent", "srv01", "{delete_disks: True}"))
        .expect("a plan");
    said.push(summary(&all));
    expect![[r#"
        VM srv01 has a saved memory image, which would be lost. Start it and shut it down, or write delete_disks: True if nothing of it is needed
        --
        Delete volume srv01_system of pool pool0 (120.0 GiB) with its data [loss of data]
        Remove the definition of VM srv01 [loss of data]"#]].assert_eq(&said.join("\n--\n"));
    assert!(matches!(
        &all.plan.steps.last().expect("steps").step,
        Step::Vm {
            op: VmOp::Purge,
            ..
        }
    ));
}

#[test]
fn a_transient_vm_is_only_stopped() {
    let mut host = applied();
    let vm = host.vm("srv01");
    vm.persistent = false;
    vm.xml_persistent = None;
    check(
        &mut host,
        &virt("absent", "srv01", "{force: True}"),
        &expect![[r#"
            Cut the power of VM srv01 [downtime]
            None Domain srv01 removed; its disks stay: pool0/srv01_system
            {"srv01":{"stopped":true}}
            Some(true) Domain srv01 removed; its disks stay: pool0/srv01_system
            {"srv01":{"stopped":true}}"#]],
    );
}

#[test]
fn a_network_goes_when_nobody_running_is_plugged_in() {
    let mut host = applied();
    twin(&mut host);
    let mut said = Vec::new();
    for fun in ["network_absent", "network_deleted"] {
        said.push(refusal(&mut host, &virt(fun, "net0", "{}")));
    }
    expect![[r#"
        VM srv01 is plugged into network net0 and would lose the link. Shut down or move what uses the network first, or write force: True
        VM srv01 is plugged into network net0 and would lose the link. Shut down or move what uses the network first, or write force: True"#]].assert_eq(&said.join("\n"));
    let forced = virt("network_absent", "net0", "{force: True}");
    check(
        &mut host.clone(),
        &forced,
        &expect![[r#"
        Stop network net0 [downtime]
        Remove the definition of network net0 [none]
        note: VM srv01 has an interface on network net0 and cannot start without it
        note: VM srv02 has an interface on network net0 and cannot start without it
        None Network net0 removed
        {"net0":{"stopped":true,"undefined":true}}
        Some(true) Network net0 removed
        {"net0":{"stopped":true,"undefined":true}}"#]],
    );
    host.apply(&virt("absent", "srv01", "{force: True}"));
    check(
        &mut host,
        &virt("network_deleted", "net0", "{}"),
        &expect![[r#"
            Stop network net0 [live]
            Remove the definition of network net0 [none]
            note: VM srv02 has an interface on network net0 and cannot start without it
            None Network net0 removed
            {"net0":{"stopped":true,"undefined":true}}
            Some(true) Network net0 removed
            {"net0":{"stopped":true,"undefined":true}}"#]],
    );
    let absent = host.plan(&forced).expect("a plan").applied(&[]);
    expect![[r#"
        Some(true) Network net0 is absent
        {}"#]]
    .assert_eq(&shown(&absent));
}

#[test]
fn pool_deleted_says_what_salt_says() {
    let mut host = applied();
    host.apply(&virt("absent", "srv01", "{force: True}"));
    host.apply(&virt(
        "volume_defined",
        "data",
        "{pool: pool0, size: 10, format: raw}",
    ));
    check(
        &mut host.clone(),
        &virt("pool_deleted", "pool0", "{purge: True}"),
        &expect![[r#"
            Read the volumes of pool pool0 again [none]
            Delete volume data of pool pool0 (10.0 MiB) with its data [loss of data]
            Delete volume srv01_system of pool pool0 (120.0 GiB) with its data [loss of data]
            Stop pool pool0 [live]
            Delete the storage of pool pool0 [loss of data]
            Remove the definition of pool pool0 [none]
            None 
            {"stopped":true,"deleted":true,"undefined":true,"deleted_volumes":["data","srv01_system"]}
            Some(true) 
            {"stopped":true,"deleted":true,"undefined":true,"deleted_volumes":["data","srv01_system"]}"#]],
    );
    check(
        &mut host,
        &virt("pool_deleted", "pool0", "{}"),
        &expect![[r#"
            Stop pool pool0 [live]
            Remove the definition of pool pool0 [none]
            None 
            {"stopped":true,"deleted":false,"undefined":true,"deleted_volumes":[]}
            Some(true) 
            {"stopped":true,"deleted":false,"undefined":true,"deleted_volumes":[]}"#]],
    );
    let plan = host
        .plan(&virt("pool_deleted", "pool0", "{}"))
        .expect("a plan");
    expect![[r#"
        Some(true) Storage pool could not be found: pool0
        {}"#]]
    .assert_eq(&shown(&plan.applied(&[])));
}

#[test]
fn what_cannot_be_purged_is_told() {
    let mut host = Host::new();
    host.apply(&virt(
        "pool_running",
        "iscsi",
        "{ptype: iscsi, target: /dev/disk/by-path, source: {hosts: [h], devices: [{path: iqn.2013-06.com.example:t}]}}",
    ));
    let state = virt("pool_deleted", "iscsi", "{purge: True}");
    let failed = host.plan(&state).expect("a plan").failed("it is busy");
    assert_eq!(failed.comment, "Failed deleting pool: it is busy");
    check(
        &mut host,
        &state,
        &expect![[r#"
        Stop pool iscsi [live]
        Remove the definition of pool iscsi [none]
        None Unsupported actions for pool of type "iscsi": deleting volume, deleting pool
        {"stopped":true,"deleted":false,"undefined":true,"deleted_volumes":[]}
        Some(true) Unsupported actions for pool of type "iscsi": deleting volume, deleting pool
        {"stopped":true,"deleted":false,"undefined":true,"deleted_volumes":[]}"#]],
    );
}

#[test]
fn a_stopped_pool_is_just_undefined_by_salts_function() {
    let mut host = applied();
    if let Some(Some(pool)) = host.seen.pools.get_mut("pool0") {
        pool.active = false;
        pool.xml_live = None;
    }
    check(
        &mut host,
        &virt("pool_deleted", "pool0", "{purge: True}"),
        &expect![[r#"
            Remove the definition of pool pool0 [none]
            note: purge: pool pool0 is stopped, so its volumes cannot be seen and stay
            note: VM srv01 has a disk in pool pool0 and cannot start without it
            None 
            {"stopped":false,"deleted":false,"undefined":true,"deleted_volumes":[]}
            Some(true) 
            {"stopped":false,"deleted":false,"undefined":true,"deleted_volumes":[]}"#]],
    );
}

#[test]
fn a_pool_in_use_is_not_purged_under_a_running_vm() {
    let mut host = applied();
    let mut said = Vec::new();
    for (fun, args) in [
        ("pool_absent", "{}"),
        ("pool_absent", "{force: True, purge: True}"),
        ("pool_deleted", "{purge: True}"),
    ] {
        said.push(refusal(&mut host, &virt(fun, "pool0", args)));
    }
    for (fun, args) in [("pool_absent", "{force: True}"), ("pool_deleted", "{}")] {
        said.push(summary(
            &host.plan(&virt(fun, "pool0", args)).expect("a plan"),
        ));
    }
    expect![[r#"
        VM srv01 is running with disks in pool pool0. Shut down what uses the pool first, or write force: True
        --
        VM srv01 is running on volume srv01_system of pool pool0. Remove what uses the volume first (virt.absent) and require that, or leave purge out
        --
        VM srv01 is running on volume srv01_system of pool pool0. Remove what uses the volume first (virt.absent) and require that, or leave purge out
        --
        Stop pool pool0 [downtime]
        Remove the definition of pool pool0 [none]
        note: VM srv01 has a disk in pool pool0 and cannot start without it
        --
        Stop pool pool0 [downtime]
        Remove the definition of pool pool0 [none]
        note: VM srv01 has a disk in pool pool0 and cannot start without it"#]].assert_eq(&said.join("\n--\n"));
}

#[test]
fn an_empty_pool_is_absent_with_its_storage() {
    let mut host = applied();
    host.apply(&virt("absent", "srv01", "{force: True}"));
    let state = virt("pool_absent", "pool0", "{purge: True}");
    check(
        &mut host,
        &state,
        &expect![[r#"
        Read the volumes of pool pool0 again [none]
        Delete volume srv01_system of pool pool0 (120.0 GiB) with its data [loss of data]
        Stop pool pool0 [live]
        Delete the storage of pool pool0 [loss of data]
        Remove the definition of pool pool0 [none]
        None Pool pool0 removed
        {"pool0":{"stopped":true,"deleted":true,"undefined":true,"deleted_volumes":["srv01_system"]}}
        Some(true) Pool pool0 removed
        {"pool0":{"stopped":true,"deleted":true,"undefined":true,"deleted_volumes":["srv01_system"]}}"#]],
    );
    expect![[r#"
        Some(true) Pool pool0 is absent
        {}"#]]
    .assert_eq(&shown(&host.plan(&state).expect("a plan").applied(&[])));
}

#[test]
fn a_disk_given_by_its_path_is_found_in_its_pool() {
    let mut host = applied();
    let vm = host.vm("srv01");
    let xml = vm.xml_persistent.clone().expect("defined");
    let mut document = Document::new(xml).expect("well-formed");
    let disk = Place::at("devices").nth("disk", 0);
    document
        .set(&disk.clone().attr("type"), "file")
        .expect("possible");
    document
        .remove(&disk.clone().child("source"))
        .expect("possible");
    document
        .set(&disk.child("source").attr("file"), "/vms/srv01_system")
        .expect("possible");
    let read = domxml::domain::read(document.as_str()).expect("readable");
    vm.xml_persistent = Some(document.into_string());
    vm.disks = read.disks;
    vm.status = VmStatus::Shutoff;
    vm.xml_live = None;
    check(
        &mut host,
        &virt("absent", "srv01", "{delete_disks: True}"),
        &expect![[r#"
            Delete volume srv01_system of pool pool0 (120.0 GiB) with its data [loss of data]
            Remove the definition of VM srv01 [none]
            None Domain srv01 removed
            {"srv01":{"undefined":true,"deleted_volumes":["srv01_system"]}}
            Some(true) Domain srv01 removed
            {"srv01":{"undefined":true,"deleted_volumes":["srv01_system"]}}"#]],
    );
}
