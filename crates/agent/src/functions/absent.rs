//! Functions of Salt that this program has not, each with its reason. All states and functions of `virt` are there.

const OTHERS: &str = "a state file compiles to the same whatever other machines answer; take the value from the pillar";
const COMMANDS: &str = "no command of a caller's runs on a host; onlyif, unless and check_cmd of a state run those of its author";
const FILES: &str = "states come from the file roots: put the file there and call state.apply";
const STEPS: &str = "a run is not paused; cancel it, and it ends after its current step";
const PLANS: &str = "make a plan, read it, and apply exactly that: state.plan, state.apply_plan";
const ALWAYS: &str = "states cannot be switched off on a host; leave them out with exclude=";

/// Functions with the reason why they are left out. Source: Salt 3008, `saltext.virt`.
pub(super) const FUNCTIONS: &[(&str, &str)] = &[
    ("cmd.run", COMMANDS),
    ("cmd.run_all", COMMANDS),
    ("cmd.run_stdout", COMMANDS),
    ("cmd.retcode", COMMANDS),
    ("cmd.shell", COMMANDS),
    ("cmd.script", COMMANDS),
    ("http.query", OTHERS),
    ("network.dns_check", OTHERS),
    ("state.template", FILES),
    ("state.template_str", FILES),
    ("state.pkg", FILES),
    ("state.pause", STEPS),
    ("state.resume", STEPS),
    ("state.soft_kill", STEPS),
    ("state.get_pauses", STEPS),
    ("state.request", PLANS),
    ("state.check_request", PLANS),
    ("state.run_request", PLANS),
    ("state.clear_request", PLANS),
    ("state.disable", ALWAYS),
    ("state.enable", ALWAYS),
    ("state.list_disabled", ALWAYS),
    (
        "state.event",
        "salar-agent sends events to its server, which shows them",
    ),
    (
        "state.orchestrate",
        "it runs on Salt's master over many hosts; give salar run several hosts instead",
    ),
];

/// Why Salt's function of this name is not here.
pub(super) fn reason(fun: &str) -> Option<&'static str> {
    FUNCTIONS
        .iter()
        .find(|(name, _)| *name == fun)
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_there_and_absent() {
        for (name, _) in FUNCTIONS {
            assert!(super::super::find(name).is_none(), "{name}");
        }
    }
}
