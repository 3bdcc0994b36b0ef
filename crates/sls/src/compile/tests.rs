//! Compile results and every class of error, as snapshots.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::testing::{compile, compile_one, show};
use crate::{Compiled, RequisiteKind};

/// The product's example: a pool, a network and a VM that needs both.
const ORIGIN: &str = "\
pool0:
  virt.pool_running:
    - name: pool0
    - ptype: netfs
    - target: /vms
    - source:
        dir: /srv/vms
        hosts:
          - mirror.tf.local
        format: nfs
    - autostart: True

net0:
  virt.network_running:
    - name: net0
    - bridge: net0-br
    - forward: nat
    - ipv4_config:
        cidr: 192.168.44.0/24
        dhcp_ranges:
          - start: 192.168.44.10
            end: 192.168.44.25
    - autostart: True

srv01:
  virt.running:
    - name: srv01
    - cpu: 1
    - mem: 1024
    - disks:
      - name: system
        model: virtio
        format: qcow2
        image: https://download.opensuse.org/repositories/systemsmanagement:/sumaform:/images:/libvirt/images/opensuse151.x86_64.qcow2
        pool: pool0
        size: 122880
    - interfaces:
      - name: eth0
        type: network
        source: net0
        mac: 2A:C3:A7:A6:01:04
    - graphics:
        type: vnc
    - seed: False
    - require:
      - virt: pool0
      - virt: net0
";

#[track_caller]
fn check(text: &str, expected: Expect) {
    let (compiled, diagnostics) = compile_one(text);
    expected.assert_eq(&show(&compiled, &diagnostics));
}

