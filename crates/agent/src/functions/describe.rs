//! `host.describe`: the host as files, from which plans are made elsewhere; `virt.export`: VMs as SLS.

use super::table::{Access, Function};
use super::{Call, Fault, Return};
use crate::compile::{self, Extra};
use described::Facts;
use hypervisor::{Document, Reason};
use serde_json::{Map, Value};
use states::Exportable;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "host.describe",
        signature: "pillar=False",
        doc: "host.describe [pillar=True]\n\nThe host as files, {path: text}: capabilities, definitions of VMs, networks, pools and volumes, grains, and with pillar=True the pillar. salar plan --against plans with them; salar describe writes them into a folder.",
        access: Access::Reads,
        run: |call| Box::pin(describe(call)),
    },
    Function {
        name: "virt.export",
        signature: "*names",
        doc: "virt.export [VM…]\n\nThe SLS that declares these VMs, with the networks and pools that they use; without a name, everything there is. Applied to the same host it changes nothing; what it has no words for is named in comments.",
        access: Access::Reads,
        run: |call| Box::pin(export(call)),
    },
];

async fn describe(call: Call<'_>) -> Result<Return, Fault> {
    let minion = call.minion;
    let target = compile::target(minion, Extra::default()).await?;
    let wants_pillar = call.args.get(0, "pillar") == Some(&Value::Bool(true));
    let facts = Facts {
        name: minion.id.clone(),
        uri: minion.uri.clone(),
        grains: target.grains,
        config: described_config(&minion.config),
        pillar: wants_pillar.then_some(target.pillar),
    };
    let files = described::files_of(minion.hypervisor.as_ref(), &facts).await?;
    let files: Map<String, Value> = files
        .into_iter()
        .map(|(path, text)| (path, Value::String(text)))
        .collect();
    Ok(Return::ok(files))
}

/// What states depend on; how libvirt is reached is not for others.
fn described_config(config: &Map<String, Value>) -> Map<String, Value> {
    let told = ["virt", "saltenv", "pillarenv"].into_iter();
    let mut told: Map<String, Value> = told
        .filter_map(|key| Some((key.to_owned(), config.get(key)?.clone())))
        .collect();
    if let Some(Value::Object(virt)) = told.get_mut("virt") {
        virt.shift_remove("connection");
    }
    told
}

async fn export(call: Call<'_>) -> Result<Return, Fault> {
    let names = (0..call.args.positional().len()).map(|position| call.args.text(position, ""));
    let names: Vec<String> = names
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    let host = exportable(&call).await?;
    match states::export(&names, &host) {
        Ok(sls) => Ok(Return::ok(sls)),
        Err(unknown) => Err(Fault::new(format!(
            "The VM \"{}\" is not present",
            unknown.join("\", \"")
        ))
        .hint("virt.list_domains lists the VMs of this host")),
    }
}

async fn exportable(call: &Call<'_>) -> Result<Exportable, Fault> {
    let hypervisor = &call.minion.hypervisor;
    let devices = match hypervisor.documents(&Document::NodeDevices).await {
        Err(error) if error.reason == Reason::Unsupported => Vec::new(),
        told => told?,
    };
    let devices = devices
        .iter()
        .filter_map(|xml| domxml::device::read(xml).ok());
    let mut host = Exportable {
        inventory: hypervisor.inventory().await?,
        devices: devices.collect(),
        ..Exportable::default()
    };
    for pool in host.inventory.pools.iter().filter(|pool| pool.active) {
        let volumes = match hypervisor.list_volumes(&pool.name).await {
            // Stopped since it was read.
            Err(error) if matches!(error.reason, Reason::NotFound | Reason::WrongState) => {
                Vec::new()
            }
            volumes => volumes?,
        };
        let keyed = volumes
            .into_iter()
            .map(|volume| ((pool.name.clone(), volume.name.clone()), volume));
        host.volumes.extend(keyed);
    }
    Ok(host)
}
