//! The host that is served: its URI, its name, its folders and its configuration.

use crate::config::{ConfigError, MinionConfig};
use crate::options::HostOptions;
use agent::grains::{self, OwnGrains};
use agent::{Minion, Received};
use libvirt_driver::{LibvirtHypervisor, Ssh};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use tree::{Root, Roots};

/// What the process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// One call, and it ends.
    OneCall,
    /// It goes on, and hears of what happens on the host.
    Agent,
}

/// How the hypervisor is reached.
#[derive(Debug, Default)]
pub struct Way {
    /// Its URI; without one the configuration's, else what this machine is.
    pub uri: Option<String>,
    /// Over ssh, and how.
    pub ssh: Option<Ssh>,
}

impl From<Option<String>> for Way {
    fn from(uri: Option<String>) -> Self {
        Self { uri, ssh: None }
    }
}

const CONFIG_DIR: &str = "/etc/salt";
const FILE_ROOT: &str = "/srv/salt";
const PILLAR_ROOT: &str = "/srv/pillar";

/// The host as the options and its configuration describe it; the options have the last word. Nothing is opened yet:
/// libvirt is reached when it is first needed. Without folders of its own it reads what a server has sent, once one has.
///
/// # Errors
/// The configuration cannot be read, or says something that cannot be.
pub fn minion(
    options: HostOptions,
    way: impl Into<Way>,
    state_dir: PathBuf,
    life: Life,
) -> Result<Minion, ConfigError> {
    let (folder, config) = match options.config_dir {
        None => (
            PathBuf::from(CONFIG_DIR),
            MinionConfig::read(CONFIG_DIR.as_ref())?,
        ),
        Some(given) => {
            let config = MinionConfig::read_given(&given)?;
            (given, config)
        }
    };
    let Way { uri, ssh } = way.into();
    let uri = uri.or(config.uri);
    let uri = uri.unwrap_or_else(|| default_uri().to_owned());
    let id = options.id.or(config.id).unwrap_or_else(grains::host_name);
    let driver = libvirt_driver::Options {
        host_name: Some(id.clone()),
        ssh,
        one_shot: life == Life::OneCall,
        ..libvirt_driver::Options::default()
    };
    let hypervisor = Arc::new(LibvirtHypervisor::open(&uri, driver));
    let given = !options.file_root.is_empty() || !options.pillar_root.is_empty();
    let own = given || config.is_local;
    let received = (!own).then(|| Arc::new(Received::new(&state_dir)));
    Ok(Minion {
        received,
        files: roots(options.file_root, config.file_roots, FILE_ROOT),
        pillar: roots(options.pillar_root, config.pillar_roots, PILLAR_ROOT),
        config: config.values,
        own_grains: OwnGrains {
            file: folder.join("grains"),
            configured: config.grains,
        },
        ..Minion::new(id, hypervisor, uri, state_dir)
    })
}

fn roots(given: Vec<Root>, configured: Option<Roots>, default: &str) -> Roots {
    if given.is_empty() {
        configured.unwrap_or_else(|| Roots::new([PathBuf::from(default)]))
    } else {
        Roots::given(given)
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
