//! Filters whose arguments may be given by name, as Python's can.

use minijinja::functions::Function;
use minijinja::value::{FunctionArgs, FunctionResult, Kwargs, Rest, Value};
use minijinja::{Environment, Error, State};

use super::super::mutable::invalid;

/// Adds a filter; `names` are those of its arguments behind the value, in order.
pub(super) fn add<F, Rv, Args>(
    env: &mut Environment<'static>,
    filter: &'static str,
    names: &'static [&'static str],
    f: F,
) where
    F: Function<Rv, Args>,
    Rv: FunctionResult,
    Args: for<'a> FunctionArgs<'a>,
{
    let function = Value::from_function(f);
    let ordered = move |state: &mut State<'_, '_>,
                        args: Rest<Value>,
                        kwargs: Kwargs|
          -> Result<Value, Error> {
        function.call(state, &in_order(filter, names, &args, &kwargs)?)
    };
    env.add_filter(filter, ordered);
}

/// Puts named arguments where they belong; what is left out before them is undefined.
fn in_order(
    filter: &str,
    names: &[&str],
    positional: &[Value],
    kwargs: &Kwargs,
) -> Result<Vec<Value>, Error> {
    let mut out = positional.to_vec();
    for name in kwargs.args() {
        let Some(at) = names.iter().position(|known| *known == name) else {
            let names = names.join(", ");
            return Err(invalid(format!(
                "{filter} has no argument '{name}'; it takes: {names}"
            )));
        };
        let at = at + 1;
        if at < positional.len() {
            return Err(invalid(format!(
                "{filter} got multiple values for argument '{name}'"
            )));
        }
        if out.len() <= at {
            out.resize(at + 1, Value::UNDEFINED);
        }
        out[at] = kwargs.get(name)?;
    }
    Ok(out)
}
