//! Volumes that are to be there, or gone.

use crate::host::{Host, State, shown, summary, virt};
use crate::origin::applied;
use expect_test::{Expect, expect};
use model::VmStatus;
use model::plan::{Step, VolumeOp};

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

#[test]
fn a_volume_is_made_from_an_image_and_then_left_alone() {
    let state = virt(
        "volume_present",
        "base",
        "{pool: pool0, size: 4096, image: 'https://u:p@mirror.example/x.qcow2'}",
    );
    let mut host = applied();
    let plan = host.plan(&state).expect("a plan");
    assert!(matches!(
        &plan.plan.steps[0].step,
        Step::Volume { op: VolumeOp::CreateFromImage { format, size: Some(_), .. }, .. } if format == "qcow2"
    ));
    check(
        &mut host,
        &state,
        &expect![[r#"
        Create volume base in pool pool0 from https://mirror.example/x.qcow2 [none]
        None Volume base created in pool pool0
        {"pool0/base":{"old":"","new":"created"}}
        Some(true) Volume base created in pool pool0
        {"pool0/base":{"old":"","new":"created"}}"#]],
    );
    let again = host.plan(&state.with("size", "1024")).expect("a plan");
    expect![[r#"
        Some(true) Volume base is present in pool pool0; it has 4.0 GiB and does not shrink
        {}"#]]
    .assert_eq(&shown(&again.applied(&[])));
}

#[test]
fn a_volume_without_an_image_is_empty_or_stands_on_another() {
    let mut host = applied();
    check(
        &mut host,
        &virt(
            "volume_present",
            "data",
            "{pool: pool0, size: 10, format: raw}",
        ),
        &expect![[r#"
            Create volume data in pool pool0 of 10.0 MiB [none]
            None Volume data created in pool pool0
            {"pool0/data":{"old":"","new":"created"}}
            Some(true) Volume data created in pool pool0
            {"pool0/data":{"old":"","new":"created"}}"#]],
    );
    let overlay = virt(
        "volume_present",
        "overlay",
        "{pool: pool0, format: qcow2, backing_store: {path: /vms/data, format: raw}}",
    );
    let plan = host.plan(&overlay).expect("a plan");
    let Step::Volume {
        op: VolumeOp::Create { xml },
        ..
    } = &plan.plan.steps[0].step
    else {
        panic!("{}", summary(&plan));
    };
    crate::schema::validate("storagevol", xml);
    assert!(!xml.contains("capacity"), "{xml}");
    check(
        &mut host,
        &overlay,
        &expect![[r#"
        Create volume overlay in pool pool0 on its backing store [none]
        None Volume overlay created in pool pool0
        {"pool0/overlay":{"old":"","new":"created"}}
        Some(true) Volume overlay created in pool pool0
        {"pool0/overlay":{"old":"","new":"created"}}"#]],
    );
}

#[test]
fn a_small_volume_grows_unless_a_running_vm_has_it_open() {
    let mut host = applied();
    let state = virt(
        "volume_present",
        "srv01_system",
        "{pool: pool0, size: 204800, format: qcow2}",
    );
    let mut said = Vec::new();
    let waiting = host.plan(&state).expect("a plan");
    said.push(summary(&waiting));
    said.push(shown(&waiting.applied(&[])));
    expect![[r#"
        waits: volume srv01_system: 120.0 GiB now, grows to 200.0 GiB when VM srv01 is off
        Some(true) Volume srv01_system is present in pool pool0
        Waits for the next start: volume srv01_system: 120.0 GiB now, grows to 200.0 GiB when VM srv01 is off
        {}"#]].assert_eq(&said.join("\n"));
    host.vm("srv01").status = VmStatus::Shutoff;
    check(
        &mut host,
        &state,
        &expect![[r#"
        Grow volume srv01_system of pool pool0 from 120.0 GiB to 200.0 GiB [none]
        None Volume srv01_system of pool pool0 grown to 200.0 GiB
        {"pool0/srv01_system":{"old":"120.0 GiB","new":"200.0 GiB"}}
        Some(true) Volume srv01_system of pool pool0 grown to 200.0 GiB
        {"pool0/srv01_system":{"old":"120.0 GiB","new":"200.0 GiB"}}"#]],
    );
}

#[test]
fn a_volume_goes_when_nobody_needs_it() {
    let mut host = applied();
    for yaml in [
        "{pool: pool0, size: 10, format: raw}",
        "{pool: pool0, size: 10, format: qcow2, backing_store: {path: /vms/data, format: raw}}",
    ] {
        let name = if yaml.contains("backing") {
            "overlay"
        } else {
            "data"
        };
        host.apply(&virt("volume_present", name, yaml));
    }
    let gone = |name| virt("volume_absent", name, "{pool: pool0}");
    let mut refused = |name| host.plan(&gone(name)).expect_err("needed").to_string();
    expect![[r#"
        volume srv01_system of pool pool0 is a disk of VM srv01. Remove the VM first (virt.absent with delete_disks), or take the disk out of it
        volume overlay stands on volume data of pool pool0. Remove what stands on it first"#]].assert_eq(&[refused("srv01_system"), refused("data")].join("\n"));
    check(
        &mut host,
        &gone("overlay"),
        &expect![[r#"
        Delete volume overlay of pool pool0 (10.0 MiB) with its data [loss of data]
        None Volume overlay deleted from pool pool0
        {"pool0/overlay":{"old":"10.0 MiB","new":"deleted"}}
        Some(true) Volume overlay deleted from pool pool0
        {"pool0/overlay":{"old":"10.0 MiB","new":"deleted"}}"#]],
    );
    check(
        &mut host,
        &gone("data"),
        &expect![[r#"
        Delete volume data of pool pool0 (10.0 MiB) with its data [loss of data]
        None Volume data deleted from pool pool0
        {"pool0/data":{"old":"10.0 MiB","new":"deleted"}}
        Some(true) Volume data deleted from pool pool0
        {"pool0/data":{"old":"10.0 MiB","new":"deleted"}}"#]],
    );
    let absent = host.plan(&gone("data")).expect("a plan");
    expect![[r#"
        Some(true) Volume data is absent from pool pool0
        {}"#]]
    .assert_eq(&shown(&absent.applied(&[])));
}

#[test]
fn what_cannot_be_is_refused_with_what_to_write() {
    let mut host = applied();
    let mut said = Vec::new();
    for yaml in [
        "{size: 10}",
        "{pool: pool0}",
        "{pool: pool0, size: 20G}",
        "{pool: pool1, size: 10}",
        "{pool: pool0, image: x.qcow2}",
        "{pool: pool0, image: /x.qcow2, image_checksum: abc}",
        "{pool: pool0, image: /x.qcow2, nocow: True}",
        "{pool: pool0, image: salt://x.qcow2}",
    ] {
        let state = virt("volume_present", "v", yaml);
        host.seen
            .salt_files
            .insert("salt://x.qcow2".to_owned(), None);
        said.push(host.plan(&state).expect_err(yaml).to_string());
    }
    let other = virt(
        "volume_present",
        "srv01_system",
        "{pool: pool0, size: 1, format: raw}",
    );
    said.push(host.plan(&other).expect_err("another format").to_string());
    said.push(
        host.plan(&virt("volume_absent", "v", "{}"))
            .expect_err("no pool")
            .to_string(),
    );
    expect![[r#"
        Missing parameter pool for state virt.volume_present
        Missing parameter size for state virt.volume_present
        size: "20G" is not a size in MiB (a whole number without unit). Write 20480, which is 20G in MiB
        Storage pool pool1 not existing. Declare it with virt.pool_running and require it
        image: "x.qcow2" is not an image: a URL (http://, https://, ftp://), a salt:// file or an absolute path on the host
        image_checksum: "abc" is not a SHA-256: 64 hexadecimal digits, with or without sha256= before them
        nocow: True is not possible together with image. Leave it out, or leave image out
        Path not found: salt://x.qcow2. Put the file under one of the file roots
        A volume with the same name but different backing store or format is existing
        Missing parameter pool for state virt.volume_absent"#]].assert_eq(&said.join("\n"));
}
