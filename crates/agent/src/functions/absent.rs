//! What Salt's `virt` modules have and this program has not, each with its reason.

/// Functions with the reason why they are left out. Source: Salt 3008, `saltext.virt`.
pub(super) const FUNCTIONS: &[(&str, &str)] = &[
    (
        "virt.all_capabilities",
        "domain capabilities are not read; virsh domcapabilities tells them",
    ),
    (
        "virt.capabilities",
        "the parsed form is not offered; virsh capabilities tells it",
    ),
    ("virt.cpu_baseline", "comparing CPU models is not offered"),
    (
        "virt.domain_capabilities",
        "domain capabilities are not read; virsh domcapabilities tells them",
    ),
    (
        "virt.get_profiles",
        "profiles are read where a state names them; config.get virt:disk and virt:nic show them",
    ),
    (
        "virt.migrate",
        "moving VMs between hosts is not offered in this version",
    ),
    (
        "virt.migrate_start_postcopy",
        "moving VMs between hosts is not offered in this version",
    ),
    (
        "virt.node_devices",
        "devices of the host are not read in this version",
    ),
    (
        "virt.pool_capabilities",
        "kinds of pools are not asked for; a state with one that libvirt lacks fails with its words",
    ),
    (
        "virt.seed_non_shared_migrate",
        "moving VMs between hosts is not offered in this version",
    ),
    (
        "virt.vm_cputime",
        "counters are not read in this version; virsh domstats tells them",
    ),
    (
        "virt.vm_diskstats",
        "counters are not read in this version; virsh domstats tells them",
    ),
    (
        "virt.vm_netstats",
        "counters are not read in this version; virsh domstats tells them",
    ),
];

/// Virt states that Salt has.
#[cfg(test)]
pub(super) const STATES_OF_SALT: &[&str] = &[
    "defined",
    "keys",
    "network_defined",
    "network_running",
    "pool_defined",
    "pool_deleted",
    "pool_running",
    "powered_off",
    "rebooted",
    "reverted",
    "running",
    "saved",
    "snapshot",
    "stopped",
    "unpowered",
    "volume_defined",
];

/// Why Salt's function of this name is not here.
pub(super) fn reason(fun: &str) -> Option<&'static str> {
    FUNCTIONS
        .iter()
        .find(|(name, _)| *name == fun)
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_there_and_absent() {
        for (name, _) in FUNCTIONS {
            assert!(super::super::find(name).is_none(), "{name}");
        }
    }
}
