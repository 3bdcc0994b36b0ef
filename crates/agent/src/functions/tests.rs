//! Functions on the fake hypervisor, called as from a command line.

use super::{Context, Fault, call, command_line};
use crate::minion::Minion;
use hypervisor::fake::FakeHypervisor;
use hypervisor::{Hypervisor, Key};
use model::{Bytes, Vm, VmStatus};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tree::Roots;

pub(super) struct Host {
    pub(super) fake: FakeHypervisor,
    pub(super) minion: Arc<Minion>,
    folder: PathBuf,
}

impl Host {
    pub(super) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("salar-functions-{}", uuid::Uuid::new_v4()));
        let fake = FakeHypervisor::new("kvm1");
        fake.add_folder("/vms");
        fake.add_pool(
            "<pool type='dir'><name>pool0</name><target><path>/vms</path></target></pool>",
        );
        let salt = folder.join("salt");
        let mut minion = Minion::new("kvm1", Arc::new(fake.clone()), "fake:///", folder.clone());
        minion.files = Roots::new([salt]);
        minion
            .config
            .insert("virt".to_owned(), json!({"images": "pool0"}));
        Self {
            fake,
            minion: Arc::new(minion),
            folder,
        }
    }

    pub(super) async fn call(&self, words: &[&str]) -> Result<Value, Fault> {
        let given: Vec<String> = words[1..].iter().map(|&word| word.to_owned()).collect();
        let (args, kwargs) = command_line(&given);
        call(&self.minion, words[0], &args, &kwargs, &Context::quiet())
            .await
            .map(|returned| returned.value)
    }

    async fn check(&self, words: &[&str], expected: Value) {
        assert_eq!(self.call(words).await, Ok(expected), "{words:?}");
    }

    async fn refused(&self, words: &[&str]) -> String {
        self.call(words).await.expect_err("refused").message
    }

    async fn vm(&self, name: &str) -> Option<Vm> {
        let key = Key::Name(name.to_owned());
        self.fake.find_vm(&key).await.expect("the fake answers")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_vm_is_made_changed_and_purged() {
    let host = Host::new();
    let init = ["virt.init", "srv01", "1", "512", "nic=None"];
    let disks = "disks=[{name: system, size: 1024, pool: pool0}]";
    host.check(
        &[
            &init[..],
            &["interfaces=[{name: lan, type: bridge, source: br1}]", disks],
        ]
        .concat(),
        json!(true),
    )
    .await;
    let vm = host.vm("srv01").await.expect("it is there");
    assert_eq!(
        (vm.status, vm.memory),
        (VmStatus::Running, Bytes::from_mib(512))
    );
    let sources: Vec<&str> = vm.nics.iter().map(|nic| nic.source.as_str()).collect();
    assert_eq!(sources, ["br1"], "no interface of the profile");
    assert!(
        host.refused(&init)
            .await
            .contains("already exists with uuid")
    );

    // Only a VM that is off is redefined.
    host.check(&["virt.setmem", "srv01", "1024"], json!(false))
        .await;
    host.check(&["virt.stop", "srv01"], json!(true)).await;
    host.check(&["virt.setmem", "srv01", "1024"], json!(true))
        .await;
    host.check(&["virt.setvcpus", "srv01", "3"], json!(true))
        .await;
    for (word, on) in [("on", true), ("off", false), ("True", true)] {
        host.check(&["virt.set_autostart", "srv01", word], json!(true))
            .await;
        assert_eq!(host.vm("srv01").await.map(|vm| vm.autostart), Some(on));
    }
    host.check(&["virt.set_autostart", "srv01", "maybe"], json!(false))
        .await;
    let vm = host.vm("srv01").await.expect("it is there");
    assert_eq!(
        (vm.memory, vm.memory_max, vm.vcpus),
        (Bytes::from_mib(1024), Bytes::from_mib(1024), 3)
    );

    let unchanged = json!({"definition": false, "disk": {"attached": [], "detached": [], "updated": []}, "interface": {"attached": [], "detached": []}});
    host.check(&["virt.update", "srv01", "mem=1024"], unchanged)
        .await;
    let changed = host
        .call(&["virt.update", "srv01", "mem=2048"])
        .await
        .expect("updated");
    assert_eq!(changed["definition"], true);
    assert_eq!(
        host.vm("srv01").await.map(|vm| vm.memory),
        Some(Bytes::from_mib(2048))
    );

    host.check(&["virt.start", "srv01"], json!(true)).await;
    host.check(&["virt.purge", "srv01"], json!(true)).await;
    assert_eq!(host.vm("srv01").await, None);
    assert_eq!(
        host.fake.find_volume("pool0", "srv01_system").await,
        Ok(None)
    );
    assert_eq!(
        host.refused(&["virt.undefine", "srv01"]).await,
        "No virtual machines found."
    );
}

#[tokio::test]
async fn vms_that_are_off_have_used_nothing() {
    let host = Host::new();
    host.fake.add_vm(&vm_with_disk("a", "/vms/a"));
    let zero = json!({"a": {"cputime": 0, "cputime_percent": 0}});
    host.check(&["virt.vm_cputime"], zero).await;
    let net = host.call(&["virt.vm_netstats"]).await.expect("told");
    assert_eq!(net["a"]["rx_bytes"], 0);
    host.check(&["virt.vm_diskstats"], json!({})).await;
}

#[tokio::test]
async fn a_console_is_told_as_its_definition_has_it() {
    let host = Host::new();
    host.fake.add_vm(
        "<domain type='kvm'><name>a</name><memory>1024</memory><devices>\
         <graphics type='vnc' port='-1' autoport='yes' passwd='secret'/></devices></domain>",
    );
    let told =
        json!({"type": "vnc", "port": "-1", "listen": "None", "autoport": "yes", "keymap": "None"});
    host.check(&["virt.get_graphics", "a"], told).await;
    host.fake.add_vm(&vm_with_disk("b", "/vms/b"));
    let none = json!({"type": "None", "port": "None", "listen": "None", "autoport": "None", "keymap": "None"});
    host.check(&["virt.get_graphics", "b"], none).await;
}

#[tokio::test]
async fn the_host_is_told_in_salts_shape() {
    let host = Host::new();
    host.fake.add_vm(&vm_with_disk("a", "/vms/a"));
    let full = host.call(&["virt.full_info"]).await.expect("told");
    let node = &full["node_info"];
    for key in [
        "cpucores",
        "cpumhz",
        "cpus",
        "cputhreads",
        "numanodes",
        "phymemory",
        "sockets",
    ] {
        assert!(node[key].is_u64(), "{key}: {node}");
    }
    assert_eq!(
        node["cpumhz"], 2400,
        "as libvirt says, not the capabilities"
    );
    assert_eq!(full["freecpu"], node["cpus"], "nothing runs");
    let free = node["phymemory"].as_i64().map(|mib| mib - 256);
    assert_eq!(full["freemem"].as_i64(), free);
    assert_eq!(full["vm_info"]["a"]["loader"], json!({"path": "None"}));
    host.check(&["virt.get_loader", "a"], json!({"path": "None"}))
        .await;
    host.check(&["virt.is_hyper"], json!(true)).await;
    let argspec = host
        .call(&["sys.argspec", "virt.purge"])
        .await
        .expect("told");
    assert_eq!(
        argspec["virt.purge"]["args"],
        json!(["vm_", "dirs", "removables"])
    );
    let refused = host.refused(&["cmd.run", "id"]).await;
    assert!(
        refused.starts_with("'cmd.run' is not available: no command of a caller's"),
        "{refused}"
    );
}

fn vm_with_disk(name: &str, source: &str) -> String {
    format!(
        "<domain type='kvm'><name>{name}</name><memory>1024</memory><os><type>hvm</type></os><devices>\
         <disk type='file' device='disk'><source file='{source}'/><target dev='vda' bus='virtio'/></disk></devices></domain>"
    )
}

#[tokio::test]
async fn purge_spares_what_is_not_the_vms_own() {
    let host = Host::new();
    host.call(&["virt.volume_define", "pool0", "shared", "10"])
        .await
        .expect("a volume");
    host.fake.add_vm(&vm_with_disk("a", "/vms/shared"));
    host.fake.add_vm(&vm_with_disk("b", "/vms/shared"));
    host.fake.add_vm(&vm_with_disk("c", "/elsewhere/c"));
    assert_eq!(
        host.refused(&["virt.purge", "a"]).await,
        "cannot purge VM a: its disk vda (/vms/shared) is a disk of VM b, too"
    );
    assert_eq!(
        host.refused(&["virt.purge", "c"]).await,
        "cannot purge VM c: its disk vda is /elsewhere/c, which is neither a volume of a running pool nor a file of the host"
    );
    assert!(host.vm("a").await.is_some() && host.vm("c").await.is_some());
    assert_eq!(
        host.refused(&["virt.undefine", "d"]).await,
        "The VM \"d\" is not present"
    );
}

#[tokio::test]
async fn networks_pools_and_volumes_are_defined_and_updated() {
    let host = Host::new();
    let network = [
        "net0",
        "virbr7",
        "nat",
        "ipv4_config={cidr: 192.168.44.0/24}",
    ];
    host.check(
        &[&["virt.network_define"][..], &network].concat(),
        json!(true),
    )
    .await;
    assert_eq!(
        host.call(&["virt.network_info", "net0"])
            .await
            .expect("info")["net0"]["active"],
        1
    );
    host.check(
        &[&["virt.network_update"][..], &network].concat(),
        json!(false),
    )
    .await;
    let renamed = [
        "virt.network_update",
        "net0",
        "virbr7",
        "nat",
        "ipv4_config={cidr: 192.168.44.0/24}",
        "domain={name: tf.local}",
    ];
    host.check(&[&renamed[..], &["test=True"]].concat(), json!(true))
        .await;
    host.check(&renamed, json!(true)).await;
    host.check(&["virt.network_set_autostart", "net0", "off"], json!(true))
        .await;
    host.check(&["virt.network_stop", "net0"], json!(true))
        .await;
    host.check(&["virt.network_undefine", "net0"], json!(true))
        .await;
    host.check(&["virt.list_networks"], json!([])).await;

    host.check(
        &["virt.pool_define", "pool1", "dir", "target=/more"],
        json!(true),
    )
    .await;
    let info = host.call(&["virt.pool_info", "pool1"]).await.expect("info");
    assert_eq!(
        (&info["pool1"]["state"], &info["pool1"]["autostart"]),
        (&json!("running"), &json!(false))
    );
    host.check(
        &["virt.pool_update", "pool1", "dir", "target=/more"],
        json!(false),
    )
    .await;
    host.check(&["virt.volume_define", "pool1", "v", "10"], json!(true))
        .await;
    host.check(&["virt.pool_list_volumes", "pool1"], json!(["v"]))
        .await;
    host.fake.add_vm(&vm_with_disk("a", "/more/v"));
    let info = json!({"pool1": {"v": {"type": "file", "key": "/more/v", "path": "/more/v", "capacity": 10 << 20, "allocation": 0, "used_by": ["a"], "backing_store": null, "format": null}}});
    host.check(&["virt.volume_infos", "pool1", "v"], info).await;
    let empty = host.call(&["virt.volume_infos"]).await.expect("told");
    assert_eq!(empty.get("pool0"), None, "a pool without volumes");
    host.fake.remove_vm("a");
    host.check(&["virt.volume_delete", "pool1", "v"], json!(true))
        .await;
    host.check(
        &[
            "virt.define_vol_xml_str",
            "<volume><name>w</name><capacity>4096</capacity></volume>",
            "pool1",
        ],
        json!(true),
    )
    .await;
    let missing = ["virt.define_vol_xml_path", "/no/such/file", "pool1"];
    host.check(&missing, json!(false)).await;
    host.check(&["virt.pool_stop", "pool1"], json!(true)).await;
    host.check(&["virt.pool_undefine", "pool1"], json!(true))
        .await;
}

/// Writes an SLS with a pool and a VM in it, whose memory is given.
fn write_sls(host: &Host, mem: u32) {
    let folder = host.minion.files.dirs("base")[0].clone();
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = format!(
        "pool1:\n  virt.pool_running:\n    - ptype: dir\n    - target: /more\n\
         srv01:\n  virt.running:\n    - cpu: 1\n    - mem: {mem}\n    - disks: [{{name: system, size: 64, pool: pool1}}]\n    - require: [{{virt: pool1}}]\n"
    );
    std::fs::write(folder.join("vm.sls"), text).expect("written");
}

#[tokio::test]
async fn a_plan_is_applied_as_it_was_agreed_on() {
    let host = Host::new();
    write_sls(&host, 512);
    let before = host.fake.performed().len();
    let plan = host.call(&["state.plan", "vm"]).await.expect("a plan");
    assert_eq!(
        host.fake.performed().len(),
        before,
        "a plan changes nothing"
    );
    let again = host.call(&["state.plan", "vm"]).await.expect("a plan");
    assert_eq!(plan["hash"], again["hash"]);
    let planned: Vec<&Value> = plan["states"]
        .as_array()
        .expect("states")
        .iter()
        .flat_map(|state| state["steps"].as_array().expect("steps"))
        .collect();
    assert!(
        planned
            .iter()
            .any(|step| step["do"] == "define VM srv01" && step["with"]["xml"].is_string())
    );

    let text = plan.to_string();
    let argument = format!("plan={text}");
    let results = host
        .call(&["state.apply_plan", &argument])
        .await
        .expect("applied");
    for (key, result) in results.as_object().expect("results") {
        assert_eq!(result["result"], true, "{key}: {result}");
    }
    assert_eq!(host.fake.performed().len() - before, planned.len());
    assert_eq!(
        host.vm("srv01").await.map(|vm| vm.status),
        Some(VmStatus::Running)
    );

    // The world has moved: by ourselves this time.
    let done = host.fake.performed().len();
    let refused = host.refused(&["state.apply_plan", &argument]).await;
    assert!(
        refused.contains("the plan no longer fits")
            && refused.contains("now it would be nothing to do"),
        "{refused}"
    );
    let empty = host.call(&["state.plan", "vm"]).await.expect("a plan");
    assert_eq!(empty["consequence"], "none");
    assert!(
        empty["states"]
            .as_array()
            .expect("states")
            .iter()
            .all(|state| state["steps"] == json!([]))
    );
    assert_eq!(host.fake.performed().len(), done);
}

#[tokio::test]
async fn a_plan_that_does_not_fit_is_refused() {
    let host = Host::new();
    write_sls(&host, 512);
    let plan = host.call(&["state.plan", "vm"]).await.expect("a plan");
    let apply = |plan: Value| format!("plan={plan}");
    let with = |key: &str, value: Value| {
        let mut plan = plan.clone();
        plan[key] = value;
        apply(plan)
    };
    for (argument, said) in [
        (with("host", json!("kvm2")), "the plan is for kvm2"),
        (
            with("states", json!([])),
            "the plan was changed after it was made",
        ),
        (with("format", json!(9)), "the plan has form 9"),
        ("plan=nonsense".to_owned(), "the plan cannot be read"),
    ] {
        let refused = host.refused(&["state.apply_plan", &argument]).await;
        assert!(refused.contains(said), "{refused}");
    }
    // Other contents under the same steps.
    write_sls(&host, 1024);
    let refused = host
        .refused(&["state.apply_plan", &apply(plan.clone())])
        .await;
    assert!(
        refused.contains("srv01 (virt.running)") && refused.contains("other contents"),
        "{refused}"
    );
    assert_eq!(host.vm("srv01").await, None);
}

const QCOW2_VM: &str = "<domain type='kvm'><name>srv01</name><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  <devices><disk type='file' device='disk'><driver type='qcow2'/><source file='/vms/a'/><target dev='vda'/></disk></devices></domain>";

#[tokio::test]
async fn snapshots_are_taken_listed_gone_back_to_and_deleted() {
    let host = Host::new();
    host.check(&["virt.define_xml_str", QCOW2_VM], json!(true))
        .await;
    host.check(&["virt.list_snapshots"], json!({"srv01": "N/A"}))
        .await;
    assert_eq!(
        host.refused(&["virt.revert_snapshot", "srv01"]).await,
        "No snapshots found"
    );

    host.check(
        &["virt.snapshot", "srv01", "clean"],
        json!({"name": "clean"}),
    )
    .await;
    host.check(&["virt.start", "srv01"], json!(true)).await;
    let dated = host
        .call(&["virt.snapshot", "srv01", "suffix=up"])
        .await
        .expect("taken");
    let dated = dated["name"].as_str().expect("a name").to_owned();
    assert!(
        dated.starts_with("srv01-2") && dated.ends_with("-up"),
        "{dated}"
    );
    let listed = host
        .call(&["virt.list_snapshots", "srv01"])
        .await
        .expect("a list");
    let listed = listed["srv01"].as_array().expect("snapshots").clone();
    assert_eq!(
        listed
            .iter()
            .map(|s| (&s["name"], &s["running"], &s["current"]))
            .collect::<Vec<_>>(),
        [
            (&json!("clean"), &json!(false), &json!(false)),
            (&json!(dated), &json!(true), &json!(true)),
        ]
    );
    let created = listed[0]["created"].as_str().expect("a time");
    assert!(
        created.len() == 19 && created.as_bytes()[10] == b' ',
        "{created}"
    );

    assert_eq!(
        host.refused(&["virt.revert_snapshot", "srv01", &dated])
            .await,
        "Cannot revert to the currently running snapshot."
    );
    assert_eq!(
        host.refused(&["virt.revert_snapshot", "srv01", "claen"])
            .await,
        "Snapshot \"claen\" not found"
    );
    host.check(
        &["virt.revert_snapshot", "srv01", "cleanup=True"],
        json!({"reverted": "clean", "deleted": [dated]}),
    )
    .await;
    assert_eq!(
        host.vm("srv01").await.expect("a VM").status,
        VmStatus::Shutoff
    );
    assert_eq!(
        host.refused(&["virt.revert_snapshot", "srv01"]).await,
        "Cannot revert to itself: only one snapshot is available."
    );
    assert_eq!(
        host.refused(&["virt.delete_snapshots", "srv01", "nope"])
            .await,
        "Snapshot \"nope\" not found"
    );
    host.check(
        &["virt.delete_snapshots", "srv01", "clean"],
        json!({"available": {"srv01": "N/A"}, "deleted": ["clean"]}),
    )
    .await;
}

#[tokio::test]
async fn a_snapshot_that_could_not_be_gone_back_to_is_refused() {
    let host = Host::new();
    let raw = QCOW2_VM.replace("qcow2", "raw");
    host.check(&["virt.define_xml_str", &raw], json!(true))
        .await;
    assert_eq!(
        host.refused(&["virt.snapshot", "srv01"]).await,
        "cannot take a snapshot of VM srv01: its disk vda is raw, and a snapshot is kept inside of disks that are qcow2"
    );
    for name in ["a/b", " ", "..", "x\ny"] {
        let refused = host.refused(&["virt.snapshot", "srv01", name]).await;
        assert!(refused.contains("is no name for a snapshot"), "{refused}");
    }
    assert_eq!(
        host.refused(&["virt.snapshot", "srv02"]).await,
        "The VM \"srv02\" is not present"
    );
}

#[tokio::test]
async fn a_transient_vm_is_started_and_gone_when_it_is_off() {
    let host = Host::new();
    let xml = QCOW2_VM.replace("srv01", "once");
    host.check(&["virt.create_xml_str", &xml], json!(true))
        .await;
    let vm = host.vm("once").await.expect("a VM");
    assert!(vm.status == VmStatus::Running && !vm.persistent);
    host.refused(&["virt.create_xml_str", &xml]).await;
    host.check(&["virt.ctrl_alt_del", "once"], json!(true))
        .await;
    host.check(&["virt.stop", "once"], json!(true)).await;
    assert!(host.vm("once").await.is_none());
    host.check(&["virt.create_xml_path", "/nonexistent"], json!(false))
        .await;
    host.refused(&["virt.create_xml_str", "<domain"]).await;
}

#[tokio::test]
async fn profiles_are_told_with_what_the_hypervisor_adds() {
    let host = Host::new();
    host.check(
        &["virt.get_profiles", "xen"],
        json!({
            "disk": {"default": [{"name": "system", "size": 8192, "device": "disk", "model": "xen"}]},
            "nic": {"default": [{"name": "eth0", "type": "bridge", "source": "br0"}]},
        }),
    )
    .await;
    let told = host.call(&["virt.get_profiles"]).await.expect("profiles");
    assert_eq!(told["nic"]["default"][0]["model"], "virtio");
}

#[tokio::test]
async fn a_driver_that_does_not_tell_is_said_so() {
    let host = Host::new();
    let refused = host.refused(&["virt.pool_capabilities"]).await;
    assert_eq!(
        refused,
        "cannot read the capabilities of storage pools: this hypervisor does not tell"
    );
    host.check(&["virt.define_xml_str", QCOW2_VM], json!(true))
        .await;
    let info = host.call(&["virt.vm_info", "srv01"]).await.expect("a VM");
    assert_eq!(info["srv01"]["cputime"], 0);
}

#[tokio::test]
async fn purge_takes_files_and_with_dirs_their_empty_folders() {
    let host = Host::new();
    let own = host.folder.join("vms/a");
    let shared = host.folder.join("vms/shared");
    for folder in [&own, &shared] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    std::fs::write(shared.join("note"), "keep").expect("a file");
    for (name, folder, dirs) in [("a", &own, true), ("b", &shared, true), ("c", &own, false)] {
        std::fs::create_dir_all(folder).expect("a folder");
        let disk = folder.join("disk.raw");
        std::fs::write(&disk, "data").expect("a disk");
        host.fake
            .add_vm(&vm_with_disk(name, &disk.display().to_string()));
        host.fake.start_vm(name);
        let word = format!("dirs={}", if dirs { "True" } else { "False" });
        host.check(&["virt.purge", name, &word], json!(true)).await;
        assert!(host.vm(name).await.is_none() && !disk.exists(), "{name}");
        assert_eq!(folder.exists(), name != "a", "{name}");
    }
    // A file that a broken-off purge has taken is no reason to keep the VM; a pool that is stopped is.
    host.fake.add_vm(&vm_with_disk(
        "d",
        &own.join("gone.raw").display().to_string(),
    ));
    host.check(&["virt.purge", "d"], json!(true)).await;
    let pool = format!(
        "<pool type='dir'><name>p2</name><target><path>{}</path></target></pool>",
        own.display()
    );
    host.fake.add_pool(&pool);
    host.fake.add_vm(&vm_with_disk(
        "e",
        &own.join("gone.raw").display().to_string(),
    ));
    host.call(&["virt.pool_stop", "p2"]).await.expect("stopped");
    let refused = host.refused(&["virt.purge", "e"]).await;
    assert!(
        refused.contains("neither a volume of a running pool"),
        "{refused}"
    );
}

#[tokio::test]
async fn volumes_are_filled_in_pieces() {
    let host = Host::new();
    host.call(&["virt.volume_define", "pool0", "v", "1"])
        .await
        .expect("a volume");
    let file = host.folder.join("image");
    std::fs::create_dir_all(&host.folder).expect("a folder");
    std::fs::write(&file, "0123456789").expect("a file");
    let path = file.display().to_string();
    host.check(&["virt.volume_upload", "pool0", "v", &path], json!(true))
        .await;
    host.check(
        &[
            "virt.volume_upload",
            "pool0",
            "v",
            &path,
            "offset=4",
            "length=2",
            "sparse=True",
        ],
        json!(true),
    )
    .await;
    assert_eq!(
        host.fake.volume_bytes("pool0", "v").as_deref(),
        Some(&b"0123016789"[..])
    );
    assert_eq!(
        host.refused(&["virt.volume_upload", "pool0", "v", &path, "offset=-1"])
            .await,
        "virt.volume_upload: the argument 'offset' is -1, not a whole number of bytes"
    );
}

#[tokio::test]
async fn disks_are_made_for_a_vm_that_is_to_come() {
    let host = Host::new();
    let disks = "disks={vda: {file: /vms/srv_system, 'file format': qcow2, 'virtual size': 1073741824, type: disk}, vdb: {file: pool0/srv_data, 'file format': raw, 'virtual size': '1 GiB (1073741824 bytes)', type: disk}, hdc: {file: /iso/x.iso, type: cdrom}}";
    let seed = ["virt.seed_non_shared_migrate", disks];
    host.check(&seed, json!(true)).await;
    let made = |name| host.fake.find_volume("pool0", name);
    let system = made("srv_system")
        .await
        .expect("a look")
        .expect("the volume");
    assert_eq!(
        (system.format.as_str(), system.capacity),
        ("qcow2", Bytes(1 << 30))
    );
    // What fits stays; what does not is only replaced when that is asked for.
    host.check(&seed, json!(true)).await;
    let other = disks.replacen("qcow2", "raw", 1);
    host.check(&["virt.seed_non_shared_migrate", &other], json!(false))
        .await;
    host.check(
        &["virt.seed_non_shared_migrate", &other, "force=True"],
        json!(true),
    )
    .await;
    assert_eq!(
        made("srv_system")
            .await
            .expect("a look")
            .expect("the volume")
            .format,
        "raw"
    );
    let nowhere = "disks={vda: {file: /elsewhere/x, 'file format': raw, 'virtual size': 1}}";
    assert_eq!(
        host.refused(&["virt.seed_non_shared_migrate", nowhere])
            .await,
        "disk vda is /elsewhere/x, which is in no running pool of this host"
    );
}

#[tokio::test]
async fn a_migration_is_asked_for_as_it_is_meant() {
    use model::plan::{Step, VmOp};
    let host = Host::new();
    host.fake.add_vm(&vm_with_disk("a", "/vms/a"));
    let asked = Arc::new(std::sync::Mutex::new(None));
    let seen = Arc::clone(&asked);
    host.fake.fail_next(
        move |step| match step {
            Step::Vm {
                op: VmOp::Migrate(migration),
                ..
            } => {
                *seen.lock().expect("no panic") = Some(migration.clone());
                true
            }
            _ => false,
        },
        hypervisor::Reason::Refused,
        "not today",
    );
    let words = [
        "virt.migrate",
        "a",
        "kvm2",
        "copy_storage=all",
        "max_bandwidth=100",
        "compressed=True",
        "comp_methods=mt,xbzrle",
        "undefinesource=False",
        "postcopy=True",
    ];
    assert_eq!(
        host.refused(&words).await,
        "cannot move VM a to qemu://kvm2/system: not today"
    );
    let asked = asked.lock().expect("no panic").take().expect("a migration");
    assert_eq!(asked.copy_storage, Some(model::plan::CopyStorage::All));
    assert_eq!(asked.max_bandwidth, Some(100));
    assert_eq!(
        asked.compression.map(|how| how.methods),
        Some(vec!["mt".to_owned(), "xbzrle".to_owned()])
    );
    assert!(asked.live && asked.persistent && !asked.undefine_source && asked.postcopy);
    for (word, why) in [
        (
            "copy_storage=some",
            "virt.migrate: the argument 'copy_storage' is not all or incremental",
        ),
        (
            "max_downtime=0",
            "virt.migrate: the argument 'max_downtime' is not a whole number from 1",
        ),
        (
            "comp_mt_level=1",
            "virt.migrate: comp_… means nothing without compressed=True",
        ),
    ] {
        assert_eq!(
            host.refused(&["virt.migrate", "a", "kvm2", word]).await,
            why
        );
    }
}

#[tokio::test]
async fn the_password_of_a_pool_is_set_once_and_goes_with_it() {
    use model::plan::{SecretName, SecretUsage};
    let host = Host::new();
    let secret = SecretName {
        usage: SecretUsage::Iscsi,
        id: "pool_san".to_owned(),
    };
    let define = |password: &str| {
        vec![
            "virt.pool_define".to_owned(),
            "san".to_owned(),
            "iscsi-direct".to_owned(),
            "source_hosts=[t.example]".to_owned(),
            "source_devices=[{path: iqn.2013-06.com.example:t}]".to_owned(),
            "source_initiator=iqn.2013-06.com.example:i".to_owned(),
            format!("source_auth={{username: ann, password: {password}}}"),
        ]
    };
    let call = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        host.call(&words).await
    };
    let count = || {
        let steps = host.fake.performed();
        steps
            .iter()
            .filter(|step| format!("{step:?}").contains("SetValue"))
            .count()
    };
    call(define("hunter2")).await.expect("a pool");
    assert_eq!(
        host.fake.secret_value(&secret).as_deref(),
        Some(&b"hunter2"[..])
    );
    call(define("hunter2")).await.expect("as it is");
    assert_eq!(count(), 1, "the same password is not set again");
    call(define("hunter3")).await.expect("changed");
    assert_eq!(
        host.fake.secret_value(&secret).as_deref(),
        Some(&b"hunter3"[..])
    );
    // What is remembered on disk tells nobody the password.
    let remembered =
        std::fs::read_to_string(host.folder.join("passwords.json")).expect("remembered");
    assert!(
        remembered.contains("iscsi pool_san") && !remembered.contains("hunter"),
        "{remembered}"
    );
    host.call(&["virt.pool_stop", "san"])
        .await
        .expect("stopped");
    host.check(&["virt.pool_undefine", "san"], json!(true))
        .await;
    assert_eq!(host.fake.secret_value(&secret), None);
}
