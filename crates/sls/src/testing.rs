//! What the tests compile against: files in memory, a few functions, a small catalog.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use crate::{
    Catalog, Compiled, Diagnostic, Files, FilesError, FunctionError, Functions, Map, SourceFile,
    Target, Value,
};

/// Files of `base`; `env:path` puts a file into another environment.
struct MemoryFiles(BTreeMap<String, String>);

pub(crate) fn files(files: &[(&str, &str)]) -> Arc<dyn Files> {
    Arc::new(MemoryFiles(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
    ))
}

fn key(env: &str, path: &str) -> String {
    if env == "base" {
        path.to_owned()
    } else {
        format!("{env}:{path}")
    }
}

impl Files for MemoryFiles {
    fn read(&self, env: &str, path: &str) -> Result<Option<SourceFile>, FilesError> {
        let text = self.0.get(&key(env, path)).cloned();
        let root = if env == "base" {
            "/srv/salt".to_owned()
        } else {
            format!("/srv/{env}")
        };
        Ok(text.map(|text| SourceFile {
            path: format!("{root}/{path}"),
            text,
        }))
    }

    fn list(&self, env: &str) -> Vec<String> {
        let prefix = format!("{env}:");
        let in_env = |path: &String| match path.strip_prefix(&prefix) {
            Some(rest) => Some(rest.to_owned()),
            None => (env == "base" && !path.contains(':')).then(|| path.clone()),
        };
        self.0.keys().filter_map(in_env).collect()
    }

    fn environments(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .0
            .keys()
            .filter_map(|path| path.split_once(':'))
            .map(|(env, _)| env.to_owned())
            .collect();
        names.push("base".to_owned());
        names.sort();
        names.dedup();
        names
    }
}

/// `test.echo` returns its argument, `test.kwargs` its named ones, `test.fail` fails.
struct TestFunctions;

impl Functions for TestFunctions {
    fn call(&self, name: &str, args: &[Value], kwargs: &Map) -> Result<Value, FunctionError> {
        match name {
            "test.echo" => Ok(args.first().cloned().unwrap_or(Value::Null)),
            "test.kwargs" => Ok(Value::Object(kwargs.clone())),
            "virt.list_domains" => Ok(json!(["srv01", "srv02"])),
            "random.get_str" => Ok(json!("thrown by hand")),
            "cmd.which" => Ok(json!(format!(
                "/usr/bin/{}",
                args[0].as_str().unwrap_or("")
            ))),
            "test.fail" => Err(FunctionError::new("libvirt is down")),
            _ => Err(FunctionError::new(format!(
                "the function '{name}' is not available"
            ))),
        }
    }

    fn names(&self) -> Vec<String> {
        ["test.echo", "test.kwargs", "test.fail", "virt.list_domains"]
            .map(str::to_owned)
            .to_vec()
    }
}

pub(crate) fn functions() -> Arc<dyn Functions> {
    Arc::new(TestFunctions)
}

/// `virt` with some of its functions, and `test.nop` that takes anything.
pub(crate) struct TestCatalog;

impl Catalog for TestCatalog {
    fn modules(&self) -> Vec<String> {
        vec!["virt".to_owned(), "test".to_owned()]
    }

    fn functions(&self, module: &str) -> Option<Vec<String>> {
        let names: &[&str] = match module {
            "virt" => &["running", "defined", "pool_running", "network_running"],
            "test" => &["nop", "mod_watch"],
            _ => return None,
        };
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn arguments(&self, module: &str, function: &str) -> Option<Vec<String>> {
        let names: &[&str] = match (module, function) {
            ("virt", "running" | "defined") => &[
                "cpu",
                "mem",
                "disks",
                "interfaces",
                "graphics",
                "seed",
                "autostart",
            ],
            ("virt", "pool_running") => &["ptype", "target", "source", "autostart"],
            ("virt", "network_running") => &["bridge", "forward", "ipv4_config", "autostart"],
            _ => return None,
        };
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

pub(crate) fn target() -> Target {
    Target {
        grains: json!({"id": "kvm1", "os": "Debian", "os_family": "Debian", "mem_total": 4096}),
        pillar: json!({"vms": {"srv01": {"mem": 1024}, "srv02": {"mem": 2048}}}),
        opts: json!({"virt": {"images": "/vms"}}),
        ..Target::new("kvm1")
    }
}

/// Compiles `mods` of these files.
pub(crate) fn compile(mods: &[&str], files: &[(&str, &str)]) -> (Compiled, Vec<Diagnostic>) {
    let mods: Vec<String> = mods.iter().map(|sls| (*sls).to_owned()).collect();
    crate::compile(
        &mods,
        &target(),
        &self::files(files),
        &functions(),
        &TestCatalog,
        &[],
    )
}

/// Compiles one file `vm.sls`.
pub(crate) fn compile_one(text: &str) -> (Compiled, Vec<Diagnostic>) {
    compile(&["vm"], &[("vm.sls", text)])
}

/// Chunks and diagnostics as lines for a snapshot.
pub(crate) fn show(compiled: &Compiled, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for (index, chunk) in compiled.chunks.iter().enumerate() {
        let args = crate::yaml::print_flow(&Value::Object(chunk.args.clone()));
        let _ = writeln!(
            out,
            "{index} {} order={} {args} [{}]",
            chunk.tag(),
            chunk.order,
            chunk.at
        );
        for requisite in &chunk.requisites {
            let _ = writeln!(
                out,
                "    {} {:?}",
                requisite.kind.keyword(),
                requisite.targets
            );
        }
    }
    for diagnostic in diagnostics {
        let _ = writeln!(out, "{diagnostic}");
    }
    out
}
