//! The fake behaves like a hypervisor, as far as the layers above can tell.

use super::*;
use crate::port::{HintReceiver, Hypervisor, Key};
use model::plan::{ListChange, NetworkSection, VolumeOp};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncReadExt;

const SRV01: &str = "<domain type='qemu'><name>srv01</name><memory unit='MiB'>512</memory>
  <vcpu current='1'>2</vcpu><os><type arch='x86_64'>hvm</type></os>
  <devices><interface type='network'><source network='net0'/></interface>
    <graphics type='vnc'/></devices></domain>";
const NET0: &str = "<network><name>net0</name><forward/><ip address='192.168.44.1' prefix='24'>
  <dhcp><range start='192.168.44.10' end='192.168.44.25'/></dhcp></ip></network>";
const POOL0: &str = "<pool type='dir'><name>pool0</name><target><path>/vms</path></target></pool>";

fn host_with_srv01() -> FakeHypervisor {
    let fake = FakeHypervisor::new("hv1");
    fake.add_network(NET0);
    fake.add_vm(SRV01);
    fake
}

fn life(request: Request) -> Step {
    vm_step("srv01", VmOp::Life(request))
}

/// The waiting hints as `class/kind event detail`.
fn heard(hints: &mut HintReceiver) -> Vec<String> {
    std::iter::from_fn(|| hints.try_recv().ok())
        .map(|hint| match hint {
            Hint::Event(event) => {
                let words: Vec<_> = event.fields.iter().map(|(_, v)| v.as_str()).collect();
                let (class, kind, name) = (event.class, event.kind, event.object.name);
                format!("{class}/{kind} {name} {}", words.join(" "))
            }
            other => format!("{other:?}"),
        })
        .collect()
}

async fn refusal(fake: &FakeHypervisor, step: Step) -> HypervisorError {
    fake.perform(&step).await.expect_err("a refusal")
}

#[tokio::test]
async fn a_vm_lives_and_its_events_come_in_libvirts_order() {
    let fake = FakeHypervisor::new("hv1");
    fake.add_network(NET0);
    let mut hints = fake.hints();
    let xml = SRV01.to_owned();
    for op in [
        VmOp::Define { xml },
        VmOp::Life(Request::Start),
        VmOp::Life(Request::ForceOff),
        VmOp::Undefine,
    ] {
        let step = vm_step("srv01", op);
        fake.perform(&step).await.expect("a step");
    }
    assert_eq!(
        heard(&mut hints),
        [
            "Connected",
            "domain/lifecycle srv01 defined added",
            "domain/lifecycle srv01 resumed unpaused",
            "domain/lifecycle srv01 started booted",
            "domain/lifecycle srv01 shutdown host",
            "domain/lifecycle srv01 stopped destroyed",
            "domain/lifecycle srv01 undefined removed",
        ]
    );
    assert_eq!(fake.performed().len(), 4);
    assert_eq!(fake.calls("perform"), 4);
    let key = Key::Name("srv01".into());
    assert_eq!(fake.find_vm(&key).await, Ok(None));
}

#[tokio::test]
async fn a_definition_gets_what_libvirt_adds() {
    let fake = host_with_srv01();
    let key = Key::Name("srv01".into());
    let vm = fake.find_vm(&key).await.expect("a read").expect("srv01");
    assert!(vm.nics[0].mac.starts_with("52:54:00:"), "{:?}", vm.nics);
    assert!(vm.xml_persistent.expect("a definition").contains("<uuid>"));
    assert_eq!(vm.status, VmStatus::Shutoff);
    let by_uuid = fake.find_vm(&Key::Uuid(vm.uuid)).await;
    assert!(by_uuid.expect("a read").is_some());
}

#[tokio::test]
async fn what_libvirt_refuses_is_refused() {
    let fake = host_with_srv01();
    let error = refusal(&fake, life(Request::Pause)).await;
    assert_eq!(
        (error.reason, error.libvirt),
        (Reason::WrongState, Some((55, 10)))
    );
    assert_eq!(
        error.to_string(),
        "cannot pause VM srv01: Requested operation is not valid: domain is not running"
    );
    let stop = Step::Network {
        name: "net0".into(),
        op: NetworkOp::Stop,
    };
    fake.perform(&stop).await.expect("net0 stops");
    let error = refusal(&fake, life(Request::Start)).await;
    assert!(error.message.contains("network 'net0' is not active"));
    let error = refusal(&fake, vm_step("srv02", VmOp::Undefine)).await;
    assert_eq!(error.reason, Reason::NotFound);
}

