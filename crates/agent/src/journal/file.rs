//! The append-only file behind the journal.

use super::record::{Record, from_line, to_line};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// An open log; every append is on disk when it returns.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    len: u64,
}

impl LogFile {
    /// Opens or makes the file and reads its records. What follows the last whole record is cut off.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let mut file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, whole) = parse(&bytes);
        if whole < bytes.len() {
            tracing::warn!(
                "Journal {} ends with {} torn bytes, cut off",
                path.display(),
                bytes.len() - whole
            );
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        sync_folder(path)?;
        Ok((
            Self {
                path: path.to_owned(),
                file,
                len: whole as u64,
            },
            records,
        ))
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Appends and syncs. After a failure the file is cut back, so that a half line never stands before a whole one.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<()> {
        let line = to_line(record);
        let written = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.len += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.file.set_len(self.len)?;
                self.file.seek(SeekFrom::End(0))?;
                Err(error)
            }
        }
    }

    /// Replaces the content at one stroke: a crash leaves the old file or the new one.
    pub(super) fn replace(&mut self, records: &[Record]) -> io::Result<()> {
        let text: String = records.iter().map(to_line).collect();
        write_atomically(&self.path, text.as_bytes())?;
        self.file = File::options().read(true).append(true).open(&self.path)?;
        self.len = text.len() as u64;
        Ok(())
    }
}

/// The records, and how many bytes they take. A damaged line in the middle is skipped and told.
fn parse(bytes: &[u8]) -> (Vec<Record>, usize) {
    let (mut records, mut at, mut whole) = (Vec::new(), 0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let text = line
            .strip_suffix(b"\n")
            .and_then(|line| std::str::from_utf8(line).ok());
        let Some(record) = text.and_then(from_line) else {
            continue;
        };
        let start = at - line.len();
        if whole < start {
            tracing::error!("The journal has a damaged record before byte {start}, skipped");
        }
        records.push(record);
        whole = at;
    }
    (records, whole)
}

/// Writes a file for its owner only, so that a crash leaves the old content or the new one, never a mixture.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
