//! What templates, conditions and command lines can look up without libvirt: files, addresses, targets; and `state.*`
//! that only show.

use crate::support::Host;
use agent::Minion;
use agent::functions::{Context, call};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The SLS `t` that declares one state named by `expression`; what it is named, or the errors.
async fn rendered(host: &Host, expression: &str) -> Value {
    let sls =
        format!("a:\n  test.nop:\n    - name: {{{{ [{expression}] | tojson | yaml_dquote }}}}\n");
    host.folder.write("salt/t.sls", &sls);
    let returned = host.call("state.show_low_sls t").await.unwrap();
    match returned.value[0]["name"].as_str() {
        Some(text) => serde_json::from_str::<Value>(text).unwrap()[0].clone(),
        None => returned.value,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_look_into_the_file_system() {
    let host = Host::new();
    host.folder.write("there/key.pub", "ssh-ed25519 AAAA\n");
    host.folder.write("there/.hidden", "");
    let there = host.folder.path().join("there");
    std::os::unix::fs::symlink(there.join("key.pub"), there.join("link")).unwrap();
    let path = there.display().to_string();
    for (expression, expected) in [
        ("salt['file.file_exists']('DIR/key.pub')", json!(true)),
        ("salt['file.file_exists']('DIR')", json!(false)),
        ("salt['file.directory_exists']('DIR')", json!(true)),
        ("salt['file.directory_exists']('DIR/no')", json!(false)),
        ("salt['file.path_exists_glob']('DIR/*.pub')", json!(true)),
        ("salt['file.path_exists_glob']('DIR/*.key')", json!(false)),
        ("salt['file.is_link']('DIR/link')", json!(true)),
        ("salt['file.is_link']('DIR/key.pub')", json!(false)),
        (
            "salt['file.readlink']('DIR/link')",
            json!(format!("{path}/key.pub")),
        ),
        (
            "salt['file.read']('DIR/key.pub').strip()",
            json!("ssh-ed25519 AAAA"),
        ),
        ("salt['file.contains']('DIR/key.pub', 'AAAA')", json!(true)),
        ("salt['file.contains']('DIR/no', 'AAAA')", json!(false)),
        (
            "salt['file.readdir']('DIR')",
            json!([".", "..", ".hidden", "key.pub", "link"]),
        ),
        ("salt['file.access']('DIR/key.pub', 'f')", json!(true)),
        ("salt['file.is_chrdev']('/dev/null')", json!(true)),
        ("salt['file.is_blkdev']('/dev/null')", json!(false)),
        ("salt['file.basename']('/a/b.xml')", json!("b.xml")),
        ("salt['file.dirname']('/a/b.xml')", json!("/a")),
        ("salt['file.join']('/a', 'b', 'c')", json!("/a/b/c")),
        ("salt['file.stats']('DIR/key.pub').size", json!(17)),
        ("salt.file.user_to_uid('root')", json!(0)),
        ("salt['cmd.which']('sh') is none", json!(false)),
        ("salt['cmd.which']('no-such-program') is none", json!(true)),
        // Filters that ask the same functions.
        ("'DIR/key.pub' | is_text_file", json!(true)),
        ("'DIR/key.pub' | is_bin_file", json!(false)),
        ("'DIR' | list_files | length", json!(4)),
        ("'root' | get_uid", json!(0)),
        (
            "'DIR/.hidden' | file_hashsum('sha256')",
            json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ),
        ("none | strftime('%Y') | length", json!(4)),
        ("16 | random_str | length", json!(16)),
    ] {
        let expression = expression.replace("DIR", &path);
        assert_eq!(rendered(&host, &expression).await, expected, "{expression}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_look_at_addresses() {
    let host = Host::new();
    for (expression, expected) in [
        ("salt['network.interfaces']().lo.up", json!(true)),
        ("salt['network.interface_ip']('lo')", json!("127.0.0.1")),
        ("salt['network.hw_addr']('lo')", json!("00:00:00:00:00:00")),
        ("salt['network.hwaddr']('lo')", json!("00:00:00:00:00:00")),
        (
            "salt['network.interface']('lo')[0].netmask",
            json!("255.0.0.0"),
        ),
        ("'127.0.0.1' in salt['network.ip_addrs']()", json!(false)),
        (
            "salt['network.ip_addrs']('l*', include_loopback=True)",
            json!(["127.0.0.1"]),
        ),
        (
            "salt['network.ip_addrs'](include_loopback=True, cidr='127.0.0.0/8')",
            json!(["127.0.0.1"]),
        ),
        ("salt['network.ip_addrs6']('lo')", json!([])),
        ("salt['network.subnets']('lo')", json!([])),
        ("salt['network.in_subnet']('127.0.0.0/8')", json!(true)),
        ("salt['network.in_subnet']('203.0.113.7')", json!(false)),
        (
            "salt['network.ip_in_subnet']('172.17.0.4', '172.16.0.0/12')",
            json!(true),
        ),
        ("salt['network.is_private']('10.0.0.3')", json!(true)),
        ("salt['network.is_private']('8.8.8.8')", json!(false)),
        ("salt['network.is_loopback']('::1')", json!(true)),
        (
            "salt['network.calc_net']('172.17.0.5', '255.255.255.240')",
            json!("172.17.0.0/28"),
        ),
        (
            "salt['network.convert_cidr']('172.31.7.0/16')",
            json!({"network": "172.31.0.0", "netmask": "255.255.0.0", "broadcast": "172.31.255.255"}),
        ),
        (
            "salt['network.default_route']('inet') is iterable",
            json!(true),
        ),
        ("salt['network.get_hostname']() | length > 0", json!(true)),
    ] {
        assert_eq!(rendered(&host, expression).await, expected, "{expression}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn command_lines_match_and_look_up_as_templates_do() {
    let host = Host::new();
    host.folder
        .write("pillar/top.sls", "base:\n  '*':\n    - data\n");
    host.folder.write(
        "pillar/data.sls",
        "role: [hypervisor, edge]\nnet: {mtu: 9000}\n",
    );
    for (words, expected) in [
        ("match.glob kvm*", json!(true)),
        ("match.glob web* minion_id=web7", json!(true)),
        ("match.pcre kvm[0-9]", json!(true)),
        ("match.list a,kvm1.tf.local", json!(true)),
        ("match.list a,b", json!(false)),
        ("match.grain kernel:Lin*", json!(true)),
        ("match.grain kernel;Lin* delimiter=;", json!(true)),
        ("match.grain_pcre kernel:Lin.x", json!(true)),
        ("match.pillar role:edge", json!(true)),
        ("match.pillar_pcre role:hyper", json!(true)),
        ("match.pillar_exact net:mtu:9000", json!(true)),
        ("match.ipcidr 127.0.0.0/8", json!(true)),
        ("match.ipcidr 203.0.113.0/24", json!(false)),
        ("match.compound G@kernel:Linux", json!(true)),
        ("match.filter_by {'web*':1,'kvm*':2}", json!(2)),
        ("match.filter_by {'web*':1,'default':3}", json!(3)),
        ("match.search_by {'a':['kvm*'],'b':['web*']}", json!(["a"])),
        ("match.ifelse web* 1 kvm* 2 3", json!(2)),
        ("match.ifelse web* 1 3", json!(3)),
        ("grains.has_value id", json!(true)),
        ("grains.equals kernel Linux", json!(true)),
        ("pillar.keys net", json!(["mtu"])),
        ("pillar.ls", json!(["role", "net"])),
        ("pillar.filter_by {'edge':1}", json!(1)),
        ("pillar.get net:mtu", json!(9000)),
        ("pillar.get no default=5", json!(5)),
        ("config.option net:mtu", json!(9000)),
    ] {
        let returned = host.call(words).await.unwrap();
        assert_eq!(returned.value, expected, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_templates_cannot_call_is_told_with_its_line() {
    let host = Host::new();
    for (expression, message, remedy) in [
        (
            "salt['cmd.run']('id')",
            "the function 'cmd.run' is not available; line 2",
            "a template runs no commands",
        ),
        (
            "salt.cmd.shell('id')",
            "the function 'cmd.shell' is not available; line 2",
            "a template runs no commands",
        ),
        (
            "salt['file.file_exist']('/')",
            "the function 'file.file_exist' is not available; line 2",
            "did you mean salt['file.file_exists']?",
        ),
        (
            "salt['network.interfacess']()",
            "the function 'network.interfacess' is not available; line 2",
            "did you mean salt['network.interfaces']?",
        ),
        (
            "salt['network.hw_addr']('nope')",
            "Interface \"nope\" not in available interfaces: ",
            "line 2",
        ),
    ] {
        host.folder.write(
            "salt/t.sls",
            &format!("a:\n  test.nop: [{{name: {{{{ {expression} }}}}}}]\n"),
        );
        let said = host.call("state.show_sls t").await.unwrap().value;
        let said = said[0].as_str().unwrap_or_default();
        assert!(
            said.contains(message) && said.contains(remedy),
            "{expression}: {said}"
        );
        assert!(said.contains("t.sls:2:"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_described_host_has_no_files_or_addresses() {
    let host = Host::new();
    let files = host.call("host.describe").await.unwrap().value;
    let folder = host.folder.path().join("described");
    let pairs = files.as_object().unwrap().iter();
    described::save(
        &folder,
        pairs.map(|(path, text)| (path.as_str(), text.as_str().unwrap())),
    )
    .unwrap();
    let minion = Minion::described(described::read(&folder).unwrap(), folder.join("unused"));
    let minion = Arc::new(minion);
    for (fun, args, expected) in [
        (
            "file.file_exists",
            json!(["/"]),
            Err("file.file_exists looks at the host itself, and kvm1.tf.local is only described"),
        ),
        (
            "network.interfaces",
            json!([]),
            Err("network.interfaces looks at the host itself, and kvm1.tf.local is only described"),
        ),
        ("file.basename", json!(["/a/b"]), Ok(json!("b"))),
        ("network.is_private", json!(["10.0.0.1"]), Ok(json!(true))),
    ] {
        let args = args.as_array().unwrap();
        let returned = call(&minion, fun, args, &Map::new(), &Context::quiet()).await;
        let told = returned
            .map(|returned| returned.value)
            .map_err(|fault| fault.message);
        assert_eq!(told, expected.map_err(str::to_owned));
    }
}

#[tokio::test]
async fn states_can_be_given_and_shown_without_a_file() {
    let host = Host::new();
    host.folder.write("salt/top.sls", "base:\n  '*': [web]\n");
    host.folder
        .write("salt/web.sls", "include: [db]\nw: test.nop\n");
    host.folder.write("salt/db.sls", "d: test.nop\n");
    for (words, expected) in [
        ("state.show_states", json!(["db", "web"])),
        ("state.show_top", json!({"base": ["web"]})),
        ("state.sls_exists web,db", json!(true)),
        ("state.sls_exists nix", json!(false)),
        ("state.id_exists w,d web", json!(true)),
        ("state.id_exists w db", json!(false)),
        ("state.running", json!([])),
    ] {
        assert_eq!(host.call(words).await.unwrap().value, expected, "{words}");
    }
    let high = host
        .call(r#"state.high {"a":{"test.succeed_with_changes":[]},"b":{"test.nop":[{"require":[{"test":"a"}]}]}}"#)
        .await
        .unwrap();
    let keys: Vec<&String> = high.value.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["test_|-a_|-a_|-succeed_with_changes", "test_|-b_|-b_|-nop"]
    );
    let low = host
        .call(r#"state.low {"state":"test","fun":"succeed_with_changes","name":"x"} test=True"#)
        .await
        .unwrap();
    assert_eq!(
        (&low.value["name"], &low.value["result"]),
        (&json!("x"), &json!(null))
    );
    let fault = host.call("state.low nonsense").await.unwrap_err();
    assert_eq!(
        fault.message,
        "state.low: the argument 'data' is not a dictionary"
    );
    let fault = host.call("state.pause 7").await.unwrap_err();
    assert!(
        fault
            .message
            .starts_with("'state.pause' is not available: a run is not paused"),
        "{fault}"
    );
}
