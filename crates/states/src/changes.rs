//! The `changes` of a result, in Salt's shapes, with what was refused left out.

use crate::planned::{Refusal, single};
use crate::{Map, Value};
use serde_json::json;

/// What will stand in `changes`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Changes {
    /// The same however the steps end.
    Fixed(Map),
    /// An updated VM. Source: Salt `virt.update`, "STATUS".
    Updated {
        /// The VM.
        name: String,
        /// `definition`, `cpu`, `mem`, `started`…
        flags: Map,
        /// Live changes of devices.
        devices: Vec<DeviceChange>,
        /// Live changes without an entry of their own: step, and the flag it stands behind.
        scalars: Vec<(usize, &'static str)>,
        /// The comment when a live change was refused.
        comment_if_refused: String,
    },
    /// Several VMs, each with one step.
    PerVm {
        /// `stopped`, `unpowered`, `rebooted`.
        key: &'static str,
        /// What was done: `shutdown`, `stop`, `reboot`.
        verb: &'static str,
        /// VMs in the order of the steps.
        vms: Vec<String>,
    },
}

/// A device that is plugged in, unplugged or changed while the VM runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceChange {
    pub(crate) step: usize,
    /// `disk` or `interface`.
    pub(crate) class: &'static str,
    /// `attached`, `detached`, `updated`.
    pub(crate) list: &'static str,
    /// The device's XML.
    pub(crate) xml: String,
}

/// `changes` with the comment and the success that follow from the refusals.
pub(crate) struct Report<'a> {
    pub(crate) changes: Map,
    /// Replaces the planned comment.
    pub(crate) comment: Option<&'a str>,
    pub(crate) success: bool,
}

impl Changes {
    pub(crate) fn none() -> Self {
        Self::Fixed(Map::new())
    }

    pub(crate) const fn is_per_vm(&self) -> bool {
        matches!(self, Self::PerVm { .. })
    }

    pub(crate) fn report(&self, refused: &[Refusal]) -> Report<'_> {
        match self {
            Self::Fixed(map) => Report {
                changes: map.clone(),
                comment: None,
                success: true,
            },
            Self::Updated {
                name,
                flags,
                devices,
                scalars,
                comment_if_refused,
            } => Report {
                changes: single(name, updated(flags, devices, scalars, refused)),
                comment: (!refused.is_empty()).then_some(comment_if_refused.as_str()),
                success: true,
            },
            Self::PerVm { key, verb, vms } => per_vm(key, verb, vms, refused),
        }
    }
}

fn updated(
    flags: &Map,
    devices: &[DeviceChange],
    scalars: &[(usize, &'static str)],
    refused: &[Refusal],
) -> Map {
    let is_refused = |step: usize| refused.iter().any(|refusal| refusal.step == step);
    let mut status = flags.clone();
    for (class, lists) in [
        ("disk", &["attached", "detached", "updated"][..]),
        ("interface", &["attached", "detached"][..]),
    ] {
        let done: Vec<&DeviceChange> = devices
            .iter()
            .filter(|change| change.class == class && !is_refused(change.step))
            .collect();
        status.insert(class.to_owned(), Value::Object(device_lists(lists, &done)));
    }
    for (step, flag) in scalars {
        status.insert((*flag).to_owned(), json!(!is_refused(*step)));
    }
    if !refused.is_empty() {
        let reasons: Vec<&str> = refused.iter().map(|r| r.reason.as_str()).collect();
        status.insert("errors".to_owned(), json!(reasons));
    }
    status
}

/// Every list, empty, when nothing was changed; only those with content otherwise.
fn device_lists(lists: &[&'static str], done: &[&DeviceChange]) -> Map {
    lists
        .iter()
        .map(|list| {
            let xml: Vec<&str> = done
                .iter()
                .filter(|change| change.list == *list)
                .map(|change| change.xml.as_str())
                .collect();
            ((*list).to_owned(), xml)
        })
        .filter(|(_, xml)| done.is_empty() || !xml.is_empty())
        .map(|(list, xml)| (list, json!(xml)))
        .collect()
}

fn per_vm<'a>(key: &str, verb: &str, vms: &[String], refused: &[Refusal]) -> Report<'a> {
    let reason = |index: usize| refused.iter().find(|refusal| refusal.step == index);
    let done: Vec<Value> = vms
        .iter()
        .enumerate()
        .filter(|(index, _)| reason(*index).is_none())
        .map(|(_, vm)| json!({ "domain": vm, verb: true }))
        .collect();
    if !done.is_empty() {
        return Report {
            changes: single(key, done),
            comment: None,
            success: true,
        };
    }
    let ignored: Vec<Value> = vms
        .iter()
        .enumerate()
        .filter_map(|(index, vm)| Some((reason(index)?, vm)))
        .map(|(refusal, vm)| json!({ "domain": vm, "issue": refusal.reason }))
        .collect();
    Report {
        success: ignored.is_empty(),
        changes: if ignored.is_empty() {
            Map::new()
        } else {
            single("ignored", ignored)
        },
        comment: Some("No changes had happened"),
    }
}
