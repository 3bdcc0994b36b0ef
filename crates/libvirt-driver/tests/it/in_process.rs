//! libvirt's test driver in this process: reading, changing, refusals, events.

use super::{LONG, connected, get_vm, hint, life, sentence, test_domain, vm};
use hypervisor::{Document, Hypervisor, Key, Reason};
use libvirt_driver::{LibvirtHypervisor, Options};
use model::lifecycle::Request;
use model::plan::{ListChange, NetworkOp, NetworkSection, PoolOp, Step, VmOp, VolumeOp};
use model::{Bytes, VmStatus};

fn host() -> LibvirtHypervisor {
    LibvirtHypervisor::open("test:///default", Options::default())
}

#[tokio::test]
async fn everything_is_read() {
    let host = host();
    let inventory = host.inventory().await.expect("an inventory");
    let vm = inventory.vms.iter().find(|vm| vm.name == "test");
    let vm = vm.expect("the test driver's own VM");
    assert_eq!(vm.status, VmStatus::Running);
    assert_eq!((vm.vcpus, vm.memory), (2, Bytes(2 << 30)));
    assert!(vm.domain_id.is_some() && vm.xml_live.is_some() && vm.xml_persistent.is_some());
    assert!(!domxml::domain::is_pending(vm));
    let pool = inventory
        .pools
        .iter()
        .find(|pool| pool.name == "default-pool");
    let pool = pool.expect("its pool");
    assert!(pool.active && pool.persistent && pool.capacity.0 > 0);
    assert_eq!(
        (pool.kind.as_str(), pool.target.as_str()),
        ("dir", "/default-pool")
    );
    let network = inventory
        .networks
        .iter()
        .find(|network| network.name == "default");
    let network = network.expect("its network");
    assert!(network.active && network.dhcp && network.xml_persistent.is_some());
    assert_eq!(network.cidrs, ["192.168.122.1/24"]);

    let alone = host.find_vm(&Key::Uuid(vm.uuid)).await.expect("a read");
    assert_eq!(alone.as_ref(), Some(vm));
    let alone = host.find_pool(&Key::Uuid(pool.uuid)).await.expect("a read");
    assert_eq!(alone.as_ref(), Some(pool));
    let key = Key::Name("default".into());
    let alone = host.find_network(&key).await.expect("a read");
    assert_eq!(alone.as_ref(), Some(network));
    assert_eq!(host.addresses().await, Ok(Vec::new()));
}

#[tokio::test]
async fn the_host_tells_its_facts() {
    let options = Options {
        host_name: Some("hv1".into()),
        ..Options::default()
    };
    let host = LibvirtHypervisor::open("test:///default", options);
    let facts = host.facts().await.expect("facts");
    assert_eq!(
        (facts.name.as_str(), facts.hypervisor.as_str()),
        ("hv1", "TEST")
    );
    assert_eq!(facts.domain_types, ["test"]);
    assert!(facts.cpus > 0 && facts.memory.0 > 0 && !facts.libvirt_version.is_empty());
    assert_eq!(
        host.clock_mhz().await,
        Ok(1400),
        "what the test driver says"
    );
    let xml = host.capabilities_xml().await.expect("capabilities");
    assert!(xml.contains("<capabilities>"));
}

#[tokio::test]
async fn what_is_not_there_is_none() {
    let host = host();
    let key = Key::Name("nothing".into());
    assert_eq!(host.find_vm(&key).await, Ok(None));
    assert_eq!(host.find_pool(&key).await, Ok(None));
    assert_eq!(host.find_network(&key).await, Ok(None));
    assert_eq!(host.find_volume("nothing", "x").await, Ok(None));
    assert_eq!(host.find_volume("default-pool", "x").await, Ok(None));
    let nul = Key::Name("a\0b".into());
    assert_eq!(
        host.find_vm(&nul).await.expect_err("no name").reason,
        Reason::Invalid
    );
}

