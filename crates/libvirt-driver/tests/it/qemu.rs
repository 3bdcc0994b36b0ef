//! Real QEMU guests of a private libvirtd, emulated, in session mode.

use super::daemon::Daemon;
use super::{connected, get_vm, hint, life, sentence, vm};
use hypervisor::{Hypervisor, Key, Reason, Transferred, Upload};
use libvirt_driver::{LibvirtHypervisor, Options};
use model::lifecycle::Request;
use model::plan::{
    Content, PoolOp, SecretName, SecretOp, SecretUsage, Step, Tuning, VmOp, VolumeOp,
};
use model::{Bytes, VmStatus};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use tokio::io::AsyncReadExt;

/// A guest without disk: its firmware runs, and that is all these tests need.
const GUEST: &str =
    "<domain type='qemu'><name>guest</name><memory unit='MiB'>64</memory><vcpu current='1'>2</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <metadata><a:note xmlns:a='https://example.org/a' keep='yes'>text</a:note></metadata>
  <features><acpi/><tcg><tb-cache unit='MiB'>16</tb-cache></tcg></features>
  <devices>
    <controller type='usb' model='none'/>
    <graphics type='vnc' passwd='hidden'><listen type='socket'/></graphics>
    <video><model type='vga'/></video>
    <memballoon model='none'/>
  </devices></domain>";

/// A libvirtd whose QEMU driver works; `None` with the reason printed.
async fn start() -> Option<(Daemon, LibvirtHypervisor)> {
    if !Path::new("/usr/bin/qemu-system-x86_64").exists() {
        let why = "no /usr/bin/qemu-system-x86_64 here (Debian package qemu-system-x86)";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("skipped: {why}");
        return None;
    }
    let daemon = Daemon::start()?;
    let host = LibvirtHypervisor::open(&daemon.uri("qemu:///session"), Options::default());
    Some((daemon, host))
}

async fn define(host: &LibvirtHypervisor) {
    let xml = GUEST.to_owned();
    host.perform(&vm("guest", VmOp::Define { xml }))
        .await
        .expect("a definition");
}

#[tokio::test]
async fn a_guest_starts_takes_a_disk_shows_its_screen_and_ends() {
    let Some((daemon, host)) = start().await else {
        return;
    };
    let mut hints = host.hints();
    connected(&mut hints).await;
    define(&host).await;
    host.perform(&life("guest", Request::Start))
        .await
        .expect("a start");
    let started = |s: &String| s == "domain/lifecycle guest started booted";
    hint(&mut hints, |hint| sentence(&hint).filter(started)).await;
    let read = get_vm(&host, "guest").await;
    assert_eq!(
        (read.status, read.domain_id.is_some()),
        (VmStatus::Running, true)
    );
    assert!(
        !domxml::domain::is_pending(&read),
        "libvirt's own additions are no change"
    );

    let mut console = host.open_vnc(read.uuid).await.expect("a console");
    let mut greeting = [0; 12];
    console.read_exact(&mut greeting).await.expect("a greeting");
    assert_eq!(&greeting, b"RFB 003.008\n");

    let disk = daemon.pool_folder().join("disk.raw");
    std::fs::write(&disk, vec![0; 1 << 20]).expect("a disk");
    let xml = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/><readonly/>\
         <target dev='vdb' bus='virtio'/></disk>",
        disk.display()
    );
    let attach = vm("guest", VmOp::AttachLive { xml: xml.clone() });
    host.perform(&attach).await.expect("an attached disk");
    let read = get_vm(&host, "guest").await;
    assert_eq!(read.disks.len(), 1);
    assert!(
        domxml::domain::is_pending(&read),
        "the running VM has a disk more than its definition"
    );
    let again = host.perform(&attach).await.expect_err("it is taken");
    assert!(!again.reason.leaves_outcome_unknown(), "{again}");

    host.perform(&life("guest", Request::Pause))
        .await
        .expect("a pause");
    host.perform(&life("guest", Request::Reset))
        .await
        .expect("a reset");
    host.perform(&life("guest", Request::Resume))
        .await
        .expect("a resume");
    host.perform(&life("guest", Request::ForceOff))
        .await
        .expect("an end");
    host.perform(&vm("guest", VmOp::Undefine))
        .await
        .expect("no definition");
    let undefined = |s: &String| s.contains("undefined");
    hint(&mut hints, |hint| sentence(&hint).filter(undefined)).await;
}

