//! `virt.snapshot`, `virt.saved`, `virt.reverted`, `virt.snapshot_present`, `virt.snapshot_absent`.

use crate::host::{Host, State, shown, summary, virt};
use crate::origin::applied;
use expect_test::{Expect, expect};
use model::Snapshot;

fn snapshot(name: &str, created: i64, current: bool) -> Snapshot {
    Snapshot {
        name: name.to_owned(),
        parent: None,
        created,
        state: "running".to_owned(),
        current,
    }
}

/// The host of the example, where srv01 has two snapshots.
fn host() -> Host {
    let mut host = applied();
    host.seen.began = Some("20261126-180405".to_owned());
    let have = vec![snapshot("clean", 10, false), snapshot("upgraded", 20, true)];
    host.seen.snapshots.insert("srv01".to_owned(), have);
    host
}

fn check(state: &State, expected: &Expect) {
    let text = match host().plan(state) {
        Ok(plan) => format!("{}\n{}", summary(&plan), shown(&plan.applied(&[]))),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(text.trim_start());
}

#[test]
fn a_snapshot_is_named_after_vm_and_time() {
    check(
        &virt("snapshot", "srv*", "{suffix: before}"),
        &expect![[r#"
            Take snapshot srv01-20261126-180405-before of VM srv01 [live]
            Some(true) Snapshot has been taken
            {"saved":[{"domain":"srv01","snapshot":"srv01-20261126-180405-before"}]}"#]],
    );
    check(
        &virt("saved", "srv01", "{}"),
        &expect![[r#"
        Take snapshot srv01-20261126-180405 of VM srv01 [live]
        note: virt.saved is deprecated: write virt.snapshot
        Some(true) Snapshots has been taken
        {"saved":[{"domain":"srv01","snapshot":"srv01-20261126-180405"}]}"#]],
    );
}

#[test]
fn what_cannot_be_brought_back_whole_is_not_taken() {
    let refused = |edit: &dyn Fn(&mut model::Vm)| {
        let mut host = host();
        edit(host.vm("srv01"));
        let plan = host.plan(&virt("snapshot", "srv01", "{}")).expect("a plan");
        assert!(plan.plan.is_empty());
        let error = host
            .plan(&virt("snapshot_present", "srv01", "{snapshot: a}"))
            .expect_err("refused");
        format!("{}\n{error}", shown(&plan.tested()))
    };
    expect![[r#"
        Some(false) No changes had happened
        {"ignored":[{"domain":"srv01","issue":"no snapshot can be taken: its disk vda is raw, and a snapshot is kept inside of disks that are qcow2. Convert the disk to qcow2, or copy its volume while the VM is off"}]}
        no snapshot of VM srv01 can be taken: its disk vda is raw, and a snapshot is kept inside of disks that are qcow2. Convert the disk to qcow2, or copy its volume while the VM is off"#]].assert_eq(&refused(&|vm| vm.disks[0].format = "raw".to_owned()));
    expect![[r#"
        Some(false) No changes had happened
        {"ignored":[{"domain":"srv01","issue":"no snapshot can be taken: it has no disk that could hold one. Give the VM a qcow2 disk, or save its memory with a managed save"}]}
        no snapshot of VM srv01 can be taken: it has no disk that could hold one. Give the VM a qcow2 disk, or save its memory with a managed save"#]].assert_eq(&refused(&|vm| vm.disks.clear()));
    expect![[r#"
        Some(false) No changes had happened
        {"ignored":[{"domain":"srv01","issue":"no snapshot can be taken: Not possible on Xen HVM: libvirt's Xen driver has no snapshots. Copy the volumes of its disks while the VM is off"}]}
        no snapshot of VM srv01 can be taken: Not possible on Xen HVM: libvirt's Xen driver has no snapshots. Copy the volumes of its disks while the VM is off"#]].assert_eq(&refused(&|vm| vm.domain_type = "xen".to_owned()));
    expect![[r#"
        Some(false) No changes had happened
        {"ignored":[{"domain":"srv01","issue":"no snapshot can be taken: its UEFI variables lie in a raw file, which no snapshot covers. Copy the volumes of its disks and the file of the variables while the VM is off"}]}
        no snapshot of VM srv01 can be taken: its UEFI variables lie in a raw file, which no snapshot covers. Copy the volumes of its disks and the file of the variables while the VM is off"#]].assert_eq(&refused(&|vm| {
        vm.xml_live = Some("<domain><os><nvram>/n</nvram></os></domain>".to_owned());
    }));
}

#[test]
fn a_vm_goes_back_to_the_snapshot_that_is_named() {
    check(
        &virt("reverted", "srv01", "{snapshot: clean, cleanup: True}"),
        &expect![[r#"
            Go back to snapshot clean of VM srv01; what came after it is lost [loss of data]
            Delete snapshot upgraded of VM srv01 [loss of data]
            Some(true) Domain has been reverted
            {"reverted":[{"domain":"srv01","reverted":"clean","deleted":["upgraded"]}]}"#]],
    );
    check(
        &virt("reverted", "srv01", "{snapshot: upgraded}"),
        &expect![[r#"
            Go back to snapshot upgraded of VM srv01; what came after it is lost [loss of data]
            Some(true) Domain has been reverted
            {"reverted":[{"domain":"srv01","reverted":"upgraded","deleted":"N/A"}]}"#]],
    );
}

#[test]
fn without_a_name_it_is_the_one_before_the_current_one() {
    check(
        &virt("reverted", "srv01", "{}"),
        &expect![[r#"
        Go back to snapshot clean of VM srv01; what came after it is lost [loss of data]
        Some(true) Domain has been reverted
        {"reverted":[{"domain":"srv01","reverted":"clean","deleted":"N/A"}]}"#]],
    );
}

#[test]
fn there_must_be_something_to_go_back_to() {
    check(
        &virt("reverted", "srv01", "{snapshot: claen}"),
        &expect!["VM srv01 has no snapshot claen. Did you mean clean?"],
    );
    check(
        &virt("reverted", "nobody", "{}"),
        &expect![[r#"No domains found for criteria "nobody""#]],
    );
    let mut host = host();
    host.seen.snapshots.insert("srv01".to_owned(), Vec::new());
    let error = host
        .plan(&virt("reverted", "srv01", "{}"))
        .expect_err("nothing");
    expect!["VM srv01 has no snapshots. Take one with virt.snapshot before there is something to go back from"].assert_eq(&error.to_string());
}

#[test]
fn a_named_snapshot_is_taken_once() {
    let state = virt("snapshot_present", "srv01", "{snapshot: [clean, tested]}");
    check(
        &state,
        &expect![[r#"
        Take snapshot tested of VM srv01 [live]
        Some(true) Took snapshot tested of domain srv01
        {"srv01":{"taken":["tested"]}}"#]],
    );
    let mut host = host();
    host.apply(&state);
    let again = host.plan(&state).expect("a plan");
    assert!(again.plan.is_empty());
    expect![[r#"
        Some(true) Domain srv01 has snapshots clean, tested
        {}"#]]
    .assert_eq(&shown(&again.tested()));
}

#[test]
fn snapshots_go_by_name_or_pattern() {
    let state = virt("snapshot_absent", "srv01", "{snapshot: 'up*'}");
    check(
        &state,
        &expect![[r#"
        Delete snapshot upgraded of VM srv01 [loss of data]
        Some(true) Deleted snapshot upgraded of domain srv01
        {"srv01":{"deleted":["upgraded"]}}"#]],
    );
    let mut host = host();
    host.apply(&state);
    assert!(host.plan(&state).expect("a plan").plan.is_empty());
    check(
        &virt("snapshot_absent", "nobody", "{snapshot: clean}"),
        &expect![[r#"
            Some(true) Domain nobody has no snapshot clean
            {}"#]],
    );
}

#[test]
fn names_that_are_none_are_refused() {
    for name in ["''", "a/b", "{}", "[]", "\"a\\nb\"", ".x"] {
        let state = virt(
            "snapshot_present",
            "srv01",
            &format!("{{snapshot: {name}}}"),
        );
        let error = host().plan(&state).expect_err(name).to_string();
        assert!(error.starts_with("snapshot"), "{name}: {error}");
    }
    check(
        &virt("snapshot_present", "srv01", "{}"),
        &expect!["Missing parameter snapshot for state virt.snapshot_present"],
    );
}
