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
    of(module).iter().map(|function| function.name).collect()
}

/// Salt has this state, whether or not it is here.
pub fn known_to_salt(module: &str, function: &str) -> bool {
    module == "virt" && SALT_VIRT.contains(&function)
}

fn of(module: &str) -> &'static [Function] {
    match module {
        "virt" => VIRT,
        _ => &[],
    }
}

/// Which states can be used in an SLS.
#[derive(Debug, Clone, Copy, Default)]
pub struct States;

/// The catalog to compile SLS files against.
pub const fn catalog() -> States {
    States
}

impl States {
    /// The arguments of a function beside the global ones; `None` when there is no such function.
    pub fn arguments_of(&self, module: &str, function: &str) -> Option<Vec<&'static str>> {
        of(module)
            .iter()
            .find(|known| known.name == function)
            .map(|known| known.arguments.concat())
    }
}
