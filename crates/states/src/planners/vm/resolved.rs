//! What the running definition cannot tell: libvirt makes something else of it at the start, or the guest decides.
//!
//! Such a declaration waits in the run that changes it, and is believed afterwards; otherwise it would wait for ever.

use crate::facts::{Compare, Fact};
use domxml::read::{KIB, NodeExt};
use roxmltree::Node;

pub(super) fn at_start(fact: &Fact, live: Node) -> bool {
    let pattern = fact.pattern();
    match (fact, pattern.as_str()) {
        // A CPU is checked, and what it has is written down feature by feature.
        (_, "cpu@check" | "cpu@match" | "cpu/model@fallback" | "cpu/feature") => true,
        (Fact::Value { value, .. }, "cpu/feature[name=*]@policy") => {
            !matches!(value.as_str(), "require" | "disable")
        }
        // The model of the host becomes the one that it is.
        (Fact::Value { value, .. }, "cpu@mode") => {
            value == "host-model" && live.attr_at("cpu", "mode") == "custom"
        }
        (Fact::Absent(_), "cpu/vendor" | "cpu/model@vendor_id" | "cpu/feature[name=*]") => true,
        // A guest gives memory back when it likes, and only with a driver for it.
        (
            Fact::Value {
                value,
                compare: Compare::Memory,
                ..
            },
            "currentMemory",
        ) => {
            let most = live.size_at("memory", KIB).unwrap_or_default();
            value.parse().is_ok_and(|bytes: u64| bytes <= most.0)
        }
        (Fact::Absent(_), "currentMemory") => true,
        _ => false,
    }
}
