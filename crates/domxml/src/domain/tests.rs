use super::*;

const PERSISTENT: &str = "<domain type='kvm'><name>srv01</name>
  <uuid>d0e9964e-0000-4000-8000-000000000001</uuid><title>Web</title>
  <memory unit='KiB'>1048576</memory><currentMemory unit='KiB'>524288</currentMemory>
  <vcpu placement='static' current='1'>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='hd'/></os>
  <on_reboot>restart</on_reboot>
  <devices>
    <disk type='volume' device='disk'><driver name='qemu' type='qcow2' cache='none'/>
      <source pool='pool0' volume='srv01_system'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>
    <interface type='network'><mac address='2A:C3:A7:A6:01:04'/><source network='net0'/><model type='virtio'/></interface>
    <graphics type='vnc' port='-1' autoport='yes' listen='0.0.0.0'><listen type='address' address='0.0.0.0'/></graphics>
  </devices></domain>";

/// As libvirt 9 shows the running domain of the same definition, shortened.
const LIVE: &str = "<domain type='kvm' id='3'><name>srv01</name>
  <uuid>d0e9964e-0000-4000-8000-000000000001</uuid><title>Web</title>
  <memory unit='KiB'>1048576</memory><currentMemory unit='KiB'>600000</currentMemory>
  <vcpu placement='static' current='1'>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='hd'/></os>
  <on_reboot>restart</on_reboot>
  <devices>
    <disk type='volume' device='disk'><driver name='qemu' type='qcow2' cache='none'/>
      <source pool='pool0' volume='srv01_system' index='2'/><backingStore/><target dev='vda' bus='virtio'/>
      <alias name='virtio-disk0'/></disk>
    <disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/><alias name='ide0-0-0'/></disk>
    <interface type='bridge'><mac address='2a:c3:a7:a6:01:04'/>
      <source network='net0' portid='x' bridge='net0-br'/><target dev='vnet3'/><model type='virtio'/></interface>
    <graphics type='vnc' port='5900' autoport='yes' listen='0.0.0.0'><listen type='address' address='0.0.0.0'/></graphics>
  </devices><seclabel type='dynamic' model='dac'/></domain>";

#[test]
fn a_running_domain_is_read() {
    let domain = read(LIVE).expect("a domain");
    assert_eq!(domain.id, Some(3));
    assert_eq!((domain.vcpus, domain.vcpus_max), (1, 2));
    assert_eq!(domain.memory_max, Bytes::from_mib(1024));
    assert_eq!(domain.disks[0].source, "pool0/srv01_system");
    assert_eq!(domain.disks[0].pool.as_deref(), Some("pool0"));
    assert_eq!(
        (domain.disks[1].source.as_str(), domain.disks[1].read_only),
        ("", true)
    );
    assert_eq!(domain.nics[0].kind, "network");
    assert_eq!(domain.nics[0].source, "net0");
    assert_eq!(domain.nics[0].target.as_deref(), Some("vnet3"));
    assert_eq!(domain.graphics[0].port, Some(5900));
    assert_eq!(
        (domain.os_type.as_str(), domain.arch.as_str()),
        ("hvm", "x86_64")
    );
}

#[test]
fn what_libvirt_adds_at_start_is_no_difference() {
    assert_eq!(differs(LIVE, PERSISTENT), Ok(vec![]));
    assert_eq!(read(PERSISTENT).expect("a domain").graphics[0].port, None);
}

#[test]
fn what_a_person_changed_is_told_with_both_values() {
    let changed = PERSISTENT
        .replace(">1048576<", ">2097152<")
        .replace("current='1'>2<", "current='2'>4<")
        .replace("srv01_system", "srv01_other")
        .replace("source network='net0'", "source network='net1'")
        .replace("<boot dev='hd'/>", "<boot dev='network'/><boot dev='hd'/>");
    let pending: Vec<String> = differs(LIVE, &changed)
        .expect("two domains")
        .iter()
        .map(ToString::to_string)
        .collect();
    expect_test::expect![[r#"
        memory: 1.0 GiB now, 2.0 GiB at the next start
        vCPUs: 1 now, 2 at the next start
        maximum vCPUs: 2 now, 4 at the next start
        disk vda: disk pool0/srv01_system on virtio now, disk pool0/srv01_other on virtio at the next start
        interface 2a:c3:a7:a6:01:04: network net0 virtio now, network net1 virtio at the next start
        boot order: hd now, network hd at the next start"#]]
    .assert_eq(&pending.join("\n"));
}

#[test]
fn an_unplugged_device_is_a_difference_both_ways() {
    let without = PERSISTENT.replace(
        "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>",
        "",
    );
    let pending = differs(LIVE, &without).expect("two domains");
    assert_eq!(
        (pending[0].what.as_str(), pending[0].next.as_str()),
        ("disk hda", "none")
    );
}

#[test]
fn a_nameless_or_foreign_document_is_refused() {
    assert!(matches!(read("<domain/>"), Err(XmlError::Missing { .. })));
    assert!(matches!(
        read("<network/>"),
        Err(XmlError::WrongRoot { .. })
    ));
    assert!(matches!(read("plain"), Err(XmlError::Malformed { .. })));
}
