//! A YAML document with the place of every node.

use crate::{Map, Value};

/// A place in a text; both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub data: Data,
    /// Where it begins.
    pub mark: Mark,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Null, a boolean, a number or text; never a list or dictionary.
    Scalar(Value),
    /// A list.
    Seq(Vec<Node>),
    /// A dictionary in the order written, without equal keys.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a string scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a dictionary.
    pub fn as_map(&self) -> Option<&[(Node, Node)]> {
        match &self.data {
            Data::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Scalar(Value::Null))
    }

    /// The value of a text key in a dictionary.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?
            .iter()
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// The text of a scalar as Python's `str()` writes it; `None` for lists and dictionaries.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.data {
            Data::Scalar(value) => Some(python_str(value)),
            _ => None,
        }
    }

    /// Python's name of the type, as Salt's messages use it.
    pub fn type_name(&self) -> &'static str {
        match &self.data {
            Data::Scalar(value) => type_name(value),
            Data::Seq(_) => "list",
            Data::Map(_) => "dict",
        }
    }

    /// The value without its places. Keys that are not text become text.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::Seq(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Data::Map(pairs) => {
                let mut map = Map::new();
                for (key, value) in pairs {
                    map.insert(key.scalar_text().unwrap_or_default(), value.to_value());
                }
                Value::Object(map)
            }
        }
    }
}

/// A scalar as Python's `str()` writes it.
pub(crate) fn python_str(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Python's name of a value's type.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
