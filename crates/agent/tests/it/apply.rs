//! The example of the origin, end to end.

use crate::support::{Host, UploadsFail, by_id};
use crate::web::{Web, image};
use agent::functions::Context;
use hypervisor::fake::FakeHypervisor;
use hypervisor::{Hypervisor, Key, Reason};
use model::plan::{Step, VmOp, VolumeOp};
use model::{Bytes, VmStatus};
use serde_json::{Value, json};
use std::sync::Arc;

const IDS: [&str; 3] = ["pool0", "net0", "srv01"];

#[tokio::test]
async fn the_origin_is_brought_about_and_stays() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    let returned = host.call("state.apply vm").await.unwrap();
    assert!(returned.ok, "{:#}", returned.value);
    let keys: Vec<&String> = returned.value.as_object().unwrap().keys().collect();
    assert_eq!(keys[2], "virt_|-srv01_|-srv01_|-running");
    let results = by_id(&returned.value);
    for (number, id) in IDS.into_iter().enumerate() {
        assert_eq!(results[id]["result"], true, "{results:#}");
        assert_eq!(results[id]["__run_num__"], number);
        assert_ne!(results[id]["changes"], json!({}));
    }
    assert_eq!(
        results["srv01"]["comment"],
        "Domain srv01 defined and started"
    );
    assert_eq!(
        results["srv01"]["changes"],
        json!({"srv01": {"definition": true, "started": true}})
    );

    let vm = host
        .fake
        .find_vm(&Key::Name("srv01".to_owned()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((vm.status, vm.memory), (VmStatus::Running, Bytes(1 << 30)));
    let disk = vm.disks.first().unwrap().source.clone();
    let volume = disk.rsplit('/').next().unwrap();
    assert_eq!(host.fake.volume_bytes("pool0", volume).unwrap(), image());
    let volume = host
        .fake
        .find_volume("pool0", volume)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(volume.capacity, Bytes::from_mib(122_880));

    let steps = host.fake.performed().len();
    let asked = web.requests().len();
    let results = host.states("state.apply vm").await;
    for (id, comment) in IDS.into_iter().zip([
        "Pool pool0 already running",
        "Network net0 unchanged and is running",
        "Domain srv01 exists and is running",
    ]) {
        assert_eq!(
            (&results[id]["result"], &results[id]["changes"]),
            (&json!(true), &json!({})),
            "{results:#}"
        );
        assert_eq!(results[id]["comment"], comment);
    }
    assert_eq!(host.fake.performed().len(), steps, "nothing was done");
    assert_eq!(web.requests().len(), asked, "nothing was fetched");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_touches_nothing() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    let dry = host.states("state.apply vm test=True").await;
    for id in IDS {
        assert_eq!(dry[id]["result"], Value::Null, "{dry:#}");
    }
    assert_eq!(host.fake.performed(), []);
    assert_eq!(web.requests().len(), 0);
    let wet = host.states("state.apply vm").await;
    for id in IDS {
        assert_eq!(
            (&dry[id]["comment"], &dry[id]["changes"]),
            (&wet[id]["comment"], &wet[id]["changes"]),
            "{id}"
        );
    }
    let again = host.states("state.apply vm test=True").await;
    for id in IDS {
        assert_eq!(
            (&again[id]["result"], &again[id]["changes"]),
            (&json!(true), &json!({})),
            "{again:#}"
        );
    }
}

#[tokio::test]
async fn what_was_made_is_removed_with_its_data_and_a_second_run_is_silent() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    host.states("state.apply vm").await;
    let gone = "\
srv01:\n  virt.absent:\n    - force: True\n    - delete_disks: True\n\
net0:\n  virt.network_absent:\n    - require:\n      - virt: srv01\n\
pool0:\n  virt.pool_deleted:\n    - purge: True\n    - require:\n      - virt: srv01\n";
    host.folder.write("salt/gone.sls", gone);
    let dry = host.states("state.apply gone test=True").await;
    for (id, changes) in [
        (
            "srv01",
            json!({"srv01": {"stopped": true, "undefined": true, "deleted_volumes": ["srv01_system"]}}),
        ),
        (
            "net0",
            json!({"net0": {"stopped": true, "undefined": true}}),
        ),
        (
            "pool0",
            json!({"stopped": true, "deleted": true, "undefined": true, "deleted_volumes": []}),
        ),
    ] {
        assert_eq!(
            (&dry[id]["result"], &dry[id]["changes"]),
            (&Value::Null, &changes),
            "{dry:#}"
        );
    }
    let wet = host.states("state.apply gone").await;
    for id in IDS {
        assert_eq!(wet[id]["result"], true, "{wet:#}");
        assert_eq!(wet[id]["changes"], dry[id]["changes"]);
    }
    let left = host.fake.inventory().await.unwrap();
    assert!(left.vms.is_empty() && left.pools.is_empty() && left.networks.is_empty());
    let steps = host.fake.performed().len();
    let again = host.states("state.apply gone").await;
    for (id, comment) in IDS.into_iter().zip([
        "Storage pool could not be found: pool0",
        "Network net0 is absent",
        "Domain srv01 is absent",
    ]) {
        assert_eq!(
            (&again[id]["result"], &again[id]["changes"]),
            (&json!(true), &json!({})),
            "{again:#}"
        );
        assert_eq!(again[id]["comment"], comment);
    }
    assert_eq!(host.fake.performed().len(), steps, "nothing was done");
}

