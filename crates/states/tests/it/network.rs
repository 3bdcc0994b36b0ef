//! Networks that are there: in place where libvirt can, never restarted.

use crate::host::{Host, State, shown, summary, virt};
use crate::origin::{applied, net0};
use expect_test::{Expect, expect};

fn check(state: &State, expected: &Expect) {
    let mut host = applied();
    let plan = host.plan(state).expect("a plan");
    expected.assert_eq(&format!(
        "{}\n{}",
        summary(&plan),
        shown(&plan.applied(&[]))
    ));
    host.apply(state);
    let again = host.plan(state).expect("a plan");
    assert!(again.plan.is_empty(), "a second apply: {}", summary(&again));
}

#[test]
fn ranges_hosts_and_names_change_while_it_runs() {
    let config =
        "{cidr: 192.168.44.0/24, dhcp_ranges: [{start: 192.168.44.10, end: 192.168.44.99}],
                   hosts: {192.168.44.10: {mac: '2A:C3:A7:A6:01:04', name: srv01}}}";
    let state = net0()
        .with("ipv4_config", config)
        .with("dns", "{hosts: {192.168.44.10: [srv01, www]}}");
    check(
        &state,
        &expect![[r#"
        Add a DNS host of network net0 while it runs [live]
        Remove a DHCP range of network net0 while it runs [live]
        Add a DHCP range of network net0 while it runs [live]
        Add a DHCP host of network net0 while it runs [live]
        Some(true) Network net0 updated and is running
        {"net0":"Network updated"}"#]],
    );
}

#[test]
fn what_libvirt_cannot_change_waits_for_the_next_start() {
    check(
        &net0().with("mtu", "1400").with("forward", "route"),
        &expect![[r#"
            Update the definition of network net0 [next boot]
            waits: forward@mode: nat now, route once it is stopped and started
            waits: forward/nat: present now, none once it is stopped and started
            waits: mtu@size: none now, 1400 once it is stopped and started
            Some(true) Network net0 updated and is running
            Waits for the next start: forward@mode: nat now, route once it is stopped and started; forward/nat: present now, none once it is stopped and started; mtu@size: none now, 1400 once it is stopped and started
            {"net0":"Network updated"}"#]],
    );
}

#[test]
fn another_subnet_waits_for_the_next_start() {
    check(
        &net0().with("ipv4_config", "{cidr: 10.7.0.0/16}"),
        &expect![[r#"
            Update the definition of network net0 [next boot]
            waits: ip[1]@address: 192.168.44.1 now, 10.7.0.1 once it is stopped and started
            waits: ip[1]@prefix: 24 now, 16 once it is stopped and started
            Some(true) Network net0 updated and is running
            Waits for the next start: ip[1]@address: 192.168.44.1 now, 10.7.0.1 once it is stopped and started; ip[1]@prefix: 24 now, 16 once it is stopped and started
            {"net0":"Network updated"}"#]],
    );
}

#[test]
fn a_nat_network_that_becomes_a_bridge_loses_what_a_bridge_cannot_have() {
    let state = virt("network_running", "net0", "{bridge: br0, forward: bridge}");
    check(
        &state,
        &expect![[r#"
            Update the definition of network net0 [next boot]
            waits: forward@mode: nat now, bridge once it is stopped and started
            waits: forward/nat: present now, none once it is stopped and started
            waits: bridge@name: net0-br now, br0 once it is stopped and started
            Some(true) Network net0 updated and is running
            Waits for the next start: forward@mode: nat now, bridge once it is stopped and started; forward/nat: present now, none once it is stopped and started; bridge@name: net0-br now, br0 once it is stopped and started
            {"net0":"Network updated"}"#]],
    );
    let mut host = applied();
    host.apply(&state);
    let network = host.seen.networks["net0"].as_ref().expect("there");
    let next = network.xml_persistent.as_deref().expect("running");
    assert!(
        !next.contains("<mac") && !next.contains("<ip") && next.contains("<uuid>"),
        "{next}"
    );
}

#[test]
fn a_stopped_network_is_started_and_autostart_is_reported() {
    let mut host = applied();
    let network = host
        .seen
        .networks
        .get_mut("net0")
        .and_then(Option::as_mut)
        .expect("there");
    network.active = false;
    network.xml_persistent = None;
    network.autostart = false;
    let plan = host
        .plan(&net0().with("autostart", "False"))
        .expect("a plan");
    expect![[r#"
        Start network net0 [live]
        Some(true) Network net0 unchanged and started
        {"net0":"Network started"}"#]]
    .assert_eq(&format!(
        "{}\n{}",
        summary(&plan),
        shown(&plan.applied(&[]))
    ));
    let plan = host.plan(&net0()).expect("a plan");
    expect![[r#"
        Start network net0 with its host [none]
        Start network net0 [live]
        Some(true) Network net0 updated, autostart flag changed and started
        {"net0":"Network updated, autostart flag changed and started"}"#]]
    .assert_eq(&format!(
        "{}\n{}",
        summary(&plan),
        shown(&plan.applied(&[]))
    ));
}

#[test]
fn all_arguments_reach_the_xml_and_are_quiet_afterwards() {
    let states = [
        virt(
            "network_running",
            "full",
            "{bridge: virbr9, forward: nat, mtu: 9000, domain: {name: lab.local, localOnly: True}, interfaces: em1,
              nat: {address: {start: 10.0.0.2, end: 10.0.0.3}, port: {start: 500, end: 1000}},
              ipv4_config: {cidr: 10.1.0.0/24, bootp: {file: pxe.0, server: 10.1.0.1}, tftp: /srv/tftp, dhcp_ranges: [{start: 10.1.0.9, end: 10.1.0.20}]},
              ipv6_config: {cidr: 'fd00:44::/64'},
              dns: {forwarders: [{addr: 8.8.8.8}, {domain: a.b, addr: 9.9.9.9}], txt: {example: value}, hosts: {10.1.0.9: [a, b]},
                    srvs: [{name: ldap, protocol: tcp, target: x.y, port: 389, priority: 0, weight: 1}]}}",
        ),
        virt("network_running", "ovs", "{bridge: br0, forward: bridge, vport: {type: openvswitch, parameters: {interfaceid: 09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f}}, tag: {trunk: True, tags: [{id: 42}, {id: 47, nativeMode: untagged}]}}"),
        virt("network_running", "vf", "{forward: hostdev, addresses: '0000:04:00.1 0000:e3:01.2'}"),
        virt("network_running", "pf", "{bridge: null, forward: passthrough, physical_function: em1}"),
        virt("network_running", "alone", "{bridge: null, forward: null}"),
    ];
    let mut host = Host::new();
    let mut xml = String::new();
    for state in &states {
        let plan = host.plan(state).expect("a plan");
        let new = plan.plan.steps[0]
            .diff
            .as_ref()
            .expect("a definition")
            .after
            .clone();
        crate::schema::validate("network", &new);
        xml.push_str(&new);
        host.apply(state);
        assert!(host.plan(state).expect("a plan").plan.is_empty());
    }
    expect![[r#"
        <network>
          <name>full</name>
          <forward mode='nat'>
            <nat>
              <address start='10.0.0.2' end='10.0.0.3'/>
              <port start='500' end='1000'/>
            </nat>
            <interface dev='em1'/>
          </forward>
          <bridge name='virbr9'/>
          <mtu size='9000'/>
          <domain name='lab.local' localOnly='yes'/>
          <dns>
            <forwarder addr='8.8.8.8'/>
            <forwarder domain='a.b' addr='9.9.9.9'/>
            <txt name='example' value='value'/>
            <srv service='ldap' protocol='tcp' target='x.y' port='389' priority='0' weight='1'/>
            <host ip='10.1.0.9'>
              <hostname>a</hostname>
              <hostname>b</hostname>
            </host>
          </dns>
          <ip family='ipv4' address='10.1.0.1' prefix='24'>
            <tftp root='/srv/tftp'/>
            <dhcp>
              <range start='10.1.0.9' end='10.1.0.20'/>
              <bootp file='pxe.0' server='10.1.0.1'/>
            </dhcp>
          </ip>
          <ip family='ipv6' address='fd00:44::1' prefix='64'/>
        </network>
        <network>
          <name>ovs</name>
          <forward mode='bridge'/>
          <bridge name='br0'/>
          <vlan trunk='yes'>
            <tag id='42'/>
            <tag id='47' nativeMode='untagged'/>
          </vlan>
          <virtualport type='openvswitch'>
            <parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/>
          </virtualport>
        </network>
        <network>
          <name>vf</name>
          <forward mode='hostdev' managed='yes'>
            <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x1'/>
            <address type='pci' domain='0x0000' bus='0xe3' slot='0x01' function='0x2'/>
          </forward>
        </network>
        <network>
          <name>pf</name>
          <forward mode='passthrough'>
            <pf dev='em1'/>
          </forward>
        </network>
        <network>
          <name>alone</name>
        </network>
    "#]]
    .assert_eq(&xml);
}

#[test]
fn nonsense_is_refused_with_what_to_write() {
    let mut host = Host::new();
    let mut said = Vec::new();
    let mut refuse = |yaml: &str| {
        let error = host
            .plan(&virt("network_running", "n", yaml))
            .expect_err(yaml);
        said.push(error.to_string());
    };
    refuse("{forward: nat}");
    refuse("{bridge: b}");
    refuse("{bridge: b, forward: natt}");
    refuse("{bridge: a-very-long-bridge-name, forward: nat}");
    refuse("{bridge: b, forward: nat, ipv4_config: {cidr: 192.168.44.7/24}}");
    refuse("{bridge: b, forward: nat, ipv4_config: {cidr: 192.168.44.0/24, dhcp_range: []}}");
    refuse(
        "{bridge: b, forward: nat, ipv4_config: {cidr: 192.168.44.0/24, dhcp_ranges: [{start: 192.168.45.1, end: 192.168.45.9}]}}",
    );
    refuse(
        "{bridge: b, forward: nat, ipv4_config: {cidr: 192.168.44.0/24, dhcp_ranges: [{start: 192.168.44.9, end: 192.168.44.1}]}}",
    );
    refuse("{bridge: b, forward: nat, tag: 5000}");
    expect![[r#"
        Missing parameter bridge for state virt.network_running
        Missing parameter forward for state virt.network_running
        forward: "natt" is not one of nat, route, open, bridge, private, vepa, passthrough, hostdev. Did you mean nat?
        bridge: "a-very-long-bridge-name" is not the name of a network device (at most 15 letters, digits, dots, dashes, underscores)
        ipv4_config: cidr: "192.168.44.7/24" is not a network address such as 192.168.44.0/24. It has host bits set. Write 192.168.44.0/24
        ipv4_config: there is no key dhcp_range here. Did you mean dhcp_ranges?
        ipv4_config: dhcp_ranges: item 1: start: "192.168.45.1" is not an address of 192.168.44.0/24
        ipv4_config: dhcp_ranges: item 1: {"start":"192.168.44.9","end":"192.168.44.1"} is not a range: its end lies before its start
        tag: 5000 is not a VLAN tag from 0 to 4095"#]].assert_eq(&said.join("\n"));
}
