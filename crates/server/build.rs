//! Names the build, and has the crate built again when the web interface was.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let build = since.map(|d| d.as_millis()).unwrap_or_default();
    println!("cargo::rustc-env=SALAR_BUILD={build:x}");
    println!("cargo::rerun-if-changed=src");
    // A folder that does not exist would count as changed at every build.
    if Path::new("../../web/dist").exists() {
        println!("cargo::rerun-if-changed=../../web/dist");
    } else {
        println!("cargo::rerun-if-changed=../../web");
    }
}
