//! Hosts that are reached over ssh: how libvirt is made to check their key, and the way to their consoles.
//!
//! libvirt starts `ssh` by itself, once for each connection, and by itself it takes whatever key the host shows. So it
//! is told to start a script of ours instead, which adds what must not be left out.

use crate::failure::{Failure, Result};
use hypervisor::{Console, Reason};
use model::uri::Authority;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Name of the script.
const SCRIPT: &str = "ssh";

/// How a host is reached over ssh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    script: PathBuf,
    key_file: Option<PathBuf>,
}

impl Ssh {
    /// Writes the script into `folder`. Over it a host is believed only if it shows a key of the file `known_hosts`;
    /// nobody is ever asked for a password.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn prepare(folder: &Path, known_hosts: &Path, key_file: Option<&Path>) -> io::Result<Self> {
        let script = folder.join(SCRIPT);
        let fresh = script.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o700)
            .open(&fresh)?;
        file.write_all(text(known_hosts, key_file).as_bytes())?;
        drop(file);
        // A script that runs cannot be written to; one with its name can take its place.
        fs::rename(&fresh, &script)?;
        let key_file = key_file.map(Path::to_owned);
        Ok(Self { script, key_file })
    }

    /// The URI with what makes libvirt start the script.
    pub(crate) fn over(&self, uri: &str) -> String {
        let joint = if uri.contains('?') { '&' } else { '?' };
        // libvirt would ask for a password where it has a terminal.
        let mut told = format!("{uri}{joint}no_tty=1&command=");
        told.extend(escaped(&self.script));
        if let Some(key_file) = &self.key_file {
            told.push_str("&keyfile=");
            told.extend(escaped(key_file));
        }
        told
    }

    /// Connects to a port that only the host itself can reach.
    ///
    /// # Errors
    /// The script cannot be started. Why the host or the port is not reached is not told: the stream ends.
    pub(crate) fn forward(&self, uri: &str, address: &str, port: u16) -> Result<Box<dyn Console>> {
        let to = Authority::of(uri);
        let address = match address.contains(':') {
            true => format!("[{address}]"),
            false => address.to_owned(),
        };
        let mut command = Command::new(&self.script);
        command.args(options(to));
        if let Some(key_file) = &self.key_file {
            command.arg("-i").arg(key_file);
        }
        let child = command
            .args(["-W", &format!("{address}:{port}"), "--", to.host])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let failed = |error: io::Error| {
            let message = format!("cannot start {}: {error}", self.script.display());
            Failure::new(Reason::Refused, message)
        };
        let mut child = child.map_err(failed)?;
        let missing = || failed(io::Error::other("it has no input and output"));
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        Ok(Box::new(Forward {
            input,
            output,
            _child: child,
        }))
    }
}

/// Whether libvirt starts ssh for the URI.
pub(crate) fn goes_over_ssh(uri: &str) -> bool {
    uri.split_once("://")
        .is_some_and(|(scheme, _)| scheme.ends_with("+ssh"))
}

fn options<'a>(to: Authority<'a>) -> impl Iterator<Item = &'a str> {
    let port = to.port.into_iter().flat_map(|port| ["-p", port]);
    let user = to.user.into_iter().flat_map(|user| ["-l", user]);
    port.chain(user)
}

