//! What the targets compile against: files in memory, one function, a catalog that knows nothing.

use std::sync::Arc;

use serde_json::json;
use sls::{
    Catalog, Compiled, Diagnostic, Files, FilesError, FunctionError, Functions, Map, SourceFile,
    Target, Value,
};

/// `vm.sls` with the given text, and two files that it may include or import.
struct OneFile(String);

const OTHER: &str = "other:\n  test.nop:\n    - x: 1\n";
const MAP: &str =
    "{% set map = {'a': [1, 2], 'b': grains['os']} %}\n{% macro m(x) %}{{ x }}{% endmacro %}\n";

impl Files for OneFile {
    fn read(&self, env: &str, path: &str) -> Result<Option<SourceFile>, FilesError> {
        let text = match path {
            "vm.sls" => self.0.as_str(),
            "other.sls" => OTHER,
            "map.jinja" => MAP,
            _ => return Ok(None),
        };
        Ok(Some(SourceFile {
            path: format!("/srv/{env}/{path}"),
            text: text.to_owned(),
        }))
    }

    fn list(&self, _: &str) -> Vec<String> {
        ["vm.sls", "other.sls", "map.jinja"]
            .map(str::to_owned)
            .to_vec()
    }
}

/// `test.echo` returns its first argument.
struct Echo;

impl Functions for Echo {
    fn call(&self, _: &str, args: &[Value], _: &Map) -> Result<Value, FunctionError> {
        args.first()
            .cloned()
            .ok_or_else(|| FunctionError::new("nothing to echo"))
    }

    fn names(&self) -> Vec<String> {
        vec!["test.echo".to_owned()]
    }
}

/// Takes every argument of `test.nop` and `virt.running`.
struct AnyArguments;

impl Catalog for AnyArguments {
    fn modules(&self) -> Vec<String> {
        vec!["test".to_owned(), "virt".to_owned()]
    }

    fn functions(&self, module: &str) -> Option<Vec<String>> {
        match module {
            "test" => Some(vec!["nop".to_owned()]),
            "virt" => Some(vec!["running".to_owned()]),
            _ => None,
        }
    }

    fn arguments(&self, _: &str, _: &str) -> Option<Vec<String>> {
        None
    }
}

/// Compiles `vm.sls` of this text and writes every diagnostic out.
pub fn compile(text: &str) -> Compiled {
    let target = Target {
        grains: json!({"id": "kvm1", "os": "Debian", "mem_total": 4096, "ipv4": ["10.0.0.5"]}),
        pillar: json!({"vms": {"srv01": {"mem": 1024}, "srv02": {"mem": 2048}}}),
        ..Target::new("kvm1")
    };
    let files: Arc<dyn Files> = Arc::new(OneFile(text.to_owned()));
    let functions: Arc<dyn Functions> = Arc::new(Echo);
    let mods = ["vm".to_owned()];
    let (compiled, diagnostics) =
        sls::compile(&mods, &target, &files, &functions, &AnyArguments, &[]);
    if sls::has_errors(&diagnostics) {
        assert!(
            compiled.chunks.is_empty(),
            "there are errors, so nothing may run"
        );
    }
    let _ = diagnostics.iter().map(Diagnostic::to_string).count();
    compiled
}
