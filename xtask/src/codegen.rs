//! `agent.proto` to `wire.rs`. The generated file is committed with the checksum of its source, so that building
//! needs no protobuf compiler and `tidy` still notices when the two have drifted apart.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::path::Path;

const PROTO: &str = "crates/agent-api/proto/agent.proto";
const WIRE: &str = "crates/agent-api/src/wire.rs";

/// The first lines of the generated file for the `.proto` as it is now.
fn header(root: &Path) -> Result<String> {
    let source = std::fs::read(root.join(PROTO)).with_context(|| format!("cannot read {PROTO}"))?;
    let sum: String = Sha256::digest(&source)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!(
        "// Generated from proto/agent.proto by `cargo xtask codegen`; do not edit.\n// proto sha256: {sum}\n"
    ))
}

/// What is wrong with the generated file, if anything.
pub fn drift(root: &Path) -> Result<Option<String>> {
    let generated =
        std::fs::read_to_string(root.join(WIRE)).with_context(|| format!("cannot read {WIRE}"))?;
    if generated.starts_with(&header(root)?) {
        return Ok(None);
    }
    Ok(Some(format!(
        "{WIRE} was not generated from {PROTO} as it is; run: cargo xtask codegen"
    )))
}

/// Writes the generated file anew.
#[cfg(feature = "codegen")]
pub fn run(root: &Path) -> Result<()> {
    let folder = root.join("crates/agent-api/proto");
    let descriptors = protox::compile(["agent.proto"], [&folder])?;
    let out = std::env::temp_dir().join(format!("salar-codegen-{}", std::process::id()));
    std::fs::create_dir_all(&out)?;
    tonic_prost_build::configure()
        .out_dir(&out)
        .compile_fds(descriptors)?;
    let code = std::fs::read_to_string(out.join("salar.agent.v1.rs"))?;
    std::fs::remove_dir_all(&out)?;
    std::fs::write(root.join(WIRE), header(root)? + &code)?;
    println!("wrote {WIRE}");
    Ok(())
}

/// Says how to get a generator.
#[cfg(not(feature = "codegen"))]
pub fn run(_root: &Path) -> Result<()> {
    anyhow::bail!(
        "built without the generator; run: cargo run -p xtask --features codegen -- codegen"
    )
}
