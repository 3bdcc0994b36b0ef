//! Where a disk's bytes are: an existing file, a volume that is there, or one that has to be made.
//! Source: Salt `virt._fill_disk_filename`, `virt._disk_volume_xml`.

use super::super::steps::{by, planned, volume};
use super::cidata;
use super::partitions::{Partitions, is_partitioned};
use crate::want::vm::disk::{DiskWant, Source};
use crate::{HostPath, Observation, StateError};
use domxml::Element;
use domxml::read::{NodeExt, parse};
use model::plan::{Consequence, ImageSource, PlannedStep, Undo, VolumeOp, without_credentials};
use model::{Capability, GuestKind, Pool, Volume};
use roxmltree::Node;
use sls::closest;

/// A disk of which everything is known but its name in the guest.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) device: String,
    pub(super) bus: String,
    on_xen: bool,
    /// `volume`, `file`, `block`, `network`.
    kind: &'static str,
    /// `None` for an empty drive.
    source: Option<Element>,
    format: Option<String>,
    pub(super) io: String,
    pub(super) iothread: Option<u64>,
    /// What has to be done to a volume first.
    pub(super) steps: Vec<PlannedStep>,
    /// What is to be done to the volume once the VM is off.
    pub(super) pending: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// For whom a disk is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) vm: &'a str,
    pub(super) guest: GuestKind,
    /// The VM has its disks open.
    pub(super) active: bool,
    pub(super) exists: bool,
}

/// `{vm}_{disk}`.
pub(super) fn volume_name(vm: &str, disk: &DiskWant) -> String {
    format!("{vm}_{}", disk.name)
}

/// `{folder}/{vm}_{disk}.{format}`.
pub(super) fn file_path(folder: &str, vm: &str, disk: &DiskWant) -> String {
    let format = disk.format.as_deref().unwrap_or("qcow2");
    format!(
        "{}/{}.{format}",
        folder.trim_end_matches('/'),
        volume_name(vm, disk)
    )
}

impl Disk {
    /// The element under a name in the guest.
    pub(super) fn element(&self, target: &str) -> Element {
        let target = Element::new("target")
            .attr("dev", target)
            .attr("bus", &self.bus);
        let is_empty = self.source.is_none();
        let is_local = self.is_local();
        let driver = Element::new("driver")
            .attr("name", self.driver())
            .attr_opt("type", self.format.as_ref().filter(|_| !is_empty))
            .attr_opt("cache", is_local.then_some("none"))
            .attr_opt("io", is_local.then_some(&self.io))
            .attr_opt("iothread", self.iothread);
        let read_only = (self.device == "cdrom").then(|| Element::new("readonly"));
        Element::new("disk")
            .attr("type", self.kind)
            .attr("device", &self.device)
            .child(driver)
            .children(self.source.clone())
            .child(target)
            .children(read_only)
    }

