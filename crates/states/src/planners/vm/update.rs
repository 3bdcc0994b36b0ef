//! A VM that exists: its definition is edited, and the running VM changed where that is possible.
//! Source: Salt `virt.update`.

use super::given::{self, Given};
use super::partitions::Partitions;
use super::source::{Disk, Owner, resolve};
use super::{
    End, autostart, boot_files, consistent, disks, nics, object, profile, resolved, start, tuning,
};
use crate::changes::{Changes, DeviceChange};
use crate::facts::{Fact, edited, nearly, unmet};
use crate::planned::{ChunkPlan, Outcome, single};
use crate::planners::steps::{by, defining, planned, vm};
use crate::simulate::{device_at, live_xml_after};
use crate::updating::Object;
use crate::want::vm::VmWant;
use crate::{Call, Map, Observation, StateError};
use domxml::domain::{differs, read};
use domxml::read::{NodeExt, parse};
use domxml::{Document, Element};
use model::plan::{Consequence, Plan, PlannedStep, Undo, VmOp};
use model::{Admit, Capability, Request, Vm, VmStatus};
use serde_json::json;

/// A class of devices that can be changed while the VM runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Devices {
    Disks,
    Nics,
    Given,
}

/// What an edit of the definition means for one device of the running VM.
#[derive(Debug)]
pub(super) struct LiveDevice {
    class: Devices,
    /// Target of a disk, MAC address of an interface, address of a host's device.
    key: String,
    change: DeviceEdit,
}

#[derive(Debug)]
enum DeviceEdit {
    Come(String),
    Gone,
    Medium(&'static str, Option<Element>),
    Plug(String, Element),
}

impl LiveDevice {
    pub(super) fn come(class: Devices, key: &str, element: &Element) -> Self {
        Self::new(class, key, DeviceEdit::Come(element.to_xml(0)))
    }

    pub(super) fn gone(class: Devices, key: &str) -> Self {
        Self::new(class, key, DeviceEdit::Gone)
    }

    pub(super) fn medium(target: &str, kind: &'static str, source: Option<&Element>) -> Self {
        Self::new(
            Devices::Disks,
            target,
            DeviceEdit::Medium(kind, source.cloned()),
        )
    }

    pub(super) fn plug(mac: &str, kind: &str, source: Element) -> Self {
        Self::new(
            Devices::Nics,
            mac,
            DeviceEdit::Plug(kind.to_owned(), source),
        )
    }

    fn new(class: Devices, key: &str, change: DeviceEdit) -> Self {
        Self {
            class,
            key: key.to_owned(),
            change,
        }
    }
}

impl Devices {
    /// The name of its elements, which is also Salt's word for the class.
    const fn word(self) -> &'static str {
        match self {
            Self::Disks => "disk",
            Self::Nics => "interface",
            Self::Given => "hostdev",
        }
    }
}

pub(super) fn plan(
    call: &Call,
    want: &VmWant,
    have: &Vm,
    seen: &Observation,
    end: End,
) -> Result<ChunkPlan, StateError> {
    let old = have
        .xml_persistent
        .as_ref()
        .or(have.xml_live.as_ref())
        .ok_or_else(|| StateError::NotObserved {
            what: format!("the definition of VM {}", want.name),
        })?;
    let (boot, fetches) = boot_files::resolve(want, seen)?;
    let given = given::resolve(want, seen)?;
    let mut facts = facts_of(want, have);
    facts.extend(boot);
    facts.extend(given.iter().map(Given::fact));
    let target = Target {
        want,
        have,
        old,
        facts: &facts,
    };
    let mut partitions = Partitions::of(Some(have));
    let disks = resolved_disks(call, want, have, seen, &mut partitions)?;
    let nics = profile::nics(call, want, &seen.config)?;
    let resolved = nics.map(|nics| {
        let nics = nics.iter();
        nics.map(|nic| nics::resolve(nic, have.guest()))
            .collect::<Result<Vec<_>, _>>()
    });
    let nics = resolved.transpose()?;
    let (new, mut devices) = target.definition(disks.as_deref(), nics.as_deref(), &partitions)?;
    if let Some(given) = &given {
        devices.extend(given.live(old));
    }
    if new != *old {
        consistent::check(&want.name, Some(old), &new)?;
    }
    let disks = disks.unwrap_or_default();
    let mut planned = target.steps(&new, fetches, devices, disks, nics.is_some(), end)?;
    planned
        .notes
        .extend(given.into_iter().flat_map(|given| given.notes));
    if call.get("boot_dev").is_some() {
        let absent = consistent::nothing_to_boot_from(&new);
        planned.notes.extend(absent);
    }
    Ok(planned)
}