#[tokio::test]
async fn a_guest_that_keeps_its_device_is_told_after_the_limit() {
    let Some((daemon, _)) = start().await else {
        return;
    };
    let options = Options {
        detach_limit: std::time::Duration::from_millis(500),
        ..Options::default()
    };
    let host = LibvirtHypervisor::open(&daemon.uri("qemu:///session"), options);
    define(&host).await;
    host.perform(&life("guest", Request::Start))
        .await
        .expect("a start");
    let xml = "<interface type='user'><mac address='52:54:00:AA:00:01'/><model type='virtio'/></interface>";
    let step = |op| vm("guest", op);
    host.perform(&step(VmOp::AttachLive { xml: xml.into() }))
        .await
        .expect("a NIC");
    // The firmware has to be past its own start, or it gives the device up with its first reset.
    host.perform(&life("guest", Request::Pause))
        .await
        .expect("a pause");
    let detach = step(VmOp::DetachLive { xml: xml.into() });
    for _ in 0..2 {
        let error = host.perform(&detach).await.expect_err("nobody lets go");
        assert_eq!(error.reason, Reason::TimedOut, "{error}");
        assert!(error.message.contains("has not let go"), "{error}");
    }
    host.perform(&life("guest", Request::ForceOff))
        .await
        .expect("an end");
}

#[tokio::test]
async fn an_edited_definition_keeps_unknown_elements_and_the_password() {
    let Some((_daemon, host)) = start().await else {
        return;
    };
    define(&host).await;
    let before = get_vm(&host, "guest")
        .await
        .xml_persistent
        .expect("a definition");
    assert!(!before.contains("hidden"), "passwords are not read");
    let xml = before.replace(">65536<", ">98304<");
    assert_ne!(xml, before);
    host.perform(&vm("guest", VmOp::Define { xml: xml.clone() }))
        .await
        .expect("a definition");
    let after = get_vm(&host, "guest").await;
    assert_eq!(after.xml_persistent, Some(xml), "nothing else has changed");
    assert_eq!(after.memory, Bytes::from_mib(96));

    host.perform(&life("guest", Request::Start))
        .await
        .expect("a start");
    let mut console = host.open_vnc(after.uuid).await.expect("a console");
    let mut greeting = [0; 12];
    console.read_exact(&mut greeting).await.expect("a greeting");
    host.perform(&life("guest", Request::ForceOff))
        .await
        .expect("an end");
    host.perform(&vm("guest", VmOp::Purge))
        .await
        .expect("no definition");
}

