//! Definitions of simulated VMs.

use uuid::Uuid;

const ROLES: [&str; 8] = [
    "web", "db", "mail", "build", "cache", "proxy", "desk", "test",
];

/// The name of the VM with this number: `web-00001`…
pub(crate) fn name(number: usize) -> String {
    format!("{}-{number:05}", ROLES[number % ROLES.len()])
}

/// Its definition: the same in every run.
pub(crate) fn definition(number: usize, is_xen: bool) -> String {
    let name = name(number);
    let uuid = Uuid::new_v5(
        &Uuid::NAMESPACE_DNS,
        format!("{name}.simulated.example").as_bytes(),
    );
    let role = ROLES[number % ROLES.len()];
    let vcpus = 1 << (number % 4);
    let memory_mib = 1024 << (number % 5);
    let [_, a, b, c] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let (domain, os, bus, disk) = match is_xen {
        true => ("xen", "<type arch='x86_64'>linux</type>", "xen", "xvda"),
        false => (
            "kvm",
            "<type arch='x86_64' machine='q35'>hvm</type>",
            "virtio",
            "vda",
        ),
    };
    format!(
        "<domain type='{domain}'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <title>{role} server {number}</title>
  <description>As delivered</description>
  <memory unit='MiB'>{memory_mib}</memory>
  <currentMemory unit='MiB'>{memory_mib}</currentMemory>
  <vcpu placement='static'>{vcpus}</vcpu>
  <os>{os}<boot dev='hd'/></os>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='default' volume='{name}.qcow2'/><target dev='{disk}' bus='{bus}'/></disk>
    <interface type='bridge'><mac address='52:54:00:{a:02x}:{b:02x}:{c:02x}'/><source bridge='br0'/></interface>
    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>
  </devices>
</domain>
"
    )
}

/// The definition with another note, if it has one.
pub(crate) fn noted(xml: &str, note: &str) -> Option<String> {
    let (before, rest) = xml.split_once("<description>")?;
    let (_, after) = rest.split_once("</description>")?;
    Some(format!("{before}<description>{note}</description>{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_can_be_read_and_differ() {
        for is_xen in [false, true] {
            let read = domxml::domain::read(&definition(42, is_xen)).expect("is a domain");
            assert_eq!((read.name.as_str(), read.disks.len()), ("mail-00042", 1));
            let other = domxml::domain::read(&definition(43, is_xen)).expect("is a domain");
            assert_ne!(
                (read.uuid, &read.nics[0].mac),
                (other.uuid, &other.nics[0].mac)
            );
        }
    }

    #[test]
    fn a_note_is_all_that_changes() {
        let old = definition(7, false);
        let new = noted(&old, "Seen by Ann").expect("it has one");
        assert_eq!(new.replace("Seen by Ann", "As delivered"), old);
        assert_eq!(noted("<domain/>", "x"), None);
    }
}
