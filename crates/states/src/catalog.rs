//! The state functions there are, with their arguments; and those that only Salt has.

use crate::want;

/// A function with its arguments.
struct Function {
    name: &'static str,
    arguments: &'static [&'static [&'static str]],
}

/// What every virt state takes beside its own arguments.
const COMMON: &[&str] = &["name", "connection", "username", "password"];

const VIRT: &[Function] = &[
    Function {
        name: "defined",
        arguments: &[want::vm::ARGUMENTS, want::vm::DEFINED_ONLY, COMMON],
    },
    Function {
        name: "running",
        arguments: &[want::vm::ARGUMENTS, COMMON],
    },
    Function {
        name: "network_defined",
        arguments: &[want::network::ARGUMENTS, COMMON],
    },
    Function {
        name: "network_running",
        arguments: &[want::network::ARGUMENTS, COMMON],
    },
    Function {
        name: "pool_defined",
        arguments: &[want::pool::ARGUMENTS, COMMON],
    },
    Function {
        name: "pool_running",
        arguments: &[want::pool::ARGUMENTS, COMMON],
    },
];

/// The modules with their functions.
const MODULES: &[(&str, &[Function])] = &[("virt", VIRT)];

/// Virt states of Salt. Source: Salt 3008, `saltext.virt`.
const SALT_VIRT: &[&str] = &[
    "running",
    "defined",
    "stopped",
    "powered_off",
    "snapshot",
    "rebooted",
    "network_defined",
    "network_running",
    "pool_defined",
    "pool_running",
    "pool_deleted",
    "volume_defined",
    "keys",
    "unpowered",
    "saved",
    "reverted",
];

/// The names of a module's functions.
pub(crate) fn functions(module: &str) -> Vec<&'static str> {
    let known = of(module).unwrap_or_default();
    known.iter().map(|function| function.name).collect()
}

/// Salt has this state, whether or not it is here.
pub fn known_to_salt(module: &str, function: &str) -> bool {
    module == "virt" && SALT_VIRT.contains(&function)
}

fn of(module: &str) -> Option<&'static [Function]> {
    MODULES
        .iter()
        .find(|(known, _)| *known == module)
        .map(|(_, functions)| *functions)
}

/// Which states can be used in an SLS.
#[derive(Debug, Clone, Copy, Default)]
pub struct States;

/// The catalog to compile SLS files against.
pub const fn catalog() -> States {
    States
}

impl sls::Catalog for States {
    fn modules(&self) -> Vec<String> {
        MODULES
            .iter()
            .map(|(module, _)| (*module).to_owned())
            .collect()
    }

    fn functions(&self, module: &str) -> Option<Vec<String>> {
        let known = of(module)?;
        Some(known.iter().map(|f| f.name.to_owned()).collect())
    }

    fn arguments(&self, module: &str, function: &str) -> Option<Vec<String>> {
        let function = of(module)?.iter().find(|known| known.name == function)?;
        let arguments = function.arguments.concat();
        Some(arguments.into_iter().map(str::to_owned).collect())
    }
}