/// Only the key that was confirmed counts. An ssh that gets no answer ends, so that no connection hangs for good. Of
/// what ssh says only the end is passed on: libvirt takes a kilobyte or nothing, and a host with another key makes ssh say
/// more than that.
fn text(known_hosts: &Path, key_file: Option<&Path>) -> String {
    let mut options = vec![
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        format!("UserKnownHostsFile={}", known_hosts.display()),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "CheckHostIP=no".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "VerifyHostKeyDNS=no".to_owned(),
        "ConnectTimeout=10".to_owned(),
        "ServerAliveInterval=5".to_owned(),
        "ServerAliveCountMax=3".to_owned(),
    ];
    if key_file.is_some() {
        options.push("IdentitiesOnly=yes".to_owned());
    }
    let options = options
        .iter()
        .map(|option| format!(" -o {}", quoted(option)));
    let options: String = options.collect();
    format!(
        "#!/bin/sh\n# Written anew at each start.\n\
         {{ ssh{options} \"$@\" 2>&1 >&3 3>&- | tail -n 2 >&2; }} 3>&1\n"
    )
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// For the query of a URI. Source: RFC 3986, unreserved characters.
fn escaped(path: &Path) -> impl Iterator<Item = char> {
    let text = path.to_string_lossy().into_owned();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    let escape = move |byte: u8| match plain(&byte) {
        true => vec![char::from(byte)],
        false => format!("%{byte:02X}").chars().collect(),
    };
    text.into_bytes().into_iter().flat_map(escape)
}

/// A port of the host, through an ssh that lives as long as this.
struct Forward {
    input: ChildStdin,
    output: ChildStdout,
    _child: Child,
}

impl AsyncRead for Forward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Forward {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn libvirt_is_told_of_the_script() {
        let ssh = Ssh {
            script: PathBuf::from("/var/lib/a b/ssh"),
            key_file: Some(PathBuf::from("/root/.ssh/id&1")),
        };
        assert_eq!(
            ssh.over("qemu+ssh://root@hv2/system"),
            "qemu+ssh://root@hv2/system?no_tty=1&command=/var/lib/a%20b/ssh&keyfile=/root/.ssh/id%261"
        );
        let with_query = ssh.over("xen+ssh://hv2/?socket=/x");
        assert!(with_query.starts_with("xen+ssh://hv2/?socket=/x&no_tty=1&command="));
        assert!(goes_over_ssh("qemu+ssh://hv2/system"));
        for other in [
            "qemu:///system",
            "qemu+tls://hv2/system",
            "qemu+libssh://hv2/system",
        ] {
            assert!(!goes_over_ssh(other), "{other}");
        }
    }

    /// The script with another program in the place of ssh.
    fn prepare(folder: &Path, instead: &str) -> Ssh {
        let known = folder.join("it's known");
        let key = Path::new("/root/key");
        let ssh = Ssh::prepare(folder, &known, Some(key)).expect("it is written");
        let script = fs::read_to_string(folder.join(SCRIPT)).expect("it is there");
        let changed = script.replace("{ ssh", &format!("{{ {instead}"));
        fs::write(folder.join(SCRIPT), changed).expect("it is written");
        ssh
    }

    #[tokio::test]
    async fn the_script_leaves_out_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let ssh = prepare(folder.path(), "printf '%s\\n'");
        let uri = "qemu+ssh://root@[fd00::2]:2222/system";
        let mut stream = ssh.forward(uri, "::1", 5901).expect("it starts");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("it is read");
        let known = format!("UserKnownHostsFile={}/it's known", folder.path().display());
        let words: Vec<&str> = said.lines().collect();
        for wanted in [
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            &known,
        ] {
            assert!(words.contains(&wanted), "{wanted} is not in {said}");
        }
        let end = words.iter().position(|word| *word == "-p");
        let end = end.expect("the port is given");
        assert_eq!(
            words[end..],
            [
                "-p",
                "2222",
                "-l",
                "root",
                "-i",
                "/root/key",
                "-W",
                "[::1]:5901",
                "--",
                "fd00::2"
            ]
        );
    }

    #[tokio::test]
    async fn bytes_go_both_ways() {
        let folder = tempfile::tempdir().expect("a folder");
        let ssh = prepare(folder.path(), "sh -c cat");
        let uri = "qemu+ssh://hv2/system";
        let mut stream = ssh.forward(uri, "127.0.0.1", 5900).expect("it starts");
        stream
            .write_all(b"RFB 003.008\n")
            .await
            .expect("it is taken");
        stream.flush().await.expect("it is taken");
        let mut back = [0; 12];
        stream.read_exact(&mut back).await.expect("it comes back");
        assert_eq!(&back, b"RFB 003.008\n");
    }
}
