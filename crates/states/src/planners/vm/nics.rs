//! The interfaces of a VM: new ones, and what happens to those that are there.
//! Source: Salt `virt._diff_interface_lists`; unlike there, an interface is moved to another network rather than replaced.

use super::update::{Devices, LiveDevice};
use crate::StateError;
use crate::want::vm::nic::NicWant;
use domxml::domain::read_nic;
use domxml::read::NodeExt;
use domxml::{Document, EditError, Element, Place};
use model::plan::VmOp;
use model::{Capability, GuestKind};
use uuid::Uuid;

/// An interface of which everything is known but perhaps its MAC address.
#[derive(Debug, Clone)]
pub(super) struct Nic {
    name: String,
    /// `bridge` or `network`.
    kind: String,
    source: String,
    mac: Option<String>,
    /// `None` leaves it to the hypervisor.
    model: Option<String>,
}

/// Fills in what neither the state nor its profile says.
///
/// # Errors
/// A network is not named: there is no network that is always there.
pub(super) fn resolve(want: &NicWant, guest: GuestKind) -> Result<Nic, StateError> {
    if want.kind.as_deref() == Some("network") && want.source.is_none() {
        return Err(StateError::Argument {
            path: format!("interfaces: {}", want.name),
            found: "type: network".to_owned(),
            expected: "enough: it has no source".to_owned(),
            remedy: Some("Write network: NAME instead, with the name of the network".to_owned()),
        });
    }
    let default_model = guest
        .lacks(Capability::VirtioDevices)
        .is_none()
        .then(|| "virtio".to_owned());
    Ok(Nic {
        name: want.name.clone(),
        kind: want.kind.clone().unwrap_or_else(|| "bridge".to_owned()),
        source: want.source.clone().unwrap_or_else(|| "br0".to_owned()),
        mac: want.mac.clone(),
        model: want.model.clone().or(default_model),
    })
}

impl Nic {
    pub(super) fn element(&self) -> Element {
        let mac = self
            .mac
            .as_ref()
            .map(|mac| Element::new("mac").attr("address", mac));
        let model = self
            .model
            .as_ref()
            .map(|m| Element::new("model").attr("type", m));
        Element::new("interface")
            .attr("type", &self.kind)
            .children(mac)
            .child(self.source_element())
            .children(model)
    }

    fn source_element(&self) -> Element {
        let key = if self.kind == "network" {
            "network"
        } else {
            "bridge"
        };
        Element::new("source").attr(key, &self.source)
    }

    fn same_plug(&self, old: &model::vm::Nic) -> bool {
        self.kind == old.kind && self.source == old.source
    }

    fn same_model(&self, old: &model::vm::Nic) -> bool {
        self.model.as_ref().is_none_or(|model| *model == old.model)
    }
}

/// Edits the definition so that it has the declared interfaces, and says what that means for the running VM.
pub(super) fn edit(
    document: &mut Document,
    nics: &[Nic],
    vm: Uuid,
) -> Result<Vec<LiveDevice>, EditError> {
    let existing = document.read(|root| {
        let nodes = root.child("devices").map(|d| d.children_named("interface"));
        nodes
            .unwrap_or_default()
            .iter()
            .map(read_nic)
            .collect::<Vec<_>>()
    });
    let pairs = pair(nics, &existing);
    let mut live = Vec::new();
    for (index, old) in existing.iter().enumerate() {
        if !pairs.contains(&Some(index)) {
            document.remove(&place(&old.mac))?;
            live.push(LiveDevice::gone(Devices::Nics, &old.mac));
        }
    }
    for (position, (nic, old)) in nics.iter().zip(&pairs).enumerate() {
        match old {
            Some(index) => live.extend(keep(document, nic, &existing[*index])?),
            None => {
                // The running VM and its definition must agree on the address, so libvirt cannot pick it.
                let mac = nic
                    .mac
                    .clone()
                    .unwrap_or_else(|| derived_mac(vm, &nic.name, position));
                let nic = Nic {
                    mac: Some(mac.clone()),
                    ..nic.clone()
                };
                document.insert(&Place::at("devices"), &nic.element())?;
                live.push(LiveDevice::come(Devices::Nics, &mac, &nic.element()));
            }
        }
    }
    Ok(live)
}

/// For each declared interface the existing one it is: by its address, by all it says, else by its position.
fn pair(nics: &[Nic], existing: &[model::vm::Nic]) -> Vec<Option<usize>> {
    let mut free: Vec<bool> = existing.iter().map(|_| true).collect();
    let mut take = |fits: &dyn Fn(&model::vm::Nic) -> bool| {
        let index = (0..existing.len()).find(|i| free[*i] && fits(&existing[*i]))?;
        free[index] = false;
        Some(index)
    };
    let mut pairs: Vec<Option<usize>> = nics
        .iter()
        .map(|new| {
            let mac = new.mac.as_ref()?;
            take(&|old| old.mac == *mac)
        })
        .collect();
    let without_mac = |new: &Nic| new.mac.is_none();
    for (new, pair) in nics
        .iter()
        .zip(&mut pairs)
        .filter(|(new, _)| without_mac(new))
    {
        *pair = take(&|old| new.same_plug(old) && new.same_model(old));
    }
    for (new, pair) in nics.iter().zip(&mut pairs) {
        if pair.is_none() && without_mac(new) {
            *pair = take(&|_| true);
        }
    }
    pairs
}

fn keep(
    document: &mut Document,
    new: &Nic,
    old: &model::vm::Nic,
) -> Result<Option<LiveDevice>, EditError> {
    let place = place(&old.mac);
    if let Some(model) = new.model.as_ref().filter(|_| !new.same_model(old)) {
        document.set(&place.clone().child("model").attr("type"), model)?;
    }
    if new.same_plug(old) {
        return Ok(None);
    }
    document.set(&place.clone().attr("type"), &new.kind)?;
    document.put(&place, &new.source_element())?;
    Ok(Some(LiveDevice::plug(
        &old.mac,
        &new.kind,
        new.source_element(),
    )))
}

/// The live interface in another network or bridge.
pub(super) fn with_plug(live_xml: &str, kind: &str, source: &Element) -> Result<VmOp, StateError> {
    let edit = || {
        let mut device = Document::new(live_xml)?;
        device.set(&Place::at("").attr("type"), kind)?;
        device.put(&Place::at(""), source)?;
        Ok(device.into_string())
    };
    let xml = edit().map_err(|error: EditError| StateError::definition("the interface", error))?;
    Ok(VmOp::UpdateLive { xml })
}

fn place(mac: &str) -> Place {
    Place::at("devices").holding("interface", "mac", "address", mac)
}

/// An address of QEMU's range that is always the same for one interface of one VM (FNV-1a of UUID, name, position).
fn derived_mac(vm: Uuid, name: &str, position: usize) -> String {
    let position = position.to_le_bytes();
    let bytes = vm.as_bytes().iter().chain(name.as_bytes()).chain(&position);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [.., a, b, c] = hash.to_be_bytes();
    format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")
}
