//! `--out txt`: `host: text`, a line for each line of text.

use crate::{Returns, python, visible};
use serde_json::Value;

/// Prints all returns.
pub(crate) fn render(returns: &Returns) -> String {
    let mut out = String::new();
    for (host, value) in returns {
        let host = crate::visible_line(host);
        match value {
            Value::String(text) => {
                for line in text.lines() {
                    out.push_str(&format!("{host}: {}\n", visible(line)));
                }
            }
            other => out.push_str(&format!("{host}: {}\n", python::repr(other))),
        }
    }
    out
}
