//! Engine errors in Salt's words, with file, line and excerpt.

use std::collections::{BTreeSet, HashMap};
use std::error::Error as _;

use minijinja::{Error, ErrorKind};

use super::Loaded;
use crate::closest::closest;
use crate::diagnostic::{Diagnostic, Location, excerpt};

/// What went wrong in rendering `main`. The innermost template is the place, the outer one the second place.
pub(crate) fn diagnose(
    error: &Error,
    main: &str,
    templates: &HashMap<String, Loaded>,
    functions: &BTreeSet<String>,
) -> Diagnostic {
    let inner = innermost(error);
    let name = inner.name().or(error.name()).unwrap_or(main);
    let line = inner.line().or(error.line()).unwrap_or(0);
    let loaded = templates.get(name).or_else(|| templates.get(main));
    let Words {
        message: what,
        rule,
        remedy,
    } = words(inner, loaded, functions);
    let message = if line == 0 {
        what
    } else {
        format!("{what}; line {line}")
    };
    let mut diagnostic = Diagnostic::error(message).rule(rule).remedy(remedy);
    if let Some(loaded) = loaded {
        if line > 0 {
            diagnostic = diagnostic.at(Location::source(
                loaded.path.as_ref(),
                line,
                column(inner, loaded),
            ));
        }
        diagnostic.excerpt = excerpt(&loaded.text, line);
    }
    if let (Some(outer), Some(line)) = (error.name().filter(|outer| *outer != name), error.line())
        && let Some(outer) = templates.get(outer)
    {
        diagnostic.also = Some(Location::source(outer.path.as_ref(), line, 0));
    }
    diagnostic
}

fn innermost(error: &Error) -> &Error {
    let mut inner = error;
    while let Some(source) = inner
        .source()
        .and_then(|source| source.downcast_ref::<Error>())
    {
        inner = source;
    }
    inner
}

/// The column, where the line was not changed by rewriting; 0 otherwise.
fn column(error: &Error, loaded: &Loaded) -> usize {
    let Some(range) = error.range() else { return 0 };
    let Some(before) = loaded.rewritten.get(..range.start) else {
        return 0;
    };
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count();
    let original = loaded.text.lines().nth(line);
    if loaded.rewritten.lines().nth(line) != original {
        return 0;
    }
    before[start..].chars().count() + 1
}

/// What is said about an error beside its place.
struct Words {
    message: String,
    rule: &'static str,
    remedy: String,
}

impl Words {
    fn new(message: String, rule: &'static str, remedy: impl Into<String>) -> Self {
        Words {
            message,
            rule,
            remedy: remedy.into(),
        }
    }
}

/// Salt's sentence for an error, the rule behind it, and what to do.
fn words(error: &Error, loaded: Option<&Loaded>, functions: &BTreeSet<String>) -> Words {
    if let Some(expression) = undefined_expression(error, loaded) {
        return undefined(expression, functions);
    }
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::SyntaxError => Words::new(
            format!("Jinja syntax error: {detail}"),
            "every '{%' has its '%}', and every if, for, set and macro its end tag",
            "complete or remove the tag",
        ),
        ErrorKind::TemplateNotFound => Words::new(
            format!("Jinja error: {detail}"),
            "a template is named by its path from the file roots, or from this file with './'",
            "correct the path, or put the file there",
        ),
        ErrorKind::OutOfFuel => Words::new(
            "Jinja error: the template does more work than is allowed".to_owned(),
            "a template may take about two million steps or make 128 MB of text",
            "shorten its loops",
        ),
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod => Words::new(
            format!("Jinja error: {}: {detail}", error.kind()),
            "filters, tests, functions and methods must exist",
            "check the spelling; not all of Salt's exist here",
        ),
        kind => {
            let what = if detail.is_empty() {
                kind.to_string()
            } else {
                detail.to_owned()
            };
            let rule = "a template must run through without an error";
            Words::new(
                format!("Jinja error: {what}"),
                rule,
                "correct the marked line",
            )
        }
    }
}

/// The expression that has no value: the engine names it in its detail, else the marked text is it.
fn undefined_expression<'e>(error: &'e Error, loaded: Option<&'e Loaded>) -> Option<&'e str> {
    let detail = error.detail().unwrap_or_default();
    let named = detail
        .strip_suffix("` is undefined)")
        .and_then(|detail| detail.rsplit_once("(`"));
    named.map(|(_, expression)| expression).or_else(|| {
        let undefined = error.kind() == ErrorKind::UndefinedError;
        let marked = error
            .range()
            .and_then(|range| loaded?.rewritten.get(range))
            .map(str::trim);
        marked.filter(|marked| undefined && !marked.is_empty())
    })
}

fn undefined(source: &str, functions: &BTreeSet<String>) -> Words {
    if let Some(function) = source.strip_prefix("salt").and_then(attribute) {
        return unknown_function(function, functions);
    }
    let message = match attribute(source) {
        Some(name) => format!("Jinja variable 'dict object' has no attribute '{name}'"),
        None => format!("Jinja variable '{source}' is undefined"),
    };
    let remedy = "define it, or give a default, as in {{ name | default('value') }} and \
                  salt['pillar.get']('key', 'value')";
    Words::new(
        message,
        "a name must have a value before it is used",
        remedy,
    )
}

fn unknown_function(name: &str, functions: &BTreeSet<String>) -> Words {
    let remedy = match closest(name, functions.iter().map(String::as_str)) {
        _ if name.starts_with("cmd.") => {
            "a template runs no commands: take the value from the pillar or the grains, or use onlyif in the state"
                .to_owned()
        }
        Some(close) => format!("did you mean salt['{close}']?"),
        None => "take the value from the pillar instead".to_owned(),
    };
    let message = format!("Jinja error: the function '{name}' is not available");
    Words::new(
        message,
        "a template can call the functions of this agent",
        remedy,
    )
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// `b` of `a.b`, `a['b']` and `a["b"]`.
fn attribute(source: &str) -> Option<&str> {
    if let Some((_, key)) = source
        .strip_suffix(']')
        .and_then(|source| source.rsplit_once('['))
    {
        let key = key.trim().trim_matches(['\'', '"']);
        return Some(key);
    }
    source
        .rsplit_once('.')
        .map(|(_, name)| name.trim())
        .filter(|name| is_name(name))
}
