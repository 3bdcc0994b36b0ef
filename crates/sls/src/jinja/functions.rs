//! The `salt` of templates: `salt['virt.vm_info']('srv01')` and `salt.virt.vm_info('srv01')`.
//!
//! Look-ups in grains, pillar and configuration are answered here, everything else by [`Functions`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::value::Rest;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::convert::{to_jinja, to_json};
use super::mutable::replace_dict;
use crate::ports::{Functions, Target};
use crate::{Map, Value as Json};

/// The object behind `salt`.
pub(crate) struct SaltFunctions {
    target: Arc<Target>,
    functions: Arc<dyn Functions>,
    names: Arc<BTreeSet<String>>,
}

impl SaltFunctions {
    pub(crate) fn new(target: &Target, functions: &Arc<dyn Functions>) -> Self {
        let own = crate::lookup::functions::NAMES
            .iter()
            .map(|name| (*name).to_owned());
        let names = functions.names().into_iter().chain(own).collect();
        SaltFunctions {
            target: Arc::new(target.clone()),
            functions: Arc::clone(functions),
            names: Arc::new(names),
        }
    }

    /// Every function there is.
    pub(crate) fn names(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&self.names)
    }

    fn function(&self, name: &str) -> Option<Value> {
        self.names.contains(name).then(|| {
            Value::from_object(Function {
                name: name.to_owned(),
                target: Arc::clone(&self.target),
                functions: Arc::clone(&self.functions),
            })
        })
    }
}

impl fmt::Debug for SaltFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<salt functions>")
    }
}

impl Object for SaltFunctions {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name.contains('.') {
            return self.function(name);
        }
        let prefix = format!("{name}.");
        let known = self
            .names
            .iter()
            .any(|function| function.starts_with(&prefix));
        known.then(|| {
            Value::from_object(Module {
                name: name.to_owned(),
                salt: Arc::clone(self),
            })
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.names
                .iter()
                .map(|name| Value::from(name.as_str()))
                .collect(),
        )
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// `salt.virt`
struct Module {
    name: String,
    salt: Arc<SaltFunctions>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<salt module {}>", self.name)
    }
}

impl Object for Module {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.salt
            .function(&format!("{}.{}", self.name, key.as_str()?))
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match self.get_value(&Value::from(method)) {
            Some(function) => function.call(state, args),
            None => Err(Error::new(
                ErrorKind::UndefinedError,
                format!(
                    "no such function (`salt['{}.{method}']` is undefined)",
                    self.name
                ),
            )),
        }
    }
}

/// `salt['virt.vm_info']`
struct Function {
    name: String,
    target: Arc<Target>,
    functions: Arc<dyn Functions>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<salt function {}>", self.name)
    }
}

impl Object for Function {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (positional, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
        let positional = positional
            .iter()
            .map(to_json)
            .collect::<Result<Vec<Json>, _>>()?;
        let mut named = Map::new();
        for key in kwargs.args() {
            named.insert(key.to_owned(), to_json(&kwargs.get::<Value>(key)?)?);
        }
        let own = crate::lookup::functions::call(&self.name, &positional, &named, &self.target);
        let result = own.unwrap_or_else(|| self.functions.call(&self.name, &positional, &named));
        match result {
            Ok(value) => {
                let merged = to_jinja(&value);
                match positional_target(&self.name, args) {
                    Some(target) => Ok(replace_dict(target, &merged)),
                    None => Ok(merged),
                }
            }
            Err(fault) => Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("{}: {fault}", self.name),
            )),
        }
    }
}

/// The dictionary that a merging function changes in place, as `{% do salt['defaults.merge'](a, b) %}`
/// relies on.
fn positional_target<'a>(name: &str, args: &'a [Value]) -> Option<&'a Value> {
    let in_place = matches!(
        name,
        "defaults.merge" | "defaults.update" | "slsutil.update"
    );
    args.first().filter(|_| in_place)
}
