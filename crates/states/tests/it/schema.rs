//! Generated XML against the schemas that libvirt brings.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const SCHEMAS: &str = "/usr/share/libvirt/schemas";

/// Checks a document with `xmllint`. Where schemas or program are absent, a developer is told and CI fails.
pub(crate) fn validate(schema: &'static str, xml: &str) {
    validate_all(&[(schema, xml.to_owned())]);
}

/// Checks many documents, each against the schema of its name.
pub(crate) fn validate_all(documents: &[(&'static str, String)]) {
    let has_program = Command::new("xmllint").arg("--version").output().is_ok();
    if !Path::new(SCHEMAS).exists() || !has_program {
        let absent =
            "libvirt's schemas or xmllint (packages libvirt0 or libvirt-daemon, libxml2-utils)";
        assert!(
            std::env::var_os("CI").is_none(),
            "{absent} must be there in CI"
        );
        eprintln!("XML is not validated: install {absent}");
        return;
    }
    let schemas: BTreeSet<&str> = documents.iter().map(|(schema, _)| *schema).collect();
    for schema in schemas {
        let of_schema = documents.iter().filter(|(of, _)| *of == schema);
        let texts: BTreeSet<&str> = of_schema.map(|(_, xml)| xml.as_str()).collect();
        validate_texts(schema, &texts);
    }
}

/// One run of `xmllint` takes them all, since reading libvirt's schemas takes longer than checking against them.
fn validate_texts(schema: &str, texts: &BTreeSet<&str>) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("states-xml-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut command = Command::new("xmllint");
    command
        .args(["--noout", "--relaxng"])
        .arg(Path::new(SCHEMAS).join(format!("{schema}.rng")));
    for (index, text) in texts.iter().enumerate() {
        let file = folder.join(format!("{index}.xml"));
        std::fs::write(&file, text).expect("written");
        command.arg(file);
    }
    let output = command.output().expect("xmllint runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let bad: Vec<&str> = texts
        .iter()
        .enumerate()
        .filter(|(index, _)| said.contains(&format!("/{index}.xml fails")))
        .map(|(_, text)| *text)
        .collect();
    std::fs::remove_dir_all(&folder).expect("cleaning up");
    let errors: String = said
        .lines()
        .filter(|line| !line.ends_with("validates"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(output.status.success(), "{errors}\n{}", bad.join("\n"));
}
