//! `virt.*` functions about networks.

use super::change::switch;
use super::table::{Access, Function};
use super::{Call, Fault, Return};
use hypervisor::Key;
use model::plan::{NetworkOp, Step};
use model::{Lease, Network};
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.list_networks",
        signature: "",
        doc: "virt.list_networks\n\nNames of all networks.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let networks = call.minion.hypervisor.inventory().await?.networks;
                Ok(Return::ok(
                    networks
                        .into_iter()
                        .map(|network| network.name)
                        .collect::<Vec<_>>(),
                ))
            })
        },
    },
    Function {
        name: "virt.network_info",
        signature: "name=None",
        doc: "virt.network_info [NAME]\n\n{name: bridge, active, autostart… (0 or 1), leases}, of one network or of all; an unknown one gives {}.",
        access: Access::Reads,
        run: |call| Box::pin(network_info(call)),
    },
    Function {
        name: "virt.network_get_xml",
        signature: "name",
        doc: "virt.network_get_xml NAME\n\nThe network's definition.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(find_network(&call).await?.xml)) }),
    },
    Function {
        name: "virt.network_start",
        signature: "name",
        doc: "virt.network_start NAME\n\nStarts the network.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, NetworkOp::Start)),
    },
    Function {
        name: "virt.network_stop",
        signature: "name",
        doc: "virt.network_stop NAME\n\nStops the network; its VMs lose their link.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, NetworkOp::Stop)),
    },
    Function {
        name: "virt.network_undefine",
        signature: "name",
        doc: "virt.network_undefine NAME\n\nRemoves the definition; a running network goes when it is stopped.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, NetworkOp::Undefine)),
    },
    Function {
        name: "virt.network_set_autostart",
        signature: "name, state='on'",
        doc: "virt.network_set_autostart NAME [on|off]\n\nStarts the network with its host, or not.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let on = switch(&call.args).unwrap_or(false);
                change(call, NetworkOp::Autostart(on)).await
            })
        },
    },
];

pub(super) async fn find_network(call: &Call<'_>) -> Result<Network, Fault> {
    let name = call.args.required(0, "name")?;
    let found = call
        .minion
        .hypervisor
        .find_network(&Key::Name(name.clone()))
        .await?;
    found.ok_or_else(|| {
        Fault::new(format!("there is no network {name}"))
            .hint("virt.list_networks lists the networks of this host")
    })
}

async fn network_info(call: Call<'_>) -> Result<Return, Fault> {
    let networks = match call.args.text(0, "name")? {
        Some(name) => call
            .minion
            .hypervisor
            .find_network(&Key::Name(name))
            .await?
            .into_iter()
            .collect(),
        None => call.minion.hypervisor.inventory().await?.networks,
    };
    let mut told = Map::new();
    for network in &networks {
        let leases = match network.active {
            true => call.minion.hypervisor.leases(&network.name).await,
            false => Ok(Vec::new()),
        };
        // A network that stopped meanwhile, or a driver without leases, is still a network.
        let leases = leases.unwrap_or_default();
        told.insert(network.name.clone(), info(network, &leases));
    }
    Ok(Return::ok(told))
}

fn lease(lease: &Lease) -> Value {
    let text = |text: &Option<String>| text.as_ref().map_or(Value::Null, |text| json!(text));
    json!({
        "iface": lease.interface,
        "expirytime": lease.expiry,
        "type": if lease.is_ipv6 { "ipv6" } else { "ipv4" },
        "mac": lease.mac,
        "iaid": text(&lease.iaid),
        "ipaddr": lease.address,
        "prefix": lease.prefix,
        "hostname": text(&lease.host_name),
        "clientid": text(&lease.client_id),
    })
}

fn info(network: &Network, leases: &[Lease]) -> Value {
    let bridge = (!network.bridge.is_empty()).then_some(&network.bridge);
    json!({
        "uuid": network.uuid.to_string(),
        "bridge": bridge,
        "autostart": u8::from(network.autostart),
        "active": u8::from(network.active),
        "persistent": u8::from(network.persistent),
        "leases": leases.iter().map(lease).collect::<Vec<_>>(),
    })
}

async fn change(call: Call<'_>, op: NetworkOp) -> Result<Return, Fault> {
    let name = find_network(&call).await?.name;
    call.minion
        .hypervisor
        .perform(&Step::Network { name, op })
        .await?;
    Ok(Return::ok(true))
}
