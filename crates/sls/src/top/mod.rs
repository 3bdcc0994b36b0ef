//! Top files: which SLS a target gets.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::chunk::Compiled;
use crate::compile::{Exclude, compile_in, sls_names};
use crate::diagnostic::Diagnostic;
use crate::glob;
use crate::jinja::Engine;
use crate::matcher::{self, Kind};
use crate::ports::{Catalog, Files, Functions, Target};
use crate::render::{Origin, SlsFile, render};
use crate::yaml::{Data, Node};

/// Salt's words where the top files assign nothing to the host.
pub const NO_TOP: &str =
    "No Top file or master_tops data matches found. Please see master log for details.";

/// What `state.show_top` prints: for each environment the SLS it assigns, in order, none twice.
pub type Top = IndexMap<String, Vec<String>>;

/// Reads the top file of every environment. That of `base` decides for every environment it names,
/// the others only for their own section. Where the target has an environment, that one's top file says, for it alone.
pub fn top(
    target: &Target,
    files: &Arc<dyn Files>,
    functions: &Arc<dyn Functions>,
) -> (Top, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let engine = Engine::new(target, files, functions);
    let mut reader = Reader {
        target,
        files: files.as_ref(),
        top: Top::new(),
        faults: &mut faults,
    };
    let mut environments = match &target.saltenv {
        Some(only) => vec![only.clone()],
        None => files.environments(),
    };
    environments.sort_by_key(|env| env != "base");
    let mut decided: HashSet<String> = HashSet::new();
    for env in environments {
        let source = match files.read(&env, "top.sls") {
            Ok(Some(source)) => source,
            Ok(None) => continue,
            Err(fault) => {
                reader.faults.push(Diagnostic::error(format!(
                    "Rendering SLS '{env}:top' failed: {fault}"
                )));
                continue;
            }
        };
        let file = SlsFile {
            sls: "top".to_owned(),
            env: env.clone(),
            path: "top.sls".to_owned(),
            source,
        };
        if let Some((root, origin)) = render(&file, &engine, reader.faults) {
            decided.extend(reader.file(&env, &root, &origin, &decided));
        }
    }
    let mut top = reader.top;
    top.retain(|env, _| target.saltenv.as_ref().is_none_or(|only| only == env));
    (top, faults)
}

/// Compiles everything the top files assign. No match yields no chunks and a diagnostic that says so.
pub fn highstate(
    target: &Target,
    files: &Arc<dyn Files>,
    functions: &Arc<dyn Functions>,
    catalog: &dyn Catalog,
    exclude: &[Exclude],
) -> (Compiled, Vec<Diagnostic>) {
    let (top, mut faults) = top(target, files, functions);
    let mods: Vec<(String, String)> = top
        .into_iter()
        .flat_map(|(env, names)| names.into_iter().map(move |sls| (env.clone(), sls)))
        .collect();
    if mods.is_empty() && faults.is_empty() {
        faults.push(Diagnostic::error(NO_TOP).remedy(format!(
            "write a top.sls that assigns SLS to '{}', or name the SLS",
            target.minion_id
        )));
    }
    let (mut compiled, more) = compile_in(&mods, target, files, functions, catalog, exclude);
    faults.extend(more);
    if crate::has_errors(&faults) {
        compiled.chunks.clear();
    }
    (compiled, faults)
}

struct Reader<'a> {
    target: &'a Target,
    files: &'a dyn Files,
    top: Top,
    faults: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Takes the sections a file may decide; the environments it named.
    fn file(
        &mut self,
        env: &str,
        root: &Node,
        origin: &Arc<Origin>,
        decided: &HashSet<String>,
    ) -> Vec<String> {
        let pairs = match &root.data {
            Data::Map(pairs) => pairs,
            _ if root.is_null() => return Vec::new(),
            _ => {
                self.fault(
                    "SLS top does not render to a dictionary".to_owned(),
                    root,
                    origin,
                    "begin with 'base:'",
                );
                return Vec::new();
            }
        };
        let mut named = Vec::new();
        for (section, body) in pairs {
            let Some(section) = section.scalar_text() else {
                continue;
            };
            let allowed = env == "base" || section == env;
            if !allowed || decided.contains(&section) {
                continue;
            }
            self.section(&section, body, origin);
            named.push(section);
        }
        named
    }

    fn fault(&mut self, message: String, node: &Node, origin: &Arc<Origin>, remedy: &str) {
        let at = origin.locate(node.mark);
        self.faults.push(
            Diagnostic::error(message)
                .in_sls("top")
                .at(at)
                .remedy(remedy),
        );
    }

    fn section(&mut self, env: &str, body: &Node, origin: &Arc<Origin>) {
        let Some(pairs) = body.as_map() else {
            if !body.is_null() {
                let message = format!(
                    "Malformed topfile: the section '{env}' is not formed as a dictionary (got {})",
                    body.type_name()
                );
                self.fault(
                    message,
                    body,
                    origin,
                    "write a target and below it the list of SLS",
                );
            }
            return;
        };
        for (pattern, items) in pairs {
            let pattern = pattern.scalar_text().unwrap_or_default();
            let Some(items) = items.as_seq() else {
                let message = format!(
                    "Malformed topfile: state declarations for matcher '{pattern}' in saltenv '{env}' are not formed as a \
                     list (got {})",
                    items.type_name()
                );
                self.fault(
                    message,
                    items,
                    origin,
                    "write each SLS on its own line as '- name'",
                );
                continue;
            };
            self.matcher(env, &pattern, items, origin);
        }
    }

    fn matcher(&mut self, env: &str, pattern: &str, items: &[Node], origin: &Arc<Origin>) {
        let mut kind = Kind::Compound;
        for item in items {
            let Some(word) = item.get("match") else {
                continue;
            };
            match word.as_str().and_then(Kind::parse) {
                Some(known) => kind = known,
                None => {
                    let shown = word.scalar_text().unwrap_or_default();
                    let message = format!(
                        "Malformed topfile: there is no matcher '{shown}' (for '{pattern}')"
                    );
                    self.fault(
                        message,
                        word,
                        origin,
                        "use glob, pcre, grain, pillar, list, ipcidr or compound",
                    );
                    return;
                }
            }
        }
        if !matcher::matches(kind, pattern, self.target) {
            return;
        }
        for item in items {
            match &item.data {
                Data::Map(pairs) => {
                    for (other, sls) in pairs
                        .iter()
                        .filter(|(key, _)| key.as_str() != Some("match"))
                    {
                        let (other, sls) = (
                            other.scalar_text().unwrap_or_default(),
                            sls.scalar_text().unwrap_or_default(),
                        );
                        self.assign(&other, &sls);
                    }
                }
                _ => self.assign(env, &item.scalar_text().unwrap_or_default()),
            }
        }
    }

    fn assign(&mut self, env: &str, name: &str) {
        let mut names = vec![name.to_owned()];
        if glob::is_pattern(name) {
            names = sls_names(self.files, env)
                .into_iter()
                .filter(|sls| glob::matches(name, sls))
                .collect();
        }
        let assigned = self.top.entry(env.to_owned()).or_default();
        for sls in names {
            if !assigned.contains(&sls) {
                assigned.push(sls);
            }
        }
    }
}
