//! What another object of the host has already: the bridge or addresses of a network, the folder of a pool, the MAC
//! address of a VM.
//!
//! Everything is read for that only where something is to be made or to get another of these.

use crate::facts::clean_path;
use crate::want::network::NetworkWant;
use crate::want::pool::PoolWant;
use crate::{Needs, Observation, StateError};
use model::{Network, Pool, Vm};
use std::net::IpAddr;

/// Every network, if the declared one comes to have another bridge or other addresses.
pub(super) fn network_needs(want: &NetworkWant, have: Option<&Network>) -> Option<Needs> {
    let same_bridge =
        |have: &&Network| want.bridge.as_ref().is_none_or(|name| *name == have.bridge);
    let same_addresses =
        |have: &&Network| want.cidrs().iter().all(|cidr| have.cidrs.contains(cidr));
    let is_same = have.filter(same_bridge).filter(same_addresses).is_some();
    (!is_same && NetworkWant::is_managed(want.forward.as_deref())).then(|| Needs {
        all_networks: true,
        ..Needs::default()
    })
}

/// Refuses a bridge or addresses that another network has, as libvirt would when the network is started.
pub(super) fn check_network(want: &NetworkWant, seen: &Observation) -> Result<(), StateError> {
    if network_needs(want, seen.network(&want.name)?).is_none() {
        return Ok(());
    }
    let others = seen.networks.values().flatten();
    for other in others.filter(|other| other.name != want.name) {
        if let Some(bridge) = want.bridge.as_ref().filter(|name| **name == other.bridge)
            && NetworkWant::is_managed(Some(&other.forward))
        {
            return Err(StateError::Argument {
                path: "bridge".to_owned(),
                found: format!("{bridge:?}"),
                expected: format!("free: network {} has it", other.name),
                remedy: Some("Write another name, or bridge: null to have one chosen".to_owned()),
            });
        }
        for cidr in want.cidrs() {
            let overlap = other.cidrs.iter().find(|theirs| overlaps(&cidr, theirs));
            if let Some(theirs) = overlap.filter(|_| other.active) {
                return Err(StateError::Argument {
                    path: match cidr.contains(':') {
                        true => "ipv6_config: cidr".to_owned(),
                        false => "ipv4_config: cidr".to_owned(),
                    },
                    found: cidr.clone(),
                    expected: format!("free: network {} runs with {theirs}", other.name),
                    remedy: Some("Take other addresses, or stop that network".to_owned()),
                });
            }
        }
    }
    Ok(())
}

/// `10.0.0.1/8` and `10.1.0.1/16` have addresses in common.
fn overlaps(a: &str, b: &str) -> bool {
    let parse = |cidr: &str| {
        let (address, prefix) = cidr.split_once('/')?;
        Some((address.parse::<IpAddr>().ok()?, prefix.parse::<u32>().ok()?))
    };
    let (Some((a, left)), Some((b, right))) = (parse(a), parse(b)) else {
        return false;
    };
    let prefix = left.min(right);
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let differ = u32::from(a) ^ u32::from(b);
            prefix == 0 || differ >> (32 - prefix.min(32)) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let differ = u128::from(a) ^ u128::from(b);
            prefix == 0 || differ >> (128 - prefix.min(128)) == 0
        }
        _ => false,
    }
}

/// Kinds whose volumes are files of their folder.
const IN_A_FOLDER: &[&str] = &["dir", "fs", "netfs"];

/// Every pool, if the declared one comes to have another folder.
pub(super) fn pool_needs(want: &PoolWant, have: Option<&Pool>) -> Option<Needs> {
    let target = want.target.as_deref()?;
    let kind = want.kind.as_deref().or(have.map(|have| have.kind.as_str()));
    let is_same = have.is_some_and(|have| clean_path(&have.target) == clean_path(target));
    (!is_same && kind.is_some_and(|kind| IN_A_FOLDER.contains(&kind))).then(|| Needs {
        all_pools: true,
        ..Needs::default()
    })
}

/// Refuses the folder of another pool, as libvirt would: each would see and delete the other's volumes.
pub(super) fn check_pool(want: &PoolWant, seen: &Observation) -> Result<(), StateError> {
    let Some(target) = want.target.as_deref() else {
        return Ok(());
    };
    if pool_needs(want, seen.pool(&want.name)?).is_none() {
        return Ok(());
    }
    let same = |other: &&Pool| {
        other.name != want.name
            && IN_A_FOLDER.contains(&other.kind.as_str())
            && clean_path(&other.target) == clean_path(target)
    };
    match seen.pools.values().flatten().find(same) {
        None => Ok(()),
        Some(other) => Err(StateError::Argument {
            path: "target".to_owned(),
            found: format!("{target:?}"),
            expected: format!("free: it is the folder of pool {}", other.name),
            remedy: Some(format!("Write another folder, or use pool {}", other.name)),
        }),
    }
}

/// An address with what it is plugged into: `network net0`.
pub(super) struct Plugged {
    pub(super) mac: String,
    pub(super) kind: String,
    pub(super) source: String,
}

/// Every VM, if the declared one comes to have another address.
pub(super) fn vm_needs(macs: &[Plugged], have: Option<&Vm>) -> Option<Needs> {
    let has = |plugged: &Plugged| {
        have.is_some_and(|have| {
            have.nics
                .iter()
                .any(|nic| nic.mac.eq_ignore_ascii_case(&plugged.mac))
        })
    };
    (!macs.iter().all(has)).then(|| Needs {
        vm_patterns: ["*".to_owned()].into(),
        ..Needs::default()
    })
}

/// Refuses an address that a running VM has on the same link; elsewhere, and with one that is off, it may be meant.
///
/// Returns what is to be said of it.
pub(super) fn check_vm(
    vm: &str,
    macs: &[Plugged],
    seen: &Observation,
) -> Result<Vec<String>, StateError> {
    let mut notes = Vec::new();
    if vm_needs(macs, seen.vm(vm)?).is_none() {
        return Ok(notes);
    }
    let others = seen.vms.values().flatten().filter(|other| other.name != vm);
    for (other, nic) in others.flat_map(|other| other.nics.iter().map(move |nic| (other, nic))) {
        let Some(plugged) = macs
            .iter()
            .find(|plugged| nic.mac.eq_ignore_ascii_case(&plugged.mac))
        else {
            continue;
        };
        let same_link = nic.kind == plugged.kind && nic.source == plugged.source;
        if same_link && other.status.is_active() {
            return Err(StateError::Argument {
                path: "interfaces: mac".to_owned(),
                found: plugged.mac.clone(),
                expected: format!(
                    "free: VM {} runs with it in {} {}",
                    other.name, nic.kind, nic.source
                ),
                remedy: Some("Give each VM its own address, or leave mac out".to_owned()),
            });
        }
        notes.push(format!(
            "interfaces: VM {} has the address {} too; they must not run in one network at a time",
            other.name, plugged.mac
        ));
    }
    Ok(notes)
}
