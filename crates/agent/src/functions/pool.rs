//! `virt.*` functions about storage pools.

use super::change::switch;
use super::table::{Access, Function};
use super::{Call, Fault, Return};
use hypervisor::Key;
use model::Pool;
use model::plan::{PoolOp, SecretOp, Step};
use serde_json::{Map, Value, json};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "virt.list_pools",
        signature: "",
        doc: "virt.list_pools\n\nNames of all storage pools.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let pools = call.minion.hypervisor.inventory().await?.pools;
                Ok(Return::ok(
                    pools.into_iter().map(|pool| pool.name).collect::<Vec<_>>(),
                ))
            })
        },
    },
    Function {
        name: "virt.pool_info",
        signature: "name=None",
        doc: "virt.pool_info [NAME]\n\n{name: state, sizes in bytes, target path…}, of one pool or of all; an unknown one gives {}.",
        access: Access::Reads,
        run: |call| Box::pin(pool_info(call)),
    },
    Function {
        name: "virt.pool_get_xml",
        signature: "name",
        doc: "virt.pool_get_xml NAME\n\nThe pool's definition.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(find_pool(&call).await?.xml)) }),
    },
    Function {
        name: "virt.pool_start",
        signature: "name",
        doc: "virt.pool_start NAME\n\nStarts the pool.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, PoolOp::Start)),
    },
    Function {
        name: "virt.pool_stop",
        signature: "name",
        doc: "virt.pool_stop NAME\n\nStops the pool; its volumes stay.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, PoolOp::Stop)),
    },
    Function {
        name: "virt.pool_refresh",
        signature: "name",
        doc: "virt.pool_refresh NAME\n\nReads the pool's volumes again.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, PoolOp::Refresh)),
    },
    Function {
        name: "virt.pool_build",
        signature: "name",
        doc: "virt.pool_build NAME\n\nMakes the storage of a stopped pool: its folder, its file system… Never overwrites data.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, PoolOp::Build)),
    },
    Function {
        name: "virt.pool_delete",
        signature: "name",
        doc: "virt.pool_delete NAME\n\nRemoves the storage of a stopped pool: its folder, its volume group… The definition stays.",
        access: Access::Changes,
        run: |call| Box::pin(change(call, PoolOp::Delete)),
    },
    Function {
        name: "virt.pool_undefine",
        signature: "name",
        doc: "virt.pool_undefine NAME\n\nRemoves the definition of a stopped pool, and the password that was kept for it; volumes stay.",
        access: Access::Changes,
        run: |call| Box::pin(undefine(call)),
    },
    Function {
        name: "virt.pool_set_autostart",
        signature: "name, state='on'",
        doc: "virt.pool_set_autostart NAME [on|off]\n\nStarts the pool with its host, or not.",
        access: Access::Changes,
        run: |call| {
            Box::pin(async move {
                let on = switch(&call.args).unwrap_or(false);
                change(call, PoolOp::Autostart(on)).await
            })
        },
    },
];

pub(super) async fn find_pool(call: &Call<'_>) -> Result<Pool, Fault> {
    let name = call.args.required(0, "name")?;
    let found = call
        .minion
        .hypervisor
        .find_pool(&Key::Name(name.clone()))
        .await?;
    found.ok_or_else(|| {
        Fault::new(format!("there is no storage pool {name}"))
            .hint("virt.list_pools lists the pools of this host")
    })
}

async fn pool_info(call: Call<'_>) -> Result<Return, Fault> {
    let pools = match call.args.text(0, "name")? {
        Some(name) => call
            .minion
            .hypervisor
            .find_pool(&Key::Name(name))
            .await?
            .into_iter()
            .collect(),
        None => call.minion.hypervisor.inventory().await?.pools,
    };
    Ok(Return::ok(
        pools
            .iter()
            .map(|pool| (pool.name.clone(), info(pool)))
            .collect::<Map<_, _>>(),
    ))
}

fn info(pool: &Pool) -> Value {
    json!({
        "uuid": pool.uuid.to_string(),
        "state": if pool.active { "running" } else { "inactive" },
        "capacity": pool.capacity.0,
        "allocation": pool.allocation.0,
        "free": pool.available.0,
        "autostart": pool.autostart,
        "persistent": pool.persistent,
        "target_path": pool.target,
        "type": pool.kind,
    })
}

/// With it goes the secret that the state made for the pool's password. Source: Salt.
async fn undefine(call: Call<'_>) -> Result<Return, Fault> {
    let pool = find_pool(&call).await?;
    let hypervisor = &call.minion.hypervisor;
    let (name, op) = (pool.name.clone(), PoolOp::Undefine);
    hypervisor.perform(&Step::Pool { name, op }).await?;
    for secret in states::pool_secrets(&pool) {
        if hypervisor.find_secret(&secret).await?.is_some() {
            let op = SecretOp::Undefine;
            hypervisor.perform(&Step::Secret { secret, op }).await?;
        }
    }
    Ok(Return::ok(true))
}

async fn change(call: Call<'_>, op: PoolOp) -> Result<Return, Fault> {
    let name = find_pool(&call).await?.name;
    call.minion
        .hypervisor
        .perform(&Step::Pool { name, op })
        .await?;
    Ok(Return::ok(true))
}
