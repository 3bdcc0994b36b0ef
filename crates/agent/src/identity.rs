//! Who this agent is, and whom it obeys: two small files in its state folder.

use crate::journal::file::write_atomically;
use model::HostId;
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The host's id, made once and kept.
///
/// # Errors
/// The folder cannot be written, or the file holds something else.
pub fn host_id(state_dir: &Path) -> io::Result<HostId> {
    let path = state_dir.join("host_id");
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map(HostId).map_err(|_| {
            let path = path.display();
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{path} does not hold a UUID; restore it, or remove it to appear as a new host"
                ),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = Uuid::new_v4();
            write_atomically(&path, format!("{id}\n").as_bytes())?;
            Ok(HostId(id))
        }
        Err(error) => Err(error),
    }
}

/// The highest epoch this agent has ever obeyed.
#[derive(Debug)]
pub struct EpochFile {
    path: PathBuf,
    highest: u64,
}

impl EpochFile {
    /// Reads it; zero when there is none.
    ///
    /// # Errors
    /// The file is there and cannot be read as a number.
    pub fn open(state_dir: &Path) -> io::Result<Self> {
        let path = state_dir.join("epoch");
        let highest = match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{} does not hold a number", path.display()),
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { path, highest })
    }

    /// The highest epoch so far.
    pub const fn highest(&self) -> u64 {
        self.highest
    }

    /// Stores `epoch` if it is higher than any before. On disk when this returns `true`.
    ///
    /// # Errors
    /// The disk refuses: the session must not be obeyed.
    pub fn raise(&mut self, epoch: u64) -> io::Result<bool> {
        if epoch <= self.highest {
            return Ok(false);
        }
        write_atomically(&self.path, format!("{epoch}\n").as_bytes())?;
        self.highest = epoch;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_and_epoch_survive_a_restart() {
        let dir = std::env::temp_dir().join(format!("salar-identity-{}", Uuid::new_v4()));
        std::fs::create_dir(&dir).expect("a folder for the test");
        let first = host_id(&dir).expect("made");
        assert_eq!(host_id(&dir).expect("kept"), first);

        let mut epoch = EpochFile::open(&dir).expect("new");
        assert!(epoch.raise(5).expect("written"));
        assert!(
            !epoch.raise(5).expect("read"),
            "an epoch is obeyed in one session only"
        );
        assert!(!epoch.raise(4).expect("read"));
        assert_eq!(EpochFile::open(&dir).expect("there").highest(), 5);

        std::fs::write(dir.join("host_id"), "not a uuid").expect("written");
        assert!(host_id(&dir).is_err());
        std::fs::remove_dir_all(&dir).expect("the test's own folder");
    }
}
