//! The arguments of a call: by position or by name, with messages that name both.

use super::Fault;
use serde_json::Value;
use sls::Map;

pub use sls::words::command_line;

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

    /// The environment that is named by `saltenv` or `pillarenv`; `None` where that is empty.
    pub fn environment(&self, argument: &str) -> Option<String> {
        let named = self.named(argument)?.as_str();
        named.filter(|name| !name.is_empty()).map(str::to_owned)
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
