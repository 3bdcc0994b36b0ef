//! Grains: what the host is, in Salt's words.
//!
//! Read from /proc, /sys and /etc in well under a millisecond; only the versions of libvirt and hypervisor cost calls,
//! and without libvirt they are absent. Of a host on another machine only libvirt can tell: what it does not know is
//! absent.

use crate::minion::Minion;
use hypervisor::Versions;
use model::HostFacts;
use serde_json::{Value, json};
use sls::Map;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Grains that an administrator writes down, as for a minion of Salt. They go before what is found on the host.
#[derive(Debug, Clone)]
pub struct OwnGrains {
    /// A file that may have some. It is read each time.
    pub file: PathBuf,
    /// Those of the configuration, which go before the file's.
    pub configured: Map,
}

impl Default for OwnGrains {
    fn default() -> Self {
        Self {
            file: PathBuf::from("/etc/salt/grains"),
            configured: Map::new(),
        }
    }
}

/// All grains of the host. Without a hypervisor that answers, its versions are absent.
pub async fn read(minion: &Minion) -> Value {
    if minion.is_remote() {
        let facts = minion.hypervisor.facts().await.ok();
        return remote(&minion.id, &minion.uri, &minion.own_grains, facts.as_ref());
    }
    let versions = minion.hypervisor.versions().await.ok();
    with_versions(&minion.id, &minion.own_grains, versions)
}

/// The grains of the host `id`, with these versions.
pub fn with_versions(id: &str, own: &OwnGrains, versions: Option<Versions>) -> Value {
    let mut grains = local(id, own);
    if let Some(versions) = versions {
        merge(&mut grains, of_versions(versions));
    }
    grains
}

fn of_versions(versions: Versions) -> Value {
    json!({
        "libvirt_version": versions.libvirt_version,
        "libvirt_uri": versions.uri,
        "hypervisor": versions.hypervisor,
        "hypervisor_version": versions.hypervisor_version,
    })
}

/// The grains of a host that tells these facts.
pub fn with_facts(facts: &HostFacts, own: &OwnGrains) -> Value {
    if model::uri::is_remote(&facts.uri) {
        return remote(&facts.name, &facts.uri, own, Some(facts));
    }
    with_versions(&facts.name, own, Some(versions_of(facts)))
}

fn versions_of(facts: &HostFacts) -> Versions {
    Versions {
        uri: facts.uri.clone(),
        hypervisor: facts.hypervisor.clone(),
        hypervisor_version: facts.hypervisor_version.clone(),
        libvirt_version: facts.libvirt_version.clone(),
    }
}

/// The grains of the host behind `uri`.
fn remote(id: &str, uri: &str, own: &OwnGrains, facts: Option<&HostFacts>) -> Value {
    let place = model::uri::Authority::of(uri).host;
    let address: Option<IpAddr> = place.parse().ok();
    let name = if address.is_some() { id } else { place };
    let of_kind = |wanted: fn(&IpAddr) -> bool| -> Value {
        let addresses = address.filter(wanted).into_iter();
        addresses.map(|address| address.to_string()).collect()
    };
    let mut grains = json!({
        "id": id,
        "host": name.split('.').next().unwrap_or_default(),
        "nodename": name,
        "fqdn": name,
        "virtual": "physical",
        "ipv4": of_kind(IpAddr::is_ipv4),
        "ipv6": of_kind(IpAddr::is_ipv6),
    });
    if let Some(facts) = facts {
        let more = json!({
            "cpuarch": facts.arch,
            "cpu_model": facts.cpu_model,
            "num_cpus": facts.cpus,
            "mem_total": facts.memory.mib(),
        });
        merge(&mut grains, more);
        if facts.hypervisor == "Xen" {
            merge(&mut grains, control_domain());
        }
        merge(&mut grains, of_versions(versions_of(facts)));
    }
    with_own(grains, own)
}

/// The host's name, with its domain where one is known.
pub fn host_name() -> String {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    fqdn(&text("/proc/sys/kernel/hostname"), &hosts)
}

/// The grains that need no hypervisor.
fn local(id: &str, own: &OwnGrains) -> Value {
    let host = text("/proc/sys/kernel/hostname");
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let addresses = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let mut grains = json!({
        "id": id,
        "host": host.split('.').next().unwrap_or_default(),
        "nodename": host,
        "fqdn": fqdn(&host, &hosts),
        "kernel": "Linux",
        "kernelrelease": text("/proc/sys/kernel/osrelease"),
        "cpuarch": std::env::consts::ARCH,
        "num_cpus": std::thread::available_parallelism().map_or(1, usize::from),
        "mem_total": mem_total_mib(&memory),
        "virtual": "physical",
        "ipv4": local_ipv4(&addresses),
        "ipv6": local_ipv6(&text("/proc/net/if_inet6")),
    });
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    merge(&mut grains, os(&release));
    merge(&mut grains, virtual_kind());
    with_own(grains, own)
}

