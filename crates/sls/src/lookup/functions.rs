//! Execution functions that need nothing but the target: grains, pillar, configuration, matching.

use super::{merge, traverse};
use crate::matcher::{self, Kind};
use crate::ports::{FunctionError, Target};
use crate::{Map, Value, glob};

/// The functions of this module.
pub const NAMES: [&str; 35] = [
    "pillar.get",
    "pillar.raw",
    "pillar.items",
    "pillar.item",
    "pillar.keys",
    "pillar.ls",
    "pillar.fetch",
    "pillar.filter_by",
    "grains.get",
    "grains.fetch",
    "grains.ls",
    "grains.equals",
    "grains.items",
    "grains.item",
    "grains.has_value",
    "grains.filter_by",
    "config.get",
    "config.option",
    "match.glob",
    "match.pcre",
    "match.grain",
    "match.grain_pcre",
    "match.pillar",
    "match.pillar_pcre",
    "match.pillar_exact",
    "match.list",
    "match.ipcidr",
    "match.filter_by",
    "match.search_by",
    "match.ifelse",
    "match.compound",
    "defaults.merge",
    "slsutil.merge",
    "defaults.update",
    "slsutil.update",
];

/// Calls one of [`NAMES`]; `None` for any other function.
pub fn call(
    name: &str,
    args: &[Value],
    kwargs: &Map,
    target: &Target,
) -> Option<Result<Value, FunctionError>> {
    if !NAMES.contains(&name) {
        return None;
    }
    let arguments = Arguments { name, args, kwargs };
    Some(match name.split_once('.') {
        Some(("match", function)) => matching(function, &arguments, target),
        Some(("defaults" | "slsutil", _)) => arguments.merged(),
        Some(("grains", function)) => grains(function, &arguments, &target.grains),
        Some(("pillar", "filter_by")) => filter_by(&arguments, &target.pillar, "role"),
        Some(("pillar", function)) => tree(function, &arguments, &target.pillar),
        _ => config(&arguments, target),
    })
}

struct Arguments<'a> {
    name: &'a str,
    args: &'a [Value],
    kwargs: &'a Map,
}

impl Arguments<'_> {
    fn get(&self, position: usize, name: &str) -> Option<&Value> {
        self.kwargs.get(name).or_else(|| self.args.get(position))
    }

    fn text(&self, position: usize, name: &str) -> Result<String, FunctionError> {
        match self.get(position, name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Ok(other.to_string()),
            None => Err(FunctionError::new(format!(
                "{} needs the argument '{name}'",
                self.name
            ))),
        }
    }

    fn flag(&self, position: usize, name: &str) -> bool {
        self.get(position, name).is_some_and(crate::compile::truthy)
    }

    fn delimiter(&self) -> String {
        self.kwargs
            .get("delimiter")
            .and_then(Value::as_str)
            .unwrap_or(":")
            .to_owned()
    }

    /// `get(key, default='', merge=False)` on a tree.
    fn lookup(&self, tree: &Value) -> Result<Value, FunctionError> {
        let key = self.text(0, "key")?;
        let found = traverse(tree, &key, &self.delimiter()).cloned();
        let default = self.get(1, "default").cloned();
        match (found, default) {
            (Some(found), Some(mut default))
                if self.flag(2, "merge") && found.is_object() && default.is_object() =>
            {
                merge(&mut default, found, self.flag(3, "merge_nested_lists"));
                Ok(default)
            }
            (Some(found), _) => Ok(found),
            (None, default) => Ok(default.unwrap_or_else(|| Value::String(String::new()))),
        }
    }

    /// `merge(dest, upd)`
    fn merged(&self) -> Result<Value, FunctionError> {
        let (base, over) = match self.name {
            "slsutil.merge" => (self.get(0, "obj_a"), self.get(1, "obj_b")),
            _ => (
                self.get(0, "dest"),
                self.get(1, "upd").or_else(|| self.get(1, "src")),
            ),
        };
        let (Some(base), Some(over)) = (base, over) else {
            return Err(FunctionError::new(format!(
                "{} needs two dictionaries",
                self.name
            )));
        };
        let mut base = base.clone();
        merge(&mut base, over.clone(), self.flag(2, "merge_lists"));
        Ok(base)
    }
}

