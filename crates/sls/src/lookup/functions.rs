//! Execution functions that need nothing but the target: grains, pillar, configuration, matching.

use super::{merge, traverse};
use crate::matcher::{self, Kind};
use crate::ports::{FunctionError, Target};
use crate::{Map, Value, glob};

/// The functions of this module.
pub(crate) const NAMES: [&str; 26] = [
    "pillar.get",
    "pillar.raw",
    "pillar.items",
    "pillar.item",
    "pillar.keys",
    "pillar.fetch",
    "grains.get",
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
    "match.compound",
    "defaults.merge",
    "slsutil.merge",
    "defaults.update",
    "slsutil.update",
];

/// Calls one of [`NAMES`]; `None` for any other function.
pub(crate) fn call(
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
        Some(("match", kind)) => arguments
            .text(0, "tgt")
            .map(|pattern| Value::Bool(matches(kind, &pattern, target))),
        Some(("defaults" | "slsutil", _)) => arguments.merged(),
        Some(("grains", function)) => grains(function, &arguments, &target.grains),
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
        "filter_by" => filter_by(arguments, grains),
        _ => tree(function, arguments, grains),
    }
}

/// `filter_by(lookup, grain='os_family', merge=None, default='default', base=None)`
fn filter_by(arguments: &Arguments<'_>, grains: &Value) -> Result<Value, FunctionError> {
    let Some(Value::Object(lookup)) = arguments.get(0, "lookup_dict") else {
        return Err(FunctionError::new("grains.filter_by needs a dictionary"));
    };
    let text = |position, name, default: &str| {
        arguments
            .get(position, name)
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let grain = traverse(grains, &text(1, "grain", "os_family"), ":");
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

fn matches(kind: &str, pattern: &str, target: &Target) -> bool {
    Kind::parse(kind).is_some_and(|kind| matcher::matches(kind, pattern, target))
}
