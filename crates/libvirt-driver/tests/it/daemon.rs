//! A libvirtd of a test's own: in session mode, without root, with its own folders and sockets.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Debian's `nobody`: libvirtd runs in session mode only without root.
const NOBODY: u32 = 65534;

/// A private libvirtd. Dropping it ends it and removes its folder.
pub(crate) struct Daemon {
    folder: PathBuf,
    child: Child,
}

impl Daemon {
    /// Starts one; `None`, with the reason printed, where there is no libvirtd to start.
    pub(crate) fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !Path::new("/usr/sbin/libvirtd").exists() {
            let why = "no /usr/sbin/libvirtd here (Debian package libvirt-daemon)";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("skipped: {why}");
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short, because the path of a socket ends at 107 bytes.
        let folder = PathBuf::from(format!("/tmp/lv-{}-{number}", std::process::id()));
        fs::create_dir(&folder).expect("a new folder");
        for part in ["", "run", "config", "cache", "data", "pool"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).expect("a folder");
            if is_root() {
                chown(&path, Some(NOBODY), Some(NOBODY)).expect("root may give folders away");
            }
        }
        let child = spawn(&folder);
        let daemon = Self { folder, child };
        daemon.wait_for_socket();
        Some(daemon)
    }

    /// The URI of a driver inside it, `test:///default` or `qemu:///session`.
    pub(crate) fn uri(&self, driver: &str) -> String {
        let (scheme, path) = driver.split_once("://").expect("a URI");
        let socket = self.socket();
        format!("{scheme}+unix://{path}?socket={}", socket.display())
    }

    /// A folder it may write to.
    pub(crate) fn pool_folder(&self) -> PathBuf {
        self.folder.join("pool")
    }

    /// Kills it, as the machine's memory watchdog would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Starts it again after [`kill`](Self::kill). Returns as soon as it accepts connections.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.folder);
        self.wait_for_socket();
    }

    /// Makes it hang.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill")
            .args([format!("-{signal}"), self.child.id().to_string()])
            .status();
        assert!(done.expect("kill runs").success());
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("run/libvirt/libvirt-sock")
    }

    fn wait_for_socket(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            assert!(
                Instant::now() < until,
                "libvirtd does not listen; see {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Guests outlive their libvirtd. Those of a failed test end here, by the process ids that libvirtd has noted.
    fn end_guests(&self) {
        let notes = fs::read_dir(self.folder.join("run/libvirt/qemu/run"));
        for note in notes.into_iter().flatten().flatten() {
            let id = fs::read_to_string(note.path()).unwrap_or_default();
            let command = fs::read(format!("/proc/{}/cmdline", id.trim())).unwrap_or_default();
            let ours = self.folder.to_string_lossy();
            if String::from_utf8_lossy(&command).contains(&*ours) {
                let _ = Command::new("kill").args(["-KILL", id.trim()]).status();
            }
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A stopped process is killed all the same.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.end_guests();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

fn spawn(folder: &Path) -> Child {
    let log = fs::File::create(folder.join("log")).expect("a log");
    let mut command = Command::new("/usr/sbin/libvirtd");
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.spawn().expect("libvirtd starts")
}
