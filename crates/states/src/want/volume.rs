//! `virt.volume_defined`: the declared volume.
//! Source: Salt `virt.volume_defined`; libvirt formatstorage.

use crate::want::pool::permission;
use crate::want::vm::disk::FORMATS;
use crate::{Call, StateError};
use domxml::Element;
use model::{Bytes, Pool};

/// The arguments, beside those that every virt state takes.
pub(crate) const ARGUMENTS: &[&str] = &[
    "pool",
    "size",
    "allocation",
    "format",
    "type",
    "permissions",
    "backing_store",
    "nocow",
];

/// What volumes on disks and in folders may be beside images. Source: libvirt's schemas, `formatdev`, `formatdisk`.
const OTHER_FORMATS: &[&str] = &[
    "unknown",
    "none",
    "auto",
    "ext2",
    "ext3",
    "ext4",
    "ufs",
    "iso9660",
    "udf",
    "gfs",
    "gfs2",
    "vfat",
    "hfs+",
    "xfs",
    "ocfs2",
    "vmfs",
    "linux",
    "fat16",
    "fat32",
    "linux-swap",
    "linux-lvm",
    "linux-raid",
    "extended",
];

/// A declared volume.
#[derive(Debug)]
pub(crate) struct VolumeWant {
    pub(crate) pool: String,
    pub(crate) name: String,
    pub(crate) size: Bytes,
    allocation: Bytes,
    pub(crate) format: Option<String>,
    kind: Option<String>,
    permissions: Vec<Element>,
    /// Path and format.
    pub(crate) backing: Option<(String, Option<String>)>,
    nocow: bool,
}

impl VolumeWant {
    /// Reads the arguments.
    pub(crate) fn parse(call: &Call) -> Result<Self, StateError> {
        call.get("pool").ok_or_else(|| call.missing("pool"))?;
        let size = call.get("size").ok_or_else(|| call.missing("size"))?;
        Self::sized(call, size.disk_size()?)
    }

    /// Reads the arguments but for the size; zero leaves it to the backing store.
    pub(crate) fn sized(call: &Call, size: Bytes) -> Result<Self, StateError> {
        let pool = call.get("pool").ok_or_else(|| call.missing("pool"))?;
        let allocation = match call.get("allocation") {
            Some(field) if field.value.as_u64() != Some(0) => field.disk_size()?,
            _ => Bytes(0),
        };
        if let Some(field) = call
            .get("allocation")
            .filter(|_| size.0 > 0 && allocation > size)
        {
            let remedy = "Make size larger, or leave allocation out".to_owned();
            return Err(field.refuse(format!("possible in a volume of {size}"), Some(remedy)));
        }
        let backing = match call.get("backing_store") {
            Some(field) => {
                let dict = field.dict(&["path", "format"])?;
                let format = dict.get("format").map(|f| f.one_of(FORMATS)).transpose()?;
                Some((dict.need("path")?.path()?, format))
            }
            None => None,
        };
        Ok(Self {
            pool: pool.word()?,
            name: call.checked_name()?,
            size,
            allocation,
            format: call
                .get("format")
                .map(|f| f.one_of(&[FORMATS, OTHER_FORMATS].concat()))
                .transpose()?,
            kind: call
                .get("type")
                .map(|f| f.one_of(&["file", "block", "dir", "network", "netdir"]))
                .transpose()?,
            permissions: permissions(call)?,
            backing,
            nocow: call.flag("nocow", false)?,
        })
    }

    /// The XML of the volume in its pool.
    pub(crate) fn xml(&self, pool: &Pool) -> String {
        // Salt: logical volumes are never sparse.
        let allocation = match pool.kind.as_str() {
            "logical" => self.size,
            _ => self.allocation,
        };
        let kib = |name, size: Bytes| Element::text(name, size.kib()).attr("unit", "KiB");
        let capacity = (self.size.0 > 0).then(|| kib("capacity", self.size));
        let format = |format: &String| Element::new("format").attr("type", format);
        let permissions = (!self.permissions.is_empty())
            .then(|| Element::new("permissions").children(self.permissions.clone()));
        let target = Element::new("target")
            .children(self.format.as_ref().map(format))
            .children(permissions)
            .children(self.nocow.then(|| Element::new("nocow")));
        let backing = self.backing.as_ref().map(|(path, backing_format)| {
            Element::new("backingStore")
                .child(Element::text("path", path))
                .children(backing_format.as_ref().map(format))
        });
        Element::new("volume")
            .attr_opt("type", self.kind.as_ref())
            .child(Element::text("name", &self.name))
            .children(capacity)
            .child(kib("allocation", allocation))
            .child(target)
            .children(backing)
            .to_string()
    }
}

fn permissions(call: &Call) -> Result<Vec<Element>, StateError> {
    let Some(field) = call.get("permissions") else {
        return Ok(Vec::new());
    };
    let dict = field.dict(&["mode", "owner", "group", "label"])?;
    let mut elements = Vec::new();
    for key in ["mode", "owner", "group", "label"] {
        if let Some(field) = dict.get(key) {
            elements.extend(permission(key, &field)?.map(|value| Element::text(key, value)));
        }
    }
    Ok(elements)
}
