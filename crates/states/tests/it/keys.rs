//! `virt.keys`.

use crate::host::{Host, virt};
use expect_test::expect;
use model::plan::{FileOp, Step};
use serde_json::Value;
use states::Config;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

fn host(pillar: &[(&str, &str)]) -> Host {
    let mut host = Host::new();
    host.seen.config = Config::read(|key| {
        let known = pillar.iter().find(|(known, _)| *known == key);
        known.map(|(_, text)| Value::from(*text))
    });
    host
}

const ALL: [(&str, &str); 5] = [
    (
        "libvirt.serverkey.pem",
        "-----BEGIN PRIVATE KEY-----\nsecret-server\n",
    ),
    ("libvirt.servercert.pem", PEM),
    (
        "libvirt.clientkey.pem",
        "-----BEGIN PRIVATE KEY-----\nsecret-client\n",
    ),
    ("libvirt.clientcert.pem", PEM),
    ("libvirt.cacert.pem", PEM),
];

#[test]
fn the_texts_of_the_pillar_become_files() {
    let mut host = host(&ALL);
    let state = virt("keys", "libvirt_keys", "{expiration_days: 700}");
    let plan = host.plan(&state).expect("a plan");
    let files: Vec<String> = plan
        .plan
        .steps
        .iter()
        .map(|planned| match &planned.step {
            Step::File {
                path,
                op: FileOp::Write { private, .. },
            } => format!("{path} {private}"),
            other => panic!("{other:?}"),
        })
        .collect();
    expect![[r#"
        /etc/pki/libvirt/private/serverkey.pem true
        /etc/pki/libvirt/servercert.pem false
        /etc/pki/libvirt/private/clientkey.pem true
        /etc/pki/libvirt/clientcert.pem false
        /etc/pki/CA/cacert.pem false"#]]
    .assert_eq(&files.join("\n"));
    assert!(!format!("{plan:?}").contains("secret-"));
    let (tested, applied) = (plan.tested(), plan.applied(&[]));
    assert_eq!(
        (tested.result, tested.comment.as_str()),
        (None, "Libvirt keys are set to be updated")
    );
    assert!(tested.changes.is_empty(), "{:?}", tested.changes);
    assert_eq!(applied.comment, "Updated libvirt certs and keys");
    assert_eq!(
        Value::Object(applied.changes).to_string(),
        r#"{"serverkey":"new","servercert":"new","clientkey":"new","clientcert":"new","cacert":"new"}"#
    );
    assert_eq!(
        plan.notes[0],
        "expiration_days: not used, the certificates are taken from the pillar as they are"
    );

    host.apply(&state);
    let again = host.plan(&state).expect("a plan");
    assert!(again.plan.is_empty());
    assert_eq!(again.applied(&[]).comment, "All keys are correct");
    // One of them is another one now.
    let path = "/etc/pki/libvirt/private/serverkey.pem";
    host.seen
        .texts
        .insert(path.to_owned(), Some("old".to_owned()));
    let plan = host.plan(&state).expect("a plan");
    assert_eq!(
        Value::Object(plan.applied(&[]).changes).to_string(),
        r#"{"serverkey":"update"}"#
    );
}

#[test]
fn what_the_pillar_has_not_is_said() {
    let state = virt("keys", "k", "{basepath: /srv/pki}");
    let none = host(&[]).plan(&state).expect_err("no keys").to_string();
    assert!(
        none.starts_with("the pillar has none of libvirt's keys and certificates. Put "),
        "{none}"
    );
    let bad = host(&[("libvirt.cacert.pem", "hunter2")])
        .plan(&state)
        .expect_err("no PEM")
        .to_string();
    expect!["pillar: libvirt.cacert.pem: its value is not a text in PEM form (-----BEGIN …). Write it as a block: the key, a colon, |, and the lines"]
        .assert_eq(&bad);
    let some = host(&ALL[4..]).plan(&state).expect("a plan");
    assert_eq!(
        some.notes[0],
        "the pillar has no libvirt.serverkey.pem, libvirt.servercert.pem, libvirt.clientkey.pem, libvirt.clientcert.pem"
    );
    let mut far = host(&ALL);
    far.seen.config = far.seen.config.connected_to("qemu+ssh://h2/system");
    let far = far.plan(&state).expect_err("another machine").to_string();
    assert!(
        far.contains("out of reach over qemu+ssh://h2/system"),
        "{far}"
    );
}
