//! `virt.purge`: a VM with its disks.

use super::table::{Access, Function};
use super::vm::find_vm;
use super::{Call, Fault, Return};
use hypervisor::Key;
use model::plan::{Step, VmOp, VolumeOp};
use model::uri::is_remote;
use model::vm::Disk;
use model::{Inventory, Request, Vm};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const TABLE: &[Function] = &[Function {
    name: "virt.purge",
    signature: "vm_, dirs=False, removables=False",
    doc: "virt.purge VM [dirs=True] [removables=True]\n\nCuts the power, deletes the disks (with removables=True also what is in drives) and the definition; with dirs=True also the folders that the disks lay in, where nothing else is in them and no pool is there. Nothing is touched unless every disk is a volume of a running pool or a file of the host, and no other VM has it.",
    access: Access::Changes,
    run: |call| Box::pin(purge(call)),
}];

/// Where the bytes of a disk are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A volume of a running pool.
    Volume { pool: String, name: String },
    /// A file of the host that is in no running pool.
    File(PathBuf),
}

/// Everything is looked up before anything is touched.
async fn purge(call: Call<'_>) -> Result<Return, Fault> {
    let vm = find_vm(&call).await?;
    let flag = |position, name| call.args.get(position, name) == Some(&Value::Bool(true));
    let (dirs, removables) = (flag(1, "dirs"), flag(2, "removables"));
    let hypervisor = &call.minion.hypervisor;
    let inventory = hypervisor.inventory().await?;
    let (mut steps, mut files) = (Vec::new(), Vec::new());
    let of_vm = |op| Step::Vm {
        name: vm.name.clone(),
        op,
    };
    if vm.status.is_active() {
        steps.push(of_vm(VmOp::Life(Request::ForceOff)));
    }
    let is_drive = |disk: &Disk| matches!(disk.device.as_str(), "cdrom" | "floppy");
    let meant = vm.disks.iter().filter(|disk| removables || !is_drive(disk));
    for disk in meant.filter(|disk| !disk.source.is_empty()) {
        let place = place_of(&vm, disk, &inventory, &call.minion.uri)?;
        unshared(&vm, disk, &place, &inventory, &call.minion.uri)?;
        match place {
            Place::Volume { pool, name } => {
                if hypervisor.find_volume(&pool, &name).await?.is_some() {
                    let op = VolumeOp::Delete;
                    steps.push(Step::Volume { pool, name, op });
                }
            }
            Place::File(path) => files.push(path),
        }
    }
    for step in steps {
        hypervisor.perform(&step).await?;
    }
    for path in &files {
        gone(path, std::fs::remove_file(path))?;
    }
    // A transient VM is gone as soon as it is off.
    if hypervisor.find_vm(&Key::Uuid(vm.uuid)).await?.is_some() {
        hypervisor.perform(&of_vm(VmOp::Purge)).await?;
    }
    if dirs {
        remove_folders(&files, &inventory)?;
    }
    Ok(Return::ok(true))
}

/// The folders that the files lay in, if they are empty now. Unlike Salt, which removes all that is below them.
fn remove_folders(files: &[PathBuf], inventory: &Inventory) -> Result<(), Fault> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|path| path.parent()).collect();
    let is_pool = |folder: &Path| {
        let mut targets = inventory.pools.iter().map(|pool| Path::new(&pool.target));
        targets.any(|target| target == folder)
    };
    for folder in folders.into_iter().filter(|folder| !is_pool(folder)) {
        let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        if is_empty {
            gone(folder, std::fs::remove_dir(folder))?;
        }
    }
    Ok(())
}

/// One that is gone already is no fault.
fn gone(path: &Path, removed: io::Result<()>) -> Result<(), Fault> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let path = path.display();
            Err(Fault::new(format!("cannot remove {path}: {error}")))
        }
        _ => Ok(()),
    }
}

fn place_of(vm: &Vm, disk: &Disk, inventory: &Inventory, uri: &str) -> Result<Place, Fault> {
    if let Some(pool) = &disk.pool
        && let Some(name) = disk
            .source
            .strip_prefix(pool)
            .and_then(|rest| rest.strip_prefix('/'))
    {
        let (pool, name) = (pool.clone(), name.to_owned());
        return Ok(Place::Volume { pool, name });
    }
    let path = Path::new(&disk.source);
    let holds = |pool: &&model::Pool| pool.active && path.parent() == Some(Path::new(&pool.target));
    if let (Some(pool), Some(name)) = (inventory.pools.iter().find(holds), path.file_name()) {
        let (pool, name) = (pool.name.clone(), name.to_string_lossy().into_owned());
        return Ok(Place::Volume { pool, name });
    }
    // A purge that broke off may have taken the file; one of a folder that is not there has its storage somewhere else.
    let folder = path.parent().filter(|folder| folder.is_dir());
    let of_pool = |folder: &Path| {
        inventory
            .pools
            .iter()
            .any(|pool| Path::new(&pool.target) == folder)
    };
    let is_gone = || folder.is_some_and(|folder| !of_pool(folder)) && !path.exists();
    if path.is_absolute() && !is_remote(uri) && (path.is_file() || is_gone()) {
        return Ok(Place::File(path.to_owned()));
    }
    Err(Fault::new(format!(
        "cannot purge VM {}: its disk {} is {}, which is neither a volume of a running pool nor a file of the host",
        vm.name, disk.target, disk.source
    ))
    .hint("start the pool, or use virt.undefine and remove the disk by hand"))
}

/// Refuses a disk that another VM has, too.
fn unshared(
    vm: &Vm,
    disk: &Disk,
    place: &Place,
    inventory: &Inventory,
    uri: &str,
) -> Result<(), Fault> {
    let same = |other: &&Vm| {
        other.uuid != vm.uuid
            && other
                .disks
                .iter()
                .filter(|disk| !disk.source.is_empty())
                .any(|theirs| place_of(other, theirs, inventory, uri).is_ok_and(|of| of == *place))
    };
    match inventory.vms.iter().find(same) {
        None => Ok(()),
        Some(other) => Err(Fault::new(format!(
            "cannot purge VM {}: its disk {} ({}) is a disk of VM {}, too",
            vm.name, disk.target, disk.source, other.name
        ))
        .hint("virt.undefine removes the definition and keeps the disks")),
    }
}
