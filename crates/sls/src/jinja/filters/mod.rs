//! Salt's filters, tests and global functions.

mod data;
mod network;
mod serial;
mod text;

use minijinja::value::{Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use super::mutable::{invalid, make_dict, make_list};

/// Adds everything to an environment.
pub(crate) fn add(env: &mut Environment<'static>) {
    serial::add(env);
    data::add(env);
    network::add(env);
    text::add(env);
    env.add_filter("list", |value: Value| make_list(&value));
    env.add_function("__list", |value: Value| make_list(&value));
    env.add_function("__dict", make_dict);
    env.add_function("dict", make_dict);
    env.add_function("odict", make_dict);
    env.add_function("raise", |message: String| -> Result<Value, Error> {
        Err(invalid(message))
    });
    env.add_function("ifelse", ifelse);
    env.set_unknown_method_callback(method);
}

/// `ifelse(test, then, …, otherwise)`: the value behind the first true test.
fn ifelse(args: Rest<Value>) -> Value {
    let pair = args.chunks_exact(2).find(|pair| pair[0].is_true());
    let otherwise = if args.len() % 2 == 1 {
        args.last()
    } else {
        None
    };
    pair.map(|pair| &pair[1])
        .or(otherwise)
        .cloned()
        .unwrap_or(Value::from(()))
}

/// Python methods that neither our values nor the engine's compatibility layer have.
fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let python3 = match name {
        "iteritems" => "items",
        "iterkeys" => "keys",
        "itervalues" => "values",
        name => name,
    };
    match minijinja_contrib::pycompat::unknown_method_callback(state, value, python3, args) {
        Err(error) if error.kind() == ErrorKind::UnknownMethod => {
            text::method(value, python3, args)
        }
        result => result,
    }
}
