//! VMs on a Xen host: what they get, what they are refused, what waits.

use crate::host::{Host, summary, virt};
use model::{Vm, VmStatus};
use states::HostPath;
use uuid::Uuid;

/// A host that offers all three kinds, as libvirt 9.0.0 tells it of Xen 4.17.
const CAPABILITIES: &str = "<capabilities>
  <host><cpu><arch>x86_64</arch></cpu></host>
  <guest><os_type>xen</os_type><arch name='x86_64'><domain type='xen'/></arch></guest>
  <guest><os_type>hvm</os_type><arch name='i686'><domain type='xen'/></arch></guest>
  <guest><os_type>xenpvh</os_type><arch name='i686'><domain type='xen'/></arch></guest>
  <guest><os_type>hvm</os_type><arch name='x86_64'><domain type='xen'/></arch></guest>
  <guest><os_type>xenpvh</os_type><arch name='x86_64'><domain type='xen'/></arch></guest>
</capabilities>";

const GRUB: &str = "/usr/lib/grub-xen/grub-x86_64-xen.bin";

fn xen() -> Host {
    let mut host = Host::offering(CAPABILITIES);
    host.seen.paths.insert(GRUB.to_owned(), HostPath::File);
    host.apply(&virt("pool_running", "p", "{ptype: dir, target: /images}"));
    host
}

/// The definition that a state would write, or why it would not.
fn defined(host: &mut Host, arguments: &str) -> Result<String, String> {
    let plan = host.plan(&virt("defined", "x", arguments));
    let plan = plan.map_err(|error| error.to_string())?;
    let steps = plan.plan.steps.into_iter();
    let diff = steps.filter_map(|step| step.diff).next();
    Ok(diff.expect("a definition").after)
}

fn defines(arguments: &str) -> Result<String, String> {
    defined(&mut xen(), arguments)
}

#[test]
fn a_guest_is_hvm_where_nothing_is_said() {
    let xml = defines("{mem: 512, disks: [{name: a, pool: p, size: 10}, {name: b, device: cdrom}], interfaces: [{name: eth0}]}")
        .expect("a definition");
    crate::schema::validate("domain", &xml);
    for part in [
        "<domain type='xen'>",
        "<type arch='x86_64'>hvm</type>",
        "<driver name='qemu' type='qcow2'/>",
        "<source file='/images/x_a'/>",
        "<target dev='xvda' bus='xen'/>",
        // hda and xvda are one place.
        "<target dev='hdb' bus='ide'/>",
        "<source bridge='br0'/>",
    ] {
        assert!(xml.contains(part), "no {part} in {xml}");
    }
    for part in ["virtio", "<model", "<kernel>", "cache="] {
        assert!(!xml.contains(part), "{part} in {xml}");
    }
}

#[test]
fn a_paravirtual_guest_boots_the_hosts_grub() {
    for os_type in ["xen", "linux"] {
        let xml = defines(&format!(
            "{{mem: 512, os_type: {os_type}, disks: [{{name: a, pool: p, size: 10, format: raw}}, {{name: b, device: cdrom}}]}}"
        ))
        .expect("a definition");
        crate::schema::validate("domain", &xml);
        for part in [
            "<type arch='x86_64'>xen</type>".to_owned(),
            format!("<kernel>{GRUB}</kernel>"),
            "<driver name='phy' type='raw'/>".to_owned(),
            "<target dev='xvdb' bus='xen'/>".to_owned(),
        ] {
            assert!(xml.contains(&part), "no {part} in {xml}");
        }
        assert!(!xml.contains("<boot"), "{xml}");
    }
    // Where the host's files cannot be seen, its GRUB is named; another kernel needs its initrd.
    let named = format!(
        "{{mem: 512, os_type: xen, boot: {{kernel: {GRUB}}}, disks: [{{name: a, pool: p, size: 10}}]}}"
    );
    let xml = defines(&named).expect("a definition");
    assert!(
        xml.contains(&format!("<kernel>{GRUB}</kernel>")) && !xml.contains("<boot"),
        "{xml}"
    );
    let alone = defines("{mem: 512, os_type: xen, boot: {kernel: /k}}").expect_err("half");
    assert!(alone.contains("Invalid boot parameters"), "{alone}");
    let kernel = "{mem: 512, os_type: xen, boot: {kernel: /k, initrd: /i}}";
    let xml = defines(kernel).expect("a definition");
    assert!(xml.contains("<kernel>/k</kernel>"), "{xml}");
}

