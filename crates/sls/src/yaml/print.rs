//! Writing YAML: what the `yaml` filters of templates return.

use crate::Value;

use super::scalar;

/// One value on one line, as the `yaml` filter writes it: `{a: 1, b: [x, 'yes']}`.
pub fn print_flow(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(print_flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<_> = map
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name, " "), print_flow(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        scalar => print_scalar(scalar),
    }
}

/// A value in indented form, as `yaml(false)` writes it; ends with a line break unless it is a scalar.
pub fn print_block(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Array(items) if !items.is_empty() => block_items(items, 0, &mut out),
        Value::Object(map) if !map.is_empty() => block_pairs(map, 0, &mut out),
        other => out = print_flow(other),
    }
    out
}

fn block_items(items: &[Value], indent: usize, out: &mut String) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push('-');
        let start = out.len();
        match item {
            Value::Array(inner) if !inner.is_empty() => block_items(inner, indent + 2, out),
            Value::Object(inner) if !inner.is_empty() => block_pairs(inner, indent + 2, out),
            other => {
                out.push_str(&format!(" {}\n", print_flow(other)));
                continue;
            }
        }
        // The first line of a nested block follows the dash.
        out.replace_range(start..start + indent + 1, "");
    }
}

fn block_pairs(map: &crate::Map, indent: usize, out: &mut String) {
    for (name, value) in map {
        let indented = " ".repeat(indent);
        out.push_str(&format!(
            "{indented}{}:",
            key(name, &format!("\n{indented}"))
        ));
        match value {
            Value::Array(inner) if !inner.is_empty() => {
                out.push('\n');
                block_items(inner, indent, out);
            }
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                block_pairs(inner, indent + 2, out);
            }
            other => out.push_str(&format!(" {}\n", print_flow(other))),
        }
    }
}

/// The longest key without a mark before it. Source: PyYAML's emitter; the limit of YAML is 1024.
const LONGEST_KEY: usize = 127;

/// A key; a long one is marked as such, and its colon comes after `gap`.
fn key(name: &str, gap: &str) -> String {
    let written = string(name);
    match written.chars().count() > LONGEST_KEY {
        true => format!("? {written}{gap}"),
        false => written,
    }
}

fn print_scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => string(text),
        other => number(&other.to_string()),
    }
}

/// A number as YAML 1.1 reads one: with an exponent, it is text unless a fraction and a sign are written too.
fn number(json: &str) -> String {
    let Some((digits, exponent)) = json.split_once('e') else {
        return json.to_owned();
    };
    let fraction = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{digits}{fraction}e{sign}{exponent}")
}

/// Text without quotes where it reads back as the same text everywhere, else in quotes.
fn string(text: &str) -> String {
    if needs_double_quotes(text) {
        return double_quoted(text);
    }
    if is_plain(text) {
        text.to_owned()
    } else {
        single_quoted(text)
    }
}

fn needs_double_quotes(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'))
}

fn is_plain(text: &str) -> bool {
    let resolved = scalar::resolve(text);
    let starts_well = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '.' | '+' | '(');
    text.starts_with(starts_well)
        && resolved.value == Value::String(text.to_owned())
        && resolved.base60.is_none()
        && !text.ends_with([' ', ':'])
        // Before the end of a list in brackets, a dash alone is taken for an item.
        && !text.ends_with(" -")
        && !text.contains([',', '[', ']', '{', '}', '\'', '"'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_special_elsewhere(text)
}

/// What other readers of YAML take for a number, a date, a boolean or a marker.
fn is_special_elsewhere(text: &str) -> bool {
    let numeric = |c: char| c.is_ascii_digit() || "+-.:_eE".contains(c);
    let address = text.matches('.').count() > 1;
    let words = [
        "y", "Y", "n", "N", ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN",
    ];
    (text.chars().all(numeric) && !address) || words.contains(&text) || text.starts_with("...")
}

/// Text in single quotes, a quote in it doubled.
pub(crate) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Text in double quotes with escapes.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                out.push_str(&format!("\\x{:02X}", c as u32))
            }
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04X}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