    /// Who reads the disk. On Xen it must be said: without it a guest is handed the raw bytes of a disk image. Blkback
    /// (`phy`) is for raw disks, and QEMU for anything else and for drives, whose medium changes.
    fn driver(&self) -> &'static str {
        let is_raw = self.format.as_deref() == Some("raw");
        match self.on_xen && is_raw && self.device == "disk" {
            true => "phy",
            false => "qemu",
        }
    }

    /// Direct access and native I/O mean something to QEMU, for files and devices of the host.
    pub(super) fn is_local(&self) -> bool {
        self.kind != "network" && !self.on_xen
    }

    /// The `<source>` and the type it goes with.
    pub(super) fn medium(&self) -> (&'static str, Option<&Element>) {
        (self.kind, self.source.as_ref())
    }

    /// Letters that begin its name in the guest.
    pub(super) fn prefix(&self) -> &'static str {
        match self.bus.as_str() {
            "virtio" => "vd",
            "xen" => "xvd",
            "fdc" => "fd",
            "ide" => "hd",
            _ => "sd",
        }
    }

    fn new(want: &DiskWant, owner: Owner) -> Self {
        let bus = want.model.clone().unwrap_or_else(|| {
            match want.device.as_str() {
                "cdrom" if owner.guest.lacks(Capability::EmulatedDisk).is_none() => "ide",
                "floppy" => "fdc",
                _ if owner.guest.is_xen() => "xen",
                _ => "virtio",
            }
            .to_owned()
        });
        Self {
            device: want.device.clone(),
            bus,
            on_xen: owner.guest.is_xen(),
            kind: "file",
            source: None,
            format: want.format.clone(),
            io: want.io.clone().unwrap_or_else(|| "native".to_owned()),
            iothread: want.iothread,
            steps: Vec::new(),
            pending: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A volume that is there says what format it has, unless the state does.
    fn adopt_format(&mut self, have: &Volume) {
        const IMAGES: &[&str] = &["raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx"];
        if self.format.is_none() && !have.format.is_empty() {
            let image = IMAGES.contains(&have.format.as_str());
            // Anything else, such as iso, is bytes to QEMU.
            self.format = Some(if image {
                have.format.clone()
            } else {
                "raw".to_owned()
            });
        }
    }

    fn file(&mut self, path: &str, format: &str) {
        self.kind = "file";
        self.source = Some(Element::new("source").attr("file", path));
        self.format.get_or_insert_with(|| format.to_owned());
    }

    fn block(&mut self, path: &str) {
        self.kind = "block";
        self.source = Some(Element::new("source").attr("dev", path));
        self.format = Some("raw".to_owned());
    }
}

/// Decides where a disk comes from.
pub(super) fn resolve(
    want: &DiskWant,
    owner: Owner,
    seen: &Observation,
    partitions: &mut Partitions,
) -> Result<Disk, StateError> {
    let mut disk = Disk::new(want, owner);
    match &want.source {
        Source::Empty if matches!(want.device.as_str(), "disk" | "lun") => {
            return Err(StateError::Argument {
                path: format!("disks: {}: source_file", want.name),
                found: "null".to_owned(),
                expected: format!("possible for a {}: only drives can be empty", want.device),
                remedy: Some(
                    "Leave it out to have a volume made, or write device: cdrom".to_owned(),
                ),
            });
        }
        Source::Empty => {}
        Source::Computed if want.device != "disk" => {}
        Source::Given(path) if path.starts_with('/') => existing_path(&mut disk, want, path, seen)?,
        Source::Given(url) if url.contains("://") => network_medium(&mut disk, want, url)?,
        Source::Given(name) => {
            let Some(pool) = &want.pool else {
                return Err(refuse(
                    want,
                    "source_file",
                    name,
                    "an absolute path, a URL, or with pool the name of a volume",
                ));
            };
            let pool = active_pool(want, pool, seen)?;
            let Some(have) = seen.volume(&pool.name, name)? else {
                return Err(StateError::host(
                    format!("{name} volume doesn't exist in pool {}", pool.name),
                    "Create it first (virt.volume_defined), or leave source_file out to have one made",
                ));
            };
            disk.adopt_format(have);
            volume_source(&mut disk, want, pool, name, owner)?;
        }
        Source::Computed => computed(&mut disk, want, owner, seen, partitions)?,
        Source::Generated(data) => {
            let base = want.pool.as_deref().unwrap_or_else(|| seen.config.images());
            if base.contains('/') {
                return Err(StateError::host(
                    format!(
                        "the cloud-init data of VM {} has no pool to be kept in",
                        owner.vm
                    ),
                    "Write cloud_init: {pool: NAME}, or give a disk a pool",
                ));
            }
            let pool = active_pool(want, base, seen)?;
            volume_source(&mut disk, want, pool, &volume_name(owner.vm, want), owner)?;
            disk.steps.extend(cidata::write(data, pool, owner, seen)?);
        }
    }
    Ok(disk)
}

fn existing_path(
    disk: &mut Disk,
    want: &DiskWant,
    path: &str,
    seen: &Observation,
) -> Result<(), StateError> {
    match seen.paths.get(path) {
        Some(HostPath::BlockDevice) => disk.block(path),
        Some(HostPath::File) | None => {
            let format = if want.device == "cdrom" {
                "raw"
            } else {
                "qcow2"
            };
            disk.file(path, format);
        }
        Some(HostPath::Absent) => {
            return Err(refuse(want, "source_file", path, "there on the host"));
        }
        Some(HostPath::Folder) => {
            return Err(refuse(want, "source_file", path, "a file; it is a folder"));
        }
    }
    Ok(())
}

/// A medium that QEMU reads over the network.
fn network_medium(disk: &mut Disk, want: &DiskWant, url: &str) -> Result<(), StateError> {
    let bad = || {
        refuse(
            want,
            "source_file",
            url,
            "a URL that QEMU can read (http, https, ftp, ftps, tftp)",
        )
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        "ftp" => "21",
        "ftps" => "990",
        "tftp" => "69",
        _ => return Err(bad()),
    };
    let (authority, path) = rest.split_once('/').ok_or_else(bad)?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port),
        _ => (authority, default_port),
    };
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    disk.kind = "network";
    disk.source = Some(
        Element::new("source")
            .attr("protocol", scheme)
            .attr("name", path)
            .attr_opt("query", query)
            .child(Element::new("host").attr("name", host).attr("port", port)),
    );
    disk.format.get_or_insert_with(|| "raw".to_owned());
    Ok(())
}

