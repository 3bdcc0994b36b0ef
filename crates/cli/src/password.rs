//! Passwords: from a file, a pipe or the keyboard; never from the command line, which anybody can read.

use crate::Failure;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

/// A file with more than this is not one with a password.
const MOST_BYTES: u64 = 4096;

/// Where a password comes from [default: asked for on the terminal]
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PasswordSource {
    /// File with the password on its first line
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    password_file: Option<PathBuf>,

    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordSource {
    /// A file if there is one, else the terminal.
    pub(crate) fn file(path: Option<PathBuf>) -> Self {
        Self {
            password_file: path,
            password_stdin: false,
        }
    }

    /// An existing password.
    pub(crate) fn read(&self, prompt: &str) -> Result<String, Failure> {
        match self.given()? {
            Some(password) => Ok(password),
            None => ask(prompt),
        }
    }

    /// A new password; asked for twice.
    pub(crate) fn read_new(&self, prompt: &str) -> Result<String, Failure> {
        if let Some(password) = self.given()? {
            return Ok(password);
        }
        let password = ask(prompt)?;
        if ask("Again: ")? != password {
            return Err(Failure::new("the two passwords differ"));
        }
        Ok(password)
    }

    fn given(&self) -> Result<Option<String>, Failure> {
        if let Some(path) = &self.password_file {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            return first_line(file)
                .map(Some)
                .map_err(|error| unreadable(path, &error));
        }
        if self.password_stdin {
            let path = Path::new("standard input");
            return first_line(std::io::stdin())
                .map(Some)
                .map_err(|error| unreadable(path, &error));
        }
        Ok(None)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "cannot read a password from {}: {error}",
        path.display()
    ))
}

/// The first line without its line break; blanks belong to the password.
fn first_line(source: impl Read) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(source.take(MOST_BYTES)).read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(std::io::Error::other("its first line is empty"));
    }
    Ok(password.to_owned())
}

/// Asks on the terminal, whatever standard input and output are, without showing what is typed.
fn ask(prompt: &str) -> Result<String, Failure> {
    let no_terminal = |error: std::io::Error| {
        Failure::usage(format!(
            "there is no terminal to ask for a password: {error}"
        ))
        .hint("use --password-stdin or --password-file FILE")
    };
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(no_terminal)?;
    terminal.write_all(prompt.as_bytes()).map_err(no_terminal)?;
    let answer = {
        let _silent = Silent::new(&terminal).map_err(no_terminal)?;
        first_line(&terminal)
    };
    // The line break that was typed was not shown either.
    let _ = terminal.write_all(b"\n");
    answer.map_err(|error| Failure::new(format!("no password was typed: {error}")))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silent<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn new(terminal: &'a File) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password_blanks_and_all() {
        assert_eq!(
            first_line(" a b \r\nsecond\n".as_bytes()).expect("one"),
            " a b "
        );
        assert_eq!(first_line("no end".as_bytes()).expect("one"), "no end");
        assert!(first_line("\nx".as_bytes()).is_err());
        assert!(first_line("".as_bytes()).is_err());
    }
}
