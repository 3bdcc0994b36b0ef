//! Help as a whole, and what is printed about each kind of thing.

use crate::vm::{describe, table};
use crate::{Command, SaltCli};
use clap::{CommandFactory as _, Parser};
use expect_test::{ExpectFile, expect, expect_file};
use server_api::vm::{Disk, HostRef, Nic, Vm, VmDetail};
use std::fmt::Write as _;
use uuid::Uuid;

/// A running VM.
pub(crate) fn vm(name: &str, host: &str) -> Vm {
    Vm {
        id: Uuid::from_u128(1),
        r#gen: 1,
        name: name.to_owned(),
        host: HostRef {
            id: Uuid::from_u128(2),
            name: host.to_owned(),
            freshness: "live".to_owned(),
        },
        status: "running".to_owned(),
        status_reason: "booted".to_owned(),
        domain_type: "kvm".to_owned(),
        vcpus: 2,
        vcpus_max: 4,
        memory_bytes: 1 << 30,
        memory_max_bytes: 1 << 30,
        autostart: true,
        persistent: true,
        has_managed_save: false,
        pending_changes: true,
        addresses: vec!["192.168.44.10".to_owned()],
        observed_at: "2026-01-02T03:04:05Z".to_owned(),
        actions: Vec::new(),
    }
}

fn detail() -> VmDetail {
    let mut vm = vm("srv01\u{1b}[1m", "kvm1");
    vm.host.freshness = "unreachable".to_owned();
    let disk = Disk {
        target: "vda".to_owned(),
        bus: "virtio".to_owned(),
        device: "disk".to_owned(),
        source: "pool0/srv01_system".to_owned(),
        pool: Some("pool0".to_owned()),
        format: "qcow2".to_owned(),
        read_only: false,
    };
    let nic = Nic {
        mac: "2a:c3:a7:a6:01:04".to_owned(),
        kind: "network".to_owned(),
        source: "net0".to_owned(),
        model: "virtio".to_owned(),
        target: Some("vnet0".to_owned()),
        addresses: vec!["192.168.44.10".to_owned()],
    };
    let (uuid, domain_id) = (Uuid::from_u128(1), Some(7));
    let [os_type, arch, title, description] =
        ["hvm", "x86_64", "", "two\nlines"].map(str::to_owned);
    let (disks, nics, graphics) = (vec![disk], vec![nic], Vec::new());
    VmDetail {
        vm,
        uuid,
        domain_id,
        os_type,
        arch,
        title,
        description,
        disks,
        nics,
        graphics,
    }
}

#[derive(Parser)]
#[command(name = "salar", disable_help_subcommand = true)]
struct Salar {
    #[command(subcommand)]
    _command: Command,
}

/// The help of a command and of all below it.
fn help(command: &mut clap::Command, out: &mut String) {
    let text = command.render_long_help();
    let name = command.get_bin_name().unwrap_or(command.get_name());
    writeln!(out, "# {name}\n\n{text}").expect("writing to a String cannot fail");
    command.get_subcommands_mut().for_each(|sub| help(sub, out));
}

fn check(mut command: clap::Command, expected: ExpectFile) {
    command = command.term_width(100);
    command.build();
    let mut out = String::new();
    help(&mut command, &mut out);
    let trimmed: Vec<&str> = out.lines().map(str::trim_end).collect();
    expected.assert_eq(&format!("{}\n", trimmed.join("\n")));
}

#[test]
fn a_vm_is_described_with_the_age_of_what_is_known() {
    expect![[r#"
        Name:        srv01\x1b[1m
        Description: two\nlines
        Host:        kvm1
        Status:      running (as of 2026-01-02T03:04:05Z), booted
        Pending:     changes wait for the next start
        vCPUs:       2 of at most 4
        Memory:      1.0 GiB
        Addresses:   192.168.44.10
        Autostart:   yes
        Persistent:  yes
        Machine:     kvm hvm x86_64
        UUID:        00000000-0000-0000-0000-000000000001
        Id:          00000000-0000-0000-0000-000000000001
        Read at:     2026-01-02T03:04:05Z

        DISK  BUS     DEVICE  FORMAT  SOURCE
        vda   virtio  disk    qcow2   pool0/srv01_system

        NIC                TYPE     SOURCE  MODEL   ADDRESSES
        2a:c3:a7:a6:01:04  network  net0    virtio  192.168.44.10
    "#]]
    .assert_eq(&describe(&detail()));
}

#[test]
fn vms_are_listed() {
    expect![[r#"
        NAME          HOST          STATUS                                VCPUS  MEMORY   ADDRESSES
        srv01         kvm1.example  running                               2      1.0 GiB  192.168.44.10
        srv01\x1b[1m  kvm1          running (as of 2026-01-02T03:04:05Z)  2      1.0 GiB  192.168.44.10
    "#]].assert_eq(&table(&[vm("srv01", "kvm1.example"), detail().vm]).render(0));
}

#[test]
fn help_of_salar() {
    check(Salar::command(), expect_file!["tests/help-salar.txt"]);
}

#[test]
fn help_of_salt() {
    check(SaltCli::command(), expect_file!["tests/help-salt.txt"]);
}
