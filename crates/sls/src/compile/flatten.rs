//! From declarations to chunks: one for each name, arguments sorted by what they are for.

use super::declaration::{Argument, Declaration, StateDeclaration};
use super::requisite::{self, Item, Keyword};
use crate::chunk::{Chunk, Globals, Retry};
use crate::diagnostic::{Diagnostic, Location};
use crate::yaml::Data;
use crate::{Map, Value};

/// A chunk whose requisites are not resolved yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) chunk: Chunk,
    pub(crate) items: Vec<(Keyword, Item)>,
    /// The arguments of the function with their places, for the check against the catalog.
    pub(crate) places: Vec<(String, Location)>,
}

/// Arguments that every state takes, requisites left out.
pub(crate) const GLOBAL_ARGUMENTS: [&str; 16] = [
    "order",
    "failhard",
    "onlyif",
    "unless",
    "creates",
    "check_cmd",
    "retry",
    "parallel",
    "reload_modules",
    "reload_grains",
    "reload_pillar",
    "fire_event",
    "saltenv",
    "umask",
    "runas",
    "no_log",
];

/// `order: last`, and where negative orders count from.
const END: i64 = 1_000_000;

/// Makes drafts of every declaration, sorted by `order`, then by state, name and function.
pub(crate) fn flatten(declarations: &[Declaration], faults: &mut Vec<Diagnostic>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for declaration in declarations {
        for state in &declaration.states {
            let shared = shared_items(declaration, state, faults);
            for variant in variants(declaration, state) {
                drafts.push(draft(declaration, state, variant, &shared, faults));
            }
        }
    }
    place(&mut drafts);
    drafts
}

/// What `names` makes of a state: one name with what it overrides.
struct Variant {
    name: String,
    position: u32,
    overrides: Vec<Argument>,
}

fn variants(declaration: &Declaration, state: &StateDeclaration) -> Vec<Variant> {
    let named = state
        .argument("name")
        .and_then(|name| name.value.as_str())
        .unwrap_or(&declaration.id);
    let Some(names) = state.argument("names") else {
        return vec![Variant {
            name: named.to_owned(),
            position: 0,
            overrides: Vec::new(),
        }];
    };
    let entries = names
        .value
        .as_seq()
        .unwrap_or(std::slice::from_ref(&names.value));
    let mut variants = Vec::new();
    for (entry, position) in entries.iter().zip(1..) {
        match &entry.data {
            Data::Map(pairs) => {
                for (name, body) in pairs {
                    let name = name.scalar_text().unwrap_or_default();
                    variants.push(Variant {
                        name,
                        position,
                        overrides: overrides(names, body),
                    });
                }
            }
            _ => variants.push(Variant {
                name: entry.scalar_text().unwrap_or_default(),
                position,
                overrides: Vec::new(),
            }),
        }
    }
    variants
}

/// `b: [{mem: 512}]`, or the same as a dictionary.
fn overrides(names: &Argument, body: &crate::yaml::Node) -> Vec<Argument> {
    let dictionaries = body.as_seq().unwrap_or(std::slice::from_ref(body));
    let pairs = dictionaries
        .iter()
        .filter_map(|node| node.as_map())
        .flatten();
    pairs
        .map(|(key, value)| Argument {
            key: key.scalar_text().unwrap_or_default(),
            value: value.clone(),
            at: names.origin.locate(key.mark),
            origin: names.origin.clone(),
        })
        .collect()
}

/// Requisites and global arguments are read once for all names, so that a fault is said once.
fn shared_items(
    declaration: &Declaration,
    state: &StateDeclaration,
    faults: &mut Vec<Diagnostic>,
) -> Vec<(Keyword, Item)> {
    let mut items = Vec::new();
    for argument in &state.arguments {
        if let Some(keyword) =
            Keyword::parse(&argument.key).filter(|keyword| *keyword != Keyword::Use)
        {
            items.extend(
                requisite::items(declaration, argument, faults)
                    .into_iter()
                    .map(|item| (keyword, item)),
            );
        }
    }
    items
}

fn draft(
    declaration: &Declaration,
    state: &StateDeclaration,
    variant: Variant,
    shared: &[(Keyword, Item)],
    faults: &mut Vec<Diagnostic>,
) -> Draft {
    let mut chunk = Chunk {
        state: state.module.clone(),
        fun: state.function.clone(),
        id: declaration.id.clone(),
        name: variant.name,
        sls: declaration.sls.clone(),
        env: declaration.env.clone(),
        order: state.order,
        name_order: variant.position,
        order_given: false,
        args: Map::new(),
        requisites: Vec::new(),
        globals: Globals::default(),
        at: state.at.clone(),
    };
    let mut places = Vec::new();
    for argument in state.arguments.iter().chain(&variant.overrides) {
        let key = argument.key.as_str();
        match key {
            "name" | "names" | "state" | "fun" => {}
            _ if requisite::is_requisite(key) => written_requisite(&mut chunk, argument),
            _ if key.starts_with("__") => {}
            "order" => order(&mut chunk, argument, faults),
            _ if GLOBAL_ARGUMENTS.contains(&key) => global(&mut chunk, argument, faults),
            _ => {
                places.push((argument.key.clone(), argument.at.clone()));
                let value = argument.value.to_value();
                faults.extend(slot(&chunk, argument, &value));
                chunk.args.insert(argument.key.clone(), value);
            }
        }
    }
    Draft {
        chunk,
        items: shared.to_vec(),
        places,
    }
}

