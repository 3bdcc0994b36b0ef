//! libvirt's URIs, as far as they say where a hypervisor is.

/// Whether a hypervisor is on another machine: its files are out of reach here.
///
/// Source: libvirt, "Connection URIs": a host, or a transport that goes to one.
pub fn is_remote(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    let transport = scheme.split_once('+').map(|(_, transport)| transport);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    match transport {
        Some("unix") => false,
        Some(_) => true,
        None => !host.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_remote;

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
}
