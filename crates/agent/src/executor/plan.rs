//! A plan as an object to read, keep and agree on: what each state would do, and a hash over it.
//!
//! Two plans with the same hash do the same steps with the same contents, whenever and wherever they were made.

use hypervisor::attempt;
use model::Request;
use model::plan::{
    FileOp, NetworkOp, Plan, PlannedStep, PoolOp, SecretOp, Step, Tuning, Undo, VmOp, VolumeOp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sls::Map;
use states::ChunkPlan;
use std::collections::BTreeMap;

/// A plan of one run of states. The form is [`PlanFile::FORMAT`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Version of this form.
    pub format: u32,
    /// The host it is for, and the hypervisor there.
    pub host: String,
    pub uri: String,
    /// What was asked for: `mods`, `pillar`, `saltenv`, `exclude`, `pillarenv`.
    pub run: Map,
    /// One entry per state, in Salt's order.
    pub states: Vec<Value>,
    /// The worst consequence of all steps.
    pub consequence: String,
    /// SHA-256 over the steps, in hexadecimal digits.
    pub hash: String,
}

impl PlanFile {
    pub const FORMAT: u32 = 1;
}

/// The states of a plan, from the results of a dry run and the plans behind them.
pub fn describe(results: &Map, planned: &[(String, ChunkPlan)]) -> Vec<Value> {
    let of = |key: &str| planned.iter().find(|(known, _)| known == key);
    let tell = |(key, result): (&String, &Value)| {
        let plan = of(key).map(|(_, plan)| plan);
        let steps = plan.map_or(&[][..], |plan| &plan.plan.steps);
        let mut parts = key.split("_|-");
        let module = parts.next().unwrap_or_default();
        let fun = parts.last().unwrap_or_default();
        json!({
            "key": key,
            "id": result["__id__"],
            "sls": result["__sls__"],
            "state": format!("{module}.{fun}"),
            "name": result["name"],
            "result": result["result"],
            "comment": result["comment"],
            "changes": result["changes"],
            "steps": steps.iter().map(step).collect::<Vec<_>>(),
            "xml": steps.iter().filter_map(|step| step.diff.as_ref()).next_back().map(|diff| &diff.after),
            "devices": steps.iter().filter_map(device).collect::<Vec<_>>(),
            "pending": plan.map_or(&[][..], |plan| &plan.plan.pending),
            "notes": plan.map_or(&[][..], |plan| &plan.notes),
        })
    };
    results.iter().map(tell).collect()
}

fn step(planned: &PlannedStep) -> Value {
    let undo = match &planned.undo {
        Undo::By(step) => attempt(step),
        Undo::NotNeeded(why) => format!("not needed: {why}"),
    };
    let diff = planned.diff.as_ref();
    json!({
        "do": attempt(&planned.step),
        "call": call_of(&planned.step),
        "with": content(&planned.step),
        "summary": planned.summary,
        "consequence": planned.consequence.as_str(),
        "undo": undo,
        "diff": diff.map(|diff| json!({"before": diff.before, "after": diff.after})),
    })
}

/// A device that comes to, goes from or changes in a running VM.
fn device(planned: &PlannedStep) -> Option<Value> {
    let Step::Vm { op, .. } = &planned.step else {
        return None;
    };
    match op {
        VmOp::AttachLive { xml } => Some(json!({"change": "attach", "xml": xml})),
        VmOp::DetachLive { xml } => Some(json!({"change": "detach", "xml": xml})),
        VmOp::UpdateLive { xml } => Some(json!({"change": "update", "xml": xml})),
        _ => None,
    }
}

