//! A state as a block of labelled lines.

use super::{StateResult, StateStatus, color};
use crate::paint::{Color, Painter};
use crate::{Style, nested, python, visible, visible_line};
use serde_json::Value;

/// Column at which values begin: labels end at column 12, then a colon's blank.
const VALUE_INDENT: usize = 14;

/// Prints the block of `result`.
pub(super) fn render(result: &StateResult, style: &Style, painter: Painter) -> String {
    let color = color(result);
    let mut block = Block {
        out: String::new(),
        color,
        painter,
    };
    block.push(&painter.paint(color, "----------"));
    block.label("ID", &visible_line(&result.id));
    block.label(
        "Function",
        &visible_line(&format!("{}.{}", result.module, result.function)),
    );
    if result.name != result.id {
        block.label("Name", &visible_line(&result.name));
    }
    block.label("Result", word(result.status));
    block.label("Comment", &indented(&result.comment));
    if style.profile {
        if let Some(start) = &result.start_time {
            block.label("Started", &visible_line(start));
        }
        if let Some(duration) = &result.duration {
            block.label(
                "Duration",
                &format!("{} ms", visible_line(&python::str(duration))),
            );
        }
    }
    block.changes(result);
    block.warnings(&result.warnings);
    block.out
}

fn word(status: StateStatus) -> &'static str {
    match status {
        StateStatus::Succeeded => "True",
        StateStatus::WouldChange => "None",
        StateStatus::Failed => "False",
    }
}

/// Further lines stand under the first.
fn indented(text: &str) -> String {
    let text = visible(text.trim_end_matches('\n'));
    text.replace('\n', &format!("\n{:VALUE_INDENT$}", ""))
}

struct Block {
    out: String,
    color: Color,
    painter: Painter,
}

impl Block {
    fn push(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn label(&mut self, label: &str, value: &str) {
        let painted = self
            .painter
            .paint(self.color, &format!("{label:>8}: {value}"));
        self.push(&format!("    {painted}"));
    }

    fn changes(&mut self, result: &StateResult) {
        let mut text = "     Changes:   ".to_owned();
        if !result.changes.is_empty() {
            let changes = Value::Object(result.changes.clone());
            text.push('\n');
            text.push_str(&nested::lines(&changes, VALUE_INDENT, self.painter.color));
        }
        self.push(&self.painter.paint(self.color, &text));
    }

    fn warnings(&mut self, warnings: &[String]) {
        if warnings.is_empty() {
            return;
        }
        let text = indented(&warnings.join("\n"));
        let painted = self
            .painter
            .paint(Color::BrightRed, &format!(" Warnings: {text}"));
        self.push(&format!("   {painted}"));
    }
}
