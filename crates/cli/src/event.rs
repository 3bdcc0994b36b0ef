//! `salar event`: Salt's event bus.

use crate::connection::Connection;
use crate::output::print;
use crate::{Failure, Outcome};
use outputter::visible_line;
use server_api::event::BusEvent;

/// Watch the event bus
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print events as they happen, until interrupted: a tag, a tab, and data as JSON on each line
    Watch {
        /// Only events whose tag matches this shell pattern
        #[arg(long, value_name = "GLOB")]
        tag: Option<String>,

        /// Print each event as a JSON object with tag and data
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let client = args.connection.client()?;
    let Command::Watch { tag, json } = args.command;
    let mut bus = client.bus(tag.as_deref()).await?;
    loop {
        print(&line(&bus.next().await?, json))?;
    }
}

fn line(event: &BusEvent, json: bool) -> String {
    // JSON escapes most control characters by itself; the rest a terminal must not see either.
    let text = if json {
        let object = serde_json::json!({"tag": event.tag, "data": event.data});
        visible_json(&object.to_string())
    } else {
        format!(
            "{}\t{}",
            visible_line(&event.tag),
            visible_json(&event.data.to_string())
        )
    };
    format!("{text}\n")
}

/// Compact JSON with every character that a terminal may obey as `\u009b`.
fn visible_json(json: &str) -> String {
    json.chars()
        .fold(String::with_capacity(json.len()), |mut out, c| {
            if visible_line(c.encode_utf8(&mut [0; 4])).starts_with('\\') && c != '\\' {
                out.push_str(&format!("\\u{:04x}", c as u32));
            } else {
                out.push(c);
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_one_safe_line() {
        let event = BusEvent {
            tag: "salt/x\n".into(),
            data: json!({"name": "a\u{9b}\n\\"}),
        };
        assert_eq!(
            line(&event, false),
            "salt/x\\n\t{\"name\":\"a\\u009b\\n\\\\\"}\n"
        );
        let back: serde_json::Value = serde_json::from_str(&line(&event, true)).expect("JSON");
        assert_eq!(back, json!({"tag": event.tag, "data": event.data}));
    }
}