#[tokio::test]
async fn a_changed_definition_of_a_running_vm_is_pending() {
    let fake = host_with_srv01();
    fake.start_vm("srv01");
    let vm = fake.inventory().await.expect("a read").vms.remove(0);
    assert!(!domxml::domain::is_pending(&vm));
    let xml = vm.xml_persistent.expect("persistent").replace("512", "768");
    fake.someone_does(&vm_step("srv01", VmOp::Define { xml }))
        .expect("a definition");
    let vm = fake.inventory().await.expect("a read").vms.remove(0);
    assert!(domxml::domain::is_pending(&vm));
    assert_eq!(vm.memory, Bytes::from_mib(512));
}

#[tokio::test]
async fn devices_come_and_go_in_the_running_definition_only() {
    let fake = host_with_srv01();
    fake.start_vm("srv01");
    let xml = "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>";
    let attach = vm_step("srv01", VmOp::AttachLive { xml: xml.into() });
    fake.perform(&attach).await.expect("an attached disk");
    assert_eq!(refusal(&fake, attach).await.reason, Reason::WrongState);
    let vm = fake.inventory().await.expect("a read").vms.remove(0);
    assert_eq!(vm.disks.len(), 1);
    assert!(!vm.xml_persistent.expect("persistent").contains("vda"));
    let detach = vm_step("srv01", VmOp::DetachLive { xml: xml.into() });
    fake.perform(&detach).await.expect("a detached disk");
    let vm = fake.inventory().await.expect("a read").vms.remove(0);
    assert!(vm.disks.is_empty());
}

#[tokio::test]
async fn a_network_is_updated_in_place() {
    let fake = host_with_srv01();
    let update = |change, xml: &str| Step::Network {
        name: "net0".into(),
        op: NetworkOp::Update {
            section: NetworkSection::DhcpHost,
            change,
            parent_index: -1,
            xml: xml.into(),
            live: true,
        },
    };
    let host = "<host mac='52:54:00:00:00:01' ip='192.168.44.5'/>";
    let add = update(ListChange::Add, host);
    fake.perform(&add).await.expect("a new host");
    assert_eq!(refusal(&fake, add).await.reason, Reason::WrongState);
    let moved = "<host mac='52:54:00:00:00:01' ip='192.168.44.6'/>";
    let change = update(ListChange::Modify, moved);
    fake.perform(&change).await.expect("a changed host");
    let network = fake.inventory().await.expect("a read").networks.remove(0);
    assert!(network.xml.contains(moved) && !network.xml.contains(host));
    let delete = update(ListChange::Delete, moved);
    fake.perform(&delete).await.expect("a removed host");
    let network = fake.inventory().await.expect("a read").networks.remove(0);
    assert!(!network.xml.contains("<host"));
}

#[tokio::test]
async fn a_pool_is_built_before_it_starts_and_a_volume_is_filled() {
    let fake = FakeHypervisor::new("hv1");
    let pool = |op| Step::Pool {
        name: "pool0".into(),
        op,
    };
    let xml = POOL0.to_owned();
    let define = pool(PoolOp::Define { xml });
    fake.perform(&define).await.expect("a definition");
    let error = refusal(&fake, pool(PoolOp::Start)).await;
    assert!(error.message.contains("'/vms'"), "{error}");
    fake.perform(&pool(PoolOp::Build)).await.expect("a folder");
    fake.perform(&pool(PoolOp::Start)).await.expect("a start");

    let xml = "<volume><name>disk</name><capacity>4</capacity></volume>".to_owned();
    let create = Step::Volume {
        pool: "pool0".into(),
        name: "disk".into(),
        op: VolumeOp::Create { xml },
    };
    fake.perform(&create).await.expect("a volume");
    assert_eq!(refusal(&fake, create).await.reason, Reason::Exists);

    let mut file = tempfile();
    file.1.write_all(b"an image").expect("a written file");
    let moved = Arc::new(AtomicU64::new(0));
    let whole = crate::Upload::whole("pool0", "disk", &file.0);
    let upload = fake.upload(&whole, moved.clone()).await;
    std::fs::remove_file(&file.0).expect("cleaning up");
    upload.expect("an upload");
    assert_eq!(moved.load(Ordering::Relaxed), 8);
    assert_eq!(
        fake.volume_bytes("pool0", "disk"),
        Some(b"an image".to_vec())
    );
    let volume = fake.find_volume("pool0", "disk").await.expect("a read");
    let volume = volume.expect("the volume");
    assert_eq!(
        (volume.path.as_str(), volume.allocation),
        ("/vms/disk", Bytes(8))
    );
    assert_eq!(fake.list_volumes("pool0").await, Ok(vec![volume]));
}

