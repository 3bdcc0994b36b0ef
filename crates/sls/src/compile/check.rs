//! Drafts against the catalog: unknown modules, functions and arguments, all of them, before anything runs.

use super::flatten::{Draft, GLOBAL_ARGUMENTS};
use crate::chunk::Chunk;
use crate::closest::closest;
use crate::diagnostic::Diagnostic;
use crate::ports::Catalog;

/// Requisite words to suggest for a misspelt argument.
const REQUISITES: [&str; 13] = [
    "require",
    "require_in",
    "require_any",
    "watch",
    "watch_in",
    "onchanges",
    "onchanges_in",
    "onfail",
    "onfail_in",
    "prereq",
    "prereq_in",
    "use",
    "listen",
];

/// Reports what the catalog does not know. A fault is said once per ID, not once per name.
pub(crate) fn check(drafts: &[Draft], catalog: &dyn Catalog, faults: &mut Vec<Diagnostic>) {
    for draft in drafts.iter().filter(|draft| draft.chunk.name_order <= 1) {
        let chunk = &draft.chunk;
        if chunk.fun.is_empty() || chunk.fun.contains(char::is_whitespace) {
            continue;
        }
        match catalog.functions(&chunk.state) {
            Some(functions) if functions.contains(&chunk.fun) => {
                check_arguments(draft, catalog, faults)
            }
            functions => faults.push(unknown_state(chunk, functions, catalog)),
        }
    }
}

fn unknown_state(
    chunk: &Chunk,
    functions: Option<Vec<String>>,
    catalog: &dyn Catalog,
) -> Diagnostic {
    let function = chunk.function();
    let fault = Diagnostic::error(format!(
        "State '{function}' was not found in SLS '{}'\nReason: '{function}' is not available.",
        chunk.sls
    ))
    .in_sls(&chunk.sls)
    .at(chunk.at.clone());
    let known: Vec<String> = match functions {
        Some(functions) => functions
            .iter()
            .map(|fun| format!("{}.{fun}", chunk.state))
            .collect(),
        None => catalog
            .modules()
            .iter()
            .flat_map(|module| {
                let functions = catalog.functions(module).unwrap_or_default();
                functions
                    .into_iter()
                    .map(move |fun| format!("{module}.{fun}"))
            })
            .collect(),
    };
    match closest(&function, known.iter().map(String::as_str)) {
        Some(close) => fault.remedy(format!("did you mean '{close}'?")),
        None => fault.remedy(format!(
            "the state modules are: {}",
            catalog.modules().join(", ")
        )),
    }
}

fn check_arguments(draft: &Draft, catalog: &dyn Catalog, faults: &mut Vec<Diagnostic>) {
    let chunk = &draft.chunk;
    let Some(known) = catalog.arguments(&chunk.state, &chunk.fun) else {
        return;
    };
    for (key, at) in draft.places.iter().filter(|(key, _)| !known.contains(key)) {
        let function = chunk.function();
        let message = format!(
            "ID '{}' in SLS '{}': '{key}' is not an argument of state '{function}'",
            chunk.id, chunk.sls
        );
        let words = known
            .iter()
            .map(String::as_str)
            .chain(REQUISITES)
            .chain(GLOBAL_ARGUMENTS);
        let remedy = match closest(key, words) {
            Some(close) => format!("did you mean '{close}'?"),
            None => format!("{function} takes: {}", known.join(", ")),
        };
        faults.push(
            Diagnostic::error(message)
                .in_sls(&chunk.sls)
                .at(at.clone())
                .rule("every argument of a state must be known before anything runs")
                .remedy(remedy),
        );
    }
}
