//! A state as one line.

use super::{StateResult, StateStatus, color};
use crate::paint::{Color, Painter};
use crate::{Style, python, visible_line};

/// Prints the line of `result`, and one more for each of its warnings.
pub(super) fn render(result: &StateResult, style: &Style, painter: Painter) -> String {
    let name = if style.state_output.by_id {
        &result.id
    } else {
        &result.name
    };
    let name = visible_line(name);
    let mut out = if style.tabular {
        painter.paint(color(result), &tabular(result, &name, style))
    } else {
        format!(
            " {}",
            painter.paint(color(result), &terse(result, &name, style))
        )
    };
    out.push('\n');
    for warning in &result.warnings {
        let text = format!("Warning: {}", visible_line(warning));
        out.push_str(&format!("    {}\n", painter.paint(Color::BrightRed, &text)));
    }
    out
}

fn terse(result: &StateResult, name: &str, style: &Style) -> String {
    let function = format!("{}.{}", result.module, result.function);
    let word = word(result);
    let mut line = format!(
        " Name: {name} - Function: {} - Result: {word}",
        visible_line(&function)
    );
    if style.profile {
        if let Some(start) = &result.start_time {
            line.push_str(&format!(" - Started: {}", visible_line(start)));
        }
        if let Some(duration) = &result.duration {
            line.push_str(&format!(
                " - Duration: {} ms",
                visible_line(&python::str(duration))
            ));
        }
    }
    line
}

fn tabular(result: &StateResult, name: &str, style: &Style) -> String {
    let when = match (&result.start_time, &result.duration) {
        (Some(start), Some(duration)) if style.profile => {
            let duration = python::str(duration);
            format!(
                "{} [{:>7} ms] ",
                visible_line(start),
                visible_line(&duration)
            )
        }
        _ => String::new(),
    };
    let (module, function) = (visible_line(&result.module), visible_line(&result.function));
    format!(
        "{when}{module:>10}.{function:<10} {:7}   Name: {name}",
        word(result)
    )
}

fn word(result: &StateResult) -> &'static str {
    match result.status {
        StateStatus::Failed => "Failed",
        StateStatus::WouldChange => "Differs",
        StateStatus::Succeeded if result.changes.is_empty() => "Clean",
        StateStatus::Succeeded => "Changed",
    }
}
