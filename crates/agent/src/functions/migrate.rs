//! `virt.migrate` and its like: a VM that moves to another host.

use super::arguments::Arguments;
use super::table::{Access, Function};
use super::vm::find_vm;
use super::{Call, Fault, Return, data};
use model::plan::{Compression, CopyStorage, Migration, Step, VmOp, VolumeOp};
use model::{Bytes, Inventory};
use serde_json::Value;
use sls::Map;
use std::path::Path;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.migrate",
        signature: "vm_, target, live=True, persistent=True, undefinesource=True, offline=False, max_bandwidth=None, max_downtime=None, parallel_connections=None, compressed=False, comp_methods=None, comp_mt_level=None, comp_mt_threads=None, comp_mt_dthreads=None, comp_xbzrle_cache=None, copy_storage=None, postcopy=False, postcopy_bandwidth=None",
        doc: "virt.migrate VM HOST [k=v…]\n\nMoves the VM to another host, while it runs unless live=False, and comes back when it is there. HOST is the name of the other machine, or a URI as this one reaches it: qemu+ssh://kvm2/system. The hypervisors talk to each other with keys of their own. copy_storage=all or incremental takes the disks along, into volumes that must be there (virt.seed_non_shared_migrate). Bandwidths are MiB/s, max_downtime milliseconds.",
        access: Access::Changes,
        run: |call| Box::pin(migrate(call)),
    },
    Function {
        name: "virt.migrate_start_postcopy",
        signature: "vm_",
        doc: "virt.migrate_start_postcopy VM\n\nSwitches a migration that was begun with postcopy=True over: the guest goes on at the other host at once, and fetches what is missing.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let name = find_vm(&call).await?.name;
                let op = VmOp::StartPostcopy;
                let step = Step::Vm { name, op };
                call.minion.hypervisor.perform(&step).await?;
                Ok(Return::ok(Value::Null))
            })
        },
    },
    Function {
        name: "virt.seed_non_shared_migrate",
        signature: "disks, force=False",
        doc: "virt.seed_non_shared_migrate DISKS [force=True]\n\nMakes the volumes that a VM with these disks (what virt.get_disks says on the other host) needs here before it is moved with copy_storage. One that is there must have the same format and size; with force=True it is made anew. False when one does not fit.",
        access: Access::Changes,
        run: |call| Box::pin(seed(call)),
    },
];

async fn migrate(call: Call<'_>) -> Result<Return, Fault> {
    let name = find_vm(&call).await?.name;
    let migration = read(&call).await?;
    let op = VmOp::Migrate(Box::new(migration));
    call.minion
        .hypervisor
        .perform(&Step::Vm { name, op })
        .await?;
    Ok(Return::ok(true))
}

async fn read(call: &Call<'_>) -> Result<Migration, Fault> {
    let args = &call.args;
    let flag = |position, name, default| flag(args, position, name, default);
    let number = |position, name| number(args, position, name);
    let small = |position, name| -> Result<Option<u32>, Fault> {
        let given = number(position, name)?;
        let fits = given.map(u32::try_from).transpose();
        fits.map_err(|_| wrong(name, "a small whole number"))
    };
    let tunnelled = data::configured(call, "virt:tunnel").await?;
    let copy_storage = match args.text(15, "copy_storage")?.as_deref() {
        None => None,
        Some("all") => Some(CopyStorage::All),
        Some("inc" | "incremental") => Some(CopyStorage::Incremental),
        Some(_) => return Err(wrong("copy_storage", "all or incremental")),
    };
    let compressed = flag(9, "compressed", false)?;
    let methods = args.text(10, "comp_methods")?.unwrap_or_default();
    let compression = Compression {
        methods: methods
            .split(',')
            .map(str::trim)
            .filter(|method| !method.is_empty())
            .map(str::to_owned)
            .collect(),
        mt_level: small(11, "comp_mt_level")?,
        mt_threads: small(12, "comp_mt_threads")?,
        mt_dthreads: small(13, "comp_mt_dthreads")?,
        xbzrle_cache: number(14, "comp_xbzrle_cache")?,
    };
    if !compressed && compression != Compression::default() {
        return Err(Fault::new(
            "virt.migrate: comp_… means nothing without compressed=True",
        ));
    }
    Ok(Migration {
        target: target(&args.required(1, "target")?, &call.minion.uri)?,
        live: flag(2, "live", true)?,
        persistent: flag(3, "persistent", true)?,
        undefine_source: flag(4, "undefinesource", true)?,
        offline: flag(5, "offline", false)?,
        tunnelled: tunnelled == Some(Value::Bool(true)),
        max_bandwidth: number(6, "max_bandwidth")?,
        max_downtime: number(7, "max_downtime")?,
        parallel_connections: small(8, "parallel_connections")?,
        compression: compressed.then_some(compression),
        copy_storage,
        postcopy: flag(16, "postcopy", false)?,
        postcopy_bandwidth: number(17, "postcopy_bandwidth")?,
    })
}

fn wrong(name: &str, expected: &str) -> Fault {
    Fault::new(format!(
        "virt.migrate: the argument '{name}' is not {expected}"
    ))
}

fn flag(args: &Arguments, position: usize, name: &str, default: bool) -> Result<bool, Fault> {
    match args.get(position, name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(wrong(name, "True or False")),
    }
}

fn number(args: &Arguments, position: usize, name: &str) -> Result<Option<u64>, Fault> {
    match args.get(position, name) {
        None => Ok(None),
        Some(given) => match given.as_u64().filter(|number| *number > 0) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(name, "a whole number from 1")),
        },
    }
}