#[tokio::test]
async fn a_volume_is_filled_from_a_file() {
    let Some((daemon, host)) = start().await else {
        return;
    };
    let target = daemon.pool_folder().join("images");
    let pool = |op| Step::Pool {
        name: "images".into(),
        op,
    };
    let volume = |op| Step::Volume {
        pool: "images".into(),
        name: "disk".into(),
        op,
    };
    let pool_xml = format!(
        "<pool type='dir'><name>images</name><target><path>{}</path></target></pool>",
        target.display()
    );
    let volume_xml = "<volume><name>disk</name><capacity unit='MiB'>1</capacity>\
        <target><format type='raw'/></target></volume>";
    for step in [
        pool(PoolOp::Define { xml: pool_xml }),
        pool(PoolOp::Build),
        pool(PoolOp::Start),
        volume(VolumeOp::Create {
            xml: volume_xml.into(),
        }),
    ] {
        host.perform(&step)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let again = volume(VolumeOp::Create {
        xml: volume_xml.into(),
    });
    assert_eq!(
        host.perform(&again).await.expect_err("taken").reason,
        Reason::Exists
    );

    let bytes: Vec<u8> = (0..1_000_003u32).map(|n| n as u8).collect();
    let file = std::env::temp_dir().join(format!("libvirt-driver-upload-{}", std::process::id()));
    std::fs::File::create(&file)
        .and_then(|mut f| f.write_all(&bytes))
        .expect("a file");
    let moved = Transferred::default();
    let whole = Upload::whole("images", "disk", &file);
    let uploaded = host.upload(&whole, moved.clone()).await;
    std::fs::remove_file(&file).expect("cleaning up");
    uploaded.expect("an upload");
    assert_eq!(moved.load(Ordering::Relaxed), bytes.len() as u64);
    let there = std::fs::read(target.join("disk")).expect("the volume's file");
    assert_eq!(&there[..bytes.len()], &bytes[..]);

    let grow = volume(VolumeOp::Resize {
        capacity: Bytes::from_mib(8),
    });
    host.perform(&grow).await.expect("a bigger volume");
    let found = host.find_volume("images", "disk").await.expect("a read");
    assert_eq!(found.expect("the volume").capacity, Bytes::from_mib(8));
    let missing = Path::new("/nonexistent/image");
    let error = host
        .upload(&Upload::whole("images", "disk", missing), moved)
        .await
        .expect_err("no file");
    assert_eq!(error.reason, Reason::Invalid);
    host.perform(&volume(VolumeOp::Delete))
        .await
        .expect("no volume");
    host.perform(&pool(PoolOp::Stop)).await.expect("a stop");
    let stopped = host
        .find_pool(&Key::Name("images".into()))
        .await
        .expect("a read");
    assert!(!stopped.expect("the pool").active);
}

/// What a guest's memory and disk were is there again after a revert: the disk is written from outside, as its
/// firmware writes nothing, and looked at with QEMU's own tool.
#[tokio::test]
async fn a_snapshot_brings_disk_and_run_back() {
    let Some((daemon, host)) = start().await else {
        return;
    };
    let disk = daemon.pool_folder().join("disk.qcow2");
    let qemu = |program: &str, arguments: &[&str]| {
        let done = std::process::Command::new(program)
            .args(arguments)
            .arg(&disk)
            .output()
            .expect("a tool of QEMU");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success() && !said.contains("verification failed"),
            "{done:?}"
        );
    };
    let made = std::process::Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2"])
        .arg(&disk)
        .arg("4M")
        .status()
        .expect("qemu-img");
    assert!(made.success());
    // libvirtd runs as somebody else.
    std::fs::set_permissions(&disk, std::fs::Permissions::from_mode(0o666)).expect("a mode");
    qemu("qemu-io", &["-f", "qcow2", "-c", "write -P 0x11 0 64k"]);
    let xml = GUEST.replace(
        "<memballoon",
        &format!(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
             <target dev='vda' bus='virtio'/></disk><memballoon",
            disk.display()
        ),
    );
    host.perform(&vm("guest", VmOp::Define { xml }))
        .await
        .expect("a definition");
    let off = VmOp::TakeSnapshot {
        name: "off".into(),
        dated: false,
    };
    host.perform(&vm("guest", off))
        .await
        .expect("a snapshot of a VM that is off");
    qemu("qemu-io", &["-f", "qcow2", "-c", "write -P 0x22 0 64k"]);

    host.perform(&life("guest", Request::Start))
        .await
        .expect("a start");
    let on = VmOp::TakeSnapshot {
        name: "on".into(),
        dated: false,
    };
    host.perform(&vm("guest", on))
        .await
        .expect("a snapshot of a running VM");
    host.perform(&life("guest", Request::ForceOff))
        .await
        .expect("an end");
    qemu("qemu-io", &["-f", "qcow2", "-c", "write -P 0x33 0 64k"]);

    let back = |snapshot: &str| {
        vm(
            "guest",
            VmOp::RevertTo {
                snapshot: snapshot.to_owned(),
            },
        )
    };
    host.perform(&back("on")).await.expect("a revert");
    assert_eq!(get_vm(&host, "guest").await.status, VmStatus::Running);
    host.perform(&life("guest", Request::ForceOff))
        .await
        .expect("an end");
    qemu("qemu-io", &["-f", "qcow2", "-c", "read -P 0x22 0 64k"]);
    host.perform(&back("off")).await.expect("a revert");
    assert_eq!(get_vm(&host, "guest").await.status, VmStatus::Shutoff);
    qemu("qemu-io", &["-f", "qcow2", "-c", "read -P 0x11 0 64k"]);

    let refused = host
        .perform(&vm("guest", VmOp::Undefine))
        .await
        .expect_err("snapshots are data");
    assert!(!refused.reason.leaves_outcome_unknown(), "{refused}");
    host.perform(&vm("guest", VmOp::Purge))
        .await
        .expect("gone with its snapshots");
}