#[test]
fn a_host_without_grub_says_what_to_install() {
    let refused = |os_type: &str| {
        let mut host = Host::offering(CAPABILITIES);
        defined(&mut host, &format!("{{mem: 512, os_type: {os_type}}}")).expect_err("no GRUB")
    };
    assert_eq!(
        refused("xenpvh"),
        "a Xen PVH guest boots a kernel, none is declared, and the host has no GRUB for it \
         (/usr/lib/grub-xen/grub-i386-xen_pvh.bin). Install it (Debian: grub-xen-host; SUSE: grub2-x86_64-xen), \
         write boot: {kernel: PATH, initrd: PATH}, or os_type: hvm"
    );
    assert!(refused("xen").contains(GRUB));
}

/// What libvirt's Xen driver would take and leave out.
#[test]
fn what_xen_leaves_out_is_refused_with_the_reason() {
    let refused = |arguments: &str| {
        let memory = if arguments.contains("mem:") {
            ""
        } else {
            "mem: 512, "
        };
        defines(&format!("{{{memory}{arguments}}}")).expect_err(arguments)
    };
    for (arguments, path, reason) in [
        (
            "cpu: {iothreads: 2}",
            "cpu: iothreads: it",
            "no I/O threads",
        ),
        (
            "cpu: {tuning: {shares: 512}}",
            "cpu: tuning: shares: it",
            "passes no shares",
        ),
        (
            "cpu: {mode: host-model}",
            "cpu: mode: host-model",
            "no CPU models",
        ),
        (
            "cpu: {model: {name: core2duo}}",
            "cpu: model: core2duo",
            "no CPU models",
        ),
        (
            "mem: {boot: 512, hard_limit: 600}",
            "mem: hard_limit: it",
            "limits nothing",
        ),
        (
            "mem: {boot: 512, hugepages: [{size: 2m}]}",
            "mem: hugepages: it",
            "chooses the pages",
        ),
        (
            "disks: [{name: a, size: 10, pool: p, model: virtio}]",
            "disks: vda: model: virtio",
            "instead of virtio",
        ),
        (
            "interfaces: [{name: eth0, model: virtio}]",
            "model: virtio",
            "instead of virtio",
        ),
        (
            "os_type: xen, disks: [{name: a, size: 10, pool: p, model: ide}]",
            "disks: hda: model: ide",
            "bus xen",
        ),
        (
            "os_type: xen, interfaces: [{name: eth0, model: e1000}]",
            "model: e1000",
            "have no model",
        ),
        (
            "os_type: xen, serials: [{type: pty}]",
            "serials: it",
            "console instead",
        ),
        (
            "os_type: xen, graphics: {type: spice}",
            "graphics: type: spice",
            "VNC only",
        ),
        (
            "os_type: xen, cpu: {mode: host-passthrough}",
            "cpu: mode: host-passthrough",
            "as it is",
        ),
        (
            "os_type: xen, boot: {efi: True}",
            "boot: efi: True",
            "no firmware",
        ),
    ] {
        let text = refused(arguments);
        assert!(text.contains(path), "{arguments}: no '{path}' in: {text}");
        assert!(
            text.contains(reason),
            "{arguments}: no '{reason}' in: {text}"
        );
        assert!(text.contains("possible on Xen "), "{arguments}: {text}");
        assert!(
            text.ends_with("Leave it out for this host"),
            "{arguments}: {text}"
        );
    }
    for fine in [
        "cpu: {tuning: {vcpupin: {0: '0'}}}",
        "interfaces: [{name: eth0, model: e1000}]",
        "serials: [{type: pty}]",
        "cpu: {mode: host-passthrough}",
    ] {
        let xml = defines(&format!("{{mem: 512, {fine}}}")).expect(fine);
        crate::schema::validate("domain", &xml);
    }
}

