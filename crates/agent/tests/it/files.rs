//! Files of the host that states write and fetch.

use crate::support::Host;
use crate::web::Web;
use agent::Minion;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

const KEY: &str = "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----\\n";

/// A host with keys in its pillar, and the folder that the SLS `pki` writes them into.
fn with_keys() -> (Host, PathBuf) {
    let host = Host::new();
    let pki = host.folder.path().join("pki");
    host.folder.write("pillar/top.sls", "base: {'*': [pki]}");
    host.folder.write(
        "pillar/pki.sls",
        &format!("libvirt.serverkey.pem: \"{KEY}\"\nlibvirt.cacert.pem: \"{KEY}\""),
    );
    host.folder.write(
        "salt/pki.sls",
        &format!(
            "libvirt_keys:\n  virt.keys:\n    - basepath: {}\n",
            pki.display()
        ),
    );
    (host, pki)
}

#[tokio::test]
async fn keys_of_the_pillar_are_written_once_and_shown_to_nobody() {
    let (host, pki) = with_keys();
    let plan = host.call("state.plan pki").await.unwrap().value;
    assert!(!plan.to_string().contains("hunter2"), "{plan}");
    let done = host.states("state.apply pki").await["libvirt_keys"].clone();
    assert_eq!(done["result"], true, "{done}");
    assert_eq!(
        done["changes"],
        json!({"serverkey": "new", "cacert": "new"})
    );
    assert!(!done.to_string().contains("hunter2"), "{done}");
    let key = pki.join("libvirt/private/serverkey.pem");
    assert!(std::fs::read_to_string(&key).unwrap().contains("hunter2"));
    let mode = std::fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let again = host.states("state.apply pki").await["libvirt_keys"].clone();
    assert_eq!(again["comment"], "All keys are correct");
    assert_eq!(again["changes"], json!({}));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_takes_back_those_before_it() {
    let (host, pki) = with_keys();
    // The folder of the certificate authority is a file.
    host.folder.write("pki/CA", "in the way");
    let done = host.states("state.apply pki").await["libvirt_keys"].clone();
    assert_eq!(done["result"], false);
    let comment = done["comment"].as_str().unwrap();
    assert!(
        comment.contains("cannot ") && comment.contains("/pki/CA"),
        "{comment}"
    );
    assert!(!pki.join("libvirt/private/serverkey.pem").exists());
}

/// The fixed folder of fetched kernels is the system's own: the step is looked at, and carried out by hand elsewhere.
#[tokio::test]
async fn a_kernel_comes_from_the_web_and_from_the_state_tree() {
    let web = Web::serve(b"a kernel".to_vec()).await;
    let host = Host::new();
    host.folder.write("salt/initrd.gz", "an initrd");
    host.folder.write(
        "salt/vm.sls",
        &format!(
            "v:\n  virt.defined:\n    - mem: 64\n    - boot: {{kernel: '{}', initrd: 'salt://initrd.gz'}}\n",
            web.url
        ),
    );
    let plan = host.call("state.plan vm").await.unwrap().value;
    let steps = plan["states"][0]["steps"].as_array().unwrap().clone();
    let fetches: Vec<_> = steps
        .iter()
        .filter(|step| step["call"] == "fetch")
        .collect();
    assert_eq!(fetches.len(), 2, "{plan}");
    assert_eq!(fetches[0]["with"]["from"], web.url.as_str());
    let initrd = host
        .folder
        .path()
        .join("salt/initrd.gz")
        .display()
        .to_string();
    assert_eq!(fetches[1]["with"]["from"], initrd.as_str());
    let checksum = fetches[1]["with"]["checksum"].as_str().unwrap();
    let expected = Sha256::digest("an initrd");
    let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(checksum, expected);
    let far = Minion::new(
        "h",
        Arc::new(host.fake.clone()),
        "qemu+ssh://h2/system",
        host.folder.path().join("far"),
    );
    let far = Arc::new(Minion {
        files: host.minion.files.clone(),
        ..far
    });
    let context = agent::functions::Context::quiet();
    let words = ["vm".into()];
    let told = agent::functions::call(&far, "state.plan", &words, &sls::Map::new(), &context)
        .await
        .unwrap();
    let comment = told.value["states"][0]["comment"].to_string();
    assert!(
        comment.contains("out of reach over qemu+ssh://h2/system"),
        "{comment}"
    );
}
