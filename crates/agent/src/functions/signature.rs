//! What a function takes, read from the signature in the table: for `sys.argspec`, and to refuse what it does not take.

use super::{Arguments, Fault, Function};
use serde_json::{Value, json};
use sls::Map;

/// Arguments that every `virt` function takes. The first must mean this hypervisor; the agent signs in by itself.
const CONNECTION: [&str; 3] = ["connection", "username", "password"];
/// Both are the VM: Salt's functions call it by the one or the other, and people mix them up.
const VM: [&str; 2] = ["vm_", "name"];

/// One argument of a signature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// `None` when it must be given.
    pub(super) default: Option<Value>,
}

/// A signature, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Signature {
    pub(super) parameters: Vec<Parameter>,
    /// `*names`: it takes any number of arguments by position.
    varargs: Option<&'static str>,
    /// `**kwargs`: it takes arguments of any name.
    kwargs: Option<&'static str>,
}

impl Signature {
    /// Takes `a, b=None, *c, **d` apart. Signatures are our own; defaults are literals without a comma.
    pub(super) fn read(text: &'static str) -> Self {
        let mut signature = Self::default();
        for part in text.split(", ").filter(|part| !part.is_empty()) {
            if let Some(name) = part.strip_prefix("**") {
                signature.kwargs = Some(name);
            } else if let Some(name) = part.strip_prefix('*') {
                signature.varargs = Some(name);
            } else {
                let (name, default) = match part.split_once('=') {
                    Some((name, default)) => (name, Some(literal(default))),
                    None => (part, None),
                };
                signature.parameters.push(Parameter { name, default });
            }
        }
        signature
    }

    /// Salt's shape: `args`, and `defaults` for the last ones of them.
    pub(super) fn argspec(&self) -> Value {
        let names: Vec<&str> = self.parameters.iter().map(|p| p.name).collect();
        let defaults: Vec<&Value> = self
            .parameters
            .iter()
            .filter_map(|parameter| parameter.default.as_ref())
            .collect();
        json!({
            "args": names,
            "defaults": if defaults.is_empty() { Value::Null } else { json!(defaults) },
            "varargs": self.varargs.map(|_| true),
            "kwargs": self.kwargs.map(|_| true),
        })
    }

    /// The arguments of a call by their names, those by position too; without what was not given.
    pub(super) fn bind(&self, args: &Arguments) -> Map {
        let value = |(position, parameter): (usize, &Parameter)| {
            let value = args.get(position, parameter.name)?;
            Some((parameter.name.to_owned(), value.clone()))
        };
        self.parameters
            .iter()
            .enumerate()
            .filter_map(value)
            .collect()
    }

    fn takes(&self, name: &str, is_virt: bool) -> bool {
        self.kwargs.is_some()
            || name.starts_with("__")
            || self.parameters.iter().any(|parameter| {
                parameter.name == name || VM.contains(&name) && VM.contains(&parameter.name)
            })
            || is_virt && CONNECTION.contains(&name)
    }
}

/// Python's literals, as they stand in the table.
fn literal(text: &str) -> Value {
    match text {
        "None" => Value::Null,
        "True" => json!(true),
        "False" => json!(false),
        text => match text.parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => json!(text.trim_matches('\'')),
        },
    }
}

/// Refuses arguments that the function does not take, and another hypervisor than the one that is served.
pub(super) fn check(function: &Function, args: &Arguments, uri: &str) -> Result<(), Fault> {
    let signature = Signature::read(function.signature);
    let is_virt = function.name.starts_with("virt.");
    let short = function.name.rsplit('.').next().unwrap_or_default();
    let invalid = |why: String| {
        let name = function.name;
        let message = format!("Passed invalid arguments to {name}: {short}() {why}");
        Fault::new(message).hint(format!("it takes {name}({})", function.signature))
    };
    let unknown = args
        .all_named()
        .find(|(name, _)| !signature.takes(name, is_virt));
    if let Some((name, _)) = unknown {
        return Err(invalid(format!(
            "got an unexpected keyword argument '{name}'"
        )));
    }
    let (most, given) = (signature.parameters.len(), args.positional().len());
    if signature.varargs.is_none() && signature.kwargs.is_none() && given > most {
        return Err(invalid(format!(
            "takes {most} positional arguments but {given} were given"
        )));
    }
    match args.named("connection") {
        Some(other) if is_virt && other != uri => {
            let other = other.as_str().unwrap_or_default();
            Err(Fault::new(format!(
                "{} is for {other}, but this is the agent of {uri}",
                function.name
            ))
            .hint("run an agent for that hypervisor, and ask its host"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::find;

    #[test]
    fn a_signature_becomes_salts_argspec() {
        let argspec = Signature::read("vm_, state='on', live=True, n=0, *names").argspec();
        assert_eq!(
            argspec,
            json!({"args": ["vm_", "state", "live", "n"], "defaults": ["on", true, 0], "varargs": true, "kwargs": null})
        );
    }

    #[test]
    fn what_a_function_does_not_take_is_refused() {
        let start = find("virt.start").expect("in the table");
        let said = |positional: &[Value], named: Value| {
            let named = named.as_object().cloned().unwrap_or_default();
            let args = Arguments::new("virt.start", positional, &named);
            check(start, &args, "qemu:///system").map_err(|fault| fault.message)
        };
        assert_eq!(
            said(
                &[json!("srv01")],
                json!({"__pub_jid": "1", "username": "x"})
            ),
            Ok(())
        );
        assert_eq!(said(&[], json!({"vm_": "srv01"})), Ok(()));
        assert_eq!(
            said(&[json!("srv01")], json!({"force": true})),
            Err("Passed invalid arguments to virt.start: start() got an unexpected keyword argument 'force'".to_owned())
        );
        assert_eq!(
            said(&[json!("a"), json!("b")], json!({})),
            Err("Passed invalid arguments to virt.start: start() takes 1 positional arguments but 2 were given".to_owned())
        );
        assert_eq!(
            said(&[json!("a")], json!({"connection": "xen:///system"})),
            Err(
                "virt.start is for xen:///system, but this is the agent of qemu:///system"
                    .to_owned()
            )
        );
    }

    #[test]
    fn defaults_come_last_in_every_signature() {
        for function in crate::functions::table::all() {
            let parameters = Signature::read(function.signature).parameters;
            let first = parameters.iter().position(|p| p.default.is_some());
            let rest = parameters.iter().skip(first.unwrap_or(parameters.len()));
            assert!(
                rest.into_iter().all(|p| p.default.is_some()),
                "{}",
                function.name
            );
        }
    }
}
