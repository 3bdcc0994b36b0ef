//! `salar-agent describe` and `export`: the host as files, and what is there as SLS.

use crate::call::complain;
use crate::options::{DescribeOptions, ExportOptions};
use crate::plan::run;
use crate::{DONE, FAILED, USAGE};
use agent::functions::Fault;
use serde_json::{Map, Value, json};
use std::io::Write;

/// Writes the folder.
pub async fn describe(options: DescribeOptions) -> u8 {
    let named = Map::from_iter([("pillar".to_owned(), json!(options.pillar))]);
    let returned = match run(options.planning, "host.describe", &[], &named).await {
        None => return USAGE,
        Some(Err(fault)) => {
            complain(&fault);
            return FAILED;
        }
        Some(Ok(returned)) => returned.value,
    };
    let files = returned.as_object().into_iter().flatten();
    let files = files.filter_map(|(path, text)| Some((path.as_str(), text.as_str()?)));
    match described::save(&options.folder, files) {
        Ok(number) => {
            eprintln!("{number} files in {}", options.folder.display());
            DONE
        }
        Err(error) => {
            complain(
                &Fault::new(error.to_string()).hint("name a new folder, or an older description"),
            );
            FAILED
        }
    }
}

/// Prints the SLS.
pub async fn export(options: ExportOptions) -> u8 {
    let names: Vec<Value> = options.vms.into_iter().map(Value::String).collect();
    match run(options.planning, "virt.export", &names, &Map::new()).await {
        None => USAGE,
        Some(Err(fault)) => {
            complain(&fault);
            FAILED
        }
        Some(Ok(returned)) => {
            let text = returned.value.as_str().unwrap_or_default();
            let written = std::io::stdout().write_all(text.as_bytes());
            if written.is_ok() { DONE } else { FAILED }
        }
    }
}
