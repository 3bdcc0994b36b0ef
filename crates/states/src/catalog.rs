//! The state functions there are, with their arguments. All that Salt's virt module has are among them.

use crate::planners::keys;
use crate::want;

/// A function with its arguments.
struct Function {
    name: &'static str,
    /// `None` when it takes any.
    arguments: Option<&'static [&'static [&'static str]]>,
}

/// What every virt state takes beside its own arguments.
const COMMON: &[&str] = &["name", "connection", "username", "password"];

const VIRT: &[Function] = &[
    virt("absent", &[want::absent::VM_ARGUMENTS, COMMON]),
    virt(
        "defined",
        &[want::vm::ARGUMENTS, want::vm::DEFINED_ONLY, COMMON],
    ),
    virt("keys", &[keys::ARGUMENTS, COMMON]),
    virt("network_absent", &[want::absent::NETWORK_ARGUMENTS, COMMON]),
    virt("network_defined", &[want::network::ARGUMENTS, COMMON]),
    virt(
        "network_deleted",
        &[want::absent::NETWORK_ARGUMENTS, COMMON],
    ),
    virt("network_running", &[want::network::ARGUMENTS, COMMON]),
    virt("pool_absent", &[want::absent::POOL_ARGUMENTS, COMMON]),
    virt("pool_defined", &[want::pool::ARGUMENTS, COMMON]),
    virt(
        "pool_deleted",
        &[want::absent::POOL_DELETED_ARGUMENTS, COMMON],
    ),
    virt("pool_running", &[want::pool::ARGUMENTS, COMMON]),
    virt("powered_off", &[COMMON]),
    virt("rebooted", &[COMMON]),
    virt("reverted", &[want::snapshot::REVERTED_ARGUMENTS, COMMON]),
    virt("running", &[want::vm::ARGUMENTS, COMMON]),
    virt("saved", &[want::snapshot::TAKEN_ARGUMENTS, COMMON]),
    virt("snapshot", &[want::snapshot::TAKEN_ARGUMENTS, COMMON]),
    virt(
        "snapshot_absent",
        &[want::snapshot::NAMED_ARGUMENTS, COMMON],
    ),
    virt(
        "snapshot_present",
        &[want::snapshot::NAMED_ARGUMENTS, COMMON],
    ),
    virt("stopped", &[COMMON]),
    virt("unpowered", &[COMMON]),
    virt("volume_absent", &[want::stored::ABSENT_ARGUMENTS, COMMON]),
    virt("volume_defined", &[want::volume::ARGUMENTS, COMMON]),
    virt(
        "volume_present",
        &[
            want::volume::ARGUMENTS,
            want::stored::PRESENT_ARGUMENTS,
            COMMON,
        ],
    ),
];

const TEST: &[Function] = &[
    test("configurable_test_state"),
    test("fail_with_changes"),
    test("fail_without_changes"),
    test(sls::MOD_WATCH),
    test("nop"),
    test("show_notification"),
    test("succeed_with_changes"),
    test("succeed_without_changes"),
];

const fn virt(name: &'static str, arguments: &'static [&'static [&'static str]]) -> Function {
    Function {
        name,
        arguments: Some(arguments),
    }
}

/// The states that pretend take any argument.
const fn test(name: &'static str) -> Function {
    Function {
        name,
        arguments: None,
    }
}

/// The modules with their functions.
const MODULES: &[(&str, &[Function])] = &[("test", TEST), ("virt", VIRT)];

/// The names of a module's functions.
pub(crate) fn functions(module: &str) -> Vec<&'static str> {
    let known = of(module).unwrap_or_default();
    known.iter().map(|function| function.name).collect()
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
        let arguments = function.arguments?.concat();
        Some(arguments.into_iter().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::functions;

    /// Source: Salt 3008, `saltext.virt`.
    const OF_SALT: &[&str] = &[
        "defined",
        "keys",
        "network_defined",
        "network_running",
        "pool_defined",
        "pool_deleted",
        "pool_running",
        "powered_off",
        "rebooted",
        "reverted",
        "running",
        "saved",
        "snapshot",
        "stopped",
        "unpowered",
        "volume_defined",
    ];

    #[test]
    fn no_virt_state_of_salt_is_missing() {
        let here = functions("virt");
        let missing: Vec<_> = OF_SALT.iter().filter(|name| !here.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