#[tokio::test]
async fn a_cloud_init_drive_is_written_once_and_again_for_other_data() {
    let host = Host::new();
    host.fake
        .add_pool("<pool type='dir'><name>pool0</name><target><path>/vms</path></target></pool>");
    let write = |password: &str| {
        let sls = format!(
            "ci:\n  virt.defined:\n    - mem: 256\n    - disks: [{{name: system, pool: pool0, size: 8}}]\n    \
             - cloud_init: {{user_data: {{password: {password}}}}}\n"
        );
        host.folder.write("salt/ci.sls", &sls);
    };
    let holds = |password: &str| {
        let bytes = host.fake.volume_bytes("pool0", "ci_cidata").unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains("CD001") && text.contains(&format!("\"password\": \"{password}\""))
    };
    write("first");
    let made = host.states("state.apply ci").await;
    assert_eq!(made["ci"]["result"], true, "{made:#}");
    assert!(holds("first"));
    let steps = host.fake.performed().len();
    let again = host.states("state.apply ci").await;
    assert_eq!(again["ci"]["changes"], json!({}), "{again:#}");
    assert_eq!(host.fake.performed().len(), steps, "nothing was done");
    assert_eq!(host.fake.calls("upload"), 1);

    write("second");
    let other = host.states("state.apply ci").await;
    assert_eq!(other["ci"]["result"], true, "{other:#}");
    assert!(holds("second"));
    assert_eq!(host.fake.calls("upload"), 2);
}

/// A state that needs the VM, to see it skipped.
fn with_dependent(host: &Host, url: &str) {
    let sls = include_str!("../../../../examples/origin/vm.sls")
        .replace("http://127.0.0.1:8471/guest.qcow2", url);
    let dependent = "\nsrv02:\n  virt.running:\n    - cpu: 1\n    - mem: 256\n    - require:\n      - virt: srv01\n";
    host.folder
        .write("salt/vm.sls", &format!("{sls}{dependent}"));
}

