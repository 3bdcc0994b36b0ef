//! Opening connections.

use crate::failure::Result;
use crate::ffi;
use crate::options::Options;
use crate::ssh::{self, Ssh};
use std::sync::{Mutex, MutexGuard, PoisonError};
use virt::connect::Connect;

/// Keep-alive messages that may stay without answer before libvirt closes the connection.
const KEEP_ALIVE_MISSES: u32 = 3;

/// Opens connections to one URI.
pub(crate) struct Connector {
    /// As it was given.
    pub(crate) uri: String,
    /// How a host is reached over ssh, if it was said.
    pub(crate) ssh: Option<Ssh>,
    keep_alive_secs: u32,
    one_shot: bool,
    /// The only connection of a driver that runs inside this process: each further one of `test:///FILE` would be a
    /// host of its own, and one of `qemu:///embed` would start over.
    in_process: Mutex<Option<Connect>>,
    /// The host's capabilities: big, slow to get, and the same as long as its libvirtd lives.
    capabilities: Mutex<Option<String>>,
}

impl Connector {
    pub(crate) fn new(uri: &str, options: &Options) -> Self {
        Self {
            uri: uri.to_owned(),
            ssh: options.ssh.clone().filter(|_| ssh::goes_over_ssh(uri)),
            keep_alive_secs: options.keep_alive_secs,
            one_shot: options.one_shot,
            in_process: Mutex::new(None),
            capabilities: Mutex::new(None),
        }
    }

    /// The host's capabilities XML, asked for once until a connection is lost.
    pub(crate) fn capabilities(&self, connect: &Connect) -> Result<String> {
        if let Some(known) = &*self.lock_capabilities() {
            return Ok(known.clone());
        }
        let read = connect.capabilities()?;
        *self.lock_capabilities() = Some(read.clone());
        Ok(read)
    }

    /// A connection was lost: whoever answers next may be another libvirtd.
    pub(crate) fn note_loss(&self) {
        *self.lock_capabilities() = None;
    }

    fn lock_capabilities(&self) -> MutexGuard<'_, Option<String>> {
        self.capabilities
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection, or shares the one there can be. Blocks, on a hung libvirtd for good.
    pub(crate) fn open(&self) -> Result<Connect> {
        ffi::silence();
        if !self.one_shot {
            ffi::start_event_loop();
        }
        if !runs_in_process(&self.uri) {
            return self.open_new();
        }
        let mut shared = self
            .in_process
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connect) = &*shared {
            return Ok(connect.clone());
        }
        let connect = self.open_new()?;
        *shared = Some(connect.clone());
        Ok(connect)
    }

    /// The URI as others know the host: libvirt's word where there is no more in it than was given.
    pub(crate) fn told(&self, connect: &Connect) -> Result<String> {
        match &self.ssh {
            Some(_) => Ok(self.uri.clone()),
            None => Ok(connect.uri()?),
        }
    }

    fn open_new(&self) -> Result<Connect> {
        let uri = self.ssh.as_ref().map(|ssh| ssh.over(&self.uri));
        let connect = Connect::open(Some(uri.as_ref().unwrap_or(&self.uri)))?;
        if self.keep_alive_secs > 0 && !self.one_shot {
            let interval = i32::try_from(self.keep_alive_secs).unwrap_or(i32::MAX);
            // Drivers without a daemon have no use for it and refuse.
            let _ = connect.set_keep_alive(interval, KEEP_ALIVE_MISSES);
        }
        Ok(connect)
    }
}

/// The URI's driver needs no daemon: `test:///default`, `qemu:///embed?root=…`.
fn runs_in_process(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    scheme == "test" || (rest.starts_with("/embed") && !scheme.contains('+'))
}

/// The connection can still carry calls. Asks nobody.
pub(crate) fn is_alive(connect: &Connect) -> bool {
    connect.is_alive().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::runs_in_process;

    #[test]
    fn drivers_without_a_daemon_are_known_by_their_uri() {
        assert!(runs_in_process("test:///default"));
        assert!(runs_in_process("qemu:///embed?root=/tmp/x"));
        assert!(!runs_in_process("test+unix:///default?socket=/run/x"));
        assert!(!runs_in_process("qemu:///system"));
        assert!(!runs_in_process("qemu+ssh://hv2/embed"));
        assert!(!runs_in_process(""));
    }
}
