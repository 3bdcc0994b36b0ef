//! Pools that are there: in place, never stopped.

use crate::host::{Host, State, shown, summary, virt};
use crate::origin::{applied, pool0};
use expect_test::{Expect, expect};

fn check(state: &State, expected: &Expect) {
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
}

#[test]
fn a_running_pool_is_redefined_and_never_restarted() {
    let state = pool0()
        .with(
            "source",
            "{dir: /srv/other, hosts: [a.example, 'b.example:2049'], format: nfs}",
        )
        .with("permissions", "{mode: '0770', owner: 64055}");
    check(
        &state,
        &expect![[r#"
            Update the definition of pool pool0 [next boot]
            waits: target/permissions/mode: 0755 now, 0770 once it is stopped and started
            waits: target/permissions/owner: 0 now, 64055 once it is stopped and started
            waits: source/dir@path: /srv/vms now, /srv/other once it is stopped and started
            waits: source/host: changes once it is stopped and started
            Some(true) Pool pool0 updated
            Waits for the next start: target/permissions/mode: 0755 now, 0770 once it is stopped and started; target/permissions/owner: 0 now, 64055 once it is stopped and started; source/dir@path: /srv/vms now, /srv/other once it is stopped and started; source/host: changes once it is stopped and started
            {"pool0":"Pool updated"}"#]],
    );
}

#[test]
fn another_kind_of_pool_is_defined_anew_under_its_uuid() {
    check(
        &virt("pool_running", "pool0", "{ptype: dir, target: /srv/images}"),
        &expect![[r#"
            Update the definition of pool pool0 [next boot]
            waits: type: netfs now, dir once it is stopped and started
            waits: target/path: /vms now, /srv/images once it is stopped and started
            Some(true) Pool pool0 updated
            Waits for the next start: type: netfs now, dir once it is stopped and started; target/path: /vms now, /srv/images once it is stopped and started
            {"pool0":"Pool updated"}"#]],
    );
}

#[test]
fn a_stopped_pool_is_built_when_updated_and_started() {
    let mut host = applied();
    let pool = host
        .seen
        .pools
        .get_mut("pool0")
        .and_then(Option::as_mut)
        .expect("there");
    pool.active = false;
    pool.xml_live = None;
    let mut said = String::new();
    for state in [
        pool0(),
        pool0().with("target", "/other"),
        pool0().with("autostart", "False"),
    ] {
        let plan = host.plan(&state).expect("a plan");
        said.push_str(&format!(
            "{}\n{}\n",
            summary(&plan),
            shown(&plan.applied(&[]))
        ));
    }
    expect![[r#"
        Start pool pool0 [live]
        Some(true) Pool pool0 started
        {"pool0":"Pool started"}
        Update the definition of pool pool0 [none]
        Make the storage of pool pool0 where it is not there yet [none]
        Start pool pool0 [live]
        Some(true) Pool pool0 updated, built, started
        {"pool0":"Pool updated, built, started"}
        Do not start pool pool0 with its host [none]
        Start pool pool0 [live]
        Some(true) Pool pool0 updated, autostart flag changed, started
        {"pool0":"Pool updated, autostart flag changed, started"}
    "#]]
    .assert_eq(&said);
}

#[test]
fn all_kinds_reach_the_xml_and_are_quiet_afterwards() {
    let states = [
        virt(
            "pool_running",
            "dir",
            "{ptype: dir, target: /a//b/, permissions: {mode: '0755', owner: 0, group: 0, label: x}}",
        ),
        virt(
            "pool_running",
            "fs",
            "{ptype: fs, target: /m, source: {devices: [{path: /dev/sdb1}], format: ext4}}",
        ),
        virt(
            "pool_running",
            "cifs",
            "{ptype: netfs, target: /n, source: {dir: /share, hosts: [h], format: cifs}}",
        ),
        virt(
            "pool_running",
            "vg",
            "{ptype: logical, target: /dev/vg0, source: {devices: [{path: /dev/sdc}], name: vg0, format: lvm2}}",
        ),
        virt(
            "pool_running",
            "iscsi",
            "{ptype: iscsi, target: /dev/disk/by-path, source: {hosts: ['h:3260'], devices: [{path: iqn.2013-06.com.example:t}], auth: {type: chap, username: u, secret: {type: usage, value: s}}}}",
        ),
        virt(
            "pool_running",
            "direct",
            "{ptype: iscsi-direct, source: {hosts: [h], devices: [{path: iqn.2013-06.com.example:t}], initiator: iqn.2013-06.com.example:i}}",
        ),
        virt(
            "pool_running",
            "fc",
            "{ptype: scsi, target: /dev/disk/by-path, source: {adapter: {type: scsi_host, name: scsi_host1}}}",
        ),
        virt(
            "pool_running",
            "ceph",
            "{ptype: rbd, source: {name: rbdpool, hosts: ['[::1]:6789', b], auth: {type: ceph, username: admin, secret: {type: uuid, value: 2ec115d7-3a88-3ceb-bc12-0ac909a6fd87}}}}",
        ),
        virt(
            "pool_running",
            "gl",
            "{ptype: gluster, source: {dir: /d, name: vol, hosts: [h]}}",
        ),
    ];
    let mut host = Host::new();
    let mut xml = String::new();
    for state in &states {
        let plan = host.plan(state).expect("a plan");
        let new = plan.plan.steps[0]
            .diff
            .as_ref()
            .expect("a definition")
            .after
            .clone();
        crate::schema::validate("storagepool", &new);
        xml.push_str(&new);
        host.apply(state);
        let again = host.plan(state).expect("a plan");
        assert!(again.plan.is_empty(), "{}", summary(&again));
    }
    expect![[r#"
        <pool type='dir'>
          <name>dir</name>
          <target>
            <path>/a//b/</path>
            <permissions>
              <mode>0755</mode>
              <owner>0</owner>
              <group>0</group>
              <label>x</label>
            </permissions>
          </target>
        </pool>
        <pool type='fs'>
          <name>fs</name>
          <source>
            <device path='/dev/sdb1'/>
            <format type='ext4'/>
          </source>
          <target>
            <path>/m</path>
          </target>
        </pool>
        <pool type='netfs'>
          <name>cifs</name>
          <source>
            <host name='h'/>
            <dir path='share'/>
            <format type='cifs'/>
          </source>
          <target>
            <path>/n</path>
          </target>
        </pool>
        <pool type='logical'>
          <name>vg</name>
          <source>
            <device path='/dev/sdc'/>
            <name>vg0</name>
          </source>
          <target>
            <path>/dev/vg0</path>
          </target>
        </pool>
        <pool type='iscsi'>
          <name>iscsi</name>
          <source>
            <host name='h' port='3260'/>
            <device path='iqn.2013-06.com.example:t'/>
            <auth type='chap' username='u'>
              <secret usage='s'/>
            </auth>
          </source>
          <target>
            <path>/dev/disk/by-path</path>
          </target>
        </pool>
        <pool type='iscsi-direct'>
          <name>direct</name>
          <source>
            <host name='h'/>
            <device path='iqn.2013-06.com.example:t'/>
            <initiator>
              <iqn name='iqn.2013-06.com.example:i'/>
            </initiator>
          </source>
        </pool>
        <pool type='scsi'>
          <name>fc</name>
          <source>
            <adapter type='scsi_host' name='scsi_host1'/>
          </source>
          <target>
            <path>/dev/disk/by-path</path>
          </target>
        </pool>
        <pool type='rbd'>
          <name>ceph</name>
          <source>
            <host name='::1' port='6789'/>
            <host name='b'/>
            <name>rbdpool</name>
            <auth type='ceph' username='admin'>
              <secret uuid='2ec115d7-3a88-3ceb-bc12-0ac909a6fd87'/>
            </auth>
          </source>
        </pool>
        <pool type='gluster'>
          <name>gl</name>
          <source>
            <host name='h'/>
            <dir path='/d'/>
            <name>vol</name>
          </source>
        </pool>
    "#]]
    .assert_eq(&xml);
}

#[test]
fn what_means_nothing_is_said_and_nonsense_is_refused() {
    let mut host = Host::new();
    let plan = host
        .plan(&virt(
            "pool_running",
            "p",
            "{ptype: dir, target: /a, source: {name: x}, permissions: [{mode: '0770'}]}",
        ))
        .expect("a plan");
    let mut said = plan.notes.clone();
    let mut refuse = |yaml: &str| {
        let error = host.plan(&virt("pool_running", "p", yaml)).expect_err(yaml);
        said.push(error.to_string());
    };
    refuse("{target: /a}");
    refuse("{ptype: dri}");
    refuse("{ptype: dir, target: /a, permissions: {mode: rwx}}");
    refuse("{ptype: dir, target: /a, permissions: {mode: '0770', owner: root}}");
    refuse("{ptype: rbd, source: {hosts: [c], name: p, auth: {username: u, password: secret}}}");
    refuse("{ptype: iscsi, source: {auth: {username: u, password: ''}}}");
    refuse(
        "{ptype: iscsi, source: {auth: {username: u, password: x, secret: {type: usage, value: s}}}}",
    );
    refuse("{source: {auth: {username: u, password: secret}}}");
    refuse("{ptype: iscsi, source: {auth: {password: secret}}}");
    refuse("{ptype: netfs, sauce: x, source: {host: [a]}}");
    expect![[r#"
        permissions is a list, which Salt ignores: write it as a dictionary (mode: '0770')
        source: name means nothing for a pool of type dir and is not used
        Missing parameter ptype for state virt.pool_running
        ptype: "dri" is not one of dir, fs, netfs, logical, disk, iscsi, iscsi-direct, scsi, mpath, rbd, sheepdog, gluster, zfs, vstorage. Did you mean dir?
        permissions: mode: "rwx" is not an octal mode such as '0770'
        permissions: owner: "root" is not a numeric id. Write the number of the owner (id root)
        source: auth: password: what is given is not a key of Ceph in base64, as ceph auth get-key prints it
        source: auth: password: what is given is not a password
        source: auth: secret: {"type":"usage","value":"s"} is not possible beside a password, which makes a secret of its own. Write one of the two
        source: auth: what is given is not enough to know who asks for the password. Add ptype, or type: ceph or chap
        source: auth: what is given is not complete without username. Add username
        source: there is no key host here. Did you mean hosts?"#]].assert_eq(&said.join("\n"));
}

const ISCSI: &str = "ptype: iscsi, target: /dev/disk/by-path, source: {hosts: [h], devices: [{path: iqn.2013-06.com.example:t}], auth: {username: ann, password: ";

#[test]
fn a_password_is_kept_as_a_secret_of_libvirt_and_set_once() {
    let mut host = Host::new();
    let with = |password: &str| virt("pool_running", "san", &format!("{{{ISCSI}{password}}}}}}}"));
    let first = host.plan(&with("one")).expect("a plan");
    let steps: Vec<&str> = first
        .plan
        .steps
        .iter()
        .map(|step| step.summary.as_str())
        .collect();
    assert_eq!(
        steps,
        [
            "Make a secret for the password of pool san",
            "Set the password of pool san",
            "Define pool san",
            "Start pool san with its host",
            "Start pool san"
        ]
    );
    // Neither the definition nor what is shown of the plan has it.
    assert!(!format!("{first:?}").contains("\"one\""));
    let definition = first.plan.steps[2].diff.as_ref().expect("a definition");
    assert!(
        definition.after.contains("<secret usage='pool_san'/>"),
        "{}",
        definition.after
    );
    host.apply(&with("one"));
    assert!(host.plan(&with("one")).expect("a plan").plan.is_empty());

    let other = host.plan(&with("two")).expect("a plan");
    expect![[r#"
        Set the password of pool san
        result: Some(true)
        comment: Pool san updated, password set
        changes: {"san":"Pool updated, password set"}
        note: pool san goes on as it is, and signs in with the password at its next start"#]]
    .assert_eq(&told(&other));
    // Somebody else has set it, or it was set by another agent: nothing is known of it.
    for known in host.seen.secrets.values_mut() {
        *known = Some(states::KnownSecret::default());
    }
    assert_eq!(host.plan(&with("one")).expect("a plan").plan.steps.len(), 1);

    // It goes with the pool.
    for known in host.seen.secrets.values_mut() {
        *known = Some(states::KnownSecret::default());
    }
    let gone = host
        .plan(&virt("pool_absent", "san", "{}"))
        .expect("a plan");
    let last = gone.plan.steps.last().expect("a step");
    assert_eq!(last.summary, "Remove the password of pool san");
}

#[test]
fn a_secret_that_somebody_else_made_stays() {
    let mut host = Host::new();
    host.apply(&virt(
        "pool_running",
        "san",
        "{ptype: iscsi, target: /dev/disk/by-path, source: {hosts: [h], devices: [{path: iqn.2013-06.com.example:t}], auth: {type: chap, username: ann, secret: {type: usage, value: theirs}}}}",
    ));
    let gone = host
        .plan(&virt("pool_absent", "san", "{}"))
        .expect("a plan");
    let summaries = gone.plan.steps.iter().map(|step| step.summary.clone());
    assert!(
        !summaries
            .into_iter()
            .any(|summary| summary.contains("password"))
    );
}

#[test]
fn a_transient_pool_is_started_and_never_defined() {
    let mut host = Host::new();
    let transient = virt(
        "pool_defined",
        "tmp",
        "{ptype: dir, target: /tmp/vms, transient: True, autostart: True}",
    );
    let plan = host.plan(&transient).expect("a plan");
    expect![[r#"
        Start pool tmp, which is gone once it is stopped
        result: Some(true)
        comment: Pool tmp defined, started
        changes: {"tmp":"Pool defined, started"}
        note: autostart: a transient pool is gone when its host stops, so it cannot start with it"#]]
    .assert_eq(&told(&plan));
    host.apply(&transient);
    let again = host.plan(&transient).expect("a plan");
    assert!(again.plan.is_empty(), "{again:?}");
    // What differs cannot be written anywhere without making it last.
    let moved = virt(
        "pool_defined",
        "tmp",
        "{ptype: dir, target: /tmp/other, transient: True}",
    );
    let plan = host.plan(&moved).expect("a plan");
    assert!(plan.plan.steps.is_empty(), "{plan:?}");
    assert_eq!(plan.plan.pending.len(), 1, "{plan:?}");
}

/// Steps, result and notes.
fn told(plan: &states::ChunkPlan) -> String {
    let verdict = plan.applied(&[]);
    let steps = plan.plan.steps.iter().map(|step| step.summary.clone());
    let notes = plan.notes.iter().map(|note| format!("note: {note}"));
    let result = [
        format!("result: {:?}", verdict.result),
        format!("comment: {}", verdict.comment),
        format!("changes: {}", serde_json::Value::Object(verdict.changes)),
    ];
    let lines: Vec<String> = steps.chain(result).chain(notes).collect();
    lines.join("\n")
}
