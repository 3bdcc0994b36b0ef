//! Virtual networks of the fake.

use super::definition;
use super::fault::{Fault, NETWORK};
use super::world::World;
use model::Network;
use model::event::EventObject;
use model::plan::NetworkOp;
use uuid::Uuid;

/// A network: one definition that lasts, one that runs.
pub(super) struct FakeNetwork {
    pub(super) name: String,
    pub(super) uuid: Uuid,
    pub(super) autostart: bool,
    pub(super) persistent: Option<String>,
    pub(super) live: Option<String>,
}

impl FakeNetwork {
    pub(super) const fn active(&self) -> bool {
        self.live.is_some()
    }

    pub(super) fn read(&self) -> Network {
        let xml = self.live.as_ref().or(self.persistent.as_ref());
        let xml = xml.expect("a network without any definition has been removed");
        let read = definition::network(xml).expect("the definition was readable when it was set");
        Network {
            uuid: self.uuid,
            name: self.name.clone(),
            active: self.active(),
            autostart: self.autostart,
            persistent: self.persistent.is_some(),
            xml_persistent: self.persistent.clone().filter(|_| self.active()),
            ..read
        }
    }
}

impl World {
    pub(super) fn network_op(&mut self, name: &str, op: &NetworkOp) -> Result<(), Fault> {
        if let NetworkOp::Define { xml } = op {
            return self.define_network(xml);
        }
        let network = self
            .networks
            .get_mut(name)
            .ok_or_else(|| Fault::no_network(name))?;
        match op {
            NetworkOp::Define { .. } => {}
            NetworkOp::Start => {
                if network.active() {
                    return Err(Fault::wrong_state(NETWORK, "network is already active"));
                }
                network.live = network.persistent.clone();
                self.network_event(name, "started");
            }
            NetworkOp::Stop => {
                inactive_is_refused(network)?;
                network.live = None;
                self.network_event(name, "stopped");
                self.drop_empty_network(name);
            }
            NetworkOp::Autostart(on) => {
                if network.persistent.is_none() {
                    let why = "cannot set autostart for transient network";
                    return Err(Fault::wrong_state(NETWORK, why));
                }
                network.autostart = *on;
            }
            NetworkOp::Update { live, .. } => {
                if *live {
                    inactive_is_refused(network)?;
                }
                return update(network, op);
            }
            NetworkOp::Undefine => {
                network.persistent = None;
                network.autostart = false;
                self.network_event(name, "undefined");
                self.drop_empty_network(name);
            }
        }
        Ok(())
    }

    fn define_network(&mut self, xml: &str) -> Result<(), Fault> {
        let read = definition::network(xml)?;
        let uuid = match self.networks.get(&read.name) {
            Some(old) if read.uuid.is_nil() || read.uuid == old.uuid => old.uuid,
            Some(old) => {
                let (name, uuid) = (&read.name, old.uuid);
                let why = format!("network '{name}' already exists with uuid {uuid}");
                return Err(Fault::exists(NETWORK, why));
            }
            None if read.uuid.is_nil() => self.next_uuid(&read.name),
            None => read.uuid,
        };
        let xml = definition::with_uuid(xml, uuid)?;
        match self.networks.get_mut(&read.name) {
            Some(network) => network.persistent = Some(xml),
            None => {
                let network = FakeNetwork {
                    name: read.name.clone(),
                    uuid,
                    autostart: false,
                    persistent: Some(xml),
                    live: None,
                };
                self.networks.insert(read.name.clone(), network);
            }
        }
        self.network_event(&read.name, "defined");
        Ok(())
    }

    fn drop_empty_network(&mut self, name: &str) {
        self.networks
            .retain(|key, network| key != name || network.active() || network.persistent.is_some());
    }

    fn network_event(&self, name: &str, event: &str) {
        let object = EventObject {
            name: name.to_owned(),
            uuid: self.networks.get(name).map(|network| network.uuid),
            domain_id: None,
        };
        let fields = vec![
            ("event", event.to_owned()),
            ("detail", "unknown".to_owned()),
        ];
        self.event("network", "lifecycle", object, fields);
    }
}

fn inactive_is_refused(network: &FakeNetwork) -> Result<(), Fault> {
    if network.active() {
        return Ok(());
    }
    let why = format!("network '{}' is not active", network.name);
    Err(Fault::wrong_state(NETWORK, why))
}

/// Changes a section in the definition and, if asked, in the running network. libvirt sends no event for it.
fn update(network: &mut FakeNetwork, op: &NetworkOp) -> Result<(), Fault> {
    let NetworkOp::Update { live, .. } = op else {
        return Ok(());
    };
    if let Some(xml) = &network.persistent {
        network.persistent = Some(definition::update_network(xml, op)?);
    }
    if *live && let Some(xml) = &network.live {
        network.live = Some(definition::update_network(xml, op)?);
    }
    Ok(())
}
