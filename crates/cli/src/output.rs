//! Standard output and error.

use crate::Failure;
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};

/// Writes data to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // `salar vm list | head -1` is no error worth a word.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Err(Failure::output_closed())
        }
        Err(error) => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// Writes `value` to standard output as JSON, for programs.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("cannot write the answer as JSON: {error}")))?;
    print(&format!("{text}\n"))
}

/// Writes a line of talk to standard error. That nobody reads it is no reason to stop.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", outputter::visible(text));
}

/// Colour on standard output: as asked, else where a person reads and `NO_COLOR` is not set.
pub(crate) fn wants_color(never: bool, always: bool) -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    always || (!never && !no_color && std::io::stdout().is_terminal())
}

/// A line on standard error that is written over while something goes on; nothing where no person reads.
pub(crate) struct StatusLine {
    shown: bool,
    terminal: bool,
}

impl StatusLine {
    pub(crate) fn new() -> Self {
        Self {
            shown: false,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows `text` in the place of what was shown.
    pub(crate) fn show(&mut self, text: &str) {
        if self.terminal {
            let text: String = outputter::visible_line(text).chars().take(78).collect();
            let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
            self.shown = true;
        }
    }

    /// Takes it away, before anything else is written.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}