/// The call of libvirt that does the step; a step of several calls has the one that makes the change. What is done to the
/// host's files is no call of libvirt.
const fn call_of(step: &Step) -> &'static str {
    match step {
        Step::Pool { op, .. } => match op {
            PoolOp::Define { .. } => "virStoragePoolDefineXML",
            PoolOp::CreateTransient { .. } => "virStoragePoolCreateXML",
            PoolOp::Build => "virStoragePoolBuild",
            PoolOp::Start => "virStoragePoolCreate",
            PoolOp::Stop => "virStoragePoolDestroy",
            PoolOp::Refresh => "virStoragePoolRefresh",
            PoolOp::Autostart(_) => "virStoragePoolSetAutostart",
            PoolOp::Delete => "virStoragePoolDelete",
            PoolOp::Undefine => "virStoragePoolUndefine",
        },
        Step::Volume { op, .. } => match op {
            VolumeOp::Create { .. } => "virStorageVolCreateXML",
            VolumeOp::CreateFromImage { .. } | VolumeOp::Write { .. } => "virStorageVolUpload",
            VolumeOp::Resize { .. } => "virStorageVolResize",
            VolumeOp::Delete => "virStorageVolDelete",
        },
        Step::Network { op, .. } => match op {
            NetworkOp::Define { .. } => "virNetworkDefineXML",
            NetworkOp::Start => "virNetworkCreate",
            NetworkOp::Stop => "virNetworkDestroy",
            NetworkOp::Autostart(_) => "virNetworkSetAutostart",
            NetworkOp::Update { .. } => "virNetworkUpdate",
            NetworkOp::Undefine => "virNetworkUndefine",
        },
        Step::Vm { op, .. } => match op {
            VmOp::Define { .. } => "virDomainDefineXML",
            VmOp::Autostart(_) => "virDomainSetAutostart",
            VmOp::Life(request) => match request {
                Request::Start => "virDomainCreate",
                Request::Shutdown => "virDomainShutdown",
                Request::Reboot => "virDomainReboot",
                Request::ForceOff => "virDomainDestroy",
                Request::Reset => "virDomainReset",
                Request::Pause => "virDomainSuspend",
                Request::Resume => "virDomainResume",
                Request::Save => "virDomainManagedSave",
            },
            VmOp::AttachLive { .. } => "virDomainAttachDeviceFlags",
            VmOp::DetachLive { .. } => "virDomainDetachDeviceFlags",
            VmOp::UpdateLive { .. } => "virDomainUpdateDeviceFlags",
            VmOp::VcpusLive(_) => "virDomainSetVcpusFlags",
            VmOp::MemoryLive(_) => "virDomainSetMemoryFlags",
            VmOp::TuneLive(tuning) => match tuning {
                Tuning::Scheduler { .. } => "virDomainSetSchedulerParametersFlags",
                Tuning::PinVcpu { .. } => "virDomainPinVcpuFlags",
                Tuning::PinEmulator { .. } => "virDomainPinEmulator",
                Tuning::PinIoThread { .. } => "virDomainPinIOThread",
                Tuning::AddIoThread(_) => "virDomainAddIOThread",
                Tuning::RemoveIoThread(_) => "virDomainDelIOThread",
                Tuning::MemoryLimit { .. } => "virDomainSetMemoryParameters",
            },
            VmOp::Migrate(_) => "virDomainMigrateToURI3",
            VmOp::StartPostcopy => "virDomainMigrateStartPostCopy",
            VmOp::CreateTransient { .. } => "virDomainCreateXML",
            VmOp::SendKeys { .. } => "virDomainSendKey",
            VmOp::TakeSnapshot { .. } => "virDomainSnapshotCreateXML",
            VmOp::RevertTo { .. } => "virDomainRevertToSnapshot",
            VmOp::DeleteSnapshot { .. } => "virDomainSnapshotDelete",
            VmOp::Undefine | VmOp::Purge => "virDomainUndefineFlags",
        },
        Step::Secret { op, .. } => match op {
            SecretOp::Define { .. } => "virSecretDefineXML",
            SecretOp::SetValue { .. } => "virSecretSetValue",
            SecretOp::Undefine => "virSecretUndefine",
        },
        Step::File { op, .. } => match op {
            FileOp::Write { .. } => "write",
            FileOp::Fetch { .. } => "fetch",
            FileOp::Remove => "unlink",
        },
    }
}

/// What a step carries beside the words that name it.
fn content(step: &Step) -> Value {
    match step {
        Step::Pool {
            op: PoolOp::Define { xml } | PoolOp::CreateTransient { xml },
            ..
        }
        | Step::Secret {
            op: SecretOp::Define { xml },
            ..
        }
        | Step::Volume {
            op: VolumeOp::Create { xml },
            ..
        }
        | Step::Network {
            op: NetworkOp::Define { xml },
            ..
        }
        | Step::Vm {
            op:
                VmOp::Define { xml }
                | VmOp::CreateTransient { xml }
                | VmOp::AttachLive { xml }
                | VmOp::DetachLive { xml }
                | VmOp::UpdateLive { xml },
            ..
        } => json!({ "xml": xml }),
        Step::Volume {
            op:
                VolumeOp::CreateFromImage {
                    image,
                    format,
                    size,
                },
            ..
        } => json!({
            "image": image.shown(),
            "checksum": image.checksum,
            "format": format,
            "size_bytes": size.map(|size| size.0),
        }),
        Step::Volume {
            op: VolumeOp::Resize { capacity },
            ..
        } => json!({"size_bytes": capacity.0}),
        Step::Vm {
            op: VmOp::MemoryLive(size),
            ..
        } => json!({"size_bytes": size.0}),
        Step::Network {
            op:
                NetworkOp::Update {
                    parent_index,
                    xml,
                    live,
                    ..
                },
            ..
        } => {
            json!({"xml": xml, "parent_index": parent_index, "live": live})
        }
        Step::Pool {
            op: PoolOp::Autostart(on),
            ..
        }
        | Step::Network {
            op: NetworkOp::Autostart(on),
            ..
        }
        | Step::Vm {
            op: VmOp::Autostart(on),
            ..
        } => json!({ "on": on }),
        // Media that are written hold passwords and keys: a plan is kept in files.
        Step::Volume {
            op: VolumeOp::Write { content },
            ..
        }
        | Step::File {
            op: FileOp::Write { content, .. },
            ..
        } => json!({"sha256": hex(&Sha256::digest(&content.0)), "size_bytes": content.0.len()}),
        Step::File {
            op: FileOp::Fetch { source },
            ..
        } => json!({"from": source.shown(), "checksum": source.checksum}),
        // A password is short enough to be guessed from its hash.
        Step::Secret {
            op: SecretOp::SetValue { .. },
            ..
        } => Value::Null,
        Step::Vm {
            op: VmOp::Migrate(migration),
            ..
        } => json!({"to": model::plan::without_credentials(&migration.target)}),
        // The words that name these steps say everything.
        Step::Pool {
            op:
                PoolOp::Build
                | PoolOp::Start
                | PoolOp::Stop
                | PoolOp::Refresh
                | PoolOp::Delete
                | PoolOp::Undefine,
            ..
        }
        | Step::Volume {
            op: VolumeOp::Delete,
            ..
        }
        | Step::Network {
            op: NetworkOp::Start | NetworkOp::Stop | NetworkOp::Undefine,
            ..
        }
        | Step::Vm {
            op:
                VmOp::Life(_)
                | VmOp::VcpusLive(_)
                | VmOp::TuneLive(_)
                | VmOp::StartPostcopy
                | VmOp::SendKeys { .. }
                | VmOp::TakeSnapshot { .. }
                | VmOp::RevertTo { .. }
                | VmOp::DeleteSnapshot { .. }
                | VmOp::Undefine
                | VmOp::Purge,
            ..
        }
        | Step::Secret {
            op: SecretOp::Undefine,
            ..
        }
        | Step::File {
            op: FileOp::Remove, ..
        } => Value::Null,
    }
}

