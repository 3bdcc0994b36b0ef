//! Checks that no compiler makes: which crate may depend on which, that generated files are fresh, that only one
//! crate is unsafe.

use crate::codegen;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The rows of the workspace from bottom to top. A crate may depend on crates of rows below its own.
const ROWS: &[&[&str]] = &[
    &["model", "private-postgres"],
    &["sls", "domxml", "states", "outputter"],
    &["hypervisor", "agent-api", "server-api"],
    &[
        "libvirt-driver",
        "described",
        "simulated",
        "tree",
        "db",
        "client",
    ],
    &["server", "agent", "cli"],
    &["salar", "salar-agent"],
];

/// Arrows inside a row, each a decision of its own.
const SIDEWAYS: &[(&str, &str)] = &[("states", "sls"), ("states", "domxml")];

/// Arrows that the rows would allow and that must not be.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("server", "libvirt-driver", "the server never links libvirt"),
    (
        "server",
        "hypervisor",
        "the server speaks to agents, not to hypervisors",
    ),
    (
        "salar",
        "libvirt-driver",
        "salar never links libvirt; salar-agent does",
    ),
    ("agent", "db", "the agent never sees SQL"),
    ("cli", "db", "the command line knows only the public API"),
    (
        "cli",
        "server",
        "the command line knows only the public API",
    ),
];

/// Crates of core and base, and what they must not know.
const PURE: &[&str] = &["model", "sls", "domxml", "states", "outputter"];
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "rusqlite",
    "tokio-postgres",
    "virt",
    "virt-sys",
    "axum",
    "tonic",
    "tracing",
    "getrandom",
];

/// The one crate that may contain `unsafe`.
const UNSAFE: &[&str] = &["libvirt-driver"];

/// Runs every check; prints each finding.
pub fn run(root: &Path) -> Result<()> {
    let dependencies = dependencies(root)?;
    let mut findings = arrows(&dependencies);
    findings.extend(unsafe_code(root, dependencies.keys())?);
    findings.extend(codegen::drift(root)?);
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} finding(s)", findings.len());
    }
    println!(
        "tidy: {} crates, {} layers: in order",
        dependencies.len(),
        ROWS.len()
    );
    Ok(())
}

/// Normal dependencies of every workspace crate, by name.
fn dependencies(root: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?;
    Ok(packages
        .iter()
        .map(|package| (text(&package["name"]), normal_dependencies(package)))
        .collect())
}

fn normal_dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all.iter()
        .filter(|d| d["kind"].is_null())
        .map(|d| text(&d["name"]))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Everything wrong with the arrows between crates.
fn arrows(dependencies: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, needs) in dependencies.iter().filter(|(name, _)| *name != "xtask") {
        let Some(row) = row_of(name) else {
            findings.push(format!(
                "crate {name} stands in no row of xtask/src/tidy.rs"
            ));
            continue;
        };
        for need in needs {
            findings.extend(wrong_arrow(name, row, need));
        }
    }
    findings
}

fn row_of(name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&name))
}

fn wrong_arrow(name: &str, row: usize, need: &str) -> Option<String> {
    if PURE.contains(&name) && IMPURE.contains(&need) {
        return Some(format!("{name} is core: it must not know {need}"));
    }
    if let Some((_, _, why)) = FORBIDDEN
        .iter()
        .find(|(from, to, _)| *from == name && *to == need)
    {
        return Some(format!("{name} must not depend on {need}: {why}"));
    }
    let need_row = row_of(need)?;
    let sideways = SIDEWAYS.contains(&(name, need));
    (need_row >= row && !sideways)
        .then(|| format!("{name} must not depend on {need}: arrows point down a row"))
}

/// Crates other than the driver that contain unsafe code.
fn unsafe_code<'a>(root: &Path, crates: impl Iterator<Item = &'a String>) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for name in crates.filter(|name| !UNSAFE.contains(&name.as_str()) && *name != "xtask") {
        for file in rust_files(&root.join("crates").join(name))? {
            let code = std::fs::read_to_string(&file)?;
            if code
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains("unsafe {"))
            {
                findings.push(format!(
                    "{} has unsafe code; only {UNSAFE:?} may",
                    file.display()
                ));
            }
        }
    }
    Ok(findings)
}

fn rust_files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, needs: &[&str]) -> Vec<String> {
        let needs = needs.iter().map(|need| (*need).to_owned()).collect();
        arrows(&BTreeMap::from([(name.to_owned(), needs)]))
    }

    #[test]
    fn the_workspace_is_in_order() {
        let root = crate::root();
        assert_eq!(
            arrows(&dependencies(&root).expect("cargo metadata")),
            Vec::<String>::new()
        );
        assert_eq!(codegen::drift(&root).expect("readable"), None);
    }

    #[test]
    fn arrows_point_down_only() {
        assert_eq!(
            findings("states", &["sls", "domxml", "model"]),
            Vec::<String>::new()
        );
        assert_eq!(findings("sls", &["states"]).len(), 1);
        assert_eq!(findings("server", &["cli"]).len(), 1);
        assert_eq!(findings("hypervisor", &["agent"]).len(), 1);
    }

    #[test]
    fn the_forbidden_is_named() {
        assert_eq!(
            findings("server", &["libvirt-driver"]),
            ["server must not depend on libvirt-driver: the server never links libvirt"]
        );
        assert_eq!(
            findings("states", &["tokio"]),
            ["states is core: it must not know tokio"]
        );
        assert_eq!(
            findings("utils", &[]),
            ["crate utils stands in no row of xtask/src/tidy.rs"]
        );
    }
}
