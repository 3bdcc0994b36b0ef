//! Which hosts have a session, and how to reach it.

use model::HostId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A console that a session is to ask its agent for.
#[derive(Debug)]
pub struct OpenTunnel {
    /// Names the tunnel when the agent calls back.
    pub id: Uuid,
    /// libvirt's UUID of the VM.
    pub vm: Uuid,
}

/// How to reach a session.
#[derive(Debug, Clone)]
pub struct Handle {
    /// Since which epoch.
    pub epoch: u64,
    /// Something of its queue has changed.
    pub wake: Arc<Notify>,
    /// Consoles to be opened; full when the session does not get along, and the console then fails.
    pub tunnels: mpsc::Sender<OpenTunnel>,
    /// Ends it: a newer one has come.
    pub replaced: CancellationToken,
}

/// Open sessions by host.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<HostId, Handle>>);

impl Sessions {
    /// Enters a session. A newer one always wins: the older is ended. False when this is the older one.
    pub fn enter(&self, host: HostId, handle: Handle) -> bool {
        let mut sessions = self.0.lock().expect("no holder panics");
        if sessions
            .get(&host)
            .is_some_and(|other| other.epoch > handle.epoch)
        {
            return false;
        }
        if let Some(older) = sessions.insert(host, handle) {
            older.replaced.cancel();
        }
        true
    }

    /// Forgets a session, unless a newer one has taken its place.
    pub fn leave(&self, host: HostId, epoch: u64) {
        let mut sessions = self.0.lock().expect("no holder panics");
        if sessions
            .get(&host)
            .is_some_and(|handle| handle.epoch == epoch)
        {
            sessions.remove(&host);
        }
    }

    /// Tells a host's session to look at its queue; false if there is none here. The next one looks by itself.
    pub fn wake(&self, host: HostId) -> bool {
        let handle = self.find(host);
        if let Some(handle) = &handle {
            handle.wake.notify_one();
        }
        handle.is_some()
    }

    /// Tells every session to look at its queue.
    pub fn wake_all(&self) {
        for handle in self.0.lock().expect("no holder panics").values() {
            handle.wake.notify_one();
        }
    }

    /// A host's session.
    pub fn find(&self, host: HostId) -> Option<Handle> {
        self.0.lock().expect("no holder panics").get(&host).cloned()
    }
}
