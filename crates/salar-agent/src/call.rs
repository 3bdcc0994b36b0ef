//! `salar-agent call`: one function on this machine, printed as salt-call prints it.

use crate::logging::Time;
use crate::options::CallOptions;
use crate::{DONE, FAILED, USAGE};
use crate::{host, logging, progress};
use agent::functions::{self, Context, Fault, Return, command_line};
use outputter::{Format, Returns, Style};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Under this name salt-call prints its own machine.
const LOCAL: &str = "local";

/// Calls the function and prints what it returns: exit status 0, 1 when it failed, 2 for a wrong command line.
pub async fn call(options: CallOptions) -> u8 {
    if let Err(message) = logging::start(&options.log_level, Time::Told) {
        eprintln!("Error: {message}");
        return USAGE;
    }
    let (args, kwargs) = command_line(&options.args);
    let style = style(&options);
    let format = options.out.unwrap_or_else(|| layout_of(&options.fun));
    let state_dir = options.state_dir.unwrap_or_else(host::default_state_dir);
    let minion = host::minion(
        options.host,
        options.connect,
        state_dir,
        host::Life::OneCall,
    );
    let minion = match minion {
        Ok(minion) => Arc::new(minion),
        Err(error) => {
            eprintln!("Error: {error}");
            return FAILED;
        }
    };
    let returned = started(|context| async move {
        functions::call(&minion, &options.fun, &args, &kwargs, &context).await
    })
    .await;
    match returned {
        Ok(returned) => print(returned, format, &style),
        Err(fault) => {
            complain(&fault);
            FAILED
        }
    }
}

/// Runs `work` with progress on the terminal, and stops it on Ctrl-C and SIGTERM.
pub(crate) async fn started<T, F: Future<Output = T>>(work: impl FnOnce(Context) -> F) -> T {
    let shown = progress::Shown::on_terminal();
    let context = Context {
        news: shown.sink(),
        ..Context::quiet()
    };
    let interrupts = cancel_on_interrupt(&context);
    let returned = work(context).await;
    interrupts.abort();
    returned
}

fn print(returned: Return, format: Format, style: &Style) -> u8 {
    let returns = Returns::from_iter([(LOCAL.to_owned(), returned.value)]);
    let text = outputter::render(&returns, format, style);
    let printed = std::io::stdout().write_all(text.as_bytes());
    // A reader that closes the pipe has seen enough.
    if returned.ok && printed.is_ok() {
        DONE
    } else {
        FAILED
    }
}

/// Prints results of states as `call` does when nothing else is asked for.
pub(crate) fn print_states(returned: Return) -> u8 {
    let style = Style {
        color: is_colored(),
        ..Style::default()
    };
    print(returned, Format::Highstate, &style)
}

fn is_colored() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The layout when nobody asks for one. `state.test` is ours, so the outputter need not know it.
fn layout_of(fun: &str) -> Format {
    match fun {
        "state.test" => Format::Highstate,
        fun => Format::for_function(fun),
    }
}

/// The first Ctrl-C or SIGTERM stops between two steps, the second one at once.
fn cancel_on_interrupt(context: &Context) -> tokio::task::JoinHandle<()> {
    let cancel = context.cancel.clone();
    tokio::spawn(async move {
        let kinds = (SignalKind::interrupt(), SignalKind::terminate());
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(kinds.0), signal(kinds.1)) else {
            return;
        };
        let mut asked = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        asked().await;
        say("Stopping after the current step; press Ctrl-C again to stop at once");
        cancel.cancel();
        asked().await;
        say("Stopped at once: the outcome of the current step is open\n\
             Hint: run it again with test=True to see what is left to do");
        std::process::exit(FAILED.into());
    })
}

/// Says something while progress is shown. A terminal that is gone is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(progress::Above, "{text}");
}

pub(crate) fn complain(fault: &Fault) {
    eprintln!("Error: {}", outputter::visible(&fault.message));
    if let Some(hint) = &fault.hint {
        eprintln!("Hint: {}", outputter::visible(hint));
    }
}

fn style(options: &CallOptions) -> Style {
    let wanted = is_colored();
    Style {
        color: options.force_color || wanted && !options.no_color,
        state_output: options.state_output,
        verbose: options.state_verbose,
        diff: options.state_output_diff,
        ..Style::default()
    }
}
