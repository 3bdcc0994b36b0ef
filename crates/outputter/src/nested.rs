//! The `nested` layout: keys and values, indented by 4, keys sorted.

use crate::paint::{Color, Painter};
use crate::{Returns, python, visible, visible_line};
use serde_json::{Map, Value};

/// Prints all returns, one top-level key per host, in the order given.
pub(crate) fn render(returns: &Returns, color: bool) -> String {
    let mut writer = Writer::new(color);
    for (host, value) in returns {
        writer.pair(host, value, 0);
    }
    writer.finish()
}

/// The lines of one value at `indent`, without a line break at the end.
pub(crate) fn lines(value: &Value, indent: usize, color: bool) -> String {
    let mut writer = Writer::new(color);
    writer.value(value, indent);
    writer.lines.join("\n")
}

struct Writer {
    lines: Vec<String>,
    painter: Painter,
}

impl Writer {
    fn new(color: bool) -> Self {
        Self {
            lines: Vec::new(),
            painter: Painter { color },
        }
    }

    fn finish(mut self) -> String {
        self.lines.push(String::new());
        self.lines.join("\n")
    }

    fn line(&mut self, indent: usize, color: Color, text: &str) {
        self.lines
            .push(format!("{:indent$}{}", "", self.painter.paint(color, text)));
    }

    fn value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) => self.object(map, indent),
            Value::Array(items) => self.array(items, indent),
            Value::String(text) => self.text(text, indent, ""),
            scalar => self.line(indent, Color::BrightYellow, &python::repr(scalar)),
        }
    }

    /// A dictionary below the top is framed by a line of dashes.
    fn object(&mut self, map: &Map<String, Value>, indent: usize) {
        self.line(indent, Color::Cyan, "----------");
        let mut pairs: Vec<_> = map.iter().collect();
        pairs.sort_by(|a, b| a.0.cmp(b.0));
        for (key, value) in pairs {
            self.pair(key, value, indent);
        }
    }

    fn pair(&mut self, key: &str, value: &Value, indent: usize) {
        let key = self.painter.paint(Color::Cyan, &visible_line(key));
        self.lines.push(format!("{:indent$}{key}:", ""));
        self.value(value, indent + 4);
    }

    fn array(&mut self, items: &[Value], indent: usize) {
        for item in items {
            match item {
                Value::Object(_) | Value::Array(_) => {
                    self.line(indent, Color::Green, "|_");
                    self.value(item, indent + 2);
                }
                Value::String(text) => self.text(text, indent, "- "),
                scalar => {
                    self.line(
                        indent,
                        Color::BrightYellow,
                        &format!("- {}", python::repr(scalar)),
                    );
                }
            }
        }
    }

    /// Text line by line; further lines stand under the first. Empty text prints nothing.
    fn text(&mut self, text: &str, indent: usize, bullet: &str) {
        for (number, line) in text.lines().enumerate() {
            let lead = if number == 0 {
                bullet
            } else {
                &"  "[..bullet.len()]
            };
            self.line(indent, Color::Green, &format!("{lead}{}", visible(line)));
        }
    }
}