/// What pillar and grains have in common.
fn tree(function: &str, arguments: &Arguments<'_>, tree: &Value) -> Result<Value, FunctionError> {
    match function {
        "get" | "fetch" => arguments.lookup(tree),
        "item" => {
            let keys = arguments.args.iter().filter_map(Value::as_str);
            let found = |key: &str| {
                traverse(tree, key, ":")
                    .cloned()
                    .unwrap_or_else(|| Value::String(String::new()))
            };
            Ok(Value::Object(
                keys.map(|key| (key.to_owned(), found(key))).collect(),
            ))
        }
        "keys" => {
            let key = arguments.text(0, "key")?;
            match traverse(tree, &key, ":") {
                Some(Value::Object(map)) => Ok(map.keys().cloned().map(Value::String).collect()),
                _ => Err(FunctionError::new(format!(
                    "pillar.keys: '{key}' is no dictionary in the pillar"
                ))),
            }
        }
        "ls" => match tree {
            Value::Object(map) => Ok(map.keys().cloned().map(Value::String).collect()),
            _ => Ok(Value::Array(Vec::new())),
        },
        "raw" if arguments.get(0, "key").is_some() => arguments.lookup(tree),
        _ => Ok(tree.clone()),
    }
}

fn grains(
    function: &str,
    arguments: &Arguments<'_>,
    grains: &Value,
) -> Result<Value, FunctionError> {
    match function {
        "has_value" => {
            let key = arguments.text(0, "key")?;
            Ok(Value::Bool(
                traverse(grains, &key, ":").is_some_and(crate::compile::truthy),
            ))
        }
        "equals" => {
            let key = arguments.text(0, "key")?;
            let value = arguments.text(1, "value")?;
            let found = traverse(grains, &key, ":").map(crate::yaml::python_str);
            Ok(Value::Bool(found == Some(value)))
        }
        "filter_by" => filter_by(arguments, grains, "os_family"),
        _ => tree(function, arguments, grains),
    }
}