/// A volume of its own in the pool, or a file in the folder, that is declared or configured.
fn computed(
    disk: &mut Disk,
    want: &DiskWant,
    owner: Owner,
    seen: &Observation,
    partitions: &mut Partitions,
) -> Result<(), StateError> {
    let base = want.pool.as_deref().unwrap_or_else(|| seen.config.images());
    if !base.contains('/') {
        let pool = active_pool(want, base, seen)?;
        let (name, have) = match is_partitioned(pool) {
            true => {
                let name = partitions.name(want, pool, seen)?;
                let mut there = seen.volumes_of(&pool.name)?.into_iter();
                let have = there.find(|volume| volume.name == name);
                (name, have)
            }
            false => {
                let name = volume_name(owner.vm, want);
                let have = seen.volume(&pool.name, &name)?;
                (name, have)
            }
        };
        if let Some(have) = have {
            disk.adopt_format(have);
        }
        volume_source(disk, want, pool, &name, owner)?;
        return provide(disk, want, pool, &name, have, owner, seen);
    }
    let path = file_path(base, owner.vm, want);
    disk.file(&path, "qcow2");
    if matches!(seen.paths.get(&path), Some(HostPath::File)) {
        return Ok(());
    }
    let folder = crate::facts::clean_path(base);
    let pool = seen
        .pools
        .values()
        .flatten()
        .find(|pool| pool.active && crate::facts::clean_path(&pool.target) == folder)
        .ok_or_else(|| {
            StateError::host(
                format!(
                    "disk {} of {} has no pool, and {folder} is the folder of no active pool",
                    want.name, owner.vm
                ),
                "Give the disk a pool, or set virt:images to the name of one",
            )
        })?;
    let name = path[path.rfind('/').map_or(0, |slash| slash + 1)..].to_owned();
    provide(disk, want, pool, &name, None, owner, seen)
}

/// Name of the volume that an image is fetched into for those that stand on it: the same image, the same volume.
pub(super) fn base_name(image: &str, checksum: Option<&str>) -> String {
    let file = without_credentials(image);
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let file = file.rsplit('/').next().unwrap_or_default();
    let stem: String = file
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(60)
        .collect();
    let identity = format!("{image}\n{}", checksum.unwrap_or_default());
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, identity.as_bytes());
    let digest = &digest.simple().to_string()[..12];
    format!("base-{digest}-{}", stem.trim_start_matches('.'))
}