fn facts_of(want: &VmWant, have: &Vm) -> Vec<Fact> {
    let is_qemu = matches!(have.domain_type.as_str(), "kvm" | "qemu");
    let qemu = want.qemu_facts.iter().filter(|_| is_qemu).cloned();
    let graphics = want.graphics.iter().flat_map(|graphics| graphics.facts());
    let facts = want.facts.iter().cloned().chain(qemu);
    facts
        .chain(graphics)
        .chain(want.device_facts.iter().cloned())
        .collect()
}

fn resolved_disks(
    call: &Call,
    want: &VmWant,
    have: &Vm,
    seen: &Observation,
    partitions: &mut Partitions,
) -> Result<Option<Vec<Disk>>, StateError> {
    let owner = Owner {
        vm: &want.name,
        guest: have.guest(),
        active: have.status.is_active(),
        exists: true,
    };
    profile::disks(call, want, &seen.config)?
        .map(|disks| {
            disks
                .iter()
                .map(|disk| resolve(disk, owner, seen, partitions))
                .collect()
        })
        .transpose()
}

/// An existing VM and what is declared of it.
struct Target<'a> {
    want: &'a VmWant,
    have: &'a Vm,
    old: &'a str,
    facts: &'a [Fact],
}

impl Target<'_> {
    /// The edited definition, and what that means for the devices of the running VM.
    fn definition(
        &self,
        disks: Option<&[Disk]>,
        nics: Option<&[nics::Nic]>,
        partitions: &Partitions,
    ) -> Result<(String, Vec<LiveDevice>), StateError> {
        let xml = edited(&object(&self.want.name), self.old, self.facts)?;
        let edit = || {
            let mut document = Document::new(xml)?;
            let mut devices = Vec::new();
            if let Some(disks) = disks {
                devices.extend(disks::edit(&mut document, disks)?);
                partitions.remember(&mut document)?;
            }
            if let Some(nics) = nics {
                devices.extend(nics::edit(&mut document, nics, self.have.uuid)?);
            }
            Ok((document.into_string(), devices))
        };
        edit().map_err(|error: domxml::EditError| self.bad(error))
    }

    fn steps(
        &self,
        new: &str,
        mut steps: Vec<PlannedStep>,
        devices: Vec<LiveDevice>,
        disks: Vec<Disk>,
        nics_declared: bool,
        end: End,
    ) -> Result<ChunkPlan, StateError> {
        let name = &self.want.name;
        let disks_declared = self.want.disks.is_some() || self.want.disk_profile.is_some();
        let redefined = new != self.old || !self.have.persistent;
        let (mut notes, mut pending) = (self.want.notes.clone(), Vec::new());
        for disk in disks {
            steps.extend(disk.steps);
            notes.extend(disk.notes);
            pending.extend(disk.pending);
        }
        let mut flags = Map::new();
        let define_at = steps.len();
        if redefined {
            steps.push(self.define(new)?);
            flags.insert("definition".to_owned(), json!(true));
        }
        if let Some(on) = self.want.autostart.filter(|on| *on != self.have.autostart) {
            steps.push(autostart(name, on));
            flags.insert("autostart".to_owned(), json!(on));
        }
        let mut live = Live::new(self, steps.len());
        if redefined
            && self.want.live
            && let Some(xml) = self.running_xml()
        {
            live.plan(xml, new, devices)?;
            steps.append(&mut live.steps);
            notes.append(&mut live.notes);
        }
        if let Some(xml) = self.running_xml() {
            let classes = [(disks_declared, "disk "), (nics_declared, "interface ")];
            pending.extend(self.waiting(live.after.as_deref().unwrap_or(xml), new, &classes)?);
        }
        if redefined {
            steps[define_at].consequence = match (self.running_xml(), pending.is_empty()) {
                (None, _) => Consequence::None,
                (Some(_), true) => Consequence::Live,
                (Some(_), false) => Consequence::NextBoot,
            };
        }
        let updated = !steps.is_empty();
        let life = match end {
            End::Defined => None,
            End::Running => self.life()?,
        };
        let word = life.as_ref().map(|(_, flag)| *flag);
        if let Some((step, flag)) = life {
            steps.push(step);
            flags.insert(flag.to_owned(), json!(true));
        }
        let changes = match (updated, word) {
            (false, None) => Changes::none(),
            (false, Some(_)) => Changes::Fixed(single(name, flags)),
            (true, _) => live.changes(flags),
        };
        Ok(ChunkPlan {
            plan: Plan { steps, pending },
            notes,
            outcome: Outcome::new(comment(name, updated, word, end), changes),
        })
    }

    /// The running definition, if the VM runs and its definition is not the running one.
    fn running_xml(&self) -> Option<&str> {
        let active = self.have.status.is_active();
        self.have.xml_live.as_deref().filter(|_| active)
    }

    fn define(&self, new: &str) -> Result<PlannedStep, StateError> {
        let name = &self.want.name;
        let what = self.subjects(new)?.join(", ");
        // A transient VM had no definition to go back to.
        let back = match self.have.persistent {
            true => VmOp::Define {
                xml: self.old.to_owned(),
            },
            false => VmOp::Undefine,
        };
        Ok(defining(
            vm(
                name,
                VmOp::Define {
                    xml: new.to_owned(),
                },
            ),
            Consequence::None,
            format!("Update the definition of VM {name}: {what}"),
            vm(name, back),
            (self.old, new),
        ))
    }

    /// What of the definition changes, in the words of libvirt's XML.
    fn subjects(&self, new: &str) -> Result<Vec<String>, StateError> {
        if new == self.old {
            return Ok(vec!["it gets one that lasts".to_owned()]);
        }
        let doc = parse("domain", "domain", self.old).map_err(|e| self.bad(e))?;
        let unmet = unmet(doc.root_element(), self.facts);
        let mut subjects: Vec<String> = unmet.iter().map(|fact| fact.subject()).collect();
        if edited(&object(&self.want.name), self.old, self.facts)? != new {
            subjects.push("devices".to_owned());
        }
        subjects.dedup();
        Ok(subjects)
    }

    /// What is declared and the running VM will not have.
    fn waiting(
        &self,
        live: &str,
        new: &str,
        classes: &[(bool, &str)],
    ) -> Result<Vec<String>, StateError> {
        let doc = parse("domain", "domain", live).map_err(|e| self.bad(e))?;
        let root = doc.root_element();
        let old = parse("domain", "domain", self.old).map_err(|e| self.bad(e))?;
        let changes = |fact: &Fact| !fact.holds(old.root_element());
        let facts = unmet(root, self.facts)
            .into_iter()
            .filter(|fact| !resolved::at_start(fact, root) || changes(fact))
            .map(|fact| fact.waiting(root, Object::Vm));
        let devices = differs(live, new).map_err(|e| self.bad(e))?;
        let declared = |what: &str| {
            classes
                .iter()
                .any(|(on, class)| *on && what.starts_with(class))
        };
        let devices = devices
            .into_iter()
            .filter(|pending| declared(&pending.what));
        Ok(facts
            .chain(devices.map(|pending| pending.to_string()))
            .collect())
    }

    /// The step that makes the VM run, and the flag it sets.
    fn life(&self) -> Result<Option<(PlannedStep, &'static str)>, StateError> {
        let name = &self.want.name;
        let refused = |why: model::Denied| {
            StateError::host(
                format!("VM {name} cannot be started: {why}"),
                "Try again when it has come to rest",
            )
        };
        // Salt asks for a start, which libvirt refuses while the VM is paused; resuming is what was meant.
        if matches!(self.have.status, VmStatus::Paused | VmStatus::Suspended) {
            let resume = planned(
                vm(name, VmOp::Life(Request::Resume)),
                Consequence::Live,
                format!("Resume VM {name}"),
                by(vm(name, VmOp::Life(Request::Pause))),
            );
            return Ok(Some((resume, "resumed")));
        }
        match self.have.admit(Request::Start) {
            Ok(Admit::AlreadyThere) => Ok(None),
            Ok(Admit::Queue) => Ok(Some((start(name), "started"))),
            Err(why) => Err(refused(why)),
        }
    }

    fn bad(&self, error: impl ToString) -> StateError {
        StateError::definition(object(&self.want.name), error)
    }
}

