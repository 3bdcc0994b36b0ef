//! JSON to template values and back. Lists and dictionaries become the mutable kinds of [`super::mutable`].

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::mutable::{dict, list, weigh};
use crate::yaml::python_str;
use crate::{Map, Value as Json};

/// Lists and dictionaries that may lie within one another.
const DEPTH_LIMIT: usize = 120;

/// A template's view of a JSON value.
pub(crate) fn to_jinja(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => list(items.iter().map(to_jinja)),
        Json::Object(map) => dict(
            map.iter()
                .map(|(key, value)| (Value::from(key.as_str()), to_jinja(value))),
        ),
    }
}

/// The JSON value of a template value.
///
/// # Errors
/// The value is undefined, nests too deep (or holds itself), or is a function.
pub(crate) fn to_json(value: &Value) -> Result<Json, Error> {
    weigh(value)?;
    convert(value, 0)
}

fn convert(value: &Value, depth: usize) -> Result<Json, Error> {
    if depth > DEPTH_LIMIT {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "the value nests too deep, or holds itself",
        ));
    }
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(
            ErrorKind::UndefinedError,
            "an undefined value cannot be passed on",
        )),
        ValueKind::None => Ok(Json::Null),
        ValueKind::Bool => Ok(Json::Bool(value.is_true())),
        ValueKind::Number => Ok(number(value)),
        ValueKind::String => Ok(Json::String(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Bytes => Ok(Json::String(
            String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned(),
        )),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.map(|item| convert(&item, depth + 1));
            items.collect::<Result<_, _>>().map(Json::Array)
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter()? {
                map.insert(key_text(&key)?, convert(&value.get_item(&key)?, depth + 1)?);
            }
            Ok(Json::Object(map))
        }
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("{value} is no data"),
        )),
    }
}

fn number(value: &Value) -> Json {
    if let Some(number) = value.as_i64() {
        // A fraction that happens to be whole stays a fraction.
        if value.is_integer() {
            return Json::from(number);
        }
    }
    let text = value.to_string();
    if let Ok(number) = text.parse::<u64>() {
        return Json::from(number);
    }
    match text
        .parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
    {
        Some(number) => Json::Number(number),
        None => Json::String(text),
    }
}

/// A dictionary key as text.
fn key_text(key: &Value) -> Result<String, Error> {
    match key.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => convert(key, 0).map(|key| python_str(&key)),
    }
}