#[tokio::test]
async fn a_vm_lives_and_is_heard() {
    let host = host();
    let mut hints = host.hints();
    connected(&mut hints).await;
    let (name, xml) = ("lives", test_domain("lives"));
    let all = [
        VmOp::Define { xml },
        VmOp::Autostart(true),
        VmOp::Life(Request::Start),
        VmOp::Life(Request::Pause),
        VmOp::Life(Request::Resume),
        VmOp::VcpusLive(1),
        VmOp::MemoryLive(Bytes::from_mib(32)),
        VmOp::Life(Request::ForceOff),
    ];
    for op in all {
        host.perform(&vm(name, op.clone()))
            .await
            .unwrap_or_else(|error| panic!("{op:?}: {error}"));
        if op == VmOp::Life(Request::Pause) {
            let read = get_vm(&host, name).await;
            assert_eq!(
                (read.status, read.status_reason.as_str()),
                (VmStatus::Paused, "user")
            );
        }
    }
    let read = get_vm(&host, name).await;
    assert_eq!(read.status, VmStatus::Shutoff);
    assert!(read.autostart && read.persistent && read.domain_id.is_none());
    assert!(
        host.vm_names()
            .await
            .expect("names")
            .contains(&name.to_owned())
    );
    host.perform(&vm(name, VmOp::Purge)).await.expect("an end");

    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|last: &String| !last.contains("undefined"))
    {
        let next = hint(&mut hints, |hint| {
            sentence(&hint).filter(|s| s.contains(" lives "))
        })
        .await;
        heard.push(next);
    }
    assert_eq!(
        heard,
        [
            "domain/lifecycle lives defined added",
            "domain/lifecycle lives started booted",
            "domain/lifecycle lives suspended paused",
            "domain/lifecycle lives resumed unpaused",
            "domain/lifecycle lives stopped destroyed",
            "domain/lifecycle lives undefined removed",
        ]
    );
}

#[tokio::test]
async fn refusals_keep_libvirts_words_and_get_a_reason() {
    let host = host();
    let xml = test_domain("refused");
    host.perform(&vm("refused", VmOp::Define { xml }))
        .await
        .expect("a definition");
    let error = host
        .perform(&life("refused", Request::ForceOff))
        .await
        .expect_err("off");
    assert_eq!(error.reason, Reason::WrongState);
    let (code, _) = error.libvirt.expect("libvirt's own code");
    assert_eq!(code, 55);
    assert!(
        error
            .to_string()
            .starts_with("cannot force off VM refused: "),
        "{error}"
    );

    let error = host
        .perform(&life("nobody", Request::Start))
        .await
        .expect_err("absent");
    assert_eq!(error.reason, Reason::NotFound);
    let xml = "<domain><name>x".to_owned();
    let error = host
        .perform(&vm("x", VmOp::Define { xml }))
        .await
        .expect_err("no XML");
    assert_eq!(error.reason, Reason::Invalid);
    let xml = test_domain("refused").replace(
        "</name>",
        "</name><uuid>11111111-2222-4333-8444-555555555555</uuid>",
    );
    let error = host
        .perform(&vm("refused", VmOp::Define { xml }))
        .await
        .expect_err("taken");
    assert_eq!(error.reason, Reason::Exists, "{error}");
    host.perform(&vm("refused", VmOp::Undefine))
        .await
        .expect("cleaning up");
}

