//! A VM that does not exist yet.

use super::disks::free_target;
use super::given::{self, Given};
use super::partitions::Partitions;
use super::source::{Disk, Owner, resolve};
use super::{End, autostart, boot_files, consistent, kernel, nics, object, profile, start};
use crate::changes::Changes;
use crate::facts::{Fact, edited};
use crate::planned::{ChunkPlan, Outcome, single};
use crate::planners::steps::{defining, vm};
use crate::want::vm::VmWant;
use crate::{Call, Needs, Observation, StateError};
use domxml::{Document, EditError, Place};
use model::GuestKind;
use model::plan::{Consequence, Plan, PlannedStep, VmOp};
use serde_json::json;
use sls::closest;

pub(super) fn plan(
    call: &Call,
    want: &VmWant,
    seen: &Observation,
    end: End,
) -> Result<ChunkPlan, StateError> {
    let name = &want.name;
    if !want.has_memory {
        return Err(StateError::Argument {
            path: "mem".to_owned(),
            found: "nothing".to_owned(),
            expected: "enough for a new VM".to_owned(),
            remedy: Some("Add mem in MiB, for example mem: 1024".to_owned()),
        });
    }
    let kind = choose(want, seen)?;
    let owner = Owner {
        vm: name,
        guest: kind.guest(),
        active: false,
        exists: false,
    };
    let disks = profile::disks(call, want, &seen.config)?.unwrap_or_default();
    let mut partitions = Partitions::default();
    let disks = disks
        .iter()
        .map(|disk| resolve(disk, owner, seen, &mut partitions))
        .collect::<Result<Vec<_>, _>>()?;
    let given = given::resolve(want, seen)?;
    let (boot, fetches) = boot_files::resolve(want, seen)?;
    let parts = Parts {
        disks: &disks,
        partitions: &partitions,
        given: given.as_ref(),
        boot: &boot,
    };
    let xml = definition(call, want, seen, &kind, &parts)?;
    consistent::check(name, None, &xml)?;
    let mut notes = want.notes.clone();
    notes.extend(given.into_iter().flat_map(|given| given.notes));
    if call.get("boot_dev").is_some() {
        notes.extend(consistent::nothing_to_boot_from(&xml));
    }
    let mut steps: Vec<PlannedStep> = fetches;
    for disk in disks {
        steps.extend(disk.steps);
        notes.extend(disk.notes);
    }
    steps.push(defining(
        vm(name, VmOp::Define { xml: xml.clone() }),
        Consequence::None,
        format!("Define VM {name}"),
        vm(name, VmOp::Undefine),
        ("", &xml),
    ));
    if want.autostart == Some(true) {
        steps.push(autostart(name, true));
    }
    let (comment, changes) = match end {
        End::Defined => (
            format!("Domain {name} defined"),
            json!({ "definition": true }),
        ),
        End::Running => {
            steps.push(start(name));
            let changes = json!({ "definition": true, "started": true });
            (format!("Domain {name} defined and started"), changes)
        }
    };
    Ok(ChunkPlan {
        plan: Plan {
            steps,
            pending: Vec::new(),
        },
        notes,
        outcome: Outcome::new(comment, Changes::Fixed(single(name, changes))),
    })
}

/// What kind of guest it becomes.
struct Kind {
    domain_type: String,
    os_type: String,
    arch: String,
}

impl Kind {
    fn guest(&self) -> GuestKind {
        GuestKind::of(&self.domain_type, &self.os_type)
    }
}

/// What decides which kernel a new VM boots that names none.
pub(super) fn kernel_needs(call: &Call, seen: &Observation) -> Result<Option<Needs>, StateError> {
    let has_kernel = call.get("boot").is_some();
    match &seen.capabilities {
        Some(offers) if !has_kernel && offers.domain_types().iter().any(|kind| kind == "xen") => {
            let kind = choose(&VmWant::parse(call)?, seen)?;
            Ok(kernel::needs(kind.guest()))
        }
        _ => Ok(None),
    }
}

