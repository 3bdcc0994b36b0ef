//! The `highstate` layout: a block or a line per state, then a summary, for each host.

mod block;
mod line;
mod run;
mod summary;

pub use run::{Counts, StateResult, StateRun, StateStatus};

use crate::paint::{Color, Painter};
use crate::{Detail, Returns, Style, nested, visible, visible_line};
use serde_json::Value;

/// Prints all returns in the order given.
pub(crate) fn render(returns: &Returns, style: &Style) -> String {
    let painter = Painter { color: style.color };
    let mut out = String::new();
    for (host, value) in returns {
        if let Some(run) = StateRun::read(value) {
            state_run(host, &run, style, painter, &mut out);
        } else if let Some(errors) = compile_errors(value) {
            push_errors(host, &errors, painter, &mut out);
        } else {
            let one = Returns::from_iter([(host.clone(), value.clone())]);
            out.push_str(&nested::render(&one, style.color));
        }
    }
    out
}

fn state_run(host: &str, run: &StateRun, style: &Style, painter: Painter, out: &mut String) {
    let host = visible_line(host);
    out.push_str(&painter.paint(host_color(run), &format!("{host}:")));
    out.push('\n');
    for result in &run.results {
        if is_hidden(result, style) {
            continue;
        }
        let text = if is_terse(result, style.state_output.detail) {
            line::render(result, style, painter)
        } else {
            block::render(result, style, painter)
        };
        out.push_str(&text);
    }
    out.push_str(&summary::render(&host, run, style, painter));
}

/// The last result that was not a success gives its colour to the host.
fn host_color(run: &StateRun) -> Color {
    run.results
        .iter()
        .rev()
        .find_map(|result| match result.status {
            StateStatus::Succeeded => None,
            StateStatus::WouldChange => Some(Color::BrightYellow),
            StateStatus::Failed => Some(Color::Red),
        })
        .unwrap_or(Color::Green)
}

fn is_clean(result: &StateResult) -> bool {
    result.status == StateStatus::Succeeded && result.changes.is_empty()
}

fn is_hidden(result: &StateResult, style: &Style) -> bool {
    is_clean(result) && (!style.verbose || style.diff)
}

fn is_terse(result: &StateResult, detail: Detail) -> bool {
    match detail {
        Detail::Full | Detail::Filter => false,
        Detail::Terse => true,
        Detail::Mixed => result.status != StateStatus::Failed,
        Detail::Changes => is_clean(result),
    }
}

/// The colour of a state in any form.
fn color(result: &StateResult) -> Color {
    match result.status {
        StateStatus::Failed => Color::Red,
        StateStatus::WouldChange => Color::BrightYellow,
        StateStatus::Succeeded if result.changes.is_empty() => Color::Green,
        StateStatus::Succeeded => Color::Cyan,
    }
}

/// A list of nothing but text in the place of results: why the states could not be compiled.
fn compile_errors(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn push_errors(host: &str, errors: &[&str], painter: Painter, out: &mut String) {
    let mut push = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    push(painter.paint(Color::BrightRed, &format!("{}:", visible_line(host))));
    push(format!(
        "    {}",
        painter.paint(Color::BrightRed, "Data failed to compile:")
    ));
    for error in errors {
        push(painter.paint(
            Color::BrightRed,
            &format!("----------\n    {}", visible(error)),
        ));
    }
}
