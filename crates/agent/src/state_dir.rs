//! Folders of the agent's own, and locks in them: results and locks are nobody else's business.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes the folder and those above it, readable by their owner only. One that is there stays as it is.
pub fn make(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// A lock on a file, held until it is dropped, and by no longer than this process.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock on `file`, or gives the file back when somebody else has it.
    pub(crate) fn take(file: File) -> Result<Self, (File, Option<io::Error>)> {
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err((file, None)),
            Err(TryLockError::Error(error)) => Err((file, Some(error))),
        }
    }

    /// The locked file.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Drop for Lock {
    /// Says so, rather than leave it to the closing of the file: a child process that is just being started has a
    /// copy of the file until it runs its program, and would keep the lock for that long.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}
