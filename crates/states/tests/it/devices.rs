//! Devices of the host, disks in pools that are no folders, files that are fetched before the boot.

use crate::host::{Host, summary, virt};
use domxml::device::NodeDevice;
use expect_test::expect;
use model::plan::{FileOp, Step, VmOp};
use states::{ChunkPlan, HostPath};

fn definition(plan: &ChunkPlan) -> String {
    let steps = plan.plan.steps.iter();
    let mut definitions = steps.filter_map(|planned| match &planned.step {
        Step::Vm {
            op: VmOp::Define { xml },
            ..
        } => Some(xml.clone()),
        _ => None,
    });
    definitions.next().expect("a definition")
}

/// The lines of the first element of this name.
fn element(xml: &str, name: &str) -> String {
    let doc = roxmltree::Document::parse(xml).expect("well-formed");
    let found = doc.descendants().find(|node| node.has_tag_name(name));
    xml[found.expect("the element").range()].to_owned()
}

fn node_devices() -> Vec<NodeDevice> {
    [
        "<device><name>pci_0000_3b_00_0</name><capability type='pci'><domain>0</domain><bus>59</bus><slot>0</slot><function>0</function></capability></device>",
        "<device><name>usb_1_2</name><capability type='usb_device'><product id='0x0002'/><vendor id='0x1d6b'/></capability></device>",
        "<device><name>net_em1_0</name><capability type='net'/></device>",
    ]
    .map(|xml| domxml::device::read(xml).expect("a device"))
    .into()
}