#[tokio::test]
async fn a_secret_has_a_value_that_nobody_reads() {
    let Some((_daemon, host)) = start().await else {
        return;
    };
    let secret = SecretName {
        usage: SecretUsage::Iscsi,
        id: "pool_san".to_owned(),
    };
    let step = |op| Step::Secret {
        secret: secret.clone(),
        op,
    };
    assert_eq!(host.find_secret(&secret).await.expect("a look"), None);
    let value = step(SecretOp::SetValue {
        value: Content(b"hunter2".to_vec()),
    });
    let early = host.perform(&value).await.expect_err("no secret yet");
    assert_eq!(early.reason, Reason::NotFound);
    assert!(!early.to_string().contains("hunter2"));
    let xml = "<secret ephemeral='no' private='yes'><usage type='iscsi'><target>pool_san</target></usage></secret>";
    let define = step(SecretOp::Define { xml: xml.into() });
    for step in [&define, &value, &value] {
        host.perform(step)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let found = host.find_secret(&secret).await.expect("a look");
    assert!(found.is_some());
    let of_ceph = SecretName {
        usage: SecretUsage::Ceph,
        ..secret.clone()
    };
    assert_eq!(host.find_secret(&of_ceph).await.expect("a look"), None);
    host.perform(&step(SecretOp::Undefine))
        .await
        .expect("removed");
    assert_eq!(host.find_secret(&secret).await.expect("a look"), None);
}

#[tokio::test]
async fn a_transient_pool_is_gone_once_it_is_stopped_and_its_volume_is_filled_in_pieces() {
    let Some((daemon, host)) = start().await else {
        return;
    };
    let folder = daemon.pool_folder();
    let target = folder.join("made-by-libvirt");
    let xml = format!(
        "<pool type='dir'><name>tmp</name><target><path>{}</path></target></pool>",
        target.display()
    );
    let pool = |op| Step::Pool {
        name: "tmp".into(),
        op,
    };
    host.perform(&pool(PoolOp::CreateTransient { xml }))
        .await
        .expect("a pool");
    let key = Key::Name("tmp".into());
    let there = host
        .find_pool(&key)
        .await
        .expect("a look")
        .expect("the pool");
    assert!(there.active && !there.persistent);
    let volume = Step::Volume {
        pool: "tmp".into(),
        name: "disk".into(),
        op: VolumeOp::Create {
            xml: "<volume><name>disk</name><capacity unit='bytes'>1048576</capacity></volume>"
                .into(),
        },
    };
    host.perform(&volume).await.expect("a volume");
    // Half a megabyte: data, a hole as long as a message, data.
    let mut bytes = vec![7_u8; 262_120];
    bytes.resize(2 * 262_120, 0);
    bytes.extend(vec![9_u8; 1000]);
    let file = folder.join("image");
    std::fs::write(&file, &bytes).expect("a file");
    let sparse = Upload {
        sparse: true,
        ..Upload::whole("tmp", "disk", &file)
    };
    let moved = Transferred::default();
    host.upload(&sparse, moved.clone())
        .await
        .expect("an upload");
    assert_eq!(moved.load(Ordering::Relaxed), bytes.len() as u64);
    let disk = target.join("disk");
    assert_eq!(
        std::fs::read(&disk).expect("readable")[..bytes.len()],
        bytes[..]
    );
    // A piece of the file over a piece of the volume.
    let piece = Upload {
        offset: 4096,
        length: Some(10),
        ..Upload::whole("tmp", "disk", &file)
    };
    std::fs::write(&file, [5_u8; 100]).expect("a file");
    host.upload(&piece, Transferred::default())
        .await
        .expect("an upload");
    bytes[4096..4106].copy_from_slice(&[5; 10]);
    assert_eq!(
        std::fs::read(&disk).expect("readable")[..bytes.len()],
        bytes[..]
    );

    host.perform(&pool(PoolOp::Stop)).await.expect("a stop");
    assert_eq!(host.find_pool(&key).await.expect("a look"), None);
}

/// What needs control groups is for hosts that have them; threads and their CPUs are QEMU's own.
#[tokio::test]
async fn a_running_guest_gets_threads_and_keeps_to_its_cpus() {
    let Some((_daemon, host)) = start().await else {
        return;
    };
    let xml = GUEST.to_owned();
    host.perform(&vm("guest", VmOp::Define { xml }))
        .await
        .expect("a guest");
    host.perform(&life("guest", Request::Start))
        .await
        .expect("a start");
    let tune = |tuning| vm("guest", VmOp::TuneLive(tuning));
    for tuning in [
        Tuning::AddIoThread(1),
        Tuning::PinIoThread {
            thread: 1,
            cpus: vec![0],
        },
        Tuning::PinEmulator { cpus: vec![0] },
        Tuning::PinVcpu {
            vcpu: 0,
            cpus: vec![0],
        },
    ] {
        let done = host.perform(&tune(tuning.clone())).await;
        done.unwrap_or_else(|error| panic!("{tuning}: {error}"));
    }
    let live = get_vm(&host, "guest").await.xml_live.expect("it runs");
    for part in [
        "<iothreads>1</iothreads>",
        "<vcpupin vcpu='0' cpuset='0'/>",
        "<emulatorpin cpuset='0'/>",
        "<iothreadpin iothread='1' cpuset='0'/>",
    ] {
        assert!(live.contains(part), "{part} in {live}");
    }
    host.perform(&tune(Tuning::RemoveIoThread(1)))
        .await
        .expect("one less");
    let gone = host.perform(&tune(Tuning::RemoveIoThread(1))).await;
    assert!(gone.is_err());
    host.perform(&life("guest", Request::ForceOff))
        .await
        .expect("off");
}