/// The URI of the other hypervisor. A name alone is one of the same kind as this, over TLS. Source: Salt, where it is
/// `qemu://{name}/system`.
fn target(given: &str, own: &str) -> Result<String, Fault> {
    if given.contains("://") {
        // A password would stand in the job's record.
        return match has_password(given) {
            true => Err(Fault::new(
                "virt.migrate: the target has a password in it; libvirt does not use it",
            )
            .hint("give the host's libvirtd a key or a certificate of its own")),
            false => Ok(given.to_owned()),
        };
    }
    let usable = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if given.is_empty() || !given.chars().all(usable) {
        return Err(wrong("target", "the name of a host or a URI of libvirt"));
    }
    let driver = own.split(['+', ':']).next().unwrap_or_default();
    Ok(match driver {
        "xen" => format!("xen://{given}/system"),
        _ => format!("qemu://{given}/system"),
    })
}

fn has_password(uri: &str) -> bool {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':'))
}

/// What has to be there before a disk can be copied into it.
struct Wanted {
    path: String,
    format: String,
    size: Bytes,
}

async fn seed(call: Call<'_>) -> Result<Return, Fault> {
    let given = call.args.get(0, "disks");
    let disks = given.and_then(Value::as_object).ok_or_else(|| {
        Fault::new(
            "virt.seed_non_shared_migrate: the argument 'disks' is not a dictionary of disks",
        )
        .hint("give what virt.get_disks says on the host that has the VM")
    })?;
    let force = call.args.get(1, "force") == Some(&Value::Bool(true));
    let inventory = call.minion.hypervisor.inventory().await?;
    let hypervisor = &call.minion.hypervisor;
    let mut steps = Vec::new();
    for (target, disk) in disks {
        let Some(wanted) = wanted(target, disk)? else {
            continue;
        };
        let (pool, name) = volume_at(target, &wanted.path, &inventory)?;
        let step = |op| Step::Volume {
            pool: pool.clone(),
            name: name.clone(),
            op,
        };
        if let Some(there) = hypervisor.find_volume(&pool, &name).await? {
            if !force && (&there.format, there.capacity) == (&wanted.format, wanted.size) {
                continue;
            }
            if !force {
                return Ok(Return::ok(false));
            }
            steps.push(step(VolumeOp::Delete));
        }
        let xml = domxml::Element::new("volume")
            .child(domxml::Element::text("name", &name))
            .child(domxml::Element::text("capacity", wanted.size.0).attr("unit", "bytes"))
            .child(domxml::Element::text("allocation", 0).attr("unit", "bytes"))
            .child(
                domxml::Element::new("target")
                    .child(domxml::Element::new("format").attr("type", &wanted.format)),
            )
            .to_string();
        steps.push(step(VolumeOp::Create { xml }));
    }
    for step in steps {
        hypervisor.perform(&step).await?;
    }
    Ok(Return::ok(true))
}

/// Drives are not copied.
fn wanted(target: &str, disk: &Value) -> Result<Option<Wanted>, Fault> {
    let Value::Object(disk) = disk else {
        return Err(unknown(target, "a dictionary"));
    };
    if matches!(
        disk.get("type").and_then(Value::as_str),
        Some("cdrom" | "floppy")
    ) {
        return Ok(None);
    }
    let text = |key: &str| text_of(disk, key).ok_or_else(|| unknown(target, key));
    let size = disk.get("virtual size");
    // A number of bytes; qemu-img's «20 GiB (21474836480 bytes)» is Salt's older form.
    let bytes = size.and_then(|size| match size {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let (_, rest) = text.split_once('(')?;
            rest.split(' ').next()?.parse().ok()
        }
        _ => None,
    });
    Ok(Some(Wanted {
        path: text("file")?,
        format: text("file format")?,
        size: Bytes(bytes.ok_or_else(|| unknown(target, "virtual size"))?),
    }))
}

fn text_of(disk: &Map, key: &str) -> Option<String> {
    let text = disk.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn unknown(target: &str, key: &str) -> Fault {
    Fault::new(format!(
        "virt.seed_non_shared_migrate: disk {target} has no {key}"
    ))
    .hint("give what virt.get_disks says on the host that has the VM")
}

/// Pool and name of the volume that will be the disk.
fn volume_at(target: &str, file: &str, inventory: &Inventory) -> Result<(String, String), Fault> {
    let mut running = inventory.pools.iter().filter(|pool| pool.active);
    let place = match file.starts_with('/') {
        true => {
            let path = Path::new(file);
            let pool = running.find(|pool| path.parent() == Some(Path::new(&pool.target)));
            pool.zip(path.file_name())
                .map(|(pool, name)| (pool.name.clone(), name.to_string_lossy().into_owned()))
        }
        false => file
            .split_once('/')
            .filter(|(of, _)| running.any(|pool| pool.name == *of))
            .map(|(pool, name)| (pool.to_owned(), name.to_owned())),
    };
    place.ok_or_else(|| {
        Fault::new(format!(
            "disk {target} is {file}, which is in no running pool of this host"
        ))
        .hint("start a pool of the same name, or in the same folder, as on the other host")
    })
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_name_is_a_hypervisor_of_the_same_kind() {
        let of = |given, own| target(given, own).map_err(|fault| fault.message);
        assert_eq!(
            of("kvm2", "qemu:///system").as_deref(),
            Ok("qemu://kvm2/system")
        );
        assert_eq!(of("x2", "xen:///system").as_deref(), Ok("xen://x2/system"));
        let uri = "qemu+ssh://root@kvm2:22/system";
        assert_eq!(of(uri, "qemu:///system").as_deref(), Ok(uri));
        let secret =
            of("qemu+ssh://ann:secret@kvm2/system", "qemu:///system").expect_err("a password");
        assert!(!secret.contains("secret@"), "{secret}");
        assert!(of("a b", "qemu:///system").is_err());
    }
}
