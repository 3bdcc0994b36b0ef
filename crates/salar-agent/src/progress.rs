//! Progress on a terminal: a line for each running state below what is printed, gone at the end. Nothing where nobody
//! looks.
//!
//! The lines are drawn at a pace of their own, so what is over in an instant is never seen, and what takes long shows
//! that it goes on even when it has nothing to tell. All other lines on standard error go through [`Above`], which
//! takes ours away first.

use agent::progress::{News, NewsSink, Tidings, no_news};
use model::{Bytes, Progress};
use outputter::visible_line;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often the lines are drawn.
const EVERY: Duration = Duration::from_millis(100);
/// A state that has run for so long also tells how long.
const LONG: Duration = Duration::from_secs(2);
/// The width where the terminal does not tell its own.
const WIDTH: usize = 80;
/// To the first column, and erase all below.
const CLEAR: &str = "\r\x1b[J";

static SCREEN: Mutex<Screen> = Mutex::new(Screen::new());

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Progress is shown for as long as this lives.
pub struct Shown(Option<JoinHandle<()>>);

impl Shown {
    /// On standard error, if it is a terminal.
    pub fn on_terminal() -> Self {
        let drawing = io::stderr().is_terminal().then(|| {
            tokio::spawn(async {
                let mut pace = tokio::time::interval(EVERY);
                pace.tick().await;
                loop {
                    pace.tick().await;
                    let width = terminal_size::terminal_size_of(io::stderr())
                        .map_or(WIDTH, |(width, _)| width.0.into());
                    // A terminal that is gone is no reason to stop.
                    let _ = screen().draw(&mut io::stderr(), width);
                }
            })
        });
        Self(drawing)
    }

    /// Where the news go.
    pub fn sink(&self) -> NewsSink {
        match self.0 {
            Some(_) => Arc::new(|news| screen().learn(news)),
            None => no_news(),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(drawing) = &self.0 {
            drawing.abort();
            let mut screen = screen();
            let _ = screen.clear(&mut io::stderr());
            screen.running.clear();
        }
    }
}

/// Standard error for whole lines, above the progress.
#[derive(Debug, Clone, Copy)]
pub struct Above;

impl Write for Above {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr();
        screen().clear(&mut stderr)?;
        stderr.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// What runs, and how much of it stands on the terminal.
struct Screen {
    /// In the order in which they began.
    running: Vec<Running>,
    /// Lines that stand there now, the cursor at the end of the last one.
    drawn: usize,
}

struct Running {
    state: String,
    label: String,
    since: Instant,
    progress: Progress,
}

impl Screen {
    const fn new() -> Self {
        Self {
            running: Vec::new(),
            drawn: 0,
        }
    }

    fn learn(&mut self, news: News) {
        match news.what {
            Tidings::Begins { id, fun } => self.running.push(Running {
                state: news.state,
                label: format!("{id} ({fun})"),
                since: Instant::now(),
                progress: Progress::default(),
            }),
            Tidings::Step(progress) => {
                let of = self.running.iter_mut().find(|r| r.state == news.state);
                if let Some(running) = of {
                    running.progress = progress;
                }
            }
            Tidings::Ends => self.running.retain(|r| r.state != news.state),
        }
    }

    fn draw(&mut self, out: &mut impl Write, width: usize) -> io::Result<()> {
        let lines: Vec<String> = self
            .running
            .iter()
            .map(|running| cut(&line(running, running.since.elapsed()), width))
            .collect();
        self.clear(out)?;
        write!(out, "{}", lines.join("\n"))?;
        self.drawn = lines.len();
        out.flush()
    }

