//! XML, and those of Jinja's own filters that the engine lacks.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error};
use minijinja_contrib::filters as contrib;

use super::super::mutable::{invalid, pairs_of};
use super::named;

/// Columns of `center` at most.
const WIDTH_LIMIT: usize = 10_000;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("filesizeformat", contrib::filesizeformat);
    env.add_filter("striptags", contrib::striptags);
    named::add(
        env,
        "truncate",
        &["length", "killwords", "end", "leeway"],
        truncate,
    );
    env.add_filter("wordcount", contrib::wordcount);
    named::add(
        env,
        "wordwrap",
        &[
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        wordwrap,
    );
    env.add_filter("center", center);
    for name in ["e", "escape"] {
        env.add_filter(name, escape);
    }
    env.add_filter("forceescape", |value: &Value| html(&value.to_string()));
    env.add_filter("xmlattr", attributes);
    env.add_filter("xml", document);
}

fn center(text: String, width: Option<usize>) -> Result<String, Error> {
    let width = width.unwrap_or(80);
    if width > WIDTH_LIMIT {
        return Err(invalid(format!(
            "center takes at most {WIDTH_LIMIT} columns"
        )));
    }
    let missing = width.saturating_sub(text.chars().count());
    // Where it is uneven, Python favours the left side in an odd width.
    let left = missing / 2 + (missing & width & 1);
    Ok(format!(
        "{}{text}{}",
        " ".repeat(left),
        " ".repeat(missing - left)
    ))
}

/// Up to `length` letters, cut between words and with `end` in place of what is cut; a text that is longer by no more
/// than `leeway` stays whole.
fn truncate(
    text: String,
    length: Option<usize>,
    cut_words: Option<bool>,
    end: Option<String>,
    leeway: Option<usize>,
) -> Result<String, Error> {
    let (length, end) = (
        length.unwrap_or(255),
        end.unwrap_or_else(|| "...".to_owned()),
    );
    if text.chars().count() <= length.saturating_add(leeway.unwrap_or(5)) {
        return Ok(text);
    }
    let room = length.checked_sub(end.chars().count());
    let room =
        room.ok_or_else(|| invalid(format!("truncate needs a length of more than '{end}'")))?;
    let cut: String = text.chars().take(room).collect();
    let whole_words = cut.rsplit_once(' ').filter(|_| cut_words != Some(true));
    Ok(format!(
        "{}{end}",
        whole_words.map_or(cut.as_str(), |(words, _)| words)
    ))
}

fn wordwrap(
    text: Value,
    width: Option<usize>,
    break_long_words: Option<bool>,
    wrapstring: Option<String>,
    break_on_hyphens: Option<bool>,
) -> Result<Value, Error> {
    let kwargs = [
        ("width", Value::from(width.unwrap_or(79))),
        (
            "break_long_words",
            Value::from(break_long_words.unwrap_or(true)),
        ),
        (
            "wrapstring",
            Value::from(wrapstring.unwrap_or_else(|| "\n".to_owned())),
        ),
        (
            "break_on_hyphens",
            Value::from(break_on_hyphens.unwrap_or(true)),
        ),
    ];
    contrib::wordwrap(&text, Kwargs::from_iter(kwargs))
}

fn escape(value: &Value) -> Value {
    match value.is_safe() {
        true => value.clone(),
        false => Value::from_safe_string(html(&value.to_string())),
    }
}

fn html(text: &str) -> String {
    xml(text).replace('"', "&#34;").replace('\'', "&#39;")
}

fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// ` a="1" b="x"`; what is none or undefined is left out.
fn attributes(value: Value, space: Option<bool>) -> Result<String, Error> {
    let mut out = Vec::new();
    for (name, value) in pairs_of(&value)? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let name = name.to_string();
        if name.contains(|c: char| c.is_whitespace() || "/>=".contains(c)) {
            return Err(invalid(format!(
                "'{name}' cannot be the name of an attribute"
            )));
        }
        out.push(format!("{}=\"{}\"", html(&name), html(&value.to_string())));
    }
    let lead = if out.is_empty() || space == Some(false) {
        ""
    } else {
        " "
    };
    Ok(format!("{lead}{}", out.join(" ")))
}

/// A dictionary of one key as an indented document: scalars of a dictionary are attributes, dictionaries in it child
/// elements, a list makes an element of each item.
fn document(value: Value) -> Result<String, Error> {
    let mut out = "<?xml version=\"1.0\" ?>\n".to_owned();
    match pairs_of(&value)?.as_slice() {
        [(tag, content)] if content.kind() != ValueKind::Seq => {
            element(&tag.to_string(), content, 0, &mut out)?;
            Ok(out)
        }
        _ => Err(invalid(
            "the xml filter takes a dictionary of one key, which is the outermost element",
        )),
    }
}

fn element(tag: &str, content: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
    let indent = " ".repeat(depth);
    match content.kind() {
        ValueKind::Seq => {
            for item in content.try_iter()? {
                element(tag, &item, depth, out)?;
            }
        }
        ValueKind::Map => {
            let is_child = |value: &Value| matches!(value.kind(), ValueKind::Map | ValueKind::Seq);
            let pairs = pairs_of(content)?;
            out.push_str(&format!("{indent}<{tag}"));
            for (name, value) in pairs.iter().filter(|(_, value)| !is_child(value)) {
                let value = xml(&value.to_string()).replace('"', "&quot;");
                out.push_str(&format!(" {name}=\"{value}\""));
            }
            let children: Vec<_> = pairs.iter().filter(|(_, value)| is_child(value)).collect();
            if children.is_empty() {
                out.push_str("/>\n");
                return Ok(());
            }
            out.push_str(">\n");
            for (name, child) in children {
                element(&name.to_string(), child, depth + 1, out)?;
            }
            out.push_str(&format!("{indent}</{tag}>\n"));
        }
        _ => {
            let text = xml(&content.to_string()).replace('"', "&quot;");
            out.push_str(&format!("{indent}<{tag}>{text}</{tag}>\n"));
        }
    }
    Ok(())
}
