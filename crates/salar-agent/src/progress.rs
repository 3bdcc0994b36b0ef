//! Progress on a terminal: one line, rewritten in place, gone at the end. Nothing where nobody looks.

use agent::progress::{ProgressSink, no_progress};
use model::{Bytes, Progress};
use outputter::visible_line;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The line is written anew at most this often.
const EVERY: Duration = Duration::from_millis(100);
/// Carriage return, and erase to the end of the line.
const CLEAR: &str = "\r\x1b[K";

/// Progress lines on standard error, if it is a terminal.
pub fn to_terminal() -> ProgressSink {
    if !std::io::stderr().is_terminal() {
        return no_progress();
    }
    let last = Mutex::new(None::<Instant>);
    Arc::new(move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|at| at.elapsed() >= EVERY) {
            *last = Some(Instant::now());
            // A terminal that is gone is no reason to stop.
            let _ = write!(std::io::stderr(), "{CLEAR}{}", line(&progress));
        }
    })
}

/// Removes the line.
pub fn clear() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "{CLEAR}");
    }
}

/// `Downloading x.qcow2: 12.0 MiB of 48.0 MiB (25 %), 3.1 MiB/s`
fn line(progress: &Progress) -> String {
    let mut line = format!("{}: {}", visible_line(&progress.step), Bytes(progress.done));
    let percent = progress
        .done
        .saturating_mul(100)
        .checked_div(progress.total);
    if let Some(percent) = percent {
        line.push_str(&format!(
            " of {} ({} %)",
            Bytes(progress.total),
            percent.min(100)
        ));
    }
    if progress.rate > 0 {
        line.push_str(&format!(", {}/s", Bytes(progress.rate)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_known() {
        let mut progress = Progress {
            step: "Downloading x".to_owned(),
            done: 512,
            ..Progress::default()
        };
        assert_eq!(line(&progress), "Downloading x: 512 B");
        (progress.total, progress.rate) = (2048, 1024);
        assert_eq!(
            line(&progress),
            "Downloading x: 512 B of 2.0 KiB (25 %), 1.0 KiB/s"
        );
    }
}
