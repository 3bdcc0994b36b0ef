//! When a change of a declared attribute takes effect: one table for the planners, for `docs/updating.md` and for the
//! tests, which hold every plan against it.
//!
//! The planners ask it by the place in the XML that a fact is about. They never stop anything by themselves.

mod network;
#[cfg(test)]
mod page;
mod pool;
mod vm;

use crate::facts::Fact;

/// When a change reaches an object that runs. One that is off has it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// While it runs, without interruption.
    Live,
    /// With the next start of the VM. A reboot from inside the guest is none.
    NextStart,
    /// Only when somebody stops it, which no state does by itself: others would lose their link or their disks.
    Stopping,
    /// Never: it is read for a new object only.
    OnlyNew,
}

impl Effect {
    /// The words of the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::NextStart => "at next boot",
            Self::Stopping => "only by stopping",
            Self::OnlyNew => "only when new",
        }
    }

    /// The end of `… now, 2 …` for what an object that runs does not have yet.
    pub(crate) const fn when(self) -> &'static str {
        match self {
            // What can change live, but not this time: more vCPUs than the VM was started with.
            Self::Live | Self::NextStart | Self::OnlyNew => "at the next start",
            Self::Stopping => "once it is stopped and started",
        }
    }
}

/// What an attribute belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// `virt.running`, `virt.defined`.
    Vm,
    /// `virt.network_running`, `virt.network_defined`.
    Network,
    /// `virt.pool_running`, `virt.pool_defined`.
    Pool,
}

/// One attribute that a state can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// The way to it in the state: `cpu: vcpus: *: enabled`, where `*` is any key or item.
    pub parameter: &'static str,
    /// Where it is in libvirt's XML: `vcpus/vcpu[id=*]@enabled`. Empty for what is no part of it.
    pub place: &'static str,
    /// When a change takes effect.
    pub effect: Effect,
    /// What else there is to know; may be empty.
    pub note: &'static str,
}

impl Attribute {
    const fn new(
        parameter: &'static str,
        place: &'static str,
        effect: Effect,
        note: &'static str,
    ) -> Self {
        Self {
            parameter,
            place,
            effect,
            note,
        }
    }
}

const fn live(parameter: &'static str, place: &'static str, note: &'static str) -> Attribute {
    Attribute::new(parameter, place, Effect::Live, note)
}

const fn next_start(parameter: &'static str, place: &'static str) -> Attribute {
    Attribute::new(parameter, place, Effect::NextStart, "")
}

const fn stopping(parameter: &'static str, place: &'static str) -> Attribute {
    Attribute::new(parameter, place, Effect::Stopping, "")
}

const fn only_new(parameter: &'static str, place: &'static str, note: &'static str) -> Attribute {
    Attribute::new(parameter, place, Effect::OnlyNew, note)
}

/// Every attribute of a kind of object, in the order of the states' arguments.
pub const fn attributes(object: Object) -> &'static [Attribute] {
    match object {
        Object::Vm => vm::ATTRIBUTES,
        Object::Network => network::ATTRIBUTES,
        Object::Pool => pool::ATTRIBUTES,
    }
}

/// When a fact that does not hold will, if it is about one of the attributes.
pub(crate) fn known_effect_of(object: Object, fact: &Fact) -> Option<Effect> {
    let pattern = fact.pattern();
    let own = implied(object, &pattern).unwrap_or(&pattern);
    attributes(object)
        .iter()
        .find(|attribute| attribute.place == own)
        .map(|attribute| attribute.effect)
}

/// When a fact that does not hold will. What is not in the table waits, as the rest does.
pub(crate) fn effect_of(object: Object, fact: &Fact) -> Effect {
    let rest = match object {
        Object::Vm => Effect::NextStart,
        Object::Network | Object::Pool => Effect::Stopping,
    };
    let known = known_effect_of(object, fact);
    debug_assert!(
        known.is_some(),
        "{} needs a row in {object:?}'s table of attributes",
        fact.pattern()
    );
    known.unwrap_or(rest)
}

/// The place of the attribute that an element or attribute comes with which nobody declares by itself.
fn implied(object: Object, pattern: &str) -> Option<&'static str> {
    let implied = match object {
        Object::Vm => vm::IMPLIED,
        Object::Network => network::IMPLIED,
        Object::Pool => pool::IMPLIED,
    };
    implied
        .iter()
        .find(|(place, _)| *place == pattern)
        .map(|(_, of)| *of)
}