/// A value that Salt would compute just before the call. Ours are all known when the plan is made.
fn slot(chunk: &Chunk, argument: &Argument, value: &Value) -> Option<Diagnostic> {
    let slot = first_slot(value)?;
    let call = slot.trim_start_matches("__slot__:salt:");
    let (function, rest) = call.split_once('(').unwrap_or((call, ")"));
    let message = format!(
        "The argument {} of state '{}' in SLS '{}' is a slot, which is not evaluated: {slot}",
        argument.key, chunk.id, chunk.sls
    );
    Some(
        Diagnostic::error(message)
            .in_sls(&chunk.sls)
            .at(argument.at.clone())
            .rule("every value of a state is known when the files are compiled")
            .remedy(format!("write {{{{ salt['{function}']({rest} }}}}")),
    )
}

fn first_slot(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.starts_with("__slot__:").then_some(text),
        Value::Array(items) => items.iter().find_map(first_slot),
        Value::Object(map) => map.values().find_map(first_slot),
        _ => None,
    }
}

/// Numbers stay; the words and what is wrong become numbers in [`place`].
fn order(chunk: &mut Chunk, argument: &Argument, faults: &mut Vec<Diagnostic>) {
    chunk.order_given = true;
    chunk.order = match argument.value.to_value() {
        Value::Number(number) if number.is_i64() => number.as_i64().unwrap_or_default(),
        Value::String(word) if word == "first" => 0,
        Value::String(word) if word == "last" => i64::MAX,
        other => {
            faults.push(bad_global(
                chunk,
                argument,
                "a whole number, 'first' or 'last'",
                &other,
            ));
            i64::MAX
        }
    };
}

/// Keeps a requisite as it was written; one that was extended from another file comes in two parts.
fn written_requisite(chunk: &mut Chunk, argument: &Argument) {
    let given = chunk
        .globals
        .given
        .entry(argument.key.clone())
        .or_insert_with(|| Value::Array(Vec::new()));
    if let (Value::Array(items), Value::Array(more)) = (given, argument.value.to_value()) {
        items.extend(more);
    }
}

fn bad_global(chunk: &Chunk, argument: &Argument, expected: &str, found: &Value) -> Diagnostic {
    Diagnostic::error(format!(
        "The {} statement in state '{}' in SLS '{}' needs to be {expected}, but is {}",
        argument.key,
        chunk.id,
        chunk.sls,
        crate::yaml::print_flow(found)
    ))
    .in_sls(&chunk.sls)
    .at(argument.at.clone())
    .remedy(format!("give it {expected}"))
}

fn global(chunk: &mut Chunk, argument: &Argument, faults: &mut Vec<Diagnostic>) {
    let value = argument.value.to_value();
    let globals = &mut chunk.globals;
    globals.given.insert(argument.key.clone(), value.clone());
    match argument.key.as_str() {
        "failhard" => globals.failhard = truthy(&value),
        "parallel" => globals.parallel = truthy(&value),
        "onlyif" => globals.onlyif = Some(value),
        "unless" => globals.unless = Some(value),
        "check_cmd" => globals.check_cmd = Some(value),
        "fire_event" => globals.fire_event = truthy(&value).then_some(value),
        "creates" => match strings(&value) {
            Some(paths) => globals.creates = paths,
            None => faults.push(bad_global(
                chunk,
                argument,
                "a path or a list of paths",
                &value,
            )),
        },
        "retry" => match retry(&value) {
            Ok(retry) => globals.retry = retry,
            Err(expected) => faults.push(bad_global(chunk, argument, expected, &value)),
        },
        _ => {}
    }
}

/// Python's idea of truth.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn retry(value: &Value) -> Result<Option<Retry>, &'static str> {
    const EXPECTED: &str = "'True' or a dictionary of attempts, until, interval and splay";
    let map = match value {
        Value::Bool(on) => return Ok(on.then(Retry::default)),
        Value::Null => return Ok(None),
        Value::Object(map) => map,
        _ => return Err(EXPECTED),
    };
    let whole = |key: &str, default: u64| match map.get(key) {
        None => Ok(default),
        Some(value) => value.as_u64().ok_or(EXPECTED),
    };
    let default = Retry::default();
    let until = match map.get("until") {
        None => default.until,
        Some(value) => value.as_bool().ok_or(EXPECTED)?,
    };
    let attempts =
        u32::try_from(whole("attempts", u64::from(default.attempts))?).map_err(|_| EXPECTED)?;
    Ok(Some(Retry {
        attempts: attempts.max(1),
        until,
        interval_secs: whole("interval", default.interval_secs)?,
        splay_secs: whole("splay", default.splay_secs)?,
    }))
}

/// Turns words and negative orders into numbers and sorts.
fn place(drafts: &mut [Draft]) {
    // As Salt counts: the end is 100 past the first order beyond the end so far, not past the highest.
    let mut cap = 1_i64;
    for order in drafts.iter().map(|draft| draft.chunk.order) {
        if order != i64::MAX && order >= cap {
            cap = order.saturating_add(100);
        }
    }
    for Draft { chunk, .. } in drafts.iter_mut() {
        if chunk.order == i64::MAX {
            chunk.order = cap.saturating_add(END);
        } else if chunk.order < 0 {
            chunk.order = cap.saturating_add(END).saturating_add(chunk.order);
        }
    }
    drafts.sort_by(|a, b| {
        let key = |chunk: &Chunk| (chunk.order, chunk.name_order);
        let text = |chunk: &Chunk| format!("{}{}{}", chunk.state, chunk.name, chunk.fun);
        key(&a.chunk)
            .cmp(&key(&b.chunk))
            .then_with(|| text(&a.chunk).cmp(&text(&b.chunk)))
    });
}
