//! Reading what a host says of itself.

use crate::connection::Connector;
use crate::failure::Result;
use hypervisor::Versions;
use model::{Bytes, HostFacts};
use virt::connect::Connect;

/// The host's facts. `name` overrides the one that libvirt tells.
pub(crate) fn facts(
    connect: &Connect,
    connector: &Connector,
    name: Option<&str>,
) -> Result<HostFacts> {
    let node = connect.node_info()?;
    let capabilities = domxml::capabilities::read(&connector.capabilities(connect)?)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => connect.hostname()?,
    };
    let versions = versions(connect, connector)?;
    Ok(HostFacts {
        name,
        uri: versions.uri,
        hypervisor: versions.hypervisor,
        hypervisor_version: versions.hypervisor_version,
        libvirt_version: versions.libvirt_version,
        cpus: node.cpus,
        cpu_model: if capabilities.cpu_model.is_empty() {
            node.model
        } else {
            capabilities.cpu_model.clone()
        },
        arch: capabilities.arch.clone(),
        memory: Bytes::from_kib(node.memory),
        accelerated: capabilities.accelerated(),
        domain_types: capabilities.domain_types(),
        grains: String::new(),
    })
}

/// What runs on the host, without the capabilities.
pub(crate) fn versions(connect: &Connect, connector: &Connector) -> Result<Versions> {
    Ok(Versions {
        uri: connector.told(connect)?,
        hypervisor: connect.driver_type()?,
        hypervisor_version: connect.hyp_version().map(version).unwrap_or_default(),
        libvirt_version: connect.lib_version().map(version).unwrap_or_default(),
    })
}

/// libvirt writes 9.0.0 as 9000000. 0 means that it does not know.
fn version(number: u32) -> String {
    if number == 0 {
        return String::new();
    }
    let (major, minor, release) = (number / 1_000_000, number / 1000 % 1000, number % 1000);
    format!("{major}.{minor}.{release}")
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_taken_apart() {
        assert_eq!(version(9_000_000), "9.0.0");
        assert_eq!(version(7_002_022), "7.2.22");
        assert_eq!(version(0), "");
    }
}
