//! Filling a volume from a file, through a stream.

use crate::failure::{Failure, Result};
use crate::ffi;
use crate::read::pool::find_pool;
use hypervisor::{Key, Reason, Transferred, Upload};
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use virt::connect::Connect;
use virt::storage_vol::StorageVol;
use virt::stream::Stream;
use virt_sys as sys;

/// Bytes handed to libvirt at a time: what fits into one of its messages.
/// Source: libvirt `VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX`.
const CHUNK: usize = 262_120;

/// Says, when it is dropped, that nobody waits for the upload any more.
pub(crate) struct Canceller(pub(crate) Arc<AtomicBool>);

impl Drop for Canceller {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Writes the file into the volume. Ends early once `cancelled` is set.
pub(crate) fn upload(
    connect: &Connect,
    upload: &Upload,
    moved: &Transferred,
    cancelled: &AtomicBool,
) -> Result<()> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Reason::Invalid,
            format!("{}: {error}", upload.file.display()),
        )
    };
    let source = File::open(&upload.file).map_err(unreadable)?;
    let size = source.metadata().map_err(unreadable)?.len();
    let length = upload.length.unwrap_or(size).min(size);
    let mut source = source.take(length);
    let volume = get_volume(connect, &upload.pool, &upload.volume)?;
    let stream = Stream::new(connect, 0)?;
    let flags = match upload.sparse {
        true => sys::VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM,
        false => 0,
    };
    volume.upload(&stream, upload.offset, length, flags)?;

    let mut chunk = vec![0; CHUNK];
    let sent = loop {
        if cancelled.load(Ordering::Acquire) {
            break Err(Failure::new(
                Reason::Refused,
                "nobody waits for it any more",
            ));
        }
        let count = match source.read(&mut chunk) {
            Ok(0) => break Ok(()),
            Ok(count) => count,
            Err(error) => break Err(unreadable(error)),
        };
        let bytes = &chunk[..count];
        let sent = match upload.sparse && bytes.iter().all(|byte| *byte == 0) {
            true => ffi::send_hole(&stream, count).map(|()| {
                moved.fetch_add(count as u64, Ordering::Relaxed);
            }),
            false => send_all(&stream, bytes, moved),
        };
        if let Err(failure) = sent {
            break Err(failure);
        }
    };
    match sent {
        // Only now does libvirt say whether everything has arrived.
        Ok(()) => Ok(stream.finish()?),
        Err(failure) => {
            // The first failure is the one to tell.
            let _ = stream.abort();
            Err(failure)
        }
    }
}

fn send_all(stream: &Stream, mut bytes: &[u8], moved: &Transferred) -> Result<()> {
    while !bytes.is_empty() {
        let sent = usize::try_from(stream.send(bytes)?).unwrap_or(0);
        if sent == 0 {
            let why = "libvirt takes no more bytes";
            return Err(Failure::new(Reason::Refused, why));
        }
        moved.fetch_add(sent as u64, Ordering::Relaxed);
        bytes = bytes.get(sent..).unwrap_or_default();
    }
    Ok(())
}

fn get_volume(connect: &Connect, pool: &str, volume: &str) -> Result<StorageVol> {
    let found = find_pool(connect, &Key::Name(pool.to_owned()))?;
    let absent = || Failure::new(Reason::NotFound, format!("there is no storage pool {pool}"));
    Ok(found
        .ok_or_else(absent)?
        .lookup_storage_vol_by_name(volume)?)
}