async fn check_nothing_half_made(host: &Host, comment: &str) {
    let returned = host.call("state.apply vm").await.unwrap();
    assert!(!returned.ok);
    let results = by_id(&returned.value);
    let said = results["srv01"]["comment"].as_str().unwrap();
    assert!(said.contains(comment), "{said}");
    assert_eq!(results["srv01"]["result"], false);
    assert_eq!(
        (&results["pool0"]["result"], &results["net0"]["result"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(results["srv02"]["result"], false);
    assert_eq!(
        results["srv02"]["comment"],
        "One or more requisite failed: vm.srv01"
    );
    assert!(
        host.fake
            .find_vm(&Key::Name("srv01".to_owned()))
            .await
            .unwrap()
            .is_none()
    );
    let pool = host
        .fake
        .find_pool(&Key::Name("pool0".to_owned()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(pool.volume_count, 0, "no volume is left");
}

#[tokio::test]
async fn a_bad_image_fails_its_vm_and_leaves_nothing() {
    let web = Web::serve(image()).await;
    let host = Host::new();
    with_dependent(&host, &web.url);
    web.set(|site| site.status = 404);
    check_nothing_half_made(&host, "the server answers 404 Not Found").await;
    web.set(|site| (site.status, site.cuts, site.ranges) = (200, (99, 1000), false));
    check_nothing_half_made(&host, "it ends after 1000 bytes of 300000").await;
    web.set(|site| {
        (site.cuts, site.etag, site.body) = ((0, 0), None, b"<html>Moved</html>".repeat(40))
    });
    check_nothing_half_made(&host, "it is not an image but a web page").await;
}

#[tokio::test]
async fn an_upload_that_fails_takes_its_volume_away() {
    let web = Web::serve(image()).await;
    let fake = FakeHypervisor::new("kvm1.tf.local");
    let host = Host::with(fake.clone(), Arc::new(UploadsFail(fake)));
    with_dependent(&host, &web.url);
    check_nothing_half_made(&host, "No space left on device").await;
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_nothing_and_the_next_run_succeeds() {
    let web = Web::serve(image()).await;
    let all = {
        let host = Host::new().with_origin(&web.url);
        host.states("state.apply vm").await;
        host.fake.performed()
    };
    assert!(all.len() >= 8, "{all:#?}");
    for failing in &all {
        let host = Host::new().with_origin(&web.url);
        let words = hypervisor::attempt(failing);
        let wanted = words.clone();
        host.fake.fail_next(
            move |step| hypervisor::attempt(step) == wanted,
            Reason::Refused,
            "injected",
        );
        let results = host.states("state.apply vm").await;
        let failed: Vec<&str> = IDS
            .into_iter()
            .filter(|id| results[id]["result"] == false)
            .collect();
        assert!(!failed.is_empty(), "{words}: {results:#}");
        let inventory = host.fake.inventory().await.unwrap();
        assert_eq!(inventory.vms.len(), 0, "{words}: a VM is left");
        if failed.contains(&"pool0") {
            assert_eq!(inventory.pools.len(), 0, "{words}: a pool is left");
        } else {
            assert_eq!(
                inventory.pools[0].volume_count, 0,
                "{words}: a volume is left"
            );
        }
        if failed.contains(&"net0") {
            assert_eq!(inventory.networks.len(), 0, "{words}: a network is left");
        }
        let again = host.call("state.apply vm").await.unwrap();
        assert!(again.ok, "{words}: {:#}", again.value);
    }
}

#[tokio::test]
async fn a_call_that_broke_off_is_looked_into() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    let is_start = |step: &Step| {
        matches!(
            step,
            Step::Vm {
                op: VmOp::Life(_),
                ..
            }
        )
    };
    host.fake.fail_next(is_start, Reason::TimedOut, "no answer");
    let results = host.states("state.apply vm").await;
    assert_eq!(results["srv01"]["result"], false, "{results:#}");
    assert!(
        host.fake
            .find_vm(&Key::Name("srv01".to_owned()))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_cancelled_run_stops_between_steps_and_takes_its_chunk_back() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    let context = Context::quiet();
    context.cancel.cancel();
    let returned = host.call_in("state.apply vm", &context).await.unwrap();
    assert!(!returned.ok);
    assert_eq!(host.fake.performed(), []);
}

#[tokio::test]
async fn mistakes_in_files_are_told_with_their_place_and_nothing_runs() {
    let host = Host::new();
    host.folder.write(
        "salt/bad.sls",
        "pool0:\n  virt.pool_runing:\n    - ptype: dir\n",
    );
    let returned = host.call("state.apply bad").await.unwrap();
    assert!(!returned.ok);
    let text = returned.value[0].as_str().unwrap();
    assert!(
        text.contains("'virt.pool_runing' was not found")
            && text.contains("bad.sls:2")
            && text.contains("virt.pool_running"),
        "{text}"
    );
    let returned = host.call("state.apply absent").await.unwrap();
    assert_eq!(
        returned.value[0].as_str().unwrap().lines().next().unwrap(),
        "No matching sls found for 'absent' in env 'base'"
    );
    assert_eq!(host.fake.performed(), []);
}

#[tokio::test]
async fn templates_see_grains_pillar_and_the_host() {
    let host = Host::new();
    host.fake.add_vm("<domain type='qemu'><name>old</name><memory>1024</memory><os><type>hvm</type></os></domain>");
    host.folder
        .write("pillar/top.sls", "base:\n  '*':\n    - data\n");
    host.folder.write("pillar/data.sls", "memory: 512\n");
    host.folder.write(
        "salt/t.sls",
        "{{ salt['virt.list_domains']()[0] }}-{{ grains['id'] }}-{{ salt['pillar.get']('memory') }}:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /x\n",
    );
    let high = host.call("state.show_sls t").await.unwrap().value;
    assert_eq!(
        high.as_object().unwrap().keys().next().unwrap(),
        "old-kvm1.tf.local-512"
    );
    assert_eq!(host.call("pillar.get memory").await.unwrap().value, 512);
    let high = host
        .call(r#"state.show_sls t pillar={"memory":7}"#)
        .await
        .unwrap()
        .value;
    assert_eq!(
        high.as_object().unwrap().keys().next().unwrap(),
        "old-kvm1.tf.local-7"
    );
    let fault = host.call("state.show_sls t pillar=7").await.unwrap_err();
    assert_eq!(fault.message, "the argument 'pillar' is not a dictionary");
}

#[tokio::test]
async fn conditions_keep_a_state_from_running() {
    let host = Host::new();
    let pool = |name: &str, condition: &str| {
        format!(
            "{name}:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /{name}\n    - {condition}\n"
        )
    };
    let sls = [
        pool("a", "onlyif: 'false'"),
        pool("b", "unless: 'true'"),
        pool("c", "creates: /dev/null"),
        pool("d", "onlyif: 'true'"),
        pool("e", "check_cmd: ['false']"),
    ]
    .concat();
    host.folder.write("salt/c.sls", &sls);
    let results = host.states("state.apply c").await;
    assert_eq!(results["a"]["comment"], "onlyif condition is false");
    assert_eq!(results["b"]["comment"], "unless condition is true");
    assert_eq!(results["c"]["comment"], "/dev/null exists");
    assert_eq!(results["d"]["result"], true);
    assert_ne!(results["d"]["changes"], json!({}));
    assert_eq!(
        results["e"]["comment"],
        "check_cmd determined the state failed"
    );
    assert_eq!(host.fake.inventory().await.unwrap().pools.len(), 2);
}

#[tokio::test]
async fn libvirt_that_is_down_is_said_in_one_sentence() {
    let host = Host::new().with_origin("/nowhere");
    host.fake.set_reachable(false);
    let fault = host.call("state.apply vm").await.unwrap_err();
    assert!(
        fault.message.contains("Failed to connect socket"),
        "{fault}"
    );
    assert!(fault.hint.unwrap().contains("systemctl status libvirtd"));
}

#[tokio::test]
async fn a_volume_that_a_killed_process_left_half_made_is_deleted_first() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    host.folder.write(
        "salt/pool.sls",
        "pool0:\n  virt.pool_running:\n    - ptype: dir\n    - target: /vms\n",
    );
    host.states("state.apply pool").await;
    // What a process that was killed during its upload leaves: an empty volume, and a marker that nobody holds.
    let xml = "<volume><name>srv01_system</name><capacity>1</capacity></volume>".to_owned();
    let (pool, name) = ("pool0".to_owned(), "srv01_system".to_owned());
    host.fake
        .someone_does(&Step::Volume {
            pool,
            name,
            op: VolumeOp::Create { xml },
        })
        .unwrap();
    let marker = r#"{"uri":"fake:///system","pool":"pool0","volume":"srv01_system"}"#;
    host.folder.write("state/unfinished/one.json", marker);
    let other = r#"{"uri":"other:///system","pool":"pool0","volume":"srv01_system"}"#;
    host.folder.write("state/unfinished/two.json", other);

    let results = host.states("state.apply vm").await;
    assert_eq!(results["srv01"]["result"], true, "{results:#}");
    assert_eq!(
        host.fake.volume_bytes("pool0", "srv01_system").unwrap(),
        image()
    );
    let left = std::fs::read_dir(host.folder.path().join("state/unfinished")).unwrap();
    assert_eq!(left.count(), 1, "the marker of another host stays");
}

#[tokio::test]
async fn independent_vms_are_made_beside_each_other() {
    let web = Web::serve(image()).await;
    // Only when every answer but the last is on its way does the last one begin: one after the other would hang.
    web.set(|site| site.together = 3);
    let host = Host::new();
    let pool = "pool0:\n  virt.pool_running:\n    - ptype: dir\n    - target: /vms\n";
    let vm = |number: u8| {
        format!(
            "vm{number}:\n  virt.running:\n    - cpu: 1\n    - mem: 256\n    - disks:\n      - name: system\n        \
             format: qcow2\n        image: {}?{number}\n        pool: pool0\n    - require:\n      - virt: pool0\n",
            web.url
        )
    };
    host.folder.write(
        "salt/many.sls",
        &[pool.to_owned(), vm(1), vm(2), vm(3)].concat(),
    );
    let run = host.states("state.apply many");
    let results = tokio::time::timeout(std::time::Duration::from_secs(20), run)
        .await
        .unwrap();
    for id in ["pool0", "vm1", "vm2", "vm3"] {
        assert_eq!(results[id]["result"], true, "{results:#}");
    }
}

#[tokio::test]
async fn a_second_run_is_told_of_the_first() {
    let host = Host::new().with_origin("/nowhere");
    let first = agent::busy::StateRun::begin(&host.minion.state_dir, "state.apply", "1").unwrap();
    let fault = host.call("state.apply vm").await.unwrap_err();
    assert!(
        fault
            .message
            .starts_with("The function \"state.apply\" is running as PID "),
        "{fault}"
    );
    drop(first);
    assert!(host.call("state.apply vm test=True").await.is_ok());
}

#[tokio::test]
async fn a_state_is_tried_again_until_it_succeeds() {
    let host = Host::new();
    host.folder.write("salt/r.sls", "pool0:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /x\n    - retry: {attempts: 3, interval: 0}\n");
    host.fake.fail_next(|_| true, Reason::Refused, "not yet");
    let results = host.states("state.apply r").await;
    assert_eq!(results["pool0"]["result"], true, "{results:#}");
    let comment = results["pool0"]["comment"].as_str().unwrap();
    assert!(
        comment.starts_with(
            "Attempt 1: Returned a result of \"False\", with the following comment: \""
        ),
        "{comment}"
    );
}

#[tokio::test]
async fn one_state_can_be_given_on_the_command_line() {
    let host = Host::new();
    let results = host
        .states("state.single virt.pool_defined name=pool0 ptype=dir target=/x")
        .await;
    assert_eq!(results["pool0"]["result"], true, "{results:#}");
}

#[tokio::test]
async fn a_download_can_be_cancelled() {
    let web = Web::serve(image()).await;
    web.set(|site| site.together = usize::MAX);
    let host = Host::new().with_origin(&web.url);
    let context = Context::quiet();
    let cancel = async {
        while web.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        context.cancel.cancel();
    };
    let (returned, ()) = tokio::join!(host.call_in("state.apply vm", &context), cancel);
    let results = by_id(&returned.unwrap().value);
    let comment = results["srv01"]["comment"].as_str().unwrap();
    assert!(comment.ends_with("was cancelled"), "{comment}");
    assert!(host.fake.inventory().await.unwrap().vms.is_empty());
}

#[tokio::test]
async fn a_result_goes_to_the_bus_where_it_is_wanted() {
    let host = Host::new();
    host.folder.write("salt/e.sls", "pool0:\n  virt.pool_defined:\n    - ptype: dir\n    - target: /x\n    - fire_event: made\n");
    let events = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = events.clone();
    let context = Context {
        events: Arc::new(move |tag, data| sink.lock().unwrap().push((tag, data))),
        jid: "1".to_owned(),
        ..Context::quiet()
    };
    host.call_in("state.apply e", &context).await.unwrap();
    let events = events.lock().unwrap();
    assert_eq!(events[0].0, "salt/state_result/1/kvm1.tf.local/made");
    assert_eq!(events[0].1["ret"]["result"], true);
}

#[tokio::test]
async fn a_run_that_changes_nothing_reads_only_what_it_needs() {
    let web = Web::serve(image()).await;
    let host = Host::new().with_origin(&web.url);
    host.states("state.apply vm").await;
    const METHODS: [&str; 8] = [
        "facts",
        "inventory",
        "capabilities_xml",
        "vm_names",
        "find_vm",
        "find_pool",
        "find_network",
        "find_volume",
    ];
    let calls = || METHODS.map(|method| host.fake.calls(method));
    let before = calls();
    host.states("state.apply vm").await;
    let made: Vec<u64> = calls()
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    // The versions; pool and network for their own states; the VM, its volume, and its pool once more.
    assert_eq!(made, [1, 0, 0, 0, 1, 2, 1, 1]);
}

fn many(memory: u32) -> String {
    let vm = |number| format!("vm{number}:\n  virt.defined: [mem: {memory}]\n");
    (0..12).map(vm).collect()
}

#[tokio::test]
async fn a_run_of_many_states_lists_once_and_reads_afresh_after_its_first_step() {
    let host = Host::new();
    host.folder.write("salt/many.sls", &many(64));
    assert!(host.call("state.apply many").await.expect("applied").ok);

    let (lists, reads) = (host.fake.calls("inventory"), host.fake.calls("find_vm"));
    let again = host.call("state.apply many").await.expect("applied");
    assert!(again.ok);
    assert_eq!(host.fake.calls("inventory") - lists, 1);
    assert_eq!(host.fake.calls("find_vm") - reads, 0);

    host.folder.write("salt/many.sls", &many(96));
    let reads = host.fake.calls("find_vm");
    assert!(host.call("state.apply many").await.expect("applied").ok);
    assert!(
        host.fake.calls("find_vm") > reads,
        "what is changed is read just before"
    );
}

#[tokio::test]
async fn who_listens_is_called_after_everything_else() {
    let host = Host::new();
    host.folder.write(
        "salt/vm.sls",
        "\
changes: test.succeed_with_changes
silent: test.succeed_without_changes
listens:
  test.succeed_without_changes:
    - listen: [{test: changes}]
in_vain:
  test.nop:
    - listen: [{test: silent}]
conditional:
  test.nop:
    - onlyif: 'false'
    - listen: [{test: changes}]
last: test.nop
",
    );
    let returned = host.call("state.apply vm").await.unwrap();
    assert!(returned.ok, "{:#}", returned.value);
    let keys: Vec<&String> = returned.value.as_object().unwrap().keys().collect();
    assert_eq!(
        keys[6..],
        [
            "test_|-listener_listens_|-listens_|-mod_watch",
            "test_|-listener_conditional_|-conditional_|-mod_watch"
        ]
    );
    let results = by_id(&returned.value);
    let listener = &results["listener_listens"];
    assert_eq!(listener["comment"], "Watch statement fired.");
    assert_eq!(listener["changes"], json!({"Requisites with changes": []}));
    assert_eq!(
        (&listener["result"], &listener["__run_num__"]),
        (&json!(true), &json!(6))
    );
    assert_eq!(
        results["listener_conditional"]["comment"],
        "onlyif condition is false"
    );

    let dry = host.states("state.apply vm test=True").await;
    assert_eq!(dry["listener_listens"]["result"], true);
}

#[tokio::test]
async fn a_virt_state_that_listens_fails_as_in_salt() {
    let host = Host::new();
    host.folder.write(
        "salt/vm.sls",
        "\
changes: test.succeed_with_changes
net:
  virt.network_running:
    - name: net0
    - forward: bridge
    - bridge: br0
    - failhard: True
    - unless: 'false'
    - listen: [{test: changes}]
later:
  test.nop:
    - listen: [{test: changes}]
",
    );
    let returned = host.call("state.apply vm").await.unwrap();
    assert!(!returned.ok);
    let results = by_id(&returned.value);
    assert_eq!(results["net"]["result"], true, "{results:#}");
    assert_eq!(results["listener_net"]["result"], false);
    assert_eq!(
        results["listener_net"]["comment"],
        "State 'virt.mod_watch' was not found in SLS 'vm'\nReason: 'virt.mod_watch' is not available.\n"
    );
    assert_eq!(results["listener_net"]["__state_ran__"], false);
    assert_eq!(results.get("listener_later"), None, "failhard stops them");
}

#[tokio::test]
async fn a_state_that_watches_is_told_of_changes_unless_it_has_its_own() {
    let host = Host::new();
    host.folder.write(
        "salt/vm.sls",
        "\
changes: test.succeed_with_changes
silent: test.succeed_without_changes
told:
  test.succeed_without_changes:
    - watch: [{test: silent}, {test: changes}]
    - comment: told
own:
  test.succeed_with_changes:
    - watch: [{test: changes}]
untold:
  test.succeed_without_changes:
    - watch: [{test: silent}]
",
    );
    let results = host.states("state.apply vm").await;
    assert_eq!(results["told"]["comment"], "told");
    assert_eq!(
        results["told"]["changes"],
        json!({"Requisites with changes": ["test: changes"]})
    );
    assert_eq!(results["own"]["comment"], "Success!");
    assert_eq!(results["untold"]["changes"], json!({}));
}

#[tokio::test]
async fn nothing_assigned_is_one_failed_result() {
    let host = Host::new();
    let returned = host.call("state.apply").await.unwrap();
    assert!(!returned.ok);
    let result = &returned.value["no_|-states_|-states_|-None"];
    assert_eq!(result["result"], false);
    let comment = result["comment"].as_str().unwrap();
    assert!(
        comment.starts_with("No Top file or master_tops data matches found.")
            && comment.contains("write a top.sls that assigns SLS to 'kvm1.tf.local'"),
        "{comment}"
    );
}
