//! Salt's filters, tests and global functions.

mod chance;
mod data;
mod hash;
mod host;
mod markup;
mod named;
mod network;
mod serial;
mod text;

use std::sync::Arc;

use minijinja::value::{Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use super::mutable::{invalid, make_dict, make_list};
use crate::ports::Functions;

/// Adds everything to an environment.
pub(crate) fn add(env: &mut Environment<'static>, functions: &Arc<dyn Functions>) {
    serial::add(env);
    chance::add(env, functions);
    data::add(env);
    hash::add(env);
    host::add(env, functions);
    markup::add(env);
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
    env.add_function("cycler", |items: Rest<Value>| {
        minijinja_contrib::globals::cycler(items.0)
    });
    env.add_function("joiner", minijinja_contrib::globals::joiner);
    env.set_unknown_method_callback(method);
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
