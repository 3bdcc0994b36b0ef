//! The volume of the drive that cloud-init reads: `{vm}_cidata`.
//!
//! The definition remembers what the volume holds, so a volume is written again only for other data.

use super::source::Owner;
use crate::cloud_init::CloudInit;
use crate::planners::steps::{by, planned, volume};
use crate::want::vm::DIGEST;
use crate::{Observation, StateError};
use domxml::metadata;
use model::Pool;
use model::plan::{Consequence, Content, PlannedStep, Undo, VolumeOp};

/// The step that writes the volume; `None` when it holds the data already.
pub(super) fn write(
    data: &CloudInit,
    pool: &Pool,
    owner: Owner,
    seen: &Observation,
) -> Result<Option<PlannedStep>, StateError> {
    let (vm, pool) = (owner.vm, &pool.name);
    let name = format!("{vm}_cidata");
    let is_there = seen.volume(pool, &name)?.is_some();
    if is_there && remembered(vm, seen)?.as_deref() == Some(data.digest().as_str()) {
        return Ok(None);
    }
    let undo = match is_there {
        false => by(volume(pool, &name, VolumeOp::Delete)),
        true => Undo::NotNeeded("the VM does not remember the new data, so the next run writes it"),
    };
    let consequence = match owner.active {
        true => Consequence::NextBoot,
        false => Consequence::None,
    };
    let content = Content(data.image());
    Ok(Some(planned(
        volume(pool, &name, VolumeOp::Write { content }),
        consequence,
        format!("Write the cloud-init data of VM {vm} to volume {name} of pool {pool}"),
        undo,
    )))
}

/// What the VM's definition says that the volume holds.
fn remembered(vm: &str, seen: &Observation) -> Result<Option<String>, StateError> {
    let xml = seen.vm(vm)?.and_then(|vm| vm.xml_persistent.as_deref());
    let Some(xml) = xml else {
        return Ok(None);
    };
    let doc = domxml::read::parse("domain", "domain", xml)
        .map_err(|error| StateError::definition(super::object(vm), error))?;
    Ok(metadata::get(doc.root_element(), DIGEST).map(str::to_owned))
}
