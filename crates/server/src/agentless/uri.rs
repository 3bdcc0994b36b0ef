//! Which URIs are taken. What an administrator gives here is used by programs of this machine, so that only what is known
//! to be harmless passes.

use model::uri::Authority;
use thiserror::Error;

/// Longest URI.
const LONGEST: usize = 512;
/// Parameters that say where libvirt is on the other side, or how a connection is made. Others run programs here, or
/// leave checks out.
const PARAMETERS: [&str; 5] = ["socket", "netcat", "mode", "proxy", "tls_priority"];

/// How a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// On this machine.
    Local,
    /// Through ssh.
    Ssh,
    /// TLS, with the certificates that libvirt has been given.
    Tls,
    /// TCP, without any secrecy.
    Tcp,
}

/// Why a URI is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct BadUri {
    /// What is wrong with it.
    pub why: String,
    /// What to write instead.
    pub hint: &'static str,
}

/// Reads how a host is reached.
///
/// # Errors
/// The URI is none of libvirt's, or has something in it that is not taken.
pub fn check(uri: &str) -> Result<Transport, BadUri> {
    const HINT: &str =
        "Write for instance qemu+ssh://root@HOST/system, xen+tls://HOST/system or test:///default";
    let bad = |why: &str| BadUri {
        why: why.to_owned(),
        hint: HINT,
    };
    if uri.len() > LONGEST {
        return Err(bad("the URI is too long"));
    }
    if !uri.chars().all(|c| c.is_ascii_graphic()) {
        return Err(bad(
            "the URI has a space or another character that no URI has",
        ));
    }
    let (scheme, rest) = uri
        .split_once("://")
        .ok_or_else(|| bad("this is no libvirt URI"))?;
    let (driver, transport) = match scheme.split_once('+') {
        Some((driver, transport)) => (driver, Some(transport)),
        None => (scheme, None),
    };
    if !["qemu", "xen", "test"].contains(&driver) {
        return Err(bad(&format!(
            "there is no driver {driver} here; there are qemu, xen and test"
        )));
    }
    let to = Authority::of(uri);
    let transport = match transport {
        None if to.host.is_empty() => Transport::Local,
        None | Some("tls") => Transport::Tls,
        Some("unix") => Transport::Local,
        Some("ssh") => Transport::Ssh,
        Some("tcp") => Transport::Tcp,
        Some("libssh" | "libssh2") => {
            return Err(BadUri {
                why: "only ssh itself can be told which key of the host was confirmed".to_owned(),
                hint: "Write +ssh instead",
            });
        }
        Some(other) => {
            return Err(bad(&format!(
                "there is no transport {other} here; there are ssh, tls, tcp and unix"
            )));
        }
    };
    check_authority(&to, transport).map_err(|why| bad(&why))?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.contains('#') || query.contains('#') {
        return Err(bad("the URI has a #"));
    }
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let key = parameter.split('=').next().unwrap_or_default();
        if !PARAMETERS.contains(&key) {
            return Err(BadUri {
                why: format!(
                    "the parameter {key} is not taken; there are {}",
                    PARAMETERS.join(", ")
                ),
                hint: "Keys are given beside the URI: --key-file, --host-key",
            });
        }
    }
    Ok(transport)
}

fn check_authority(to: &Authority<'_>, transport: Transport) -> Result<(), String> {
    if transport == Transport::Local {
        return match (to.host, to.user) {
            ("", None) => Ok(()),
            _ => Err("a hypervisor of this machine has no host in its URI".to_owned()),
        };
    }
    if to.host.is_empty() {
        return Err("the URI names no host".to_owned());
    }
    // A word that begins with a dash would be an option of ssh.
    let fits = |word: &str, more: &str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':' || c == '_')
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !fits(to.host, ".-_:") {
        return Err(format!("{} is no name of a host", to.host));
    }
    match to.user {
        Some(user) if user.contains(':') => {
            return Err("a password does not belong into a URI; ssh uses keys".to_owned());
        }
        Some(user) if !fits(user, ".-_") => return Err(format!("{user} is no name of a user")),
        _ => {}
    }
    match to.port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(()),
        Some(_) => Err(format!("{} is no port", to.port.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libvirt_knows_is_taken() {
        for (uri, transport) in [
            ("qemu+ssh://root@h2/system", Transport::Ssh),
            (
                "qemu+ssh://h2.example.org:2222/system?socket=/run/x&mode=legacy",
                Transport::Ssh,
            ),
            ("xen+ssh://root@[fd00::2]/", Transport::Ssh),
            ("xen+tls://h2/system", Transport::Tls),
            ("qemu://h2/system", Transport::Tls),
            ("qemu+tcp://10.0.0.1/system", Transport::Tcp),
            ("qemu:///session", Transport::Local),
            ("qemu+unix:///system?socket=/run/x", Transport::Local),
            ("test:///default", Transport::Local),
        ] {
            assert_eq!(check(uri), Ok(transport), "{uri}");
        }
    }

    #[test]
    fn what_could_do_harm_is_refused() {
        for (uri, word) in [
            ("h2", "no libvirt URI"),
            ("esx://h2/", "driver esx"),
            ("qemu+ext://h2/system", "transport ext"),
            ("qemu+libssh2://h2/system", "ssh itself"),
            ("qemu+ssh:///system", "names no host"),
            ("qemu+ssh://-oProxyCommand=x/system", "no name of a host"),
            ("qemu+ssh://-l@h2/system", "no name of a user"),
            ("qemu+ssh://root:secret@h2/system", "password"),
            ("qemu+ssh://h2:0/system", "no port"),
            ("qemu+ssh://h2:99999/system", "no port"),
            ("qemu+ssh://h2/system?command=/bin/x", "command"),
            ("qemu+ssh://h2/system?no_verify=1", "no_verify"),
            ("qemu+tls://h2/system?pkipath=/x", "pkipath"),
            ("qemu+ssh://h2/system?keyfile=/x", "keyfile"),
            ("qemu+ssh://h2/sys tem", "space"),
            ("qemu+ssh://h2/\nsystem", "space"),
            ("qemu+ssh://h2/system#x", "#"),
            ("qemu+unix://h2/system", "no host in its URI"),
            (&format!("qemu+ssh://h2/{}", "x".repeat(600)), "too long"),
        ] {
            let refused = check(uri).expect_err(uri);
            assert!(refused.why.contains(word), "{uri}: {refused}");
            assert!(!refused.why.contains("secret"), "{refused}");
        }
    }
}
