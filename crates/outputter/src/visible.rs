//! Making control characters visible.
//!
//! A VM can be called `\x1b]0;…`, and a terminal that is sent this obeys. Nothing that a host said reaches a
//! terminal without passing here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with control characters written as `\x1b`; line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t'))
}

/// `text` on one line: line breaks and tabs are written as `\n` and `\t` too.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Characters that a terminal acts upon or that change the order in which others are shown.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn escape(text: &str, unsafe_here: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_here) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if unsafe_here(c) {
            push_escaped(&mut out, c)
        } else {
            out.push(c)
        }
    }
    Cow::Owned(out)
}

/// Appends `c` as a Python or C programmer writes it: `\n`, `\x1b`, `\u202e`.
pub(crate) fn push_escaped(out: &mut String, c: char) {
    let written = match c {
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        c if (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
        c => write!(out, "\\u{:04x}", c as u32),
    };
    written.expect("writing to a String cannot fail");
}
