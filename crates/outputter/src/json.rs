//! `--out json`: one document, indented by 4.

use crate::{Returns, visible::is_unsafe};
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::fmt::Write as _;

/// Prints all returns as one document.
pub(crate) fn render(returns: &Returns) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    returns
        .serialize(&mut serializer)
        .expect("a map of JSON values with text keys is JSON");
    let mut text = escape(&String::from_utf8(bytes).expect("serde_json writes UTF-8"));
    text.push('\n');
    text
}

/// Writes as `\u009b` what JSON allows within text but a terminal may obey. Such characters can
/// stand nowhere but within text.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) && c != '\n' {
            write!(out, "\\u{:04x}", c as u32).expect("writing to a String cannot fail");
        } else {
            out.push(c);
        }
    }
    out
}