#[tokio::test]
async fn pools_volumes_and_networks_live() {
    let host = host();
    let mut hints = host.hints();
    connected(&mut hints).await;
    let pool = |op| Step::Pool {
        name: "p1".into(),
        op,
    };
    let volume = |op| Step::Volume {
        pool: "p1".into(),
        name: "v1".into(),
        op,
    };
    let network = |op| Step::Network {
        name: "n1".into(),
        op,
    };
    let pool_xml = "<pool type='dir'><name>p1</name><target><path>/p1</path></target></pool>";
    let volume_xml = "<volume><name>v1</name><capacity unit='MiB'>4</capacity></volume>";
    let network_xml = "<network><name>n1</name><forward/><ip address='10.9.8.1' prefix='24'>\
        <dhcp><range start='10.9.8.10' end='10.9.8.20'/></dhcp></ip></network>";
    let update = NetworkOp::Update {
        section: NetworkSection::DhcpHost,
        change: ListChange::Add,
        parent_index: -1,
        xml: "<host mac='52:54:00:00:00:01' ip='10.9.8.5'/>".into(),
        live: true,
    };
    for step in [
        pool(PoolOp::Define {
            xml: pool_xml.into(),
        }),
        pool(PoolOp::Build),
        pool(PoolOp::Start),
        pool(PoolOp::Autostart(true)),
        volume(VolumeOp::Create {
            xml: volume_xml.into(),
        }),
        network(NetworkOp::Define {
            xml: network_xml.into(),
        }),
        network(NetworkOp::Start),
        network(update),
    ] {
        host.perform(&step)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let found = host
        .find_volume("p1", "v1")
        .await
        .expect("a read")
        .expect("v1");
    assert_eq!(
        (found.capacity, found.path.as_str()),
        (Bytes::from_mib(4), "/p1/v1")
    );
    let found = host
        .find_pool(&Key::Name("p1".into()))
        .await
        .expect("a read")
        .expect("p1");
    assert_eq!(
        (found.active, found.autostart, found.volume_count),
        (true, true, 1)
    );
    let found = host
        .find_network(&Key::Name("n1".into()))
        .await
        .expect("a read")
        .expect("n1");
    assert!(found.xml.contains("10.9.8.5"), "{}", found.xml);

    let image = VolumeOp::CreateFromImage {
        image: model::plan::ImageSource {
            location: "/x".into(),
            checksum: None,
        },
        format: "raw".into(),
        size: None,
    };
    assert_eq!(
        host.perform(&volume(image))
            .await
            .expect_err("not here")
            .reason,
        Reason::Unsupported
    );
    let listed = host.list_volumes("p1").await.expect("a list");
    let found = host.find_volume("p1", "v1").await.expect("a read");
    assert_eq!(listed, [found.expect("v1")]);
    let error = host.list_volumes("p0").await.expect_err("no such pool");
    assert_eq!(error.reason, Reason::NotFound);
    for step in [
        volume(VolumeOp::Delete),
        pool(PoolOp::Stop),
        pool(PoolOp::Delete),
        pool(PoolOp::Undefine),
        network(NetworkOp::Stop),
        network(NetworkOp::Undefine),
    ] {
        host.perform(&step)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|last: &String| last != "network/lifecycle n1 undefined unknown")
    {
        let ours = |s: &String| s.contains(" p1 ") || s.contains(" n1 ");
        heard.push(hint(&mut hints, |hint| sentence(&hint).filter(ours)).await);
    }
    assert_eq!(heard[0], "pool/lifecycle p1 defined unknown");
    assert!(
        heard.contains(&"network/lifecycle n1 started unknown".to_owned()),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_vm_that_vanishes_in_mid_read_is_left_out() {
    let host = std::sync::Arc::new(host());
    for number in 0..30 {
        let name = format!("churn{number}");
        let xml = test_domain(&name);
        host.perform(&vm(&name, VmOp::Define { xml }))
            .await
            .expect("a definition");
    }
    let remover = {
        let host = std::sync::Arc::clone(&host);
        tokio::spawn(async move {
            for number in 0..30 {
                let step = vm(&format!("churn{number}"), VmOp::Undefine);
                host.perform(&step).await.expect("an end");
            }
        })
    };
    while !remover.is_finished() {
        let inventory = host.inventory().await.expect("an inventory all the same");
        assert!(
            inventory
                .vms
                .iter()
                .all(|vm| vm.status != VmStatus::Unknown)
        );
    }
    remover.await.expect("no panic");
    let left = host.inventory().await.expect("an inventory").vms;
    assert!(left.iter().all(|vm| !vm.name.starts_with("churn")));
}

#[tokio::test]
async fn new_hints_end_the_ones_before() {
    let host = host();
    let mut first = host.hints();
    connected(&mut first).await;
    let mut second = host.hints();
    connected(&mut second).await;
    let ended = tokio::time::timeout(LONG, async { while first.recv().await.is_some() {} });
    ended.await.expect("the first receiver has ended");
}

#[tokio::test]
async fn a_file_of_the_test_driver_is_one_host_for_all_calls() {
    let path = std::env::temp_dir().join(format!("libvirt-driver-{}.xml", std::process::id()));
    let node = "<node><domain type='test'><name>alone</name><memory>65536</memory><os><type>hvm</type></os>\
        </domain></node>";
    std::fs::write(&path, node).expect("a file");
    let host = LibvirtHypervisor::open(&format!("test://{}", path.display()), Options::default());
    let mut hints = host.hints();
    connected(&mut hints).await;
    assert_eq!(host.vm_names().await, Ok(vec!["alone".to_owned()]));
    host.perform(&life("alone", Request::ForceOff))
        .await
        .expect("an end");
    let heard = hint(&mut hints, |hint| sentence(&hint)).await;
    assert_eq!(heard, "domain/lifecycle alone stopped destroyed");
    assert_eq!(get_vm(&host, "alone").await.status, VmStatus::Shutoff);
    std::fs::remove_file(path).expect("cleaning up");
}

#[tokio::test]
async fn snapshots_of_the_test_driver() {
    let host = host();
    let key = Key::Name("test".into());
    assert_eq!(host.snapshots(&key).await, Ok(Vec::new()));
    let take = |name: &str| {
        let name = name.to_owned();
        vm("test", VmOp::TakeSnapshot { name, dated: false })
    };
    host.perform(&take("one")).await.expect("a snapshot");
    host.perform(&take("two")).await.expect("a snapshot");
    let taken = host.perform(&take("two")).await.expect_err("taken");
    assert!(!taken.reason.leaves_outcome_unknown(), "{taken}");
    let mut have = host.snapshots(&key).await.expect("a list");
    have.sort_by(|a, b| a.name.cmp(&b.name));
    let shown: Vec<_> = have
        .iter()
        .map(|s| {
            (
                s.name.as_str(),
                s.parent.as_deref(),
                s.state.as_str(),
                s.current,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("one", None, "running", false),
            ("two", Some("one"), "running", true)
        ]
    );
    assert!(have.iter().all(|s| s.created > 1_700_000_000));

    let snapshot = || "one".to_owned();
    let back = vm(
        "test",
        VmOp::RevertTo {
            snapshot: snapshot(),
        },
    );
    host.perform(&back).await.expect("a revert");
    let delete = vm(
        "test",
        VmOp::DeleteSnapshot {
            snapshot: "two".into(),
        },
    );
    host.perform(&delete).await.expect("a deletion");
    let gone = host.perform(&delete).await.expect_err("gone");
    assert_eq!(gone.reason, Reason::NotFound, "{gone}");
    let have = host.snapshots(&key).await.expect("a list");
    assert_eq!(
        have.iter()
            .map(|s| (s.name.as_str(), s.current))
            .collect::<Vec<_>>(),
        [("one", true)]
    );
    let nobody = host
        .snapshots(&Key::Name("nobody".into()))
        .await
        .expect_err("absent");
    assert_eq!(nobody.reason, Reason::NotFound);
}

#[tokio::test]
async fn counters_leases_and_documents() {
    let host = host();
    let key = Key::Name("test".into());
    let counters = host.counters(&key).await.expect("counters");
    assert!(counters.cpu_time_ns > 0 && counters.net.rx_bytes > 0 && counters.block.rd_bytes > 0);
    host.perform(&life("test", Request::ForceOff))
        .await
        .expect("off");
    let off = host.counters(&key).await.expect_err("nothing runs");
    assert_eq!(off.reason, Reason::WrongState);
    let nobody = host
        .counters(&Key::Name("nobody".into()))
        .await
        .expect_err("absent");
    assert_eq!(nobody.reason, Reason::NotFound);

    // The test driver has no DHCP server, and knows neither kinds of pools nor kinds of VMs.
    assert_eq!(host.leases("default").await, Ok(Vec::new()));
    let absent = host.leases("nowhere").await.expect_err("absent");
    assert_eq!(absent.reason, Reason::NotFound);
    let pools = host
        .documents(&Document::PoolCapabilities)
        .await
        .expect_err("not told");
    assert_eq!(pools.reason, Reason::Unsupported);
}
