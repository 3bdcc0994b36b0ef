//! Devices of the host that the VM is given.
//! Source: Salt `virt._get_host_devices`, `virt._diff_hostdev_lists`.

use super::update::{Devices, LiveDevice};
use crate::facts::Fact;
use crate::want::vm::VmWant;
use crate::{Observation, StateError};
use domxml::Place;
use domxml::device::HostDevice;
use domxml::read::{NodeExt, parse};
use roxmltree::Node;
use sls::closest;

/// The declared devices. Those that no guest can be given, such as network cards, are left out with a note, as Salt
/// ignores them.
pub(super) struct Given {
    pub(super) devices: Vec<HostDevice>,
    pub(super) notes: Vec<String>,
}

/// Looks the declared names up among the devices of the host; `None` when none are declared.
pub(super) fn resolve(want: &VmWant, seen: &Observation) -> Result<Option<Given>, StateError> {
    let Some(names) = &want.host_devices else {
        return Ok(None);
    };
    let mut given = Given {
        devices: Vec::new(),
        notes: Vec::new(),
    };
    for name in names {
        let known = seen
            .node_devices
            .as_ref()
            .ok_or_else(|| StateError::NotObserved {
                what: "the list of the host's devices".to_owned(),
            })?;
        let Some(found) = known.iter().find(|device| device.name == *name) else {
            let names = known.iter().map(|device| device.name.as_str());
            let remedy = match closest(name, names) {
                Some(close) => format!("Did you mean {close}?"),
                None => "virt.node_devices lists them".to_owned(),
            };
            return Err(StateError::Argument {
                path: "host_devices".to_owned(),
                found: format!("{name:?}"),
                expected: "a device of the host: Failed to get host devices".to_owned(),
                remedy: Some(remedy),
            });
        };
        match found.assignable {
            Some(device) if !given.devices.contains(&device) => given.devices.push(device),
            Some(_) => {}
            None => given.notes.push(format!(
                "host_devices: {name} is of kind {} and is left out: PCI and USB devices can be given",
                found.kind
            )),
        }
    }
    Ok(Some(given))
}

impl Given {
    /// What the definition says of them.
    pub(super) fn fact(&self) -> Fact {
        Fact::Set {
            parent: Place::at("devices"),
            name: "hostdev",
            entries: self.devices.iter().map(|device| device.element()).collect(),
            key,
        }
    }

    /// What that means for the running VM, whose definition was `old`.
    pub(super) fn live(&self, old: &str) -> Vec<LiveDevice> {
        let had = devices_of(old);
        let gone = had.iter().filter(|device| !self.devices.contains(device));
        let come = self.devices.iter().filter(|device| !had.contains(device));
        let gone = gone.map(|device| LiveDevice::gone(Devices::Given, &device.to_string()));
        let come = come
            .map(|device| LiveDevice::come(Devices::Given, &device.to_string(), &device.element()));
        gone.chain(come).collect()
    }
}

/// Devices of other kinds are nobody's business.
fn key(hostdev: Node) -> String {
    HostDevice::of_definition(hostdev)
        .map(|device| device.to_string())
        .unwrap_or_default()
}

fn devices_of(xml: &str) -> Vec<HostDevice> {
    let Ok(doc) = parse("domain", "domain", xml) else {
        return Vec::new();
    };
    let devices = doc.root_element().child("devices");
    let devices = devices.map(|devices| devices.children_named("hostdev"));
    let devices = devices.unwrap_or_default().into_iter();
    devices.filter_map(HostDevice::of_definition).collect()
}
