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
    let (what, remedy) = words(inner, loaded, functions);
    let message = if line == 0 {
        what
    } else {
        format!("{what}; line {line}")
    };
    let mut diagnostic = Diagnostic::error(message).remedy(remedy);
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

/// Salt's sentence for an error, and what to do.
fn words(error: &Error, loaded: Option<&Loaded>, functions: &BTreeSet<String>) -> (String, String) {
    let detail = error.detail().unwrap_or_default();
    if let Some(expression) = undefined_expression(error, loaded) {
        return undefined(expression, functions);
    }
    match error.kind() {
        ErrorKind::SyntaxError => (
            format!("Jinja syntax error: {detail}"),
            "check that every '{%' has its '%}', and every if, for, set and macro its end tag".to_owned(),
        ),
        ErrorKind::TemplateNotFound => (
            format!("Jinja error: {detail}"),
            "put the template under the file roots, or write its path from there ('./x' counts from this file)".to_owned(),
        ),
        ErrorKind::OutOfFuel => (
            "Jinja error: the template does more work than is allowed".to_owned(),
            "shorten its loops; a template may take about two million steps or make 128 MB of text".to_owned(),
        ),
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => (
            format!("Jinja error: {}: {detail}", error.kind()),
            "check the spelling; not every function of Salt exists here".to_owned(),
        ),
        kind if detail.is_empty() => (format!("Jinja error: {kind}"), "correct the marked line".to_owned()),
        _ => (format!("Jinja error: {detail}"), "correct the marked line".to_owned()),
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

fn undefined(source: &str, functions: &BTreeSet<String>) -> (String, String) {
    let remedy = "define it, or give it a default: {{ name | default('value') }}, \
                  salt['pillar.get']('key', 'value')";
    if let Some(function) = source.strip_prefix("salt").and_then(attribute) {
        return unknown_function(function, functions);
    }
    match attribute(source) {
        Some(name) => (
            format!("Jinja variable 'dict object' has no attribute '{name}'"),
            remedy.to_owned(),
        ),
        None => (
            format!("Jinja variable '{source}' is undefined"),
            remedy.to_owned(),
        ),
    }
}

fn unknown_function(name: &str, functions: &BTreeSet<String>) -> (String, String) {
    let remedy = match closest(name, functions.iter().map(String::as_str)) {
        Some(close) => format!("did you mean salt['{close}']?"),
        None => "this function does not exist here; take the value from the pillar".to_owned(),
    };
    (
        format!("Jinja error: the function '{name}' is not available"),
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