#[tokio::test]
async fn the_storage_of_a_pool_goes_once_it_is_stopped_and_empty() {
    let fake = FakeHypervisor::new("hv1");
    fake.add_pool(POOL0);
    let pool = |op| Step::Pool {
        name: "pool0".into(),
        op,
    };
    let volume = |op| Step::Volume {
        pool: "pool0".into(),
        name: "disk".into(),
        op,
    };
    let xml = "<volume><name>disk</name><capacity>4</capacity></volume>".to_owned();
    fake.perform(&volume(VolumeOp::Create { xml }))
        .await
        .expect("a volume");
    let error = refusal(&fake, pool(PoolOp::Delete)).await;
    assert_eq!(error.reason, Reason::WrongState);
    fake.perform(&pool(PoolOp::Stop)).await.expect("a stop");
    let error = refusal(&fake, pool(PoolOp::Delete)).await;
    assert!(error.message.contains("not empty"), "{error}");
    let error = fake.list_volumes("pool0").await.expect_err("stopped");
    assert_eq!(error.reason, Reason::WrongState);

    fake.perform(&pool(PoolOp::Start)).await.expect("a start");
    for step in [
        volume(VolumeOp::Delete),
        pool(PoolOp::Stop),
        pool(PoolOp::Delete),
        pool(PoolOp::Undefine),
    ] {
        fake.perform(&step).await.expect("a step");
    }
    let error = fake.list_volumes("pool0").await.expect_err("gone");
    assert_eq!(error.reason, Reason::NotFound);
}

fn tempfile() -> (std::path::PathBuf, std::fs::File) {
    let path = std::env::temp_dir().join(format!("fake-upload-{}", std::process::id()));
    let file = std::fs::File::create(&path).expect("a temporary file");
    (path, file)
}

#[tokio::test]
async fn an_unreachable_host_says_so_and_comes_back() {
    let fake = host_with_srv01();
    let mut hints = fake.hints();
    fake.set_reachable(false);
    fake.set_reachable(false);
    let error = fake.inventory().await.expect_err("no connection");
    assert_eq!(error.reason, Reason::Unreachable);
    fake.start_vm("srv01");
    fake.set_reachable(true);
    let gone = format!("Disconnected {{ reason: {GONE:?} }}");
    assert_eq!(heard(&mut hints), ["Connected", &gone, "Connected"]);
}

#[tokio::test]
async fn a_prepared_failure_hits_once_and_changes_nothing() {
    let fake = host_with_srv01();
    let starts = |step: &Step| *step == life(Request::Start);
    fake.fail_next(starts, Reason::Refused, "no memory left");
    let error = refusal(&fake, life(Request::Start)).await;
    assert_eq!(error.to_string(), "cannot start VM srv01: no memory left");
    let start = life(Request::Start);
    fake.perform(&start).await.expect("the second try");
    assert_eq!(fake.performed(), [start]);
}

#[tokio::test]
async fn a_hung_host_times_out_or_goes_on() {
    let fake = host_with_srv01().with_limit(Duration::from_millis(20));
    fake.hang();
    let error = fake.vm_names().await.expect_err("no answer");
    assert_eq!(error.reason, Reason::TimedOut);
    let patient = fake.clone().with_limit(Duration::from_secs(60));
    let call = tokio::spawn(async move { patient.vm_names().await });
    fake.unhang();
    let names = call.await.expect("no panic");
    assert_eq!(names, Ok(vec!["srv01".to_owned()]));
}

#[tokio::test]
async fn the_console_greets_while_the_vm_runs() {
    let fake = host_with_srv01();
    let uuid = fake.inventory().await.expect("a read").vms[0].uuid;
    assert!(fake.open_vnc(uuid).await.is_err());
    fake.start_vm("srv01");
    let mut console = fake.open_vnc(uuid).await.expect("a console");
    let mut greeting = [0; 12];
    console.read_exact(&mut greeting).await.expect("a greeting");
    assert_eq!(&greeting, b"RFB 003.008\n");
}

#[tokio::test]
async fn a_transient_disappearance_is_told() {
    let fake = host_with_srv01();
    fake.start_vm("srv01");
    fake.someone_does(&vm_step("srv01", VmOp::Undefine))
        .expect("an undefined VM");
    let vm = fake.inventory().await.expect("a read").vms.remove(0);
    assert!(!vm.persistent && vm.xml_persistent.is_none());
    fake.crash_vm("srv01");
    assert!(fake.inventory().await.expect("a read").vms.is_empty());
}
