//! Code generation and checks of the workspace itself: `cargo xtask help`.

mod codegen;
mod tidy;

use anyhow::{Result, bail};
use std::path::PathBuf;

const HELP: &str = "\
cargo xtask COMMAND

  tidy      check the layers of the workspace, generated files and the house rules
  codegen   generate the agent link's code from its .proto (needs --features codegen)
";

fn main() -> Result<()> {
    let command = std::env::args().nth(1).unwrap_or_default();
    match command.as_str() {
        "tidy" => tidy::run(&root()),
        "codegen" => codegen::run(&root()),
        "" | "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("unknown command {other:?}\n\n{HELP}"),
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(PathBuf::from).unwrap_or(xtask)
}