/// Path and format of the image that the disk stands on; fetched first where it is not in the pool yet. It stays when the
/// VM goes: others may stand on it.
fn base(
    disk: &mut Disk,
    want: &DiskWant,
    image: &str,
    pool: &Pool,
    seen: &Observation,
) -> Result<(String, String), StateError> {
    if !matches!(pool.kind.as_str(), "dir" | "fs" | "netfs") {
        return Err(refuse(
            want,
            "overlay_image",
            "True",
            &format!(
                "possible in pool {} of kind {}: its volumes are no files",
                pool.name, pool.kind
            ),
        ));
    }
    let name = base_name(image, want.checksum.as_deref());
    let path = format!("{}/{name}", pool.target.trim_end_matches('/'));
    let format = match image.ends_with(".raw") {
        true => "raw",
        false => "qcow2",
    };
    let listed = seen.volumes.get(&(pool.name.clone(), name.clone()));
    let is_there = match listed {
        Some(volume) => volume.is_some(),
        None => matches!(seen.paths.get(&path), Some(HostPath::File)),
    };
    if !is_there {
        let op = VolumeOp::CreateFromImage {
            image: ImageSource {
                location: location(image, seen)?,
                checksum: want.checksum.clone(),
            },
            format: format.to_owned(),
            size: None,
        };
        disk.steps.push(planned(
            volume(&pool.name, &name, op),
            Consequence::None,
            format!(
                "Create volume {name} in pool {} from {}",
                pool.name,
                without_credentials(image)
            ),
            Undo::NotNeeded("the image stays for the disks that stand on it"),
        ));
    }
    Ok((path, format.to_owned()))
}

/// A pool that is there and runs.
fn active_pool<'a>(
    want: &DiskWant,
    name: &str,
    seen: &'a Observation,
) -> Result<&'a Pool, StateError> {
    match seen.pool(name)? {
        Some(pool) if pool.active => Ok(pool),
        Some(_) => Err(StateError::host(
            format!("pool {name} of disk {} is not active", want.name),
            format!(
                "Start it first (salar pool start {name}), or require the state that starts it"
            ),
        )),
        None => {
            let known = seen.pool_names.iter().map(String::as_str);
            let remedy = match closest(name, known) {
                Some(close) => format!("Did you mean {close}?"),
                None => "Declare it with virt.pool_running and require it, or write a folder with a slash".to_owned(),
            };
            Err(StateError::host(
                format!("disk {}: there is no pool {name} on the host", want.name),
                remedy,
            ))
        }
    }
}

/// How a volume of this kind of pool is written. Pools whose volumes are no files hold raw data.
fn volume_source(
    disk: &mut Disk,
    want: &DiskWant,
    pool: &Pool,
    name: &str,
    owner: Owner,
) -> Result<(), StateError> {
    let kind = pool.kind.as_str();
    if matches!(kind, "rbd" | "gluster" | "sheepdog") {
        return network_volume(disk, want, pool, name, owner);
    }
    if kind == "iscsi-direct" && owner.guest.is_xen() {
        return Err(not_on_xen(want, pool));
    }
    let holds_files = matches!(kind, "dir" | "fs" | "netfs" | "vstorage");
    let path = format!("{}/{name}", pool.target.trim_end_matches('/'));
    match (owner.guest.is_xen(), holds_files) {
        // Xen's driver does not know volumes: it would start the VM without the disk.
        (true, true) => disk.file(&path, "qcow2"),
        (true, false) => disk.block(&path),
        (_, holds_files) => {
            disk.kind = "volume";
            disk.source = Some(
                Element::new("source")
                    .attr("pool", &pool.name)
                    .attr("volume", name),
            );
            if holds_files {
                disk.format.get_or_insert_with(|| "qcow2".to_owned());
            } else {
                disk.format = Some("raw".to_owned());
            }
        }
    }
    Ok(())
}

