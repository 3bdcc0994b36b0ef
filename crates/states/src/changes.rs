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
    PerVm(PerVm),
}

/// What an action state does to the VMs that its name matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PerVm {
    /// `stopped`, `unpowered`, `rebooted`.
    pub(crate) key: &'static str,
    /// What was done: `shutdown`, `stop`, `reboot`, `snapshot`.
    pub(crate) verb: &'static str,
    /// VMs in the order of the steps, each with what stands behind the verb.
    pub(crate) vms: Vec<(String, Value)>,
    /// VMs for which it makes no sense now, and why.
    pub(crate) denied: Vec<(String, String)>,
}

/// A device that is plugged in, unplugged or changed while the VM runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceChange {
    pub(crate) step: usize,
    /// `disk`, `interface` or `hostdev`.
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
        matches!(self, Self::PerVm(_))
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
            Self::PerVm(action) => per_vm(action, refused),
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
    // Salt's placeholders belong to a changed definition.
    let placeholders = flags.contains_key("definition");
    for (class, lists) in [
        ("disk", &["attached", "detached", "updated"][..]),
        ("interface", &["attached", "detached"][..]),
        ("hostdev", &[][..]),
    ] {
        let done: Vec<&DeviceChange> = devices
            .iter()
            .filter(|change| change.class == class && !is_refused(change.step))
            .collect();
        if placeholders && class != "hostdev" || !done.is_empty() {
            status.insert(class.to_owned(), Value::Object(device_lists(lists, &done)));
        }
    }
    for (step, flag) in scalars {
        // One flag may stand for several changes.
        let others = status.get(*flag).is_none_or(|flag| *flag == json!(true));
        status.insert((*flag).to_owned(), json!(others && !is_refused(*step)));
    }
    if !refused.is_empty() {
        let reasons: Vec<&str> = refused.iter().map(|r| r.reason.as_str()).collect();
        status.insert("errors".to_owned(), json!(reasons));
    }
    status
}

/// Every list, empty, when nothing was changed; only those with content otherwise.
fn device_lists(placeholders: &[&'static str], done: &[&DeviceChange]) -> Map {
    if done.is_empty() {
        let empty = |list: &&str| ((*list).to_owned(), json!([]));
        return placeholders.iter().map(empty).collect();
    }
    ["attached", "detached", "updated"]
        .iter()
        .map(|list| {
            let of_list = done.iter().filter(|change| change.list == *list);
            (
                *list,
                of_list
                    .map(|change| change.xml.as_str())
                    .collect::<Vec<_>>(),
            )
        })
        .filter(|(_, xml)| !xml.is_empty())
        .map(|(list, xml)| (list.to_owned(), json!(xml)))
        .collect()
}

fn per_vm(action: &PerVm, refused: &[Refusal]) -> Report<'static> {
    let reason = |index: usize| refused.iter().find(|refusal| refusal.step == index);
    let vms = || action.vms.iter().enumerate();
    let done: Vec<Value> = vms()
        .filter(|(index, _)| reason(*index).is_none())
        .map(|(_, (vm, what))| json!({ "domain": vm, action.verb: what }))
        .collect();
    if !done.is_empty() {
        return Report {
            changes: single(action.key, done),
            comment: None,
            success: true,
        };
    }
    let refused = vms().filter_map(|(index, (vm, _))| Some((vm, &reason(index)?.reason)));
    let ignored: Vec<Value> = refused
        .chain(action.denied.iter().map(|(vm, why)| (vm, why)))
        .map(|(vm, issue)| json!({ "domain": vm, "issue": issue }))
        .collect();
    Report {
        success: ignored.is_empty(),
        changes: match ignored.is_empty() {
            true => Map::new(),
            false => single("ignored", ignored),
        },
        comment: Some("No changes had happened"),
    }
}
