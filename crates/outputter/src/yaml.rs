//! `--out yaml`: block style, keys sorted, as Salt's own output reads.
//!
//! What YAML 1.1 would take for something else than text is quoted; text of several lines is written on one
//! line in double quotes.

use crate::{Returns, visible::is_unsafe};
use serde_json::{Map, Value};
use std::fmt::Write as _;

const STEP: usize = 4;

/// Prints all returns as one document.
pub(crate) fn render(returns: &Returns) -> String {
    if returns.is_empty() {
        return "{}\n".to_owned();
    }
    let map: Map<String, Value> = returns
        .iter()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut out = String::new();
    pairs(&map, 0, &mut out);
    out
}

/// The pairs of a dictionary; the cursor stands where the first key begins.
fn pairs(map: &Map<String, Value>, indent: usize, out: &mut String) {
    let mut sorted: Vec<_> = map.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(b.0));
    for (number, (key, value)) in sorted.into_iter().enumerate() {
        if number > 0 {
            push_indent(indent, out);
        }
        out.push_str(&text(key));
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                push_indent(indent + STEP, out);
                pairs(inner, indent + STEP, out);
            }
            // The dashes of a list stand under its key.
            Value::Array(inner) if !inner.is_empty() => {
                out.push('\n');
                push_indent(indent, out);
                items(inner, indent, out);
            }
            other => push_line(&scalar(other), out),
        }
    }
}

/// The items of a list; the cursor stands where the first dash goes.
fn items(list: &[Value], indent: usize, out: &mut String) {
    for (number, item) in list.iter().enumerate() {
        if number > 0 {
            push_indent(indent, out);
        }
        out.push('-');
        match item {
            Value::Object(inner) if !inner.is_empty() => {
                push_indent(STEP - 1, out);
                pairs(inner, indent + STEP, out);
            }
            Value::Array(inner) if !inner.is_empty() => {
                push_indent(STEP - 1, out);
                items(inner, indent + STEP, out);
            }
            other => push_line(&scalar(other), out),
        }
    }
}

fn push_indent(width: usize, out: &mut String) {
    write!(out, "{:width$}", "").expect("writing to a String cannot fail");
}

fn push_line(scalar: &str, out: &mut String) {
    out.push(' ');
    out.push_str(scalar);
    out.push('\n');
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(n) => number(&n.to_string()),
        Value::String(content) => text(content),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// YAML 1.1 wants a fraction and a sign with an exponent: `1.0e+100`.
fn number(plain: &str) -> String {
    let Some((mantissa, exponent)) = plain.split_once('e') else {
        return plain.to_owned();
    };
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{mantissa}{dot}e{sign}{exponent}")
}

fn text(content: &str) -> String {
    if content.contains(is_unsafe) {
        double_quoted(content)
    } else if is_plain(content) {
        content.to_owned()
    } else {
        format!("'{}'", content.replace('\'', "''"))
    }
}

/// Reads back as the same text without quotes.
fn is_plain(content: &str) -> bool {
    let mut chars = content.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    let first_ok = match first {
        '-' | '?' | ':' => chars.next().is_some_and(|c| c != ' '),
        _ => !" ,[]{}#&*!|>'\"%@`=<".contains(first),
    };
    first_ok
        && !content.ends_with([' ', ':'])
        && !content.contains(": ")
        && !content.contains(" #")
        && !content.starts_with("---")
        && !content.starts_with("...")
        && !is_other_type(content)
}

/// YAML 1.1 reads something else than text: null, a boolean, a number (in base 60 too), a date.
fn is_other_type(content: &str) -> bool {
    const WORDS: [&str; 12] = [
        "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan",
    ];
    let lower = content.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "._:+-xotz ".contains(c));
    numeric || WORDS.contains(&unsigned)
}

fn double_quoted(content: &str) -> String {
    let mut out = String::from("\"");
    for c in content.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_unsafe(c) => crate::visible::push_escaped(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
