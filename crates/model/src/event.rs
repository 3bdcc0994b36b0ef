//! What a hypervisor says happened: a hint to read again, and a line on the event bus.

use uuid::Uuid;

/// An event of libvirt, in the words of Salt's `libvirt_events` engine.
///
/// Source: Salt `libvirt_events`; the words of `event` and `detail` are the ones its tags and data use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEvent {
    /// `domain`, `network`, `pool`, `nodedev`, `secret`.
    pub class: &'static str,
    /// The last part of the tag: `lifecycle`, `reboot`, `refresh`…
    pub kind: &'static str,
    /// Whom it is about.
    pub object: EventObject,
    /// Further fields in the engine's names, already as text (`event` → `started`, `detail` → `booted`).
    pub fields: Vec<(&'static str, String)>,
}

/// Whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventObject {
    /// libvirt's name.
    pub name: String,
    /// libvirt's UUID; `None` for node devices.
    pub uuid: Option<Uuid>,
    /// Running id of a VM; `None` while off and for everything else.
    pub domain_id: Option<u32>,
}