fn comment(name: &str, updated: bool, life: Option<&str>, end: End) -> String {
    match (updated, life, end) {
        (true, Some(word), _) => format!("Domain {name} updated and {word}"),
        (true, None, _) => format!("Domain {name} updated"),
        (false, Some(word), _) => format!("Domain {name} {word}"),
        (false, None, End::Defined) => format!("Domain {name} unchanged"),
        (false, None, End::Running) => format!("Domain {name} exists and is running"),
    }
}

/// The changes of the running VM.
struct Live<'a> {
    target: &'a Target<'a>,
    first: usize,
    steps: Vec<PlannedStep>,
    devices: Vec<DeviceChange>,
    scalars: Vec<(usize, &'static str)>,
    /// Why something waits for the next start that other guests take at once.
    notes: Vec<String>,
    /// The running definition as it will be.
    after: Option<String>,
}

impl<'a> Live<'a> {
    const fn new(target: &'a Target<'a>, first: usize) -> Self {
        Self {
            target,
            first,
            steps: Vec::new(),
            devices: Vec::new(),
            scalars: Vec::new(),
            notes: Vec::new(),
            after: None,
        }
    }

    fn plan(&mut self, live: &str, new: &str, devices: Vec<LiveDevice>) -> Result<(), StateError> {
        self.after = Some(live.to_owned());
        self.size(live, new)?;
        // Unplugged first: a new disk may take the name of one that goes.
        let (gone, others): (Vec<_>, Vec<_>) = devices
            .into_iter()
            .partition(|device| matches!(device.change, DeviceEdit::Gone));
        for device in gone.into_iter().chain(others) {
            self.device(live, device)?;
        }
        Ok(())
    }