/// What counts of a state of a plan: which it is, and for each step what is done, with what, at which cost.
fn essence(state: &Value) -> Vec<[&Value; 3]> {
    let steps = state["steps"].as_array();
    steps
        .into_iter()
        .flatten()
        .map(|step| [&step["do"], &step["with"], &step["consequence"]])
        .collect()
}

/// SHA-256 over the steps of all states.
pub fn hash_of(states: &[Value]) -> String {
    let mut hash = Sha256::new();
    for state in states {
        hash.update(json!([state["key"], essence(state)]).to_string());
        hash.update("\n");
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where two plans differ, a sentence for each state.
pub fn differences(agreed: &[Value], now: &[Value]) -> Vec<String> {
    let find = |states: &'_ [Value], key: &Value| {
        states.iter().find(|state| state["key"] == *key).cloned()
    };
    let mut told = Vec::new();
    for state in now {
        let name = title(state);
        match find(agreed, &state["key"]) {
            None => told.push(format!("{name} is not in the plan")),
            Some(before) if essence(&before) != essence(state) => {
                let (before, after) = (summaries(&before), summaries(state));
                told.push(if before == after {
                    format!("{name}: the same steps ({after}), but with other contents")
                } else {
                    format!("{name}: planned was {before}; now it would be {after}")
                });
            }
            Some(_) => {}
        }
    }
    let gone = agreed
        .iter()
        .filter(|state| find(now, &state["key"]).is_none());
    told.extend(gone.map(|state| format!("{} is in the plan only", title(state))));
    if told.is_empty() {
        told.push("the states come in another order".to_owned());
    }
    told
}

fn title(state: &Value) -> String {
    let text = |key: &str| state[key].as_str().unwrap_or_default().to_owned();
    format!("{} ({})", text("id"), text("state"))
}

fn summaries(state: &Value) -> String {
    let steps = state["steps"].as_array().into_iter().flatten();
    let summaries: Vec<&str> = steps.filter_map(|step| step["summary"].as_str()).collect();
    if summaries.is_empty() {
        return "nothing to do".to_owned();
    }
    summaries.join(", ")
}

/// What each state may do, by its key. Contents were compared before the run; here it is the steps and their
/// consequences, since a definition that an earlier state wrote comes back from the hypervisor in its own words.
#[derive(Debug, Clone)]
pub struct Agreed(BTreeMap<String, Vec<(String, String)>>);

impl Agreed {
    /// What `states` of a plan allow.
    pub fn new(states: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let steps = |state: &Value| {
            let steps = state["steps"].as_array().into_iter().flatten();
            steps
                .map(|step| (text(&step["do"]), text(&step["consequence"])))
                .collect()
        };
        Self(
            states
                .iter()
                .map(|state| (text(&state["key"]), steps(state)))
                .collect(),
        )
    }

    /// The comment of a state that would do something else.
    pub(super) fn check(&self, key: &str, plan: &Plan) -> Result<(), String> {
        let agreed = self.0.get(key).map_or(&[][..], Vec::as_slice);
        let now = plan.steps.iter();
        let now: Vec<(String, String)> = now
            .map(|planned| (attempt(&planned.step), planned.consequence.to_string()))
            .collect();
        if agreed == now {
            return Ok(());
        }
        let words = |steps: &[(String, String)]| match steps {
            [] => "nothing".to_owned(),
            steps => steps
                .iter()
                .map(|(what, _)| what.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        };
        Err(format!(
            "The host changed while the plan was applied, so nothing was done here. Planned: {}. Now: {}.\nHint: make a new plan",
            words(agreed),
            words(&now)
        ))
    }
}
