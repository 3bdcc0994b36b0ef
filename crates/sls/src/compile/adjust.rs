//! `extend`, `exclude` and `use`: declarations that change other declarations.

use super::Exclude;
use super::declaration::{Argument, Declaration, StateDeclaration};
use super::gather::Gathered;
use super::requisite;
use crate::closest::closest;
use crate::diagnostic::Diagnostic;
use crate::glob;
use crate::yaml::Data;

/// Merges every `extend` into the declaration it names.
pub(crate) fn extend(gathered: &mut Gathered, faults: &mut Vec<Diagnostic>) {
    for extension in std::mem::take(&mut gathered.extends) {
        match find(&gathered.declarations, &extension) {
            Some(index) => merge(&mut gathered.declarations[index], extension, faults),
            None => faults.push(
                cannot_extend(
                    &extension.id,
                    &extension.env,
                    &extension.sls,
                    &gathered.declarations,
                )
                .at(extension.at.clone()),
            ),
        }
    }
}

/// Salt's four lines for an ID that is not there, with the closest one that is.
pub(crate) fn cannot_extend(id: &str, env: &str, sls: &str, known: &[Declaration]) -> Diagnostic {
    let fault = Diagnostic::error(format!(
        "Cannot extend ID '{id}' in '{env}:{sls}'. It is not part of the high state.\nThis is likely due to a missing \
         include statement or an incorrectly typed ID.\nEnsure that a state with an ID of '{id}' is available\nin \
         environment '{env}' and to SLS '{sls}'"
    ))
    .in_sls(sls);
    match closest(id, known.iter().map(|declaration| declaration.id.as_str())) {
        Some(close) => fault.remedy(format!("did you mean '{close}'?")),
        None => fault.remedy("include the SLS that declares it, or correct the ID"),
    }
}

/// The declaration with the extension's ID, or the only one with that name in its module.
fn find(declarations: &[Declaration], extension: &Declaration) -> Option<usize> {
    let by_id = declarations
        .iter()
        .position(|declaration| declaration.id == extension.id);
    by_id.or_else(|| {
        let module = &extension.states.first()?.module;
        let mut named = declarations.iter().enumerate().filter(|(_, declaration)| {
            declaration.states.iter().any(|state| {
                state.module == *module
                    && state.argument("name").and_then(|name| name.value.as_str())
                        == Some(&extension.id)
            })
        });
        let (index, _) = named.next()?;
        named.next().is_none().then_some(index)
    })
}

fn merge(declaration: &mut Declaration, extension: Declaration, faults: &mut Vec<Diagnostic>) {
    let last = declaration
        .states
        .iter()
        .map(|state| state.order)
        .max()
        .unwrap_or(0);
    for mut addition in extension.states {
        let have = declaration
            .states
            .iter_mut()
            .find(|state| state.module == addition.module);
        let Some(state) = have else {
            if addition.function.is_empty() {
                let (id, sls) = (&extension.id, &extension.sls);
                let fault = Diagnostic::error(format!(
                    "No function declared in state '{id}' in SLS '{sls}'"
                ))
                .in_sls(sls)
                .at(addition.at.clone())
                .also(declaration.at.clone())
                .rule("an extension of a module that the ID does not have must name a function");
                let remedy = format!(
                    "write '{}.FUNCTION:', or the module that the ID has",
                    addition.module
                );
                faults.push(fault.remedy(remedy));
            }
            addition.order = last;
            declaration.states.push(addition);
            continue;
        };
        if !addition.function.is_empty() {
            state.function.clone_from(&addition.function);
        }
        for argument in addition.arguments {
            merge_argument(state, argument);
        }
    }
}

/// Requisite lists grow; anything else is replaced or added.
fn merge_argument(state: &mut StateDeclaration, argument: Argument) {
    let Some(have) = state
        .arguments
        .iter_mut()
        .find(|have| have.key == argument.key)
    else {
        state.arguments.push(argument);
        return;
    };
    // A list keeps one origin for its items, so requisites from another file stay an argument of their own.
    if requisite::is_requisite(&argument.key) && have.origin.is(&argument.origin) {
        if let (Data::Seq(items), Data::Seq(more)) = (&mut have.value.data, &argument.value.data) {
            items.extend(more.iter().cloned());
        }
    } else if requisite::is_requisite(&argument.key) {
        state.arguments.push(argument);
    } else {
        *have = argument;
    }
}

/// Removes what `exclude` names.
pub(crate) fn exclude(gathered: &mut Gathered, more: &[Exclude]) {
    let excludes: Vec<Exclude> = gathered.excludes.iter().chain(more).cloned().collect();
    gathered.declarations.retain(|declaration| {
        !excludes.iter().any(|exclude| match exclude {
            Exclude::Sls(pattern) => glob::matches(pattern, &declaration.sls),
            Exclude::Id(id) => *id == declaration.id,
        })
    });
}

/// Copies the arguments that `use` and `use_in` ask for where they are lacking.
pub(crate) fn apply_use(declarations: &mut [Declaration], faults: &mut Vec<Diagnostic>) {
    for (from, to) in use_pairs(declarations, faults) {
        let source = declarations[from.0].states[from.1].arguments.clone();
        let target = &mut declarations[to.0].states[to.1];
        for argument in source {
            let own = matches!(argument.key.as_str(), "name" | "names" | "order")
                || requisite::is_requisite(&argument.key);
            if !own && target.argument(&argument.key).is_none() {
                target.arguments.push(argument);
            }
        }
    }
}

/// A state by the index of its declaration and its place in it.
type StateIndex = (usize, usize);

fn use_pairs(
    declarations: &[Declaration],
    faults: &mut Vec<Diagnostic>,
) -> Vec<(StateIndex, StateIndex)> {
    let mut pairs = Vec::new();
    for (d, declaration) in declarations.iter().enumerate() {
        for (s, state) in declaration.states.iter().enumerate() {
            for argument in &state.arguments {
                if !matches!(argument.key.as_str(), "use" | "use_in") {
                    continue;
                }
                for item in requisite::items(declaration, argument, faults) {
                    let found = states_matching(declarations, &item);
                    if found.is_empty() {
                        faults.push(requisite::missing(&item, &declaration.id, &declaration.sls));
                    }
                    pairs.extend(found.into_iter().map(|other| match argument.key.as_str() {
                        "use" => (other, (d, s)),
                        _ => ((d, s), other),
                    }));
                }
            }
        }
    }
    pairs
}

fn states_matching(declarations: &[Declaration], item: &requisite::Item) -> Vec<StateIndex> {
    let mut found = Vec::new();
    for (d, declaration) in declarations.iter().enumerate() {
        for (s, state) in declaration.states.iter().enumerate() {
            let module = item.module == "id" || item.module == state.module;
            let name = state.argument("name").and_then(|name| name.value.as_str());
            let named = glob::matches(&item.target, &declaration.id)
                || name.is_some_and(|name| glob::matches(&item.target, name));
            if module && named {
                found.push((d, s));
            }
        }
    }
    found
}
