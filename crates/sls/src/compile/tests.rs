//! Compile results and every class of error, as snapshots.

use expect_test::{Expect, expect};

use crate::testing::{compile_one, show};

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