/// With an administrator's own. The name is not theirs to change.
fn with_own(mut grains: Value, own: &OwnGrains) -> Value {
    let id = grains["id"].take();
    match sls::yaml::load(&std::fs::read_to_string(&own.file).unwrap_or_default()) {
        Ok(written @ Value::Object(_)) => merge(&mut grains, written),
        Ok(_) => {}
        Err(error) => {
            let file = own.file.display();
            tracing::warn!("Cannot read the grains in {file}: {error}");
        }
    }
    merge(&mut grains, Value::Object(own.configured.clone()));
    grains["id"] = id;
    grains
}

fn merge(grains: &mut Value, more: Value) {
    sls::lookup::merge(grains, more, false);
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The host's name with its domain, if the name or /etc/hosts has one. No resolver is asked: it may take seconds.
fn fqdn(host: &str, hosts: &str) -> String {
    if host.contains('.') {
        return host.to_owned();
    }
    let lines = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    for line in lines {
        let names: Vec<&str> = line.split_whitespace().skip(1).collect();
        if names.contains(&host)
            && let Some(full) = names
                .iter()
                .find(|name| name.starts_with(host) && name.contains('.'))
        {
            return (*full).to_owned();
        }
    }
    host.to_owned()
}

fn mem_total_mib(meminfo: &str) -> u64 {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// The addresses of `/proc/net/if_inet6`: 32 digits each, then other columns.
fn local_ipv6(if_inet6: &str) -> Vec<String> {
    let address = |line: &str| {
        let digits = line.split_whitespace().next()?;
        let bits = u128::from_str_radix(digits, 16).ok()?;
        (digits.len() == 32).then(|| std::net::Ipv6Addr::from(bits))
    };
    let mut addresses: Vec<_> = if_inet6.lines().filter_map(address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.iter().map(ToString::to_string).collect()
}

/// The host's own addresses: the leaves that the kernel calls `/32 host LOCAL`.
fn local_ipv4(fib_trie: &str) -> Vec<String> {
    let mut addresses: Vec<std::net::Ipv4Addr> = Vec::new();
    let mut leaf: Option<std::net::Ipv4Addr> = None;
    for line in fib_trie.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            leaf = address.trim().parse().ok();
        } else if line.contains("/32 host LOCAL") {
            addresses.extend(leaf);
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses.iter().map(ToString::to_string).collect()
}

/// Source: os-release(5); Salt's names of systems and families.
fn os(release: &str) -> Value {
    let field = |name: &str| {
        let line = release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default()
            .trim()
            .trim_matches(['"', '\''])
            .to_owned()
    };
    let id = field("ID");
    let (os, family) = match id.as_str() {
        "debian" => ("Debian", "Debian"),
        "ubuntu" => ("Ubuntu", "Debian"),
        "fedora" => ("Fedora", "RedHat"),
        "rhel" => ("RedHat", "RedHat"),
        "centos" => ("CentOS", "RedHat"),
        "rocky" => ("Rocky", "RedHat"),
        "almalinux" => ("AlmaLinux", "RedHat"),
        "arch" => ("Arch", "Arch"),
        "alpine" => ("Alpine", "Alpine"),
        _ if id.starts_with("opensuse") || id.starts_with("sle") => ("SUSE", "Suse"),
        _ => (id.as_str(), id.as_str()),
    };
    let version = field("VERSION_ID");
    let major: Value = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u64>().ok())
        .map_or(json!(version), |major| json!(major));
    json!({
        "os": os,
        "os_family": family,
        "osfullname": field("NAME"),
        "oscodename": field("VERSION_CODENAME"),
        "osrelease": version,
        "osmajorrelease": major,
    })
}

fn control_domain() -> Value {
    json!({"virtual": "xen", "virtual_subtype": "Xen Dom0"})
}

/// Whether the host is a machine, a guest or a Xen control domain.
fn virtual_kind() -> Value {
    if text("/proc/xen/capabilities").contains("control_d") {
        return control_domain();
    }
    let vendor = text("/sys/class/dmi/id/sys_vendor");
    let kind = match vendor.as_str() {
        "QEMU" => "kvm",
        "VMware, Inc." => "VMware",
        "innotek GmbH" => "VirtualBox",
        "Xen" => "xen",
        "Microsoft Corporation" => "VirtualPC",
        _ => "physical",
    };
    json!({ "virtual": kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_named_as_salt_names_it() {
        let grains = os(
            "PRETTY_NAME=\"Debian GNU/Linux 12\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\nVERSION_CODENAME=bookworm\n",
        );
        assert_eq!(grains["os"], "Debian");
        assert_eq!(grains["os_family"], "Debian");
        assert_eq!(grains["osmajorrelease"], 12);
        let grains = os("ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"\n");
        assert_eq!(
            (&grains["os_family"], &grains["osmajorrelease"]),
            (&json!("Suse"), &json!(15))
        );
    }

    #[test]
    fn an_administrators_own_go_first() {
        let found = json!({ "id": "kvm1", "os": "Debian" });
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut own = OwnGrains {
            file: folder.path().join("grains"),
            configured: Map::new(),
        };
        let write = |yaml| std::fs::write(&own.file, yaml).expect("a file for the test");
        for useless in ["", "- a\n", "a: [\n"] {
            write(useless);
            assert_eq!(with_own(found.clone(), &own), found, "{useless}");
        }
        write("id: other\nos: Mine\nroles: [web]\n");
        let with = with_own(found.clone(), &own);
        assert_eq!(
            with,
            json!({ "id": "kvm1", "os": "Mine", "roles": ["web"] })
        );

        let configured = json!({ "id": "third", "os": "Ours" });
        own.configured = configured.as_object().cloned().expect("a dictionary");
        let with = with_own(found, &own);
        assert_eq!(
            with,
            json!({ "id": "kvm1", "os": "Ours", "roles": ["web"] })
        );
    }

    #[test]
    fn a_remote_host_has_the_grains_that_libvirt_knows() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let own = OwnGrains {
            file: folder.path().join("grains"),
            configured: Map::new(),
        };
        std::fs::write(&own.file, "os: SUSE\n").expect("a file for the test");
        let mut facts = HostFacts {
            name: "xen1".to_owned(),
            uri: "xen+ssh://root@10.0.0.7:2222/system".to_owned(),
            hypervisor: "Xen".to_owned(),
            hypervisor_version: "4.17.0".to_owned(),
            libvirt_version: "9.0.0".to_owned(),
            cpus: 8,
            cpu_model: "EPYC".to_owned(),
            arch: "x86_64".to_owned(),
            memory: model::Bytes::from_mib(4096),
            accelerated: true,
            domain_types: vec!["xen".to_owned()],
            grains: String::new(),
        };
        assert_eq!(
            with_facts(&facts, &own),
            json!({
                "id": "xen1", "host": "xen1", "nodename": "xen1", "fqdn": "xen1", "ipv4": ["10.0.0.7"], "ipv6": [],
                "virtual": "xen", "virtual_subtype": "Xen Dom0", "os": "SUSE", "cpuarch": "x86_64", "cpu_model": "EPYC",
                "num_cpus": 8, "mem_total": 4096, "libvirt_version": "9.0.0", "hypervisor": "Xen",
                "hypervisor_version": "4.17.0", "libvirt_uri": "xen+ssh://root@10.0.0.7:2222/system",
            })
        );
        facts.uri = "qemu+tls://kvm2.example.org/system".to_owned();
        facts.hypervisor = "QEMU".to_owned();
        let grains = with_facts(&facts, &own);
        assert_eq!(
            (
                &grains["fqdn"],
                &grains["host"],
                &grains["virtual"],
                &grains["ipv4"]
            ),
            (
                &json!("kvm2.example.org"),
                &json!("kvm2"),
                &json!("physical"),
                &json!([])
            )
        );
    }

    #[test]
    fn names_and_addresses_are_read() {
        assert_eq!(
            fqdn(
                "kvm1",
                "127.0.0.1 localhost\n127.0.1.1 kvm1.tf.local kvm1 # this host\n"
            ),
            "kvm1.tf.local"
        );
        assert_eq!(fqdn("kvm1", ""), "kvm1");
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.5\n        /32 host LOCAL\n     |-- 10.0.0.255\n        /32 link BROADCAST\n";
        assert_eq!(local_ipv4(trie), ["10.0.0.5"]);
        let inet6 = "00000000000000000000000000000001 01 80 10 80       lo\nfe800000000000005054fffe12345678 02 40 20 80 eth0\nrubbish\n";
        assert_eq!(local_ipv6(inet6), ["::1", "fe80::5054:fffe:1234:5678"]);
        assert_eq!(
            mem_total_mib("MemTotal:        8046508 kB\nMemFree: 1 kB\n"),
            7857
        );
    }
}
