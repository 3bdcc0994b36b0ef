//! Engine errors in Salt's words, with file, line and excerpt.

use std::collections::HashMap;
use std::error::Error as _;

use minijinja::{Error, ErrorKind};

use super::Loaded;
use crate::diagnostic::{Diagnostic, Location, excerpt};

/// What went wrong in rendering `main`. The innermost template is the place, the outer one the second place.
pub(crate) fn diagnose(
    error: &Error,
    main: &str,
    templates: &HashMap<String, Loaded>,
) -> Diagnostic {
    let inner = innermost(error);
    let name = inner.name().or(error.name()).unwrap_or(main);
    let line = inner.line().or(error.line()).unwrap_or(0);
    let loaded = templates.get(name).or_else(|| templates.get(main));
    let (what, remedy) = words(inner, loaded);
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
fn words(error: &Error, loaded: Option<&Loaded>) -> (String, String) {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::UndefinedError => undefined(error, loaded),
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

fn undefined(error: &Error, loaded: Option<&Loaded>) -> (String, String) {
    let source = error
        .range()
        .and_then(|range| loaded?.rewritten.get(range))
        .unwrap_or_default()
        .trim();
    let remedy = "define it, or give it a default: {{ name | default('value') }}, salt['pillar.get']('key', 'value')";
    if let Some(name) = attribute(source) {
        return (
            format!("Jinja variable 'dict object' has no attribute '{name}'"),
            remedy.to_owned(),
        );
    }
    if is_name(source) {
        return (
            format!("Jinja variable '{source}' is undefined"),
            remedy.to_owned(),
        );
    }
    let detail = error.detail().filter(|detail| !detail.is_empty());
    match detail {
        Some(detail) => (
            format!("Jinja variable is undefined: {detail}"),
            remedy.to_owned(),
        ),
        None if source.is_empty() => ("Jinja variable is undefined".to_owned(), remedy.to_owned()),
        None => (
            format!("Jinja variable '{source}' is undefined"),
            remedy.to_owned(),
        ),
    }
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
