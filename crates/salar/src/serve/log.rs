//! Logging to standard error.

use std::io::IsTerminal as _;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Reads a level.
pub(crate) fn level(word: &str) -> Result<Level, String> {
    match word {
        "error" => Ok(Level::ERROR),
        "warn" | "warning" => Ok(Level::WARN),
        "info" => Ok(Level::INFO),
        "debug" => Ok(Level::DEBUG),
        "trace" => Ok(Level::TRACE),
        _ => Err("it is none of error, warn, info, debug, trace".to_owned()),
    }
}

/// Logs from `level` on. Libraries speak from one level higher: their details help only those who debug them.
pub(crate) fn start(level: Level) {
    let libraries = match level {
        Level::TRACE => LevelFilter::DEBUG,
        Level::DEBUG => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    };
    let ours =
        ["salar", "server", "db", "salar_agent"].map(|name| (name, LevelFilter::from_level(level)));
    let filter = Targets::new().with_default(libraries).with_targets(ours);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .init();
}