    fn size(&mut self, live: &str, new: &str) -> Result<(), StateError> {
        let target = self.target;
        let name = &target.want.name;
        let bad = |error| target.bad(error);
        let new_xml = new;
        let (old, new, now) = (
            read(self.target.old).map_err(bad)?,
            read(new).map_err(bad)?,
            read(live).map_err(bad)?,
        );
        let declared = self.target.want.vcpus;
        if let Some(count) = declared.filter(|n| *n != now.vcpus && *n <= now.vcpus_max)
            && (old.vcpus, old.vcpus_max) != (new.vcpus, new.vcpus_max)
            && (count > now.vcpus || can_unplug(live, count))
        {
            let back = vm(name, VmOp::VcpusLive(now.vcpus));
            let summary = format!("Give VM {name} {count} vCPUs while it runs");
            if self.push(
                VmOp::VcpusLive(count),
                Capability::ResizeVcpus,
                summary,
                back,
            ) {
                self.scalars.push((self.last(), "cpu"));
            }
        }
        let declared = self.target.want.memory;
        if let Some(size) = declared.filter(|size| *size <= now.memory_max)
            && !nearly(size, now.memory)
            && (old.memory, old.memory_max) != (new.memory, new.memory_max)
        {
            let back = vm(name, VmOp::MemoryLive(now.memory));
            let summary = format!("Give VM {name} {size} of memory while it runs");
            if self.push(
                VmOp::MemoryLive(size),
                Capability::ResizeMemory,
                summary,
                back,
            ) {
                self.scalars.push((self.last(), "mem"));
            }
        }
        let trees = [self.target.old, new_xml, live].map(|xml| parse("domain", "domain", xml));
        let [old, new, live] = trees;
        let (old, new, live) = (old.map_err(bad)?, new.map_err(bad)?, live.map_err(bad)?);
        for tune in tuning::tunes(old.root_element(), new.root_element(), live.root_element()) {
            let summary = format!("Give VM {name} {} while it runs", tune.tuning);
            let back = match tune.back {
                Some(back) => by(vm(name, VmOp::TuneLive(back))),
                None => Undo::NotNeeded("the next start has what the definition says"),
            };
            if self.push_with(VmOp::TuneLive(tune.tuning), tune.takes, summary, back) {
                self.scalars.push((self.last(), tune.flag));
            }
        }
        Ok(())
    }