/// A running paravirtual guest with one disk of a format and an interface.
fn running(format: &str) -> Host {
    let mut host = xen();
    let state = virt("running", "x", &guest(format, "", "br0"));
    host.apply(&state);
    assert!(host.plan(&state).expect("a plan").plan.is_empty());
    host
}

fn guest(format: &str, more: &str, bridge: &str) -> String {
    format!(
        "{{mem: 512, os_type: xen, disks: [{{name: a, pool: p, size: 10, format: {format}}}{more}], interfaces: [{{name: eth0, bridge: {bridge}, mac: '00:16:3e:00:00:01'}}]}}"
    )
}

#[test]
fn a_running_guest_gets_what_xen_can_plug_and_the_rest_waits() {
    let raw = ", {name: b, pool: p, size: 10, format: raw}";
    let image = ", {name: b, pool: p, size: 10, format: qcow2}";
    let plan = |have: &str, more: &str| {
        let mut host = running(have);
        let state = virt("running", "x", &guest(have, more, "br0"));
        host.plan(&state).expect("a plan")
    };
    let plugged = "Plug disk xvdb into VM x while it runs [live]";
    for (have, more) in [("raw", raw), ("qcow2", raw), ("qcow2", image)] {
        let plan = plan(have, more);
        assert!(summary(&plan).contains(plugged), "{}", summary(&plan));
        assert_eq!(plan.notes, Vec::<String>::new());
    }
    let waits = plan("raw", image);
    assert!(!summary(&waits).contains("[live]"), "{}", summary(&waits));
    assert!(
        summary(&waits).contains("waits: disk xvdb"),
        "{}",
        summary(&waits)
    );
    assert_eq!(
        waits.notes,
        [
            "Plug disk xvdb into VM x while it runs: at its next start. Not possible on Xen PV: Xen plugs a disk image \
          (qcow2…) only into a VM that started with one; raw disks go"
        ]
    );
}

#[test]
fn an_interface_of_a_running_guest_moves_at_its_next_start() {
    let mut host = running("raw");
    let state = virt("running", "x", &guest("raw", "", "br1"));
    let plan = host.plan(&state).expect("a plan");
    assert!(!summary(&plan).contains("[live]"), "{}", summary(&plan));
    assert!(
        summary(&plan).contains("waits: interface"),
        "{}",
        summary(&plan)
    );
    let [note] = plan.notes.as_slice() else {
        panic!("{:?}", plan.notes);
    };
    assert!(
        note.contains("cannot change an interface in place"),
        "{note}"
    );
}

#[test]
fn domain_0_is_left_alone() {
    let mut host = xen();
    let dom0 = Vm {
        status: VmStatus::Running,
        domain_type: "xen".to_owned(),
        os_type: "linux".to_owned(),
        xml_live: Some(
            "<domain type='xen' id='0'><name>Domain-0</name><os><type>linux</type></os></domain>"
                .to_owned(),
        ),
        ..Vm::named(Uuid::nil(), "Domain-0".to_owned())
    };
    host.seen.vms.insert("Domain-0".to_owned(), Some(dom0));
    for (fun, arguments) in [
        ("running", "{mem: 512}"),
        ("defined", "{mem: 512}"),
        ("absent", "{force: True}"),
    ] {
        let refused = host.plan(&virt(fun, "Domain-0", arguments)).expect_err(fun);
        let text = refused.to_string();
        assert!(
            text.starts_with("Domain-0 is the host itself"),
            "{fun}: {text}"
        );
    }
}