#[test]
fn the_origins_file_compiles_as_it_stands() {
    check(
        ORIGIN,
        expect![[r#"
            0 virt_|-pool0_|-pool0_|-pool_running order=10000 {ptype: netfs, target: /vms, source: {dir: /srv/vms, hosts: [mirror.tf.local], format: nfs}, autostart: true} [/srv/salt/vm.sls:2:3]
            1 virt_|-net0_|-net0_|-network_running order=10001 {bridge: net0-br, forward: nat, ipv4_config: {cidr: 192.168.44.0/24, dhcp_ranges: [{start: 192.168.44.10, end: 192.168.44.25}]}, autostart: true} [/srv/salt/vm.sls:14:3]
            2 virt_|-srv01_|-srv01_|-running order=10002 {cpu: 1, mem: 1024, disks: [{name: system, model: virtio, format: qcow2, image: https://download.opensuse.org/repositories/systemsmanagement:/sumaform:/images:/libvirt/images/opensuse151.x86_64.qcow2, pool: pool0, size: 122880}], interfaces: [{name: eth0, type: network, source: net0, mac: 2A:C3:A7:A6:01:04}], graphics: {type: vnc}, seed: false} [/srv/salt/vm.sls:26:3]
                require [0, 1]
        "#]],
    );
}

#[track_caller]
fn check_files(mods: &[&str], files: &[(&str, &str)], expected: Expect) {
    let (compiled, diagnostics) = compile(mods, files);
    expected.assert_eq(&show(&compiled, &diagnostics));
}

#[test]
fn every_form_of_a_state_is_read() {
    check(
        "\
id2: test.nop
id3:
  virt:
    - running
    - name: srv03
id4:
  test.nop: []
id5:
  virt.running:
    - names:
      - a
      - b: [{mem: 512}]
    - mem: 1024
    - require: [{id: id4}]
id6:
  virt.running:
    - mem: 1
    - mem: 2
  test.nop:
    - name: [1]
    - x: 1
",
        expect![[r#"
            0 test_|-id2_|-id2_|-nop order=10000 {} [/srv/salt/vm.sls:1:6]
            1 virt_|-id3_|-srv03_|-running order=10001 {} [/srv/salt/vm.sls:3:3]
            2 test_|-id4_|-id4_|-nop order=10002 {} [/srv/salt/vm.sls:7:3]
            3 virt_|-id5_|-a_|-running order=10003 {mem: 1024} [/srv/salt/vm.sls:9:3]
                require [2]
            4 virt_|-id5_|-b_|-running order=10003 {mem: 512} [/srv/salt/vm.sls:9:3]
                require [2]
            5 virt_|-id6_|-id6_|-running order=10004 {mem: 2} [/srv/salt/vm.sls:16:3]
            6 test_|-id6_|-id6_|-nop order=10005 {x: 1} [/srv/salt/vm.sls:19:3]
        "#]],
    );
}

#[test]
fn high_data_is_as_salt_shows_it() {
    let (compiled, _) = compile_one(
        "\
a:
  virt.running:
    - mem: 1
    - order: 3
b: test.nop
",
    );
    let high = serde_json::to_string(&compiled.high).expect("JSON");
    expect![[r#"{"a":{"virt":[{"mem":1},{"order":3},"running"],"__sls__":"vm","__env__":"base"},"b":{"test":["nop",{"order":10000}],"__sls__":"vm","__env__":"base"}}"#]].assert_eq(&high);
    let low = serde_json::to_string(&compiled.chunks[0].low()).expect("JSON");
    expect![[r#"{"state":"virt","name":"a","__sls__":"vm","__env__":"base","__id__":"a","mem":1,"order":3,"fun":"running"}"#]].assert_eq(&low);
}

#[test]
fn one_id_can_be_picked_with_what_it_needs() {
    let (compiled, _) = compile_one(
        "\
a: test.nop
b:
  test.nop:
    - require: [{test: c}]
c:
  test.nop:
    - require: [{test: a}]
d: test.nop
",
    );
    expect![[r#"
        0 test_|-a_|-a_|-nop order=10000 {} [/srv/salt/vm.sls:1:4]
        1 test_|-c_|-c_|-nop order=10002 {} [/srv/salt/vm.sls:6:3]
            require [0]
    "#]]
    .assert_eq(&show(&compiled.only("c"), &[]));
    assert_eq!(compiled.only("nix").chunks, []);
    expect![[r#"{"state":"test","name":"b","__sls__":"vm","__env__":"base","__id__":"b","require":[{"test":"c"}],"order":10001,"fun":"nop"}"#]].assert_eq(&compiled.chunks[2].low().to_string());
}

#[test]
fn order_is_salts() {
    check(
        "\
a: test.nop
last:
  test.nop:
    - order: last
b:
  test.nop:
    - require: [{test: z}]
first:
  test.nop:
    - order: first
end2:
  test.nop:
    - order: -1
z: test.nop
five:
  test.nop:
    - order: 5
",
        expect![[r#"
            0 test_|-first_|-first_|-nop order=0 {} [/srv/salt/vm.sls:9:3]
            1 test_|-five_|-five_|-nop order=5 {} [/srv/salt/vm.sls:16:3]
            2 test_|-a_|-a_|-nop order=10000 {} [/srv/salt/vm.sls:1:4]
            3 test_|-z_|-z_|-nop order=10002 {} [/srv/salt/vm.sls:14:4]
            4 test_|-b_|-b_|-nop order=10001 {} [/srv/salt/vm.sls:6:3]
                require [3]
            5 test_|-end2_|-end2_|-nop order=1010099 {} [/srv/salt/vm.sls:12:3]
            6 test_|-last_|-last_|-nop order=1010100 {} [/srv/salt/vm.sls:3:3]
        "#]],
    );
}

#[test]
fn requisites_find_ids_names_patterns_and_files() {
    check_files(
        &["vm"],
        &[
            (
                "vm.sls",
                "\
include: [web.net]
v1:
  virt.running:
    - name: srv01
    - require:
      - sls: web.net
    - watch: [{virt: 'net*'}]
x:
  test.nop:
    - require: [srv01, {id: net0}]
    - onchanges_any: [{virt: srv01}]
y:
  test.nop:
    - require_in: [{virt: srv01}]
    - onfail: [{virt: net1}]
",
            ),
            (
                "web/net.sls",
                "\
include: [.pool]
net0:
  virt.network_running:
    - bridge: b
net1: virt.network_running
",
            ),
            ("web/pool.sls", "pool0: virt.pool_running\n"),
        ],
        expect![[r#"
            0 virt_|-pool0_|-pool0_|-pool_running order=10000 {} [/srv/salt/web/pool.sls:1:8]
            1 virt_|-net0_|-net0_|-network_running order=10001 {bridge: b} [/srv/salt/web/net.sls:3:3]
            2 virt_|-net1_|-net1_|-network_running order=10002 {} [/srv/salt/web/net.sls:5:7]
            3 test_|-y_|-y_|-nop order=10005 {} [/srv/salt/vm.sls:13:3]
                onfail [2]
            4 virt_|-v1_|-srv01_|-running order=10003 {} [/srv/salt/vm.sls:3:3]
                require [0, 1, 2, 3]
                watch [1, 2]
            5 test_|-x_|-x_|-nop order=10004 {} [/srv/salt/vm.sls:9:3]
                require [1, 4]
                onchanges_any [4]
        "#]],
    );
}

#[test]
fn includes_come_first_and_only_once() {
    check_files(
        &["web.vm", "web.*"],
        &[
            (
                "web/vm.sls",
                "\
include:
  - .a
  - ..top2
  - web.b*
vm: test.nop
",
            ),
            ("web/a.sls", "include: [web.vm]\na: test.nop\n"),
            ("web/init.sls", "include: [.a]\ninit: test.nop\n"),
            ("web/b1.sls", "b1: test.nop\n"),
            ("web/b2.sls", "#!yaml\nb2: test.nop\n"),
            ("top2.sls", "{# nothing #}"),
        ],
        expect![[r#"
            0 test_|-a_|-a_|-nop order=10000 {} [/srv/salt/web/a.sls:2:4]
            1 test_|-b1_|-b1_|-nop order=10001 {} [/srv/salt/web/b1.sls:1:5]
            2 test_|-b2_|-b2_|-nop order=10002 {} [/srv/salt/web/b2.sls:2:5]
            3 test_|-vm_|-vm_|-nop order=10003 {} [/srv/salt/web/vm.sls:5:5]
        "#]],
    );
}

#[test]
fn another_environment_can_be_included() {
    check_files(
        &["vm"],
        &[
            (
                "vm.sls",
                "\
include:
  - dev: net
  - nix: net
vm: test.nop
",
            ),
            ("dev:net.sls", "net: test.nop\n"),
        ],
        expect![[r#"
            error: Nonexistent saltenv 'nix' found in include of 'net' within SLS 'base:vm'
              at: /srv/salt/vm.sls:3:5
              remedy: the environments are: base, dev
        "#]],
    );
}

#[test]
fn extend_exclude_and_use_change_other_states() {
    check_files(
        &["vm"],
        &[
            (
                "vm.sls",
                "\
include: [base]
extend:
  srv:
    virt.running:
      - mem: 2
      - cpu: 4
      - require: [{test: two}]
  named:
    test:
      - x: 1
exclude:
  - id: gone
  - sls: drop*
two: test.nop
user:
  virt.running:
    - use: [{virt: srv}]
    - cpu: 1
",
            ),
            (
                "base.sls",
                "\
include: [dropped]
srv:
  virt.running:
    - mem: 1
    - require: [{test: one}]
one: test.nop
gone: test.nop
n:
  test.nop:
    - name: named
",
            ),
            ("dropped.sls", "d: test.nop\n"),
        ],
        expect![[r#"
            0 test_|-one_|-one_|-nop order=10002 {} [/srv/salt/base.sls:6:6]
            1 test_|-two_|-two_|-nop order=10005 {} [/srv/salt/vm.sls:14:6]
            2 virt_|-srv_|-srv_|-running order=10001 {mem: 2, cpu: 4} [/srv/salt/base.sls:3:3]
                require [0, 1]
            3 test_|-n_|-named_|-nop order=10004 {x: 1} [/srv/salt/base.sls:9:3]
            4 virt_|-user_|-user_|-running order=10006 {cpu: 1, mem: 2} [/srv/salt/vm.sls:16:3]
        "#]],
    );
}

#[test]
fn extensions_that_fit_nothing_are_explained() {
    check(
        "\
extend:
  srv1:
    virt.running: [{mem: 1}]
  srv01:
    test: [{x: 1}]
    virt.defined: [{mem: 2}]
srv01:
  virt.running: [{mem: 1}]
",
        expect![[r#"
            error: Cannot extend ID 'srv1' in 'base:vm'. It is not part of the high state.
            This is likely due to a missing include statement or an incorrectly typed ID.
            Ensure that a state with an ID of 'srv1' is available
            in environment 'base' and to SLS 'vm'
              at: /srv/salt/vm.sls:2:3
              remedy: did you mean 'srv01'?
            error: No function declared in state 'srv01' in SLS 'vm'
              at: /srv/salt/vm.sls:5:5
              also: /srv/salt/vm.sls:7:1
              rule: an extension of a module that the ID does not have must name a function
              remedy: write 'test.FUNCTION:', or the module that the ID has
        "#]],
    );
}

#[test]
fn global_arguments_are_read() {
    let (compiled, diagnostics) = compile_one(
        "\
a:
  virt.running:
    - failhard: True
    - creates: /x
    - retry: {attempts: 5, interval: 1}
    - unless: 'true'
    - fire_event: x/y
    - parallel: yes
b:
  test.nop:
    - retry: True
",
    );
    assert_eq!(diagnostics, []);
    expect![[r#"
        (
            Globals {
                failhard: true,
                onlyif: None,
                unless: Some(
                    String("true"),
                ),
                creates: [
                    "/x",
                ],
                check_cmd: None,
                retry: Some(
                    Retry {
                        attempts: 5,
                        until: true,
                        interval_secs: 1,
                        splay_secs: 0,
                    },
                ),
                fire_event: Some(
                    String("x/y"),
                ),
                parallel: true,
                given: {
                    "failhard": Bool(true),
                    "creates": String("/x"),
                    "retry": Object {
                        "attempts": Number(5),
                        "interval": Number(1),
                    },
                    "unless": String("true"),
                    "fire_event": String("x/y"),
                    "parallel": Bool(true),
                },
            },
            Some(
                Retry {
                    attempts: 2,
                    until: true,
                    interval_secs: 30,
                    splay_secs: 0,
                },
            ),
        )
    "#]]
    .assert_debug_eq(&(
        &compiled.chunks[0].globals,
        compiled.chunks[1].globals.retry,
    ));
    check(
        "\
a:
  test.nop:
    - retry: 5
    - creates: {a: 1}
    - order: soon
",
        expect![[r#"
        error: The retry statement in state 'a' in SLS 'vm' needs to be 'True' or a dictionary of attempts, until, interval and splay, but is 5
          at: /srv/salt/vm.sls:3:7
          remedy: give it 'True' or a dictionary of attempts, until, interval and splay
        error: The creates statement in state 'a' in SLS 'vm' needs to be a path or a list of paths, but is {a: 1}
          at: /srv/salt/vm.sls:4:7
          remedy: give it a path or a list of paths
        error: The order statement in state 'a' in SLS 'vm' needs to be a whole number, 'first' or 'last', but is soon
          at: /srv/salt/vm.sls:5:7
          remedy: give it a whole number, 'first' or 'last'
    "#]],
    );
}

#[test]
fn missing_files_are_named_with_the_closest() {
    check_files(
        &["vmm", "nothing.at.all"],
        &[
            ("vm.sls", "include: [webb]\na: test.nop\n"),
            ("web.sls", "{}"),
        ],
        expect![[r#"
        error: No matching sls found for 'vmm' in env 'base'
          remedy: did you mean 'vm'?
        error: No matching sls found for 'nothing.at.all' in env 'base'
          remedy: create nothing/at/all.sls or nothing/at/all/init.sls under the file roots of 'base'
    "#]],
    );
    check_files(
        &["vm"],
        &[
            ("vm.sls", "include: [webb, ..up]\na: test.nop\n"),
            ("web.sls", "{}"),
        ],
        expect![[r#"
        error: Specified SLS webb in saltenv base is not available on the salt master or through a configured fileserver
          at: /srv/salt/vm.sls:1:11
          remedy: did you mean 'web'?
        error: Attempted relative include of '..up' within SLS 'base:vm' goes beyond top level package
          at: /srv/salt/vm.sls:1:17
          remedy: use fewer dots, or the full name of the SLS
    "#]],
    );
}

#[test]
fn wrong_shapes_are_all_reported_at_once() {
    check(
        "- a\n",
        expect![[r#"
        error: SLS vm does not render to a dictionary
          at: /srv/salt/vm.sls:1:1
          rule: a state file is a dictionary of IDs
          remedy: begin each state with its ID and a colon, as in 'srv01:'
    "#]],
    );
    check(
        "just text\n",
        expect![[r#"
        error: SLS vm does not render to a dictionary
          at: /srv/salt/vm.sls:1:1
          rule: a state file is a dictionary of IDs
          remedy: begin each state with its ID and a colon, as in 'srv01:'
    "#]],
    );
    check(
        "\
include: x
exclude: y
extend: z
a:
b: 5
c:
  virt.running:
d:
  virt.running:
    mem: 1
5: test.nop
e:
  virt:
    - mem: 1
f:
  virt.running:
    - defined
g:
  virt:
    - running
    - mem 1024
h:
  virt.running: [{mem: 1}]
  virt.defined: []
i: virt
j:
  virt.run ning: []
k:
  test.nop:
    - 5
",
        expect![[r#"
            error: Include Declaration in SLS vm is not formed as a list
              at: /srv/salt/vm.sls:1:10
              remedy: write each name on its own line as '- name'
            error: Exclude Declaration in SLS vm is not formed as a list
              at: /srv/salt/vm.sls:2:10
              remedy: write each one on its own line as '- sls: name' or '- id: name'
            error: Extension declaration in SLS vm is not formed as a dictionary
              at: /srv/salt/vm.sls:3:9
              remedy: write 'extend:' and below it, indented, the ID and the module with its arguments
            error: ID a in SLS vm is not a dictionary
              at: /srv/salt/vm.sls:4:1
              remedy: give it a state, such as
                  virt.running:
                    - name: …
            error: ID b in SLS vm is not a dictionary
              at: /srv/salt/vm.sls:5:1
              remedy: give it a state, such as
                  virt.running:
                    - name: …
            error: ID 'c' in SLS 'vm' contains a short declaration (virt.running) with a trailing colon. When not passing any arguments to a state, the colon must be omitted.
              at: /srv/salt/vm.sls:7:3
              remedy: write 'c: virt.running', or give the arguments below it, indented
            error: State 'd' in SLS 'vm' is not formed as a list
              at: /srv/salt/vm.sls:9:3
              remedy: write each argument of virt.running on a line of its own that begins with '- '
            error: ID '5' in SLS 'vm' is not formed as a string, but is type int. It may need to be quoted.
              at: /srv/salt/vm.sls:11:1
              remedy: write '5': with the quotes
            error: No function declared in state 'e' in SLS 'vm'
              at: /srv/salt/vm.sls:13:3
              remedy: name the function after the module, as in virt.running
            error: Too many functions declared in state 'f' in SLS 'vm'. Please choose one of the following: running, defined
              at: /srv/salt/vm.sls:16:3
              remedy: keep one function; an argument is written '- key: value'
            error: Too many functions declared in state 'g' in SLS 'vm'. Please choose one of the following: running, mem 1024
              at: /srv/salt/vm.sls:19:3
              remedy: 'mem 1024' looks like an argument without its ':'
            error: ID 'h' in SLS 'vm' contains multiple state declarations of the same type
              at: /srv/salt/vm.sls:24:3
              also: /srv/salt/vm.sls:23:3
              remedy: give the second one an ID of its own
            error: No function declared in state 'i' in SLS 'vm'
              at: /srv/salt/vm.sls:25:4
              remedy: name the function after the module, as in virt.running
            error: The function "run ning" in state "j" in SLS "vm" has whitespace, a function with whitespace is not supported, perhaps this is an argument that is missing a ":"
              at: /srv/salt/vm.sls:27:3
              remedy: write '- key: value' with a colon and a blank
            error: An argument of state 'k' in SLS 'vm' is neither 'key: value' nor a function, but is type int
              at: /srv/salt/vm.sls:30:7
              remedy: write it as '- key: value'
        "#]],
    );
}

#[test]
fn broken_requisites_are_named() {
    check(
        "\
a:
  test.nop:
    - require: x
b:
  test.nop:
    - require:
      - {virt: a, test: b}
c:
  test.nop:
    - require:
      - virt.running: a
",
        expect![[r#"
            error: The require statement in state 'a' in SLS 'vm' needs to be formed as a list
              at: /srv/salt/vm.sls:3:7
              remedy: write
                - require:
                  - MODULE: ID
            error: Requisite declaration {virt: a, test: b} in state b in SLS vm is not formed as a single key dictionary
              at: /srv/salt/vm.sls:7:9
              remedy: write one 'MODULE: ID' behind each '- '
            error: Invalid requisite type 'virt.running' in state 'c', in SLS 'vm'. Requisite types must not contain dots, did you mean 'virt'?
              at: /srv/salt/vm.sls:11:9
              remedy: write 'virt: a'
        "#]],
    );
    check(
        "\
pool0: virt.pool_running
srv:
  virt.running:
    - require:
      - virt: pool9
      - test: pool0
      - sls: nix
      - zzzzzzzz
    - require_in: [{virt: nothere}]
",
        expect![[r#"
            error: Referenced state does not exist for requisite [require: (virt: pool9)] in state [srv] in SLS [vm]
              at: /srv/salt/vm.sls:5:9
              also: /srv/salt/vm.sls:1:8
              rule: a requisite names a state of the run: its module, then its ID or name
              remedy: did you mean 'virt: pool0'?
            error: Referenced state does not exist for requisite [require: (test: pool0)] in state [srv] in SLS [vm]
              at: /srv/salt/vm.sls:6:9
              also: /srv/salt/vm.sls:1:8
              rule: a requisite names a state of the run: its module, then its ID or name
              remedy: did you mean 'virt: pool0'?
            error: Referenced state does not exist for requisite [require: (sls: nix)] in state [srv] in SLS [vm]
              at: /srv/salt/vm.sls:7:9
              rule: a requisite names a state of the run: its module, then its ID or name
              remedy: declare it, or include the SLS that does
            error: Referenced state does not exist for requisite [require: (id: zzzzzzzz)] in state [srv] in SLS [vm]
              at: /srv/salt/vm.sls:8:9
              rule: a requisite names a state of the run: its module, then its ID or name
              remedy: declare it, or include the SLS that does
            error: Cannot extend ID 'nothere' in 'base:vm'. It is not part of the high state.
            This is likely due to a missing include statement or an incorrectly typed ID.
            Ensure that a state with an ID of 'nothere' is available
            in environment 'base' and to SLS 'vm'
              at: /srv/salt/vm.sls:9:20
              remedy: include the SLS that declares it, or correct the ID
        "#]],
    );
}

#[test]
fn circles_are_named_with_every_member() {
    check(
        "\
a:
  test.nop:
    - require: [{test: b}]
b:
  test.nop:
    - watch: [{test: c}]
c:
  test.nop:
    - require: [{test: a}]
d: test.nop
",
        expect![[r#"
            error: Recursive requisites were found: ({'SLS': 'vm', 'ID': 'a'}, 'require', {'SLS': 'vm', 'ID': 'b'}), ({'SLS': 'vm', 'ID': 'b'}, 'watch', {'SLS': 'vm', 'ID': 'c'}), ({'SLS': 'vm', 'ID': 'c'}, 'require', {'SLS': 'vm', 'ID': 'a'})
              at: /srv/salt/vm.sls:2:3
              also: /srv/salt/vm.sls:5:3
              rule: a state cannot wait for itself, directly or through others
              remedy: remove one requisite of the circle a -> b -> c -> a
        "#]],
    );
    check(
        "\
a:
  test.nop:
    - require: [{test: a}]
",
        expect![[r#"
        error: Recursive requisites were found: ({'SLS': 'vm', 'ID': 'a'}, 'require', {'SLS': 'vm', 'ID': 'a'})
          at: /srv/salt/vm.sls:2:3
          also: /srv/salt/vm.sls:2:3
          rule: a state cannot wait for itself, directly or through others
          remedy: remove one requisite of the circle a -> a
    "#]],
    );
}

#[test]
fn equal_ids_are_named_with_both_places() {
    check(
        "\
a: test.nop
b: test.nop
a: test.nop
",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: while constructing a mapping
              in line 1, column 1
            found conflicting ID 'a'
              in line 3, column 1

            ---
            a: test.nop
            b: test.nop
            a: test.nop    <======================
            ---
              at: /srv/salt/vm.sls:3:1
              also: /srv/salt/vm.sls:1:1
              rule: a key stands once in a dictionary
              remedy: 'a' is there already; rename or remove one of the two
        "#]],
    );
    check_files(
        &["one", "two"],
        &[
            ("one.sls", "x: test.nop\na: test.nop\n"),
            ("two.sls", "{% set y = 1 %}\na: test.nop\n"),
        ],
        expect![[r#"
            error: Detected conflicting IDs, SLS IDs need to be globally unique.
                The conflicting ID is 'a' and is found in SLS 'base:one' and SLS 'base:two'
              at: /srv/salt/two.sls:2:1
              also: /srv/salt/one.sls:2:1
              rule: an ID stands once in all the files of a run
              remedy: rename one of them and keep the name with '- name: a'
        "#]],
    );
}

#[test]
fn unknown_states_and_arguments_are_named_with_the_closest() {
    check(
        "\
a:
  virt.runing:
    - mem: 1
b:
  vrit.running: []
c:
  virt.running:
    - memory: 1
    - disk: []
    - require_inn: []
    - wibble_wobble: 1
d:
  quux.frobnicate: []
",
        expect![[r#"
            error: State 'virt.runing' was not found in SLS 'vm'
            Reason: 'virt.runing' is not available.
              at: /srv/salt/vm.sls:2:3
              remedy: did you mean 'virt.running'?
            error: State 'vrit.running' was not found in SLS 'vm'
            Reason: 'vrit.running' is not available.
              at: /srv/salt/vm.sls:5:3
              remedy: did you mean 'virt.running'?
            error: ID 'c' in SLS 'vm': 'memory' is not an argument of state 'virt.running'
              at: /srv/salt/vm.sls:8:7
              rule: every argument of a state must be known before anything runs
              remedy: did you mean 'mem'?
            error: ID 'c' in SLS 'vm': 'disk' is not an argument of state 'virt.running'
              at: /srv/salt/vm.sls:9:7
              rule: every argument of a state must be known before anything runs
              remedy: did you mean 'disks'?
            error: ID 'c' in SLS 'vm': 'require_inn' is not an argument of state 'virt.running'
              at: /srv/salt/vm.sls:10:7
              rule: every argument of a state must be known before anything runs
              remedy: did you mean 'require_in'?
            error: ID 'c' in SLS 'vm': 'wibble_wobble' is not an argument of state 'virt.running'
              at: /srv/salt/vm.sls:11:7
              rule: every argument of a state must be known before anything runs
              remedy: virt.running takes: cpu, mem, disks, interfaces, graphics, seed, autostart
            error: State 'quux.frobnicate' was not found in SLS 'vm'
            Reason: 'quux.frobnicate' is not available.
              at: /srv/salt/vm.sls:13:3
              remedy: the state modules are: virt, test
        "#]],
    );
}

#[test]
fn listening_without_mod_watch_is_a_warning() {
    check(
        "\
a:
  virt.running:
    - listen: [{test: b}]
b: test.nop
c:
  test.nop:
    - listen: [{test: b}]
",
        expect![[r#"
            0 virt_|-a_|-a_|-running order=10000 {} [/srv/salt/vm.sls:2:3]
                listen [1]
            1 test_|-b_|-b_|-nop order=10001 {} [/srv/salt/vm.sls:4:4]
            2 test_|-c_|-c_|-nop order=10002 {} [/srv/salt/vm.sls:6:3]
                listen [1]
            warning: ID 'a' in SLS 'vm' will fail when what it listens to changes: 'virt.mod_watch' is not available
              at: /srv/salt/vm.sls:3:16
              rule: 'listen' calls the function mod_watch of the state's module
              remedy: use 'onchanges', or 'require'
        "#]],
    );
}

#[test]
fn broken_files_say_where() {
    check(
        "a:\n  b: {{ nothing }}\n",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: Jinja variable 'nothing' is undefined; line 2

            ---
            a:
              b: {{ nothing }}    <======================
            ---
              at: /srv/salt/vm.sls:2:9
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')
        "#]],
    );
    check(
        "{% if x %}\na: test.nop\n",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: Jinja syntax error: unexpected end of input, expected end of block; line 1

            ---
            {% if x %}    <======================
            a: test.nop
            ---
              at: /srv/salt/vm.sls:1:11
              rule: every '{%' has its '%}', and every if, for, set and macro its end tag
              remedy: complete or remove the tag
        "#]],
    );
    check(
        "\
a:
  - b
 c: 1
",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: while parsing a block mapping, did not find expected key; line 3

            ---
            a:
              - b
             c: 1    <======================
            ---
              at: /srv/salt/vm.sls:3:2
              rule: indentation, quotes and brackets give a file its shape
              remedy: check those of this line and the one above it
        "#]],
    );
    check(
        "\
{% for i in [1, 2] %}
a:
  test.nop:
    - x: {{ i }}
{% endfor %}
",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: while constructing a mapping
              in line 2, column 1
            found conflicting ID 'a'
              in line 6, column 1

            ---

            a:
              test.nop:
                - x: 1

            a:    <======================
              test.nop:
                - x: 2
            ---
              at: /srv/salt/vm.sls:2:1
              also: /srv/salt/vm.sls:2:1
              rule: a key stands once in a dictionary (message and excerpt count the lines of the text after Jinja)
              remedy: a loop writes this key more than once; let it depend on the loop's variable
        "#]],
    );
    check(
        "#!py\ndef run(): return {}\n",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: the renderer pipeline 'py' is not available
              at: /srv/salt/vm.sls:1:1
              rule: the first line may say '#!jinja|yaml' (the default) or '#!yaml'
              remedy: write the file in YAML with Jinja and remove the first line
        "#]],
    );
    check(
        "{% import_yaml 'no.yaml' as x %}\n",
        expect![[r#"
            error: Rendering SLS 'base:vm' failed: Jinja error: tried to include non-existing template 'no.yaml'; line 1

            ---
            {% import_yaml 'no.yaml' as x %}    <======================
            ---
              at: /srv/salt/vm.sls:1
              rule: a template is named by its path from the file roots, or from this file with './'
              remedy: correct the path, or put the file there
        "#]],
    );
}

#[test]
fn one_broken_file_does_not_hide_the_faults_of_another() {
    check_files(
        &["one", "two"],
        &[
            ("one.sls", "a: {{ x }}\n"),
            (
                "two.sls",
                "\
b:
  virt.runing: []
c:
  test.nop:
    - require: [{test: a}]
",
            ),
        ],
        expect![[r#"
            error: Rendering SLS 'base:one' failed: Jinja variable 'x' is undefined; line 1

            ---
            a: {{ x }}    <======================
            ---
              at: /srv/salt/one.sls:1:7
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')
            error: State 'virt.runing' was not found in SLS 'two'
            Reason: 'virt.runing' is not available.
              at: /srv/salt/two.sls:2:3
              remedy: did you mean 'virt.running'?
        "#]],
    );
}

#[test]
fn a_mac_of_digits_is_kept_and_warned_about() {
    check(
        "\
a:
  virt.running:
    - interfaces:
      - mac: 52:54:00:00:00:30
",
        expect![[r#"
        0 virt_|-a_|-a_|-running order=10000 {interfaces: [{mac: '52:54:00:00:00:30'}]} [/srv/salt/vm.sls:2:3]
        warning: '52:54:00:00:00:30' without quotes is the number 41135040030 in YAML 1.1; it is kept as text here, Salt would pass the number on
          at: /srv/salt/vm.sls:4:14
          remedy: put it in quotes: '52:54:00:00:00:30'
    "#]],
    );
}

#[test]
fn templates_see_pillar_and_functions() {
    check(
        "\
{% for name, vm in pillar.vms.items() %}
{{ name }}:
  virt.running:
    - mem: {{ vm.mem }}
{% if name in salt['virt.list_domains']() %}    - autostart: {{ grains.os == 'Debian' }}
{% endif %}
{%- endfor %}
",
        expect![[r#"
            0 virt_|-srv01_|-srv01_|-running order=10000 {mem: 1024, autostart: true} [/srv/salt/vm.sls:3:3]
            1 virt_|-srv02_|-srv02_|-running order=10001 {mem: 2048, autostart: true} [/srv/salt/vm.sls:3:3]
        "#]],
    );
}

proptest! {
    /// No text makes the compiler panic, and text without errors gives chunks that point backwards only.
    #[test]
    fn compiling_is_total(parts in proptest::collection::vec(
        "(a|b|:|\n|  |    - |: |virt\\.running|test\\.nop|require|_in|include|extend|\\{\\{|\\}\\}|\\{%|%\\}| x |\\[|\\]|'|\"|names|order|first|-1|prereq|\\{test: a\\}|use|sls)", 0..30)
    ) {
        let (compiled, _) = compile_one(&parts.concat());
        assert_backwards(&compiled);
    }

    #[test]
    fn requisites_always_point_backwards(edges in proptest::collection::vec((0..8usize, 0..8usize, 0..5usize), 0..10)) {
        let kinds = ["require", "watch_in", "onchanges", "require_in", "prereq"];
        let mut text = String::new();
        for id in 0..8 {
            text.push_str(&format!("s{id}:\n  test.nop:\n    - x: 1\n"));
            for (kind, word) in kinds.iter().enumerate() {
                let targets: Vec<String> = edges.iter().filter(|edge| edge.0 == id && edge.2 == kind).map(|edge| format!("{{test: s{}}}", edge.1)).collect();
                if !targets.is_empty() {
                    text.push_str(&format!("    - {word}: [{}]\n", targets.join(", ")));
                }
            }
        }
        let (compiled, diagnostics) = compile_one(&text);
        prop_assert_eq!(compiled.chunks.is_empty(), crate::has_errors(&diagnostics));
        assert_backwards(&compiled);
    }
}

fn assert_backwards(compiled: &Compiled) {
    for (index, chunk) in compiled.chunks.iter().enumerate() {
        for requisite in &chunk.requisites {
            for target in &requisite.targets {
                match requisite.kind {
                    RequisiteKind::Listen => {}
                    RequisiteKind::Prereq => assert!(*target > index),
                    _ => assert!(*target < index),
                }
            }
        }
    }
}

/// A kind of fault: the files, the SLS asked for is `vm`, and the errors with line and remedy.
#[test]
fn every_fault_has_its_place_and_its_remedy() {
    let deep: Vec<(String, String)> = (0..70)
        .map(|at| {
            (
                format!("deep{at}.sls"),
                format!("include: [deep{}]\n", at + 1),
            )
        })
        .collect();
    let mut deep: Vec<(&str, &str)> = deep
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    deep.push(("vm.sls", "include: [deep0]\n"));
    for (files, line, message, remedy) in [
        (
            &[("vm.sls", "a: test.nop\ninclude: [{nix: b}]\n")][..],
            2,
            "Nonexistent saltenv 'nix' found in include of 'b' within SLS 'base:vm'",
            "the environments are: base",
        ),
        (
            &[("vm.sls", "include:\n  - [a]\n")],
            2,
            "Include Declaration in SLS vm has an item that names no SLS: [a]",
            "write '- name', or '- environment: name'",
        ),
        (
            &[("vm.sls", "include:\n  - ..b\n")],
            2,
            "Attempted relative include of '..b' within SLS 'base:vm' goes beyond top level package",
            "use fewer dots, or the full name of the SLS",
        ),
        (
            &[("vm.sls", "exclude:\n  - {name: a}\n")],
            2,
            "Exclude Declaration in SLS vm has an item that names neither an SLS nor an ID: {name: a}",
            "write '- name', '- sls: name' or '- id: name'",
        ),
        (
            &deep,
            1,
            "more than 64 files include one another",
            "include some of them from a file further up",
        ),
        (
            &[(
                "vm.sls",
                "a:\n  test.nop:\n    - x: [\"__slot__:salt:test.echo('b')\"]\n",
            )],
            3,
            "The argument x of state 'a' in SLS 'vm' is a slot, which is not evaluated: __slot__:salt:test.echo('b')",
            "write {{ salt['test.echo']('b') }}",
        ),
        (
            &[("vm.sls", "a:\n  test.nop:\n    - listen: [{test: b}]\n")],
            3,
            "Referenced state does not exist for requisite [listen: (test: b)] in state [a] in SLS [vm]",
            "declare it, or include the SLS that does",
        ),
    ] {
        let (compiled, faults) = compile(&["vm"], files);
        assert_eq!(compiled.chunks, []);
        let told = faults.iter().map(|fault| {
            let at = fault.at.as_ref();
            (
                at.map_or(0, |at| at.line),
                fault.message.as_str(),
                fault.remedy.as_deref(),
            )
        });
        assert_eq!(told.collect::<Vec<_>>(), [(line, message, Some(remedy))]);
    }
}

#[test]
fn files_that_include_one_another_are_read_once() {
    let files = [
        ("a.sls", "include: [b]\nx: test.nop\n"),
        ("b.sls", "include: [a, b]\ny: test.nop\n"),
    ];
    let (compiled, faults) = compile(&["a"], &files);
    assert_eq!(faults, []);
    let ids: Vec<&str> = compiled.chunks.iter().map(|chunk| &*chunk.id).collect();
    assert_eq!(ids, ["y", "x"]);
}
