//! Folders of the agent's own: results and locks in them are nobody else's business.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes the folder and those above it, readable by their owner only. One that is there stays as it is.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}
