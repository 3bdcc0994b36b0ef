//! `disks`: one declared disk or drive.

use crate::StateError;
use crate::args::{Dict, Field};
use crate::cloud_init::CloudInit;
use model::Bytes;

/// A disk as it was declared; what is missing comes from the profile, the pool or the hypervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiskWant {
    /// Key for profiles, and part of the volume's name.
    pub(crate) name: String,
    pub(crate) size: Option<Bytes>,
    pub(crate) pool: Option<String>,
    pub(crate) format: Option<String>,
    /// Target bus.
    pub(crate) model: Option<String>,
    pub(crate) image: Option<String>,
    /// The image is fetched once into a volume of its own, on which this disk stands.
    pub(crate) overlay: bool,
    /// SHA-256 of the image.
    pub(crate) checksum: Option<String>,
    /// Path and format.
    pub(crate) backing: Option<(String, String)>,
    pub(crate) source: Source,
    /// `disk`, `cdrom`, `floppy`, `lun`.
    pub(crate) device: String,
    /// `native`, `threads`, `io_uring`.
    pub(crate) io: Option<String>,
    pub(crate) iothread: Option<u64>,
}

/// `source_file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Not given: a volume of its own.
    Computed,
    /// Null: a drive without medium.
    Empty,
    /// A path, a URL, or with a pool the name of a volume.
    Given(String),
    /// A volume that is written by us.
    Generated(CloudInit),
}

/// The name of the drive that cloud-init reads.
pub(crate) const CIDATA: &str = "cidata";

impl DiskWant {
    /// The drive that cloud-init reads.
    pub(crate) fn cloud_init(data: CloudInit, pool: Option<String>) -> Self {
        Self {
            name: CIDATA.to_owned(),
            size: None,
            pool,
            format: Some("raw".to_owned()),
            model: None,
            image: None,
            overlay: false,
            checksum: None,
            backing: None,
            source: Source::Generated(data),
            device: "cdrom".to_owned(),
            io: None,
            iothread: None,
        }
    }
}

pub(crate) const KEYS: &[&str] = &[
    "name",
    "size",
    "pool",
    "format",
    "model",
    "image",
    "image_checksum",
    "overlay_image",
    "backing_store_path",
    "backing_store_format",
    "source_file",
    "device",
    "io",
    "iothread_id",
    "hostname_property",
    "sparse_volume",
];

/// What an image may be. Source: libvirt's schemas, `storageFormat`.
pub(crate) const FORMATS: &[&str] = &[
    "raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhd", "luks", "iso", "bochs", "cloop",
    "cow", "dir", "dmg", "fat", "ploop",
];

const BUSES: &[&str] = &[
    "virtio", "scsi", "sata", "ide", "usb", "xen", "fdc", "sd", "nvme",
];

pub(crate) fn parse(item: &Field) -> Result<DiskWant, StateError> {
    let dict = item.dict(KEYS)?;
    let name = dict.need("name")?.name()?;
    // The path of every other error names the disk rather than its position.
    let item = Field {
        path: format!("disks: {name}"),
        value: item.value,
    };
    let dict = item.dict(KEYS)?;
    let text = |key| dict.get(key).map(|f| f.word()).transpose();
    let image = dict.get("image").map(|f| image(&f)).transpose()?;
    let overlay = overlay(&dict, image.is_some())?;
    for key in ["hostname_property", "sparse_volume"] {
        if let Some(field) = dict.get(key)
            && *field.value != crate::Value::Bool(false)
        {
            return Err(field.not_in_this_version("It is for bhyve with ZFS only"));
        }
    }
    let format = |key| dict.get(key).map(|f| f.one_of(FORMATS)).transpose();
    let backing = match (text("backing_store_path")?, format("backing_store_format")?) {
        (Some(path), Some(format)) => Some((path, format)),
        (None, None) => None,
        (Some(_), None) => {
            dict.need("backing_store_format")?;
            None
        }
        (None, Some(_)) => {
            dict.need("backing_store_path")?;
            None
        }
    };
    if backing.is_some() && image.is_some() {
        return Err(item.refuse(
            "possible: Using a template image with a backing store is not possible, choose either of them.",
            None,
        ));
    }
    Ok(DiskWant {
        size: dict.get("size").map(|f| f.disk_size()).transpose()?,
        pool: text("pool")?,
        format: format("format")?,
        model: dict.get("model").map(|f| f.one_of(BUSES)).transpose()?,
        overlay,
        checksum: dict
            .get("image_checksum")
            .map(|f| checksum(&f))
            .transpose()?,
        image,
        backing,
        source: match dict.given("source_file") {
            None => Source::Computed,
            Some(field) if field.is_null() => Source::Empty,
            Some(field) => Source::Given(field.word()?),
        },
        device: dict.get("device").map_or(Ok("disk".to_owned()), |f| {
            f.one_of(&["disk", "cdrom", "floppy", "lun"])
        })?,
        io: dict
            .get("io")
            .map(|f| f.one_of(&["native", "threads", "io_uring"]))
            .transpose()?,
        iothread: dict
            .get("iothread_id")
            .map(|f| f.count().map(u64::from))
            .transpose()?,
        name,
    })
}

/// `overlay_image`, which needs an image and a disk that can stand on one.
fn overlay(dict: &Dict, has_image: bool) -> Result<bool, StateError> {
    let Some(given) = dict.get("overlay_image") else {
        return Ok(false);
    };
    if !given.bool()? {
        return Ok(false);
    }
    if !has_image {
        return Err(given.refuse(
            "possible without an image",
            Some("Write the image that the disk stands on: image: …".to_owned()),
        ));
    }
    let format = dict.get("format").map(|format| format.word()).transpose()?;
    if let Some(format) = format.filter(|format| format != "qcow2") {
        return Err(given.refuse(
            format!("possible with format {format}"),
            Some("Write format: qcow2, which can stand on another image".to_owned()),
        ));
    }
    Ok(true)
}

/// Where an image may come from.
pub(crate) fn image(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    let possible = ["http://", "https://", "ftp://", "salt://", "/"];
    if possible.iter().any(|start| text.starts_with(start)) {
        return Ok(text);
    }
    let expected = "an image: a URL (http://, https://, ftp://), a salt:// file or an absolute path on the host";
    Err(field.refuse(expected, None))
}

/// The SHA-256 of an image.
pub(crate) fn checksum(field: &Field) -> Result<String, StateError> {
    let text = field.word()?.to_ascii_lowercase();
    let hex = text.strip_prefix("sha256=").unwrap_or(&text);
    if hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok(format!("sha256={hex}"))
    } else {
        Err(field.refuse(
            "a SHA-256: 64 hexadecimal digits, with or without sha256= before them",
            None,
        ))
    }
}
