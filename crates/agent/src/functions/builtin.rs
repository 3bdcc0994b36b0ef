//! `test.*` and `sys.*`: functions about the agent itself.

use super::signature::Signature;
use super::table::{Access, Function, all, names};
use super::{Call, Fault, Return};
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "test.ping",
        signature: "",
        doc: "test.ping\n\nTrue: the agent answers. Asks the hypervisor nothing.",
        access: Access::Reads,
        run: |_| Box::pin(async { Ok(Return::ok(true)) }),
    },
    Function {
        name: "test.version",
        signature: "",
        doc: "test.version\n\nVersion of the agent.",
        access: Access::Reads,
        run: |_| Box::pin(async { Ok(Return::ok(env!("CARGO_PKG_VERSION"))) }),
    },
    Function {
        name: "test.echo",
        signature: "text",
        doc: "test.echo TEXT\n\nThe text.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                Ok(Return::ok(
                    call.args.get(0, "text").cloned().unwrap_or_default(),
                ))
            })
        },
    },
    Function {
        name: "status.time",
        signature: "format=None",
        doc: "status.time [FORMAT]\n\nThe host's local time: Friday, 27. November 2026 10:54AM unless told otherwise.",
        access: Access::Reads,
        run: |call| Box::pin(time(call)),
    },
    Function {
        name: "random.get_str",
        signature: "length=20",
        doc: "random.get_str [LENGTH]\n\nA random text of letters and digits.",
        access: Access::Reads,
        run: |call| Box::pin(random_text(call)),
    },
    Function {
        name: "sys.list_functions",
        signature: "module=None",
        doc: "sys.list_functions [MODULE]\n\nNames of the functions, of all modules or of one.",
        access: Access::Reads,
        run: |call| Box::pin(list_functions(call)),
    },
    Function {
        name: "sys.list_modules",
        signature: "",
        doc: "sys.list_modules\n\nNames of the modules.",
        access: Access::Reads,
        run: |_| Box::pin(async { Ok(Return::ok(modules())) }),
    },
    Function {
        name: "sys.doc",
        signature: "module=None",
        doc: "sys.doc [FUNCTION or MODULE]\n\nWhat functions do and take.",
        access: Access::Reads,
        run: |call| Box::pin(doc(call)),
    },
    Function {
        name: "sys.argspec",
        signature: "module=None",
        doc: "sys.argspec [FUNCTION or MODULE]\n\n{function: args, defaults, varargs, kwargs}: what functions take.",
        access: Access::Reads,
        run: |call| Box::pin(argspec(call)),
    },
];

async fn time(call: Call<'_>) -> Result<Return, Fault> {
    let format = call.args.text(0, "format")?;
    let format = format.unwrap_or_else(|| "%A, %d. %B %Y %I:%M%p".to_owned());
    let now = jiff::ZonedDateTime::now();
    let written = jiff::fmt::strtime::format(&format, &now)
        .map_err(|error| Fault::new(format!("status.time: the format '{format}': {error}")))?;
    Ok(Return::ok(written))
}

async fn random_text(call: Call<'_>) -> Result<Return, Fault> {
    const LONGEST: u64 = 4096;
    let length = match call.args.get(0, "length") {
        None => 20,
        Some(length) => length
            .as_u64()
            .filter(|length| *length <= LONGEST)
            .ok_or_else(|| {
                Fault::new(format!("random.get_str: the length is {length}"))
                    .hint(format!("give a number up to {LONGEST}"))
            })?,
    };
    let mut text = String::new();
    while (text.len() as u64) < length {
        text.push_str(&uuid::Uuid::new_v4().simple().to_string());
    }
    text.truncate(usize::try_from(length).unwrap_or(0));
    Ok(Return::ok(text))
}

async fn list_functions(call: Call<'_>) -> Result<Return, Fault> {
    let module = call.args.text(0, "module")?;
    let of_module = |name: &&str| module.as_ref().is_none_or(|module| is_in(name, module));
    Ok(Return::ok(
        names().into_iter().filter(of_module).collect::<Vec<_>>(),
    ))
}

fn modules() -> Vec<&'static str> {
    let mut modules: Vec<&str> = names()
        .into_iter()
        .filter_map(|name| name.split('.').next())
        .collect();
    modules.dedup();
    modules
}

async fn doc(call: Call<'_>) -> Result<Return, Fault> {
    of_functions(&call, |function| json!(function.doc))
}

async fn argspec(call: Call<'_>) -> Result<Return, Fault> {
    of_functions(&call, |function| {
        Signature::read(function.signature).argspec()
    })
}

/// What `tell` says of the functions that the call names.
fn of_functions(call: &Call<'_>, tell: fn(&Function) -> Value) -> Result<Return, Fault> {
    let wanted = call.args.text(0, "module")?;
    let is_wanted = |function: &&Function| {
        wanted
            .as_ref()
            .is_none_or(|wanted| function.name == wanted || is_in(function.name, wanted))
    };
    let told: Map<String, Value> = all()
        .filter(is_wanted)
        .map(|function| (function.name.to_owned(), tell(function)))
        .collect();
    if told.is_empty() {
        return Err(super::table::unknown(&wanted.unwrap_or_default()));
    }
    Ok(Return::ok(told))
}

fn is_in(function: &str, module: &str) -> bool {
    function
        .strip_prefix(module)
        .is_some_and(|rest| rest.starts_with('.'))
}
