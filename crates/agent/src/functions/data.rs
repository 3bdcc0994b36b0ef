//! `grains.*`, `pillar.*`, `config.get`: what is known of the host without asking the hypervisor for objects.

use super::table::{Access, Function};
use super::{Call, Fault, Return};
use crate::compile::{self, Extra};
use crate::grains;
use serde_json::{Map, Value, json};
use sls::lookup::traverse;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "grains.items",
        signature: "",
        doc: "grains.items\n\nAll grains of the host.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(grains::read(call.minion).await)) }),
    },
    Function {
        name: "grains.get",
        signature: "key, default='', delimiter=':'",
        doc: "grains.get KEY [DEFAULT]\n\nOne grain; a colon goes into a dictionary.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let grains = grains::read(call.minion).await;
                get(&call, &grains)
            })
        },
    },
    Function {
        name: "grains.item",
        signature: "*keys",
        doc: "grains.item KEY [KEY…]\n\nSome grains by name.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let grains = grains::read(call.minion).await;
                Ok(items(&call, &grains))
            })
        },
    },
    Function {
        name: "pillar.items",
        signature: "pillar=None",
        doc: "pillar.items\n\nAll pillar data of the host.",
        access: Access::Reads,
        run: |call| Box::pin(async move { Ok(Return::ok(pillar(&call).await?)) }),
    },
    Function {
        name: "pillar.get",
        signature: "key, default='', delimiter=':', pillar=None",
        doc: "pillar.get KEY [DEFAULT]\n\nOne value of the pillar; a colon goes into a dictionary.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let pillar = pillar(&call).await?;
                get(&call, &pillar)
            })
        },
    },
    Function {
        name: "pillar.item",
        signature: "*keys, pillar=None",
        doc: "pillar.item KEY [KEY…]\n\nSome values of the pillar by name.",
        access: Access::Reads,
        run: |call| {
            Box::pin(async move {
                let pillar = pillar(&call).await?;
                Ok(items(&call, &pillar))
            })
        },
    },
    Function {
        name: "config.get",
        signature: "key, default=''",
        doc: "config.get KEY [DEFAULT]\n\nOne value of the configuration, the grains or the pillar, in this order.",
        access: Access::Reads,
        run: |call| Box::pin(config_get(call)),
    },
];

async fn pillar(call: &Call<'_>) -> Result<Value, Fault> {
    let extra = Extra {
        pillar: call.args.named("pillar").cloned(),
        ..Extra::default()
    };
    compile::target(call.minion, extra)
        .await
        .map(|target| target.pillar)
}

fn get(call: &Call<'_>, tree: &Value) -> Result<Return, Fault> {
    let key = call.args.required(0, "key")?;
    let delimiter = call
        .args
        .text(2, "delimiter")?
        .unwrap_or_else(|| ":".to_owned());
    let default = || {
        call.args
            .get(1, "default")
            .cloned()
            .unwrap_or_else(|| json!(""))
    };
    Ok(Return::ok(
        traverse(tree, &key, &delimiter)
            .cloned()
            .unwrap_or_else(default),
    ))
}

fn items(call: &Call<'_>, tree: &Value) -> Return {
    let keys = call.args.positional().iter().filter_map(Value::as_str);
    let found: Map<String, Value> = keys
        .map(|key| {
            (
                key.to_owned(),
                traverse(tree, key, ":")
                    .cloned()
                    .unwrap_or_else(|| json!("")),
            )
        })
        .collect();
    Return::ok(found)
}

async fn config_get(call: Call<'_>) -> Result<Return, Fault> {
    let key = call.args.required(0, "key")?;
    let found = configured(&call, &key).await?;
    let default = || {
        call.args
            .get(1, "default")
            .cloned()
            .unwrap_or_else(|| json!(""))
    };
    Ok(Return::ok(found.unwrap_or_else(default)))
}

/// A value of the configuration, the grains or the pillar, in this order.
pub(super) async fn configured(call: &Call<'_>, key: &str) -> Result<Option<Value>, Fault> {
    if let Some(value) = traverse(&call.minion.opts(), key, ":") {
        return Ok(Some(value.clone()));
    }
    let target = compile::target(call.minion, Extra::default()).await?;
    let found = traverse(&target.grains, key, ":").or_else(|| traverse(&target.pillar, key, ":"));
    Ok(found.cloned())
}