/// `filter_by(lookup, grain='os_family', merge=None, default='default', base=None)`; that of the pillar calls its key
/// `pillar`.
fn filter_by(arguments: &Arguments<'_>, tree: &Value, usual: &str) -> Result<Value, FunctionError> {
    let Some(Value::Object(lookup)) = arguments.get(0, "lookup_dict") else {
        return Err(FunctionError::new(format!(
            "{} needs a dictionary",
            arguments.name
        )));
    };
    let key_name = arguments.name.split('.').next().unwrap_or_default();
    let key_name = key_name.trim_end_matches('s');
    let text = |position, name, default: &str| {
        arguments
            .get(position, name)
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let grain = traverse(tree, &text(1, key_name, usual), ":");
    let values: Vec<String> = match grain {
        Some(Value::Array(items)) => items.iter().map(crate::yaml::python_str).collect(),
        Some(value) => vec![crate::yaml::python_str(value)],
        None => Vec::new(),
    };
    let chosen = values.iter().find_map(|value| {
        lookup
            .iter()
            .find(|(pattern, _)| glob::matches(pattern, value))
            .map(|(_, found)| found)
    });
    let mut result = chosen
        .or_else(|| lookup.get(&text(3, "default", "default")))
        .cloned()
        .unwrap_or(Value::Null);
    if let Some(base) = arguments
        .get(4, "base")
        .and_then(Value::as_str)
        .and_then(|base| lookup.get(base))
    {
        let mut merged = base.clone();
        if !result.is_null() {
            merge(&mut merged, result, false);
        }
        result = merged;
    }
    if let Some(over) = arguments.get(2, "merge").filter(|over| over.is_object()) {
        match &mut result {
            Value::Null => result = over.clone(),
            result => merge(result, over.clone(), false),
        }
    }
    Ok(result)
}

/// Minion configuration, then grains, then pillar, then the master's configuration within the pillar.
fn config(arguments: &Arguments<'_>, target: &Target) -> Result<Value, FunctionError> {
    let key = arguments.text(0, "key")?;
    let delimiter = arguments.delimiter();
    let places = [
        Some(&target.opts),
        Some(&target.grains),
        Some(&target.pillar),
        target.pillar.get("master"),
    ];
    let found = places
        .into_iter()
        .flatten()
        .find_map(|place| traverse(place, &key, &delimiter));
    let default = || {
        arguments
            .get(1, "default")
            .cloned()
            .unwrap_or_else(|| Value::String(String::new()))
    };
    Ok(found.cloned().unwrap_or_else(default))
}

/// `match.*`. With `minion_id=` it is asked for that name instead of this host's.
fn matching(
    function: &str,
    arguments: &Arguments<'_>,
    target: &Target,
) -> Result<Value, FunctionError> {
    let target = match arguments.kwargs.get("minion_id").and_then(Value::as_str) {
        Some(minion_id) => &Target {
            minion_id: minion_id.to_owned(),
            ..target.clone()
        },
        None => target,
    };
    match function {
        "filter_by" => by_target(arguments, target),
        "search_by" => {
            let kind = kind_of(arguments)?;
            let lookup = dictionary(arguments)?;
            let meant = lookup.iter().filter(|(_, patterns)| match patterns {
                Value::Array(any) => any
                    .iter()
                    .filter_map(Value::as_str)
                    .any(|pattern| matcher::matches(kind, pattern, target)),
                one => one
                    .as_str()
                    .is_some_and(|pattern| matcher::matches(kind, pattern, target)),
            });
            let names: Vec<Value> = meant.map(|(name, _)| Value::String(name.clone())).collect();
            // As in Salt: nothing found is none, not an empty list.
            Ok(if names.is_empty() {
                Value::Null
            } else {
                Value::Array(names)
            })
        }
        "ifelse" => if_else(arguments, target),
        _ => {
            let pattern = arguments.text(0, "tgt")?;
            let kind = Kind::parse(function);
            let meant = kind.is_some_and(|kind| {
                matcher::matches_with(kind, &pattern, &arguments.delimiter(), target)
            });
            Ok(Value::Bool(meant))
        }
    }
}

fn dictionary<'a>(arguments: &'a Arguments<'_>) -> Result<&'a Map, FunctionError> {
    let found = arguments.get(0, "lookup").and_then(Value::as_object);
    found.ok_or_else(|| FunctionError::new(format!("{} needs a dictionary", arguments.name)))
}

/// The kind of the patterns: `tgt_type`, else compound.
fn kind_of(arguments: &Arguments<'_>) -> Result<Kind, FunctionError> {
    let word = arguments
        .get(1, "tgt_type")
        .and_then(Value::as_str)
        .unwrap_or("compound");
    Kind::parse(word).ok_or_else(|| {
        FunctionError::new(format!(
            "{}: there is no kind of target '{word}'",
            arguments.name
        ))
    })
}

/// `match.filter_by(lookup, tgt_type='compound', minion_id=None, merge=None, merge_lists=False, default='default')`
fn by_target(arguments: &Arguments<'_>, target: &Target) -> Result<Value, FunctionError> {
    let kind = kind_of(arguments)?;
    let lookup = dictionary(arguments)?;
    let chosen = lookup
        .iter()
        .find(|(pattern, _)| matcher::matches(kind, pattern, target));
    let Some((_, found)) = chosen else {
        let default = arguments
            .get(5, "default")
            .and_then(Value::as_str)
            .unwrap_or("default");
        return Ok(lookup.get(default).cloned().unwrap_or(Value::Null));
    };
    let mut found = found.clone();
    match arguments.get(3, "merge") {
        Some(over @ Value::Object(_)) if found.is_null() => found = over.clone(),
        Some(over @ Value::Object(_)) => {
            merge(&mut found, over.clone(), arguments.flag(4, "merge_lists"))
        }
        _ => {}
    }
    Ok(found)
}

/// `match.ifelse(target, value, target, value, …, default)`
fn if_else(arguments: &Arguments<'_>, target: &Target) -> Result<Value, FunctionError> {
    let kind = match arguments.kwargs.get("tgt_type") {
        Some(_) => kind_of(arguments)?,
        None => Kind::Compound,
    };
    let pairs = arguments.args.chunks(2);
    for pair in pairs {
        match pair {
            [Value::String(pattern), value] if matcher::matches(kind, pattern, target) => {
                return Ok(value.clone());
            }
            [default] => return Ok(default.clone()),
            _ => {}
        }
    }
    Ok(Value::Null)
}