    /// Takes the lines away.
    fn clear(&mut self, out: &mut impl Write) -> io::Result<()> {
        match std::mem::take(&mut self.drawn) {
            0 => Ok(()),
            1 => write!(out, "{CLEAR}"),
            lines => write!(out, "\x1b[{}A{CLEAR}", lines - 1),
        }
    }
}

/// `srv01 (virt.running): 25 %, 3.1 MiB/s: Downloading x.qcow2: 12.0 MiB of 48.0 MiB, 15 s`
///
/// What matters most comes first: a narrow terminal cuts the end.
fn line(running: &Running, passed: Duration) -> String {
    let mut line = visible_line(&running.label).into_owned();
    let progress = &running.progress;
    let percent = progress
        .done
        .saturating_mul(100)
        .checked_div(progress.total);
    let percent = percent.map(|percent| format!("{} %", percent.min(100)));
    let rate = (progress.rate > 0).then(|| format!("{}/s", Bytes(progress.rate)));
    let figures: Vec<String> = percent.into_iter().chain(rate).collect();
    if !figures.is_empty() {
        line.push_str(&format!(": {}", figures.join(", ")));
    }
    if !progress.step.is_empty() {
        line.push_str(&format!(": {}", visible_line(&progress.step)));
    }
    let done = Bytes(progress.done);
    match (progress.done, progress.total) {
        (0, 0) => {}
        (_, 0) => line.push_str(&format!(": {done}")),
        (_, total) => line.push_str(&format!(": {done} of {}", Bytes(total))),
    }
    if passed >= LONG {
        line.push_str(&format!(", {} s", passed.as_secs()));
    }
    line
}

/// A line that wraps could not be taken away again. The last column stays free: some terminals wrap when it is filled.
fn cut(line: &str, width: usize) -> String {
    let room = width.saturating_sub(1).max(1);
    match line.char_indices().nth(room) {
        None => line.to_owned(),
        Some(_) => line.chars().take(room - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn began(id: &str) -> News {
        News {
            state: format!("virt_|-{id}"),
            what: Tidings::Begins {
                id: id.to_owned(),
                fun: "virt.running".to_owned(),
            },
        }
    }

    fn about(id: &str, what: Tidings) -> News {
        News {
            state: format!("virt_|-{id}"),
            what,
        }
    }

    fn drawn(screen: &mut Screen, width: usize) -> String {
        let mut out = Vec::new();
        screen.draw(&mut out, width).expect("a Vec takes all");
        String::from_utf8(out).expect("lines are UTF-8")
    }

    #[test]
    fn a_line_tells_what_is_known() {
        let mut running = Running {
            state: String::new(),
            label: "srv01 (virt.running)".to_owned(),
            since: Instant::now(),
            progress: Progress::default(),
        };
        let now = Duration::ZERO;
        assert_eq!(line(&running, now), "srv01 (virt.running)");
        running.progress.step = "Start VM srv01".to_owned();
        assert_eq!(
            line(&running, LONG),
            "srv01 (virt.running): Start VM srv01, 2 s"
        );
        running.progress.step = "Downloading x".to_owned();
        running.progress.done = 512;
        assert_eq!(
            line(&running, now),
            "srv01 (virt.running): Downloading x: 512 B"
        );
        (running.progress.total, running.progress.rate) = (2048, 1024);
        assert_eq!(
            line(&running, now),
            "srv01 (virt.running): 25 %, 1.0 KiB/s: Downloading x: 512 B of 2.0 KiB"
        );
    }

    #[test]
    fn every_running_state_has_a_line_until_it_ends() {
        let mut screen = Screen::new();
        screen.learn(began("a"));
        screen.learn(began("b"));
        assert_eq!(drawn(&mut screen, 80), "a (virt.running)\nb (virt.running)");
        let step = Progress {
            step: "Define VM b".to_owned(),
            ..Progress::default()
        };
        screen.learn(about("b", Tidings::Step(step)));
        screen.learn(about("a", Tidings::Ends));
        let up_and_cleared = "\x1b[1A\r\x1b[J";
        assert_eq!(
            drawn(&mut screen, 80),
            format!("{up_and_cleared}b (virt.running): Define VM b")
        );
        screen.learn(about("b", Tidings::Ends));
        assert_eq!(drawn(&mut screen, 80), "\r\x1b[J");
        assert_eq!(drawn(&mut screen, 80), "", "nothing stands there any more");
    }

    #[test]
    fn no_line_wraps_and_no_name_moves_the_cursor() {
        let mut screen = Screen::new();
        screen.learn(began("long\u{1b}[2Jname"));
        assert_eq!(drawn(&mut screen, 12), "long\\x1b[2…");
        assert_eq!(cut("abc", 4), "abc");
        assert_eq!(cut("abc", 3), "a…");
        assert_eq!(cut("abc", 0), "…");
    }
}
