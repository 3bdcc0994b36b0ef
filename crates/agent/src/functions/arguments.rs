//! The arguments of a call: by position or by name, with messages that name both.

use super::Fault;
use serde_json::Value;
use sls::Map;

/// What a function was given.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    fun: &'a str,
    positional: &'a [Value],
    named: &'a Map,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call of `fun`.
    pub const fn new(fun: &'a str, positional: &'a [Value], named: &'a Map) -> Self {
        Self {
            fun,
            positional,
            named,
        }
    }

    /// The argument at `position`, counted from 0, or called `name`; null counts as absent.
    pub fn get(&self, position: usize, name: &str) -> Option<&'a Value> {
        self.named(name).or_else(|| {
            self.positional
                .get(position)
                .filter(|value| !value.is_null())
        })
    }

    /// The argument called `name`.
    pub fn named(&self, name: &str) -> Option<&'a Value> {
        self.named.get(name).filter(|value| !value.is_null())
    }

    /// All arguments by name, Salt's own (`__pub_…`) left out.
    pub fn all_named(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.named
            .iter()
            .filter(|(name, _)| !name.starts_with("__"))
    }

    /// All arguments by position.
    pub const fn positional(&self) -> &'a [Value] {
        self.positional
    }

    /// A text. A number or boolean given for a name is taken as it is written.
    pub fn text(&self, position: usize, name: &str) -> Result<Option<String>, Fault> {
        match self.get(position, name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(other) => Err(self.wrong(name, other, "a text")),
        }
    }

    /// A text that must be there.
    pub fn required(&self, position: usize, name: &str) -> Result<String, Fault> {
        self.text(position, name)?.ok_or_else(|| {
            let fun = self.fun;
            Fault::new(format!("{fun}: missing argument '{name}'"))
                .hint(format!("see sys.doc {fun}"))
        })
    }

    /// A boolean called `name`, as YAML writes them.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.named(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(name, other, "True or False")),
        }
    }

    fn wrong(&self, name: &str, found: &Value, expected: &str) -> Fault {
        Fault::new(format!(
            "{}: the argument '{name}' is {found}, not {expected}",
            self.fun
        ))
    }
}

/// The words of a command line as arguments: `NAME=VALUE` by name, the others by position, values read as YAML.
///
/// A word that is not YAML is taken as it is, as Salt does.
pub fn command_line(words: &[String]) -> (Vec<Value>, Map) {
    let (mut positional, mut named) = (Vec::new(), Map::new());
    for word in words {
        match word.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => drop(named.insert(name.to_owned(), value_of(value))),
            None => positional.push(value_of(word)),
        }
    }
    (positional, named)
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Source: Salt `yamlify_arg`. A `#` is a comment only inside of braces.
fn value_of(text: &str) -> Value {
    let structured = text.starts_with(['{', '[']);
    match text.trim() {
        "" => Value::String(text.to_owned()),
        "None" => Value::Null,
        trimmed if trimmed.contains('#') && !structured => Value::String(text.to_owned()),
        trimmed => match sls::yaml::load(trimmed) {
            // `key: value` without braces was meant as a text.
            Ok(Value::Object(_)) if !structured => Value::String(text.to_owned()),
            Ok(value) => value,
            Err(_) => Value::String(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_are_read_as_salt_reads_them() {
        let words = [
            "vm",
            "test=True",
            "pillar={a: {b: 1}}",
            "1024",
            "x: y",
            "a#b",
            "2A:C3:A7:A6:01:04",
            "=",
            "http://h/?a=b",
        ];
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let (positional, named) = command_line(&words);
        assert_eq!(
            positional,
            [
                json!("vm"),
                json!(1024),
                json!("x: y"),
                json!("a#b"),
                json!("2A:C3:A7:A6:01:04"),
                json!("="),
                json!("http://h/?a=b")
            ]
        );
        assert_eq!(
            Value::Object(named),
            json!({"test": true, "pillar": {"a": {"b": 1}}})
        );
    }
}