/// What is declared, else the best the host offers.
fn choose(want: &VmWant, seen: &Observation) -> Result<Kind, StateError> {
    let offers = seen
        .capabilities
        .as_ref()
        .ok_or_else(|| StateError::NotObserved {
            what: "what the host can run (its capabilities)".to_owned(),
        })?;
    let types = offers.domain_types();
    let domain_type = offered("vm_type", want.vm_type.as_deref(), &types, types.first())?;
    let guests: Vec<_> = offers.guests_of(&domain_type).collect();
    let mut arches: Vec<String> = guests.iter().map(|guest| guest.arch.clone()).collect();
    arches.sort();
    let default = arches
        .iter()
        .find(|arch| *arch == "x86_64")
        .or(arches.first());
    let arch = offered("arch", want.arch.as_deref(), &arches, default)?;
    let mut os_types: Vec<String> = guests
        .iter()
        .filter(|guest| guest.arch == arch)
        .map(|guest| guest.os_type.clone())
        .collect();
    os_types.sort();
    let default = os_types.iter().find(|os| *os == "hvm").or(os_types.first());
    // libvirt writes a paravirtual guest of Xen as linux, and offers it as xen.
    let wanted = match (domain_type.as_str(), want.os_type.as_deref()) {
        ("xen", Some("linux")) => Some("xen"),
        (_, wanted) => wanted,
    };
    let os_type = offered("os_type", wanted, &os_types, default)?;
    Ok(Kind {
        domain_type,
        os_type,
        arch,
    })
}

fn offered(
    argument: &str,
    wanted: Option<&str>,
    offers: &[String],
    default: Option<&String>,
) -> Result<String, StateError> {
    let Some(wanted) = wanted else {
        return default.cloned().ok_or_else(|| {
            StateError::host(
                "the host offers no kind of guest at all",
                "Install an emulator, such as qemu-system-x86",
            )
        });
    };
    if offers.iter().any(|offer| offer == wanted) {
        return Ok(wanted.to_owned());
    }
    let mut known: Vec<&str> = offers.iter().map(String::as_str).collect();
    known.dedup();
    let remedy = match closest(wanted, known.iter().copied()) {
        Some(close) => format!("Did you mean {close}?"),
        None => format!(
            "It offers {}; leave {argument} out to take the best",
            known.join(", ")
        ),
    };
    Err(StateError::Argument {
        path: argument.to_owned(),
        found: format!("{wanted:?}"),
        expected: "offered by this host".to_owned(),
        remedy: Some(remedy),
    })
}

/// What a definition is made of beside what the arguments say themselves.
struct Parts<'a> {
    disks: &'a [Disk],
    partitions: &'a Partitions,
    given: Option<&'a Given>,
    boot: &'a [Fact],
}

fn definition(
    call: &Call,
    want: &VmWant,
    seen: &Observation,
    kind: &Kind,
    parts: &Parts,
) -> Result<String, StateError> {
    let object = object(&want.name);
    let skeleton = want.skeleton(&kind.domain_type, &kind.os_type, &kind.arch);
    let is_qemu = matches!(kind.domain_type.as_str(), "kvm" | "qemu");
    let qemu_facts: &[Fact] = if is_qemu { &want.qemu_facts } else { &[] };
    // What a new VM says by default comes first, so that a declaration of the same has the last word.
    let facts = want
        .facts_if_new
        .iter()
        .chain(&want.facts)
        .chain(parts.boot)
        .chain(qemu_facts);
    let xml = edited(&object, &skeleton, facts)?;
    let nics = profile::nics(call, want, &seen.config)?.unwrap_or_default();
    let nics = nics
        .iter()
        .map(|nic| nics::resolve(nic, kind.guest()))
        .collect::<Result<Vec<_>, _>>()?;
    let add_devices = || {
        let mut document = Document::new(xml)?;
        let devices = Place::at("devices");
        let mut taken = Vec::new();
        for disk in parts.disks {
            let target = free_target(disk.prefix(), &taken);
            document.insert(&devices, &disk.element(&target))?;
            taken.push(target);
        }
        for nic in &nics {
            document.insert(&devices, &nic.element())?;
        }
        let companion = want
            .graphics
            .as_ref()
            .and_then(|g| g.companion(&kind.domain_type));
        if let Some(companion) = companion {
            document.insert(&devices, &companion)?;
        }
        parts.partitions.remember(&mut document)?;
        Ok(document.into_string())
    };
    let xml = add_devices().map_err(|error: EditError| StateError::definition(&object, error))?;
    let xml = kernel::provide(xml, kind.guest(), seen)?;
    let graphics = want.graphics.iter().flat_map(|graphics| graphics.facts());
    let devices = want.device_facts.iter().cloned();
    let given = parts.given.iter().map(|given| given.fact());
    let facts: Vec<Fact> = graphics.chain(devices).chain(given).collect();
    edited(&object, &xml, &facts)
}
