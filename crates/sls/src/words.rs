//! The words of a command line as arguments of a function, read as Salt reads them.
//!
//! `k=v` is named, anything else positional, and each value is YAML where a person would expect it:
//! `1024`, `on`, `[a, b]`, `{a: 1}`; but `a: b`, `- a`, `1_000` and `x #y` stay text.

use crate::{Map, Value};

/// Reads the words after the function's name: the positional arguments, and the named ones.
pub fn command_line(words: &[String]) -> (Vec<Value>, Map) {
    let (mut positional, mut by_name) = (Vec::new(), Map::new());
    for word in words {
        match named(word) {
            Some((name, text)) => drop(by_name.insert(name.to_owned(), value(text))),
            None => positional.push(value(word)),
        }
    }
    (positional, by_name)
}

/// Splits `name=text`. The name begins like one of Python and may hold dots and hyphens; `a==b` is no pair.
fn named(word: &str) -> Option<(&str, &str)> {
    let (name, text) = word.split_once('=')?;
    let first = name.chars().next()?;
    let is_name = (first.is_alphabetic() || first == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (is_name && !text.starts_with('=')).then_some((name, text))
}

/// One value. What is no YAML is the text itself. Source: Salt, `salt.utils.args.yamlify_arg`.
fn value(text: &str) -> Value {
    let itself = || Value::String(text.to_owned());
    let trimmed = text.trim();
    let grouped = text.contains('_') && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if trimmed.is_empty() || grouped || text.contains('\n') {
        return itself();
    }
    if trimmed == "None" {
        return Value::Null;
    }
    let is_collection = trimmed.starts_with(['[', '{']);
    // A `#` within brackets may stand in quotes; elsewhere it would start a comment and cut the text.
    if text.contains('#') && !is_collection {
        return itself();
    }
    match crate::yaml::load(text) {
        Ok(Value::Array(_) | Value::Object(_)) if !is_collection => itself(),
        Ok(value) => value,
        Err(_) => itself(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_as_salt_reads_them() {
        for (text, expected) in [
            ("1024", json!(1024)),
            ("on", json!(true)),
            ("0770", json!(770)),
            ("1.5", json!(1.5)),
            ("'1'", json!("1")),
            ("null", json!(null)),
            ("None", json!(null)),
            ("{a: 1}", json!({"a": 1})),
            ("{\"test\": true}", json!({"test": true})),
            ("[1, x]", json!([1, "x"])),
            ("['a#b']", json!(["a#b"])),
            (" 5", json!(5)),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_yaml_stays_text() {
        for text in [
            "",
            " ",
            "1_000",
            "a: b",
            "- a",
            "x:",
            "# x",
            "x #y",
            "[unclosed",
            "{x",
            "*",
            "@x",
            "!x",
            "%x",
            "a\nb",
            "http://x:80/a",
            "srv01,srv02",
            "2001-01-01",
            "1e3",
            "52:54:00:00:00:30",
        ] {
            assert_eq!(value(text), json!(text), "{text:?}");
        }
    }

    #[test]
    fn named_arguments_are_told_from_positional_ones() {
        let words = [
            "vm",
            "test=True",
            "a-b=2",
            "é=",
            "a=b=c",
            "a==1",
            "1a=2",
            "=x",
            "http://x?a=b",
        ];
        let (positional, by_name) = command_line(&words.map(str::to_owned));
        assert_eq!(
            positional,
            [
                json!("vm"),
                json!("a==1"),
                json!("1a=2"),
                json!("=x"),
                json!("http://x?a=b")
            ]
        );
        assert_eq!(
            Value::Object(by_name),
            json!({"test": true, "a-b": 2, "é": "", "a": "b=c"})
        );
    }
}
