//! The kernel of a paravirtual guest that names none: GRUB, built as such a kernel, reads the guest's own disk and boots
//! what it finds there. Source: Salt `virt._gen_xml` for SUSE; Debian has the same program elsewhere.

use crate::{HostPath, Needs, Observation, StateError};
use domxml::{Document, EditError, Place};
use model::GuestKind;

/// Where distributions have GRUB for PV guests.
const PV: &[&str] = &[
    "/usr/share/grub2/x86_64-xen/grub.xen",
    "/usr/lib/grub2/x86_64-xen/grub.xen",
    "/usr/lib/grub-xen/grub-x86_64-xen.bin",
];

/// Where distributions have GRUB for PVH guests.
const PVH: &[&str] = &["/usr/lib/grub-xen/grub-i386-xen_pvh.bin"];

const fn places(kind: GuestKind) -> &'static [&'static str] {
    match kind {
        GuestKind::XenPv => PV,
        GuestKind::XenPvh => PVH,
        GuestKind::Kvm | GuestKind::Qemu | GuestKind::XenHvm | GuestKind::Other => &[],
    }
}

/// Whether a kernel of a definition is one that was chosen here.
pub(crate) fn is_grub(path: &str) -> bool {
    PV.iter().chain(PVH).any(|known| *known == path)
}

/// What decides which kernel a new guest of this kind gets; `None` where it needs none.
pub(super) fn needs(kind: GuestKind) -> Option<Needs> {
    let places = places(kind);
    (!places.is_empty()).then(|| Needs {
        paths: places.iter().map(|path| (*path).to_owned()).collect(),
        ..Needs::default()
    })
}

/// Gives a definition without a kernel the host's GRUB, and takes out the boot devices, which mean nothing to it.
///
/// # Errors
/// The host has none.
pub(super) fn provide(
    xml: String,
    kind: GuestKind,
    seen: &Observation,
) -> Result<String, StateError> {
    let places = places(kind);
    if places.is_empty() {
        return Ok(xml);
    }
    let bad = |error: EditError| StateError::definition("the new VM", error);
    let mut document = Document::new(xml).map_err(bad)?;
    let kernel = Place::at("os").child("kernel");
    let grub = match document.get(&kernel) {
        Some(declared) if is_grub(&declared) => declared,
        Some(_) => return Ok(document.into_string()),
        None => installed(kind, seen)?.to_owned(),
    };
    let boot = Place::at("os").child("boot");
    let mut edit = || {
        document.set(&kernel, &grub)?;
        while document.get(&boot.clone().attr("dev")).is_some() {
            document.remove(&boot)?;
        }
        Ok(())
    };
    edit().map_err(bad)?;
    Ok(document.into_string())
}

/// The GRUB that the host has for this kind of guest.
fn installed(kind: GuestKind, seen: &Observation) -> Result<&'static str, StateError> {
    let places = places(kind);
    let is_there = |path: &&&str| matches!(seen.paths.get(**path), Some(HostPath::File));
    if let Some(grub) = places.iter().find(is_there) {
        return Ok(grub);
    }
    let places_of = places.join(", ");
    if !places.iter().any(|path| seen.paths.contains_key(*path)) {
        return Err(StateError::host(
            format!(
                "a {kind} guest that declares no kernel boots the host's GRUB, and where that lies cannot be seen from here"
            ),
            format!(
                "Write boot: {{kernel: PATH}} with the host's ({places_of}), os_type: hvm, or run an agent on that host"
            ),
        ));
    }
    Err(StateError::host(
        format!(
            "a {kind} guest boots a kernel, none is declared, and the host has no GRUB for it ({places_of})"
        ),
        "Install it (Debian: grub-xen-host; SUSE: grub2-x86_64-xen), write boot: {kernel: PATH, initrd: PATH}, or os_type: hvm",
    ))
}
