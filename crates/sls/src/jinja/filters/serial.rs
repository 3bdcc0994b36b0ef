//! Filters between values and text: YAML, JSON, Python.

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error};

use super::super::convert::{to_jinja, to_json};
use super::super::mutable::invalid;
use crate::yaml;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("yaml", to_yaml);
    env.add_filter("json", to_json_text);
    env.add_filter("python", |value: Value| value.to_string());
    env.add_filter("yaml_encode", yaml_encode);
    env.add_filter("yaml_dquote", |text: String| yaml::double_quoted(&text));
    env.add_filter("yaml_squote", |text: String| yaml::single_quoted(&text));
    for name in ["load_yaml", "__load_yaml"] {
        env.add_filter(name, load_yaml);
    }
    for name in ["load_json", "__load_json"] {
        env.add_filter(name, load_json);
    }
    env.add_filter("load_text", |text: Value| text);
    env.add_filter("dict_to_sls_yaml_params", sls_params);
}

/// One line by default; `yaml(false)` writes the indented form.
fn to_yaml(value: &Value, flow: Option<bool>) -> Result<String, Error> {
    let json = to_json(value)?;
    Ok(if flow.unwrap_or(true) {
        yaml::print_flow(&json)
    } else {
        yaml::print_block(&json).trim_end().to_owned()
    })
}

fn to_json_text(value: &Value, kwargs: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = kwargs.get("indent")?;
    let sort: Option<bool> = kwargs.get("sort_keys")?;
    let mut json = to_json(value)?;
    if sort != Some(false) {
        json.sort_all_objects();
    }
    let written = match indent {
        Some(_) => serde_json::to_string_pretty(&json),
        None => serde_json::to_string(&json).map(|text| space_out(&text)),
    };
    written.map_err(invalid)
}

/// Blanks after commas and colons, as Python writes JSON.
fn space_out(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() + compact.len() / 8);
    let (mut quoted, mut escaped) = (false, false);
    for c in compact.chars() {
        out.push(c);
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' | ':' if !quoted => out.push(' '),
            _ => {}
        }
    }
    out
}

/// A scalar as YAML that reads back as the same scalar.
fn yaml_encode(value: &Value) -> Result<String, Error> {
    match to_json(value)? {
        crate::Value::Array(_) | crate::Value::Object(_) => Err(invalid(
            "yaml_encode takes a scalar; use the yaml filter for lists and dictionaries",
        )),
        crate::Value::String(text) => Ok(yaml::double_quoted(&text)),
        scalar => Ok(yaml::print_flow(&scalar)),
    }
}

fn load_yaml(text: String) -> Result<Value, Error> {
    match yaml::load(&text) {
        Ok(value) => Ok(to_jinja(&value)),
        Err(fault) => Err(invalid(format!(
            "Unable to load YAML: {fault} of the loaded text"
        ))),
    }
}

fn load_json(text: String) -> Result<Value, Error> {
    let json = serde_json::from_str(&text);
    json.map(|json| to_jinja(&json))
        .map_err(|fault| invalid(format!("Unable to load JSON: {fault}")))
}

/// A dictionary as the argument list of a state.
fn sls_params(value: &Value) -> Result<String, Error> {
    match to_json(value)? {
        crate::Value::Object(map) => {
            let items = map
                .into_iter()
                .map(|pair| crate::Value::Object(crate::Map::from_iter([pair])));
            Ok(yaml::print_block(&items.collect()).trim_end().to_owned())
        }
        _ => Err(invalid("dict_to_sls_yaml_params takes a dictionary")),
    }
}
