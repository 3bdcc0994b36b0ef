//! Generated XML against the schemas that libvirt brings.

use std::collections::{BTreeMap, BTreeSet};
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
    let named = documents
        .iter()
        .map(|(schema, xml)| (*schema, xml.clone(), "", ""));
    let misfits = misfits(&named.collect::<Vec<_>>());
    assert!(misfits.is_empty(), "{}", misfits.join("\n"));
}

/// What does not fit its schema, and of what it was made.
pub(crate) fn misfits(documents: &[(&'static str, String, &str, &str)]) -> Vec<String> {
    let has_program = Command::new("xmllint").arg("--version").output().is_ok();
    if !Path::new(SCHEMAS).exists() || !has_program {
        let absent =
            "libvirt's schemas or xmllint (packages libvirt0 or libvirt-daemon, libxml2-utils)";
        assert!(
            std::env::var_os("CI").is_none(),
            "{absent} must be there in CI"
        );
        eprintln!("XML is not validated: install {absent}");
        return Vec::new();
    }
    let schemas: BTreeSet<&str> = documents.iter().map(|(schema, ..)| *schema).collect();
    schemas
        .into_iter()
        .flat_map(|schema| {
            let of_schema = documents.iter().filter(|(of, ..)| *of == schema);
            let texts: BTreeMap<&str, String> = of_schema
                .map(|(_, xml, path, value)| (xml.as_str(), format!("{path} = {value}")))
                .collect();
            misfits_of(schema, &texts)
        })
        .collect()
}

/// One run of `xmllint` takes them all, since reading libvirt's schemas takes longer than checking against them.
fn misfits_of(schema: &str, texts: &BTreeMap<&str, String>) -> Vec<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("states-xml-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut command = Command::new("xmllint");
    command
        .args(["--noout", "--relaxng"])
        .arg(Path::new(SCHEMAS).join(format!("{schema}.rng")));
    for (index, text) in texts.keys().enumerate() {
        let file = folder.join(format!("{index}.xml"));
        std::fs::write(&file, text).expect("written");
        command.arg(file);
    }
    let output = command.output().expect("xmllint runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let misfit = |(index, (xml, origin)): (usize, (&&str, &String))| {
        let file = folder.join(format!("{index}.xml"));
        let about = |line: &&str| line.contains(&format!("{}", file.display()));
        let lines: Vec<&str> = said.lines().filter(about).collect();
        let fits = lines.iter().any(|line| line.ends_with(" validates"));
        (!fits).then(|| format!("{origin}: {}\n{xml}", lines.join("\n")))
    };
    let misfits = texts.iter().enumerate().filter_map(misfit).collect();
    std::fs::remove_dir_all(&folder).expect("cleaning up");
    misfits
}
