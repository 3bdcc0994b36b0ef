//! libvirt's URIs, as far as they say where a hypervisor is.

/// Whether a hypervisor is on another machine: its files are out of reach here.
///
/// Source: libvirt, "Connection URIs": a host, or a transport that goes to one.
pub fn is_remote(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    let transport = scheme.split_once('+').map(|(_, transport)| transport);
    match transport {
        Some("unix") => false,
        Some(_) => true,
        None => !rest.starts_with(['/', '?']) && !rest.is_empty(),
    }
}

/// What stands between `//` and the path of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// User on that machine.
    pub user: Option<&'a str>,
    /// Its name or address, without brackets; empty for this machine.
    pub host: &'a str,
    /// Port, as it is written.
    pub port: Option<&'a str>,
}

impl<'a> Authority<'a> {
    /// Reads it from a URI.
    pub fn of(uri: &'a str) -> Self {
        let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, rest) = match place.strip_prefix('[') {
            Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
            None => place
                .find(':')
                .map_or((place, ""), |colon| place.split_at(colon)),
        };
        let port = rest.strip_prefix(':').filter(|port| !port.is_empty());
        Self { user, host, port }
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, is_remote};

    #[test]
    fn a_transport_or_a_host_is_another_machine() {
        for uri in [
            "qemu+ssh://root@kvm2/system",
            "xen+tcp://xen1/",
            "qemu://kvm2/system",
            "qemu+tls:///system",
        ] {
            assert!(is_remote(uri), "{uri}");
        }
        for uri in [
            "qemu:///system",
            "xen:///",
            "qemu+unix:///system?socket=/run/x",
            "test:///default",
            "",
        ] {
            assert!(!is_remote(uri), "{uri}");
        }
    }

    #[test]
    fn user_host_and_port_are_found() {
        let of = |uri| {
            let Authority { user, host, port } = Authority::of(uri);
            (user.unwrap_or("-"), host, port.unwrap_or("-"))
        };
        assert_eq!(of("qemu:///system"), ("-", "", "-"));
        assert_eq!(of("qemu+unix:///system?socket=/run/a@b"), ("-", "", "-"));
        assert_eq!(
            of("qemu+ssh://root@hv2:2222/system"),
            ("root", "hv2", "2222")
        );
        assert_eq!(of("qemu+tcp://10.0.0.2/system"), ("-", "10.0.0.2", "-"));
        assert_eq!(
            of("qemu+tls://[fd00::2]:16514/system"),
            ("-", "fd00::2", "16514")
        );
        assert_eq!(of("xen+ssh://hv2:?x"), ("-", "hv2", "-"));
        assert_eq!(of("nonsense"), ("-", "", "-"));
    }
}