/// A volume that QEMU reads over the network by itself: libvirt knows no disks of type `volume` for these pools.
/// Source: Salt `virt._disk_volume_xml`; libvirt formatdomain "Hard drives".
fn network_volume(
    disk: &mut Disk,
    want: &DiskWant,
    pool: &Pool,
    name: &str,
    owner: Owner,
) -> Result<(), StateError> {
    if owner.guest.is_xen() && pool.kind != "rbd" {
        return Err(not_on_xen(want, pool));
    }
    let bad = |error| StateError::definition(format!("pool {}", pool.name), error);
    let doc = parse("pool", "pool", &pool.xml).map_err(bad)?;
    let root = doc.root_element();
    let source = root.child("source");
    let hosts = source.map(|source| source.children_named("host"));
    let hosts = hosts.unwrap_or_default().into_iter().map(|host| {
        Element::new("host")
            .attr("name", host.attr("name"))
            .attr_opt("port", host.attribute("port"))
    });
    let auth = source.and_then(|source| source.child("auth")).map(|auth| {
        let secret = auth.child("secret");
        let of = |key| secret.and_then(|secret| secret.attribute(key));
        let secret = Element::new("secret")
            .attr("type", auth.attr("type"))
            .attr_opt("usage", of("usage"))
            .attr_opt("uuid", of("uuid"));
        Element::new("auth")
            .attr("username", auth.attr("username"))
            .child(secret)
    });
    disk.kind = "network";
    disk.source = Some(
        Element::new("source")
            .attr("protocol", &pool.kind)
            .attr("name", path_in(root, name))
            .children(hosts)
            .children(auth),
    );
    let format = match pool.kind.as_str() {
        "gluster" => "qcow2",
        _ => "raw",
    };
    disk.format.get_or_insert_with(|| format.to_owned());
    Ok(())
}

/// Where a volume is within the storage that the pool's source names.
fn path_in(pool: Node, volume: &str) -> String {
    let folder = pool.attr_at("source/dir", "path").trim_matches('/');
    let parts = [pool.text_at("source/name"), folder, volume];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("/")
}

/// The volume of the pool that a disk reads over the network, as `rbd:vms/srv01_system`; `None` when it is none of it.
pub(crate) fn network_volume_of<'a>(pool: &Pool, disk: &'a str) -> Option<&'a str> {
    let path = disk.strip_prefix(&pool.kind)?.strip_prefix(':')?;
    let doc = parse("pool", "pool", &pool.xml).ok()?;
    let storage = path_in(doc.root_element(), "");
    path.strip_prefix(&storage)?.strip_prefix('/')
}

fn not_on_xen(want: &DiskWant, pool: &Pool) -> StateError {
    StateError::host(
        format!(
            "disk {}: Xen reads no volumes of a pool of type {}",
            want.name, pool.kind
        ),
        "Use a pool of type dir, fs, netfs, logical, disk, iscsi, scsi or rbd",
    )
}

