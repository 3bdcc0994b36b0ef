//! What libvirt tells of the host beside its objects: documents, counters, leases.

use crate::failure::{Failure, Result};
use crate::ffi;
use crate::read::network::find_network;
use crate::read::vm::find_domain;
use crate::xen;
use hypervisor::{Document, Key, Reason};
use model::counters::{BlockCounters, NetCounters};
use model::{Counters, Lease};
use virt::connect::Connect;
use virt_sys as sys;

pub(crate) fn documents(connect: &Connect, which: &Document) -> Result<Vec<String>> {
    match which {
        Document::DomainCapabilities {
            emulator,
            arch,
            machine,
            domain_type,
        } => {
            let told = connect.domain_capabilities(
                emulator.as_deref(),
                arch.as_deref(),
                machine.as_deref(),
                domain_type.as_deref(),
                0,
            )?;
            Ok(vec![told])
        }
        Document::PoolCapabilities => Ok(vec![ffi::pool_capabilities(connect)?]),
        Document::NodeDevices => {
            let mut devices = Vec::new();
            for device in connect.list_all_node_devices(0)? {
                // One that was unplugged since the listing is no news.
                if let Ok(xml) = device.xml_desc(0) {
                    devices.push(xml);
                }
            }
            Ok(devices)
        }
        Document::BaselineCpu {
            cpus,
            expand,
            migratable,
        } => {
            let mut flags = 0;
            if *expand {
                flags |= sys::VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES;
            }
            if *migratable {
                flags |= sys::VIR_CONNECT_BASELINE_CPU_MIGRATABLE;
            }
            let cpus: Vec<&str> = cpus.iter().map(String::as_str).collect();
            Ok(vec![connect.baseline_cpu(&cpus, flags)?])
        }
    }
}

/// Every disk and interface of the running definition; one that cannot be counted counts as nothing.
pub(crate) fn counters(connect: &Connect, uri: &str, key: &Key) -> Result<Counters> {
    let absent = || Failure::new(Reason::NotFound, format!("there is no VM {key}"));
    let domain = find_domain(connect, key)?.ok_or_else(absent)?;
    if !domain.is_active()? {
        return Err(Failure::new(Reason::WrongState, "it is off"));
    }
    let mut all = Counters {
        cpu_time_ns: domain.info()?.cpu_time,
        ..Counters::default()
    };
    let live = domxml::domain::read(&domain.xml_desc(0)?)?;
    let add = |sum: &mut i64, more: i64| *sum += more.max(0);
    let on_host = live.id.and_then(|id| xen::net_counters(uri, id));
    let asked = match on_host {
        Some(counted) => {
            all.net = counted;
            &[]
        }
        None => live.nics.as_slice(),
    };
    for target in asked.iter().filter_map(|nic| nic.target.as_ref()) {
        let Ok(stats) = domain.interface_stats(target) else {
            continue;
        };
        let NetCounters {
            rx_bytes,
            rx_packets,
            rx_errs,
            rx_drop,
            tx_bytes,
            tx_packets,
            tx_errs,
            tx_drop,
        } = &mut all.net;
        add(rx_bytes, stats.rx_bytes);
        add(rx_packets, stats.rx_packets);
        add(rx_errs, stats.rx_errs);
        add(rx_drop, stats.rx_drop);
        add(tx_bytes, stats.tx_bytes);
        add(tx_packets, stats.tx_packets);
        add(tx_errs, stats.tx_errs);
        add(tx_drop, stats.tx_drop);
    }
    for disk in live.disks.iter().filter(|disk| !disk.source.is_empty()) {
        let Ok(stats) = domain.block_stats(&disk.target) else {
            continue;
        };
        let BlockCounters {
            rd_req,
            rd_bytes,
            wr_req,
            wr_bytes,
            errs,
        } = &mut all.block;
        add(rd_req, stats.rd_req);
        add(rd_bytes, stats.rd_bytes);
        add(wr_req, stats.wr_req);
        add(wr_bytes, stats.wr_bytes);
        add(errs, stats.errs);
    }
    Ok(all)
}

pub(crate) fn leases(connect: &Connect, network: &str) -> Result<Vec<Lease>> {
    let key = Key::Name(network.to_owned());
    let absent = || Failure::new(Reason::NotFound, format!("there is no network {network}"));
    let found = find_network(connect, &key)?.ok_or_else(absent)?;
    if !found.is_active()? {
        return Ok(Vec::new());
    }
    match ffi::dhcp_leases(&found) {
        // A bridge has no DHCP server of libvirt's.
        Err(failure) if failure.is_unsupported() => Ok(Vec::new()),
        leases => leases,
    }
}
