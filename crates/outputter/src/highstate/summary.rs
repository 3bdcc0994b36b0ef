//! The summary under a host's states.

use super::{Counts, StateRun};
use crate::Style;
use crate::paint::{Color, Painter};

/// Prints the summary, with the blank line before it. `host` is free of control characters.
pub(super) fn render(host: &str, run: &StateRun, style: &Style, painter: Painter) -> String {
    let counts = run.counts();
    let digits = digits(&counts);
    let width = 11 + digits;
    let dashes = "-".repeat(width);
    let mut lines = vec![
        painter.paint(Color::Cyan, &format!("\nSummary for {host}\n{dashes}")),
        succeeded(&counts, digits, painter),
        failed(&counts, digits, painter),
    ];
    if style.percent && !run.results.is_empty() {
        lines.extend(percent(&counts, painter));
    }
    if counts.warned > 0 {
        let text = format!("Warnings: {:>1$}", counts.warned, digits + 1);
        lines.push(painter.paint(Color::BrightRed, &text));
    }
    let total = format!(
        "{dashes}\nTotal states run: {:>1$}",
        run.results.len(),
        width - 7
    );
    lines.push(painter.paint(Color::Cyan, &total));
    if style.profile {
        lines.push(painter.paint(Color::Cyan, &run_time(run.duration_ms(), width - 5)));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Digits of the largest count; none in an empty run.
fn digits(counts: &Counts) -> usize {
    let Counts {
        succeeded,
        would_change,
        failed,
        changed,
        warned,
    } = *counts;
    match [succeeded, would_change, failed, changed, warned]
        .into_iter()
        .max()
    {
        Some(0) | None => 0,
        Some(most) => most.to_string().len(),
    }
}

/// Salt's word `unchanged` counts what *would* change; tools read it, so it stays.
fn succeeded(counts: &Counts, digits: usize, painter: Painter) -> String {
    let all = counts.succeeded + counts.would_change;
    let mut line = painter.paint(Color::Green, &format!("Succeeded: {all:>digits$}"));
    let mut parts = Vec::new();
    if counts.would_change > 0 {
        let text = format!("unchanged={}", counts.would_change);
        parts.push(painter.paint(Color::BrightYellow, &text));
    }
    if counts.changed > 0 {
        parts.push(painter.paint(Color::Green, &format!("changed={}", counts.changed)));
    }
    if !parts.is_empty() {
        line.push_str(&format!(" ({})", parts.join(", ")));
    }
    line
}

fn failed(counts: &Counts, digits: usize, painter: Painter) -> String {
    let text = format!("Failed: {:>1$}", counts.failed, digits + 3);
    painter.paint(color_of_failures(counts), &text)
}

fn color_of_failures(counts: &Counts) -> Color {
    if counts.failed > 0 {
        Color::Red
    } else {
        Color::Cyan
    }
}

fn percent(counts: &Counts, painter: Painter) -> [String; 2] {
    let good = counts.succeeded + counts.would_change;
    let all = good + counts.failed;
    let share = |part: usize| {
        let hundredths = (part as f64 / all as f64 * 10_000.0).round();
        crate::python::str(&serde_json::Value::from(hundredths / 100.0))
    };
    [
        painter.paint(Color::Green, &format!("Success %: {}", share(good))),
        painter.paint(
            color_of_failures(counts),
            &format!("Failure %: {}", share(counts.failed)),
        ),
    ]
}

fn run_time(ms: f64, width: usize) -> String {
    let (value, unit) = if ms > 999.0 {
        (ms / 1000.0, "s")
    } else {
        (ms, "ms")
    };
    format!("Total run time: {value:>width$.3} {unit}")
}
