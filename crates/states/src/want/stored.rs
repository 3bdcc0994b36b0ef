//! `virt.volume_present`, `virt.volume_absent`: a volume that is to be there, made from an image if need be, or gone.

use super::vm::disk::{checksum, image};
use super::volume::VolumeWant;
use crate::{Call, StateError};
use model::Bytes;

/// The arguments of `virt.volume_present` beside those of `virt.volume_defined`.
pub(crate) const PRESENT_ARGUMENTS: &[&str] = &["image", "image_checksum"];

/// The arguments of `virt.volume_absent`, beside those that every virt state takes.
pub(crate) const ABSENT_ARGUMENTS: &[&str] = &["pool"];

/// What says how a volume without an image is made, and means nothing for one with an image.
const ONLY_WITHOUT_IMAGE: &[&str] = &[
    "allocation",
    "type",
    "permissions",
    "backing_store",
    "nocow",
];

/// A volume that is to be there.
#[derive(Debug)]
pub(crate) struct StoredWant {
    /// Its size is zero when none is declared.
    pub(crate) volume: VolumeWant,
    /// Wanted size; with an image or a backing store it may be left to them.
    pub(crate) size: Option<Bytes>,
    /// Where its first content comes from, with the SHA-256 of that.
    pub(crate) image: Option<(String, Option<String>)>,
}

impl StoredWant {
    /// Reads the arguments.
    pub(crate) fn parse(call: &Call) -> Result<Self, StateError> {
        let size = call.get("size").map(|f| f.disk_size()).transpose()?;
        let checksum = call
            .get("image_checksum")
            .map(|f| checksum(&f))
            .transpose()?;
        let image = call.get("image").map(|f| image(&f)).transpose()?;
        if image.is_some() {
            refuse_with_image(call)?;
        } else if size.is_none() && call.get("backing_store").is_none() {
            return Err(call.missing("size"));
        }
        Ok(Self {
            volume: VolumeWant::sized(call, size.unwrap_or_default())?,
            size,
            image: image.map(|location| (location, checksum)),
        })
    }
}

fn refuse_with_image(call: &Call) -> Result<(), StateError> {
    let given = ONLY_WITHOUT_IMAGE.iter().find_map(|key| call.get(key));
    given.map_or(Ok(()), |field| {
        let remedy = "Leave it out, or leave image out".to_owned();
        Err(field.refuse("possible together with image", Some(remedy)))
    })
}
