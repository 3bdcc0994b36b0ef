//! `grains.*`, `pillar.*`, `config.*`, `match.*`: what is known of the host without asking the hypervisor for objects.
//!
//! Templates get the same answers from the compiler itself; here they are for command lines and conditions.

use super::table::{Access, Function};
use super::{Call, Fault, Return};
use crate::compile::{self, Extra};
use crate::grains;
use serde_json::Value;
use sls::lookup::{functions, traverse};
use sls::{Map, Target};

pub(super) const TABLE: &[Function] = &[
    look_up(
        "config.get",
        "key, default='', delimiter=':'",
        "config.get KEY [DEFAULT]\n\nOne value of the configuration, the grains or the pillar, in this order.",
    ),
    look_up(
        "config.option",
        "key, default=''",
        "config.option KEY [DEFAULT]\n\nThe same as config.get.",
    ),
    look_up(
        "grains.equals",
        "key, value",
        "grains.equals KEY VALUE\n\nWhether a grain has this value.",
    ),
    look_up(
        "grains.fetch",
        "key, default='', delimiter=':'",
        "grains.fetch KEY [DEFAULT]\n\nThe same as grains.get.",
    ),
    look_up(
        "grains.filter_by",
        "lookup_dict, grain='os_family', merge=None, default='default', base=None",
        "grains.filter_by {PATTERN: VALUE,…} [GRAIN]\n\nThe value under the pattern that the grain matches.",
    ),
    look_up(
        "grains.get",
        "key, default='', delimiter=':'",
        "grains.get KEY [DEFAULT]\n\nOne grain; a colon goes into a dictionary.",
    ),
    look_up(
        "grains.has_value",
        "key",
        "grains.has_value KEY\n\nWhether a grain is there and not empty.",
    ),
    look_up(
        "grains.item",
        "*keys",
        "grains.item KEY [KEY…]\n\nSome grains by name.",
    ),
    look_up(
        "grains.items",
        "",
        "grains.items\n\nAll grains of the host.",
    ),
    look_up("grains.ls", "", "grains.ls\n\nNames of the grains."),
    look_up(
        "match.compound",
        "tgt, minion_id=None",
        "match.compound TARGET\n\nWhether the host is meant: G@os:Debian and not kvm1*.",
    ),
    look_up(
        "match.filter_by",
        "lookup, tgt_type='compound', minion_id=None, merge=None, merge_lists=False, default='default'",
        "match.filter_by {TARGET: VALUE,…}\n\nThe value under the first target that means the host.",
    ),
    look_up(
        "match.glob",
        "tgt, minion_id=None",
        "match.glob PATTERN\n\nWhether the host's name matches a shell pattern.",
    ),
    look_up(
        "match.grain",
        "tgt, delimiter=':'",
        "match.grain KEY:PATTERN\n\nWhether a grain matches a shell pattern.",
    ),
    look_up(
        "match.grain_pcre",
        "tgt, delimiter=':'",
        "match.grain_pcre KEY:REGEX\n\nWhether a grain matches a regular expression.",
    ),
    look_up(
        "match.ifelse",
        "*args, tgt_type='compound', minion_id=None",
        "match.ifelse TARGET VALUE [TARGET VALUE…] [DEFAULT]\n\nThe value behind the first target that means the host.",
    ),
    look_up(
        "match.ipcidr",
        "tgt",
        "match.ipcidr NETWORK\n\nWhether the host has this address, or one in this network.",
    ),
    look_up(
        "match.list",
        "tgt, minion_id=None",
        "match.list NAME,…\n\nWhether the host's name is in the list.",
    ),
    look_up(
        "match.pcre",
        "tgt, minion_id=None",
        "match.pcre REGEX\n\nWhether the host's name matches a regular expression.",
    ),
    look_up(
        "match.pillar",
        "tgt, delimiter=':'",
        "match.pillar KEY:PATTERN\n\nWhether a value of the pillar matches a shell pattern.",
    ),
    look_up(
        "match.pillar_exact",
        "tgt, delimiter=':'",
        "match.pillar_exact KEY:VALUE\n\nWhether a value of the pillar is this one.",
    ),
    look_up(
        "match.pillar_pcre",
        "tgt, delimiter=':'",
        "match.pillar_pcre KEY:REGEX\n\nWhether a value of the pillar matches a regular expression.",
    ),
    look_up(
        "match.search_by",
        "lookup, tgt_type='compound', minion_id=None",
        "match.search_by {NAME: [TARGET,…],…}\n\nThe names whose targets mean the host.",
    ),
    look_up(
        "pillar.fetch",
        "key, default='', delimiter=':', pillar=None",
        "pillar.fetch KEY [DEFAULT]\n\nThe same as pillar.get.",
    ),
    look_up(
        "pillar.filter_by",
        "lookup_dict, pillar='role', merge=None, default='default', base=None",
        "pillar.filter_by {PATTERN: VALUE,…} [KEY]\n\nThe value under the pattern that the pillar's value matches.",
    ),
    look_up(
        "pillar.get",
        "key, default='', merge=False, merge_nested_lists=False, delimiter=':', pillar=None, pillarenv=None",
        "pillar.get KEY [DEFAULT]\n\nOne value of the pillar; a colon goes into a dictionary.",
    ),
    look_up(
        "pillar.item",
        "*keys, pillar=None, pillarenv=None",
        "pillar.item KEY [KEY…]\n\nSome values of the pillar by name.",
    ),
    look_up(
        "pillar.items",
        "pillar=None, pillarenv=None",
        "pillar.items\n\nAll pillar data of the host.",
    ),
    look_up(
        "pillar.keys",
        "key, pillar=None",
        "pillar.keys KEY\n\nKeys of a dictionary in the pillar.",
    ),
    look_up(
        "pillar.ls",
        "pillar=None",
        "pillar.ls\n\nKeys of the pillar.",
    ),
    look_up(
        "pillar.raw",
        "key=None, pillar=None",
        "pillar.raw [KEY]\n\nAll pillar data of the host, or one value.",
    ),
];

const fn look_up(name: &'static str, signature: &'static str, doc: &'static str) -> Function {
    Function {
        name,
        signature,
        doc,
        access: Access::Reads,
        run: |call| Box::pin(answer(call)),
    }
}

async fn answer(call: Call<'_>) -> Result<Return, Fault> {
    let target = target(&call).await?;
    let named: Map = call
        .args
        .all_named()
        .filter(|(name, _)| *name != "pillarenv")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    match functions::call(call.fun, call.args.positional(), &named, &target) {
        Some(Ok(value)) => Ok(Return::ok(value)),
        Some(Err(fault)) => Err(Fault::new(fault.message)),
        None => Err(super::table::unknown(call.fun)),
    }
}

/// What the function looks in: grains alone need no pillar rendered.
async fn target(call: &Call<'_>) -> Result<Target, Fault> {
    if call.fun.starts_with("grains.") {
        let grains = match &call.minion.known {
            Some(known) => known.grains.clone(),
            None => grains::read(call.minion).await,
        };
        return Ok(Target {
            grains,
            ..Target::new(&call.minion.id)
        });
    }
    let pillar = call.args.named("pillar").filter(|over| over.is_object());
    let extra = Extra {
        pillar: pillar.cloned(),
        pillarenv: call.args.environment("pillarenv"),
        ..Extra::default()
    };
    compile::target(call.minion, extra).await
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
