//! cloud-init's drive: written once, again only for other data, and gone with its VM.

use crate::host::{Host, State, shown, summary};
use crate::origin::{applied, srv01};
use expect_test::{Expect, expect};
use model::VmStatus;
use model::plan::{Content, Step, VolumeOp};
use states::ChunkPlan;

fn guest() -> State {
    srv01().with(
        "cloud_init",
        "{user_data: {password: secret, chpasswd: {expire: False}}, network_data: {version: 2}}",
    )
}

fn check(host: &mut Host, state: &State, expected: &Expect) -> ChunkPlan {
    let plan = host.plan(state).expect("a plan");
    expected.assert_eq(&format!("{}\n{}", summary(&plan), shown(&plan.tested())));
    host.apply(state);
    let again = host.plan(state).expect("a plan");
    assert!(again.plan.is_empty(), "a second apply: {}", summary(&again));
    plan
}

fn content(plan: &ChunkPlan) -> &[u8] {
    let steps = plan.plan.steps.iter();
    let mut written = steps.filter_map(|planned| match &planned.step {
        Step::Volume {
            op: VolumeOp::Write {
                content: Content(bytes),
            },
            ..
        } => Some(bytes.as_slice()),
        _ => None,
    });
    written.next().expect("a volume is written")
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn a_new_vm_gets_a_drive_and_a_second_run_is_silent() {
    let mut host = applied();
    host.seen.vms.insert("srv01".to_owned(), None);
    let plan = check(
        &mut host,
        &guest(),
        &expect![[r#"
        Write the cloud-init data of VM srv01 to volume srv01_cidata of pool pool0 [none]
        Define VM srv01 [none]
        Start VM srv01 [live]
        note: volume srv01_system was already in pool pool0 and is used as it is
        None Domain srv01 defined and started
        {"srv01":{"definition":true,"started":true}}"#]],
    );
    let bytes = content(&plan);
    assert!(has(bytes, "#cloud-config\n{") && has(bytes, "\"password\": \"secret\""));
    assert!(has(bytes, "\"instance-id\": \"srv01\"") && has(bytes, "\"version\": 2"));
    assert!(!format!("{plan:?}").contains("secret"));
    let xml = host.vm("srv01").xml_persistent.clone().expect("defined");
    crate::schema::validate("domain", &xml);
    let from = xml
        .find("<disk type='volume' device='cdrom'")
        .expect("a drive");
    let to = xml[from..].find("</disk>").expect("closed");
    expect![[r#"
        <disk type='volume' device='cdrom'>
              <driver name='qemu' type='raw' cache='none' io='native'/>
              <source pool='pool0' volume='srv01_cidata'/>
              <target dev='hda' bus='ide'/>
              <readonly/>
              <address type='pci'/>"#]]
    .assert_eq(xml[from..from + to].trim_end());
}

#[test]
fn other_data_is_written_and_waits_for_the_next_boot() {
    let mut host = applied();
    host.seen.vms.insert("srv01".to_owned(), None);
    host.apply(&guest());
    let other = guest().with("cloud_init", "{user_data: \"#!/bin/sh\\necho\\n\"}");
    let plan = check(
        &mut host,
        &other,
        &expect![[r#"
        Write the cloud-init data of VM srv01 to volume srv01_cidata of pool pool0 [next boot]
        Update the definition of VM srv01: cloud-init [next boot]
        waits: cloud-init: changes at the next start
        None Domain srv01 updated
        Waits for the next start: cloud-init: changes at the next start
        {"srv01":{"definition":true,"disk":{"attached":[],"detached":[],"updated":[]},"interface":{"attached":[],"detached":[]}}}"#]],
    );
    assert!(has(content(&plan), "#!/bin/sh\necho\n"));
    host.vm("srv01").status = VmStatus::Shutoff;
    host.vm("srv01").xml_live = None;
    host.apply(&other);
    let started = host.plan(&other).expect("a plan");
    assert_eq!(summary(&started), "", "nothing waits after a start");
}

#[test]
fn the_drive_goes_with_the_disks_of_its_vm() {
    let mut host = applied();
    host.seen.vms.insert("srv01".to_owned(), None);
    host.apply(&guest());
    let gone = crate::host::virt("absent", "srv01", "{force: True, delete_disks: True}");
    check(
        &mut host,
        &gone,
        &expect![[r#"
        Cut the power of VM srv01 [downtime]
        Delete volume srv01_system of pool pool0 (120.0 GiB) with its data [loss of data]
        Delete volume srv01_cidata of pool pool0 (56.0 KiB) with its data [loss of data]
        Remove the definition of VM srv01 [none]
        None Domain srv01 removed
        {"srv01":{"stopped":true,"undefined":true,"deleted_volumes":["srv01_system","srv01_cidata"]}}"#]],
    );
}

#[test]
fn what_cannot_be_is_refused_without_showing_secrets() {
    let mut said = Vec::new();
    for (argument, yaml) in [
        ("cloud_init", "{user_data: secret}"),
        ("cloud_init", "{user_data: [secret]}"),
        ("cloud_init", "{userdata: {}}"),
        ("cloud_init", "{network_data: 7}"),
        ("cloud_init", "{pool: nowhere}"),
        ("disks", "null"),
        ("disks", "[{name: cd, device: cdrom, source_file: null}]"),
    ] {
        let state = guest().with(argument, yaml);
        said.push(applied().plan(&state).expect_err(yaml).to_string());
    }
    let said = said.join("\n");
    assert!(!said.contains("secret"), "{said}");
    expect![[r#"
        cloud_init: user_data: what is given is not user data that cloud-init understands. Begin it with a line #cloud-config, or with #! for a script, or write a dictionary
        cloud_init: user_data: what is given is not a text or a dictionary. Write it as one of these
        cloud_init: there is no key userdata here. Did you mean user_data?
        cloud_init: network_data: what is given is not a text or a dictionary. Write it as one of these
        disk cidata: there is no pool nowhere on the host. Declare it with virt.pool_running and require it, or write a folder with a slash
        cloud_init: a drive is not possible without disks: the drive comes after them. Declare disks or disk_profile as well
        the cloud-init data of VM srv01 has no pool to be kept in. Write cloud_init: {pool: NAME}, or give a disk a pool"#]].assert_eq(&said);
}
