//! Pillar: data files assigned by their own top file, merged into one dictionary.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use crate::compile::find;
use crate::diagnostic::Diagnostic;
use crate::jinja::Engine;
use crate::lookup::{merge, nest};
use crate::ports::{Files, Functions, Target};
use crate::render::{SlsFile, render};
use crate::yaml::{Data, Node};
use crate::{Map, Value};

/// What Salt says before the list of pillar errors when states are asked for in spite of them.
pub const PILLAR_FAILED: &str = "Pillar failed to render with the following messages:";

/// Files that may include one another in a row.
const INCLUDE_DEPTH: usize = 64;

/// Renders the pillar of a target from pillar roots: dictionaries are merged, the later file wins.
///
/// Targets in the pillar's top file match on grains and the name, so `target.pillar` should be empty or
/// what the caller wants templates to see. A fault in one file does not keep the others out.
pub fn render_pillar(
    target: &Target,
    files: &Arc<dyn Files>,
    functions: &Arc<dyn Functions>,
) -> (Value, Vec<Diagnostic>) {
    let (top, mut faults) = crate::top(target, files, functions);
    let engine = Engine::new(target, files, functions);
    let merge_lists = target
        .opts
        .get("pillar_merge_lists")
        .is_some_and(crate::compile::truthy);
    let mut pillar = Value::Object(Map::new());
    let mut loader = Loader {
        files: files.as_ref(),
        engine: &engine,
        merge_lists,
        done: HashSet::new(),
        faults: &mut faults,
    };
    for (env, names) in top {
        for sls in names {
            if let Some(data) = loader.load(&env, &sls, 0) {
                merge(&mut pillar, data, merge_lists);
            }
        }
    }
    (pillar, faults)
}

struct Loader<'a> {
    files: &'a dyn Files,
    engine: &'a Engine,
    merge_lists: bool,
    done: HashSet<(String, String)>,
    faults: &'a mut Vec<Diagnostic>,
}

impl Loader<'_> {
    /// The data of one file with what it includes; `None` when there is nothing or it was read before.
    fn load(&mut self, env: &str, sls: &str, depth: usize) -> Option<Value> {
        if depth > INCLUDE_DEPTH || !self.done.insert((env.to_owned(), sls.to_owned())) {
            return None;
        }
        let file = match find(self.files, env, sls) {
            Ok(Some(file)) => file,
            Ok(None) => {
                let message = format!(
                    "Specified SLS '{sls}' in environment '{env}' is not available on the salt master"
                );
                let path = sls.replace('.', "/");
                self.faults
                    .push(Diagnostic::error(message).in_sls(sls).remedy(format!(
                        "create {path}.sls or {path}/init.sls under the pillar roots of '{env}'"
                    )));
                return None;
            }
            Err(fault) => {
                self.faults.push(*fault);
                return None;
            }
        };
        self.render(&file, depth)
    }

    fn render(&mut self, file: &SlsFile, depth: usize) -> Option<Value> {
        let (root, origin) = render(file, self.engine, self.faults)?;
        if root.is_null() {
            return None;
        }
        let Some(pairs) = root.as_map() else {
            let message = format!("SLS '{}' does not render to a dictionary", file.sls);
            self.faults.push(
                Diagnostic::error(message)
                    .in_sls(&file.sls)
                    .at(origin.locate(root.mark))
                    .remedy("write each value as 'key: value'"),
            );
            return None;
        };
        let mut data = Value::Object(Map::new());
        if let Some(include) = root.get("include") {
            match include.as_seq() {
                Some(items) => {
                    for item in items {
                        self.include(file, item, depth, &mut data);
                    }
                }
                None => {
                    let message = format!(
                        "Include Declaration in SLS '{}' is not formed as a list",
                        file.sls
                    );
                    let at = origin.locate(include.mark);
                    self.faults.push(
                        Diagnostic::error(message)
                            .in_sls(&file.sls)
                            .at(at)
                            .remedy("write each name on its own line as '- name'"),
                    );
                }
            }
        }
        let own = pairs
            .iter()
            .filter(|(key, _)| key.as_str() != Some("include"));
        let own = own
            .map(|(key, value)| (key.scalar_text().unwrap_or_default(), value.to_value()))
            .collect();
        merge(&mut data, Value::Object(own), self.merge_lists);
        Some(data)
    }

    /// `- name`, or `- name: {key: where:to, defaults: {…}}`
    fn include(&mut self, file: &SlsFile, item: &Node, depth: usize, data: &mut Value) {
        let (name, options) = match &item.data {
            Data::Map(pairs) => match pairs.first() {
                Some((name, options)) => {
                    (name.scalar_text().unwrap_or_default(), options.to_value())
                }
                None => return,
            },
            _ => (item.scalar_text().unwrap_or_default(), Value::Null),
        };
        let Some(mut included) = self.load(&file.env, &name, depth + 1) else {
            return;
        };
        if let Some(defaults) = options.get("defaults") {
            let mut merged = defaults.clone();
            merge(&mut merged, included, self.merge_lists);
            included = merged;
        }
        if let Some(key) = options.get("key").and_then(Value::as_str) {
            included = nest(included, key);
        }
        merge(data, included, self.merge_lists);
    }
}