#[test]
fn devices_of_the_host_are_plugged_and_unplugged() {
    let mut host = Host::new();
    host.seen.node_devices = Some(node_devices());
    let with = |devices: &str| {
        virt(
            "running",
            "v",
            &format!("{{mem: 512, host_devices: {devices}}}"),
        )
    };
    let new = host
        .plan(&with("[pci_0000_3b_00_0, net_em1_0]"))
        .expect("a plan");
    expect![[r#"
        <hostdev mode='subsystem' type='pci' managed='yes'>
              <source>
                <address domain='0x0000' bus='0x3b' slot='0x00' function='0x0'/>
              </source>
            </hostdev>"#]]
    .assert_eq(&element(&definition(&new), "hostdev"));
    assert_eq!(
        new.notes,
        [
            "host_devices: net_em1_0 is of kind net and is left out: PCI and USB devices can be given"
        ]
    );
    host.apply(&with("[pci_0000_3b_00_0]"));
    let other = host.plan(&with("[usb_1_2]")).expect("a plan");
    expect![[r#"
        Update the definition of VM v: devices/hostdev [live]
        Unplug hostdev pci 0000:3b:00.0 from VM v while it runs [live]
        Plug hostdev usb 1d6b:0002 into VM v while it runs [live]"#]]
    .assert_eq(summary(&other).trim());
    let changes = other.applied(&[]).changes;
    let given = &changes["v"]["hostdev"];
    assert!(
        given["attached"][0]
            .as_str()
            .is_some_and(|xml| xml.contains("0x1d6b")),
        "{given}"
    );
    assert!(
        given["detached"][0]
            .as_str()
            .is_some_and(|xml| xml.contains("0x3b")),
        "{given}"
    );
    host.apply(&with("[usb_1_2]"));
    assert!(
        host.plan(&with("[usb_1_2]"))
            .expect("a plan")
            .plan
            .is_empty()
    );
    // Without a word they stay; an empty list takes them away.
    assert!(
        host.plan(&virt("running", "v", "{mem: 512}"))
            .expect("a plan")
            .plan
            .is_empty()
    );
    assert_eq!(host.plan(&with("[]")).expect("a plan").plan.steps.len(), 2);
    let slip = host.plan(&with("[usb_1_3]")).expect_err("no such device");
    expect![[r#"host_devices: "usb_1_3" is not a device of the host: Failed to get host devices. Did you mean usb_1_2?"#]]
        .assert_eq(&slip.to_string());
}

#[test]
fn a_mediated_device_is_nobodys_business() {
    let mut host = Host::new();
    host.apply(&virt("running", "v", "{mem: 512}"));
    let vm = host.vm("v");
    for xml in [&mut vm.xml_persistent, &mut vm.xml_live]
        .into_iter()
        .flatten()
    {
        *xml = xml.replace(
            "</devices>",
            "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source></hostdev></devices>",
        );
    }
    let plan = host
        .plan(&virt("running", "v", "{mem: 512, host_devices: []}"))
        .expect("a plan");
    assert!(plan.plan.is_empty(), "{}", summary(&plan));
}

#[test]
fn volumes_that_are_no_files_are_read_over_the_network() {
    let mut host = Host::new();
    for (name, pool) in [
        (
            "ceph",
            "{ptype: rbd, source: {hosts: ['mon1:6789', mon2], name: vms, auth: {type: ceph, username: admin, secret: {type: usage, value: s}}}}",
        ),
        (
            "gl",
            "{ptype: gluster, source: {hosts: [g1], dir: /images, name: vol0}}",
        ),
    ] {
        host.apply(&virt("pool_running", name, pool));
    }
    let mut disk = |pool: &str| {
        let state = virt(
            "running",
            pool,
            &format!("{{mem: 512, disks: [{{name: system, size: 1024, pool: {pool}}}]}}"),
        );
        let plan = host.plan(&state).expect("a plan");
        let told = element(&definition(&plan), "disk");
        host.apply(&state);
        let again = host.plan(&state).expect("a plan");
        assert!(again.plan.is_empty(), "{}", summary(&again));
        told
    };
    expect![[r#"
        <disk type='network' device='disk'>
              <driver name='qemu' type='raw'/>
              <source protocol='rbd' name='vms/ceph_system'>
                <host name='mon1' port='6789'/>
                <host name='mon2'/>
                <auth username='admin'>
                  <secret type='ceph' usage='s'/>
                </auth>
              </source>
              <target dev='vda' bus='virtio'/>
            </disk>"#]]
    .assert_eq(&disk("ceph"));
    expect![[r#"
        <disk type='network' device='disk'>
              <driver name='qemu' type='qcow2'/>
              <source protocol='gluster' name='vol0/images/gl_system'>
                <host name='g1'/>
              </source>
              <target dev='vda' bus='virtio'/>
            </disk>"#]]
    .assert_eq(&disk("gl"));
}

#[test]
fn a_partition_belongs_to_the_disk_that_it_was_made_for() {
    let mut host = Host::new();
    host.apply(&virt(
        "pool_running",
        "disks",
        "{ptype: disk, target: /dev, source: {devices: [{path: /dev/nvme0n1}], format: gpt}}",
    ));
    let vm =
        |name: &str, disks: &str| virt("running", name, &format!("{{mem: 512, disks: [{disks}]}}"));
    let disk = |name: &str| format!("{{name: {name}, size: 100, pool: disks}}");
    let both = vm("v", &format!("{}, {}", disk("system"), disk("data")));
    let plan = host.plan(&both).expect("a plan");
    expect![[r#"
        Create volume nvme0n1p1 in pool disks of 100.0 MiB [none]
        Create volume nvme0n1p2 in pool disks of 100.0 MiB [none]
        Define VM v [none]
        Start VM v [live]"#]]
    .assert_eq(summary(&plan).trim());
    let xml = definition(&plan);
    for remembered in ["data=disks/nvme0n1p2", "system=disks/nvme0n1p1"] {
        assert!(xml.contains(remembered), "{xml}");
    }
    assert!(!element(&xml, "disk").contains("qcow2"), "{xml}");
    host.apply(&both);
    assert!(host.plan(&both).expect("a plan").plan.is_empty());

    // The first disk goes: the second one stays what it is.
    let one = vm("v", &disk("data"));
    let plan = host.plan(&one).expect("a plan");
    let left = definition(&plan);
    assert!(
        left.contains("volume='nvme0n1p2'") && !left.contains("volume='nvme0n1p1'"),
        "{left}"
    );
    // The number of a partition that is there is nobody else's.
    let other = host.plan(&vm("w", &disk("system"))).expect("a plan");
    assert!(
        summary(&other).contains("Create volume nvme0n1p3 "),
        "{}",
        summary(&other)
    );
    // A VM that does not remember is not guessed about.
    let known = host.vm("v");
    known.xml_persistent = known.xml_persistent.take().map(|xml| {
        let (before, rest) = xml.split_once("<metadata>").expect("it remembers");
        format!(
            "{before}{}",
            rest.split_once("</metadata>").expect("it ends").1
        )
    });
    let stranger = host.plan(&both).expect_err("no guess").to_string();
    expect!["the VM has partition disks/nvme0n1p1, and nothing says whether that is disk system. Write source_file: with the name of the partition"]
        .assert_eq(&stranger);
}

#[test]
fn a_kernel_is_fetched_once() {
    let mut host = Host::new();
    let state = virt(
        "running",
        "v",
        "{mem: 512, boot: {kernel: 'https://ann:pw@mirror.example/linux', initrd: 'salt://vm/initrd.gz', cmdline: quiet}}",
    );
    let urls = [("salt://vm/initrd.gz", "/srv/salt/vm/initrd.gz", "5f")];
    for (url, path, checksum) in urls {
        host.seen
            .salt_files
            .insert(url.to_owned(), Some(path.to_owned()));
        host.seen
            .checksums
            .insert(url.to_owned(), checksum.to_owned());
    }
    let plan = host.plan(&state).expect("a plan");
    let fetched: Vec<(String, String)> = plan
        .plan
        .steps
        .iter()
        .filter_map(|planned| match &planned.step {
            Step::File {
                path,
                op: FileOp::Fetch { source },
            } => Some((path.clone(), source.location.clone())),
            _ => None,
        })
        .collect();
    let [kernel, initrd] = &fetched[..] else {
        panic!("{fetched:?}");
    };
    assert_eq!(kernel.1, "https://ann:pw@mirror.example/linux");
    assert_eq!(initrd.1, "/srv/salt/vm/initrd.gz");
    let xml = definition(&plan);
    assert_eq!(
        element(&xml, "kernel"),
        format!("<kernel>{}</kernel>", kernel.0)
    );
    assert_eq!(
        element(&xml, "initrd"),
        format!("<initrd>{}</initrd>", initrd.0)
    );
    let shown = summary(&plan);
    assert!(
        shown.contains("Fetch https://mirror.example/linux to "),
        "{shown}"
    );
    host.apply(&state);
    assert!(host.plan(&state).expect("a plan").plan.is_empty());

    // Another content under the same name is another file, and another definition.
    host.seen
        .checksums
        .insert("salt://vm/initrd.gz".to_owned(), "60".to_owned());
    let plan = host.plan(&state).expect("a plan");
    expect![[r#"
        Fetch salt://vm/initrd.gz to FILE [none]
        Update the definition of VM v: os/initrd [next boot]
        waits: os/initrd: FILE now, FILE at the next start"#]]
    .assert_eq(&without_paths(summary(&plan).trim()));
    // A kernel that was taken away is fetched again, and nothing else is done.
    host.apply(&state);
    host.seen.paths.insert(kernel.0.clone(), HostPath::Absent);
    let plan = host.plan(&state).expect("a plan");
    assert!(
        summary(&plan).starts_with("Fetch https://mirror.example/linux"),
        "{}",
        summary(&plan)
    );
}

fn without_paths(text: &str) -> String {
    let words = text
        .split(' ')
        .map(|word| match word.contains("/saltinst/") {
            true => match word.ends_with(',') {
                true => "FILE,",
                false => "FILE",
            },
            false => word,
        });
    words.collect::<Vec<_>>().join(" ")
}
