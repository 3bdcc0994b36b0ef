//! What the server logs, kept in memory.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, Once};

static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Begins to keep what is logged. Of several tests in one process all are kept, so look for what is only one's own.
pub fn keep() {
    static START: Once = Once::new();
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(|| Writer)
            .init();
    });
}

/// Everything so far.
pub fn said() -> String {
    String::from_utf8_lossy(&lock()).into_owned()
}

fn lock() -> MutexGuard<'static, Vec<u8>> {
    SAID.lock().expect("no writer panics")
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