/// The steps that make a volume, grow it, or nothing when it is as declared.
fn provide(
    disk: &mut Disk,
    want: &DiskWant,
    pool: &Pool,
    name: &str,
    have: Option<&Volume>,
    owner: Owner,
    seen: &Observation,
) -> Result<(), StateError> {
    let format = disk.format.clone().unwrap_or_else(|| "raw".to_owned());
    let Some(have) = have else {
        let stands_on = match &want.image {
            Some(image) if want.overlay => Some(base(disk, want, image, pool, seen)?),
            _ => want.backing.clone(),
        };
        let (op, what) = match (&want.image, want.size, &stands_on) {
            (Some(image), size, _) if !want.overlay => (
                VolumeOp::CreateFromImage {
                    image: ImageSource {
                        location: location(image, seen)?,
                        checksum: want.checksum.clone(),
                    },
                    format,
                    size,
                },
                format!("from {}", without_credentials(image)),
            ),
            (_, None, None) => {
                return Err(StateError::host(
                    format!(
                        "Unable to create new disk {}, please specify disk size and/or disk image argument",
                        want.name
                    ),
                    "Write size: in MiB",
                ));
            }
            (_, size, backing) => {
                let size = size.unwrap_or_default();
                let xml = volume_xml(pool, name, size, &format, backing.as_ref());
                let what = match size.0 {
                    0 => "on its backing store".to_owned(),
                    _ => format!("of {size}"),
                };
                (VolumeOp::Create { xml }, what)
            }
        };
        disk.steps.push(planned(
            volume(&pool.name, name, op),
            Consequence::None,
            format!("Create volume {name} in pool {} {what}", pool.name),
            by(volume(&pool.name, name, VolumeOp::Delete)),
        ));
        return Ok(());
    };
    if !have.format.is_empty() && have.format != format && !is_partitioned(pool) {
        return Err(StateError::host(
            format!(
                "volume {name} of pool {} is there with format {}, and disk {} is to have {format}",
                pool.name, have.format, want.name
            ),
            format!(
                "Write format: {}, or delete the volume if nobody needs it",
                have.format
            ),
        ));
    }
    if !owner.exists {
        disk.notes.push(format!(
            "volume {name} was already in pool {} and is used as it is",
            pool.name
        ));
    }
    match want.size {
        Some(size) if size > have.capacity && owner.active => disk.pending.push(format!(
            "disk {}: {} now, grows to {size} when the VM is off",
            want.name, have.capacity
        )),
        Some(size) if size > have.capacity => disk.steps.push(planned(
            volume(&pool.name, name, VolumeOp::Resize { capacity: size }),
            Consequence::None,
            format!(
                "Grow volume {name} of pool {} from {} to {size}",
                pool.name, have.capacity
            ),
            model::plan::Undo::NotNeeded(
                "a bigger volume holds the same data, and shrinking could lose some",
            ),
        )),
        _ => {}
    }
    Ok(())
}

/// The XML of a new volume; `size` may be zero with a backing store.
pub(super) fn volume_xml(
    pool: &Pool,
    name: &str,
    size: model::Bytes,
    format: &str,
    backing: Option<&(String, String)>,
) -> String {
    // Logical volumes are never sparse unless asked for. Neither they nor partitions have a format.
    let logical = pool.kind == "logical";
    let allocation = if logical { size.kib() } else { 0 };
    let kib = |name, value| Element::text(name, value).attr("unit", "KiB");
    let has_format = !logical && !is_partitioned(pool);
    let format = has_format.then(|| Element::new("format").attr("type", format));
    let target = Element::new("target").children(format);
    // Without a size, the volume is as big as what it stands on.
    let states_size = size.0 > 0 || backing.is_none();
    let capacity = states_size.then(|| kib("capacity", size.kib()));
    let backing = backing.map(|(path, format)| {
        let path = match path.starts_with('/') {
            true => path.clone(),
            false => format!("{}/{path}", pool.target.trim_end_matches('/')),
        };
        Element::new("backingStore")
            .child(Element::text("path", path))
            .child(Element::new("format").attr("type", format))
    });
    Element::new("volume")
        .child(Element::text("name", name))
        .children(capacity)
        .child(kib("allocation", allocation))
        .child(target)
        .children(backing)
        .to_string()
}

/// A URL, or a path on the host.
pub(in crate::planners) fn location(image: &str, seen: &Observation) -> Result<String, StateError> {
    if !image.starts_with("salt://") {
        return Ok(image.to_owned());
    }
    match seen.salt_files.get(image) {
        Some(Some(path)) => Ok(path.clone()),
        Some(None) => Err(StateError::host(
            format!("Path not found: {image}"),
            "Put the file under one of the file roots",
        )),
        None => Err(StateError::NotObserved {
            what: format!("the file {image}"),
        }),
    }
}

fn refuse(want: &DiskWant, key: &str, found: &str, expected: &str) -> StateError {
    StateError::Argument {
        path: format!("disks: {}: {key}", want.name),
        found: format!("{found:?}"),
        expected: expected.to_owned(),
        remedy: None,
    }
}
