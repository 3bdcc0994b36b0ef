//! The compiler: SLS names in, ordered chunks out.
//!
//! ```text
//! names ─ gather ─> declarations ─ adjust ─> declarations ─ flatten ─> drafts ─ resolve ─> chunks
//!         include                  extend                   names       check   requisites
//!         render                   exclude, use             order       catalog
//! ```
//! Each step reports all its faults and goes on with what it could read, so that an author sees
//! everything at once; a requisite is only checked when the declarations themselves are sound.

mod adjust;
mod check;
mod declaration;
mod flatten;
mod gather;
mod requisite;
mod resolve;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use flatten::truthy;
pub(crate) use gather::{find, sls_names};

use crate::chunk::{Compiled, MOD_WATCH};
use crate::diagnostic::{Diagnostic, has_errors};
use crate::jinja::Engine;
use crate::ports::{Catalog, Files, Functions, Target};
use crate::{Map, Value};

/// What a run leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclude {
    /// Every state of the SLS that this pattern matches.
    Sls(String),
    /// The states under this ID.
    Id(String),
}

impl Exclude {
    /// Reads `name`, `{sls: name}` or `{id: name}`.
    pub fn from_value(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match value {
            Value::String(sls) => Some(Exclude::Sls(sls.clone())),
            Value::Object(map) => map
                .get("sls")
                .and_then(text)
                .map(Exclude::Sls)
                .or_else(|| map.get("id").and_then(text).map(Exclude::Id)),
            _ => None,
        }
    }
}

/// Compiles the SLS of these names (shell patterns allowed) in the target's environment.
///
/// The chunks are empty when a diagnostic is an error: then nothing may run.
pub fn compile(
    mods: &[String],
    target: &Target,
    files: &Arc<dyn Files>,
    functions: &Arc<dyn Functions>,
    catalog: &dyn Catalog,
    exclude: &[Exclude],
) -> (Compiled, Vec<Diagnostic>) {
    let env = target.saltenv.as_deref().unwrap_or("base");
    let mods: Vec<(String, String)> = mods
        .iter()
        .map(|sls| (env.to_owned(), sls.clone()))
        .collect();
    compile_in(&mods, target, files, functions, catalog, exclude)
}

/// Compiles SLS of several environments: pairs of environment and name, as a top file assigns them.
pub fn compile_in(
    mods: &[(String, String)],
    target: &Target,
    files: &Arc<dyn Files>,
    functions: &Arc<dyn Functions>,
    catalog: &dyn Catalog,
    exclude: &[Exclude],
) -> (Compiled, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let engine = Engine::new(target, files, functions);
    let mut gatherer = gather::Gatherer::new(files.as_ref(), &engine, &mut faults);
    for (env, sls) in mods {
        gatherer.ask(env, sls);
    }
    let mut gathered = gatherer.finish();
    adjust::extend(&mut gathered, &mut faults);
    adjust::exclude(&mut gathered, exclude);
    adjust::apply_use(&mut gathered.declarations, &mut faults);
    let high = declaration::show(&gathered.declarations);

    let readable = !has_errors(&faults);
    let drafts = flatten::flatten(&gathered.declarations, &mut faults);
    check::check(&drafts, catalog, &mut faults);
    listeners(&drafts, catalog, &mut faults);
    // A file that could not be read would make every requisite on it look like a mistake.
    let mut chunks = if readable {
        resolve::resolve(drafts, &gathered, &mut faults)
    } else {
        Vec::new()
    };
    if has_errors(&faults) {
        chunks.clear();
    }
    (Compiled { chunks, high }, faults)
}

/// Warns of states that listen and whose module has no `mod_watch`: as in Salt, they fail once what they listen to
/// changes.
fn listeners(drafts: &[flatten::Draft], catalog: &dyn Catalog, faults: &mut Vec<Diagnostic>) {
    let listens = |(_, item): &&(_, requisite::Item)| item.keyword == "listen";
    for draft in drafts.iter().filter(|draft| draft.chunk.name_order <= 1) {
        let chunk = &draft.chunk;
        let functions = catalog.functions(&chunk.state).unwrap_or_default();
        if functions.iter().any(|known| known == MOD_WATCH) {
            continue;
        }
        for (_, item) in draft.items.iter().filter(listens) {
            faults.push(
                Diagnostic::warning(format!(
                    "ID '{}' in SLS '{}' will fail when what it listens to changes: '{}.{MOD_WATCH}' is not available",
                    chunk.id, chunk.sls, chunk.state
                ))
                .in_sls(&chunk.sls)
                .at(item.at.clone())
                .rule("'listen' calls the function mod_watch of the state's module")
                .remedy("use 'onchanges', or 'require'"),
            );
        }
    }
}

impl Default for Compiled {
    fn default() -> Self {
        Compiled {
            chunks: Vec::new(),
            high: Value::Object(Map::new()),
        }
    }
}
