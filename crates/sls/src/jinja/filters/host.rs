//! Filters that ask the host: its files, its users, its clock. Each stands for an execution function of Salt, which
//! whoever compiles has or has not.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::super::convert::{to_jinja, to_json};
use super::super::mutable::invalid;
use super::named;
use crate::ports::Functions;

/// A filter, the function it asks, and the names of its arguments behind the value.
const ASKED: &[(&str, &str, &[&str])] = &[
    ("dns_check", "network.dns_check", &["port"]),
    ("file_hashsum", "hashutil.digest_file", &["form"]),
    ("get_uid", "file.user_to_uid", &[]),
    ("http_query", "http.query", &["method"]),
    ("is_bin_file", "file.is_binary", &[]),
    ("is_text_file", "file.is_text", &[]),
    ("list_files", "file.find", &[]),
    ("which", "cmd.which", &[]),
];

pub(super) fn add(env: &mut Environment<'static>, functions: &Arc<dyn Functions>) {
    for (filter, function, names) in ASKED {
        let host = Arc::clone(functions);
        let asked = move |value: Value, argument: Option<Value>| {
            let args: Vec<Value> = std::iter::once(value).chain(argument).collect();
            ask(host.as_ref(), function, &args)
        };
        named::add(env, filter, names, asked);
    }
    for filter in ["strftime", "date_format"] {
        let host = Arc::clone(functions);
        let written = move |date: Value, format: Option<String>| {
            let format = format.unwrap_or_else(|| "%Y-%m-%d".to_owned());
            match date.kind() {
                ValueKind::None => ask(host.as_ref(), "status.time", &[Value::from(format)]),
                _ => written(&date, &format).map(Value::from),
            }
        };
        named::add(env, filter, &["format"], written);
    }
}

fn ask(host: &dyn Functions, function: &str, args: &[Value]) -> Result<Value, Error> {
    let args = args.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
    match host.call(function, &args, &crate::Map::new()) {
        Ok(answer) => Ok(to_jinja(&answer)),
        Err(fault) => Err(invalid(format!("{function}: {fault}"))),
    }
}

/// A date as text: seconds since 1970, in UTC whatever the host's zone is, or a date as people write it.
fn written(date: &Value, format: &str) -> Result<String, Error> {
    let text = date.to_string();
    let unreadable = || {
        invalid(format!(
            "'{text}' is no date; write it as 2026-01-31 12:00:00"
        ))
    };
    let moment = match text.parse::<f64>() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, and is then refused"
        )]
        Ok(seconds) => {
            let moment = Timestamp::from_second(seconds.floor() as i64);
            TimeZone::UTC.to_datetime(moment.map_err(|_| unreadable())?)
        }
        Err(_) => text
            .replace('/', "-")
            .parse::<civil::DateTime>()
            .map_err(|_| unreadable())?,
    };
    jiff::fmt::strtime::format(format, moment)
        .map_err(|fault| invalid(format!("the format '{format}' cannot be used: {fault}")))
}
