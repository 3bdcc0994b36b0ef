//! Generated XML against the schemas that libvirt brings.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const SCHEMAS: &str = "/usr/share/libvirt/schemas";

/// Checks a document with `xmllint`. Where schemas or program are absent, a developer is told and CI fails.
pub(crate) fn validate(schema: &str, xml: &str) {
    let file = Path::new(SCHEMAS).join(format!("{schema}.rng"));
    let has_program = Command::new("xmllint").arg("--version").output().is_ok();
    if !file.exists() || !has_program {
        let absent =
            "libvirt's schemas or xmllint (packages libvirt0 or libvirt-daemon, libxml2-utils)";
        assert!(
            std::env::var_os("CI").is_none(),
            "{absent} must be there in CI"
        );
        eprintln!("{schema} XML is not validated: install {absent}");
        return;
    }
    let mut child = Command::new("xmllint")
        .args(["--noout", "--relaxng"])
        .args([file.as_os_str(), "-".as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(xml.as_bytes()).expect("xmllint reads");
    drop(input);
    let output = child.wait_with_output().expect("xmllint ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{xml}");
}
