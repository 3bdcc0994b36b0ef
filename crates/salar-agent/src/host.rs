//! The host that is served: its URI, its name and its folders.

use crate::options::HostOptions;
use agent::{Minion, Received, grains};
use libvirt_driver::LibvirtHypervisor;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use tree::Roots;

/// What the process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// One call, and it ends.
    OneCall,
    /// It goes on, and hears of what happens on the host.
    Agent,
}

const FILE_ROOT: &str = "/srv/salt";
const PILLAR_ROOT: &str = "/srv/pillar";

/// The host as the options describe it. Nothing is opened yet: libvirt is reached when it is first needed. Without folders
/// of its own it reads what a server has sent, once one has.
pub fn minion(options: HostOptions, uri: Option<String>, state_dir: PathBuf, life: Life) -> Minion {
    let uri = uri.unwrap_or_else(|| default_uri().to_owned());
    let id = options.id.unwrap_or_else(grains::host_name);
    let driver = libvirt_driver::Options {
        host_name: Some(id.clone()),
        one_shot: life == Life::OneCall,
        ..libvirt_driver::Options::default()
    };
    let hypervisor = Arc::new(LibvirtHypervisor::open(&uri, driver));
    let given = !options.file_root.is_empty() || !options.pillar_root.is_empty();
    let received = (!given).then(|| Arc::new(Received::new(&state_dir)));
    Minion {
        received,
        files: roots(options.file_root, FILE_ROOT),
        pillar: roots(options.pillar_root, PILLAR_ROOT),
        ..Minion::new(id, hypervisor, uri, state_dir)
    }
}

fn roots(given: Vec<PathBuf>, default: &str) -> Roots {
    if given.is_empty() {
        Roots::new([PathBuf::from(default)])
    } else {
        Roots::new(given)
    }
}

/// Xen where this is its control domain, else QEMU with or without KVM.
fn default_uri() -> &'static str {
    let is = |path: &str, word: &str| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(word))
    };
    if is("/sys/hypervisor/type", "xen") && is("/proc/xen/capabilities", "control_d") {
        "xen:///system"
    } else {
        "qemu:///system"
    }
}

/// Where a call keeps its locks and images: the agent's folder for root, one's own otherwise.
pub fn default_state_dir() -> PathBuf {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if is_root {
        return PathBuf::from("/var/lib/salar/agent");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    state.unwrap_or_else(std::env::temp_dir).join("salar/agent")
}
