//! What a Xen host tells elsewhere than through libvirt, and what libvirt would let happen to it.
//!
//! Only an agent in the control domain can look: the files are its own.

use crate::failure::{Failure, Result};
use hypervisor::Reason;
use model::counters::NetCounters;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use virt::domain::Domain;

/// Where libvirt's Xen driver has the words of Xen's own library written.
const LOG: &str = "/var/log/libvirt/libxl/libxl-driver.log";

/// So much of the log is read for one failure.
const MOST: u64 = 64 * 1024;

/// So many lines of it go with an error: the first says why, the others what followed from it.
const LINES: usize = 2;

/// Xen's log from a moment on.
pub(crate) struct Log {
    path: PathBuf,
    from: u64,
}

impl Log {
    /// From now on; `None` where the host is not this machine's Xen.
    pub(crate) fn mark(uri: &str) -> Option<Self> {
        uri.starts_with("xen:///").then(|| Self::at(Path::new(LOG)))
    }

    fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            from: path.metadata().map_or(0, |file| file.len()),
        }
    }

    /// The failure with what Xen said since the mark: libvirt itself only says that libxenlight failed.
    pub(crate) fn explain(self, mut failure: Failure) -> Failure {
        if failure.message.contains("libxenlight failed") {
            let said = self.said().unwrap_or_default();
            let reasons: Vec<&str> = said.lines().filter_map(reason_of).take(LINES).collect();
            if !reasons.is_empty() {
                failure.message = format!("{} (Xen: {})", failure.message, reasons.join("; "));
            }
        }
        failure
    }

    fn said(&self) -> std::io::Result<String> {
        let mut file = File::open(&self.path)?;
        // A log that is shorter now has been begun anew.
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(if length < self.from {
            0
        } else {
            self.from
        }))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The words of a line: `2026-11-27 14:47:32.924+0000: libxl: libxl_device.c:455:function: words`.
fn reason_of(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(": libxl: ")?;
    let (_, words) = rest.split_once(": ")?;
    Some(words.trim()).filter(|words| !words.is_empty())
}

/// What a running guest's interfaces have moved, read from the control domain's network devices; `None` where this is
/// not that machine, or the guest has none.
///
/// libvirt knows the device of an interface only if it was there at start. Each guest's are named after its id:
/// `vif7.0`, and `vif7.0-emu` for the emulated one beside it.
pub(crate) fn net_counters(uri: &str, domain_id: u32) -> Option<NetCounters> {
    uri.starts_with("xen:///")
        .then(|| counters_below(Path::new("/sys/class/net"), domain_id))?
}

fn counters_below(folder: &Path, domain_id: u32) -> Option<NetCounters> {
    let prefix = format!("vif{domain_id}.");
    let mut sum = None;
    for entry in folder.read_dir().ok()?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(&prefix) {
            continue;
        }
        let statistics = entry.path().join("statistics");
        let read = |name: &str| -> i64 {
            let text = std::fs::read_to_string(statistics.join(name)).unwrap_or_default();
            text.trim().parse().unwrap_or(0)
        };
        let sum: &mut NetCounters = sum.get_or_insert_default();
        // What the host receives from the guest's device, the guest has sent.
        sum.rx_bytes += read("tx_bytes");
        sum.rx_packets += read("tx_packets");
        sum.rx_errs += read("tx_errors");
        sum.rx_drop += read("tx_dropped");
        sum.tx_bytes += read("rx_bytes");
        sum.tx_packets += read("rx_packets");
        sum.tx_errs += read("rx_errors");
        sum.tx_drop += read("rx_dropped");
    }
    sum
}

/// Refuses to change Domain-0: libvirt would forget its definition, or hand its memory to others, when asked to.
pub(crate) fn leave_alone(domain: &Domain) -> Result<()> {
    match model::vm::is_domain_0(&domain.name()?, domain.uuid()?) {
        false => Ok(()),
        true => Err(Failure::new(
            Reason::Refused,
            model::lifecycle::CONTROL_DOMAIN,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn failed() -> Failure {
        let message = "internal error: libxenlight failed to attach disk 'xvdb'";
        Failure::new(Reason::Refused, message)
    }

    #[test]
    fn a_failure_is_told_with_what_xen_said_since() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("libxl-driver.log");
        assert_eq!(Log::at(&path).explain(failed()), failed());
        let mut file = File::create(&path).expect("a log");
        let line = |file: &mut File, words: &str| {
            let at = "2026-11-27 14:47:32.924+0000: libxl: libxl_device.c:455:some_function";
            writeln!(file, "{at}: {words}").expect("a line");
        };
        line(&mut file, "something of an hour ago");
        let log = Log::at(&path);
        for words in [
            "Disk vdev=xvdb failed to stat: /x.img: No such file",
            "unable to add device",
            "and so on",
        ] {
            line(&mut file, words);
        }
        writeln!(file, "no line of Xen's").expect("a line");
        assert_eq!(
            log.explain(failed()).message,
            "internal error: libxenlight failed to attach disk 'xvdb' \
             (Xen: Disk vdev=xvdb failed to stat: /x.img: No such file; unable to add device)"
        );
        let other = Failure::new(Reason::NotFound, "no domain");
        assert_eq!(Log::at(&path).explain(other.clone()), other);
        // Cut off and begun anew meanwhile.
        let log = Log::at(&path);
        let mut file = File::create(&path).expect("a log");
        line(&mut file, "fresh");
        assert!(log.explain(failed()).message.ends_with("(Xen: fresh)"));
    }

    #[test]
    fn hosts_elsewhere_have_no_log_here() {
        assert!(Log::mark("xen+tcp://hv2/system").is_none());
        assert!(Log::mark("qemu:///system").is_none());
        assert!(Log::mark("xen:///system").is_some());
        assert_eq!(net_counters("xen+ssh://hv2/system", 1), None);
    }

    #[test]
    fn the_devices_of_one_guest_are_counted_from_the_guests_side() {
        let folder = tempfile::tempdir().expect("a folder");
        for (device, received, sent) in [
            ("vif7.0", 10, 3),
            ("vif7.1-emu", 5, 2),
            ("vif71.0", 1000, 1000),
        ] {
            let statistics = folder.path().join(device).join("statistics");
            std::fs::create_dir_all(&statistics).expect("a folder");
            std::fs::write(statistics.join("rx_bytes"), format!("{received}\n")).expect("a file");
            std::fs::write(statistics.join("tx_bytes"), format!("{sent}\n")).expect("a file");
        }
        let counted = counters_below(folder.path(), 7).expect("devices");
        assert_eq!((counted.tx_bytes, counted.rx_bytes), (15, 5));
        assert_eq!(counters_below(folder.path(), 8), None);
    }
}
