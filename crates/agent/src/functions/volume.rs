//! `virt.*` functions about volumes.

use super::file::host_is_here;
use super::pool::find_pool;
use super::table::{Access, Function};
use super::{Call, Fault, Return};
use hypervisor::{Transferred, Upload};
use model::plan::{Step, VolumeOp};
use model::{Inventory, Pool, Vm, Volume};
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.pool_list_volumes",
        signature: "name",
        doc: "virt.pool_list_volumes POOL\n\nNames of the volumes of a running pool.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let pool = find_pool(&call).await?.name;
                let volumes = call.minion.hypervisor.list_volumes(&pool).await?;
                let names: Vec<String> = volumes.into_iter().map(|volume| volume.name).collect();
                Ok(Return::ok(names))
            })
        },
    },
    Function {
        name: "virt.volume_infos",
        signature: "pool=None, volume=None",
        doc: "virt.volume_infos [POOL] [VOLUME]\n\n{pool: {volume: path, sizes in bytes, format, backing store, VMs that use it}}, of running pools.",
        access: Access::Reads,
        run: |call| Box::pin(infos(call)),
    },
    Function {
        name: "virt.volume_delete",
        signature: "pool, volume",
        doc: "virt.volume_delete POOL VOLUME\n\nDeletes the volume and its data.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let (pool, name) = volume(&call)?;
                change(&call, pool, name, VolumeOp::Delete).await
            })
        },
    },
    Function {
        name: "virt.volume_upload",
        signature: "pool, volume, file, offset=0, length=0, sparse=False",
        doc: "virt.volume_upload POOL VOLUME FILE [offset=BYTES] [length=BYTES] [sparse=True]\n\nFills the volume from a file of the host: from its byte offset on, with the first length bytes of the file, or all of it. With sparse=True stretches of zeros are not sent; a new volume has them already.",
        access: Access::Changes,
        run: |call| Box::pin(upload(call)),
    },
    Function {
        name: "virt.define_vol_xml_str",
        signature: "xml, pool=None",
        doc: "virt.define_vol_xml_str XML [POOL]\n\nCreates a volume by its XML, in the pool that virt:storagepool names unless another is given.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let xml = call.args.required(0, "xml")?;
                create(&call, xml).await
            })
        },
    },
    Function {
        name: "virt.define_vol_xml_path",
        signature: "path, pool=None",
        doc: "virt.define_vol_xml_path PATH [POOL]\n\nCreates a volume by the XML in a file of the host. False when the file cannot be read.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let path = call.args.required(0, "path")?;
                host_is_here(&call)?;
                match tokio::fs::read_to_string(&path).await {
                    Ok(xml) => create(&call, xml).await,
                    Err(error) => {
                        tracing::warn!("Cannot read {path}: {error}");
                        Ok(Return::ok(false))
                    }
                }
            })
        },
    },
];

fn volume(call: &Call<'_>) -> Result<(String, String), Fault> {
    Ok((
        call.args.required(0, "pool")?,
        call.args.required(1, "volume")?,
    ))
}

async fn change(
    call: &Call<'_>,
    pool: String,
    name: String,
    op: VolumeOp,
) -> Result<Return, Fault> {
    let step = Step::Volume { pool, name, op };
    call.minion.hypervisor.perform(&step).await?;
    Ok(Return::ok(true))
}

async fn infos(call: Call<'_>) -> Result<Return, Fault> {
    let wanted = (call.args.text(0, "pool")?, call.args.text(1, "volume")?);
    let inventory = call.minion.hypervisor.inventory().await?;
    let mut infos = Map::new();
    for pool in inventory.pools.iter().filter(|pool| pool.active) {
        if wanted.0.as_ref().is_some_and(|name| *name != pool.name) {
            continue;
        }
        let volumes = call.minion.hypervisor.list_volumes(&pool.name).await?;
        let of_pool: Map<String, Value> = volumes
            .iter()
            .filter(|volume| wanted.1.as_ref().is_none_or(|name| *name == volume.name))
            .map(|volume| (volume.name.clone(), info(pool, volume, &inventory)))
            .collect();
        // As in Salt, a pool without volumes is left out.
        if !of_pool.is_empty() {
            infos.insert(pool.name.clone(), Value::Object(of_pool));
        }
    }
    Ok(Return::ok(infos))
}

/// Unlike in Salt, `used_by` also has the VMs that name pool and volume rather than the path.
fn info(pool: &Pool, volume: &Volume, inventory: &Inventory) -> Value {
    let in_pool = format!("{}/{}", pool.name, volume.name);
    let uses = |vm: &&Vm| {
        vm.disks.iter().any(|disk| {
            disk.source == volume.path
                || disk.pool.as_ref() == Some(&pool.name) && disk.source == in_pool
        })
    };
    let used_by: Vec<&String> = inventory
        .vms
        .iter()
        .filter(uses)
        .map(|vm| &vm.name)
        .collect();
    let backing = volume.backing.as_ref().map(|path| json!({"path": path}));
    json!({
        "type": kind_of(&pool.kind),
        "key": volume.key,
        "path": volume.path,
        "capacity": volume.capacity.0,
        "allocation": volume.allocation.0,
        "used_by": used_by,
        "backing_store": backing,
        "format": (!volume.format.is_empty()).then_some(&volume.format),
    })
}

/// libvirt's type of the volumes in a pool of this kind.
fn kind_of(pool: &str) -> &'static str {
    match pool {
        "logical" | "disk" | "iscsi" | "scsi" | "mpath" | "zfs" => "block",
        "rbd" | "sheepdog" | "gluster" | "iscsi-direct" => "network",
        _ => "file",
    }
}

async fn upload(call: Call<'_>) -> Result<Return, Fault> {
    let (pool, name) = volume(&call)?;
    let file = call.args.required(2, "file")?;
    let bytes = |position, part| match call.args.get(position, part) {
        None => Ok(0),
        Some(given) => given.as_u64().ok_or_else(|| {
            Fault::new(format!(
                "virt.volume_upload: the argument '{part}' is {given}, not a whole number of bytes"
            ))
        }),
    };
    let upload = Upload {
        offset: bytes(3, "offset")?,
        length: Some(bytes(4, "length")?).filter(|length| *length > 0),
        sparse: call.args.get(5, "sparse") == Some(&Value::Bool(true)),
        ..Upload::whole(&pool, &name, file)
    };
    let hypervisor = &call.minion.hypervisor;
    hypervisor.upload(&upload, Transferred::default()).await?;
    Ok(Return::ok(true))
}

async fn create(call: &Call<'_>, xml: String) -> Result<Return, Fault> {
    let read = domxml::volume::read(&xml)
        .map_err(|error| Fault::new(format!("cannot create a volume: {error}")))?;
    let pool = match call.args.text(1, "pool")? {
        Some(pool) => pool,
        None => super::data::configured(call, "virt:storagepool")
            .await?
            .and_then(|pool| pool.as_str().map(str::to_owned))
            .unwrap_or_else(|| "default".to_owned()),
    };
    change(call, pool, read.name, VolumeOp::Create { xml }).await
}