    fn device(&mut self, live: &str, device: LiveDevice) -> Result<(), StateError> {
        let name = &self.target.want.name;
        let LiveDevice { class, key, change } = device;
        let element = class.word();
        let there = device_at(live, element, &key);
        let what = format!("{element} {key}");
        let (op, takes, list, summary, back) = match (change, there) {
            (DeviceEdit::Come(xml), _) => {
                let takes = plugging(class, &xml, live);
                let op = VmOp::AttachLive { xml: xml.clone() };
                let summary = format!("Plug {what} into VM {name} while it runs");
                (op, takes, "attached", summary, VmOp::DetachLive { xml })
            }
            // The running VM does not have it (any more).
            (_, None) => return Ok(()),
            (DeviceEdit::Gone, Some(xml)) => {
                let takes = plugging(class, &xml, live);
                let op = VmOp::DetachLive { xml: xml.clone() };
                let summary = format!("Unplug {what} from VM {name} while it runs");
                (op, takes, "detached", summary, VmOp::AttachLive { xml })
            }
            (DeviceEdit::Medium(kind, source), Some(xml)) => {
                let op = disks::with_medium(&xml, kind, source.as_ref())?;
                let summary = format!("Change the medium of {what} of VM {name}");
                let back = VmOp::UpdateLive { xml };
                (op, Capability::ChangeMedium, "updated", summary, back)
            }
            (DeviceEdit::Plug(kind, source), Some(xml)) => {
                let op = nics::with_plug(&xml, &kind, &source)?;
                let summary = format!("Move {what} of VM {name} to {kind} {}", plug_name(&source));
                let back = VmOp::UpdateLive { xml };
                (op, Capability::MoveNic, "updated", summary, back)
            }
        };
        let xml = match &op {
            VmOp::AttachLive { xml } | VmOp::DetachLive { xml } | VmOp::UpdateLive { xml } => {
                xml.clone()
            }
            _ => String::new(),
        };
        if self.push(op, takes, summary, vm(name, back)) {
            self.devices.push(DeviceChange {
                step: self.last(),
                class: class.word(),
                list,
                xml,
            });
        }
        Ok(())
    }

    /// What the result says of an update with these changes.
    fn changes(self, flags: Map) -> Changes {
        let name = &self.target.want.name;
        Changes::Updated {
            name: name.clone(),
            flags,
            devices: self.devices,
            scalars: self.scalars,
            comment_if_refused: format!("Domain {name} updated with live update(s) failures"),
        }
    }

    /// Adds a step, unless guests of this kind are not capable of it: then it waits for the next start, and false.
    fn push(
        &mut self,
        op: VmOp,
        takes: Capability,
        summary: String,
        back: model::plan::Step,
    ) -> bool {
        self.push_with(op, takes, summary, by(back))
    }

    fn push_with(&mut self, op: VmOp, takes: Capability, summary: String, undo: Undo) -> bool {
        if let Some(lack) = self.target.have.guest().lacks(takes) {
            let waits = format!("{summary}: at its next start. {lack}");
            self.notes.push(waits);
            return false;
        }
        self.after = self
            .after
            .take()
            .map(|xml| live_xml_after(&xml, &op).unwrap_or(xml));
        let step = vm(&self.target.want.name, op);
        self.steps
            .push(planned(step, Consequence::Live, summary, undo));
        true
    }

    const fn last(&self) -> usize {
        self.first + self.steps.len() - 1
    }
}

/// What plugging a device in, or unplugging it, takes of a VM that runs as `live`.
fn plugging(class: Devices, device: &str, live: &str) -> Capability {
    // QEMU serves disk images to a Xen guest from its start on, or not at all.
    let has_image = |xml: &str| {
        roxmltree::Document::parse(xml).is_ok_and(|doc| {
            let drivers = doc.descendants().filter(|node| node.has_tag_name("driver"));
            let mut formats = drivers.map(|driver| driver.attr("type").to_owned());
            formats.any(|format| !matches!(format.as_str(), "" | "raw"))
        })
    };
    match class {
        Devices::Nics => Capability::PlugNic,
        Devices::Given => Capability::HostDevices,
        Devices::Disks if !has_image(device) => Capability::PlugRaw,
        Devices::Disks if has_image(live) => Capability::PlugImage,
        Devices::Disks => Capability::PlugFirstImage,
    }
}

fn plug_name(source: &Element) -> &str {
    source
        .get("network")
        .or(source.get("bridge"))
        .unwrap_or_default()
}

/// Whether the vCPUs beyond `count` can be taken away: QEMU refuses those that were there at boot.
fn can_unplug(live: &str, count: u32) -> bool {
    let Ok(doc) = parse("domain", "domain", live) else {
        return false;
    };
    let vcpus = doc
        .root_element()
        .child("vcpus")
        .map(|v| v.children_named("vcpu"));
    let vcpus = vcpus.unwrap_or_default();
    let beyond =
        |node: &roxmltree::Node| node.attr("id").parse::<u32>().is_ok_and(|id| id >= count);
    let mut online = vcpus
        .iter()
        .filter(|n| beyond(n) && n.attr("enabled") == "yes")
        .peekable();
    online.peek().is_some() && online.all(|node| node.attr("hotpluggable") == "yes")
}
