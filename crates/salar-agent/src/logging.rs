//! Logging to standard error, with Salt's names of levels.

use crate::progress::Above;
use std::io::IsTerminal;
use tracing_subscriber::filter::LevelFilter;

/// Who puts the time to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// We do.
    Told,
    /// Whoever relays our lines does.
    LeftOut,
}

/// Starts logging at `level`, or says which levels there are.
pub fn start(level: &str, time: Time) -> Result<(), String> {
    let level = level_of(level).ok_or_else(|| {
        format!(
            "unknown log level {level:?}: there are error, warning, info, debug, trace and quiet"
        )
    })?;
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_writer(|| Above)
        .with_ansi(color)
        .with_target(false)
        .with_max_level(level);
    match time {
        Time::Told => lines.init(),
        Time::LeftOut => lines.without_time().init(),
    }
    Ok(())
}

fn level_of(word: &str) -> Option<LevelFilter> {
    Some(match word.to_ascii_lowercase().as_str() {
        "quiet" | "off" => LevelFilter::OFF,
        "critical" | "error" => LevelFilter::ERROR,
        "warning" | "warn" => LevelFilter::WARN,
        "profile" | "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" | "garbage" | "all" => LevelFilter::TRACE,
        _ => return None,
    })
}
