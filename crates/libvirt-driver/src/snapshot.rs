//! Snapshots inside of the disks of a VM.

use crate::failure::{Failure, Result};
use domxml::Element;
use domxml::read::{NodeExt, parse};
use model::Snapshot;
use virt::domain::Domain;
use virt_sys as sys;

/// Every snapshot of the domain; none where the driver keeps none.
pub(crate) fn list(domain: &Domain) -> Result<Vec<Snapshot>> {
    let all = match domain.list_all_snapshots(0).map_err(Failure::from) {
        Ok(all) => all,
        Err(failure) if failure.is_unsupported() => return Ok(Vec::new()),
        Err(failure) => return Err(failure),
    };
    let current = match domain.current_snapshot(0) {
        Ok(current) => Some(current.name()?),
        Err(_) => None,
    };
    let mut read = Vec::new();
    for snapshot in all {
        match snapshot.xml_desc(0).map_err(Failure::from) {
            Ok(xml) => read.extend(parsed(&xml, current.as_deref())),
            // Deleted since it was listed.
            Err(failure) if failure.reason == hypervisor::Reason::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(read)
}

fn parsed(xml: &str, current: Option<&str>) -> Option<Snapshot> {
    let doc = parse("snapshot", "domainsnapshot", xml).ok()?;
    let root = doc.root_element();
    let text = |name: &str| root.text_at(name);
    let parent = root
        .child("parent")
        .map(|parent| parent.text_at("name").to_owned());
    let name = text("name").to_owned();
    Some(Snapshot {
        parent,
        created: text("creationTime").parse().unwrap_or_default(),
        state: text("state").to_owned(),
        current: current == Some(name.as_str()),
        name,
    })
}

pub(crate) fn take(domain: &Domain, name: &str) -> Result<()> {
    let xml = Element::new("domainsnapshot")
        .child(Element::text("name", name))
        .to_xml(0);
    domain.create_snapshot_xml(&xml, sys::VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC)?;
    Ok(())
}

/// A running VM whose definition has changed since can only be reverted by starting its process anew, which libvirt
/// does when it is told so.
pub(crate) fn revert(domain: &Domain, name: &str) -> Result<()> {
    let snapshot = Domain::lookup_snapshot_by_name(domain, name, 0)?;
    snapshot.revert(sys::VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)?;
    Ok(())
}

pub(crate) fn delete(domain: &Domain, name: &str) -> Result<()> {
    let snapshot = Domain::lookup_snapshot_by_name(domain, name, 0)?;
    snapshot.delete(0)?;
    Ok(())
}
